"""The rows of a table: how new ones come in, what they replace, and the delta of it.

Every way in, INSERT, COPY, a connector and a sink, ends here, so that keys, checks and views are
treated alike. New rows are in ``FRESH`` with their ordinal, what they replace in ``_old``; what
RETURNING reads is in ``CHANGED``.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from voltstream.core.errors import CardinalityViolation, CheckViolation, InternalError
from voltstream.runtime import entries, expiry, thawing
from voltstream.runtime.arrivals import advance_watermark
from voltstream.runtime.catalog import Entry, Names
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.partition_marks import PARTITION, advance_by_partition
from voltstream.sql.capture import CHANGED
from voltstream.sql.catalog import Relation
from voltstream.sql.changes import ORDINAL, ROW_ID, Compiling, Target, arriving_rows
from voltstream.sql.columns import columns_in
from voltstream.sql.dialect import parse_expression, tokenize
from voltstream.sql.statements import Check, CreateTable
from voltstream.sql.watermarks import declared as watermark_parts
from voltstream.store.database import quoted

FRESH = "_fresh"
OLD = "_old"
_LENT = "_arrived_rows"


def declared(entry: Entry) -> CreateTable:
    if not isinstance(entry.parsed, CreateTable):
        raise InternalError(f'"{entry.stored.name}" is not a table')
    return entry.parsed


def _relation(entry: Entry) -> Relation:
    if entry.relation is None:
        raise InternalError(f'table "{entry.stored.name}" has no rows')
    return entry.relation


def _hot(relation: Relation) -> str:
    """Return where rows are written; those of a hypertable's chunk files are made hot first."""
    return entries.table_store(relation.oid)


def target(entry: Entry) -> Target:
    columns = declared(entry).columns
    return Target(
        name=entry.stored.name,
        stored=entries.table_store(entry.oid),
        columns=columns,
        sequences={
            spec.name: entries.sequence(entry.oid, spec.name)
            for spec in columns
            if spec.identity is not None
        },
    )


def add_delta(epoch: Epoch, relation: Relation, rows: str, weight: int) -> None:
    """Tell the views of rows that came or went; nothing when no view looks."""
    if epoch.dataflow.has_dependents(relation.delta):
        columns = entries.column_list(relation.stable)
        epoch.add_delta(relation.delta, f"SELECT {columns}, {weight}::INTEGER AS _w FROM {rows}")


def make_fresh(epoch: Epoch, entry: Entry, rows_sql: str) -> int:
    """Compute new rows. Returns how many. Raises: CheckViolation (23514)."""
    count = epoch.connection.execute(f"CREATE OR REPLACE TEMP TABLE {FRESH} AS {rows_sql}")
    _check(epoch, entry, FRESH)
    if expiry.follows(entry.stored.properties) and expiry.set_late_apart(epoch, entry, FRESH):
        _end_late(epoch, entry)
    thawing.admit_rows(epoch, entry, FRESH)
    return max(count, 0)


def _end_late(epoch: Epoch, entry: Entry) -> None:
    """Delete the rows whose place a late row would have taken."""
    table, relation = declared(entry), _relation(entry)
    if not table.primary_key or table.on_conflict != "OVERWRITE" or table.version_columns:
        return
    key = entries.column_list(relation.key)
    found = f"({key}) IN (SELECT ({key}) FROM {expiry.LATE})"
    add_delta(epoch, relation, f"(SELECT * FROM {_hot(relation)} WHERE {found})", -1)
    epoch.connection.execute(f"DELETE FROM {_hot(relation)} WHERE {found}")


def _check(epoch: Epoch, entry: Entry, rows: str) -> None:
    table = declared(entry)
    if not table.checks:
        return
    connection = epoch.connection
    compiling = Compiling(Names(epoch.catalog, connection.describe), connection)
    trees = [parse_expression(tokenize(check.text), check.text) for check in table.checks]
    tests = compiling.items(trees, entries.table_store(entry.oid))
    shown = ", ".join(
        f"coalesce(CAST({quoted(spec.name)} AS VARCHAR), 'null')" for spec in table.columns
    )
    for check, test in zip(table.checks, tests, strict=True):
        failing = connection.rows(
            f"SELECT concat_ws(', ', {shown}) FROM {rows} WHERE NOT ({test}) LIMIT 1"
        )
        if failing:
            raise CheckViolation(
                f'new row for relation "{entry.stored.name}" violates check constraint '
                f'"{check_name(entry.stored.name, table, check)}"',
                detail=f"Failing row contains ({failing[0][0]}).",
            )


def check_name(name: str, table: CreateTable, check: Check) -> str:
    """Name a constraint as PostgreSQL does: by its table, its only column, and a number."""
    if check.name is not None:
        return check.name
    made: list[str] = []
    for other in table.checks:
        columns = columns_in(other.text)
        base = "_".join([name, *(columns if len(columns) == 1 else ()), "check"])
        taken = sum(one.startswith(base) for one in made)
        made.append(base + (str(taken) if taken else ""))
        if other is check:
            break
    return made[-1]


def insert(
    epoch: Epoch,
    entry: Entry,
    rows_sql: str,
    behaviour: str | None = None,
    columns: Sequence[str] = (),
    *,
    quiet: bool = True,
    parted: str = "",
) -> int:
    """Insert rows as the table's key, or ON CONFLICT DO NOTHING, says. Returns how many came.

    ``quiet`` says that nobody asks for the rows themselves; ``parted`` has the partition of each.
    """
    table, relation = declared(entry), _relation(entry)
    observed = epoch.dataflow.has_dependents(relation.delta)
    plain = behaviour is None and not table.primary_key and not table.checks
    plain = plain and not observed and not thawing.is_hypertable(relation)
    plain = plain and not expiry.follows(entry.stored.properties)
    if plain and quiet and not relation.watermarks:
        listed = entries.column_list(relation.stable)
        return max(
            epoch.connection.execute(
                f"INSERT INTO {_hot(relation)} ({listed}) SELECT {listed} FROM ({rows_sql})"
            ),
            0,
        )
    count = make_fresh(epoch, entry, rows_sql)
    if relation.watermarks and parted:
        rows = f"(SELECT * FROM {FRESH} JOIN {parted} USING ({ORDINAL}))"
        _, expression = watermark_parts(entry.stored.properties["watermark"])
        advance_by_partition(epoch.connection, entry.oid, expression, rows)
    elif relation.watermarks:
        advance_watermark(epoch.connection, entry, FRESH)
    if behaviour == "IGNORE" or table.on_conflict == "IGNORE":
        made = _insert_new(epoch, entry, columns, tagged=behaviour is not None, count=count)
        _expire(epoch, entry, CHANGED)
        return made
    if table.primary_key:
        _replace(epoch, entry, count)
    else:
        _store(epoch, relation, FRESH, thawing.order_of(epoch, entry, count))
    _expire(epoch, entry, FRESH)
    if not quiet:
        _show_fresh(epoch)
    return count


def _expire(epoch: Epoch, entry: Entry, rows: str) -> None:
    if expiry.follows(entry.stored.properties):
        expiry.advance(epoch, entry, rows)


def _show_fresh(epoch: Epoch) -> None:
    """Let RETURNING read the new rows."""
    epoch.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {CHANGED} AS SELECT * EXCLUDE ({ORDINAL}) FROM {FRESH}"
    )


def _store(epoch: Epoch, relation: Relation, rows: str, order: str = "") -> None:
    listed = entries.column_list(relation.stable)
    epoch.connection.execute(
        f"INSERT INTO {_hot(relation)} ({listed}) SELECT {listed} FROM {rows}{order}"
    )
    add_delta(epoch, relation, rows, 1)


def _insert_new(
    epoch: Epoch, entry: Entry, columns: Sequence[str], *, tagged: bool, count: int
) -> int:
    """Insert the rows whose keys are not there. PostgreSQL counts those, RisingWave all."""
    relation = _relation(entry)
    listed = entries.column_list(relation.stable)
    on = columns or (() if tagged else relation.key)
    where = f" ({entries.column_list(on)})" if on else ""
    made = epoch.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {CHANGED} AS WITH _x AS ("
        f"INSERT INTO {_hot(relation)} ({listed}) SELECT {listed} FROM {FRESH} ORDER BY {ORDINAL} "
        f"ON CONFLICT{where} DO NOTHING RETURNING *) SELECT * FROM _x"
    )
    add_delta(epoch, relation, CHANGED, 1)
    return max(made, 0) if tagged else count


def _replace(epoch: Epoch, entry: Entry, count: int) -> None:
    """Insert rows that take the place of those with their keys."""
    table, relation = declared(entry), _relation(entry)
    connection = epoch.connection
    key = entries.column_list(relation.key)
    kept = _keep_last(epoch, table, relation) if count > 1 else count
    listed = entries.column_list(relation.stable)
    # The index finds the few keys that exist; only then are their rows looked for.
    entered = connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _entered AS WITH _x AS ("
        f"INSERT INTO {_hot(relation)} ({listed}) SELECT {listed} FROM {FRESH} "
        f"ON CONFLICT ({key}) DO NOTHING RETURNING {key}) SELECT * FROM _x"
    )
    if entered < kept:
        _replace_old(epoch, entry)
    add_delta(epoch, relation, FRESH, 1)


def _replace_old(epoch: Epoch, entry: Entry) -> None:
    table, relation = declared(entry), _relation(entry)
    connection = epoch.connection
    key = entries.column_list(relation.key)
    listed = entries.column_list(relation.stable)
    late = f"SELECT ({key}) FROM {FRESH} WHERE ({key}) NOT IN (SELECT ({key}) FROM _entered)"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {OLD} AS SELECT {listed} FROM {_hot(relation)} "
        f"WHERE ({key}) IN ({late})"
    )
    match = " AND ".join(f"f.{quoted(k)} = o.{quoted(k)}" for k in relation.key)
    if table.version_columns:
        connection.execute(
            f"DELETE FROM {FRESH} f USING {OLD} o "
            f"WHERE {match} AND {_is_older(table.version_columns)}"
        )
        connection.execute(
            f"DELETE FROM {OLD} o WHERE NOT EXISTS (SELECT 1 FROM {FRESH} f WHERE {match})"
        )
    if table.on_conflict == "IF NOT NULL":
        others = [c for c in relation.stable if c not in relation.key]
        sets = ", ".join(f"{quoted(c)} = coalesce(f.{quoted(c)}, o.{quoted(c)})" for c in others)
        if sets:
            connection.execute(f"UPDATE {FRESH} f SET {sets} FROM {OLD} o WHERE {match}")
    connection.execute(f"DELETE FROM {_hot(relation)} WHERE ({key}) IN (SELECT ({key}) FROM {OLD})")
    connection.execute(
        f"INSERT INTO {_hot(relation)} ({listed}) SELECT {listed} FROM {FRESH} "
        f"WHERE ({key}) IN (SELECT ({key}) FROM {OLD})"
    )
    add_delta(epoch, relation, OLD, -1)


def _is_older(versions: Sequence[str]) -> str:
    """Print "the version of f is before that of o"; NULL is before all others."""
    condition = "FALSE"
    for name in reversed(versions):
        f, o = f"f.{quoted(name)}", f"o.{quoted(name)}"
        before = f"coalesce({f} < {o}, {f} IS NULL AND {o} IS NOT NULL)"
        condition = f"({before} OR ({f} IS NOT DISTINCT FROM {o} AND {condition}))"
    return condition


def _keep_last(epoch: Epoch, table: CreateTable, relation: Relation) -> int:
    """Let one row per key stand: the last, the newest version, or all of them folded together.

    Returns how many stand.
    """
    connection = epoch.connection
    key = entries.column_list(relation.key)
    rows, keys = connection.rows(f"SELECT count(*), count(DISTINCT ({key})) FROM {FRESH}")[0]
    if rows == keys:
        return int(rows)
    order = ", ".join([*(f"{quoted(c)} NULLS FIRST" for c in table.version_columns), ORDINAL])
    if table.on_conflict == "IF NOT NULL":
        parts = [
            quoted(c)
            if c in relation.key
            else f"last({quoted(c)} ORDER BY {order}) FILTER ({quoted(c)} IS NOT NULL) "
            f"AS {quoted(c)}"
            for c in relation.stable
        ]
        sql = f"SELECT {', '.join(parts)}, max({ORDINAL}) AS {ORDINAL} FROM {FRESH} GROUP BY {key}"
    else:
        descending = ", ".join(
            [*(f"{quoted(c)} DESC NULLS LAST" for c in table.version_columns), f"{ORDINAL} DESC"]
        )
        sql = (
            f"SELECT * FROM {FRESH} QUALIFY row_number() OVER "
            f"(PARTITION BY {key} ORDER BY {descending}) = 1"
        )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _kept AS {sql}")
    connection.execute(f"DROP TABLE temp.{FRESH}")
    connection.execute(f"ALTER TABLE temp._kept RENAME TO {FRESH}")
    return int(keys)


def update(epoch: Epoch, entry: Entry, old_sql: str, new_sql: str) -> int:
    """Change rows: ``old_sql`` finds them, ``new_sql`` gives the new ones from ``_old``."""
    connection = epoch.connection
    count = connection.execute(f"CREATE OR REPLACE TEMP TABLE {OLD} AS {old_sql}")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {CHANGED} AS SELECT * EXCLUDE ({ROW_ID}) FROM ({new_sql})"
    )
    _check(epoch, entry, CHANGED)
    swap(epoch, entry)
    return max(count, 0)


def swap(epoch: Epoch, entry: Entry) -> None:
    """Put the rows of CHANGED in the place of those whose ids are in _old."""
    relation = _relation(entry)
    connection = epoch.connection
    listed = entries.column_list(relation.stable)
    expires = expiry.follows(entry.stored.properties)
    if expires:
        expiry.set_late_apart(epoch, entry, CHANGED)
    thawing.admit_rows(epoch, entry, CHANGED)
    if epoch.dataflow.has_dependents(relation.delta):
        was = ", ".join(f"o{i} AS {quoted(name)}" for i, name in enumerate(relation.stable))
        add_delta(epoch, relation, f"(SELECT {was} FROM {OLD})", -1)
    connection.execute(f"DELETE FROM {_hot(relation)} WHERE rowid IN (SELECT {ROW_ID} FROM {OLD})")
    connection.execute(f"INSERT INTO {_hot(relation)} ({listed}) SELECT {listed} FROM {CHANGED}")
    add_delta(epoch, relation, CHANGED, 1)
    _expire(epoch, entry, CHANGED)


def upsert(epoch: Epoch, entry: Entry, columns: Sequence[str], old_sql: str, new_sql: str) -> None:
    """Do INSERT … ON CONFLICT DO UPDATE: the rows in FRESH are new, or change those they meet.

    Raises: CardinalityViolation (21000) when two new rows have one key.
    """
    relation = _relation(entry)
    connection = epoch.connection
    key = entries.column_list(columns)
    rows, keys = connection.rows(
        f"SELECT count(*), count(DISTINCT ({key})) FROM {FRESH} "
        f"WHERE {' AND '.join(f'{quoted(c)} IS NOT NULL' for c in columns)}"
    )[0]
    if rows != keys:
        raise CardinalityViolation(
            "ON CONFLICT DO UPDATE command cannot affect row a second time",
            hint="Ensure that no rows proposed for insertion within the same command have "
            "duplicate constrained values.",
        )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {OLD} AS {old_sql}")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {CHANGED} AS SELECT * EXCLUDE ({ROW_ID}) FROM ({new_sql})"
    )
    _check(epoch, entry, CHANGED)
    match = " AND ".join(f"f.{quoted(c)} = t.{quoted(c)}" for c in columns)
    listed = entries.column_list(relation.stable)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE _entering AS SELECT {listed} FROM {FRESH} f "
        f"WHERE NOT EXISTS (SELECT 1 FROM {_hot(relation)} t WHERE {match})"
    )
    swap(epoch, entry)
    _store(epoch, relation, "_entering")
    _expire(epoch, entry, "_entering")
    connection.execute(f"INSERT INTO {CHANGED} ({listed}) SELECT {listed} FROM _entering")


def keep_arrived(epoch: Epoch, entry: Entry, table: pa.Table) -> int:
    """Store rows that a connector or COPY has brought, by the names of their columns."""
    connection = epoch.connection
    places = pa.array(range(table.num_rows), pa.int64())
    connection.lend(_LENT, table.append_column(ORDINAL, places))
    try:
        compiling = Compiling(Names(epoch.catalog, connection.describe), connection)
        names = {name: name for name in table.column_names if name != PARTITION}
        rows = arriving_rows(_LENT, names, target(entry), compiling)
        parted = f"(SELECT {ORDINAL}, {PARTITION} FROM {_LENT})"
        return insert(epoch, entry, rows, parted=parted if len(names) < table.num_columns else "")
    finally:
        connection.take_back(_LENT)


def take_out(epoch: Epoch, entry: Entry, rows_sql: str, columns: Sequence[str]) -> None:
    """Delete one row for each given one: by the key, or by equality of the named columns."""
    relation = _relation(entry)
    connection = epoch.connection
    by = relation.key or tuple(columns)
    gone = connection.execute(f"CREATE OR REPLACE TEMP TABLE {FRESH} AS {rows_sql}")
    if gone <= 0:
        return
    thawing.thaw_equal(epoch, entry, FRESH, by)
    listed, match = entries.column_list(by), entries.column_list(relation.stable)
    if relation.key:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {OLD} AS SELECT {match} FROM {relation.stored} "
            f"WHERE ({listed}) IN (SELECT ({listed}) FROM {FRESH})"
        )
        add_delta(epoch, relation, OLD, -1)
        connection.execute(
            f"DELETE FROM {relation.stored} WHERE ({listed}) IN (SELECT ({listed}) FROM {OLD})"
        )
        return
    numbered = f"row_number() OVER (PARTITION BY {listed}) AS _k"
    same = " AND ".join(f"t.{quoted(c)} IS NOT DISTINCT FROM f.{quoted(c)}" for c in by)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {OLD} AS SELECT t.* FROM "
        f"(SELECT rowid AS {ROW_ID}, {match}, {numbered} FROM {_hot(relation)}) t "
        f"SEMI JOIN (SELECT {listed}, {numbered} FROM {FRESH}) f ON {same} AND t._k = f._k"
    )
    add_delta(epoch, relation, OLD, -1)
    connection.execute(f"DELETE FROM {_hot(relation)} WHERE rowid IN (SELECT {ROW_ID} FROM {OLD})")
