"""INSERT and UPDATE: constants are read as the type of the column they go to."""

from __future__ import annotations

from sqlglot import exp

from voltstream.core.schema import Schema
from voltstream.sql.catalog import CatalogReader
from voltstream.sql.rules.tree import bare, cast, string_of


def assigned(tree: exp.Expression, catalog: CatalogReader) -> None:
    """Mark the constants of an INSERT's rows and an UPDATE's settings with their columns' types."""
    if isinstance(tree, exp.Insert):
        _inserted(tree, catalog)
    elif isinstance(tree, exp.Update):
        _updated(tree, catalog)


def _columns(table: exp.Expression | None, catalog: CatalogReader) -> Schema:
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        return ()
    relation = catalog.find(table.db or None, table.name)
    return relation.columns if relation is not None else ()


def _inserted(tree: exp.Insert, catalog: CatalogReader) -> None:
    target = tree.this
    named: list[str] = []
    if isinstance(target, exp.Schema):
        named = [column.name for column in target.expressions]
        target = target.this
    columns = _columns(target, catalog)
    types = {column.name: column.store_type for column in columns}
    order = named or [column.name for column in columns]
    rows = tree.expression
    if not types or not isinstance(rows, exp.Values):
        return
    for row in rows.expressions:
        items = row.expressions if isinstance(row, exp.Tuple) else [row]
        for name, item in zip(order, items, strict=False):
            if string_of(item) is not None and name in types:
                item.replace(_as_column(item, types[name]))


def _updated(tree: exp.Update, catalog: CatalogReader) -> None:
    types = {column.name: column.store_type for column in _columns(tree.this, catalog)}
    for setting in tree.expressions:
        if isinstance(setting, exp.EQ) and isinstance(setting.this, exp.Column):
            store_type = types.get(setting.this.name)
            if store_type is not None and string_of(setting.expression) is not None:
                setting.set("expression", _as_column(setting.expression, store_type))


def _as_column(item: exp.Expression, store_type: str) -> exp.Expression:
    if store_type.upper().startswith(("STRUCT", "MAP", "ENUM", "VARCHAR")) and not (
        store_type.endswith("]")
    ):
        return item
    return cast(bare(item), "varbit" if store_type == "BIT" else store_type)
