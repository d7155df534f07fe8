"""Connectors of sources: made with the source, started when it is durable, stopped with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from voltstream.core.clock import Clock
from voltstream.core.ports import Connector, Connectors
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.runtime.epoch_loop import EpochLoop
from voltstream.runtime.feed import Feed, SharedFeed
from voltstream.runtime.ingest import (
    SourceIngest,
    connector_properties,
    layout,
    source_statement,
)
from voltstream.runtime.pace import SOURCE_RATE, Pace, rate
from voltstream.runtime.schemas import SchemaStores
from voltstream.runtime.secrets import resolved
from voltstream.store.database import Connection
from voltstream.store.vault import Vault


class Feeds:
    """Every running connector of one database."""

    def __init__(
        self,
        connectors: Connectors,
        loop: EpochLoop,
        ingest: SourceIngest,
        reader: Callable[[], Connection],
        clock: Clock,
        catalog: Callable[[], Catalog],
        vault: Vault,
        schemas: SchemaStores,
    ) -> None:
        self._catalog = catalog
        self._schemas = schemas
        self._vault = vault
        self._clock = clock
        self._connectors = connectors
        self._loop = loop
        self._ingest = ingest
        self._reader = reader
        self._running: dict[int, Connector] = {}
        self._paces: dict[int, Pace] = {}
        self._lock = threading.Lock()

    def prepare(self, entry: Entry, catalog: Catalog) -> Callable[[], None]:
        """Make a source's connector. Returns what starts it.

        Raises: InvalidParameter, FeatureNotSupported, UndefinedObject.
        """
        # Refuses what cannot be read now, not at the first row.
        framed = layout(entry).framed
        written = connector_properties(entry)
        connector, pace = None, Pace(self._clock, None)
        properties: Mapping[str, str] = {}
        if framed or entry.stored.properties.get("connector"):
            properties = resolved(written, entry.stored.schema, catalog, self._vault)
        if framed:
            owner = f'source "{entry.stored.name}"'
            self._schemas.open(entry.oid, self._connectors.schemas(properties, owner))
        if entry.stored.properties.get("connector"):
            pace.change(rate(entry.stored.properties, SOURCE_RATE))
            made = SharedFeed if source_statement(entry).shared else Feed
            feed = made(
                entry,
                self._loop,
                self._ingest,
                self._reader,
                self._clock,
                self._catalog,
                properties,
                pace,
            )
            connector = self._connectors.source(feed)

        def start() -> None:
            if connector is not None:
                with self._lock:
                    self._running[entry.oid] = connector
                    self._paces[entry.oid] = pace
                threading.Thread(target=connector.start, daemon=True).start()

        return start

    def stop_missing(self, oids: set[int]) -> None:
        """Stop the connectors of sources that are gone, off the calling thread."""
        with self._lock:
            missing = [oid for oid in self._running if oid not in oids]
            gone = [self._running.pop(oid) for oid in missing]
            for oid in missing:
                self._paces.pop(oid).close()
        self._schemas.forget(self._schemas.known() - oids)
        for connector in gone:
            threading.Thread(target=connector.stop, daemon=True).start()

    def keep_pace(self, catalog: Catalog) -> None:
        """Let sources go on as fast as their properties say now."""
        with self._lock:
            paces = dict(self._paces)
        for oid, pace in paces.items():
            entry = catalog.by_oid(oid)
            if entry is not None:
                pace.change(rate(entry.stored.properties, SOURCE_RATE))

    def stop(self) -> None:
        with self._lock:
            running, self._running = list(self._running.values()), {}
            for pace in self._paces.values():
                pace.close()
        at_once([connector.stop for connector in running])


def at_once(stops: Sequence[Callable[[], None]]) -> None:
    """Run stops at the same time: each may wait for a broker that is not there."""
    threads = [threading.Thread(target=stop) for stop in stops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
