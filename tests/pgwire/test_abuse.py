"""Clients that flood, dawdle, lie about lengths or never read: limits hold, others go on."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.pgwire.memory_session import MemorySessions
from tests.pgwire.test_server import serving
from voltstream.core.limits import LOGIN_BYTES_MAX, MESSAGE_BYTES_MAX, STARTUP_BYTES_MAX
from voltstream.pgwire import server as server_module
from voltstream.pgwire.server import PgServer

PATIENCE_S = 10.0


def _startup(**parameters: str) -> bytes:
    body = struct.pack("!i", 196_608)
    for name, value in parameters.items():
        body += name.encode() + b"\0" + value.encode() + b"\0"
    return struct.pack("!i", len(body) + 5) + body + b"\0"


def _message(tag: bytes, body: bytes, size: int | None = None) -> bytes:
    return tag + struct.pack("!i", len(body) + 4 if size is None else size) + body


def _rest(line: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    found = b""
    while data := line.recv(65_536):
        found += data
    return found


def _until_ready(line: socket.socket) -> bytes:
    found = b""
    while not found.endswith(b"Z\0\0\0\5I"):
        data = line.recv(65_536)
        assert data, found
        found += data
    return found


@contextmanager
def _raw(port: int, first: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as line:
        if first:
            line.sendall(first)
        yield line


def _port(address: str) -> int:
    return int(str(conninfo_to_dict(address)["port"]))


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


STRANGE_STARTS = (
    struct.pack("!i", 3),
    struct.pack("!i", -1),
    struct.pack("!i", 7) + b"abc",
    struct.pack("!i", STARTUP_BYTES_MAX + 1) + struct.pack("!i", 196_608),
    struct.pack("!ii", 8, 2 << 16),
    struct.pack("!ii", 8, 1234 << 16 | 5678),
    _startup(user="al")[:-1] + b"x",
    b"GET / HTTP/1.1\r\n\r\n",
)


@pytest.mark.parametrize("data", STRANGE_STARTS, ids=range(len(STRANGE_STARTS)))
def test_what_is_no_startup_packet_is_told_and_closed(address: str, data: bytes) -> None:
    with _raw(_port(address), data) as line:
        line.shutdown(socket.SHUT_WR)
        said = _rest(line)
        states = (b"C08P01\0", b"C0A000\0")  # The latter for a protocol of another version.
        assert said == b"" or (said[:1] == b"E" and any(state in said for state in states))


# Where the next message begins cannot be known after these.
LOST = (
    _message(b"Q", b"", size=3),
    _message(b"Q", b"", size=-5),
    _message(b"Q", b"", size=MESSAGE_BYTES_MAX + 1),
    _message(b"d", b"", size=2**31 - 1),
    _message(b"!", b""),
    _startup(user="al"),
)
# These are as long as they say, and make no sense.
SENSELESS = (
    _message(b"Q", b"SELECT 1"),
    _message(b"Q", b"SELECT 1\0more\0"),
    _message(b"P", b"\0SELECT 1\0"),
    _message(b"P", b"\0SELECT 1\0\x7f\xff"),
    _message(b"B", b"\0\0\0\0\x00\x02\x00\x00\x00\x01a"),
    _message(b"B", b"\0\0\0\0\x00\x01\xff\xff\xff\xf0\0\0"),
    _message(b"E", b"\0\0\0"),
    _message(b"D", b"X\0"),
    _message(b"S", b"extra"),
)


@pytest.mark.parametrize("data", LOST, ids=range(len(LOST)))
def test_wrong_lengths_end_one_connection_alone(address: str, data: bytes) -> None:
    with _raw(_port(address), _startup(user="al", database="volt")) as line:
        _until_ready(line)
        line.sendall(data)
        said = _rest(line)
    assert said[:1] == b"E"
    assert b"SFATAL\0" in said
    assert b"C08P01\0" in said


@pytest.mark.parametrize("data", SENSELESS, ids=range(len(SENSELESS)))
def test_what_makes_no_sense_is_told_and_the_next_is_heard(address: str, data: bytes) -> None:
    with _raw(_port(address), _startup(user="al", database="volt")) as line:
        _until_ready(line)
        line.sendall(data + _message(b"S", b""))
        said = _until_ready(line)
        assert b"C08P01\0" in said
        line.sendall(_message(b"Q", b"SELECT 7 AS seven\0"))
        while b"D\0\0\0\x0b\0\1\0\0\0\x017" not in said:
            said += _until_ready(line)


def test_before_the_login_no_message_is_long() -> None:
    start = _startup(user="stranger", database="memory")
    with serving(server := PgServer(MemorySessions(), port=0)), _raw(server.port, start) as line:
        assert line.recv(1) == b"R"
        line.sendall(_message(b"p", b"", size=LOGIN_BYTES_MAX + 1))
        assert b"C08P01\0" in _rest(line)


def test_who_never_says_who_it_is_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "STARTUP_S", 0.6)
    with serving(server := PgServer(MemorySessions(), port=0)), ExitStack() as stack:
        began_s = time.monotonic()
        halves = (b"", _startup(user="al")[:9], _startup(user="stranger", database="memory"))
        lines = [stack.enter_context(_raw(server.port, half)) for half in halves]
        for line in lines:
            _rest(line)
        assert 0.4 < time.monotonic() - began_s < 5


def test_a_flood_leaves_room_for_who_comes_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "STARTUP_S", 1.0)
    monkeypatch.setattr(server_module, "STARTING_CONNECTIONS_MAX", 6)
    server = PgServer(MemorySessions(), port=0, connections_max=2)
    address = "host=127.0.0.1 port={} dbname=memory user=al"
    with serving(server), ExitStack() as stack:
        known = stack.enter_context(psycopg.connect(address.format(server.port), autocommit=True))
        silent = [stack.enter_context(_raw(server.port)) for _ in range(30)]
        assert known.execute("SELECT 1").fetchone() == (1,)  # Who is in is not disturbed.
        for line in silent:
            assert _rest(line) == b""  # At once beyond the limit, in time below it.
        with psycopg.connect(address.format(server.port)) as again:
            assert again.execute("SELECT 2").fetchone() == (2,)


def test_who_never_reads_holds_up_nobody(address: str) -> None:
    """Law: a result that nobody reads is made only as far as the sockets' buffers."""
    wide = "SELECT i, repeat(i::varchar, 20) AS t FROM generate_series(1, 3000000) AS g(i)\0"
    with ExitStack() as stack:
        writer = stack.enter_context(psycopg.connect(address, autocommit=True))
        writer.execute("CREATE TABLE pulse (n int)")
        writer.execute("CREATE MATERIALIZED VIEW beats AS SELECT count(*) AS n FROM pulse")
        lines = []
        for _ in range(3):
            line = stack.enter_context(_raw(_port(address), _startup(user="al", database="volt")))
            _until_ready(line)
            lines.append(line)
        before_mb = _rss_mb()
        for line in lines:
            line.sendall(_message(b"Q", wide.encode()))
        slowest_s = 0.0
        for beat in range(1, 16):
            began_s = time.monotonic()
            writer.execute("INSERT INTO pulse VALUES (%s)", (beat,))
            assert writer.execute("SELECT n FROM beats").fetchone() == (beat,)
            slowest_s = max(slowest_s, time.monotonic() - began_s)
        assert slowest_s < 5
        # 3 x 390 MB are asked for.
        assert _rss_mb() - before_mb < 250
        taken = 0
        while taken < 5_000_000:  # Who begins to read after all goes on where it was.
            taken += len(lines[0].recv(65_536))


def test_idle_connections_hold_little(address: str) -> None:
    port = _port(address)
    with ExitStack() as stack:
        before_mb = _rss_mb()
        for _ in range(200):
            line = stack.enter_context(_raw(port, _startup(user="al", database="volt")))
            _until_ready(line)
        assert _rss_mb() - before_mb < 100
