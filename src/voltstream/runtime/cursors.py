"""A session's cursors: over a query, or over the changes that a subscription keeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from voltstream.core.errors import (
    DuplicateCursor,
    InternalError,
    UndefinedCursor,
    UndefinedObject,
    WrongObjectType,
)
from voltstream.core.ports import Outcome, RowStream
from voltstream.core.schema import Column, Schema
from voltstream.runtime import entries
from voltstream.runtime.catalog import Catalog, Entry, public_name
from voltstream.runtime.followers import log_table
from voltstream.runtime.results import Held
from voltstream.sql.statements import CloseCursor, CreateSubscription, DeclareCursor, Fetch
from voltstream.store.database import Connection

_POLL_S = 0.02  # How often a FETCH with a timeout looks for changes.

RunQuery = Callable[[object, Sequence[object | None]], Outcome]
Reader = Callable[[], Connection]


@dataclass(slots=True)
class QueryCursor:
    """An open result that is read on."""

    rows: RowStream
    batches: Iterator[pa.RecordBatch] = field(init=False)
    left: pa.Table | None = None

    def __post_init__(self) -> None:
        self.batches = self.rows.batches()

    def fetch(self, count: int | None) -> Held:
        while count is None or self.left is None or self.left.num_rows < count:
            batch = next(self.batches, None)
            if batch is None:
                break
            more = pa.Table.from_batches([batch])
            self.left = more if self.left is None else pa.concat_tables([self.left, more])
        whole = self.left
        if whole is None:
            return Held(self.rows.columns, _empty(self.rows.columns))
        taken = whole if count is None else whole.slice(0, count)
        self.left = whole.slice(taken.num_rows)
        return Held(self.rows.columns, taken)

    def close(self) -> None:
        self.rows.close()


def _empty(columns: Schema) -> pa.Table:
    return pa.table([pa.nulls(0) for _ in columns], names=[column.name for column in columns])


@dataclass(slots=True)
class ChangeCursor:
    """A place in a subscription's log. ``whole``: the rows that were there come first."""

    entry: Entry
    epoch: int
    ordinal: int = 0
    whole: QueryCursor | None = None

    def fetch(self, reader: Connection, count: int | None) -> Held:
        program = self.entry.program
        if program is None:
            raise InternalError(f'subscription "{self.entry.stored.name}" has no program')
        names = [name for name, _ in program.emit_columns]
        listed = entries.column_list(names)
        if self.whole is not None:
            found = self.whole.fetch(count)
            if found.table.num_rows:
                return found
            self.close()
        limit = "" if count is None else f" LIMIT {count}"
        columns, table = reader.arrow(
            f"SELECT {listed}, _op AS op, _at AS rw_timestamp, _epoch, _seq "
            f"FROM {log_table(self.entry.oid)} WHERE _epoch > {self.epoch} OR "
            f"(_epoch = {self.epoch} AND _seq > {self.ordinal}) ORDER BY _epoch, _seq{limit}"
        )
        if table.num_rows:
            self.epoch = table.column("_epoch")[-1].as_py()
            self.ordinal = table.column("_seq")[-1].as_py()
        width = len(columns) - 2
        return Held(columns[:width], table.select(list(range(width))))

    def close(self) -> None:
        whole, self.whole = self.whole, None
        if whole is not None:
            whole.close()


class Cursors:
    """Every open cursor of one session."""

    def __init__(self, reader: Reader, check: Callable[[], None]) -> None:
        self._reader = reader
        self._check = check  # Raises when the statement was cancelled.
        self._open: dict[str, QueryCursor | ChangeCursor] = {}

    def run(
        self, parsed: DeclareCursor | Fetch | CloseCursor, catalog: Catalog, query: RunQuery
    ) -> Outcome:
        match parsed:
            case DeclareCursor():
                self._declare(parsed, catalog, query)
                return Outcome("DECLARE CURSOR")
            case Fetch():
                return Outcome("FETCH", rows=self._fetch(parsed, catalog))
            case CloseCursor():
                return Outcome(self._close(parsed))

    def names(self) -> list[str]:
        return sorted(self._open)

    def columns(self, parsed: Fetch) -> Schema | None:
        """Tell what a FETCH gives without moving the cursor."""
        match self._open.get(parsed.name):
            case QueryCursor() as cursor:
                return cursor.rows.columns
            case ChangeCursor() as cursor:
                return _change_columns(cursor.entry, self._reader)
            case _:
                return None

    def close_all(self) -> None:
        for cursor in self._open.values():
            cursor.close()
        self._open.clear()

    def followed(self, name: str) -> Entry | None:
        """Return the subscription that a cursor reads on, if it does."""
        cursor = self._open.get(name)
        return cursor.entry if isinstance(cursor, ChangeCursor) else None

    def _declare(self, parsed: DeclareCursor, catalog: Catalog, query: RunQuery) -> None:
        if parsed.name in self._open:
            raise DuplicateCursor(f'cursor "{parsed.name}" already exists')
        if parsed.subscription is not None:
            self._open[parsed.name] = self._changes(parsed, catalog)
            return
        rows = query(parsed.query, ()).rows
        if rows is None:
            raise InternalError("a query gave no rows")
        self._open[parsed.name] = QueryCursor(rows)

    def _changes(self, parsed: DeclareCursor, catalog: Catalog) -> ChangeCursor:
        name = parsed.subscription
        entry = catalog.named(name) if name is not None else None
        if entry is None:
            shown = name.name if name is not None else ""
            raise UndefinedObject(f'subscription "{shown}" does not exist')
        if not isinstance(entry.parsed, CreateSubscription):
            raise WrongObjectType(f'"{entry.stored.name}" is not a subscription')
        if parsed.since == "full":
            return self._whole(entry, catalog.require(entry.parsed.from_name))
        reader = self._reader()
        try:
            now = int(reader.rows("SELECT epoch FROM _vs.epoch")[0][0])
            if parsed.since == "begin":
                return ChangeCursor(entry, -1)
            if parsed.since != "now":
                since = int(parsed.since)
                sql = f"SELECT max(_epoch) FROM {log_table(entry.oid)} WHERE _at < {since}"
                return ChangeCursor(entry, int(reader.rows(sql)[0][0] or -1))
            return ChangeCursor(entry, now, 1 << 60)
        finally:
            reader.close()

    def _whole(self, entry: Entry, source: Entry) -> ChangeCursor:
        """Begin with the rows there are, read in the snapshot in which the log is."""
        reader = self._reader()
        try:
            reader.execute("BEGIN")
            now = int(reader.rows("SELECT epoch FROM _vs.epoch")[0][0])
            rows = reader.stream(
                f"SELECT *, 'Insert' AS op, CAST(NULL AS BIGINT) AS rw_timestamp "
                f"FROM {public_name(*source.key)} ORDER BY ALL"
            )
        except BaseException:
            reader.close()
            raise
        return ChangeCursor(entry, now, 1 << 60, QueryCursor(rows))

    def _fetch(self, parsed: Fetch, catalog: Catalog) -> Held:
        cursor = self._open.get(parsed.name)
        if cursor is None:
            raise UndefinedCursor(f'cursor "{parsed.name}" does not exist')
        if isinstance(cursor, QueryCursor):
            return cursor.fetch(parsed.count)
        if catalog.by_oid(cursor.entry.oid) is None:
            raise UndefinedObject(f'subscription "{cursor.entry.stored.name}" does not exist')
        until = time.monotonic() + parsed.timeout_ms / 1000
        while True:
            reader = self._reader()
            try:
                found = cursor.fetch(reader, parsed.count)
            finally:
                reader.close()
            if found.table.num_rows or time.monotonic() >= until:
                return found
            time.sleep(_POLL_S)
            self._check()

    def _close(self, parsed: CloseCursor) -> str:
        if parsed.name is None:
            self.close_all()
            return "CLOSE CURSOR ALL"
        cursor = self._open.pop(parsed.name, None)
        if cursor is None:
            raise UndefinedCursor(f'cursor "{parsed.name}" does not exist')
        cursor.close()
        return "CLOSE CURSOR"


def _change_columns(entry: Entry, open_reader: Reader) -> Schema:
    program = entry.program
    names = [name for name, _ in program.emit_columns] if program is not None else []
    reader = open_reader()
    try:
        listed = entries.column_list(names)
        found = reader.describe(f"SELECT {listed} FROM {log_table(entry.oid)}")
    finally:
        reader.close()
    return (*found, Column("op", "VARCHAR"), Column("rw_timestamp", "BIGINT"))
