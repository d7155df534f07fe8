"""A change of rows taken apart, so that its delta can be kept: before, change, answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from voltstream.sql.returning import others

CHANGED = "_changed"  # The relation of changed rows that ``returning`` reads.
ANSWERED = "_answered"  # The same with what RETURNING tells of other relations.


@dataclass(frozen=True, slots=True)
class Capture:
    """The parts of an INSERT, UPDATE or DELETE.

    Shape: ``change`` is the statement with RETURNING *. ``before`` selects the rows an UPDATE is
    about to change. ``returning`` answers the user's RETURNING from ``CHANGED``. ``upsert`` says
    that ON CONFLICT may change rows that only a comparison finds.
    """

    change: exp.Expression
    before: exp.Expression | None
    returning: exp.Expression | None
    upsert: bool


def capture(
    tree: exp.Expression,
    changed: str = CHANGED,
    answer: Sequence[exp.Expression] | None = None,
    *,
    with_others: bool = False,
) -> Capture:
    """Take a statement apart; ``tree`` itself is not touched. ``changed``: where its rows are.

    ``answer`` stands for the items of RETURNING; ``with_others`` lets them read the relations of
    FROM and USING as well.
    """
    change = tree.copy()
    asked = change.args.get("returning")
    returning: exp.Select | None = None
    if isinstance(asked, exp.Returning):
        items = asked.expressions if answer is None else answer
        returning = exp.select(*[item.copy() for item in items]).from_(
            _changed(_target(tree), changed)
        )
        for other in others(tree) if with_others else ():
            returning = returning.join(other.copy(), join_type="cross")
    change.set("returning", exp.Returning(expressions=[exp.Star()]))
    conflict = tree.args.get("conflict")
    upsert = conflict is not None and bool(conflict.expressions)
    before = _before(tree) if isinstance(tree, exp.Update) else None
    return Capture(change, before, returning, upsert)


def relations(tree: exp.Expression) -> set[tuple[str | None, str]]:
    """Return the (schema, name) of every relation a query reads by name."""
    local = {cte.alias for cte in tree.find_all(exp.CTE)}
    return {
        (table.db or None, table.name)
        for table in tree.find_all(exp.Table)
        if table.name and not (table.name in local and not table.db)
    }


def retargeted(tree: exp.Expression, stored: str) -> exp.Expression:
    """Return a DELETE of the relation that holds the rows; RETURNING keeps the table's name."""
    copied = tree.copy()
    target = _target(copied)
    alias = target.alias or target.name
    stored_table = exp.to_table(stored)
    target.set("this", stored_table.this)
    target.set("db", stored_table.args.get("db"))
    target.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    return copied


def mentions_column(tree: exp.Expression, name: str) -> bool:
    """Tell whether a query may read a column of that name: it says so, or has a star."""
    return any(tree.find_all(exp.Star)) or any(
        column.name == name for column in tree.find_all(exp.Column, exp.Identifier)
    )


def redirected(tree: exp.Expression, name: str) -> exp.Expression:
    """Return an INSERT that writes to another relation and answers nothing."""
    copied = tree.copy()
    target = _target(copied)
    target.set("this", exp.to_identifier(name))
    target.set("db", None)
    copied.set("returning", None)
    return copied


def _target(tree: exp.Expression) -> exp.Table:
    target = tree.this
    if isinstance(target, exp.Schema):
        target = target.this
    if not isinstance(target, exp.Table):
        raise TypeError(f"a change of rows names {type(target).__name__}, not a table")
    return target


def _changed(target: exp.Table, relation: str) -> exp.Expr:
    """Return the changed rows under the name by which the user's RETURNING calls the table."""
    return exp.alias_(exp.to_table(relation), target.alias or target.name, table=True, quoted=True)


def _before(tree: exp.Update) -> exp.Select:
    """Select rows once, however many rows of FROM match them."""
    rows = exp.select("*").from_(_target(tree).copy())
    where = tree.args.get("where")
    source = tree.args.get("from_") or tree.args.get("from")
    if source is None:
        return rows.where(where.this.copy()) if where is not None else rows
    matches = exp.select(exp.Literal.number(1))
    matches.set("from_", source.copy())
    if where is not None:
        matches = matches.where(where.this.copy())
    return rows.where(exp.Exists(this=matches))
