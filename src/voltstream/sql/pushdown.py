"""Filters go to where they cost least: into join keys, below joins, into a rank's bound.

Law: batch_sql(filtered(plan, p)) has the rows of batch_sql(Filter(plan, p)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from voltstream.core.errors import NotIncremental
from voltstream.sql.expressions import NOW, all_of, mentions_now, spell
from voltstream.sql.faults import guarded
from voltstream.sql.plan import (
    Filter,
    Join,
    JoinKind,
    Key,
    Over,
    Plan,
    Project,
    Ranked,
    SortKey,
    TemporalJoin,
    TimeFilter,
)
from voltstream.sql.planning import conjuncts, names_in, substituted
from voltstream.sql.temporal import solve

_RANKS = {exp.RowNumber: "row_number", exp.Rank: "rank", exp.DenseRank: "dense_rank"}
_FLIPPED: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.LT: exp.GT,
    exp.LTE: exp.GTE,
    exp.GT: exp.LT,
    exp.GTE: exp.LTE,
    exp.EQ: exp.EQ,
}


def filtered(plan: Plan, predicate: exp.Expression) -> Plan:
    """Raises: NotIncremental for a use of NOW() that has no instant."""
    lower: tuple[exp.Expression, ...] = ()
    upper: tuple[exp.Expression, ...] = ()
    for part in conjuncts(predicate):
        if not mentions_now(part):
            plan = _pushed(plan, part)
            continue
        bounds = solve(part)
        if bounds is None:
            shown = spell(part).replace(f"{NOW}()", "NOW()")
            raise NotIncremental(f"{shown} cannot be solved for an instant")
        lower, upper = lower + bounds.lower, upper + bounds.upper
    if lower or upper:
        plan = TimeFilter(plan, lower, upper)
    return plan


def join_of(left: Plan, right: Plan, kind: JoinKind, parts: Sequence[exp.Expression]) -> Join:
    """Split a condition into equality keys and the rest."""
    keys: list[Key] = []
    rest: list[exp.Expression] = []
    for part in parts:
        if isinstance(part, exp.Boolean) and part.this is True:
            continue
        key = equality(part, left, right)
        if key is not None:
            keys.append(key)
        else:
            rest.append(guarded(part))
    return Join(left, right, kind, tuple(keys), all_of(rest) if rest else None)


def equality(part: exp.Expression, left: Plan, right: Plan) -> Key | None:
    """Return the join key that a predicate is, or None."""
    null_safe = isinstance(part, exp.NullSafeEQ)
    if not null_safe and not isinstance(part, exp.EQ):
        return None
    a, b = part.this, part.expression
    if within(a, left) and within(b, right):
        return Key(guarded(a), guarded(b), null_safe)
    if within(a, right) and within(b, left):
        return Key(guarded(b), guarded(a), null_safe)
    return None


def within(tree: exp.Expression, plan: Plan) -> bool:
    names = names_in(tree)
    return bool(names) and names <= set(plan.columns)


def _pushed(plan: Plan, part: exp.Expression) -> Plan:
    match plan:
        case Join():
            return _into_join(plan, part)
        case TemporalJoin(join=join):
            within_join = _into_join(join, part)
            if isinstance(within_join, Join):
                return TemporalJoin(within_join)
        case Project(child=child, items=items):
            known = {name: tree for name, tree in items if isinstance(tree, exp.Column)}
            if names_in(part) <= set(known):
                return replace(plan, child=_pushed(child, substituted(part, known)))
        case Filter(child=child, predicate=predicate):
            below = _pushed(child, part)
            if not (isinstance(below, Filter) and below.child is child):
                return Filter(below, predicate)
        case Over():
            bounded = _rank_bound(plan, part)
            if bounded is not None:
                return bounded
            if names_in(part) and names_in(part) <= set(plan.partition):
                return replace(plan, child=_pushed(plan.child, part))
        case _:
            pass
    return Filter(plan, guarded(part))


def _into_join(plan: Join, part: exp.Expression) -> Plan:
    if plan.kind is not JoinKind.FULL and within(part, plan.left):
        return replace(plan, left=_pushed(plan.left, part))
    if plan.kind is not JoinKind.INNER:
        return Filter(plan, guarded(part))
    if within(part, plan.right):
        return replace(plan, right=_pushed(plan.right, part))
    key = equality(part, plan.left, plan.right)
    if key is not None:
        return replace(plan, keys=(*plan.keys, key))
    if not names_in(part):
        return Filter(plan, guarded(part))
    rest = guarded(part)
    return replace(plan, rest=rest if plan.rest is None else all_of([plan.rest, rest]))


def _rank_bound(plan: Over, part: exp.Expression) -> Plan | None:
    """Return a top-N when a filter bounds the only window call, and that is a rank."""
    if len(plan.calls) != 1:
        return None
    name, call = plan.calls[0]
    function = _RANKS.get(type(call.this)) if isinstance(call, exp.Window) else None
    if function is None or call.args.get("spec") is not None:
        return None
    order = _sort_keys(call)
    last = _last(part, name)
    if order is None or last is None:
        return None
    top = Ranked(plan.child, plan.partition, order, function, last, name=name)
    return Filter(top, part) if isinstance(part, exp.EQ) and last > 1 else top


def _sort_keys(call: exp.Expression) -> tuple[SortKey, ...] | None:
    order = call.args.get("order")
    keys = []
    for ordered in order.expressions if order is not None else []:
        if not isinstance(ordered.this, exp.Column):
            return None
        descending = bool(ordered.args.get("desc"))
        first = ordered.args.get("nulls_first")
        keys.append(SortKey(ordered.this.name, descending, bool(first)))
    return tuple(keys)


def _last(part: exp.Expression, name: str) -> int | None:
    """Return the greatest rank that a predicate like ``rank <= 3`` lets through."""
    if type(part) not in _FLIPPED:
        return None
    left, right, verb = part.this, part.expression, type(part)
    if isinstance(left, exp.Literal):
        left, right, verb = right, left, _FLIPPED[verb]
    whole = isinstance(right, exp.Literal) and not right.is_string and right.name.isdigit()
    if not (isinstance(left, exp.Column) and left.name == name and whole):
        return None
    if verb in (exp.LTE, exp.EQ):
        return int(right.name)
    return int(right.name) - 1 if verb is exp.LT else None
