"""A DuckDB file and its connections."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from voltstream.core.errors import QueryCanceled, StorageFault
from voltstream.core.limits import DECODE_MEMORY_BYTES_MAX, RESULT_BATCH_ROWS, TIER_CACHE_BYTES_MAX
from voltstream.core.native import BatchFunction, NativeFunction
from voltstream.core.schema import Column, Schema
from voltstream.store.faults import translated
from voltstream.store.kept import Kept
from voltstream.store.natives import register, register_batched
from voltstream.store.remote import Remote
from voltstream.store.tiered import TieredFiles

_GLOBAL_SETTINGS = (
    "SET GLOBAL TimeZone = 'UTC'",
    "SET GLOBAL integer_division = true",
    "SET GLOBAL ieee_floating_point_ops = false",
    "SET GLOBAL error_on_division_by_zero = true",
    "SET GLOBAL default_null_order = 'nulls_last_on_asc_first_on_desc'",
    # DuckDB 2.0.0: ORDER BY … LIMIT fetches rows again by rowid, and loses rows that the open
    # transaction has changed (tests/property found it).
    "SET GLOBAL disabled_optimizers = 'late_materialization'",
)
_FILE_SETTINGS = (
    *_GLOBAL_SETTINGS,
    "SET GLOBAL preserve_insertion_order = false",  # Not where decoding keeps the input's order.
    "SET GLOBAL parquet_metadata_cache = true",  # Chunk files never change.
    # A checkpoint rewrites what changed: by log size it is amortised, per epoch it would not be.
    # The log is also what a start after kill -9 reads again: 256 MB are about two seconds.
    "SET GLOBAL checkpoint_threshold = '256MB'",
)
STORE_VERSION = duckdb.__version__
_SCANNED = re.compile(r'"rows_scanned": (\d+)')
_SEARCH_PATH = "SET search_path = 'public,rw_catalog,_vs'"


class Stream:
    """Rows that are being read from a cursor of their own."""

    def __init__(self, connection: Connection, columns: Schema, reader: pa.RecordBatchReader):
        self._connection = connection
        self._columns = columns
        self._reader = reader
        self.after: Callable[[Connection], None] | None = None  # Who takes the connection then.

    @property
    def columns(self) -> Schema:
        return self._columns

    def batches(self) -> Iterator[pa.RecordBatch]:
        with translated():
            for batch in self._reader:
                self._connection.check()
                if batch.num_rows:
                    yield batch

    def close(self) -> None:
        self._reader.close()
        if self.after is None or not self._connection.at_rest():
            self._connection.close()
        else:
            self.after(self._connection)
        self.after = None


class Connection:
    """One DuckDB connection: one thread at a time, save ``interrupt``."""

    def __init__(
        self,
        raw: duckdb.DuckDBPyConnection,
        folder: Path,
        tier: TieredFiles,
        kept: Kept | None = None,
    ) -> None:
        self._raw = raw
        self._interrupted = False
        self.folder = folder  # Where the file is, and what lies beside it.
        self.tier = tier
        self.kept = kept  # What readers know of committed rows; not the writer's.

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Raise in our words; DuckDB forgets an interrupt that comes between two statements."""
        self.check()
        with translated():
            yield

    def check(self) -> None:
        """Raises: QueryCanceled (57014) after an interrupt."""
        if self._interrupted:
            raise QueryCanceled("canceling statement due to user request")

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Run a statement. Returns the rows it changed or made; -1 when it does not say."""
        with self._asking():
            result = (
                self._raw.execute(sql, list(parameters)) if parameters else (self._raw.execute(sql))
            )
            rows = result.fetchall()
        if len(rows) == 1 and len(rows[0]) == 1 and isinstance(rows[0][0], int):
            return int(rows[0][0])
        return -1

    def measured(self, sql: str) -> tuple[int, int]:
        """Run a statement. Returns the rows it changed or made, and the rows it scanned."""
        with self._asking():
            self._raw.execute("PRAGMA enable_profiling = 'no_output'")
            self._raw.execute("SET profiling_coverage = 'ALL'")
            try:
                rows = self.execute(sql)
                profile = self._raw.get_profiling_information(format="json")
            finally:
                with suppress(duckdb.Error):  # A transaction that failed refuses this too.
                    self._raw.execute("PRAGMA disable_profiling")
        return rows, sum(int(n) for n in _SCANNED.findall(profile))

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a query for few rows. Time stamps must be cast by the query (no pytz here)."""
        with self._asking():
            if parameters:
                return self._raw.execute(sql, list(parameters)).fetchall()
            return self._raw.execute(sql).fetchall()

    def describe(self, sql: str) -> Schema:
        """Tell the columns of a SELECT without running it."""
        with self._asking():
            relation = self._raw.sql(sql)
            return _schema(relation)

    def types(self, sql: str) -> tuple[str, ...]:
        """Tell the types of a SELECT's columns without running it."""
        with self._asking():
            return tuple(str(kind) for kind in self._raw.sql(sql).types)

    def arrow(self, sql: str) -> tuple[Schema, pa.Table]:
        """Run a SELECT and hold its whole result."""
        with self._asking():
            relation = self._raw.sql(sql)
            return _schema(relation), self._exportable(relation, sql).to_arrow_table()

    def batches(self, sql: str, rows: int) -> Iterator[pa.Table]:
        """Run a SELECT and yield its rows in order, so many at a time."""
        with self._asking():
            reader = self._raw.sql(sql).to_arrow_reader(rows)
        held: list[pa.RecordBatch] = []
        count = 0
        with translated():
            for batch in reader:
                self.check()
                held.append(batch)
                count += batch.num_rows
                if count >= rows:
                    whole = pa.Table.from_batches(held)
                    yield whole.slice(0, rows)
                    rest = whole.slice(rows)
                    held, count = rest.to_batches(), rest.num_rows
        if count:
            yield pa.Table.from_batches(held)

    def few(self, sql: str, most: int) -> list[tuple[Any, ...]] | None:
        """Run a SELECT for at most so many rows; None when there are more."""
        with self._asking():
            found = self._raw.execute(sql).fetchmany(most + 1)
            if len(found) > most:
                self._raw.abort()
                return None
            self._raw.complete()
            return found

    def stream(self, sql: str, told: Callable[[Schema], Schema] = lambda found: found) -> Stream:
        """Run a SELECT batch by batch. The stream owns this connection from here on.

        ``told`` completes its columns, and may ask this connection while nothing runs.
        """
        with self._asking():
            relation = self._raw.sql(sql)
            schema = told(_schema(relation))
            reader = self._exportable(relation, sql).to_arrow_reader(RESULT_BATCH_ROWS)
            return Stream(self, schema, reader)

    def _exportable(self, relation: duckdb.DuckDBPyRelation, sql: str) -> duckdb.DuckDBPyRelation:
        """Return a query with times of a zone and bits as text: Arrow has neither."""
        types = [str(kind) for kind in relation.types]
        if not any(_TIMETZ in kind or _BIT.match(kind) for kind in types):
            return relation
        names = [f"c{place}" for place in range(len(types))]
        shown = ", ".join(
            f"CAST({name} AS {_BIT.sub('VARCHAR', kind.replace(_TIMETZ, 'VARCHAR'))})"
            if _TIMETZ in kind or _BIT.match(kind)
            else name
            for name, kind in zip(names, types, strict=True)
        )
        return self._raw.sql(f"SELECT {shown} FROM ({sql}) AS shown({', '.join(names)})")

    def lend(self, name: str, table: pa.Table) -> None:
        """Let statements read an Arrow table under a name, until ``take_back``."""
        with translated():
            self._raw.register(name, table)

    def take_back(self, name: str) -> None:
        """Forget a lent table; in a transaction that failed, its rollback does it."""
        with suppress(duckdb.Error):
            self._raw.unregister(name)

    def at_rest(self) -> bool:
        """End a transaction that is open. Tells whether the connection can be used again."""
        try:
            self._raw.execute("ROLLBACK")
        except duckdb.TransactionException:  # There was none.
            return not self._interrupted
        except duckdb.Error:
            return False
        return not self._interrupted

    @property
    def interrupted(self) -> bool:
        return self._interrupted

    def interrupt(self) -> None:
        """Stop what runs, and refuse what follows until ``resume``. From any thread."""
        self._interrupted = True
        with suppress(duckdb.Error):  # Its query, and it with it, may have ended just now.
            self._raw.interrupt()

    def resume(self) -> None:
        self._interrupted = False

    def close(self) -> None:
        self._raw.close()


def _opened(path: Path, threads: int, memory_mb: int) -> duckdb.DuckDBPyConnection:
    """Open the file and read its log again. Raises: StorageFault."""
    config: dict[str, str | bool | int | float | list[str]] = {"threads": threads}
    if memory_mb:
        config["memory_limit"] = f"{memory_mb}MiB"
    try:
        opened = duckdb.connect(str(path), config=config)
    except duckdb.Error as error:
        first = str(error).partition("\n")[0]
        hint = None
        if "WAL" in first:  # What was never acknowledged is cut off; this is damage.
            hint = "The log holds acknowledged epochs that cannot be read: restore a backup."
        raise StorageFault(f'cannot open "{path}": {first}', hint=hint) from error
    for folder in (path.parent, path.parent.parent):  # A new file's name must last as its content.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return opened


_TIMETZ = "TIME WITH TIME ZONE"
_BIT = re.compile(r"^BIT\b")


def _schema(relation: duckdb.DuckDBPyRelation) -> Schema:
    return tuple(
        Column(name, str(kind)) for name, kind in zip(relation.columns, relation.types, strict=True)
    )


class Database:
    """An open DuckDB file. ``writer`` is the epoch loop's; readers are made per query.

    Units: ``memory_mb`` bounds what DuckDB holds, in MiB; 0: four fifths of the machine's.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int,
        memory_mb: int = 0,
        natives: Sequence[NativeFunction] = (),
        batched: Sequence[BatchFunction] = (),
        tier: str | None = None,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._root = _opened(path, threads, memory_mb)
        with translated():
            for setting in _FILE_SETTINGS:
                self._root.execute(setting)
            self._root.execute("BEGIN")  # Each of its own would wait for the disk.
            for schema in ("public", "_vs", "rw_catalog", "timescaledb_information"):
                self._root.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            self._root.execute("COMMIT")
            self._root.execute(_SEARCH_PATH)
            register(self._root, natives)
            register_batched(self._root, batched)
        self._folder = path.parent
        remote = Remote(tier, self._folder.name) if tier is not None else None
        self._tier = TieredFiles(remote, self._folder / "cache", TIER_CACHE_BYTES_MAX)
        self._root.register_filesystem(self._tier)
        self._kept = Kept()
        self.writer = Connection(self._root, self._folder, self._tier)

    def reader(self) -> Connection:
        """Open a connection with a snapshot of its own per statement."""
        with translated():
            cursor = self._root.cursor()
            cursor.execute(_SEARCH_PATH)
            return Connection(cursor, self._folder, self._tier, self._kept)

    def close(self) -> None:
        """Fold the log into the file and close it.

        A reader that does not let go leaves the log as it is: the next start reads it.
        """
        with translated():
            with suppress(duckdb.TransactionException):
                self._root.execute("CHECKPOINT")
            self._root.close()


class MemoryEngine:
    """A private in-memory engine that reads Arrow tables in order."""

    def __init__(self, threads: int = 1) -> None:
        with translated():
            memory = f"{DECODE_MEMORY_BYTES_MAX // 2**20}MiB"
            self._raw = duckdb.connect(
                ":memory:", config={"threads": threads, "memory_limit": memory}
            )
            for setting in _GLOBAL_SETTINGS:
                self._raw.execute(setting)

    def arrow(self, sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
        """Run one SELECT over ``tables``. Raises: VoltstreamError."""
        with translated():
            for name, table in tables.items():
                self._raw.register(name, table)
            try:
                found: pa.Table = self._raw.sql(sql).to_arrow_table()
                return found
            finally:
                for name in tables:
                    self._raw.unregister(name)

    def close(self) -> None:
        self._raw.close()


def quoted(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a string."""
    return "'" + text.replace("'", "''") + "'"
