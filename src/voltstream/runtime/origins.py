"""Tables of a shared source: what the origin says of their columns, and what they depend on."""

from __future__ import annotations

from dataclasses import replace

from voltstream.core.errors import (
    FeatureNotSupported,
    InternalError,
    InvalidTableDefinition,
    UndefinedColumn,
    WrongObjectType,
)
from voltstream.core.origins import OriginTable
from voltstream.core.ports import Connectors
from voltstream.runtime.catalog import Catalog, Entry, Names
from voltstream.runtime.secrets import resolved
from voltstream.sql.parse import parse_statements
from voltstream.sql.shared_sources import with_origin_columns
from voltstream.sql.statements import CreateSource, CreateTable, Origin
from voltstream.store.ledger import StoredObject
from voltstream.store.vault import Vault

_NAMES_SHOWN = 20


def completed(
    parsed: CreateTable, origin: Origin, catalog: Catalog, connectors: Connectors, vault: Vault
) -> CreateTable:
    """Return a definition with the origin's columns and key, or its own, checked against them.

    Asks the origin, so it is called before the writer is. Raises: OriginUnavailable (08006),
    UndefinedTable (42P01), UndefinedColumn (42703), InvalidTableDefinition (42P16).
    """
    if catalog.named(parsed.name) is not None:
        return parsed
    source = _shared(catalog, origin)
    name, schema = source.stored.name, source.stored.schema
    properties = resolved(source.stored.properties, schema, catalog, vault)
    found = connectors.origin_table(properties, f'source "{name}"', origin.table)
    if not parsed.inferred:
        _check(parsed, found, origin)
        return parsed
    if not found.key:
        raise InvalidTableDefinition(
            f'table "{origin.table}" of source "{name}" has no primary key',
            hint="Declare the columns and a PRIMARY KEY, and set REPLICA IDENTITY FULL there.",
        )
    [made] = parse_statements(with_origin_columns(parsed.text, found.columns, found.key))
    if not isinstance(made, CreateTable):
        raise InternalError("a definition with the columns of its origin is another statement")
    return replace(made, offset=parsed.offset, name=parsed.name, origin=origin)


def _check(parsed: CreateTable, found: OriginTable, origin: Origin) -> None:
    known = {name.lower() for name, _ in found.columns}
    for spec in parsed.columns:
        if spec.generated_text is None and spec.name.lower() not in known:
            listed = ", ".join([name for name, _ in found.columns][:_NAMES_SHOWN])
            raise UndefinedColumn(
                f'column "{spec.name}" is not in table "{origin.table}" of the origin',
                hint=f"It has: {listed}.",
            )
    key = {name.lower() for name in parsed.primary_key}
    if key and found.key and key != {name.lower() for name in found.key}:
        raise InvalidTableDefinition(
            f'the primary key of table "{origin.table}" of the origin is another',
            hint=f"Declare PRIMARY KEY ({', '.join(found.key)}).",
        )


def bound(
    stored: StoredObject, parsed: CreateTable, origin: Origin, names: Names, catalog: Catalog
) -> StoredObject:
    """Note what a table is made from, whatever that is called later."""
    source = _shared(catalog, origin)
    if parsed.inferred:
        raise InternalError("the origin was not asked for columns")
    if not parsed.primary_key:
        raise InvalidTableDefinition(
            f'table "{stored.name}" FROM a source needs a PRIMARY KEY',
            hint="The changes of the origin say by their key which row they are of.",
        )
    schema, name = source.key
    for written in {schema, None} if schema == "public" else {schema}:
        names.bound[written, name] = source.oid
    depends_on = tuple(sorted({*stored.depends_on, source.oid}))
    return replace(stored, depends_on=depends_on, bindings=names.bindings())


def _shared(catalog: Catalog, origin: Origin) -> Entry:
    entry = catalog.require(origin.source, "source", "table", "view", "materialized view")
    if entry.kind != "source":
        raise WrongObjectType(f'"{entry.stored.name}" is not a source')
    if not isinstance(entry.parsed, CreateSource) or not entry.parsed.shared:
        raise FeatureNotSupported(
            f'CREATE TABLE … FROM "{entry.stored.name}": the source is not a shared one',
            hint="A source WITH (connector = 'postgres-cdc') and without columns is shared; "
            "CREATE MATERIALIZED VIEW reads others.",
        )
    return entry
