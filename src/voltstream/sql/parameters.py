"""What type a parameter has, from where it stands. Source: PostgreSQL manual, chapter 10."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from voltstream.core.types import DataType, Kind
from voltstream.sql.catalog import CatalogReader, Relation
from voltstream.sql.scope import literal_type

_TYPES: Mapping[Any, Kind] = {
    exp.DataType.Type.BOOLEAN: Kind.BOOL,
    exp.DataType.Type.SMALLINT: Kind.INT2,
    exp.DataType.Type.INT: Kind.INT4,
    exp.DataType.Type.UINT: Kind.OID,
    exp.DataType.Type.BIGINT: Kind.INT8,
    exp.DataType.Type.FLOAT: Kind.FLOAT4,
    exp.DataType.Type.DOUBLE: Kind.FLOAT8,
    exp.DataType.Type.DECIMAL: Kind.NUMERIC,
    exp.DataType.Type.TEXT: Kind.TEXT,
    exp.DataType.Type.VARCHAR: Kind.VARCHAR,
    exp.DataType.Type.VARBINARY: Kind.BYTEA,
    exp.DataType.Type.UUID: Kind.UUID,
    exp.DataType.Type.JSON: Kind.JSON,
    exp.DataType.Type.JSONB: Kind.JSONB,
    exp.DataType.Type.DATE: Kind.DATE,
    exp.DataType.Type.TIME: Kind.TIME,
    exp.DataType.Type.TIMETZ: Kind.TIMETZ,
    exp.DataType.Type.TIMESTAMP: Kind.TIMESTAMP,
    exp.DataType.Type.TIMESTAMPTZ: Kind.TIMESTAMPTZ,
    exp.DataType.Type.INTERVAL: Kind.INTERVAL,
}


def parameter_types(tree: exp.Expression, catalog: CatalogReader) -> dict[int, DataType]:
    """Return the types of parameters whose place says one; $1 is 1."""
    found: dict[int, DataType] = {}
    columns = _columns(tree, catalog)
    for node in tree.find_all(exp.Parameter, exp.Placeholder):
        if node.name.isdigit() and int(node.name) not in found:
            data_type = _of_place(node, columns)
            if data_type is not None:
                found[int(node.name)] = data_type
    _of_insert(tree, catalog, found)
    return found


def gives_parameters(tree: exp.Expression, below: int) -> bool:
    """Tell whether a parameter before number ``below`` stands in a select list."""
    return any(
        node.name.isdigit() and int(node.name) < below
        for select in tree.find_all(exp.Select)
        for item in select.expressions
        for node in item.find_all(exp.Parameter, exp.Placeholder)
    )


Columns = Mapping[tuple[str, str], DataType]


def _columns(tree: exp.Expression, catalog: CatalogReader) -> Columns:
    """Return the columns in sight by (alias, name) and, where nothing hides them, ("", name)."""
    found: dict[tuple[str, str], DataType] = {}
    for table in tree.find_all(exp.Table):
        relation = _relation(table, catalog)
        for column in relation.columns if relation is not None else ():
            found[(table.alias_or_name, column.name)] = column.type
            found.setdefault(("", column.name), column.type)
    return found


def _relation(table: exp.Table, catalog: CatalogReader) -> Relation | None:
    if not isinstance(table.this, exp.Identifier):
        return None
    return catalog.find(table.db or None, table.name)


def _of_place(node: exp.Expression, columns: Columns) -> DataType | None:
    parent = node.parent
    while isinstance(parent, exp.Paren | exp.Neg):
        node, parent = parent, parent.parent
    match parent:
        case exp.Cast() if parent.this is node:
            return _declared(parent.to)
        case exp.Limit() | exp.Offset():
            return DataType(Kind.INT8)
        case exp.Any() if isinstance(parent.parent, exp.Binary):
            item = _of_side(_other(parent.parent, parent), columns)
            return DataType(item.kind, 1) if item is not None and not item.array_depth else None
        case exp.Between():
            return _of_side(parent.this, columns)
        case exp.In():
            return _of_side(parent.this, columns) if parent.this is not node else None
        case exp.Like() | exp.ILike() | exp.RegexpLike() | exp.DPipe():
            return DataType(Kind.TEXT)
        case exp.EQ() if isinstance(parent.parent, exp.Update):
            return _of_side(parent.this, columns)
        case exp.And() | exp.Or() | exp.Not() | exp.Where():
            return DataType(Kind.BOOL)
        case exp.Binary():
            return _of_side(_other(parent, node), columns)
        case _:
            return None


def _other(parent: exp.Binary, node: exp.Expression) -> exp.Expression:
    other: exp.Expression = parent.expression if parent.this is node else parent.this
    return other


def _of_side(tree: exp.Expression, columns: Columns) -> DataType | None:
    """Return the type of what stands beside a parameter, where that is plain to see."""
    match tree:
        case exp.Paren() | exp.Neg():
            return _of_side(tree.this, columns)
        case exp.Column():
            return columns.get((tree.table, tree.name))
        case exp.Cast():
            return _declared(tree.to)
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Div() | exp.Mod():
            return _of_side(tree.this, columns) or _of_side(tree.expression, columns)
        case exp.Count():
            return DataType(Kind.INT8)
        case _:
            return literal_type(tree)


def _declared(kind: exp.Expression) -> DataType | None:
    if isinstance(kind, exp.ObjectIdentifier):
        return DataType(Kind.OID if str(kind.this).lower() == "oid" else Kind.TEXT)
    if not isinstance(kind, exp.DataType):
        return None
    if kind.this == exp.DataType.Type.ARRAY and kind.expressions:
        item = _declared(kind.expressions[0])
        return DataType(item.kind, 1) if item is not None else None
    found = _TYPES.get(kind.this) if isinstance(kind.this, exp.DataType.Type) else None
    return DataType(found) if found is not None else None


def _of_insert(tree: exp.Expression, catalog: CatalogReader, found: dict[int, DataType]) -> None:
    """Give the parameters of INSERT … VALUES the types of their columns."""
    if not isinstance(tree, exp.Insert):
        return
    target = tree.this
    names: list[str] = []
    if isinstance(target, exp.Schema):
        names = [column.name for column in target.expressions]
        target = target.this
    relation = _relation(target, catalog) if isinstance(target, exp.Table) else None
    if relation is None:
        return
    types = {column.name: column.type for column in relation.columns}
    order = [types.get(name) for name in names] or list(types.values())
    for row in _rows(tree.expression):
        for item, data_type in zip(row, order, strict=False):
            if isinstance(item, exp.Parameter | exp.Placeholder) and data_type is not None:
                found[int(item.name)] = data_type


def _rows(values: exp.Expression | None) -> list[list[exp.Expression]]:
    match values:
        case exp.Values():
            return [list(row.expressions) for row in values.expressions]
        case exp.Select():
            return [list(values.expressions)]
        case _:
            return []
