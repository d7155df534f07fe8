"""COPY's binary format, both ways. Source: PostgreSQL manual, COPY, section "Binary Format"."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time

from voltstream.core.errors import BadCopyFormat
from voltstream.core.schema import Schema
from voltstream.pgwire.messages import message
from voltstream.pgwire.parameters import decode_parameter
from voltstream.pgwire.rows import Batch, data_rows

SIGNATURE = b"PGCOPY\n\xff\r\n\0"
HEADER = SIGNATURE + struct.pack("!ii", 0, 0)
_MESSAGE_HEAD_BYTES = 5  # The tag and the length.
_TRAILER = struct.pack("!h", -1)
_HEAD_BYTES = len(HEADER)
_TEXT_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def binary_messages(batches: Iterable[Batch], columns: Schema) -> Iterator[bytes]:
    """Yield the CopyData messages: one a row, the header within the first as clients expect."""
    formats = (1,) * len(columns)
    opening = HEADER
    for batch in batches:
        at = 0
        if opening and batch.num_rows:
            first = data_rows(batch.slice(0, 1), columns, formats, tag=b"d")
            yield message(b"d", opening + first[_MESSAGE_HEAD_BYTES:])
            opening, at = b"", 1
        if batch.num_rows > at:
            yield data_rows(batch.slice(at), columns, formats, tag=b"d")
    yield message(b"d", opening + _TRAILER)


class BinaryReader:
    """Turns binary COPY data, cut anywhere, into lines of the text format.

    Raises: BadCopyFormat (22P04) for anything that is not the format, InvalidText (22P03).
    """

    def __init__(self, columns: Schema) -> None:
        self._oids = [column.type.oid for column in columns]
        self._held = bytearray()
        self._opened = False
        self._ended = False

    def feed(self, data: bytes) -> bytes:
        """Return the lines of the rows that ``data`` completes."""
        self._held += data
        if not self._opened and not self._open():
            return b""
        lines: list[str] = []
        at = 0
        while not self._ended:
            end, cells = self._row(at)
            if cells is None:
                break
            at = end
            if not self._ended:
                lines.append("\t".join(cells) + "\n")
        del self._held[:at]
        return "".join(lines).encode()

    def finish(self) -> None:
        """Raises: BadCopyFormat when the data ends within a row."""
        if not self._opened or (self._held and not self._ended):
            raise BadCopyFormat("unexpected EOF in COPY data")

    def _open(self) -> bool:
        if len(self._held) < _HEAD_BYTES:
            return False
        if not self._held.startswith(SIGNATURE):
            raise BadCopyFormat("COPY file signature not recognized")
        flags, extension = struct.unpack_from("!iI", self._held, len(SIGNATURE))
        if flags:
            raise BadCopyFormat("unrecognized critical flags in COPY file header")
        if len(self._held) < _HEAD_BYTES + extension:
            return False
        del self._held[: _HEAD_BYTES + extension]
        self._opened = True
        return True

    def _row(self, start: int) -> tuple[int, list[str] | None]:
        """Return where the row at ``start`` ends, and its fields; None when more must come."""
        held, at = self._held, start + 2
        if len(held) < at:
            return start, None
        (count,) = struct.unpack_from("!h", held, start)
        if count == -1:
            self._ended = True
            return at, []
        if count != len(self._oids):
            raise BadCopyFormat(f"row field count is {count}, expected {len(self._oids)}")
        cells: list[str] = []
        for oid in self._oids:
            if len(held) < at + 4:
                return start, None
            (size,) = struct.unpack_from("!i", held, at)
            at += 4
            if size == -1:
                cells.append("\\N")
                continue
            if size < 0:
                raise BadCopyFormat("invalid field size")
            if len(held) < at + size:
                return start, None
            cells.append(_escaped(decode_parameter(bytes(held[at : at + size]), oid, 1)))
            at += size
        return at, cells


def _escaped(value: object) -> str:
    return _spelled(value).translate(_TEXT_ESCAPES)


def _spelled(value: object) -> str:
    match value:
        case bool():
            return "t" if value else "f"
        case bytes():
            return "\\x" + value.hex()
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case list() | tuple():
            return _array(value)
        case _:
            return str(value)


def _array(items: Sequence[object]) -> str:
    parts = []
    for item in items:
        if item is None:
            parts.append("NULL")
        elif isinstance(item, list | tuple):
            parts.append(_array(item))
        else:
            text = _spelled(item).replace("\\", "\\\\").replace('"', '\\"')
            parts.append(f'"{text}"')
    return "{" + ",".join(parts) + "}"
