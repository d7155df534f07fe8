"""PostgreSQL's logical replication messages to rows that come and go.

Source: PostgreSQL's documentation, "Logical Replication Message Formats", protocol version 1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from voltstream.core.ports import RawBatch
from voltstream.core.schema import Column, Schema
from voltstream.core.types import Kind
from voltstream.formats import columnar
from voltstream.formats.pg_array import parse_array
from voltstream.formats.port import SqlDecoder
from voltstream.formats.result import ALL, GONE, KEPT, DeadLetter, Decoded, dead_letter

_UNCHANGED = object()
_MOVED = (
    'the row moved to another key and its column "{column}" was not sent with it: '
    "set REPLICA IDENTITY FULL"
)


@dataclass(frozen=True, slots=True)
class Relation:
    """What an R message says of a table."""

    oid: int
    schema: str
    name: str
    columns: tuple[str, ...]


class Malformed(ValueError):
    """A message ended before it was whole."""


class _Reader:
    """Reads fields of one message."""

    def __init__(self, message: bytes, at: int = 1) -> None:
        self._message = message
        self._at = at

    def take(self, layout: struct.Struct) -> Any:
        try:
            [value] = layout.unpack_from(self._message, self._at)
        except struct.error as error:
            raise Malformed(str(error)) from error
        self._at += layout.size
        return value

    def text(self) -> str:
        end = self._message.find(b"\0", self._at)
        if end < 0:
            raise Malformed("a name is cut off")
        found = self._message[self._at : end].decode()
        self._at = end + 1
        return found

    def values(self) -> list[Any]:
        """Read a tuple: text, None, or _UNCHANGED for each column."""
        found: list[Any] = []
        for _ in range(self.take(_INT16)):
            match self.take(_CHAR):
                case b"n":
                    found.append(None)
                case b"u":
                    found.append(_UNCHANGED)
                case _:
                    size = self.take(_INT32)
                    end = self._at + size
                    if end > len(self._message):
                        raise Malformed("a value is cut off")
                    found.append(self._message[self._at : end].decode())
                    self._at = end
        return found


_CHAR, _INT8 = struct.Struct("!c"), struct.Struct("!b")
_INT16, _INT32, _INT64 = struct.Struct("!h"), struct.Struct("!i"), struct.Struct("!q")


def relation_of(message: bytes) -> Relation:
    """Read an R message. Raises: Malformed."""
    reader = _Reader(message)
    oid, schema, name = reader.take(_INT32), reader.text(), reader.text()
    reader.take(_INT8)
    columns = []
    for _ in range(reader.take(_INT16)):
        reader.take(_INT8)
        columns.append(reader.text())
        reader.take(_INT64)  # The type's oid and modifier: values come as text.
    return Relation(oid, schema, name, tuple(columns))


def relations_touched(message: bytes) -> tuple[int, ...]:
    """Return the tables that a change is of. Raises: Malformed."""
    reader = _Reader(message)
    match message[:1]:
        case b"I" | b"U" | b"D":
            return (reader.take(_INT32),)
        case b"T":
            count = reader.take(_INT32)
            reader.take(_INT8)
            return tuple(reader.take(_INT32) for _ in range(count))
        case _:
            return ()


def commit_end(message: bytes) -> int:
    """Return where the log goes on behind a C message. Units: bytes. Raises: Malformed."""
    reader = _Reader(message)
    reader.take(_INT8)
    reader.take(_INT64)
    return int(reader.take(_INT64))


@dataclass(slots=True)
class _Rows:
    """Rows as columns of texts."""

    schema: Schema
    values: list[list[Any]] = field(default_factory=list)
    gone: list[bool] = field(default_factory=list)
    everything: list[bool] = field(default_factory=list)
    kept: list[list[str] | None] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)

    def add(self, at: int, row: Mapping[str, Any], *, gone: bool, everything: bool = False) -> None:
        kept = [name for name, value in row.items() if value is _UNCHANGED]
        self.values.append([_value(column, row.get(column.name)) for column in self.schema])
        self.gone.append(gone)
        self.everything.append(everything)
        self.kept.append([c.name for c in self.schema if c.name in kept] or None)
        self.origins.append(at)


def read(
    batch: RawBatch, key: Sequence[str], schema: Schema, decoder: SqlDecoder, now_us: int
) -> Decoded:
    """Read changes as rows, in their order, with the columns GONE, ALL and KEPT.

    Shape: R messages stand before the changes of their tables.
    """
    rows = _Rows(schema)
    known: dict[int, Relation] = {}
    letters: list[DeadLetter] = []
    by_lower = {column.name.lower(): column.name for column in schema}
    for at, message in enumerate(batch.records):
        try:
            if message[:1] == b"R":
                relation = relation_of(message)
                renamed = tuple(by_lower.get(name.lower(), name) for name in relation.columns)
                known[relation.oid] = Relation(relation.oid, "", relation.name, renamed)
            else:
                for row, gone, everything in _changes(message, known, key):
                    rows.add(at, row, gone=gone, everything=everything)
        except (ValueError, KeyError) as error:
            letters.append(dead_letter(batch.position, at + 1, message, str(error), now_us))
    return _typed(rows, batch, schema, letters, decoder, now_us)


def _changes(
    message: bytes, known: Mapping[int, Relation], key: Sequence[str]
) -> Iterator[tuple[dict[str, Any], bool, bool]]:
    """Yield (row, gone, everything) of one change. Raises: Malformed, KeyError."""
    kind = message[:1]
    if kind == b"T":
        yield {}, True, True
        return
    if kind not in (b"I", b"U", b"D"):
        return
    reader = _Reader(message)
    columns = known[reader.take(_INT32)].columns
    image = reader.take(_CHAR)
    old: dict[str, Any] = {}
    if image in (b"K", b"O"):
        old = dict(zip(columns, reader.values(), strict=False))
        if kind == b"D":
            yield {name: old.get(name) for name in key}, True, False
            return
        reader.take(_CHAR)
    new = dict(zip(columns, reader.values(), strict=False))
    if image == b"O":
        new = {name: old[name] if value is _UNCHANGED else value for name, value in new.items()}
    if old and any(old.get(name) != new.get(name) for name in key):
        missing = [name for name, value in new.items() if value is _UNCHANGED]
        if missing:
            raise Malformed(_MOVED.format(column=missing[0]))
        yield {name: old.get(name) for name in key}, True, False
    yield new, False, False


def _typed(
    rows: _Rows,
    batch: RawBatch,
    schema: Schema,
    letters: list[DeadLetter],
    decoder: SqlDecoder,
    now_us: int,
) -> Decoded:
    """Cast texts; what a row that goes, or keeps columns, leaves out may be NULL."""
    loose = tuple(Column(column.name, column.store_type) for column in schema)
    columns = list(zip(*rows.values, strict=True)) or [() for _ in schema]
    numbered = [*loose, Column("_n", "BIGINT")]
    given = [_array(column, values) for column, values in zip(loose, columns, strict=True)]
    places = np.arange(len(rows.values), dtype=np.int64)
    table = pa.table([*given, places], names=[column.name for column in numbered])
    decoded = columnar.read(table, batch.position, tuple(numbered), decoder, now_us)
    stand = decoded.table.column("_n").to_numpy()
    table = decoded.table.drop_columns(["_n"])
    for name, values, kind in (
        (GONE, rows.gone, pa.bool_()),
        (ALL, rows.everything, pa.bool_()),
        (KEPT, rows.kept, pa.list_(pa.string())),
    ):
        chosen: Any = pa.array(values, kind).take(pa.array(stand))
        table = table.append_column(name, chosen)
    origins = np.asarray(rows.origins, np.int64)[stand]
    return Decoded(table, [*letters, *decoded.dead_letters], origins)


def _value(column: Column, text: Any) -> Any:
    """Return a value as Arrow takes it. Raises: ValueError."""
    if text is None or text is _UNCHANGED:
        return None
    if column.type.array_depth:
        return parse_array(text)
    if column.type.kind is Kind.BYTEA:
        return bytes.fromhex(text.removeprefix("\\x"))
    return text


def _array(column: Column, values: Sequence[Any]) -> Any:
    if column.type.array_depth:
        return pa.array(values)
    return pa.array(values, pa.binary() if column.type.kind is Kind.BYTEA else pa.string())
