"""One database: its file, its writer and everything around it."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path

from voltstream.core.clock import Clock
from voltstream.core.errors import VoltstreamError
from voltstream.core.limits import READERS_IDLE_MAX
from voltstream.core.ports import Connectors, Outcome, RawBatch, Receipt, SchemaSet
from voltstream.runtime import (
    alert_tables,
    broken,
    costs,
    dead_letters,
    defining,
    followers,
    inferring,
    origins,
    suspend,
)
from voltstream.runtime.alerts import Alerts
from voltstream.runtime.backups import Backups
from voltstream.runtime.catalog import Catalog, Entry, Scope
from voltstream.runtime.dataflow import Dataflow
from voltstream.runtime.deliver import Deliveries
from voltstream.runtime.epoch import Books, Epoch
from voltstream.runtime.epoch_loop import EpochLoop
from voltstream.runtime.feeds import Feeds, at_once
from voltstream.runtime.ingest import SourceIngest
from voltstream.runtime.jobs import Jobs
from voltstream.runtime.live import LiveChanges
from voltstream.runtime.options import EngineOptions
from voltstream.runtime.outboxes import Outboxes, changed_tables
from voltstream.runtime.permits import Permits
from voltstream.runtime.plans import Plans
from voltstream.runtime.policies import sweep
from voltstream.runtime.python_functions import PythonFunctions
from voltstream.runtime.role_store import read_rights, read_roles
from voltstream.runtime.schemas import SchemaStores
from voltstream.runtime.system_catalog import SystemCatalog
from voltstream.sql.functions import MACROS, NATIVES
from voltstream.sql.statements import (
    AlterTable,
    Call,
    CreateSource,
    CreateTable,
    ObjectName,
    Parsed,
)
from voltstream.sql.styles.casts import BATCHED
from voltstream.store import ledger
from voltstream.store import roles as role_rows
from voltstream.store.database import Connection, Database
from voltstream.store.vault import Vault

log = logging.getLogger(__name__)

_OWN_SCHEMAS = frozenset({"_vs", "rw_catalog", "main", "information_schema", "pg_catalog",
                          "_pg", "_is", "timescaledb_information"})  # fmt: skip


class Engine:
    """Facade of one database; sessions and ingest go through it."""

    def __init__(
        self,
        name: str,
        directory: Path,
        options: EngineOptions,
        clock: Clock,
        connectors: Connectors,
    ) -> None:
        self.name = name
        self.options = options
        self._clock = clock
        self._functions = PythonFunctions()
        vault = Vault(directory, options.secret_key)
        self._vault, self._connectors = vault, connectors
        self.database = Database(
            directory / "volt.duckdb", threads=options.threads, memory_mb=options.memory_mb,
            natives=NATIVES, tier=options.tier,
            batched=(*BATCHED, *self._functions.natives()),
        )  # fmt: skip
        self._books = _restored_books(
            self.database.writer, self._functions, vault, options.compiled
        )
        self.channels = self._books.channels
        self.live = LiveChanges(self._books)
        self._books.observers += (self.live,)
        self.server_key = role_rows.server_key(self.database.writer)
        self.system = SystemCatalog()
        self.plans = Plans()
        self.answers = self._books.answers
        self._idle_readers: deque[Connection] = deque()
        self.loop = EpochLoop(self._books, clock, options)
        self._outboxes = Outboxes(
            options.outbox_rows_max, ledger.count_parcels(self.database.writer)
        )
        schemas = self._schemas = SchemaStores()
        self._ingest = SourceIngest(self.loop, clock, self._admit_source, schemas)
        reader = self.database.reader
        self._feeds = Feeds(
            connectors, self.loop, self._ingest, reader, clock, lambda: self.catalog, vault,
            schemas,
        )  # fmt: skip
        self._deliveries = Deliveries(connectors, self.loop, reader, self._outboxes, clock, vault)
        self.jobs = Jobs(self._books, self.loop, clock, options.retention_s, self.reader)
        self.backups = Backups(name, self._books, self.loop, self.jobs, clock, self.reader)
        self._published = self._books.catalog
        self.loop.after_epoch = self._after_epoch

    @property
    def catalog(self) -> Catalog:
        """Return what exists as of the last committed epoch."""
        return self._books.catalog

    def reader(self) -> Connection:
        """Open a connection whose NOW() is this instant."""
        reader = self.database.reader()
        reader.execute(f"SET VARIABLE vs_now = make_timestamptz({self._clock.now_us()})")
        return reader

    def borrow_reader(self, *, timed: bool) -> Connection:
        """Take a connection that was used before; when ``timed``, its NOW() is this instant."""
        try:
            reader = self._idle_readers.pop()
        except IndexError:
            return self.reader()
        if timed:
            reader.execute(f"SET VARIABLE vs_now = make_timestamptz({self._clock.now_us()})")
        return reader

    def give_back(self, reader: Connection) -> None:
        """Keep a connection for the next query: only one whose statement ended well."""
        if len(self._idle_readers) < READERS_IDLE_MAX:
            self._idle_readers.append(reader)
        else:
            reader.close()

    def costs(self) -> str:
        """Return the statement that tells a connection what operators have cost."""
        return costs.introduction(self._books.dataflow.costs())

    def start(self) -> None:
        self.loop.start()
        self._ingest.start()
        self.jobs.start()
        for start in self._prepared(self.catalog):
            start()

    def _prepared(self, catalog: Catalog) -> list[Callable[[], object]]:
        """Make every connector; one that cannot be made says so, and keeps nothing else shut."""
        starts: list[Callable[[], object]] = []
        for entry in catalog:
            is_sink = entry.kind == "sink" and entry.follow is None and not entry.broken
            try:
                if is_fed(entry):
                    starts.append(self._feeds.prepare(entry, catalog))
                elif is_sink:
                    starts.append(self._deliveries.prepare(entry, catalog))
            except VoltstreamError as fault:
                log.error("%s %s: %s", entry.kind, entry.stored.name, fault.message)
                report = partial(ledger.set_state, oid=entry.oid, state="failed", detail=str(fault))
                starts.append(partial(self.loop.run_chore, report))
        return starts

    def stop(self) -> None:
        """Finish what was accepted, then close the file."""
        self._outboxes.close()
        at_once([self._feeds.stop, self._deliveries.stop])
        self.jobs.stop()
        self._ingest.stop()
        self.loop.stop()
        while self._idle_readers:
            self._idle_readers.pop().close()
        self.database.close()
        self._functions.close()

    def attach(self, epoch: Epoch, entry: Entry) -> None:
        """Make the connector of a new source or sink, and start it when the epoch is durable."""
        if is_fed(entry):
            epoch.after_commit.append(self._feeds.prepare(entry, epoch.catalog))
        elif entry.kind == "sink" and entry.follow is None:
            epoch.after_commit.append(self._deliveries.prepare(entry, epoch.catalog))

    def define(
        self,
        epoch: Epoch,
        parsed: Parsed,
        scope: Scope,
        permits_in: Callable[[Catalog], Permits],
    ) -> Outcome:
        """Run a statement that defines things, and connect what came with it."""
        before = {entry.oid for entry in epoch.catalog}
        outcome = defining.define(epoch, parsed, scope, permits_in)
        for entry in epoch.catalog:  # A new source, sink or table gets its connector.
            if entry.oid not in before:
                self.attach(epoch, entry)
        return outcome

    def completed(self, parsed: Parsed, catalog: Catalog) -> Parsed:
        """Give a definition the columns that the schema of its records has. May ask a registry."""
        if isinstance(parsed, CreateSource | CreateTable):
            if isinstance(parsed, CreateTable) and parsed.origin is not None:
                origin = parsed.origin
                return origins.completed(parsed, origin, catalog, self._connectors, self._vault)
            return inferring.completed(parsed, catalog, self._connectors, self._vault)
        if isinstance(parsed, AlterTable) and parsed.refresh:
            return inferring.refreshed(parsed, catalog, self._connectors, self._vault)
        return parsed

    def schemas_of_letters(self, call: Call) -> SchemaSet | None:
        """Return the schemas that the dead letters of a replay name. May ask a registry."""
        reader = self.reader()
        try:
            return dead_letters.schemas_of_letters(self.catalog, reader, self._schemas, call)
        finally:
            reader.close()

    def submit(self, source: str, batch: RawBatch) -> Future[Receipt]:
        """Take a batch for a source that a client waits for. Raises: UndefinedTable."""
        schema, _, name = source.rpartition(".")
        entry = self.catalog.require(ObjectName(name, schema or None))
        return self._ingest.submit(entry, batch, urgent=True)

    def submit_together(self, batches: Mapping[str, RawBatch]) -> Future[Receipt]:
        """Take batches that become true together. Raises: UndefinedTable."""
        parts = [
            (self.catalog.require(ObjectName(source)), batch) for source, batch in batches.items()
        ]
        return self._ingest.submit_together(parts)

    def admit(self, parsed: Parsed, *, waits: bool) -> None:
        """Hold back a change of rows while an outbox they would reach is full.

        A statement of a block does not wait: it holds the writer, and so the delivery, up.
        Raises: LimitExceeded (54000).
        """
        for name in changed_tables(parsed):
            entry = self.catalog.named(name)
            if entry is not None:
                patience_s = self.options.writer_wait_s if waits else 0
                self._outboxes.admit(entry.oid, self.catalog, patience_s)

    def _admit_source(self, entry: Entry) -> None:
        self._outboxes.admit(entry.oid, self.catalog, None)

    def _after_epoch(self, epoch: Epoch) -> None:
        self._deliveries.wake(epoch.posted())
        self.channels.tell_changes(epoch.changes)
        if epoch.catalog is not self._published:
            self._published = epoch.catalog
            oids = {entry.oid for entry in epoch.catalog}
            self._feeds.stop_missing(oids)
            self._deliveries.stop_missing(oids)
            self._feeds.keep_pace(epoch.catalog)
            self._deliveries.keep_pace(epoch.catalog)


def is_fed(entry: Entry) -> bool:
    """Tell whether rows come in by a connector of its own: sources, and tables that name one."""
    if entry.broken or (isinstance(entry.parsed, CreateTable) and entry.parsed.origin is not None):
        return False
    return entry.kind == "source" or (
        entry.kind == "table" and "connector" in entry.stored.properties
    )


def _followed(catalog: Catalog, entry: Entry) -> Entry:
    return followers.attached(entry, lambda parsed: catalog.named(parsed.from_name))


def _restored_books(
    connection: Connection, functions: PythonFunctions, vault: Vault, compiled: Catalog | None
) -> Books:
    """Read what the file holds and compile every program again: compilation is deterministic."""
    ledger.prepare(connection, MACROS)
    alert_tables.make(connection)
    sweep(connection)
    row = ledger.read_epoch(connection)
    for variable in ("vs_prev", "vs_now"):
        connection.execute(f"SET VARIABLE {variable} = make_timestamptz({row.now_us})")
    schemas = {
        str(name)
        for (name,) in connection.rows(
            "SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database()"
        )
    }
    catalog = Catalog(
        schemas=frozenset(schemas - _OWN_SCHEMAS),
        rights=read_rights(connection),
        roles=read_roles(connection),
    )
    books = Books(connection, Dataflow(), row, vault, catalog, functions=functions)
    for stored in ledger.read_objects(connection):
        known = compiled.by_oid(stored.oid) if compiled is not None else None
        catalog = catalog.with_entry(broken.restored(stored, catalog, books, known))
    books.dataflow.measure = connection.measured
    books.dataflow.types = connection.types
    books.dataflow.ask = connection.rows
    for entry in [*catalog.of_kind("sink"), *catalog.of_kind("subscription")]:
        if entry.broken:
            continue
        catalog = catalog.with_entry(_followed(catalog, entry))
    for oid, comments in ledger.read_column_comments(connection).items():
        commented = catalog.by_oid(oid)
        if commented is not None:
            catalog = catalog.with_entry(replace(commented, comments=comments))
    books.catalog = catalog
    broken.note(books)
    suspend.restore(books)
    books.observers = (Alerts(books),)
    return books
