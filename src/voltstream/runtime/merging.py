"""MERGE: every clause looks at the table as it was, then all of them change it."""

from __future__ import annotations

from voltstream.core.errors import CardinalityViolation
from voltstream.runtime import entries, tables
from voltstream.runtime.catalog import Entry
from voltstream.runtime.epoch import Epoch
from voltstream.sql.capture import CHANGED
from voltstream.sql.changes import ROW_ID, Compiling, insert_rows, update_rows
from voltstream.sql.merging import Clause, merge_clauses
from voltstream.sql.statements import Merge
from voltstream.store.database import quoted

_ANSWER = "_merged"


def merge(epoch: Epoch, entry: Entry, parsed: Merge, compiling: Compiling) -> int:
    """Run a MERGE; RETURNING finds its rows in CHANGED.

    Raises: CardinalityViolation (21000) when two source rows match one row.
    """
    clauses = merge_clauses(parsed.tree)
    for number, clause in enumerate(clauses):
        _look(epoch, entry, clause, number, compiling)
    _refuse_twice(epoch, clauses)
    connection = epoch.connection
    store = entries.table_store(entry.oid)
    listed = entries.column_list([spec.name for spec in tables.declared(entry).columns])
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_ANSWER} AS SELECT * FROM {store} LIMIT 0")
    count = 0
    for number, clause in enumerate(clauses):
        changed = _apply(epoch, entry, clause, number)
        count += connection.execute(
            f"INSERT INTO {_ANSWER} ({listed}) SELECT {listed} FROM {changed}"
        )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {CHANGED} AS SELECT * FROM {_ANSWER}")
    return count


def _look(epoch: Epoch, entry: Entry, clause: Clause, number: int, compiling: Compiling) -> None:
    connection = epoch.connection
    target = tables.target(entry)
    make = f"CREATE OR REPLACE TEMP TABLE _new{number} AS"
    if clause.verb == "insert":
        connection.execute(f"{make} {insert_rows(clause.insert, target, compiling)}")
        return
    old, new = update_rows(clause.update, target, compiling, once=False)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {tables.OLD} AS {old}")
    connection.execute(f"{make} {new}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE _old{number} AS SELECT * FROM {tables.OLD}")


def _refuse_twice(epoch: Epoch, clauses: list[Clause]) -> None:
    parts = [
        f"SELECT {ROW_ID} FROM _old{number}"
        for number, clause in enumerate(clauses)
        if clause.verb != "insert"
    ]
    if not parts:
        return
    sql = f"SELECT 1 FROM ({' UNION ALL '.join(parts)}) GROUP BY {ROW_ID} HAVING count(*) > 1"
    if epoch.connection.rows(f"{sql} LIMIT 1"):
        raise CardinalityViolation(
            "MERGE command cannot affect row a second time",
            hint="Ensure that not more than one source row matches any one target row.",
        )


def _apply(epoch: Epoch, entry: Entry, clause: Clause, number: int) -> str:
    """Change the table by what a clause has found. Returns the relation of its rows."""
    connection = epoch.connection
    columns = [spec.name for spec in tables.declared(entry).columns]
    if clause.verb == "insert":
        tables.insert(epoch, entry, f"SELECT * FROM _new{number}")
        return f"_new{number}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {tables.OLD} AS SELECT * FROM _old{number}")
    kept = "" if clause.verb == "update" else " WHERE false"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {CHANGED} AS "
        f"SELECT * EXCLUDE ({ROW_ID}) FROM _new{number}{kept}"
    )
    tables.swap(epoch, entry)
    if clause.verb == "update":
        return f"_new{number}"
    was = ", ".join(f"o{i} AS {quoted(name)}" for i, name in enumerate(columns))
    return f"(SELECT {was} FROM _old{number})"
