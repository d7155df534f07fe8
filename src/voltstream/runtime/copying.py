"""COPY … FROM STDIN and TO STDOUT in PostgreSQL's text and csv formats."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from voltstream.core.errors import (
    BadCopyFormat,
    FeatureNotSupported,
    InvalidParameter,
    LimitExceeded,
    UndefinedColumn,
    WrongObjectType,
)
from voltstream.core.ports import Outcome
from voltstream.core.schema import Schema
from voltstream.core.types import DataType, Kind
from voltstream.runtime import sealing, tables
from voltstream.runtime.arrivals import append_rows
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.runtime.copy_columns import csv_columns, text_columns
from voltstream.runtime.epoch import Epoch
from voltstream.sql.natives.texts import array_items
from voltstream.sql.statements import CopyFrom, CreateSource, CreateTable

_COPY_BYTES_MAX = 1 << 30  # One COPY is one epoch and is held in memory. Larger: 54000, send parts.
csv.field_size_limit(_COPY_BYTES_MAX)
_ESCAPED = re.compile(rb"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.|$)", re.DOTALL)
_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


@dataclass(frozen=True, slots=True)
class CopyTarget:
    """Where the rows of a COPY go, settled when it starts."""

    entry: Entry
    columns: Schema

    @classmethod
    def find(cls, catalog: Catalog, parsed: CopyFrom) -> CopyTarget:
        """Raises: UndefinedTable, UndefinedColumn, WrongObjectType, FeatureNotSupported."""
        entry = catalog.require(parsed.table)
        sealing.refuse(entry)
        shared = isinstance(entry.parsed, CreateSource) and entry.parsed.shared
        if entry.kind not in ("table", "source") or entry.relation is None or shared:
            raise WrongObjectType(f'cannot copy to {entry.kind} "{parsed.table.name}"')
        by_name = {column.name: column for column in entry.relation.columns}
        for name in parsed.columns:
            if name not in by_name:
                raise UndefinedColumn(
                    f'column "{name}" of relation "{parsed.table.name}" does not exist'
                )
        names = parsed.columns or tuple(
            name for name in by_name if name not in generated_columns(entry)
        )
        return cls(entry, tuple(by_name[name] for name in names))


def generated_columns(entry: Entry) -> set[str]:
    if not isinstance(entry.parsed, CreateTable):
        return set()
    return {spec.name for spec in entry.parsed.columns if spec.generated_text is not None}


class CopyInput:
    """An open COPY FROM STDIN."""

    def __init__(
        self,
        target: CopyTarget,
        parsed: CopyFrom,
        write: Callable[[Callable[[Epoch], Outcome], int], Outcome],
    ) -> None:
        _check_options(parsed)
        self._target = target
        self._parsed = parsed
        self._write = write
        self._received = bytearray()

    @property
    def binary(self) -> bool:
        return self._parsed.format == "binary"

    @property
    def columns(self) -> Schema:
        return self._target.columns

    def write(self, data: bytes) -> None:
        if len(self._received) + len(data) > _COPY_BYTES_MAX:
            raise LimitExceeded("COPY data is too large for one epoch", hint="Send it in parts.")
        self._received += data

    def finish(self) -> Outcome:
        """Parse, store and wait until it is durable. Raises: BadCopyFormat, InvalidText …"""
        table = self._columns()
        self._received = bytearray()
        return self._write(lambda epoch: store_rows(epoch, self._target, table), table.nbytes)

    def _columns(self) -> pa.Table:
        """Return what came as columns, most of them text that the store reads as their types."""
        columns = self._target.columns
        cut = csv_columns if self._parsed.format == "csv" else text_columns
        found = cut(self._received, self._parsed.options, len(columns))
        if found is None:
            rows = parse_rows(bytes(self._received), self._parsed, len(columns))
            found = pa.table(
                [
                    pa.array((row[place] for row in rows), pa.string())
                    for place in range(len(columns))
                ],
                names=[str(place) for place in range(len(columns))],
            )
        arrays = [
            _spelled(found.column(place), column.type) for place, column in enumerate(columns)
        ]
        return pa.table(arrays, names=[column.name for column in columns])

    def abandon(self, reason: str) -> None:
        self._received.clear()


def _check_options(parsed: CopyFrom) -> None:
    """Raises: FeatureNotSupported (0A000), InvalidParameter (22023)."""
    for name in ("delimiter", "quote", "escape"):
        value = parsed.options.get(name)
        if value is not None and (len(value) != 1 or not value.isascii()):
            raise FeatureNotSupported(f"COPY {name} must be a single one-byte character")
    delimiter = parsed.options.get("delimiter", ",")
    if parsed.format == "csv" and delimiter == parsed.options.get("quote", '"'):
        raise InvalidParameter("COPY delimiter and quote must be different")


def _spelled(texts: Any, data_type: DataType) -> Any:
    """Spell values as the store reads them where PostgreSQL does so otherwise."""
    if data_type.array_depth == 1:
        items = [None if text is None else array_items(text) for text in texts.to_pylist()]
        return pa.array(items, pa.list_(pa.string()))
    if data_type.kind is Kind.BYTEA:
        return pa.array(map(_bytea, texts.to_pylist()), pa.string())
    return texts


def _bytea(text: str | None) -> str | None:
    """Spell PostgreSQL's hex bytes (``\\x00ff``) as the store does, byte by byte."""
    if text is None or not text.startswith("\\x"):
        return text
    return "".join(f"\\x{text[at : at + 2]}" for at in range(2, len(text), 2))


def parse_rows(data: bytes, parsed: CopyFrom, width: int) -> list[Sequence[str | None]]:
    """Cut COPY data into fields. Raises: BadCopyFormat (22P04)."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise BadCopyFormat("invalid byte sequence for encoding UTF8") from error
    reader = _csv_rows if parsed.format == "csv" else _text_rows
    rows: list[Sequence[str | None]] = []
    for number, row in enumerate(reader(text, parsed.options), 1):
        if len(row) < width:
            raise BadCopyFormat(
                f"missing data for column {len(row) + 1}", detail=f"COPY, line {number}"
            )
        if len(row) > width:
            raise BadCopyFormat(
                "extra data after last expected column", detail=f"COPY, line {number}"
            )
        rows.append(row)
    return rows


def _is_on(options: Mapping[str, str], name: str) -> bool:
    return options.get(name, "false").lower() in ("true", "on", "1", "match")


def _text_rows(text: str, options: Mapping[str, str]) -> Iterator[Sequence[str | None]]:
    delimiter = options.get("delimiter", "\t")
    null = options.get("null", "\\N")
    lines = text.replace("\r\n", "\n").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    for index, line in enumerate(lines):
        if line == "\\.":
            return
        if index == 0 and _is_on(options, "header"):
            continue
        fields = _split_unescaped(line, delimiter) if "\\" in line else line.split(delimiter)
        yield [None if field == null else _unescaped(field) for field in fields]


def _split_unescaped(line: str, delimiter: str) -> list[str]:
    fields = [""]
    characters = iter(line)
    for character in characters:
        if character == "\\":
            fields[-1] += character + next(characters, "")
        elif character == delimiter:
            fields.append("")
        else:
            fields[-1] += character
    return fields


def _unescaped(field: str) -> str:
    if "\\" not in field:
        return field
    try:
        return _ESCAPED.sub(_plain, field.encode()).decode()
    except UnicodeDecodeError as error:
        raise BadCopyFormat("invalid byte sequence for encoding UTF8") from error


def _plain(found: re.Match[bytes]) -> bytes:
    """Return what stands behind a backslash: a byte in hex or octal, or a character."""
    word = found[1]
    if word[:1] == b"x" and len(word) > 1:
        return bytes([int(word[1:], 16)])
    if word[:1].isdigit() and word[:1] < b"8":
        return bytes([int(word, 8) & 0xFF])
    return _ESCAPES.get(word, word or b"\\")


def _csv_rows(text: str, options: Mapping[str, str]) -> Iterator[Sequence[str | None]]:
    """Read csv. Unquoted NULL text is NULL, quoted it is text: so quoting is tracked by a mark."""
    delimiter = options.get("delimiter", ",")
    quote = options.get("quote", '"')
    null = options.get("null", "")
    escape = options.get("escape", quote)
    rows = csv.reader(
        io.StringIO(_marked(text, delimiter, quote, escape), newline=""),
        delimiter=delimiter,
        quotechar=quote,
        doublequote=escape == quote,
        escapechar=None if escape == quote else escape,
        strict=True,
    )
    try:
        for index, row in enumerate(rows):
            if row == ["\\."]:
                return
            if index == 0 and _is_on(options, "header"):
                continue
            yield [
                field[1:] if field.startswith(_MARK) else (None if field == null else field)
                for field in row or [""]  # An empty line is one empty field.
            ]
    except csv.Error as error:
        raise BadCopyFormat(f"malformed CSV: {error}") from error


_MARK = "\ue000"  # A private-use character set inside each opening quote.


def _marked(text: str, delimiter: str, quote: str, escape: str) -> str:
    """Set a mark after each quote that opens a field."""
    if quote not in text:
        return text
    parts: list[str] = []
    inside = False
    previous = "\n"
    position = 0
    while position < len(text):
        character = text[position]
        parts.append(character)
        if inside and character == escape and text[position + 1 : position + 2] == quote:
            parts.append(quote)
            position += 1
        elif character == quote:
            if not inside and previous in (delimiter, "\n", "\r"):
                parts.append(_MARK)
            inside = not inside
        previous = text[position]
        position += 1
    return "".join(parts)


def store_rows(epoch: Epoch, target: CopyTarget, table: pa.Table) -> Outcome:
    """Write the rows of a COPY; all of them or none."""
    relation = target.entry.relation
    tag = Outcome(f"COPY {table.num_rows}")
    if relation is None or not table.num_rows:
        return tag
    if target.entry.kind == "source":
        given = set(table.column_names)
        for column in relation.columns:
            if column.name not in given:
                table = table.append_column(column.name, pa.nulls(table.num_rows, pa.string()))
        append_rows(epoch, target.entry, table)
        return tag
    tables.keep_arrived(epoch, target.entry, table)
    return tag
