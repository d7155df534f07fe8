"""Source: many tables of one PostgreSQL server by one replication slot.

Each table is copied as it was at a place of the log that is its own, and takes the transactions
that commit from there on. The source's place, where the slot goes on after a restart, is in the
epoch of the last of them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import pq

from voltstream.connectors.postgres_log import (
    EVERYTHING,
    begin,
    confirm,
    lsn,
    messages,
    simple,
    spelled,
)
from voltstream.connectors.postgres_origin import PostgresOrigin, check, parted, reason
from voltstream.connectors.postgres_reader import (
    BATCH_S,
    CONFIRM_S,
    LAG_S,
    RETRY_S_MAX,
    RETRY_S_MIN,
    PostgresReader,
)
from voltstream.core.errors import InvalidParameter, VoltstreamError
from voltstream.core.limits import CDC_BATCH_BYTES, CDC_TRANSACTION_BYTES_MAX
from voltstream.core.origins import FollowedTable
from voltstream.core.ports import RawBatch, SharedSourceFeed
from voltstream.formats.declared import truth
from voltstream.formats.pgoutput import (
    commit_end,
    commit_start,
    relation_of,
    relations_touched,
)

_BATCHES_MAX = 1  # None is on its way behind one that may fail: its place would pass over that.
_LOG = logging.getLogger(__name__)
_Changes = dict[int, list[bytes]]  # By the oid of the table here.


class _Batch:
    """Changes on their way: whole transactions, and the beginning of the next."""

    def __init__(self, place: int) -> None:
        self.end = self.seen = place
        self.size = 0
        self.committed: _Changes = {}
        self.open: _Changes = {}
        self._since_s = 0.0

    def add(self, table: int, message: bytes) -> None:
        self.open.setdefault(table, []).append(message)
        self.size += len(message)

    def commit(self, end: int, now_s: float) -> None:
        if not self.open:
            return
        if not self.committed:
            self._since_s = now_s
        for table, changes in self.open.items():
            self.committed.setdefault(table, []).extend(changes)
        self.open = {}
        self.end = end

    def is_empty(self) -> bool:
        return not self.committed and not self.open

    def is_due(self, now_s: float) -> bool:
        waited = now_s - self._since_s >= BATCH_S
        return bool(self.committed) and (self.size >= CDC_BATCH_BYTES or waited)

    def sent(self) -> None:
        self.committed = {}
        self.size = sum(len(one) for changes in self.open.values() for one in changes)


class _Relations:
    """What the stream has told of the origin's tables, by their oids there."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[tuple[str, str], bytes]] = {}
        self._copied: dict[int, tuple[tuple[str, str], bytes]] | None = None

    def tell(self, message: bytes) -> tuple[str, str]:
        relation = relation_of(message)
        name = (relation.schema, relation.name)
        self.known[relation.oid] = (name, message)
        self._copied = None
        return name

    def names(self, message: bytes) -> set[tuple[str, str]]:
        """Return the tables that a change is of."""
        return {self.known[oid][0] for oid in relations_touched(message) if oid in self.known}

    def settled(self) -> dict[int, tuple[tuple[str, str], bytes]]:
        if self._copied is None:
            self._copied = dict(self.known)
        return self._copied


class SharedPostgresSource(PostgresReader):
    """Keeps tables like those of a PostgreSQL server, a transaction of which is one epoch.

    Shape: properties as ``postgres-cdc`` has them for one table, less the table. A table may
    have ``snapshot``, false for its changes alone.
    """

    def __init__(self, feed: SharedSourceFeed) -> None:
        owner = f'source "{feed.source}"'
        given = feed.properties
        self._slot = given.get("slot.name", f"voltstream_{feed.source}").lower()
        check(owner, "slot.name", self._slot, "[a-z0-9_]{1,63}")
        super().__init__(feed, PostgresOrigin(given, owner), owner, _BATCHES_MAX)
        self._feed = feed
        self._met: Sequence[FollowedTable] = ()  # When tables were last looked for.
        self._places: dict[int, int] = {}  # From which commit on a table takes changes.
        self._routes: dict[tuple[str, str], list[int]] = {}
        self._retry_at_s = 0.0  # When tables that could not be copied are tried again.
        self._relations = _Relations()
        self._prefix = self._settled = self._relations.settled()
        self._commit_at = 0  # Of the transaction that is being read.
        self._inside = False

    def _read(self, replication: psycopg.Connection[Any]) -> None:
        self._make_slot(replication)
        self._retry_s = RETRY_S_MIN
        self._relations = _Relations()
        self._prefix = self._settled = {}
        self._met, self._places, self._routes = (), {}, {}
        self._inside = False
        self._follow(replication)

    def _make_slot(self, replication: psycopg.Connection[Any]) -> None:
        """Make what a new source lacks. Law: what an older one has lost is told, not made anew."""
        if "lsn" in self._feed.offsets():
            return
        found = "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = %s"
        with self._origin.connected() as connection:
            made = self._origin.make_publication(connection)
            slot = connection.execute(found, [self._slot]).fetchone()
            if slot is not None and made:  # It began before there was the publication.
                connection.execute("SELECT pg_drop_replication_slot(%s)", [self._slot])
                slot = None
        if slot is None:
            command = f'CREATE_REPLICATION_SLOT "{self._slot}" LOGICAL pgoutput NOEXPORT_SNAPSHOT'
            place = simple(replication, command, self._stop_if_asked)[1]
        else:
            place = slot[0]
        self._submit({}, lsn(place))
        self._outstanding.settle()

    # --- what changes ----------------------------------------------------------------------------

    def _follow(self, replication: psycopg.Connection[Any]) -> None:
        place = int(self._feed.offsets()["lsn"])
        stream = begin(replication, self._slot, place, self._origin.publication)
        self._report("running", self._origin.host)
        batch = _Batch(place)
        confirmed_s, lag_s = 0.0, time.monotonic()
        while True:
            self._stop_if_asked()
            if not self._inside:
                self._meet(batch, stream)
            until_s = time.monotonic() + BATCH_S
            for message, at in messages(stream):
                self._take(batch, message, at)
                now_s = time.monotonic()
                if batch.is_due(now_s) or now_s >= until_s:
                    break
            now_s = time.monotonic()
            if batch.is_due(now_s):
                self._send(batch)
            if now_s - confirmed_s >= CONFIRM_S:
                idle = batch.is_empty() and self._outstanding.are_settled()
                confirm(stream, batch.seen if idle else self._durable())
                confirmed_s = now_s
            if now_s - lag_s >= LAG_S:
                self._feed.measure({"lsn": batch.end if batch.is_empty() else batch.seen})
                lag_s = now_s

    def _durable(self) -> int:
        return int(self._feed.offsets()["lsn"])

    def _take(self, batch: _Batch, message: bytes, at: int) -> None:
        batch.seen = max(batch.seen, at)
        match message[:1]:
            case b"B":
                self._commit_at, self._inside = commit_start(message), True
            case b"C":
                batch.commit(commit_end(message), time.monotonic())
                self._settled = self._relations.settled()
                self._inside = False
            case b"R":
                for table in self._routes.get(self._relations.tell(message), ()):
                    batch.add(table, message)
            case b"I" | b"U" | b"D" | b"T":
                for name in self._relations.names(message):
                    for table in self._routes.get(name, ()):
                        if self._commit_at >= self._places[table]:  # Else it was copied.
                            batch.add(table, message)
            case _:
                return
        if batch.size > CDC_TRANSACTION_BYTES_MAX:
            raise InvalidParameter(
                f"{self._owner}: a transaction of more than {CDC_TRANSACTION_BYTES_MAX} bytes",
                hint="Drop the source and its tables and make them again: they are copied anew.",
            )

    def _send(self, batch: _Batch) -> None:
        # A batch is decoded alone: it begins with what its tables looked like before it.
        heads: _Changes = {}
        for name, message in self._prefix.values():
            for table in self._routes.get(name, ()):
                heads.setdefault(table, []).append(message)
        changes = {table: [*heads.get(table, ()), *own] for table, own in batch.committed.items()}
        self._submit(changes, batch.end)
        batch.sent()
        self._prefix = self._settled

    def _submit(self, changes: Mapping[int, Sequence[bytes]], place: int | None) -> None:
        where = spelled(place) if place is not None else "copy"
        position = f"{self._feed.source}@{where}"
        batches = {
            table: RawBatch("bytes", records=own, position=position)
            for table, own in changes.items()
        }
        offsets = {} if place is None else {"lsn": str(place)}
        self._outstanding.add(lambda: self._feed.submit_together(batches, offsets))

    # --- tables that come and go -----------------------------------------------------------------

    def _meet(self, batch: _Batch, stream: pq.abc.PGconn) -> None:
        """Follow the tables there are by now; copy those that are new. No transaction is open."""
        tables = self._feed.tables()
        waits = len(self._places) < len(tables) and time.monotonic() >= self._retry_at_s
        if tables is self._met and not waits:
            return
        if batch.committed:
            self._send(batch)
        self._outstanding.settle()
        self._prefix = self._settled = self._relations.settled()
        self._met, self._retry_at_s = tables, time.monotonic() + RETRY_S_MAX
        known, self._places = self._places, {}
        for table in tables:
            place = known.get(table.oid)
            if place is None:
                place = self._begun(table, stream)
            if place is not None:
                self._places[table.oid] = place
        self._routes = {}
        for table in tables:
            if table.oid in self._places:
                self._routes.setdefault(parted(table.origin), []).append(table.oid)

    def _begun(self, table: FollowedTable, stream: pq.abc.PGconn) -> int | None:
        """Return from where on a table takes changes, copied if it was not; None for a fault.

        What is wrong with one table keeps no other from going on.
        """
        place = self._feed.table_offsets(table.oid).get("lsn")
        if place is None:
            try:
                place = str(self._copy(table, stream))
            except (psycopg.OperationalError, psycopg.InterfaceError):
                raise
            except psycopg.Error as error:
                self._fail(table, reason(error))
                return None
            except VoltstreamError as error:
                self._fail(table, str(error))
                return None
        self._feed.report_table(table.oid, "running", table.origin)
        return int(place)

    def _fail(self, table: FollowedTable, why: str) -> None:
        _LOG.warning('%s: table "%s": %s', self._owner, table.name, why)
        self._outstanding.forget()
        self._feed.report_table(table.oid, "failed", f"{why}; trying again")

    def _copy(self, table: FollowedTable, stream: pq.abc.PGconn) -> int:
        """Copy a table as it is at a place of the log. Returns the place.

        Law: what committed before the place is in the copy, and nothing else is: a slot that
        lasts as long as this says both. The table is published before, so that the stream tells
        of every transaction that began after; the new slot waits for those that began earlier.
        """
        self._feed.report_table(table.oid, "running", "copying the table")
        schema, name = parted(table.origin)
        with self._origin.connected() as connection:
            self._origin.publish(connection, schema, name)
        slot = f"{self._slot[:40]}_copy_{table.oid}"
        command = f'CREATE_REPLICATION_SLOT "{slot}" TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT'
        with self._origin.connected(replication=True) as beside:
            made = simple(beside, command, self._stop_if_asked)
            place = lsn(made[1])
            self._submit({table.oid: [EVERYTHING]}, None)  # Of a copy that was cut off.
            if truth(table.properties, "snapshot", f'table "{table.name}"') is not False:
                confirmed_s = time.monotonic()
                for rows in self._origin.copy(made[2], schema, name):
                    self._stop_if_asked()
                    self._submit({table.oid: rows}, None)
                    if time.monotonic() - confirmed_s >= CONFIRM_S:  # A sign of life.
                        confirm(stream, self._durable())
                        confirmed_s = time.monotonic()
        done = RawBatch("bytes", offsets={"lsn": str(place)})
        self._outstanding.add(lambda: self._feed.submit_together({table.oid: done}, {}))
        self._outstanding.settle()
        return place
