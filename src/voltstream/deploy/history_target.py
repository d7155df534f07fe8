"""Tables of PostgreSQL that history is copied into: whether they fit, and how they are made."""

from __future__ import annotations

from dataclasses import replace

import psycopg

from voltstream.core.errors import TargetRefused
from voltstream.deploy.history import Table
from voltstream.deploy.script import Script

_COLUMNS = (
    "SELECT a.attname, a.attgenerated <> '' FROM pg_attribute a "
    "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p') "
    "AND a.attnum > 0 AND NOT a.attisdropped"
)
_EXTENSION = "SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'"
_PLAIN = ("schema", "table")
_PARTED = ("hypertable", "compression")


def fitted(target: psycopg.Connection, table: Table) -> Table | None:
    """Return a table without the columns that the target computes; None when it is not there.

    Raises: TargetRefused for a column that it lacks.
    """
    rows = target.execute(_COLUMNS.encode(), [table.schema, table.name]).fetchall()
    found: dict[str, bool] = dict(rows)
    if not found:
        return None
    for field in table.fields:
        if field.name not in found:
            raise TargetRefused(f'"{table.full_name}" has no column "{field.name}" there')
    return replace(table, fields=tuple(one for one in table.fields if not found[one.name]))


def prepare(target: psycopg.Connection, script: Script) -> None:
    """Make the tables of a script, as hypertables where the extension is."""
    row = target.execute(_EXTENSION).fetchone()
    kinds = _PLAIN + (_PARTED if row is not None and row[0] else ())
    for statement in script.statements:
        known = statement.kind == "table" and fitted_name(target, statement.name)
        if statement.kind in kinds and not known:
            target.execute(statement.text.encode())


def fitted_name(target: psycopg.Connection, name: str) -> bool:
    """Tell whether a table is there."""
    schema, _, bare = name.rpartition(".")
    return target.execute(_COLUMNS.encode(), [schema, bare]).fetchone() is not None
