"""The hidden ``_row_id`` of a table without a primary key: selectable by name, not part of ``*``.

It is the store's own number of a row, for queries that run once: a change gives the row another,
so no view can be kept by it.
"""

from __future__ import annotations

from sqlglot import exp

from voltstream.sql.catalog import CatalogReader

ROW_ID = "_row_id"


def with_row_ids(tree: exp.Expression, catalog: CatalogReader) -> exp.Expression:
    """Let the tables of a query that names ``_row_id`` show it."""
    wanted = [c for c in tree.find_all(exp.Column) if c.name == ROW_ID and not c.args.get("db")]
    scopes = {id(s): s for c in wanted if (s := c.find_ancestor(exp.Select)) is not None}
    for scope in scopes.values():
        shown = [table for table in _tables(scope) if _show(table, catalog)]
        if shown:
            _leave_out(scope)
    return tree


def _tables(select: exp.Select) -> list[exp.Table]:
    clause = select.args.get("from_")
    holders = [clause, *(select.args.get("joins") or [])] if clause is not None else []
    return [holder.this for holder in holders if isinstance(holder.this, exp.Table)]


def _show(table: exp.Table, catalog: CatalogReader) -> bool:
    """Put the stored table, with its rows' numbers, in the place of its public name."""
    relation = catalog.find(table.db, table.name) if table.db else None
    if relation is None or relation.kind != "table" or relation.key:
        return False
    if not relation.stored.startswith("_vs.t_"):  # A hypertable's rows are in files too.
        return False
    schema, _, name = relation.stored.partition(".")
    number = exp.alias_(exp.column("rowid", quoted=True), ROW_ID, quoted=True)
    columns = [exp.column(column, quoted=True) for column in relation.stable]
    query = exp.select(number, *columns).from_(exp.table_(name, db=schema, quoted=True))
    named = exp.TableAlias(this=exp.to_identifier(table.alias_or_name, quoted=True))
    table.replace(exp.Subquery(this=query, alias=table.args.get("alias") or named))
    return True


def _leave_out(select: exp.Select) -> None:
    """Keep the number out of ``*``."""
    for tree in select.expressions:
        star = tree.this if isinstance(tree, exp.Column) else tree
        if isinstance(star, exp.Star):
            left_out = [*(star.args.get("except_") or []), exp.to_identifier(ROW_ID, quoted=True)]
            star.set("except_", left_out)
