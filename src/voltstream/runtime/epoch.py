"""One epoch: one transaction in which input, state, views, offsets and outbox become true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from voltstream.core.errors import LimitExceeded, VoltstreamError
from voltstream.core.limits import ANSWER_KEYS_CHANGED_MAX, SINK_DEPTH_MAX
from voltstream.runtime.answers import Answers
from voltstream.runtime.answers import Watched as WatchedColumn
from voltstream.runtime.catalog import Catalog
from voltstream.runtime.channels import Change, Channels
from voltstream.runtime.dataflow import Dataflow
from voltstream.runtime.python_functions import PythonFunctions
from voltstream.store.database import Connection
from voltstream.store.ledger import EpochRow, write_epoch
from voltstream.store.vault import Vault


@dataclass(slots=True)
class Watched:
    """A chunk that is being written to a file beside the epochs, and whether it has changed."""

    low: int
    high: int
    changed: bool = False


class Observer(Protocol):
    """Who looks at what each epoch changes, and adds to it before it is durable."""

    def begins(self) -> frozenset[str]:
        """Return the deltas that are wanted of the epoch that begins."""

    def sees(self, epoch: Epoch, made: Mapping[str, int]) -> None:
        """Look at the deltas of a flush, while they are there."""

    def settles(self, epoch: Epoch) -> None:
        """Add to an epoch that is about to be committed."""

    def committed(self) -> None:
        """Take for true what was settled."""


@dataclass(slots=True)
class Books:
    """What the writer thread knows between epochs."""

    connection: Connection
    dataflow: Dataflow
    row: EpochRow
    vault: Vault
    catalog: Catalog = field(default_factory=Catalog)
    filled: frozenset[str] = frozenset()  # Base deltas that still hold rows of an earlier epoch.
    functions: PythonFunctions = field(default_factory=PythonFunctions)
    watched: dict[int, Watched] = field(default_factory=dict)  # By hypertable.
    answers: Answers = field(default_factory=Answers)
    channels: Channels = field(default_factory=Channels)
    observers: tuple[Observer, ...] = ()


class Epoch:
    """An open epoch. Used on the writer thread only."""

    def __init__(self, books: Books, now_us: int) -> None:
        self._books = books
        self._flushes = 0
        self._pending: dict[str, int] = {}
        self._filled = set(books.filled)
        self._lent: dict[str, tuple[str, pa.Table]] = {}
        self._ordinals: dict[int, int] = {}
        self._undo: list[Callable[[], None]] = []
        self._answered: tuple[WatchedColumn, ...] = ()
        self.after_commit: list[Callable[[], None]] = []
        self.catalog = books.catalog
        self.connection = books.connection
        self.dataflow = books.dataflow
        self.functions = books.functions
        self.vault = books.vault
        self._told = {f"d_{oid}": oid for oid in books.channels.watched}
        self.changes: dict[int, Change] = {}  # Of relations that sessions listen to.
        old = books.row
        self.row = EpochRow(old.epoch + 1, max(now_us, old.now_us), old.next_rid, old.next_oid)

    @property
    def number(self) -> int:
        return self.row.epoch

    def begin(self) -> None:
        self._answered = self._books.answers.epoch_begins()
        answered = {one.delta for one in self._answered}
        self.dataflow.watched = frozenset(answered | self._told.keys())
        for observer in self._books.observers:
            self.dataflow.watched |= observer.begins()
        self.connection.execute("BEGIN")
        self._set_instant("vs_prev", self._books.row.now_us)
        self._set_instant("vs_now", self.row.now_us)

    def _set_instant(self, name: str, at_us: int) -> None:
        self.connection.execute(f"SET VARIABLE {name} = make_timestamptz({at_us})")

    def take_oid(self) -> int:
        self.row.next_oid += 1
        return self.row.next_oid - 1

    def take_rids(self, count: int) -> int:
        """Reserve arrival numbers. Returns the first."""
        self.row.next_rid += count
        return self.row.next_rid - count

    def add_delta(self, delta: str, select_sql: str) -> int:
        """Add rows (columns …, _w) to a base delta. Returns how many."""
        if delta in self._pending:
            rows = self.connection.execute(f"INSERT INTO {delta} {select_sql}")
        else:
            rows = self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {delta} AS {select_sql}")
        self._pending[delta] = self._pending.get(delta, 0) + rows
        return rows

    def add_arrivals(self, delta: str, lent: str, table: pa.Table) -> None:
        """Let a source's delta, a view over ``lent``, show more rows where they lie."""
        before = self._lent.get(delta)
        if before is not None and before[1].schema != table.schema:
            self.flush()
            before = None
        whole = table if before is None else pa.concat_tables([before[1], table])
        self.connection.lend(lent, whole)
        self._lent[delta] = (lent, whole)
        self._pending[delta] = whole.num_rows

    def _again(self, depth: int) -> None:
        if depth >= SINK_DEPTH_MAX:
            raise LimitExceeded(
                "sinks into tables feed each other without end", hint="Drop one of the sinks."
            )
        self.flush(depth + 1)

    def flush(self, depth: int = 0) -> None:
        """Bring every view up to the base deltas so far; a transaction may go on afterwards."""
        for delta in self._filled - self._pending.keys():
            self.connection.execute(f"DELETE FROM {delta}")
        deltas = {delta: rows for delta, rows in self._pending.items() if rows}
        self._filled = self._pending.keys() - self._lent.keys()
        self._pending = {}
        made = self.dataflow.propagate(self.connection.execute, deltas, self.row.now_us)
        self._tell_answers(made)
        self._note_changes(made)
        for observer in self._books.observers:
            observer.sees(self, made)
        for entry in self.catalog.of_kind("sink"):
            program = entry.program
            if program is not None and entry.follow is None and made.get(program.output, 0):
                self.post(entry.oid, entry.emit_sql or "")
        for entry in self.catalog.followers():
            program = entry.program
            if program is not None and entry.follow is not None and made.get(program.output, 0):
                entry.follow(self)
        self._take_back()
        self._set_instant("vs_prev", self.row.now_us)  # A timer must not fire twice in one epoch.
        self._flushes += 1
        if self._pending:  # A sink has written into a table: its views follow.
            self._again(depth)

    def _tell_answers(self, made: dict[str, int]) -> None:
        """Let go of the answers that were read from rows which change."""
        for watched in self._answered:
            rows = made.get(watched.delta, 0)
            if not rows:
                continue
            keys = None
            if rows <= ANSWER_KEYS_CHANGED_MAX:
                sql = f"SELECT DISTINCT {watched.column} FROM {watched.delta}"
                keys = [key for (key,) in self.connection.rows(sql)]
            self._books.answers.changed(watched, keys)

    def _note_changes(self, made: Mapping[str, int]) -> None:
        """Count what came and went of the relations that sessions listen to."""
        for delta, oid in self._told.items():
            if made.get(delta, 0):
                [(came, gone)] = self.connection.rows(
                    f"SELECT coalesce(sum(_w) FILTER (_w > 0), 0)::BIGINT, "
                    f"coalesce(-sum(_w) FILTER (_w < 0), 0)::BIGINT FROM {delta}"
                )
                before = self.changes.get(oid, Change(self.number, 0, 0))
                self.changes[oid] = before.plus(Change(self.number, came, gone))

    def _take_back(self) -> None:
        """Leave the lent deltas empty and let go of their rows."""
        for lent, table in self._lent.values():
            self.connection.lend(lent, table.slice(0, 0).combine_chunks())
        self._lent = {}

    def touch(self, oid: int, span: tuple[int, int]) -> None:
        """Note that rows of a hypertable change, for whoever writes a chunk of it."""
        watched = self._books.watched.get(oid)
        if watched is not None and span[0] < watched.high and span[1] >= watched.low:
            watched.changed = True

    def forget_delta(self, delta: str) -> None:
        """Drop what is known of the delta of an object that goes."""
        self._pending.pop(delta, None)
        self._lent.pop(delta, None)
        self._filled.discard(delta)

    def post(self, sink: int, emit_sql: str) -> None:
        """Put a sink's records in the outbox; (epoch, ordinal) is their identity for ever."""
        first = self._ordinals.get(sink, 0)
        rows = self.connection.execute(
            f"INSERT INTO _vs.outbox SELECT {sink}, {self.number}, "
            f"{first} + row_number() OVER () - 1, key, value FROM ({emit_sql})"
        )
        self._ordinals[sink] = first + max(rows, 0)

    def posted(self) -> dict[int, int]:
        """Return how many rows each outbox got."""
        return {sink: rows for sink, rows in self._ordinals.items() if rows}

    def on_rollback(self, undo: Callable[[], None]) -> None:
        self._undo.append(undo)

    def commit(self) -> None:
        """Make the epoch durable. Raises: StorageFault; then nothing of it happened."""
        self.flush()
        for observer in self._books.observers:
            observer.settles(self)
        write_epoch(self.connection, self.row)
        if self.catalog is not self._books.catalog:
            self._books.answers.definitions_change()
        self.connection.execute("COMMIT")
        self._books.row = self.row
        self._books.catalog = self.catalog
        for observer in self._books.observers:
            observer.committed()
        self._books.answers.epoch_ended()
        self._books.filled = frozenset(self._filled)

    def rollback(self) -> None:
        with suppress(VoltstreamError):  # DuckDB may have ended the transaction already.
            self.connection.execute("ROLLBACK")
        self._take_back()
        for undo in reversed(self._undo):
            undo()
        self.dataflow.abort()
        self._books.answers.epoch_ended()
