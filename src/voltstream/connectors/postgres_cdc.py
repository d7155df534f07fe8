"""Source: a PostgreSQL table, by logical replication; its rows first, then its changes.

The slot's place is in the epoch that holds the rows, and only that is confirmed to the server:
a crash on either side repeats nothing and passes over nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg

from voltstream.connectors.postgres_log import (
    EVERYTHING,
    begin,
    confirm,
    lsn,
    messages,
    simple,
    spelled,
)
from voltstream.connectors.postgres_origin import PostgresOrigin, check
from voltstream.connectors.postgres_reader import (
    BATCH_S,
    CONFIRM_S,
    LAG_S,
    RETRY_S_MIN,
    PostgresReader,
)
from voltstream.connectors.properties import required
from voltstream.connectors.window import OUTSTANDING_BATCHES_MAX
from voltstream.core.errors import InvalidParameter
from voltstream.core.limits import CDC_BATCH_BYTES, CDC_TRANSACTION_BYTES_MAX
from voltstream.core.ports import RawBatch, SourceFeed
from voltstream.formats.pgoutput import commit_end, relation_of, relations_touched


class _Batch:
    """Changes on their way: whole transactions, and the beginning of the next."""

    def __init__(self, place: int) -> None:
        self.end = self.seen = place
        self.size = 0
        self.prefix: list[bytes] = []
        self.committed: list[bytes] = []
        self._open: list[bytes] = []
        self._since_s = 0.0

    def add(self, message: bytes) -> None:
        self._open.append(message)
        self.size += len(message)

    def commit(self, end: int, now_s: float) -> None:
        if not self.committed:
            self._since_s = now_s
        self.committed += self._open
        self._open = []
        self.end = end

    def is_empty(self) -> bool:
        return not self.committed and not self._open

    def is_due(self, now_s: float) -> bool:
        waited = now_s - self._since_s >= BATCH_S
        return bool(self.committed) and (self.size >= CDC_BATCH_BYTES or waited)

    def sent(self, prefix: list[bytes]) -> None:
        self.prefix = prefix
        self.committed = []
        self.size = sum(map(len, self._open))


class PostgresCdcSource(PostgresReader):
    """Keeps a table like one of a PostgreSQL server.

    Shape: properties ``hostname``, ``port``, ``username``, ``password``, ``database.name``,
    ``schema.name``, ``table.name``, ``slot.name``, ``publication.name``,
    ``publication.create.enable``, ``ssl.mode``, as in RisingWave.
    """

    def __init__(self, feed: SourceFeed) -> None:
        owner = f'table "{feed.source}"'
        given = feed.properties
        self._feed = feed
        self._table = required(given, "table.name", owner)
        self._schema = given.get("schema.name", "public")
        if "." in self._table:
            self._schema, _, self._table = self._table.rpartition(".")
        self._slot = given.get("slot.name", f"voltstream_{self._schema}_{self._table}").lower()
        check(owner, "slot.name", self._slot, "[a-z0-9_]{1,63}")
        super().__init__(feed, PostgresOrigin(given, owner), owner, OUTSTANDING_BATCHES_MAX)
        self._relations: dict[int, bytes] = {}  # As the stream told them last,
        self._settled: dict[int, bytes] = {}  # and as they were at the last commit.

    def _read(self, replication: psycopg.Connection[Any]) -> None:
        if "lsn" not in self._feed.offsets():
            self._copy(replication)
        self._retry_s = RETRY_S_MIN
        self._follow(replication)

    # --- what is there ---------------------------------------------------------------------------

    def _copy(self, replication: psycopg.Connection[Any]) -> None:
        """Copy the table as it is at the place where a new slot begins."""
        self._report("running", "copying the table")
        with self._origin.connected() as connection:
            self._origin.publish(connection, self._schema, self._table)
            with suppress(psycopg.errors.UndefinedObject):  # Of a copy that did not end.
                connection.execute("SELECT pg_drop_replication_slot(%s)", [self._slot])
        made = simple(
            replication,
            f'CREATE_REPLICATION_SLOT "{self._slot}" LOGICAL pgoutput EXPORT_SNAPSHOT',
            self._stop_if_asked,
        )
        place, snapshot = made[1], made[2]
        # Of a copy that was cut off.
        self._outstanding.submit(self._batch([EVERYTHING], {}))
        for rows in self._origin.copy(snapshot, self._schema, self._table):
            self._stop_if_asked()
            self._outstanding.submit(self._batch(rows, {}))
        self._outstanding.submit(self._batch([], {"lsn": str(lsn(place))}))
        self._outstanding.settle()

    # --- what changes ----------------------------------------------------------------------------

    def _follow(self, replication: psycopg.Connection[Any]) -> None:
        place = int(self._feed.offsets()["lsn"])
        stream = begin(replication, self._slot, place, self._origin.publication)
        self._report("running", self._table)
        self._relations.clear()
        self._settled.clear()
        batch = _Batch(place)
        confirmed_s, lag_s = 0.0, time.monotonic()
        while True:
            self._stop_if_asked()
            until_s = time.monotonic() + BATCH_S  # What is not ours may come without end.
            for message, at in messages(stream):
                self._take(batch, message, at)
                now_s = time.monotonic()
                if batch.is_due(now_s) or now_s >= until_s:
                    break
            now_s = time.monotonic()
            if batch.is_due(now_s):
                self._submit(batch)
            if now_s - confirmed_s >= CONFIRM_S:
                idle = batch.is_empty() and self._outstanding.are_settled()
                confirm(stream, batch.seen if idle else int(self._feed.offsets()["lsn"]))
                confirmed_s = now_s
            if now_s - lag_s >= LAG_S:
                self._feed.measure({"lsn": batch.seen if not batch.is_empty() else batch.end})
                lag_s = now_s

    def _take(self, batch: _Batch, message: bytes, at: int) -> None:
        batch.seen = max(batch.seen, at)
        if message[:1] == b"C":
            batch.commit(commit_end(message), time.monotonic())
            self._settled = dict(self._relations)
        elif message and self._is_ours(message):
            batch.add(message)
            if batch.size > CDC_TRANSACTION_BYTES_MAX:
                raise InvalidParameter(
                    f"{self._owner}: a transaction of more than {CDC_TRANSACTION_BYTES_MAX} bytes",
                    hint="Drop and create the table: it is copied anew.",
                )

    def _is_ours(self, message: bytes) -> bool:
        if message[:1] == b"R":
            relation = relation_of(message)
            if (relation.schema, relation.name) == (self._schema, self._table):
                self._relations[relation.oid] = message
                return True
            return False
        return any(oid in self._relations for oid in relations_touched(message))

    def _submit(self, batch: _Batch) -> None:
        # A batch is decoded alone: it begins with what its tables looked like before it.
        changes = [*batch.prefix, *batch.committed]
        self._outstanding.submit(self._batch(changes, {"lsn": str(batch.end)}))
        batch.sent(list(self._settled.values()))

    def _batch(self, changes: Sequence[bytes], offsets: Mapping[str, str]) -> RawBatch:
        place = offsets.get("lsn")
        position = f"{self._schema}.{self._table}@{spelled(int(place)) if place else 'copy'}"
        return RawBatch("bytes", records=changes, offsets=offsets, position=position)
