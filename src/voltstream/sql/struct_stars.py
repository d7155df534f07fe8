"""(record).* in a select list: a column for each field."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from voltstream.sql.batch import batch_sql
from voltstream.sql.catalog import TypeOracle
from voltstream.sql.expressions import spell
from voltstream.sql.plan import Plan


def opened_stars(
    query: exp.Select,
    plan: Plan,
    oracle: TypeOracle,
    resolved: Callable[[exp.Expression], exp.Expression],
) -> exp.Select:
    """Return the query with the fields of each record in place of its star."""
    if not any(_is_star(tree) for tree in query.expressions):
        return query
    found: list[exp.Expression] = []
    for tree in query.expressions:
        if not _is_star(tree):
            found.append(tree)
            continue
        record = f"SELECT {spell(resolved(tree.this.copy()))} AS r FROM ({batch_sql(plan)})"
        text = f"SELECT unnest(r) FROM ({record})"
        for field in oracle.describe(text):
            name = exp.to_identifier(field.name, quoted=True)
            value = exp.Dot(this=exp.Paren(this=tree.this.copy()), expression=name)
            shown = exp.to_identifier(field.name, quoted=True)
            found.append(exp.Alias(this=value, alias=shown))
    copied = query.copy()
    copied.set("expressions", found)
    return copied


def _is_star(tree: exp.Expression) -> bool:
    return isinstance(tree, exp.Dot) and isinstance(tree.expression, exp.Star)
