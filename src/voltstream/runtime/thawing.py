"""Rows of chunk files that a statement is about to change are made hot first.

Law: what a change may match is a hot row when the change runs, so that it is an ordinary change of
the table; the file keeps its bytes and a tomb says which of its rows have left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voltstream.core.limits import HOT_SORT_ROWS
from voltstream.runtime.catalog import Entry
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.pruning import chosen_parts
from voltstream.sql.catalog import Relation
from voltstream.sql.changes import Compiling, matching
from voltstream.sql.statements import CreateIndex, CreateTable
from voltstream.store import hypertable
from voltstream.store.chunk import Part
from voltstream.store.database import Connection, quoted
from voltstream.store.hypertable import Hypertable

_COLD = "_cold"
_THAWED = "_thawed"
EVER = (-(2**62), 2**62)


def is_hypertable(relation: Relation) -> bool:
    return relation.stored == f"_vs.h_{relation.oid}"


def admit_rows(epoch: Epoch, entry: Entry, rows: str) -> None:
    """Make room for rows that are about to be inserted: their chunks, and what they may replace."""
    table = _table(epoch, entry)
    if table is None:
        return
    connection = epoch.connection
    span = hypertable.open_chunks(connection, table, rows)
    if span is None:
        return
    epoch.touch(table.oid, span)
    for key in _keys(epoch, entry):
        condition = f"oid = {table.oid} AND low <= {span[1]} AND high >= {span[0]}"
        parts = hypertable.parts(connection, condition)
        if parts:
            listed = ", ".join(quoted(name) for name in key)
            _make_cold(connection, table, parts)
            _thaw(
                epoch, table, f"SELECT * FROM {_COLD} WHERE ({listed}) IN "
                f"(SELECT ({listed}) FROM {rows})",
            )  # fmt: skip


def order_of(epoch: Epoch, entry: Entry, count: int) -> str:
    """Return the order in which new rows are stored, as a clause; none where it is no help.

    What lies by segment is passed over by vectors when one segment is asked for.
    """
    if count < HOT_SORT_ROWS:
        return ""
    table = _table(epoch, entry)
    if table is None or not table.segmentby:
        return ""
    return " ORDER BY " + ", ".join(quoted(name) for name in (*table.segmentby, table.column))


def _keys(epoch: Epoch, entry: Entry) -> list[Sequence[str]]:
    found: list[Sequence[str]] = []
    if isinstance(entry.parsed, CreateTable):
        found += [key for key in (entry.parsed.primary_key, *entry.parsed.unique) if key]
    for other in epoch.catalog.dependents(entry.oid):
        if isinstance(other.parsed, CreateIndex) and other.parsed.unique and other.parsed.columns:
            found.append(other.parsed.columns)
    return found


def thaw_matching(epoch: Epoch, entry: Entry, tree: Any, compiling: Compiling) -> None:
    """Make the rows hot that an UPDATE, DELETE or MERGE may match."""
    table = _table(epoch, entry)
    if table is None or entry.relation is None:
        return
    connection = epoch.connection
    epoch.touch(table.oid, EVER)
    select, bounds = matching(tree, entry.stored.name, _COLD, entry.relation.columns)
    parts = chosen_parts(connection, compiling, table, entry.relation.columns, bounds)
    if not parts:
        return
    _make_cold(connection, table, parts)
    _thaw(epoch, table, compiling.query(select))


def thaw_equal(epoch: Epoch, entry: Entry, rows: str, columns: Sequence[str]) -> None:
    """Make the rows hot that equal one of ``rows`` in some columns."""
    table = _table(epoch, entry)
    if table is None:
        return
    connection = epoch.connection
    epoch.touch(table.oid, EVER)
    parts = hypertable.parts(connection, f"oid = {table.oid}")
    if parts:
        _make_cold(connection, table, parts)
        same = " AND ".join(f"t.{quoted(c)} IS NOT DISTINCT FROM f.{quoted(c)}" for c in columns)
        _thaw(epoch, table, f"SELECT t.* FROM {_COLD} t SEMI JOIN {rows} f ON {same}")


def forget_rows(epoch: Epoch, entry: Entry) -> None:
    """Forget the chunks of a table whose rows all go."""
    table = _table(epoch, entry)
    if table is not None:
        connection = epoch.connection
        epoch.touch(table.oid, EVER)
        hypertable.drop_parts(connection, hypertable.parts(connection, f"oid = {table.oid}"))
        connection.execute(f"DELETE FROM _vs.chunks WHERE oid = {table.oid}")
        hypertable.make_views(connection, table)


def _table(epoch: Epoch, entry: Entry) -> Hypertable | None:
    if entry.relation is None or not is_hypertable(entry.relation):
        return None
    return hypertable.find(epoch.connection, entry.oid)


def _make_cold(connection: Connection, table: Hypertable, parts: Sequence[Part]) -> None:
    columns = connection.describe(f"SELECT * FROM {table.hot}")
    marked = hypertable.marked_sql(connection, table, columns, parts)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {_COLD} AS {marked}")


def _thaw(epoch: Epoch, table: Hypertable, query: str) -> None:
    """Move the rows of a query over ``_cold`` to the hot ones."""
    connection = epoch.connection
    count = connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_THAWED} AS SELECT DISTINCT ON (_part, _row) * "
        f"FROM ({query})"
    )
    if count <= 0:
        return
    columns = connection.describe(f"SELECT * FROM {table.hot}")
    listed = ", ".join(quoted(column.name) for column in columns)
    connection.execute(f"INSERT INTO {table.hot} ({listed}) SELECT {listed} FROM {_THAWED}")
    hypertable.add_tombs(connection, table.oid, f"SELECT _part, _row FROM {_THAWED}")
    hypertable.make_views(connection, table)
    epoch.touch(table.oid, EVER)
