"""Columns that a source or table takes from the schema of its records."""

from __future__ import annotations

from dataclasses import replace

from voltstream.core.errors import (
    DatatypeMismatch,
    FeatureNotSupported,
    InternalError,
    InvalidParameter,
    UndefinedColumn,
)
from voltstream.core.ports import Connectors
from voltstream.core.schema import Column, Schema
from voltstream.core.types import DataType, Kind
from voltstream.formats.avro_types import UnusableSchema
from voltstream.formats.framed import columns_of
from voltstream.runtime.catalog import Catalog
from voltstream.runtime.secrets import resolved
from voltstream.sql.parse import parse_statements
from voltstream.sql.source_text import with_schema
from voltstream.sql.statements import (
    AlterTable,
    ColumnAction,
    ColumnSpec,
    CreateSource,
    CreateTable,
)
from voltstream.sql.table_ddl import declared_type
from voltstream.store.vault import Vault

_ANY = {Kind.JSON, Kind.JSONB, Kind.TEXT, Kind.VARCHAR}
_NAMES_SHOWN = 20


def completed(
    parsed: CreateSource | CreateTable, catalog: Catalog, connectors: Connectors, vault: Vault
) -> CreateSource | CreateTable:
    """Return a definition with the columns of its records' schema, those it has checked.

    Asks a registry, so it is called before the writer is. Raises: RegistryUnavailable (08006),
    UndefinedColumn (42703), DatatypeMismatch (42804), InvalidParameter (22023).
    """
    if catalog.named(parsed.name) is not None:
        return parsed
    given = {"format": parsed.format, "encode": parsed.encode, **parsed.properties}
    properties = resolved(given, parsed.name.schema or "public", catalog, vault)
    owner = f'source "{parsed.name.name}"'
    schemas = connectors.schemas(properties, owner)
    if schemas is None:
        return parsed
    try:
        found = columns_of(schemas.newest(), parsed.format.lower())
    except UnusableSchema as error:
        raise InvalidParameter(f"{owner}: its schema cannot be used: {error}") from error
    _check(parsed, found)
    if not parsed.inferred:
        return parsed
    declared = {spec.name for spec in parsed.columns}
    missing = tuple(column for column in found if column.name not in declared)
    [made] = parse_statements(with_schema(parsed.text, missing))
    if not isinstance(made, CreateSource | CreateTable):
        raise InternalError("a definition with the columns of its schema is another statement")
    return replace(made, offset=parsed.offset, inferred=False)


def refreshed(
    parsed: AlterTable, catalog: Catalog, connectors: Connectors, vault: Vault
) -> AlterTable:
    """Return REFRESH SCHEMA as the addition of the columns that the schema has gained.

    Asks a registry. Raises: RegistryUnavailable (08006), DatatypeMismatch (42804),
    FeatureNotSupported (0A000) where it lost columns, or there is no schema.
    """
    entry = catalog.named(parsed.name)
    if entry is None:
        return parsed
    declared, stored = entry.parsed, entry.stored
    schemas = None
    if isinstance(declared, CreateSource | CreateTable):
        given = {"format": declared.format, "encode": declared.encode, **stored.properties}
        properties = resolved(given, stored.schema, catalog, vault)
        schemas = connectors.schemas(properties, f'{entry.kind} "{stored.name}"')
    if schemas is None or not isinstance(declared, CreateSource | CreateTable):
        raise FeatureNotSupported(
            f'{entry.kind} "{stored.name}" has no schema to refresh from',
            hint="Use ALTER … ADD COLUMN.",
        )
    try:
        found = columns_of(schemas.newest(), declared.format.lower())
    except UnusableSchema as error:
        raise InvalidParameter(f'the schema of "{stored.name}" cannot be used: {error}') from error
    theirs = {column.name.lower() for column in found}
    brought = [c for c in declared.columns if c.included is None and c.generated_text is None]
    gone = [column.name for column in brought if column.name.lower() not in theirs]
    if gone:
        raise FeatureNotSupported(
            f"the schema of the records no longer has: {', '.join(gone)}",
            hint="Drop these columns first, or keep them in the schema.",
        )
    _check(declared, found)
    ours = {column.name.lower() for column in declared.columns}
    added = [column for column in found if column.name.lower() not in ours]
    specs = [ColumnSpec(c.name, c.store_type, declared=declared_type(c.store_type)) for c in added]
    return replace(parsed, actions=tuple(ColumnAction("ADD", s.name, spec=s) for s in specs))


def _check(parsed: CreateSource | CreateTable, found: Schema) -> None:
    """Refuse columns that the schema does not have, or that its values can never become."""
    exact = {column.name: column for column in found}
    known = {column.name.lower(): column for column in found} | exact
    for spec in parsed.columns:
        if spec.included is not None or spec.generated_text is not None:
            continue
        column = exact.get(spec.name) or known.get(spec.name.lower())
        if column is None:
            listed = ", ".join(list(exact)[:_NAMES_SHOWN])
            raise UndefinedColumn(
                f'column "{spec.name}" is not in the schema of the records',
                hint=f"It has: {listed}.",
            )
        if not _becomes(column, spec):
            raise DatatypeMismatch(
                f'column "{spec.name}" is of type {_typed(spec.store_type)} but the schema of the '
                f"records says {_typed(column.store_type)}"
            )


def _typed(store_type: str) -> str:
    return Column("", store_type).type.pg_name


def _becomes(column: Column, spec: ColumnSpec) -> bool:
    """Tell whether values of a schema's column can be read as a declared one."""
    theirs, ours = column.type, Column("", spec.store_type).type
    if ours.kind in _ANY and not ours.array_depth:
        return True
    return _shape(theirs) == _shape(ours) or theirs.kind in (Kind.JSON, Kind.JSONB)


def _shape(kind: DataType) -> tuple[int, str]:
    family = kind.kind.name if kind.kind in (Kind.RECORD, Kind.BOOL, Kind.BYTEA) else "scalar"
    return kind.array_depth, family
