"""Which columns of a plan identify its rows, and which are never NULL."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from voltstream.sql.plan import (
    Aggregate,
    AsofJoin,
    DistinctOn,
    Filter,
    Join,
    JoinKind,
    Over,
    Plan,
    Project,
    Ranked,
    Scan,
    SeriesToNow,
    SetOperation,
    SetVerb,
    TimeFilter,
)
from voltstream.sql.planning import conjuncts
from voltstream.sql.targets.words import Tree
from voltstream.sql.windows import WINDOW

Key = tuple[str, ...]
_BUCKETS = frozenset({"time_bucket", "date_trunc", "_vs_trunc_instant"})


def never_null(plan: Plan) -> frozenset[str]:
    """Return columns that a filter, a key or a window keeps from being NULL."""
    match plan:
        case Scan(relation=relation):
            required = {column.name for column in relation.columns if column.not_null}
            return frozenset(required | set(relation.key))
        case Filter(child=child, predicate=predicate):
            return never_null(child) | _tested(predicate)
        case TimeFilter(child=child) | DistinctOn(child=child) | Ranked(child=child):
            return never_null(child)
        case Over(child=child) | AsofJoin(left=child):
            return never_null(child)
        case Join(kind=JoinKind.INNER, left=left, right=right):
            return never_null(left) | never_null(right)
        case Join(kind=kind, left=left) if kind is not JoinKind.FULL:
            return never_null(left)
        case Aggregate(child=child, groups=groups):
            return never_null(child) & frozenset(groups)
        case Project(child=child, items=items):
            below = never_null(child)
            kept = {n for n, t in items if isinstance(t, exp.Column) and t.name in below}
            marked = {n for n, t in items if WINDOW in t.meta}
            ends = {n for n, t in items if n == "window_end" and "window_start" in below}
            return frozenset(kept | marked | ends)
        case _:
            return frozenset()


def plain(plan: Plan, views: Mapping[int, frozenset[str]]) -> frozenset[str]:
    """Return columns that are NULL only where a source's or a table's own column is.

    Shape: ``views`` has the same of views, by oid.
    """
    match plan:
        case Scan(relation=relation):
            return views.get(relation.oid, frozenset(column.name for column in relation.columns))
        case Filter(child=child) | TimeFilter(child=child) | DistinctOn(child=child):
            return plain(child, views)
        case Ranked(child=child) | Over(child=child):
            return plain(child, views)
        case AsofJoin(left=left, right=right, outer=outer):
            return plain(left, views) | (frozenset() if outer else plain(right, views))
        case Join(kind=JoinKind.INNER, left=left, right=right):
            return plain(left, views) | plain(right, views)
        case Join(kind=kind, left=left) if kind is not JoinKind.FULL:
            return plain(left, views)
        case Aggregate(child=child, groups=groups):
            return plain(child, views) & frozenset(groups)
        case Project(child=child, items=items):
            below = plain(child, views)
            return frozenset(name for name, tree in items if _handed_on(tree, below))
        case _:
            return frozenset()


def _handed_on(tree: Tree, below: frozenset[str]) -> bool:
    """Tell whether an expression is a column, the first of some, or the time bucket of one.

    Nothing else counts: a quotient or a cast may be NULL although what it is made of is not.
    """
    if isinstance(tree, exp.Column):
        return tree.name in below
    if isinstance(tree, exp.Paren):
        return _handed_on(tree.this, below)
    if isinstance(tree, exp.Coalesce):
        return any(_handed_on(one, below) for one in (tree.this, *tree.expressions))
    if isinstance(tree, exp.Anonymous) and tree.name.lower() in _BUCKETS:
        columns = [one for one in tree.expressions if one.find(exp.Column)]
        return bool(columns) and all(_handed_on(one, below) for one in columns)
    return False


def _tested(predicate: Tree) -> frozenset[str]:
    """Return columns that a predicate cannot be true of when they are NULL."""
    found: set[str] = set()
    for part in conjuncts(predicate):
        tree = part.this if isinstance(part, exp.Not) else None
        if isinstance(tree, exp.Is) and isinstance(tree.expression, exp.Null):
            found |= {tree.this.name} if isinstance(tree.this, exp.Column) else set()
        if isinstance(part, exp.EQ | exp.GT | exp.GTE | exp.LT | exp.LTE | exp.NEQ | exp.In):
            found |= {part.this.name} if isinstance(part.this, exp.Column) else set()
    return frozenset(found)


def key_of(plan: Plan) -> Key | None:
    """Return columns that no two rows have alike; None where none are known."""
    match plan:
        case Scan(relation=relation):
            return relation.key or None
        case Filter(child=child) | TimeFilter(child=child) | Over(child=child):
            return key_of(child)
        case Project(child=child, items=items) if not plan.expands:
            below = key_of(child)
            if below is None:
                return None
            shown = {t.name: name for name, t in reversed(items) if isinstance(t, exp.Column)}
            return tuple(shown[name] for name in below) if set(below) <= set(shown) else None
        case Aggregate(child=child, groups=groups):
            if "window_start" in groups and isinstance(_made_by(child, "window_end"), exp.Add):
                return tuple(name for name in groups if name != "window_end")
            return groups or None
        case DistinctOn(keys=keys):
            return keys
        case Ranked(child=child, partition=partition, last=last, skip=skip, function=function):
            one = last == 1 and skip == 0 and function == "row_number"
            return (partition or None) if one else key_of(child)
        case SetOperation(verb=SetVerb.DISTINCT):
            return plan.columns
        case SeriesToNow(name=name):
            return (name,)
        case AsofJoin(left=left):
            return key_of(left)
        case Join():
            return _key_of_join(plan)
        case _:
            return None


def _key_of_join(plan: Join) -> Key | None:
    """Return the key of the side of which each row meets one of the other at most, or both."""
    left, right = key_of(plan.left), key_of(plan.right)
    if left is None or plan.kind is JoinKind.FULL:
        return None
    if plan.kind in (JoinKind.SEMI, JoinKind.ANTI):
        return left
    if right is None:
        return None
    if set(right) <= {key.right.name for key in plan.keys if isinstance(key.right, exp.Column)}:
        return left
    if plan.kind is JoinKind.INNER:
        if set(left) <= {key.left.name for key in plan.keys if isinstance(key.left, exp.Column)}:
            return right
        return left + right
    return None


def _made_by(plan: Plan, name: str) -> Tree | None:
    """Return the expression that a column is, through what hands it on."""
    while isinstance(plan, Filter | Project):
        if isinstance(plan, Project):
            tree = dict(plan.items).get(name)
            if not isinstance(tree, exp.Column):
                return tree
            name = tree.name
        plan = plan.child
    return None
