"""Bytes of any kind on the socket: an answer of the table or a documented close, and no harm."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import resource
import struct
from contextlib import suppress

import pytest

from tests.gateway.site import Site, site
from voltstream.core.limits import OCPP_EARLY_BYTES_MAX, OCPP_MESSAGE_BYTES_MAX
from voltstream.ocpp.codes import Fault, code
from voltstream.ocpp.versions import Version
from voltstream.runtime.instance import Instance

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
# What the server may close with: protocol, data type, not UTF-8, policy, too long, and going away.
CLOSES = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011}
CODES = {
    version: {
        code(version, fault, anonymous=anonymous) for fault in Fault for anonymous in (False, True)
    }
    for version in Version
}
SEED = int(os.environ.get("VOLTSTREAM_FUZZ_SEED", "20260601"))
MEMORY_MB_MAX = 150.0
PATIENCE_S = 30.0


def frame(
    opcode: int, payload: bytes, *, end: bool = True, mask: bool = True, rsv: int = 0,
    length: int | None = None,
) -> bytes:  # fmt: skip
    """Spell a WebSocket frame, also one that nobody should send."""
    size = len(payload) if length is None else length
    head = bytes([(0x80 if end else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += bytes([bit | 126]) + struct.pack("!H", size)
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", size)
    return head + (b"\0\0\0\0" if mask else b"") + payload  # A mask of zeros changes nothing.


class Wire:
    """A socket that has shaken hands, and then says anything."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, name: str, version: str) -> Wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /ocpp/{name} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: {version}\r\n\r\n".encode()
        )
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        assert head.startswith(b"HTTP/1.1 101"), head
        return cls(reader, writer)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        # Should it be closed meanwhile, what it was closed with stands in the buffer.
        with suppress(ConnectionError):
            await asyncio.wait_for(self._writer.drain(), PATIENCE_S)

    async def frame(self) -> tuple[int, bytes] | None:
        """Return the server's next frame; None where the connection ended. Never waits for ever."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                first, second = await self._reader.readexactly(2)
                assert not second & 0x80, "a server must not mask"
                size = second & 0x7F
                if size == 126:
                    [size] = struct.unpack("!H", await self._reader.readexactly(2))
                elif size == 127:
                    [size] = struct.unpack("!Q", await self._reader.readexactly(8))
                return first & 0x0F, await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def texts(self, count: int) -> list[str]:
        found: list[str] = []
        while len(found) < count:
            one = await self.frame()
            assert one is not None and one[0] == TEXT, one
            found.append(one[1].decode())
        return found

    async def end(self) -> int | None:
        """Read to the end; return the code of the close, None for an end without one."""
        while (one := await self.frame()) is not None:
            if one[0] == CLOSE:
                return struct.unpack("!H", one[1][:2])[0] if len(one[1]) >= 2 else 1005
        return None

    def drop(self) -> None:
        self._writer.transport.abort()


BEFORE_BOOT = b'[2,"h","Heartbeat",{}]'
ENDS = {
    "binary": (frame(BINARY, b"[2]"), 1003),
    "bad UTF-8": (frame(TEXT, b"\xff\xfe"), 1007),
    "bad UTF-8 over fragments": (
        frame(TEXT, b"\xc3", end=False) + frame(0, b"(", end=True), 1007),
    "not masked": (frame(TEXT, BEFORE_BOOT, mask=False), 1002),
    "reserved bit": (frame(TEXT, BEFORE_BOOT, rsv=2), 1002),
    "reserved opcode": (frame(5, b""), 1002),
    "continuation of nothing": (frame(0, b"x"), 1002),
    "ping beyond 125": (frame(PING, b"x" * 126), 1002),
    "fragmented ping": (frame(PING, b"x", end=False), 1002),
    "announces 2^62 bytes": (frame(TEXT, b"", length=2**62), 1009),
    "too long before the boot": (frame(TEXT, b" " * (OCPP_EARLY_BYTES_MAX + 1)), 1009),
    "too long by fragments": (
        frame(TEXT, b" " * 65_000, end=False)
        + frame(0, b" " * 65_000, end=False) * (OCPP_MESSAGE_BYTES_MAX // 65_000 + 1), 1009),
    "close without a code": (frame(CLOSE, b""), 1005),
    "close with a code of nobody": (frame(CLOSE, struct.pack("!H", 12)), 1002),
}  # fmt: skip


@pytest.mark.parametrize("version", list(Version))
def test_frames_that_end_a_connection(instance: Instance, version: Version) -> None:
    async def work() -> None:
        async with site(instance) as where:
            for name, (data, wanted) in ENDS.items():
                wire = await Wire.open(where.gateway.port, "FUZZ", version.value)
                await wire.send(data)
                assert await wire.end() == wanted, name
                wire.drop()
            await is_well(where)

    asyncio.run(asyncio.wait_for(work(), 200))


async def is_well(where: Site) -> None:
    """Tell whether others are served as ever."""
    async with where.client("HEALTHY") as client:
        assert "currentTime" in await client.call("Heartbeat")


def test_one_byte_a_frame_and_pings_in_between(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance) as where:
            wire = await Wire.open(where.gateway.port, "DRIP", "ocpp1.6")
            parts = [bytes([one]) for one in BEFORE_BOOT]
            data = frame(TEXT, parts[0], end=False)
            for part in parts[1:-1]:
                data += frame(0, part, end=False) + frame(PING, b"alive?")
            await wire.send(data + frame(0, parts[-1]))
            pongs = 0
            while (one := await wire.frame()) is not None and one[0] == PONG:
                assert one[1] == b"alive?"
                pongs += 1
            assert pongs == len(parts) - 2
            assert one is not None and json.loads(one[1])[:3] == [4, "h", "SecurityError"]
            wire.drop()

    asyncio.run(asyncio.wait_for(work(), 100))


def test_a_flood_of_pings_and_of_answers_to_nothing(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance) as where:
            wire = await Wire.open(where.gateway.port, "FLOOD", "ocpp2.1")
            await wire.send(frame(PING, b"x" * 125) * 5_000)
            for _ in range(5_000):
                one = await wire.frame()
                assert one is not None and one[0] == PONG
            await wire.send(frame(TEXT, b'[3,"nobody","asked"]') * 8)
            await is_well(where)
            wire.drop()

    before_mb = memory_mb()
    asyncio.run(asyncio.wait_for(work(), 200))
    assert memory_mb() - before_mb < MEMORY_MB_MAX


def memory_mb() -> float:
    """Return the most that this process, with the server in it, has ever taken."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def anything(chance: random.Random) -> bytes:
    """Return a message: noise, JSON that is no frame, or a frame with something wrong in it."""
    actions = ["Heartbeat", "MeterValues", "StartTransaction", "TransactionEvent", "Reset", "x", ""]
    match chance.randrange(6):
        case 0:
            return "".join(chr(chance.randrange(1, 0x500)) for _ in range(40)).encode()
        case 1:
            return json.dumps(value(chance, 3)).encode()
        case 2:
            return b"[" * chance.choice([3, 30, 3_000]) + b"]" * chance.choice([3, 30, 3_000])
        case 3:
            parts = [chance.choice([2, 3, 4, 5, 6, 99, "2", 2.5, None]), value(chance, 1)]
            return json.dumps([*parts, chance.choice(actions), value(chance, 3)]).encode()
        case 4:
            text = json.dumps([2, str(chance.random()), chance.choice(actions), value(chance, 3)])
            return text[: chance.randrange(len(text))].encode()
        case _:
            found = {
                "connectorId": value(chance, 0),
                "meterValue": value(chance, 4),
                "timestamp": chance.choice(["0001-01-01T00:00:00Z", "24:00", 1, None]),
            }
            number = str(chance.random())
            return json.dumps([2, number, chance.choice(actions), found]).encode()


def value(chance: random.Random, depth: int) -> object:
    leaves = [
        None,
        True,
        -1,
        2**63,
        10**400,
        1e308,
        "",
        "\x00",
        "\ud800",
        "NaN",
        "'; --",
        "x" * 300,
    ]
    if depth == 0 or chance.random() < 0.4:
        return chance.choice(leaves)
    if chance.random() < 0.5:
        return [value(chance, depth - 1) for _ in range(chance.randrange(4))]
    keys = ("timestamp", "sampledValue", "value", "measurand", "transactionInfo", "vendorId")
    return {chance.choice(keys): value(chance, depth - 1) for _ in range(chance.randrange(4))}


@pytest.mark.parametrize("version", list(Version))
def test_any_message_gets_an_answer_of_the_table(instance: Instance, version: Version) -> None:
    """Behind each message of the fuzzer stands a probe: its answer shows that nothing hangs."""
    chance = random.Random(f"{SEED}/{version.value}")

    async def work() -> None:
        async with site(instance) as where:
            wire = await Wire.open(where.gateway.port, f"ANY-{version.value[-3:]}", version.value)
            where.gateway.links[f"ANY-{version.value[-3:]}"][0].conversation.accepted = True
            for number in range(50):
                probe = f'[2,"probe-{number}","Heartbeat",{{}}]'.encode()
                await wire.send(frame(TEXT, anything(chance)) + frame(TEXT, probe))
                while True:
                    [text] = await wire.texts(1)
                    answer = json.loads(text)
                    if answer[1] == f"probe-{number}":
                        assert answer[0] == 3, answer
                        break
                    assert answer[0] in (3, 4), answer
                    if answer[0] == 4:
                        assert len(answer) == 5 and answer[2] in CODES[version], answer
                        assert len(answer[3]) <= 255 and answer[4] == {}
            wire.drop()
            await is_well(where)

    asyncio.run(asyncio.wait_for(work(), 250))


HANDSHAKES = {
    "noise": (b"\x16\x03\x01\x02\x00" + bytes(range(256)), (b"", b"HTTP/1.1 400")),
    "no upgrade": (b"GET /ocpp/X HTTP/1.1\r\nHost: x\r\n\r\n", (b"HTTP/1.1 426",)),
    "POST": (b"POST /ocpp/X HTTP/1.1\r\nHost: x\r\n\r\n", (b"", b"HTTP/1.1 4")),
    "header beyond 16 KiB": (
        b"GET /ocpp/X HTTP/1.1\r\nHost: " + b"x" * 20_000 + b"\r\n\r\n", (b"", b"HTTP/1.1 4")),
    "headers without end": (
        b"GET /ocpp/X HTTP/1.1\r\n" + b"A: b\r\n" * 1_000 + b"\r\n", (b"", b"HTTP/1.1 4")),
    "an id of 300 characters": (
        b"GET /ocpp/" + b"x" * 300 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (b"HTTP/1.1 404",)),
    "an id that is no UTF-8": (b"GET /ocpp/%ff HTTP/1.1\r\nHost: x\r\n\r\n", (b"HTTP/1.1 404",)),
}  # fmt: skip


@pytest.mark.parametrize("name", list(HANDSHAKES))
def test_handshakes_that_are_none(instance: Instance, name: str) -> None:
    data, wanted = HANDSHAKES[name]

    async def work() -> None:
        async with site(instance) as where:
            reader, writer = await asyncio.open_connection("127.0.0.1", where.gateway.port)
            writer.write(data)
            try:
                came = await asyncio.wait_for(reader.read(200), PATIENCE_S)
            except ConnectionError:
                came = b""
            assert came.startswith(wanted) if came else b"" in wanted, came
            writer.transport.abort()
            await is_well(where)

    asyncio.run(asyncio.wait_for(work(), 100))
