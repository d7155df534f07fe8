"""Cut input files into parts of whole records that a server takes one at a time."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import pyarrow as pa
import pyarrow.parquet as pq

from voltstream.core.errors import InvalidParameter
from voltstream.core.limits import DOCUMENT_BYTES_MAX

PART_BYTES = 4 * 1024 * 1024  # 4 MiB, ~20,000 meter rows: a fifth of an epoch, well under a push.
PARQUET_ROWS = 20_000  # About as much, spelled as NDJSON.
PARSER_FAILURE = (pa.ArrowInvalid, OSError, EOFError)

METER_FORMATS = ("iec61968", "espi", "cmep", "nem12", "ami_csv", "ami_json")
_BY_LINE = ("cmep", "ami_json")
FileFormat = Literal[
    "ndjson", "csv", "parquet", "iec61968", "espi", "cmep", "nem12", "ami_csv", "ami_json"
]
_SUFFIXES: dict[str, FileFormat] = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Whole records. ``progress`` says how many bytes of the file are behind this part."""

    payload: bytes
    progress: int


def format_of(file: Path) -> FileFormat:
    """Tell the format from the name, ignoring ``.gz``. Raises: InvalidParameter."""
    suffixes = [suffix.lower() for suffix in file.suffixes if suffix.lower() != ".gz"]
    found = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if found is None:
        raise InvalidParameter(
            f'cannot tell the format of "{file}" from its name',
            hint="Name it with --format ndjson, csv or parquet.",
        )
    return found


def parts_of_file(file: Path, file_format: FileFormat) -> Iterator[Part]:
    """Yield the file's parts in order. Raises: InvalidParameter when it cannot be read."""
    try:
        if file_format == "parquet":
            yield from _parquet_parts(file)
            return
        with file.open("rb") as raw:
            packed = file.suffix.lower() == ".gz"
            content = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw
            for payload in _cut(file_format)(content):
                yield Part(payload, raw.tell())
    except PARSER_FAILURE as error:
        raise InvalidParameter(f'cannot read "{file}": {error}') from error


def _cut(file_format: FileFormat) -> Callable[[BinaryIO], Iterator[bytes]]:
    if file_format in METER_FORMATS and file_format not in _BY_LINE:
        return _whole
    return csv_parts if file_format == "csv" else line_parts


def _whole(content: BinaryIO) -> Iterator[bytes]:
    """Yield a document; a server says of one that is too large that it is."""
    yield content.read(DOCUMENT_BYTES_MAX + 1)


def line_parts(content: BinaryIO, part_bytes: int = PART_BYTES) -> Iterator[bytes]:
    """Yield whole lines; a record longer than a part is yielded by itself."""
    rest = b""
    while data := content.read(part_bytes):
        rest += data
        end = rest.rfind(b"\n") + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
    if rest.strip():
        yield rest


def csv_parts(content: BinaryIO, part_bytes: int = PART_BYTES) -> Iterator[bytes]:
    """Yield whole CSV records, each part under the file's header line.

    Law: a line break ends a record exactly when an even number of quotes lies before it.
    """
    header, rest = b"", b""
    while data := content.read(part_bytes):
        rest += data
        end = _last_record_end(rest)
        if not header and end:
            first = _first_record_end(rest)
            header, rest, end = rest[:first], rest[first:], end - first
        if end:
            yield header + rest[:end]
            rest = rest[end:]
    if rest.strip():
        yield header + rest


def _last_record_end(data: bytes) -> int:
    """Return the place after the last line break outside quotes; 0 when there is none."""
    quotes = data.count(b'"')
    end = len(data)
    while (found := data.rfind(b"\n", 0, end)) >= 0:
        quotes -= data.count(b'"', found, end)
        if quotes % 2 == 0:
            return found + 1
        end = found
    return 0


def _first_record_end(data: bytes) -> int:
    """Return the place after the first line break outside quotes."""
    quotes, start = 0, 0
    while (found := data.find(b"\n", start)) >= 0:
        quotes += data.count(b'"', start, found)
        if quotes % 2 == 0:
            return found + 1
        start = found + 1
    return 0


def _parquet_parts(file: Path) -> Iterator[Part]:
    size = file.stat().st_size
    with pq.ParquetFile(file) as table:
        rows_total = max(table.metadata.num_rows, 1)
        rows = 0
        for batch in table.iter_batches(batch_size=PARQUET_ROWS):
            rows += batch.num_rows
            lines = (json.dumps(row, default=_spell) for row in batch.to_pylist())
            yield Part("\n".join(lines).encode() + b"\n", size * rows // rows_total)


def _spell(value: Any) -> str:
    """Spell what JSON has no word for as PostgreSQL would read it."""
    match value:
        case bytes():
            return "\\x" + value.hex()
        case Decimal():
            return str(value)
        case _ if hasattr(value, "isoformat"):
            return str(value.isoformat())
        case _:
            return str(value)
