"""Tables of one name in several schemas: each gets an alias of its own, and its columns with it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp


def tell_apart(tree: exp.Expression, tables: Sequence[exp.Table]) -> None:
    """Give namesakes among tables without an alias one that tells them apart.

    Law: ``schema.table.column`` means that table wherever it stands; ``table.column`` means the
    nearest one of the name.
    """
    schemas: dict[str, set[str]] = {}
    for table in tables:
        schemas.setdefault(table.name, set()).add(table.db)
    shared = {name for name, found in schemas.items() if len(found) > 1}
    if not shared:
        return
    namesakes = [table for table in tables if table.name in shared]
    for column in list(tree.find_all(exp.Column)):
        if column.table in shared:
            meant = column.args.get("db")
            schema = meant.name if meant is not None else _nearest(column, namesakes)
            if schema in schemas[column.table]:
                column.set("table", _alias(schema, column.table))
    for table in namesakes:
        table.set("alias", exp.TableAlias(this=_alias(table.db, table.name)))


def _alias(schema: str, name: str) -> exp.Identifier:
    return exp.to_identifier(f"{schema}.{name}", quoted=True)


def _nearest(column: exp.Column, tables: Sequence[exp.Table]) -> str | None:
    """Return the schema of the table of a column's name in the innermost query that has one."""
    query = column.find_ancestor(exp.Select)
    while query is not None:
        for table in tables:
            if table.name == column.table and table.find_ancestor(exp.Select) is query:
                return table.db
        query = query.find_ancestor(exp.Select)
    return None
