"""How a source's new rows reach its views: they are read where the decoder left them.

The delta of a source is a view over an Arrow table that is lent to the engine for one epoch, so
the rows are copied once, into the stored source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from voltstream.core.errors import DatatypeMismatch, UndefinedColumn, UndefinedTable
from voltstream.core.types import Kind, from_store
from voltstream.runtime.catalog import Entry
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.partition_marks import PARTITION, advance_by_partition
from voltstream.sql.catalog import Relation
from voltstream.sql.statements import ColumnSpec, CreateSource
from voltstream.sql.watermarks import declared
from voltstream.store.database import Connection, literal, quoted

IDLE_TIMEOUT = "watermark.idle_timeout"
_LENT = "_arrived"
_TIMES = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})
_CHUNKS_MAX = 8  # More are joined: reading begins anew at each, for each view.


def lent_name(oid: int) -> str:
    return f"a_{oid}"


def make_arrival_delta(connection: Connection, relation: Relation, parsed: CreateSource) -> None:
    """Create the delta of a source over an empty loan."""
    lent = [column.name for column in parsed.columns if not _is_arrival(column)]
    columns = ", ".join([*(quoted(name) for name in lent), "_rid"])
    _, empty = connection.arrow(f"SELECT {columns} FROM {relation.stored} LIMIT 0")
    connection.lend(lent_name(relation.oid), empty)
    listed = column_expressions(parsed, computed=True)
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {relation.delta} AS SELECT {listed}, "
        f"_rid, 1::INTEGER AS _w FROM {lent_name(relation.oid)}"
    )


def drop_arrival_delta(connection: Connection, relation: Relation) -> None:
    connection.execute(f"DROP VIEW IF EXISTS temp.{relation.delta}")
    connection.take_back(lent_name(relation.oid))


def show_all_rows(connection: Connection, relation: Relation) -> int:
    """Let the delta show everything the source holds. Returns how many rows that is."""
    columns = ", ".join(quoted(name) for name in relation.stable)
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {relation.delta} AS "
        f"SELECT {columns}, _rid, 1::INTEGER AS _w FROM {relation.stored}"
    )
    return connection.execute(f"SELECT count(*) FROM {relation.stored}")


def followed(text: str | None, columns: Sequence[ColumnSpec]) -> dict[str, str]:
    """Return a watermark as a property; one of a column that is no time closes nothing."""
    name = declared(text)[0] if text else ""
    timed = any(c.name == name and c.store_type.startswith(("TIMESTAMP", "DATE")) for c in columns)
    return {"watermark": text} if text and timed else {}


def check_mark(
    connection: Connection, text: str, columns: Sequence[ColumnSpec], store: str
) -> None:
    """Raises: DatatypeMismatch (42804) for a watermark of another kind than its column."""
    name, expression = declared(text)
    spec = next((one for one in columns if one.name == name), None)
    if spec is None:
        raise UndefinedColumn(f'column "{name}" does not exist')
    column = from_store(spec.store_type)
    found = from_store(connection.describe(f"SELECT {expression} FROM {store}")[0].store_type)
    if found.kind is not column.kind and not {found.kind, column.kind} <= _TIMES:
        raise DatatypeMismatch(
            "The return value type of the watermark expression must be identical to the watermark "
            "column data type. Current data type of watermark return value: "
            f"`{found.pg_name}`, column `{column.pg_name}`"
        )


def advance_watermark(connection: Connection, entry: Entry, rows: str) -> None:
    """Raise the watermark of a source or table to the greatest one its new rows imply."""
    _, expression = declared(entry.stored.properties["watermark"])
    connection.execute(
        "UPDATE _vs.watermarks SET arrived = getvariable('vs_now'), reached = greatest(reached, "
        f"(SELECT CAST(max({expression}) AS TIMESTAMPTZ) FROM {rows})) WHERE oid = {entry.oid}"
    )


def start_watermark(connection: Connection, oid: int, properties: Mapping[str, str]) -> None:
    """Begin to follow a declared watermark, and learn its delay behind the clock."""
    if "watermark" not in properties:
        return
    name, expression = declared(properties["watermark"])
    idle = properties.get(IDLE_TIMEOUT)
    idle_s = f"epoch(CAST({literal(idle)} AS INTERVAL))" if idle else "NULL"
    connection.execute(
        f"INSERT INTO _vs.watermarks SELECT {oid}, NULL, now, {idle_s}, "
        f"epoch(now) - epoch(({expression})::TIMESTAMPTZ) FROM (SELECT now, now AS {quoted(name)} "
        "FROM (SELECT CAST(getvariable('vs_now') AS TIMESTAMPTZ) AS now))"
    )


def restart_watermark(connection: Connection, oid: int, properties: Mapping[str, str]) -> None:
    """Let a watermark go on by another expression, from where it is."""
    connection.execute(f"UPDATE _vs.watermarks SET oid = {-oid} WHERE oid = {oid}")
    start_watermark(connection, oid, properties)
    connection.execute(
        "UPDATE _vs.watermarks AS w SET reached = o.reached, arrived = o.arrived "
        f"FROM _vs.watermarks AS o WHERE w.oid = {oid} AND o.oid = {-oid}"
    )
    connection.execute(f"DELETE FROM _vs.watermarks WHERE oid = {-oid}")
    connection.execute(f"DELETE FROM _vs.partition_marks WHERE oid = {oid}")


def append_rows(epoch: Epoch, entry: Entry, table: pa.Table) -> None:
    """Store rows of a source with arrival numbers, and as delta where a view reads them."""
    table = _completed(table, entry)
    table = table.append_column("_rid", _numbers(epoch.take_rids(table.num_rows), table.num_rows))
    if table.num_columns and table.column(0).num_chunks > _CHUNKS_MAX:
        table = table.combine_chunks()
    relation = entry.relation
    if relation is None or not isinstance(entry.parsed, CreateSource):
        raise UndefinedTable(f'"{entry.stored.name}" is not a source')
    partitioned = PARTITION in table.column_names
    connection = epoch.connection
    read = epoch.dataflow.has_dependents(relation.delta)
    if read:
        table = _with_computed(connection, entry.parsed, table)
        bare = table.drop_columns([PARTITION]) if partitioned else table
        epoch.add_arrivals(relation.delta, lent_name(entry.oid), bare)
    connection.lend(_LENT, table)
    try:
        columns = column_expressions(entry.parsed, computed=read)
        listed = ", ".join(quoted(column.name) for column in entry.parsed.columns)
        connection.execute(
            f"INSERT INTO {relation.stored} ({listed}, _rid, _at) SELECT {columns}, _rid, "
            f"getvariable('vs_now') FROM {_LENT}"
        )
        if relation.watermarks and partitioned:
            _, expression = declared(entry.stored.properties["watermark"])
            rows = f"(SELECT {PARTITION}, {columns} FROM {_LENT})"
            advance_by_partition(connection, entry.oid, expression, rows)
        elif relation.watermarks:
            advance_watermark(connection, entry, f"(SELECT {columns} FROM {_LENT})")
    finally:
        connection.take_back(_LENT)


def _numbers(first: int, count: int) -> pa.Array[Any]:
    """Return so many integers from ``first`` on.

    From a buffer: ``pa.array`` and ``pa.scalar`` import pandas where it is installed, half a second
    of the first epoch.
    """
    numbers = pa.py_buffer(np.arange(first, first + count, dtype=np.int64).data)
    return pa.Array.from_buffers(pa.int64(), count, [None, numbers])


def _with_computed(connection: Connection, parsed: CreateSource, table: pa.Table) -> pa.Table:
    """Compute what generated columns hold, once for the store and for every view."""
    made = [column for column in parsed.columns if column.generated_sql and not _is_arrival(column)]
    if not made:
        return table
    given = [column.name for column in made if column.name in table.column_names]
    table = table.drop_columns(given)  # INSERT has them, as NULL.
    listed = ", ".join(f"{_expression(column)} AS {quoted(column.name)}" for column in made)
    connection.lend(_LENT, table)
    try:
        _, found = connection.arrow(f"SELECT _rid, {listed} FROM {_LENT}")
    finally:
        connection.take_back(_LENT)
    order = np.argsort(found.column("_rid").to_numpy(), kind="stable")  # Threads mix slices.
    if not np.array_equal(order, np.arange(len(order))):
        found = found.take(pa.array(order, pa.int64()))
    for column in made:
        table = table.append_column(column.name, found.column(column.name))
    return table


def _completed(table: pa.Table, entry: Entry) -> pa.Table:
    """Add columns that the source has gained since the rows were decoded."""
    if isinstance(entry.parsed, CreateSource):
        for column in entry.parsed.columns:
            if column.generated_sql is None and column.name not in table.column_names:
                nulls: Any = pa.nulls(len(table))
                table = table.append_column(column.name, nulls)
    return table


def _is_arrival(column: ColumnSpec) -> bool:
    return (column.generated_sql or "").replace(" ", "").lower() == "proctime()"


def _expression(column: ColumnSpec, *, computed: bool = False) -> str:
    value = quoted(column.name)
    if _is_arrival(column):
        value = "getvariable('vs_now')"
    elif column.generated_sql is not None and not computed:
        value = column.generated_sql
    return f"CAST({value} AS {column.store_type})"


def column_expressions(parsed: CreateSource, *, computed: bool = False) -> str:
    """Return the SELECT list that turns given columns into stored ones.

    Shape: ``computed`` says that the rows have their generated columns already.
    """
    return ", ".join(
        f"{_expression(column, computed=computed)} AS {quoted(column.name)}"
        for column in parsed.columns
    )
