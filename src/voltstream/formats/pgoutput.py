"""PostgreSQL's logical replication messages to rows that come and go.

Source: PostgreSQL's documentation, "Logical Replication Message Formats", protocol version 1.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
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
        message, at = self._message, self._at + 2  # Read by hand: it is done for every row.
        found: list[Any] = []
        for _ in range(int.from_bytes(message[self._at : at])):
            kind, at = message[at : at + 1], at + 1
            if kind == b"t":
                end = at + 4 + int.from_bytes(message[at : at + 4])
                if end > len(message):
                    raise Malformed("a value is cut off")
                found.append(message[at + 4 : end].decode())
                at = end
            elif kind == b"n":
                found.append(None)
            elif kind == b"u":
                found.append(_UNCHANGED)
            else:
                raise Malformed("a value is cut off")
        self._at = at
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


def commit_start(message: bytes) -> int:
    """Return where the commit that a B message announces is in the log. Raises: Malformed."""
    return int(_Reader(message).take(_INT64))


def commit_end(message: bytes) -> int:
    """Return where the log goes on behind a C message. Units: bytes. Raises: Malformed."""
    reader = _Reader(message)
    reader.take(_INT8)
    reader.take(_INT64)
    return int(reader.take(_INT64))


class _Images:
    """How the tuples of a table become rows of ours."""

    def __init__(self, columns: Sequence[str], schema: Schema, key: Sequence[str]) -> None:
        ours = {column.name.lower(): at for at, column in enumerate(schema)}
        self._width = len(schema)
        self._names = [column.name for column in schema]
        self._pairs = [
            (theirs, ours[name.lower()])
            for theirs, name in enumerate(columns)
            if name.lower() in ours
        ]
        self._straight = [at for _, at in self._pairs] == list(range(self._width))
        self._taken = [theirs for theirs, _ in self._pairs]
        self._keys = frozenset(ours[name.lower()] for name in key)
        parsers = [(at, _parser(column)) for at, column in enumerate(schema)]
        self._parsed = [(at, parse) for at, parse in parsers if parse is not None]

    def row(self, values: list[Any]) -> list[Any]:
        """Return values as our columns have them; NULL where there are none.

        Raises: ValueError.
        """
        if self._straight:
            row = values if len(values) == self._width else [values[at] for at in self._taken]
        else:
            row = [None] * self._width
            for theirs, at in self._pairs:
                row[at] = values[theirs]
        for at, parse in self._parsed:
            if row[at] is not None and row[at] is not _UNCHANGED:
                row[at] = parse(row[at])
        return row

    def key(self, row: Sequence[Any]) -> list[Any]:
        """Return a row of the key alone."""
        return [value if at in self._keys else None for at, value in enumerate(row)]

    def moved(self, old: Sequence[Any], new: Sequence[Any]) -> bool:
        return any(old[at] != new[at] for at in self._keys)

    def unchanged(self, row: Sequence[Any]) -> list[str]:
        return [name for name, value in zip(self._names, row, strict=True) if value is _UNCHANGED]


@dataclass(slots=True)
class _Rows:
    """Rows as texts, and beside them what they do."""

    values: list[list[Any]] = field(default_factory=list)
    gone: list[bool] = field(default_factory=list)
    everything: list[bool] = field(default_factory=list)
    kept: list[list[str] | None] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)

    def come(self, at: int, row: list[Any], images: _Images) -> None:
        kept = images.unchanged(row) if _UNCHANGED in row else None
        self._add(at, row, gone=False, everything=False, kept=kept)

    def go(self, at: int, row: list[Any], *, everything: bool = False) -> None:
        self._add(at, row, gone=True, everything=everything, kept=None)

    def _add(
        self, at: int, row: list[Any], *, gone: bool, everything: bool, kept: list[str] | None
    ) -> None:
        self.values.append(row)
        self.gone.append(gone)
        self.everything.append(everything)
        self.kept.append(kept)
        self.origins.append(at)


def read(
    batch: RawBatch, key: Sequence[str], schema: Schema, decoder: SqlDecoder, now_us: int
) -> Decoded:
    """Read changes as rows, in their order, with the columns GONE, ALL and KEPT.

    Shape: R messages stand before the changes of their tables.
    """
    rows = _Rows()
    known: dict[int, _Images] = {}
    letters: list[DeadLetter] = []
    nothing: list[Any] = [None] * len(schema)
    for at, message in enumerate(batch.records):
        kind = message[:1]
        try:
            if kind == b"R":
                relation = relation_of(message)
                known[relation.oid] = _Images(relation.columns, schema, key)
            elif kind == b"T":
                rows.go(at, nothing, everything=True)
            elif kind in (b"I", b"U", b"D"):
                _change(at, message, known, rows)
        except (ValueError, KeyError, IndexError) as error:
            letters.append(dead_letter(batch.position, at + 1, message, str(error), now_us))
    return _typed(rows, batch, schema, letters, decoder, now_us)


def _change(at: int, message: bytes, known: Mapping[int, _Images], rows: _Rows) -> None:
    """Add what one change does. Raises: Malformed, KeyError."""
    reader = _Reader(message)
    images = known[reader.take(_INT32)]
    image = reader.take(_CHAR)
    old: list[Any] | None = None
    if image in (b"K", b"O"):
        old = images.row(reader.values())
        if message[:1] == b"D":
            rows.go(at, images.key(old))
            return
        reader.take(_CHAR)
    new = images.row(reader.values())
    if old is not None and image == b"O":
        pairs = zip(old, new, strict=True)
        new = [before if after is _UNCHANGED else after for before, after in pairs]
    if old is not None and images.moved(old, new):
        missing = images.unchanged(new)
        if missing:
            raise Malformed(_MOVED.format(column=missing[0]))
        rows.go(at, images.key(old))
    rows.come(at, new, images)


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


def _parser(column: Column) -> Callable[[str], Any] | None:
    """Return what must be done to a text before Arrow takes it."""
    if column.type.array_depth:
        return parse_array
    return _bytes if column.type.kind is Kind.BYTEA else None


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("\\x"))


def _array(column: Column, values: Sequence[Any]) -> Any:
    plain = [None if value is _UNCHANGED else value for value in values]
    if column.type.array_depth:
        return pa.array(plain)
    return pa.array(plain, pa.binary() if column.type.kind is Kind.BYTEA else pa.string())
