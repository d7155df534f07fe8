"""Plain views give way to their bodies, so that what is asked of them reaches the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

# What a name in FROM may carry and a subquery keeps.
_KEPT = frozenset({"this", "db", "catalog", "alias"})


@dataclass(frozen=True, slots=True)
class Body:
    """A view's query, its names resolved; ``names`` are those that it gives its columns."""

    query: exp.Expression
    names: Sequence[str] = ()


def with_bodies(tree: exp.Expression, body_of: Callable[[str, str], Body | None]) -> exp.Expression:
    """Return a copy of a query in which views are subqueries, as deep as they go."""
    copied = tree.copy()
    for table in list(copied.find_all(exp.Table)):
        plain = isinstance(table.this, exp.Identifier) and table.db
        if not plain or any(v for k, v in table.args.items() if k not in _KEPT):
            continue
        body = body_of(table.db, table.name)
        if body is None:
            continue
        given = table.alias_column_names
        names = [*given, *body.names[len(given) :]]
        alias = exp.TableAlias(
            this=exp.to_identifier(table.alias or table.name, quoted=True),
            columns=[exp.to_identifier(name, quoted=True) for name in names],
        )
        table.replace(exp.Subquery(this=with_bodies(body.query, body_of), alias=alias))
    return copied
