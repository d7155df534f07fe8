"""Source rows into an epoch."""

from __future__ import annotations

import pyarrow as pa

from voltstream.core.errors import UndefinedTable
from voltstream.formats.result import GONE
from voltstream.runtime.arrivals import append_rows
from voltstream.runtime.catalog import Entry
from voltstream.runtime.changed import keep_changed
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.tables import keep_arrived
from voltstream.runtime.work import SourceRows
from voltstream.store.ledger import add_dead_letters, save_offsets


def _append(epoch: Epoch, entry: Entry, table: pa.Table) -> None:
    if GONE in table.column_names:
        keep_changed(epoch, entry, table)
    elif entry.kind == "table":
        keep_arrived(epoch, entry, table)
    else:
        append_rows(epoch, entry, table)


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
            _append(epoch, entry, pa.concat_tables(tables))
        for batch in batches:
            add_dead_letters(epoch.connection, batch.letters)
            save_offsets(epoch.connection, oid, batch.offsets)
