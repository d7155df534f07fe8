"""Source rows into an epoch."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from voltstream.core.clock import Clock
from voltstream.core.errors import UndefinedTable, VoltstreamError
from voltstream.core.limits import DEAD_LETTER_BYTES_MAX
from voltstream.runtime.arrivals import append_rows
from voltstream.runtime.catalog import Catalog
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.work import SourceRows
from voltstream.store.ledger import Letter, add_dead_letters, save_offsets


def absorb(epoch: Epoch, group: list[SourceRows]) -> None:
    """Append the rows of each source in arrival order, with their offsets and dead letters."""
    by_source: dict[int, list[SourceRows]] = {}
    for rows in group:
        by_source.setdefault(rows.source, []).append(rows)
    for oid, batches in by_source.items():
        entry = epoch.catalog.by_oid(oid)
        if entry is None:
            raise UndefinedTable("the source was dropped")
        tables = [batch.table for batch in batches if batch.table.num_rows]
        if tables:
            append_rows(epoch, entry, pa.concat_tables(tables))
        for batch in batches:
            add_dead_letters(epoch.connection, batch.letters)
            save_offsets(epoch.connection, oid, batch.offsets)


def halves(
    rows: SourceRows, fault: VoltstreamError, catalog: Catalog, clock: Clock
) -> list[SourceRows]:
    """Split a batch that failed, the later half first; a single row becomes a dead letter."""
    count = rows.table.num_rows
    if count > 1:
        left = rows.table.slice(0, count // 2)
        right = rows.table.slice(count // 2)
        # Offsets go with the last piece: they must not become true before all rows are in.
        return [
            replace(rows, table=right, letters=()),
            replace(rows, table=left, offsets={}),
        ]
    entry = catalog.by_oid(rows.source)
    letter = Letter(
        source=entry.stored.name if entry is not None else str(rows.source),
        position="",
        raw=repr(rows.table.to_pylist()[0]).encode()[:DEAD_LETTER_BYTES_MAX],
        reason=fault.message,
        at_us=clock.now_us(),
    )
    return [replace(rows, table=rows.table.slice(0, 0), letters=(*rows.letters, letter))]
