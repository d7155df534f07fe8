"""What a prepared statement takes and gives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from voltstream.core.ports import Description
from voltstream.core.schema import Column, Schema
from voltstream.core.types import STORE_NAMES, DataType, Kind
from voltstream.core.values import TypedNull
from voltstream.runtime.catalog import Catalog, Names, public_name
from voltstream.runtime.effects import effect_columns
from voltstream.runtime.show import shown_columns
from voltstream.sql import statements as sql
from voltstream.sql.capture import capture
from voltstream.sql.chunk_queries import ChunkQuery, opened, split
from voltstream.sql.effects import EffectQuery
from voltstream.sql.parameters import parameter_types
from voltstream.sql.told import told
from voltstream.sql.translate import translate_query
from voltstream.store.database import Connection

_TYPE_OF_OID = {
    oid: DataType(kind, depth)
    for kind in (*STORE_NAMES, Kind.NUMERIC)
    for depth, oid in enumerate((kind.oid, kind.array_oid))
}
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_PARAMETER = re.compile(r"\$(\d+)")


def describe(
    parsed: sql.Parsed, catalog: Catalog, connection: Connection, given: Sequence[int]
) -> Description:
    oids = parameter_oids(parsed, given, Names(catalog, connection.describe))
    return Description(oids, _columns(parsed, catalog, connection, [_null(oid) for oid in oids]))


def _null(oid: int) -> TypedNull | None:
    """Return what stands for a parameter of a type; one of text fits anywhere."""
    found = _TYPE_OF_OID.get(oid)
    if found is None or (found.kind in (Kind.TEXT, Kind.VARCHAR) and not found.array_depth):
        return None
    name = "DECIMAL(38,10)" if found.kind is Kind.NUMERIC else STORE_NAMES[found.kind]
    return TypedNull(name + "[]" * found.array_depth)


def parameter_oids(parsed: sql.Parsed, given: Sequence[int], names: Names) -> tuple[int, ...]:
    """Complete the types: by the parameter's place, else text, which casts to anything."""
    numbers = [int(found) for found in _PARAMETER.findall(_QUOTED.sub(" ", parsed.text))]
    count = max([*numbers, len(given)], default=0)
    known = [*given, *([0] * (count - len(given)))]
    if all(known):
        return tuple(known)
    placed: Mapping[int, DataType] = {}
    match parsed:
        case sql.Query() | sql.Insert() | sql.Update() | sql.Delete():
            placed = parameter_types(parsed.tree, names)
    text = DataType(Kind.TEXT)
    return tuple(oid or placed.get(place, text).oid for place, oid in enumerate(known, 1))


def _columns(
    parsed: sql.Parsed,
    catalog: Catalog,
    connection: Connection,
    parameters: Sequence[object | None],
) -> Schema | None:
    match parsed:
        case ChunkQuery():
            plain, _ = split(opened(parsed, lambda _: ()))
            return _columns(plain, catalog, connection, parameters)
        case sql.Query(tree=tree):
            names = Names(catalog, connection.describe)
            text = translate_query(tree, names, connection, parameters)
            columns = told(tree, names, connection.describe(text))
            return effect_columns(parsed, columns) if isinstance(parsed, EffectQuery) else columns
        case sql.Insert() | sql.Update() | sql.Delete():
            if not parsed.returning:
                return None
            return _returned(parsed.tree, parsed.table, catalog, connection, parameters)
        case sql.Show() | sql.Describe():
            return shown_columns(parsed)
        case sql.Explain():
            return (Column("QUERY PLAN", "VARCHAR"),)
        case sql.Call(function=function):
            return (Column(function, "VARCHAR"),)
        case _:
            return None


def _returned(
    tree: Any,
    table: sql.ObjectName,
    catalog: Catalog,
    connection: Connection,
    parameters: Sequence[object | None],
) -> Schema | None:
    relation = catalog.require(table).relation
    if relation is None:
        return None
    stored = public_name(relation.schema, relation.name)
    returning = capture(tree, stored, with_others=True).returning
    if returning is None:
        return None
    names = Names(catalog, connection.describe)
    text = translate_query(returning, names, connection, parameters)
    return told(returning, names, connection.describe(text))
