"""A source, or several tables that share one, as a connector sees it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from voltstream.core.clock import Clock
from voltstream.core.errors import VoltstreamError
from voltstream.core.origins import FollowedTable
from voltstream.core.ports import RawBatch, Receipt
from voltstream.core.types import DataType
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.runtime.epoch_loop import EpochLoop
from voltstream.runtime.ingest import SourceIngest, decoded_schema
from voltstream.runtime.pace import SOURCE_RATE, Pace
from voltstream.runtime.pending import records_in
from voltstream.sql.statements import CreateTable
from voltstream.store.database import Connection
from voltstream.store.ledger import read_offsets, set_ends, set_state

log = logging.getLogger(__name__)


class Feed:
    """One source as its connector sees it."""

    def __init__(
        self,
        entry: Entry,
        loop: EpochLoop,
        ingest: SourceIngest,
        reader: Callable[[], Connection],
        clock: Clock,
        catalog: Callable[[], Catalog],
        properties: Mapping[str, str],
        pace: Pace,
    ) -> None:
        self._pace = pace
        self._catalog = catalog
        self._properties = properties
        self._entry = entry
        self._clock = clock
        self._ends: dict[str, int] = {}
        self._loop = loop
        self._ingest = ingest
        self._reader = reader
        self._reported = ("", "")

    @property
    def source(self) -> str:
        return self._entry.stored.name

    @property
    def properties(self) -> Mapping[str, str]:
        return self._properties

    @property
    def columns(self) -> Mapping[str, DataType]:
        return {column.name: column.type for column in decoded_schema(self._entry)}

    def offsets(self) -> Mapping[str, str]:
        reader = self._reader()
        try:
            return read_offsets(reader, self._entry.oid)
        finally:
            reader.close()

    def most(self, records: int) -> int:
        return self._pace.most(records)

    def submit(self, batch: RawBatch) -> Future[Receipt]:
        self._keep_pace(records_in(batch))
        entry = self._catalog().by_oid(self._entry.oid)  # It may have gained columns meanwhile.
        return self._ingest.submit(entry or self._entry, batch, urgent=False)

    def _keep_pace(self, records: int) -> None:
        before = self._reported
        if self._pace.pauses:
            self.report("paused", f"{SOURCE_RATE} is 0")
        self._pace.take(records)
        if before != self._reported:
            self.report(*before)

    def report(self, state: str, detail: str = "") -> None:
        if (state, detail) == self._reported:
            return
        self._reported = (state, detail)
        try:
            self._loop.run_chore(lambda store: set_state(store, self._entry.oid, state, detail))
        except VoltstreamError as error:
            log.debug("the state of %s is not recorded: %s", self.source, error.message)

    def measure(self, ends: Mapping[str, int]) -> None:
        if dict(ends) == self._ends:
            return
        self._ends = dict(ends)
        kept, oid, now_us = dict(ends), self._entry.oid, self._clock.now_us()
        try:
            self._loop.run_chore(lambda store: set_ends(store, oid, kept, now_us))
        except VoltstreamError as error:
            log.debug("the lag of %s is not recorded: %s", self.source, error.message)


class SharedFeed(Feed):
    """A source that several tables share. Law: a batch of theirs is one epoch, with its place."""

    _seen: tuple[Catalog, Sequence[FollowedTable]] | None = None

    def tables(self) -> Sequence[FollowedTable]:
        catalog = self._catalog()
        if self._seen is None or self._seen[0] is not catalog:
            found = [
                FollowedTable(entry.oid, entry.stored.name, parsed.origin.table, parsed.properties)
                for entry in catalog.dependents(self._entry.oid)
                if isinstance(parsed := entry.parsed, CreateTable) and parsed.origin is not None
            ]
            self._seen = (catalog, found)
        return self._seen[1]

    def table_offsets(self, oid: int) -> Mapping[str, str]:
        reader = self._reader()
        try:
            return read_offsets(reader, oid)
        finally:
            reader.close()

    def submit_together(
        self, batches: Mapping[int, RawBatch], offsets: Mapping[str, str]
    ) -> Future[Receipt]:
        self._keep_pace(sum(records_in(batch) for batch in batches.values()))
        catalog = self._catalog()
        parts = [
            (entry, batch)
            for oid, batch in batches.items()
            if (entry := catalog.by_oid(oid)) is not None and not entry.broken
        ]
        place = (catalog.by_oid(self._entry.oid) or self._entry, RawBatch("bytes", offsets=offsets))
        return self._ingest.submit_together([*parts, place])

    def report_table(self, oid: int, state: str, detail: str = "") -> None:
        if self._catalog().by_oid(oid) is None:
            return
        try:
            self._loop.run_chore(lambda store: set_state(store, oid, state, detail))
        except VoltstreamError as error:
            log.debug("the state of table %s is not recorded: %s", oid, error.message)
