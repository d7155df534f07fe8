"""Where the schemas of each source's records are kept, and what a batch needs of them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace

from voltstream.core.ports import RawBatch, Schemas, SchemaSet
from voltstream.formats.framed import ids_of
from voltstream.runtime.catalog import Entry


class SchemaStores:
    """The registry of every source whose records name their schemas."""

    def __init__(self) -> None:
        self._of: dict[int, Schemas] = {}
        self._lock = threading.Lock()

    def open(self, oid: int, schemas: Schemas | None) -> None:
        with self._lock:
            if schemas is None:
                self._of.pop(oid, None)
            else:
                self._of[oid] = schemas

    def forget(self, oids: Iterable[int]) -> None:
        with self._lock:
            for oid in oids:
                self._of.pop(oid, None)

    def known(self) -> set[int]:
        with self._lock:
            return set(self._of)

    def with_schemas(self, entry: Entry, batch: RawBatch) -> RawBatch:
        """Give a batch the schemas that its records name. Blocks: call it on the bringer's thread.

        Raises: RegistryUnavailable (08006); the batch is brought again then.
        """
        if not (batch.records or batch.payload):
            return batch
        records = batch.records or [bytes(batch.payload[:5])]
        found = self.of_records(entry, [*records, *(key for key in batch.keys if key)])
        return batch if found is None else replace(batch, schemas=found)

    def of_records(self, entry: Entry, records: Sequence[bytes]) -> SchemaSet | None:
        """Return the schemas that records of a source name; None where they name none. Blocks.

        Raises: RegistryUnavailable (08006).
        """
        with self._lock:
            schemas = self._of.get(entry.oid)
        return None if schemas is None else schemas.known(ids_of(records))
