"""Files that do not grow, to batches: plain or compressed lines, and Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from voltstream.connectors.line_ends import csv_end
from voltstream.connectors.properties import choice, file_encoding
from voltstream.core.limits import DOCUMENT_BYTES_MAX, EPOCH_ROWS_MAX
from voltstream.core.ports import Encoding, RawBatch
from voltstream.formats.declared import Encode

BATCH_BYTES = 32 * 1024 * 1024  # About one epoch of 225-byte rows. More: the next batch.
_COMPRESSIONS = {"gz": "gzip", "zst": "zstd", "bz2": "bz2"}
_PIECE = 64 * 1024
_ASKED = ("auto", "none", "gzip", "zstd", "bz2")


def compression_asked(properties: Mapping[str, str], owner: str) -> str:
    """Return how a source's files are compressed; ``auto`` as their names say."""
    return choice(properties, "compression_format", _ASKED, owner)


def compression_of(name: str, asked: str = "auto") -> str | None:
    """Return how a file is compressed, by what its source says or by its name."""
    if asked == "none":
        return None
    if asked != "auto":
        return asked
    return _COMPRESSIONS.get(name.rsplit(".", 1)[-1].lower())


def encoding_of(encode: Encode, owner: str, name: str) -> Encoding:
    """Return what a file holds, its compression's extension aside."""
    head, _, extension = name.rpartition(".")
    return file_encoding(encode, owner, head if extension.lower() in _COMPRESSIONS else name)


def batches(
    file: BinaryIO,
    name: str,
    start: int,
    *,
    encoding: Encoding,
    header: bool,
    compression: str | None,
    by_document: bool = False,
) -> Iterator[tuple[RawBatch, int]]:
    """Return what follows ``start`` of a file, and where each batch ends.

    Units: places are bytes of the file, uncompressed, or rows where it is Parquet.
    """
    if encoding == "arrow":
        yield from _rows(file, name, start)
        return
    if by_document:
        if not start:
            batch = document(file, name, compression)
            yield batch, max(len(batch.payload), 1)
        return
    stream = _Stream(file, compression)
    head = stream.line() if encoding == "csv" and header else b""
    position = max(start, len(head))
    stream.pass_to(position)
    while True:
        chunk, at_end = stream.chunk()
        if not chunk:
            return
        end = len(chunk) if at_end else _whole(chunk, encoding)
        if end == 0 and len(chunk) < 2 * BATCH_BYTES:
            stream.keep(chunk)
            continue
        end = end or len(chunk)  # Far past LINE_BYTES_MAX: decoding makes it a dead letter.
        place = f"{name}@{position}"
        payload = head + chunk[:end] if head else chunk[:end]
        position += end
        stream.keep(chunk[end:])
        yield RawBatch(encoding, payload=payload, position=place, header=bool(head)), position


def document(file: BinaryIO, name: str, compression: str | None) -> RawBatch:
    """Return a file as one; of one that is too large only so much that decoding can say so."""
    stream = _Stream(file, compression)
    parts: list[bytes] = []
    size = 0
    while size <= DOCUMENT_BYTES_MAX and (part := stream.read(DOCUMENT_BYTES_MAX + 1 - size)):
        parts.append(part)
        size += len(part)
    return RawBatch("metering", payload=b"".join(parts), position=f"{name}@0")


class _Stream:
    """A file's bytes, uncompressed, with what was read too much of them."""

    def __init__(self, file: BinaryIO, compression: str | None) -> None:
        self._file = file
        self._compressed = compression is not None
        raw: Any = file
        self._stream: Any = pa.PythonFile(raw, mode="r")
        if compression is not None:
            named: Any = compression
            self._stream = pa.CompressedInputStream(self._stream, named)
        self._rest = b""
        self._at = 0  # Where ``_rest`` begins.

    def line(self) -> bytes:
        """Return the first line, its end with it; whole when it never ends."""
        while b"\n" not in self._rest:
            more = bytes(self._stream.read(_PIECE))
            if not more:
                break
            self._rest += more
        end = self._rest.find(b"\n") + 1 or len(self._rest)
        line, self._rest = self._rest[:end], self._rest[end:]
        self._at = end
        return line

    def pass_to(self, place: int) -> None:
        """Go on at a place that is not behind the first line."""
        if not self._compressed:
            self._file.seek(place)
            self._rest, self._at = b"", place
            return
        while self._at < place:
            wanted = place - self._at
            have = self._rest or bytes(self._stream.read(min(wanted, BATCH_BYTES)))
            if not have:
                return
            self._rest = have[wanted:]
            self._at += min(wanted, len(have))

    def read(self, size: int) -> bytes:
        return bytes(self._stream.read(size))

    def chunk(self) -> tuple[bytes, bool]:
        """Return the next bytes, and whether they are the last."""
        more = bytes(self._stream.read(BATCH_BYTES))
        chunk, self._rest = self._rest + more, b""
        return chunk, not more

    def keep(self, rest: bytes) -> None:
        self._rest = rest


def _rows(file: BinaryIO, name: str, start: int) -> Iterator[tuple[RawBatch, int]]:
    raw: Any = file
    source: Any = pa.PythonFile(raw, mode="r")
    with pq.ParquetFile(source) as parquet:
        row = 0
        for group in range(parquet.num_row_groups):
            rows = parquet.metadata.row_group(group).num_rows
            if row + rows > start:
                table = parquet.read_row_group(group)
                for first in range(max(start - row, 0), len(table), EPOCH_ROWS_MAX):
                    part = table.slice(first, EPOCH_ROWS_MAX)
                    place = f"{name}@{row + first}"
                    yield RawBatch("arrow", table=part, position=place), row + first + len(part)
            row += rows


def _whole(chunk: bytes, encoding: Encoding) -> int:
    return csv_end(chunk) if encoding == "csv" else chunk.rfind(b"\n") + 1
