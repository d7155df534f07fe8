"""INSERT, UPDATE, DELETE and TRUNCATE, with the deltas they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from voltstream.core.errors import WrongObjectType
from voltstream.core.ports import Outcome
from voltstream.runtime import entries, merging, sealing, tables, thawing
from voltstream.runtime.arrivals import append_rows
from voltstream.runtime.catalog import Entry, Names
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.results import Held
from voltstream.sql.capture import ANSWERED, CHANGED, Capture, capture, redirected, retargeted
from voltstream.sql.catalog import Relation
from voltstream.sql.changes import ROW_ID, Compiling, Target, insert_rows, update_rows
from voltstream.sql.columns import quoted
from voltstream.sql.conflicts import conflict_of, conflict_update
from voltstream.sql.returning import Kept, kept_beside
from voltstream.sql.statements import Delete, Insert, Merge, ObjectName, Truncate, Update
from voltstream.sql.told import told
from voltstream.sql.translate import translate_query

_PUSHED = "_pushed"


def insert(epoch: Epoch, parsed: Insert, parameters: Sequence[object | None]) -> Outcome:
    entry, relation = _writable(epoch, parsed.table, "table", "source")
    if entry.kind == "source":
        return _push(epoch, entry, relation, parsed, parameters)
    compiling = _compiling(epoch, parameters)
    target = tables.target(entry)
    rows = insert_rows(parsed.tree, target, compiling)
    conflict = conflict_of(parsed.tree, tables.declared(entry))
    if conflict is not None and conflict.assignments:
        count = tables.make_fresh(epoch, entry, rows)
        update_tree = conflict_update(parsed.tree, conflict, tables.FRESH)
        old, new = update_rows(update_tree, target, compiling)
        tables.upsert(epoch, entry, conflict.columns, old, new)
    else:
        behaviour = "IGNORE" if conflict is not None else None
        columns = conflict.columns if conflict is not None else ()
        quiet = not parsed.returning
        count = tables.insert(epoch, entry, rows, behaviour, columns, quiet=quiet)
    answer = _answer(epoch, entry, capture(parsed.tree, CHANGED), parameters)
    return Outcome(f"INSERT 0 {count}", rows=answer)


def update(epoch: Epoch, parsed: Update, parameters: Sequence[object | None]) -> Outcome:
    entry, _ = _writable(epoch, parsed.table, "table")
    _refuse_append_only(entry, "update")
    compiling = _compiling(epoch, parameters)
    thawing.thaw_matching(epoch, entry, parsed.tree, compiling)
    target = tables.target(entry)
    kept = _kept(parsed, target, compiling)
    also = kept.values if kept is not None else ()
    old, new = update_rows(parsed.tree, target, compiling, also=also)
    count = tables.update(epoch, entry, old, new)
    parts = capture(parsed.tree)
    if kept is not None:
        parts = capture(parsed.tree, ANSWERED, kept.answer)
        _keep(epoch, f"SELECT * FROM ({new}) JOIN {_beside(kept)} USING ({ROW_ID})")
    return Outcome(f"UPDATE {count}", rows=_answer(epoch, entry, parts, parameters))


def _kept(parsed: Update | Delete, target: Target, compiling: Compiling) -> Kept | None:
    """Return what RETURNING tells of the relations beside the target."""
    if not parsed.returning:
        return None
    own = [spec.name for spec in target.columns]

    def columns(query: Any) -> list[str]:
        return [column.name for column in compiling.oracle.describe(compiling.query(query))]

    return kept_beside(parsed.tree, own, columns)


def _beside(kept: Kept) -> str:
    values = ", ".join(f"r{i} AS _r{i}" for i in range(len(kept.values)))
    return f"(SELECT {ROW_ID}, {values} FROM {tables.OLD})"


def _keep(epoch: Epoch, sql: str) -> None:
    epoch.connection.execute(f"CREATE OR REPLACE TEMP TABLE {ANSWERED} AS {sql}")


def merge(epoch: Epoch, parsed: Merge, parameters: Sequence[object | None]) -> Outcome:
    entry, _ = _writable(epoch, parsed.table, "table")
    _refuse_append_only(entry, "merge into")
    compiling = _compiling(epoch, parameters)
    thawing.thaw_matching(epoch, entry, parsed.tree, compiling)
    count = merging.merge(epoch, entry, parsed, compiling)
    return Outcome(f"MERGE {count}", rows=_answer(epoch, entry, capture(parsed.tree), parameters))


def delete(epoch: Epoch, parsed: Delete, parameters: Sequence[object | None]) -> Outcome:
    entry, relation = _writable(epoch, parsed.table, "table")
    _refuse_append_only(entry, "delete from")
    connection = epoch.connection
    thawing.thaw_matching(epoch, entry, parsed.tree, _compiling(epoch, parameters))
    tree = retargeted(parsed.tree, entries.table_store(entry.oid))
    parts = capture(tree)
    compiling = _compiling(epoch, parameters)
    target = tables.target(entry)
    kept = _kept(parsed, target, compiling)
    if kept is not None:  # The rows are found as those of an UPDATE that sets nothing.
        found, _ = update_rows(parsed.tree, target, compiling, also=kept.values)
        epoch.connection.execute(f"CREATE OR REPLACE TEMP TABLE {tables.OLD} AS {found}")
        was = ", ".join(f"o{i} AS {quoted(s.name)}" for i, s in enumerate(target.columns))
        _keep(epoch, f"SELECT {was}, r.* FROM {tables.OLD} JOIN {_beside(kept)} r USING ({ROW_ID})")
    names = Names(epoch.catalog, connection.describe)
    observed = epoch.dataflow.has_dependents(relation.delta)
    if not observed and not parsed.returning:
        count = connection.execute(translate_query(tree, names, connection, parameters))
        return Outcome(f"DELETE {max(count, 0)}")
    sql = translate_query(parts.change, names, connection, parameters)
    count = connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {CHANGED} AS WITH _x AS ({sql}) SELECT * FROM _x"
    )
    tables.add_delta(epoch, relation, CHANGED, -1)
    if kept is not None:
        parts = capture(parsed.tree, ANSWERED, kept.answer)
    return Outcome(f"DELETE {count}", rows=_answer(epoch, entry, parts, parameters))


def truncate(epoch: Epoch, parsed: Truncate) -> Outcome:
    for name in parsed.tables:
        entry, relation = _writable(epoch, name, "table")
        tables.add_delta(epoch, relation, relation.stored, -1)
        thawing.forget_rows(epoch, entry)
        epoch.connection.execute(f"DELETE FROM {entries.table_store(entry.oid)}")
    return Outcome("TRUNCATE TABLE")


def _compiling(epoch: Epoch, parameters: Sequence[object | None]) -> Compiling:
    connection = epoch.connection
    return Compiling(Names(epoch.catalog, connection.describe), connection, parameters)


def _writable(epoch: Epoch, name: ObjectName, *kinds: str) -> tuple[Entry, Relation]:
    entry = epoch.catalog.require(name)
    sealing.refuse(entry)
    if entry.kind not in kinds or entry.relation is None:
        raise WrongObjectType(
            f'cannot change {entry.kind} "{name.name}"',
            hint="Change the tables it reads." if "view" in entry.kind else None,
        )
    return entry, entry.relation


def _refuse_append_only(entry: Entry, verb: str) -> None:
    if entry.relation is not None and entry.relation.append_only:
        raise WrongObjectType(
            f'cannot {verb} append-only table "{entry.stored.name}"',
            hint="Create it without APPEND ONLY.",
        )


@dataclass(frozen=True, slots=True)
class _Standing:
    """A catalog in which the rows that changed stand under a name of their own."""

    names: Names
    relation: Relation | None

    def find(self, schema: str | None, name: str) -> Relation | None:
        changed = schema is None and name in (CHANGED, ANSWERED, _PUSHED)
        return self.relation if changed else self.names.find(schema, name)


def _answer(
    epoch: Epoch, entry: Entry, parts: Capture, parameters: Sequence[object | None]
) -> Held | None:
    """Evaluate RETURNING over the rows as they are now."""
    if parts.returning is None:
        return None
    names = Names(epoch.catalog, epoch.connection.describe)
    sql = translate_query(parts.returning, names, epoch.connection, parameters)
    columns, rows = epoch.connection.arrow(sql)
    return Held(told(parts.returning, _Standing(names, entry.relation), columns), rows)


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
    rows = _answer(epoch, entry, capture(parsed.tree, _PUSHED), parameters)
    return Outcome(f"INSERT 0 {count}", rows=rows)
