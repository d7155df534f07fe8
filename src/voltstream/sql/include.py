"""INCLUDE clauses: columns for what comes with a record and is not in it."""

from __future__ import annotations

from dataclasses import dataclass

from voltstream.core.errors import DuplicateColumn
from voltstream.sql.columns import Columns
from voltstream.sql.cursor import Cursor
from voltstream.sql.statements import ColumnSpec
from voltstream.sql.type_names import parse_type

_TYPES = {
    "key": "BLOB",
    "partition": "VARCHAR",
    "offset": "VARCHAR",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "header": "STRUCT(key VARCHAR, value BLOB)[]",
    "payload": "JSON",
    "file": "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class Inclusion:
    """One clause; ``kind`` is a word of ``_TYPES`` or ``header:<name>``."""

    kind: str
    store_type: str
    name: str | None


def parse_includes(cursor: Cursor) -> list[Inclusion]:
    """Read every ``INCLUDE what ['header' [type]] [AS name]``.

    Raises: SyntaxFault, FeatureNotSupported.
    """
    found = []
    while cursor.accept("INCLUDE"):
        word = cursor.word().lower()
        if word not in _TYPES:
            hint = f"INCLUDE takes {', '.join(_TYPES)}."
            raise cursor.unsupported(f"INCLUDE {cursor.word()}", hint)
        cursor.advance()
        kind, store_type = word, _TYPES[word]
        if word == "header" and cursor.at_string():
            kind, store_type = f"header:{cursor.string()}", "BLOB"
            if not cursor.done and cursor.word() in ("VARCHAR", "BYTEA", "TEXT"):
                store_type = parse_type(cursor)
        name = cursor.identifier() if cursor.accept("AS") else None
        found.append(Inclusion(kind, store_type, name))
    return found


def add_included(columns: Columns, inclusions: list[Inclusion], connector: str) -> None:
    """Put included columns after the declared ones. Raises: DuplicateColumn (42701)."""
    names = {spec.name for spec in columns.specs}
    for inclusion in inclusions:
        # The name that RisingWave gives: _rw_kafka_key, _rw_kafka_header_trace.
        word = inclusion.kind.replace(":", "_")
        name = inclusion.name or f"_rw_{connector}_{word}"
        if name in names:
            raise DuplicateColumn(f'column "{name}" specified more than once')
        names.add(name)
        columns.specs.append(ColumnSpec(name, inclusion.store_type, included=inclusion.kind))
