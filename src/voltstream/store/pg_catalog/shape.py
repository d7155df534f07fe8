"""Views with all of PostgreSQL's columns, of which few have something to say here.

Shape: a line is a view's name and its columns, each with a letter: o oid, t text, b boolean,
s smallint, i integer, l bigint, f real, d double, n interval, x bytea, z timestamptz, j jsonb;
doubled for an array.
"""

from __future__ import annotations

from collections.abc import Mapping

_LETTERS = {
    "o": "UINTEGER", "t": "VARCHAR", "b": "BOOLEAN", "s": "SMALLINT", "i": "INTEGER",
    "l": "BIGINT", "f": "FLOAT", "d": "DOUBLE", "n": "INTERVAL", "x": "BLOB", "z": "TIMESTAMPTZ",
    "j": "JSON",
}  # fmt: skip


def shaped(line: str, given: Mapping[str, str], source: str) -> str:
    """Return a view: ``given`` has the SQL of columns, numbers without one are 0, others NULL."""
    view, columns = line.split(": ")
    parts = (column.split(" ") for column in columns.split(", "))
    chosen = [_column(name, letters, given) for name, letters in parts]
    return f"VIEW {view} AS SELECT {', '.join(chosen)} {source}"


def empty(line: str) -> str:
    """Return a view without rows: of things that cannot exist here."""
    return shaped(line, {}, "WHERE false")


def _column(name: str, letters: str, given: Mapping[str, str]) -> str:
    store_type = _LETTERS[letters[0]] + "[]" * (len(letters) - 1)
    value = given.get(name, "0" if letters in ("l", "d") else "NULL")
    return f'CAST({value} AS {store_type}) AS "{name}"'
