"""INSERT, UPDATE, DELETE and TRUNCATE, with the deltas they leave."""

from __future__ import annotations

from collections.abc import Sequence

from voltstream.core.errors import WrongObjectType
from voltstream.core.ports import Outcome
from voltstream.runtime import entries
from voltstream.runtime.arrivals import append_rows
from voltstream.runtime.catalog import Entry, Names
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.results import Held
from voltstream.sql.capture import CHANGED, Capture, capture, redirected
from voltstream.sql.catalog import Relation
from voltstream.sql.statements import Delete, Insert, ObjectName, Truncate, Update
from voltstream.sql.translate import translate_query

_PUSHED = "_pushed"


def insert(epoch: Epoch, parsed: Insert, parameters: Sequence[object | None]) -> Outcome:
    entry, relation = _writable(epoch, parsed.table, "table", "source")
    if entry.kind == "source":
        return _push(epoch, entry, relation, parsed, parameters)
    parts = capture(parsed.tree)
    if parts.upsert and epoch.dataflow.has_dependents(relation.delta):
        return _upsert(epoch, relation, parts, parsed, parameters)
    count, rows = _change(epoch, relation, parts, parsed, 1, parameters)
    return Outcome(f"INSERT 0 {count}", rows=rows)


def update(epoch: Epoch, parsed: Update, parameters: Sequence[object | None]) -> Outcome:
    _, relation = _writable(epoch, parsed.table, "table")
    parts = capture(parsed.tree)
    if parts.before is not None and epoch.dataflow.has_dependents(relation.delta):
        names = Names(epoch.catalog, epoch.connection.describe)
        before = translate_query(parts.before, names, epoch.connection, parameters)
        columns = entries.column_list(relation.stable)
        epoch.add_delta(relation.delta, f"SELECT {columns}, -1::INTEGER AS _w FROM ({before})")
    count, rows = _change(epoch, relation, parts, parsed, 1, parameters)
    return Outcome(f"UPDATE {count}", rows=rows)


def delete(epoch: Epoch, parsed: Delete, parameters: Sequence[object | None]) -> Outcome:
    _, relation = _writable(epoch, parsed.table, "table")
    count, rows = _change(epoch, relation, capture(parsed.tree), parsed, -1, parameters)
    return Outcome(f"DELETE {count}", rows=rows)


def truncate(epoch: Epoch, parsed: Truncate) -> Outcome:
    for name in parsed.tables:
        _, relation = _writable(epoch, name, "table")
        if epoch.dataflow.has_dependents(relation.delta):
            columns = entries.column_list(relation.stable)
            epoch.add_delta(
                relation.delta, f"SELECT {columns}, -1::INTEGER AS _w FROM {relation.stored}"
            )
        epoch.connection.execute(f"DELETE FROM {relation.stored}")
    return Outcome("TRUNCATE TABLE")


def _writable(epoch: Epoch, name: ObjectName, *kinds: str) -> tuple[Entry, Relation]:
    entry = epoch.catalog.require(name)
    if entry.kind not in kinds or entry.relation is None:
        raise WrongObjectType(f'cannot change {entry.kind} "{name.name}"')
    return entry, entry.relation


def _change(
    epoch: Epoch,
    relation: Relation,
    parts: Capture,
    parsed: Insert | Update | Delete,
    weight: int,
    parameters: Sequence[object | None],
) -> tuple[int, Held | None]:
    """Run a statement; keep the rows it changed only where someone asks for them."""
    connection = epoch.connection
    names = Names(epoch.catalog, connection.describe)
    observed = epoch.dataflow.has_dependents(relation.delta)
    if not observed and not parsed.returning:
        sql = translate_query(parsed.tree, names, connection, parameters)
        return max(connection.execute(sql), 0), None
    sql = translate_query(parts.change, names, connection, parameters)
    count = connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {CHANGED} AS WITH _x AS ({sql}) SELECT * FROM _x"
    )
    if observed:
        columns = entries.column_list(relation.stable)
        epoch.add_delta(relation.delta, f"SELECT {columns}, {weight}::INTEGER AS _w FROM {CHANGED}")
    return count, _answer(epoch, parts, parameters)


def _upsert(
    epoch: Epoch,
    relation: Relation,
    parts: Capture,
    parsed: Insert,
    parameters: Sequence[object | None],
) -> Outcome:
    """Find what ON CONFLICT DO UPDATE changed by comparing the table before and after."""
    connection = epoch.connection
    columns = entries.column_list(relation.stable)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _before AS SELECT {columns} FROM {relation.stored}"
    )
    names = Names(epoch.catalog, connection.describe)
    sql = translate_query(parts.change, names, connection, parameters)
    count = connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {CHANGED} AS WITH _x AS ({sql}) SELECT * FROM _x"
    )
    epoch.add_delta(
        relation.delta,
        f"SELECT {columns}, sum(_w)::INTEGER AS _w FROM ("
        f"SELECT {columns}, 1 AS _w FROM {relation.stored} "
        f"UNION ALL SELECT {columns}, -1 FROM _before) GROUP BY ALL HAVING sum(_w) <> 0",
    )
    connection.execute("DROP TABLE temp._before")
    rows = _answer(epoch, parts, parameters)
    return Outcome(f"INSERT 0 {count}", rows=rows)


def _answer(epoch: Epoch, parts: Capture, parameters: Sequence[object | None]) -> Held | None:
    if parts.returning is None:
        return None
    names = Names(epoch.catalog, epoch.connection.describe)
    sql = translate_query(parts.returning, names, epoch.connection, parameters)
    return Held(*epoch.connection.arrow(sql))


def _push(
    epoch: Epoch,
    entry: Entry,
    relation: Relation,
    parsed: Insert,
    parameters: Sequence[object | None],
) -> Outcome:
    """Insert into a source: the rows arrive as if its connector had brought them."""
    connection = epoch.connection
    columns = entries.column_list(relation.stable)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_PUSHED} AS SELECT {columns} FROM {relation.stored} LIMIT 0"
    )
    names = Names(epoch.catalog, connection.describe)
    tree = redirected(parsed.tree, _PUSHED)
    count = max(connection.execute(translate_query(tree, names, connection, parameters)), 0)
    _, table = connection.arrow(f"SELECT * FROM {_PUSHED}")
    if count:
        append_rows(epoch, entry, table)
    rows = _answer(epoch, capture(parsed.tree, _PUSHED), parameters)
    return Outcome(f"INSERT 0 {count}", rows=rows)
