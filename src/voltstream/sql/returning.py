"""RETURNING that tells columns of the relations in UPDATE … FROM and DELETE … USING.

The rows of those relations are gone from sight when the answer is made: what it needs of them is
computed together with the rows that change, and kept beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

Columns = Callable[[exp.Select], Sequence[str]]  # The names of a query's columns.


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept beside a changed row, and RETURNING over both.

    Shape: ``values`` are columns of other relations; the n-th is ``_r<n>`` to ``answer``, which
    reads the changed rows under the target's name.
    """

    values: tuple[exp.Expression, ...]
    answer: tuple[exp.Expression, ...]


def others(tree: exp.Expression) -> list[exp.Expression]:
    """Return the relations beside the target of an UPDATE, DELETE or MERGE, but not of joins."""
    using = tree.args.get("using")
    more = tree.args.get("from_")
    listed = using if isinstance(using, list) else [using]
    found = [*listed, more.this if more is not None else None]
    return [other for other in found if isinstance(other, exp.Expression)]


def kept_beside(tree: exp.Expression, own: Sequence[str], columns: Columns) -> Kept | None:
    """Return what RETURNING tells of other relations; None when it tells nothing of them.

    Shape: ``own`` are the target's columns.
    """
    asked = tree.args.get("returning")
    beside = others(tree)
    if not isinstance(asked, exp.Returning) or not beside:
        return None
    target = tree.this.alias or tree.this.name
    items = [
        item for one in asked.expressions for item in _opened(one, target, own, beside, columns)
    ]
    values: list[exp.Expression] = []

    def lifted(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column) or _is_own(node, target, own):
            return node
        if node not in values:
            values.append(node.copy())
        return exp.column(f"_r{values.index(node)}", table=target, quoted=True)

    answer: list[exp.Expression] = []
    for item in items:
        name = item.output_name
        changed = item.transform(lifted)
        named = isinstance(item, exp.Column) and changed != item
        told = exp.alias_(changed, name, quoted=True) if named else changed
        assert isinstance(told, exp.Expression)
        answer.append(told)
    return Kept(tuple(values), tuple(answer)) if values else None


def _is_own(column: exp.Column, target: str, own: Sequence[str]) -> bool:
    return column.table == target if column.table else column.name in own


def _opened(
    item: exp.Expression,
    target: str,
    own: Sequence[str],
    beside: Sequence[exp.Expression],
    columns: Columns,
) -> list[exp.Expression]:
    """Return an item, a star as the columns it stands for: the target's come first."""
    of = item.table if isinstance(item, exp.Column) and isinstance(item.this, exp.Star) else ""
    if not of and not isinstance(item, exp.Star):
        return [item]
    opened = [exp.column(name, table=target, quoted=True) for name in own] * (of in ("", target))
    for source in _sources(beside):
        name = source.alias_or_name
        if of in ("", name):
            star = exp.Column(this=exp.Star(), table=exp.to_identifier(name, quoted=True))
            found = columns(exp.select(star).from_(_alone(source)))
            opened += [exp.column(column, table=name, quoted=True) for column in found]
    return list(opened)


def _sources(beside: Sequence[exp.Expression]) -> list[exp.Expression]:
    joined = [join.this for one in beside for join in one.args.get("joins") or ()]
    return [*beside, *joined]


def _alone(source: exp.Expression) -> exp.Expression:
    copied = source.copy()
    copied.set("joins", None)
    return copied
