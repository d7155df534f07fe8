"""Clients that do what is odd and legal: none of it may cost them the connection, or a message."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import zlib
from typing import Any

import pytest

from tests.gateway.desk import Desk, clock, flags_of
from tests.gateway.site import BOOT_2, BOOT_16, Site, site
from tests.gateway.test_day import record
from tests.gateway.test_socket_fuzz import PING, PONG, TEXT, Wire, frame
from voltstream.core.limits import OCPP_REPLY_KEPT_S, OCPP_TIME_REPLY_KEPT_S
from voltstream.ocpp.conversation import Conversation, Refusal, Repeat, Request
from voltstream.ocpp.instants import US_PER_S
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.versions import Version
from voltstream.runtime.instance import Instance

DEFLATE = "permessage-deflate; client_max_window_bits; server_max_window_bits=10"


async def shake(
    where: Site, path: str, *headers: tuple[str, str], proto: str = "ocpp1.6", lower: bool = False
) -> tuple[Wire, str]:
    """Shake hands by hand; return the wire and the server's head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", where.gateway.port)
    given = {
        "Host": "x", "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": proto,
    } | dict(headers)  # fmt: skip
    lines = [f"{name.lower() if lower else name}: {value}" for name, value in given.items()]
    writer.write("\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    return Wire(reader, writer), head.decode()


def call(action: str, payload: Any, number: str = "1") -> bytes:
    return json.dumps([2, number, action, payload]).encode()


BOOT = call("BootNotification", BOOT_16, "boot")


async def accepted(wire: Wire) -> bool:
    [text] = await wire.texts(1)
    found: list[Any] = json.loads(text)
    return bool(found[0] == 3 and found[2].get("status") == "Accepted")


def test_handshakes_and_frames_that_are_odd_and_legal(instance: Instance) -> None:
    async def handshakes(where: Site) -> None:
        basic = "Basic " + base64.b64encode(b"ODD-4:nobody-knows-this-one").decode()
        for path, headers, proto, lower in (
            ("/ocpp/ODD-1", (), "ocpp1.6", True),
            ("/a/b/ODD-2/?token=x", (), "ocpp1.5 ,ocpp1.6,  ocpp2.0.1", False),
            ("/ocpp/ODD%2D3", (("Connection", "keep-alive, Upgrade"), ("Upgrade", "WebSocket")),
             "ocpp1.6", False),
            # Profile 0 is let in from here: so is who brings a password that nobody asked for.
            ("/ocpp/ODD-4", (("Authorization", basic),), "ocpp1.6", False),
            ("//ocpp//ODD-5", (("Origin", "null"), ("Sec-WebSocket-Extensions", "x-odd")),
             "ocpp1.6", False),
        ):  # fmt: skip
            wire, head = await shake(where, path, *headers, proto=proto, lower=lower)
            assert head.startswith("HTTP/1.1 101"), (path, head)
            await wire.send(frame(TEXT, BOOT))
            assert await accepted(wire), path
            wire.drop()
        # With another's name a password that nobody knows is worth nothing.
        wire, head = await shake(where, "/ocpp/ODD-5", ("Authorization", basic))
        assert head.startswith("HTTP/1.1 401")
        wire.drop()
        wire, head = await shake(where, "/ocpp/" + "x" * 49, proto="ocpp2.0.1")
        assert await wire.end() == 1008
        wire.drop()

    async def frames(where: Site) -> None:
        wire, _ = await shake(where, "/ocpp/ODD-6")
        for place, byte in enumerate(BOOT):
            last = place == len(BOOT) - 1
            await wire.send(frame(0 if place else TEXT, bytes([byte]), end=last))
            if place == 2:
                await wire.send(frame(PING, b"p" * 125) + frame(PONG, b"nobody asked"))
        assert await wire.frame() == (PONG, b"p" * 125)
        assert await accepted(wire)
        text = '[2,"é","DataTransfer",{"vendorId":"😀"}]'.encode()
        cut = text.index("😀".encode()) + 2  # Within a character.
        await wire.send(frame(TEXT, b"", end=False) + frame(0, text[:cut], end=False))
        await wire.send(frame(0, text[cut:], end=False) + frame(0, b""))
        assert await wire.texts(1) == ['[3,"é",{"status":"UnknownVendorId"}]']
        await wire.send(frame(TEXT, b' \r\n\t[2 , "w" , "Heartbeat" , { } ] \n'))
        [answer] = await wire.texts(1)
        assert answer.startswith('[3,"w",{"currentTime"')
        wire.drop()

    async def compressed(where: Site) -> None:
        wire, head = await shake(where, "/ocpp/ODD-7", ("Sec-WebSocket-Extensions", DEFLATE))
        assert "server_max_window_bits=10" in head
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = (packer.compress(BOOT) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        await wire.send(frame(TEXT, packed[:5], end=False, rsv=4))
        await wire.send(frame(0, packed[5:9], end=False) + frame(0, packed[9:]))
        await wire.frame()
        await wire.send(frame(TEXT, call("Heartbeat", {}, "plain")))  # Not compressed: it may.
        first = await wire.frame()
        assert first is not None and first[0] == TEXT
        wire.drop()

    async def work() -> None:
        async with site(instance) as where:
            await handshakes(where)
            await frames(where)
            await compressed(where)

    asyncio.run(asyncio.wait_for(work(), 120))


@pytest.mark.parametrize("version", list(Version))
def test_an_id_that_is_used_for_ever_does_not_stop_the_clock(version: Version) -> None:
    conversation = Conversation(version, strict=False, accepted=True)

    def heard(action: str, payload: Any, at_s: int) -> type[Any]:
        text = call(action, payload, "1").decode()
        event = conversation.receive(text, at_s * US_PER_S)
        if isinstance(event, Request):
            conversation.answer(event, text, {"currentTime": str(at_s)})
        return type(event)

    assert heard("Heartbeat", {}, 0) is Request
    assert heard("Heartbeat", {}, 5) is Repeat  # Its answer was lost.
    # A charger sets its clock by the answer: an old one would set it wrong.
    assert heard("Heartbeat", {}, 6 + OCPP_TIME_REPLY_KEPT_S) is Request
    boot = BOOT_16 if version is Version.V16 else BOOT_2
    after_s = 100
    assert heard("BootNotification", boot, after_s) is Request
    assert heard("DataTransfer", {"vendorId": "v"}, after_s + 40) is Request
    assert heard("DataTransfer", {"vendorId": "v"}, after_s + 300) is Repeat
    other = heard("DataTransfer", {"vendorId": "w"}, after_s + 301)
    assert other is (Request if version is Version.V16 else Refusal)
    assert heard("DataTransfer", {"vendorId": "v"}, 1_000 + OCPP_REPLY_KEPT_S) is Request


def test_fractions_of_a_watt_hour_are_no_reason_to_refuse() -> None:
    desk = Desk()
    answer = desk.say("StartTransaction", 0, connectorId=1, idTag="T", meterStart=1000.7,
                      timestamp=clock(0))  # fmt: skip
    number = answer["transactionId"]
    assert desk.stop(600, number, "2500.9", reason="Local") == {}
    found = record(desk, str(number))
    assert found is not None and str(found["energy_wh"]) == "1500.200"
    assert [row["meter_wh"] for row in desk.rows["charger_transactions"]] == [1001, 2501]
    assert flags_of(desk.transactions("START")[0]) & Quality.COERCED


def test_an_optional_field_of_another_shape_costs_only_itself() -> None:
    desk = Desk(Version.V201)
    assert desk.event("Started", 0, 0, 1000.0, idToken="PLAIN") == {}
    [start] = desk.transactions("START")
    assert start["id_tag"] is None and flags_of(start) & Quality.COERCED
    # What the message cannot be without is another thing.
    given = {"timestamp": clock(0), "connectorStatus": "Available", "evseId": [], "connectorId": 1}
    assert desk.say("StatusNotification", 1, **given) == "TypeConstraintViolation"
    station = {"vendorName": "v", "model": "m"}
    answer = desk.say("BootNotification", 2, chargingStation=station)
    assert answer == "OccurrenceConstraintViolation"


def test_ends_of_no_transaction_are_not_taken_for_one() -> None:
    desk = Desk()
    for at, number in ((1, 0), (2, 0), (3, -1), (4, 2**70)):
        assert desk.stop(at, number, 1000 + at) == {}
    ids = [row["transaction_id"] for row in desk.transactions("STOP")]
    assert len(set(ids)) == 4 and all(name.startswith("orphan-") for name in ids)


def test_a_session_without_any_reading_is_not_covered() -> None:
    desk = Desk(Version.V201)
    desk.event("Started", 0, 0)
    desk.event("Ended", 60, 1)
    found = record(desk, "tx-1")
    assert found is not None
    assert (found["energy_basis"], found["coverage"], found["sample_count"]) == ("NONE", 0, 0)
