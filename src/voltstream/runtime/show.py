"""SHOW and DESCRIBE: small tables made from the catalog."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from voltstream.core.errors import FeatureNotSupported, SyntaxFault, WrongObjectType
from voltstream.core.ports import Outcome
from voltstream.core.schema import Column, Schema
from voltstream.runtime.catalog import Catalog
from voltstream.runtime.results import Held
from voltstream.runtime.settings import Settings
from voltstream.sql.statements import Describe, ObjectName, Show

_KINDS = {
    "TABLES": "table",
    "SOURCES": "source",
    "SINKS": "sink",
    "VIEWS": "view",
    "MATERIALIZED VIEWS": "materialized view",
    "INDEXES": "index",
}
_EMPTY = frozenset({"SUBSCRIPTIONS", "CONNECTIONS", "SECRETS", "FUNCTIONS", "JOBS", "CURSORS",
                    "INTERNAL TABLES", "PROCESSLIST", "CLUSTER"})  # fmt: skip


def text_rows(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> Held:
    """Make a result of text columns."""
    arrays = [pa.array([row[index] for row in rows], pa.string()) for index in range(len(names))]
    return Held(_text_schema(names), pa.table(arrays, names=list(names)))


def _text_schema(names: Sequence[str]) -> Schema:
    return tuple(Column(name, "VARCHAR") for name in names)


def shown_columns(parsed: Show | Describe) -> Schema:
    """Tell a result's columns without making it."""
    if isinstance(parsed, Describe) or parsed.what == "COLUMNS":
        return _text_schema(_COLUMN_HEADS)
    if parsed.what == "CREATE":
        return _text_schema(("Name", "Create Sql"))
    if parsed.setting is not None:
        if parsed.setting == "all":
            return _text_schema(("name", "setting", "description"))
        return _text_schema((parsed.setting,))
    return _text_schema(("Name",))


def show(parsed: Show, catalog: Catalog, settings: Settings, databases: Sequence[str]) -> Outcome:
    if parsed.setting is not None:
        return Outcome("SHOW", rows=_setting(parsed.setting, settings))
    if parsed.what == "COLUMNS" and parsed.name is not None:
        return Outcome("SHOW", rows=_columns(catalog, parsed.name, parsed.like))
    if parsed.what == "CREATE" and parsed.name is not None:
        entry = catalog.require(parsed.name)
        row = (f"{entry.stored.schema}.{entry.stored.name}", entry.stored.definition)
        return Outcome("SHOW", rows=text_rows(("Name", "Create Sql"), [row]))
    return Outcome("SHOW", rows=text_rows(("Name",), _names(parsed, catalog, databases)))


def _names(parsed: Show, catalog: Catalog, databases: Sequence[str]) -> list[tuple[str]]:
    if parsed.what in _KINDS:
        schema = parsed.name.name if parsed.name is not None else "public"
        found = [
            entry.stored.name
            for entry in catalog.of_kind(_KINDS[parsed.what])
            if entry.stored.schema == schema
        ]
    elif parsed.what == "SCHEMAS":
        found = sorted({*catalog.schemas, "rw_catalog", "pg_catalog", "information_schema"})
    elif parsed.what == "DATABASES":
        found = sorted(databases)
    elif parsed.what in _EMPTY:
        found = []
    else:
        raise FeatureNotSupported(f"SHOW {parsed.what} is not supported")
    return [(name,) for name in found if _is_like(name, parsed.like)]


def _is_like(name: str, pattern: str | None) -> bool:
    if pattern is None:
        return True
    expression = re.escape(pattern).replace("%", ".*").replace("_", ".")
    return re.fullmatch(expression, name) is not None


def _setting(name: str, settings: Settings) -> Held:
    if name == "all":
        rows = [(key, value, "") for key, value in settings.all()]
        return text_rows(("name", "setting", "description"), rows)
    return text_rows((name,), [(settings.get(name),)])


_COLUMN_HEADS = ("Name", "Type", "Is Hidden", "Description")


def _columns(catalog: Catalog, name: ObjectName, like: str | None) -> Held:
    entry = catalog.require(name)
    if entry.relation is None:
        raise WrongObjectType(f'"{name.name}" is a {entry.kind} and has no columns')
    rows = [
        (column.name, column.type.pg_name, "false", None)
        for column in entry.relation.columns
        if _is_like(column.name, like)
    ]
    return text_rows(_COLUMN_HEADS, rows)


def describe(parsed: Describe, catalog: Catalog) -> Outcome:
    return Outcome("DESCRIBE", rows=_columns(catalog, parsed.name, None))


def explanation(lines: Sequence[str]) -> Outcome:
    if not lines:
        raise SyntaxFault("there is nothing to explain")
    return Outcome("EXPLAIN", rows=text_rows(("QUERY PLAN",), [(line,) for line in lines]))
