"""Source rows into an epoch."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from voltstream.core.clock import Clock
from voltstream.core.errors import UndefinedTable, VoltstreamError
from voltstream.core.limits import DEAD_LETTER_BYTES_MAX
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.work import SourceRows
from voltstream.sql.statements import CreateSource
from voltstream.store.database import quoted
from voltstream.store.ledger import Letter, add_dead_letters, save_offsets

_LENT = "_arrived"


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


def append_rows(epoch: Epoch, entry: Entry, table: pa.Table) -> None:
    """Store rows of a source with arrival numbers, and as delta where a view reads them."""
    first = epoch.take_rids(table.num_rows)
    ones = pa.repeat(pa.scalar(1, pa.int64()), table.num_rows)
    arrivals = pc.add(pc.cumulative_sum(ones), pa.scalar(first - 1, pa.int64()))
    connection = epoch.connection
    connection.lend(_LENT, table.append_column("_rid", arrivals))
    try:
        columns = column_expressions(entry)
        if entry.relation is not None and epoch.dataflow.has_dependents(entry.relation.delta):
            delta = entry.relation.delta
            selected = f"SELECT {columns}, _rid, 1::INTEGER AS _w FROM {_LENT}"
            epoch.add_delta(delta, selected)
        connection.execute(
            f"INSERT INTO _vs.src_{entry.oid} "
            f"SELECT {columns}, _rid, getvariable('vs_now') FROM {_LENT}"
        )
    finally:
        connection.take_back(_LENT)


def column_expressions(entry: Entry) -> str:
    """Return the SELECT list that turns given columns into stored ones, generated ones included."""
    if not isinstance(entry.parsed, CreateSource):
        raise UndefinedTable(f'"{entry.stored.name}" is not a source')
    parts = []
    for column in entry.parsed.columns:
        value = quoted(column.name)
        if column.generated_sql is not None:
            is_arrival = column.generated_sql.replace(" ", "").lower() == "proctime()"
            value = "getvariable('vs_now')" if is_arrival else column.generated_sql
        parts.append(f"CAST({value} AS {column.store_type}) AS {quoted(column.name)}")
    return ", ".join(parts)


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
