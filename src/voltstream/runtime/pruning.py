"""Which chunk files a query must open: chosen from the catalog by its WHERE, before any is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from voltstream.core.errors import VoltstreamError
from voltstream.core.schema import Schema
from voltstream.runtime.catalog import Catalog, Entry, Names
from voltstream.sql.bounds import Bound, plain_constant, repointed
from voltstream.sql.changes import Compiling
from voltstream.store import hypertable
from voltstream.store.chunk import Part
from voltstream.store.database import Connection, literal
from voltstream.store.hypertable import DAY_US, Hypertable

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UINTEGER", "DOUBLE", "FLOAT", "DECIMAL")


def pruned(
    connection: Connection, catalog: Catalog, tree: Any, parameters: Sequence[object | None]
) -> Any:
    """Return the query over what it needs of each hypertable.

    Law: the chunk catalog and the rows are read in one transaction of ``connection``, so that rows
    are seen either hot or in a file.
    """
    hypertables = hypertables_of(catalog)
    if not hypertables:
        return tree
    compiling = Compiling(Names(catalog, connection.describe), connection, parameters)
    made: list[str] = []

    def choose(
        schema: str, name: str, bounds: Callable[[frozenset[str]], list[Bound]]
    ) -> str | None:
        entry = hypertables.get((schema, name))
        if entry is None or entry.relation is None:
            return None
        table = hypertable.find(connection, entry.oid)
        if table is None:
            return None
        columns = entry.relation.columns
        found = bounds(frozenset(column.name for column in columns))
        parts = chosen_parts(connection, compiling, table, columns, found)
        if not parts:
            return table.hot
        view = f"_pruned_{entry.oid}_{len(made)}"
        made.append(view)
        whole = hypertable.whole_sql(connection, table, columns, parts)
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS {whole}")
        return f"temp.main.{view}"

    return repointed(tree, choose)


def hypertables_of(catalog: Catalog) -> dict[tuple[str, str], Entry]:
    return {
        entry.key: entry
        for entry in catalog.of_kind("table")
        if entry.relation is not None and entry.relation.stored == f"_vs.h_{entry.oid}"
    }


def chosen_parts(
    connection: Connection,
    compiling: Compiling,
    table: Hypertable,
    columns: Schema,
    bounds: Sequence[Bound],
) -> list[Part]:
    """Return the parts that may have rows within the bounds."""
    known = f"oid = {table.oid}"
    if not bounds:
        return hypertable.parts(connection, known)
    kinds = {column.name: column.store_type for column in columns}
    tests = [test for bound in bounds for test in _tests(compiling, table, kinds, bound)]
    try:
        return hypertable.parts(connection, " AND ".join([known, *tests]))
    except VoltstreamError:  # A constant that does not suit its column: it bounds nothing.
        kept = [test for test in tests if _binds(connection, test)]
        return hypertable.parts(connection, " AND ".join([known, *kept]))


def _binds(connection: Connection, test: str) -> bool:
    try:
        connection.describe(f"SELECT {test} FROM _vs.parts p")
    except VoltstreamError:
        return False
    return True


def _tests(
    compiling: Compiling, table: Hypertable, kinds: Mapping[str, str], bound: Bound
) -> list[str]:
    """Print what a part must meet for a bound."""
    found: list[str] = []
    for value, below in ((bound.low, False), (bound.high, True)):
        if value is None:
            continue
        with suppress(VoltstreamError):  # What cannot be told bounds nothing.
            text = plain_constant(value) or compiling.items([value], None)[0]
            test = _test(table, bound.column, kinds[bound.column], text, below=below)
            if test is not None:
                found.append(f"coalesce({test}, TRUE)")
    return found


def _test(table: Hypertable, column: str, kind: str, value: str, *, below: bool) -> str | None:
    """Print "a part may have rows on this side of a value"; NULL when the value is no such."""
    if column == table.column:
        # What a time without zone means to an instant depends on the zone: give it a day.
        slack = 0 if table.kind == "TIMESTAMP WITH TIME ZONE" or table.by_integers else DAY_US * 2
        target = "DOUBLE" if table.by_integers else "TIMESTAMPTZ"
        cast = f"CAST({value} AS {target})"
        instant = cast if table.by_integers else f"epoch_us({cast})"
        if below:
            return f"TRY(p.low - {slack} <= {instant})"
        return f"TRY(p.high + {slack} >= {instant})"
    base = kind.upper().partition("(")[0]
    if base != "VARCHAR" and base not in _NUMBERS:
        return None
    target = "VARCHAR" if base == "VARCHAR" else "DOUBLE"
    path = literal('$."' + column.replace('"', '\\"') + f'"[{0 if below else 1}]')
    known = f"CAST(json_extract_string(p.stats, {path}) AS {target})"
    return f"TRY({known} {'<=' if below else '>='} CAST({value} AS {target}))"
