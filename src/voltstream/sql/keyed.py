"""Queries whose answer depends only on the rows with one value of one column."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

# What may stand in such a query: all of it says the same for the same rows, whoever asks and when.
_STEADY = (
    exp.Select, exp.From, exp.Table, exp.TableAlias, exp.Identifier, exp.Column, exp.Star,
    exp.Alias, exp.Where, exp.Order, exp.Ordered, exp.Limit, exp.Literal, exp.Parameter,
    exp.Boolean, exp.Null, exp.And, exp.Or, exp.Not, exp.Paren, exp.EQ, exp.NEQ, exp.LT, exp.LTE,
    exp.GT, exp.GTE, exp.Is, exp.In, exp.Between, exp.Add, exp.Sub, exp.Mul, exp.Count, exp.Sum,
    exp.Min, exp.Max, exp.Coalesce,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keyed:
    """The column that is compared, and the parameter, from 1, that it must equal."""

    column: str
    parameter: int


def keyed(tree: exp.Expression) -> tuple[Keyed, ...]:
    """Return what a query over one relation asks of its rows; none where more may matter.

    Law: rows that differ from the parameter in such a column have no part in the answer.
    """
    if not isinstance(tree, exp.Select) or tree.args.get("joins") or tree.args.get("with_"):
        return ()
    if any(type(node) not in _STEADY for node in tree.walk()):
        return ()
    if sum(1 for _ in tree.find_all(exp.Select)) != 1 or tree.find(exp.Table) is None:
        return ()
    where = tree.args.get("where")
    if where is None or where.this is None:
        return ()
    found = map(_equals, where.this.flatten() if isinstance(where.this, exp.And) else [where.this])
    return tuple(one for one in found if one is not None)


def _equals(condition: exp.Expression) -> Keyed | None:
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if not isinstance(condition, exp.EQ):
        return None
    sides = (condition.this, condition.expression)
    for column, value in (sides, sides[::-1]):
        if isinstance(column, exp.Column) and isinstance(value, exp.Parameter):
            return Keyed(column.name, int(value.name))
    return None
