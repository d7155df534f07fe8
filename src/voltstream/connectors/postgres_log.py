"""PostgreSQL's replication protocol: what its log tells, and what it is told."""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg import pq

WAIT_S = 0.1  # How often a silent stream looks whether it shall stop.
EVERYTHING = b"T" + struct.pack("!ibi", 1, 0, 0)  # Takes all rows of a table away.
_EPOCH_2000_US = 946_684_800_000_000
_XLOG = struct.Struct("!cqqq")  # w: the data's place, the end of the log, the clock.
_KEEPALIVE = struct.Struct("!cqqb")


def messages(stream: pq.abc.PGconn) -> Iterator[tuple[bytes, int]]:
    """Yield what has come: (message, place of the log); an empty message is a sign of life.

    Raises: psycopg.OperationalError when the stream ends.
    """
    while True:
        size, data = stream.get_copy_data(1)
        if size == 0:
            if not select.select([stream.socket], [], [], WAIT_S)[0]:
                return
            stream.consume_input()
            continue
        if size < 0:
            result = stream.get_result()
            reason = result.error_message if result is not None else stream.error_message
            raise psycopg.OperationalError(reason.decode(errors="replace").strip() or "the end")
        raw = bytes(data)
        if raw[:1] == b"w":
            _, place, _, _ = _XLOG.unpack_from(raw)
            yield raw[_XLOG.size :], place
        else:
            _, place, _, _ = _KEEPALIVE.unpack_from(raw)
            yield b"", place


def confirm(stream: pq.abc.PGconn, place: int) -> None:
    now_us = int(time.time() * 1_000_000) - _EPOCH_2000_US
    stream.put_copy_data(struct.pack("!cqqqqb", b"r", place, place, place, now_us, 0))
    stream.flush()


def simple(
    connection: psycopg.Connection[Any], command: str, meanwhile: Callable[[], None]
) -> list[str]:
    """Run a replication command, ``meanwhile`` called as long as it takes. Returns its only row.

    Raises: psycopg.OperationalError.
    """
    asked = connection.pgconn
    asked.send_query(command.encode())
    while asked.is_busy():  # A new slot waits for the transactions that are open at the origin.
        meanwhile()
        if select.select([asked.socket], [], [], WAIT_S)[0]:
            asked.consume_input()
    result = asked.get_result()
    if result is None:
        raise psycopg.OperationalError(asked.error_message.decode(errors="replace").strip())
    while asked.get_result() is not None:
        continue
    if result.status != pq.ExecStatus.TUPLES_OK:
        raise psycopg.OperationalError(result.error_message.decode(errors="replace").strip())
    return [(result.get_value(0, at) or b"").decode() for at in range(result.nfields)]


def begin(
    connection: psycopg.Connection[Any], slot: str, place: int, publication: str
) -> pq.abc.PGconn:
    """Let a slot's changes come from a place on. Raises: psycopg.OperationalError."""
    command = (
        f'START_REPLICATION SLOT "{slot}" LOGICAL {spelled(place)} '
        f"(proto_version '1', publication_names '{publication}')"
    )
    stream = connection.pgconn
    result = stream.exec_(command.encode())
    if result.status != pq.ExecStatus.COPY_BOTH:
        raise psycopg.OperationalError(result.error_message.decode(errors="replace").strip())
    return stream


def lsn(text: str) -> int:
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def spelled(place: int) -> str:
    return f"{place >> 32:X}/{place & 0xFFFFFFFF:X}"


def relation(oid: int, schema: str, name: str, columns: Sequence[str]) -> bytes:
    """Return an R message, as the stream would have sent it."""
    head = struct.pack("!ci", b"R", oid) + schema.encode() + b"\0" + name.encode() + b"\0"
    body = b"".join(b"\0" + c.encode() + b"\0" + struct.pack("!ii", 0, 0) for c in columns)
    return head + struct.pack("!bh", 0, len(columns)) + body


def insert(oid: int, row: Sequence[str | None]) -> bytes:
    """Return an I message."""
    parts = [struct.pack("!cich", b"I", oid, b"N", len(row))]
    for value in row:
        if value is None:
            parts.append(b"n")
        else:
            text = value.encode()
            parts += [b"t", struct.pack("!i", len(text)), text]
    return b"".join(parts)
