"""Make the system catalogs in a file, once per version of this package."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache

import pyarrow as pa

from voltstream.store.database import Connection
from voltstream.store.pg_catalog import (
    absent,
    cluster,
    information_schema,
    information_usage,
    naming,
    relations,
    rights_text,
    roles,
    routines,
    search_path,
    statistics,
    types,
)

CATALOG_SCHEMA = "_pg"
INFORMATION_SCHEMA = "_is"
DEFINED = {**relations.DEFINED, **roles.DEFINED}
_LENT = "_defined"


def _views() -> tuple[str, ...]:
    return (
        *types.VIEWS,
        *relations.VIEWS,
        *relations.DEFINED_VIEWS,
        *roles.VIEWS,
        *cluster.VIEWS,
        *statistics.VIEWS,
        *absent.catalog_views(),
    )


def _information_views() -> tuple[str, ...]:
    return (
        *information_schema.VIEWS,
        *roles.INFORMATION_VIEWS,
        *information_usage.VIEWS,
        *absent.information_views(),
    )


def _names_of(statements: Sequence[str]) -> list[str]:
    return [statement.split(" ", 2)[1] for statement in statements]


def _public(statements: Sequence[str]) -> list[str]:
    return sorted(name for name in _names_of(statements) if name.startswith("pg_"))


def _statements() -> list[str]:
    listed = [("pg_catalog", name) for name in _public(_views())]
    listed += [("information_schema", name) for name in sorted(_names_of(_information_views()))]
    in_catalog = (
        *(f"TABLE {name} ({columns})" for name, columns in DEFINED.items()),
        *types.TABLES,
        *types.MACROS,
        *relations.NAME_MACROS,
        relations.system_relations_table(listed),
        *relations.BASE,
        *relations.LOOKUPS,
        relations.SOURCE_VIEW,
        *types.NAMING_MACROS,
        *cluster.TABLES,
        *routines.SESSION,
        *search_path.MACROS,
        *search_path.VIEWS,
        *search_path.PATH_MACROS,
        *roles.BASE,
        *roles.VIEWS,
        *types.VIEWS,
        *cluster.VIEWS,
        *relations.VIEWS,
        relations.DESCRIPTION_LOOKUP,
        *routines.MACROS,
        *roles.MACROS,
        *rights_text.MACROS,
        *naming.VIEWS,
        *naming.MACROS,
        *relations.DEFINED_VIEWS,
        *statistics.VIEWS,
        *absent.catalog_views(),
    )
    return [
        *(_created(CATALOG_SCHEMA, one) for one in in_catalog),
        *(_created(INFORMATION_SCHEMA, one) for one in _information_views()),
    ]


def _created(schema: str, definition: str) -> str:
    kind, rest = definition.split(" ", 1)
    return f"CREATE OR REPLACE {kind} {schema}.{rest}"


@cache
def _digest() -> str:
    return hashlib.sha256("\n".join(_statements()).encode()).hexdigest()


def is_installed(connection: Connection) -> bool:
    """Tell whether the file holds the catalogs of this version."""
    found = connection.rows(
        "SELECT comment FROM duckdb_tables() WHERE schema_name = ? AND table_name = 'types'",
        [CATALOG_SCHEMA],
    )
    return bool(found) and found[0][0] == _digest()


def install(connection: Connection) -> None:
    """Make the catalogs anew, in the transaction that is open; the ledger's tables exist."""
    for schema in (CATALOG_SCHEMA, INFORMATION_SCHEMA):
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        connection.execute(f"CREATE SCHEMA {schema}")
    for statement in _statements():
        connection.execute(statement)
    connection.execute(f"COMMENT ON TABLE {CATALOG_SCHEMA}.types IS '{_digest()}'")


def refresh(connection: Connection, defined: Mapping[str, Sequence[tuple[object, ...]]]) -> None:
    """Show other definitions. Shape: rows by table of ``DEFINED``."""
    for name, columns in DEFINED.items():
        connection.execute(f"DELETE FROM {CATALOG_SCHEMA}.{name}")
        rows = defined.get(name)
        if not rows:
            continue
        names = [column.split(" ")[0] for column in columns.split(", ")]
        arrays = [pa.array(list(values)) for values in zip(*rows, strict=True)]
        connection.lend(_LENT, pa.table(arrays, names=names))
        try:
            connection.execute(f"INSERT INTO {CATALOG_SCHEMA}.{name} FROM {_LENT}")
        finally:
            connection.take_back(_LENT)
    for name in relations.SNAPSHOTS:
        connection.execute(f"DELETE FROM {CATALOG_SCHEMA}.{name}")
        connection.execute(f"INSERT INTO {CATALOG_SCHEMA}.{name} FROM {CATALOG_SCHEMA}.live_{name}")
