"""Source rows into an epoch."""

from __future__ import annotations

import pyarrow as pa

from voltstream.core.errors import InvalidParameter, UndefinedTable
from voltstream.core.ports import Receipt
from voltstream.formats.result import GONE
from voltstream.runtime.arrivals import append_rows
from voltstream.runtime.catalog import Entry
from voltstream.runtime.changed import keep_changed
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.partition_marks import with_partition
from voltstream.runtime.tables import keep_arrived
from voltstream.runtime.work import SourceRows
from voltstream.store.ledger import add_dead_letters, save_offsets
from voltstream.store.pushes import Push, find_push, keep_push


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
        fresh = [batch for batch in batches if not (batch.name and _was_taken(epoch, batch))]
        tables = [with_partition(entry, batch) for batch in fresh if batch.table.num_rows]
        if tables:
            _append(epoch, entry, pa.concat_tables(tables))
        add_dead_letters(epoch.connection, [one for batch in fresh for one in batch.letters])
        places = {part: place for batch in fresh for part, place in batch.offsets.items()}
        save_offsets(epoch.connection, oid, places)


def _was_taken(epoch: Epoch, batch: SourceRows) -> bool:
    """Tell whether a batch of this name was taken before; note it if not.

    Raises: InvalidParameter (22023) when its name was given to other rows.
    """
    known = find_push(epoch.connection, batch.source, batch.name)
    if known is None:
        rows, letters = batch.table.num_rows, len(batch.letters)
        push = Push(batch.source, batch.name, batch.digest, rows, letters, epoch.number)
        keep_push(epoch.connection, push, epoch.row.now_us)
        return False
    if known.digest != batch.digest:
        raise InvalidParameter(
            f'the idempotency key "{batch.name}" was used for other rows',
            hint="Give each batch a key of its own.",
        )
    batch.taken = Receipt(known.rows, known.dead_letters, known.epoch)
    return True
