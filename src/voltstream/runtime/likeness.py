"""CREATE TABLE (LIKE t): another relation's columns among one's own."""

from __future__ import annotations

from dataclasses import replace

from voltstream.core.errors import (
    DuplicateColumn,
    InvalidTableDefinition,
    UndefinedColumn,
    WrongObjectType,
)
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.runtime.tables import check_name
from voltstream.sql.statements import Check, ColumnSpec, CreateTable, Like
from voltstream.sql.table_ddl import declared_type, definition

_READ = ("table", "source", "view", "materialized view")


def with_likes(parsed: CreateTable, catalog: Catalog) -> CreateTable:
    """Return the table with what its LIKE clauses name written out, as it is kept.

    Law: NOT NULL always comes along; defaults, checks, generated and identity columns, and keys
    only when they are included. Raises: UndefinedTable, DuplicateColumn.
    """
    if not parsed.likes:
        return parsed
    made = replace(parsed, likes=())
    for like in reversed(parsed.likes):
        made = _with(made, like, catalog.require(like.name))
    names = [spec.name for spec in made.columns]
    for name in names:
        if names.count(name) > 1:
            raise DuplicateColumn(f'column "{name}" specified more than once')
    for name in (*made.primary_key, *(one for unique in made.unique for one in unique)):
        if name not in names:
            raise UndefinedColumn(f'column "{name}" named in key does not exist')
    return replace(made, text=definition(made), offset=0)


def _with(made: CreateTable, like: Like, entry: Entry) -> CreateTable:
    if entry.kind not in _READ or entry.relation is None:
        raise WrongObjectType(f'"{entry.stored.name}" is not a table or a view')
    table = entry.parsed if isinstance(entry.parsed, CreateTable) else None
    specs = {spec.name: spec for spec in table.columns} if table is not None else {}
    key = table.primary_key if table is not None else ()
    copied = []
    for column in entry.relation.columns:
        kind = column.store_type
        spec = specs.get(column.name) or ColumnSpec(column.name, kind, declared=declared_type(kind))
        copied.append(_bare(spec, like.including, required=column.name in key))
    columns = (*made.columns[: like.place], *copied, *made.columns[like.place :])
    if table is None:
        return replace(made, columns=columns)
    if "CONSTRAINTS" in like.including:
        name = entry.stored.name
        checks = [Check(one.text, check_name(name, table, one)) for one in table.checks]
        made = replace(made, checks=(*made.checks, *checks))
    if "INDEXES" in like.including:
        if key and made.primary_key:
            raise InvalidTableDefinition("multiple primary keys for a table are not allowed")
        made = replace(
            made, primary_key=made.primary_key or key, unique=(*made.unique, *table.unique)
        )
    return replace(made, columns=columns)


def _bare(spec: ColumnSpec, including: frozenset[str], *, required: bool) -> ColumnSpec:
    """Return a column without what is not included."""
    serial = "SERIAL" in spec.declared.upper()
    if serial or (spec.identity is not None and "IDENTITY" not in including):
        kept = declared_type(spec.store_type)
        spec = replace(spec, identity=None, declared=kept, not_null=True)
    if "DEFAULTS" not in including:
        spec = replace(spec, default_text=None)
    if "GENERATED" not in including:
        spec = replace(spec, generated_sql=None, generated_text=None)
    return replace(spec, not_null=spec.not_null or required)
