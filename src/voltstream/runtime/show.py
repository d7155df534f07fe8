"""SHOW and DESCRIBE: small tables made from the catalog."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pyarrow as pa

from voltstream.core.errors import FeatureNotSupported, SyntaxFault, WrongObjectType
from voltstream.core.ports import Outcome
from voltstream.core.redaction import REDACTED, is_secret, shown_definition
from voltstream.core.schema import Column, Schema
from voltstream.core.types import Kind, from_store
from voltstream.runtime.catalog import DEFAULT_SCHEMA, Catalog, Entry, bare_name
from voltstream.runtime.results import Held
from voltstream.runtime.setting_values import shown_name
from voltstream.runtime.settings import Settings
from voltstream.sql.groups import group_columns
from voltstream.sql.overloads import ANY, function_label, missing_function
from voltstream.sql.spelling import canonical
from voltstream.sql.statements import (
    CreateFunction,
    CreateIndex,
    CreateTable,
    CreateView,
    Describe,
    ObjectName,
    Show,
)
from voltstream.sql.table_ddl import declared_type

_KINDS = {
    "TABLES": "table",
    "SOURCES": "source",
    "SINKS": "sink",
    "VIEWS": "view",
    "MATERIALIZED VIEWS": "materialized view",
    "SUBSCRIPTIONS": "subscription",
    "SECRETS": "secret",
}
_HEADS: dict[str, tuple[str, ...]] = {
    "COLUMNS": ("Name", "Type", "Is Hidden", "Description"),
    "CREATE": ("Name", "Create Sql"),
    "INDEXES": ("Name", "On", "Key", "Include", "Distributed By"),
    "FUNCTIONS": ("Name", "Arguments", "Return Type", "Language", "Link"),
    "CONNECTIONS": ("Name", "Type", "Properties"),
    "JOBS": ("Id", "Statement", "Progress"),
    "CLUSTER": ("Id", "Addr", "Type", "State", "Parallelism"),
    "PROCESSLIST": ("Id", "User", "Host", "Database", "Time", "Info"),
    "CURSORS": ("Name", "User", "Database"),
    "SUBSCRIPTION CURSORS": ("Name", "User", "Database"),
    "INTERNAL TABLES": ("Name",),
    "PARAMETERS": ("Name", "Value", "Mutable"),
}
_ROW_ID = "_row_id"  # RisingWave's hidden key of a table without one.


def text_rows(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> Held:
    """Make a result of text columns."""
    arrays = [pa.array([row[index] for row in rows], pa.string()) for index in range(len(names))]
    return Held(_text_schema(names), pa.table(arrays, names=list(names)))


def _text_schema(names: Sequence[str]) -> Schema:
    return tuple(Column(name, "VARCHAR") for name in names)


def shown_columns(parsed: Show | Describe) -> Schema:
    """Tell a result's columns without making it."""
    if isinstance(parsed, Describe):
        return _text_schema(_HEADS["COLUMNS"])
    if parsed.setting is not None:
        if parsed.setting == "all":
            return _text_schema(("name", "setting", "description"))
        return _text_schema((shown_name(parsed.setting),))
    return _text_schema(_HEADS.get(parsed.what, ("Name",)))


def show(
    parsed: Show, catalog: Catalog, settings: Settings, lists: Mapping[str, Sequence[str]]
) -> Outcome:
    """Answer SHOW; ``lists`` are names of what is not of one database, by SHOW's word."""
    if parsed.setting is not None:
        return Outcome("SHOW", rows=_setting(parsed.setting, settings))
    if parsed.what == "COLUMNS" and parsed.name is not None:
        return Outcome("SHOW", rows=_columns(catalog, parsed.name, parsed.like))
    if parsed.what == "CREATE" and parsed.name is not None:
        return Outcome("SHOW", rows=text_rows(_HEADS["CREATE"], _created(catalog, parsed.name)))
    heads = _HEADS.get(parsed.what, ("Name",))
    rows = [row for row in _rows(parsed, catalog, lists) if _is_like(row[0], parsed.like)]
    return Outcome("SHOW", rows=text_rows(heads, rows))


Row = Sequence[str]


def _created(catalog: Catalog, name: ObjectName) -> Sequence[Row]:
    """Return what makes an object; a function's name alone means all of that name."""
    found = []
    if name.name.endswith(ANY):
        found = catalog.functions(name.schema or DEFAULT_SCHEMA, function_label(name.name))
        if not found:
            raise missing_function(name.name)
    rows = []
    for entry in found or [catalog.require(name)]:
        shown = f"{entry.stored.schema}.{bare_name(entry)}"
        if isinstance(entry.parsed, CreateFunction):
            rows.append((shown, _function_text(entry.parsed)))
        else:
            text = shown_definition(entry.kind, canonical(entry.stored.definition))
            rows.append((shown, text))
    return sorted(rows)


def _rows(parsed: Show, catalog: Catalog, lists: Mapping[str, Sequence[str]]) -> Sequence[Row]:
    schema = parsed.name.name if parsed.name is not None else "public"
    if parsed.what in _KINDS:
        kind = _KINDS[parsed.what]
        return [(e.stored.name,) for e in catalog.of_kind(kind) if e.stored.schema == schema]
    if parsed.what == "SCHEMAS":
        system = {"rw_catalog", "pg_catalog", "information_schema"}
        return [(name,) for name in sorted({*catalog.schemas, *system})]
    if parsed.what in lists:
        return [(name,) for name in sorted(lists[parsed.what])]
    if parsed.what == "INDEXES":
        return [_index_row(e, e.parsed, catalog) for e in _indexes(catalog, parsed.name)
                if isinstance(e.parsed, CreateIndex)]  # fmt: skip
    if parsed.what == "FUNCTIONS":
        return [_function_row(e.parsed) for e in catalog.of_kind("function")
                if isinstance(e.parsed, CreateFunction) and e.stored.schema == schema]  # fmt: skip
    if parsed.what == "CONNECTIONS":
        return [
            (e.stored.name, e.stored.properties.get("type", ""), _pairs(e.stored.properties))
            for e in catalog.of_kind("connection")
            if e.stored.schema == schema
        ]
    if parsed.what == "INTERNAL TABLES":
        programs = [entry.program for entry in catalog if entry.program is not None]
        return [(name,) for program in programs for name in program.state_tables]
    if parsed.what == "CLUSTER":
        return [("1", "localhost", "WORKER_TYPE_SINGLE_PROCESS", "RUNNING", "1")]
    if parsed.what in _HEADS:
        return []
    raise FeatureNotSupported(f"SHOW {parsed.what} is not supported")


def _pairs(properties: Mapping[str, str]) -> str:
    return ", ".join(
        f"{key}={REDACTED if is_secret(key) else value}" for key, value in properties.items()
    )


def _indexes(catalog: Catalog, on: ObjectName | None) -> list[Entry]:
    """Return the indexes of a relation, or of a schema, or of the default one."""
    every = catalog.of_kind("index")
    if on is None:
        return [entry for entry in every if entry.stored.schema == "public"]
    if on.schema is None and on.name in catalog.schemas:
        return [entry for entry in every if entry.stored.schema == on.name]
    table = catalog.require(on)
    return [entry for entry in every if table.oid in entry.stored.depends_on]


def _index_row(entry: Entry, parsed: CreateIndex, catalog: Catalog) -> Row:
    keys = ", ".join(f"{key} {order}" for key, order in parsed.keys)
    spread = ", ".join(parsed.distributed or tuple(key for key, _ in parsed.keys[:1]))
    include = ", ".join(_included(parsed, catalog.named(parsed.table)))
    return (entry.stored.name, parsed.table.name, keys, include, spread)


def _included(parsed: CreateIndex, table: Entry | None) -> tuple[str, ...]:
    """Return what an index covers: all columns unless INCLUDE names some."""
    if parsed.include:
        return parsed.include
    columns = table.relation.columns if table is not None and table.relation is not None else ()
    return tuple(column.name for column in columns if column.name not in parsed.columns)


def _function_row(parsed: CreateFunction) -> Row:
    arguments = ", ".join(type_name(kind) for _, kind in parsed.parameters)
    returns = type_name(parsed.returns) if parsed.returns is not None else ""
    return (parsed.name.name, arguments, returns, parsed.language, "")


def _function_text(made: CreateFunction) -> str:
    """Write a function as RisingWave's SHOW CREATE does."""
    parameters = ", ".join(f"{name} {type_name(kind)}".strip() for name, kind in made.parameters)
    written = f"CREATE FUNCTION {made.name.name}({parameters})"
    if made.rows:
        columns = ", ".join(f"{name} {type_name(kind)}" for name, kind in made.rows)
        written += f" RETURNS TABLE ({columns})"
    elif made.returns is not None:
        written += f" RETURNS {'SETOF ' if made.many else ''}{type_name(made.returns)}"
    written += f" LANGUAGE {made.language}"
    written += f" {made.volatility}" if made.volatility else ""
    written += " STRICT" if made.strict else ""
    return f"{written} AS $${made.source}$$"


def _is_like(name: str, pattern: str | None) -> bool:
    if pattern is None:
        return True
    expression = re.escape(pattern).replace("%", ".*").replace("_", ".")
    return re.fullmatch(expression, name) is not None


def _setting(name: str, settings: Settings) -> Held:
    if name == "all":
        rows = [(key, value, "") for key, value in settings.all()]
        return text_rows(("name", "setting", "description"), rows)
    return text_rows((shown_name(name),), [(settings.get(name),)])


# --- columns ------------------------------------------------------------------------------------


def type_name(store_type: str) -> str:
    """Return a type as RisingWave's SHOW prints it."""
    kind = from_store(store_type)
    if kind.kind is Kind.RECORD:
        return _struct_name(store_type)
    if store_type.upper().startswith("MAP"):
        return declared_type(store_type).lower()
    return kind.kind.pg_name + "[]" * kind.array_depth


def _struct_name(store_type: str) -> str:
    depth = "[]" * from_store(store_type).array_depth
    body = store_type[store_type.index("(") + 1 : store_type.rindex(")")]
    fields = []
    for part in _split(body):
        found = re.match(r'("(?:[^"]|"")*"|\S+)\s+(.*)', part.strip())
        if found is not None:
            fields.append(f"{found[1].strip(chr(34))} {type_name(found[2])}")
    return f"struct<{', '.join(fields)}>{depth}"


def _split(text: str) -> list[str]:
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


ColumnRow = tuple[str, str | None, str | None, str | None]


def _columns(catalog: Catalog, name: ObjectName, like: str | None) -> Held:
    entry = catalog.require(name)
    rows = [row for row in _column_rows(entry) if _is_like(row[0], like)]
    return text_rows(_HEADS["COLUMNS"], rows)


def _column_rows(entry: Entry) -> list[ColumnRow]:
    if entry.relation is None:
        raise WrongObjectType(f'"{entry.stored.name}" is a {entry.kind} and has no columns')
    comments = entry.comments
    rows: list[ColumnRow] = [
        (column.name, type_name(column.store_type), "false", comments.get(column.name))
        for column in entry.relation.columns
    ]
    if isinstance(entry.parsed, CreateTable) and not entry.parsed.primary_key:
        rows.append((_ROW_ID, "serial", "true", comments.get(_ROW_ID)))
    return rows


def describe(parsed: Describe, catalog: Catalog) -> Outcome:
    """List columns, then the keys, the indexes and the comment of a relation."""
    entry = catalog.require(parsed.name)
    rows = _column_rows(entry)
    key = ", ".join(_key(entry))
    if entry.kind == "table" or key:
        rows.append(("primary key", key or _ROW_ID, None, None))
        rows.append(("distribution key", key or _ROW_ID, None, None))
    for index in catalog.of_kind("index"):
        if entry.oid in index.stored.depends_on and isinstance(index.parsed, CreateIndex):
            _, _, keys, include, spread = _index_row(index, index.parsed, catalog)
            shown = f"index({keys}) include({include}) distributed by({spread})"
            rows.append((index.stored.name, shown, None, None))
    if entry.kind != "view":
        rows.append(("table description", entry.stored.name, None, entry.stored.comment))
    return Outcome("DESCRIBE", rows=text_rows(_HEADS["COLUMNS"], rows))


def _key(entry: Entry) -> tuple[str, ...]:
    if isinstance(entry.parsed, CreateView):
        return group_columns(entry.parsed.query)
    return entry.relation.key if entry.relation is not None else ()


def explanation(lines: Sequence[str]) -> Outcome:
    if not lines:
        raise SyntaxFault("there is nothing to explain")
    return Outcome("EXPLAIN", rows=text_rows(("QUERY PLAN",), [(line,) for line in lines]))
