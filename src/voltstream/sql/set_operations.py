"""UNION, INTERSECT and EXCEPT of two planned queries."""

from __future__ import annotations

from sqlglot import exp

from voltstream.core.errors import NotIncremental, SyntaxFault
from voltstream.sql.expressions import column, mentions_now
from voltstream.sql.plan import Plan, Project, SetOperation, SetVerb, Union
from voltstream.sql.planning import Items, Planned, Planning, replaced

_VERBS = {
    (exp.Intersect, True): SetVerb.INTERSECT,
    (exp.Intersect, False): SetVerb.INTERSECT_ALL,
    (exp.Except, True): SetVerb.EXCEPT,
    (exp.Except, False): SetVerb.EXCEPT_ALL,
}


def combined(planner: Planning, query: exp.SetOperation, left: Planned, right: Planned) -> Planned:
    """Raises: SyntaxFault (42601) for branches of different widths."""
    verb = type(query).__name__.upper()
    if len(left.items) != len(right.items):
        raise SyntaxFault(f"each {verb} query must have the same number of columns")
    if query.args.get("by_name"):
        raise NotIncremental(f"no delta rule for {verb} BY NAME")
    names = [name for name, _ in left.items]
    volatile = [
        place
        for place, ((_, a), (_, b)) in enumerate(zip(left.items, right.items, strict=True))
        if mentions_now(a) or mentions_now(b)
    ]
    distinct = query.args.get("distinct") is not False
    if volatile:
        if distinct or not isinstance(query, exp.Union):
            raise NotIncremental(f"NOW() below {verb}")
        return _volatile_union(planner, left, right, names, volatile)
    sides: tuple[Plan, Plan] = (_named(left, names), _named(right, names))
    node: Plan
    if isinstance(query, exp.Union):
        node = Union(sides)
        if distinct:
            node = SetOperation(SetVerb.DISTINCT, (node,))
    else:
        node = SetOperation(_VERBS[type(query), distinct], sides)
    return Planned(node, [(name, column(name)) for name in names], repeated=left.repeated)


def _named(planned: Planned, names: list[str]) -> Plan:
    trees = (tree for _, tree in planned.items)
    return Project(planned.plan, tuple(zip(names, trees, strict=True)))


def _volatile_union(
    planner: Planning, left: Planned, right: Planned, names: list[str], volatile: list[int]
) -> Planned:
    """Carry what NOW() needs beside a branch number; evaluate it above the union."""
    extra: list[str] = []
    values: dict[int, list[exp.Expression]] = {place: [] for place in volatile}
    sides: list[Items] = [[], []]
    for number, planned in enumerate((left, right)):

        def carried(node: exp.Expression, own: Items = sides[number]) -> exp.Expression | None:
            if not isinstance(node, exp.Column):
                return None
            name = planner.fresh("carried")
            extra.append(name)
            own.append((name, node.copy()))
            return column(name)

        for place in volatile:
            values[place].append(replaced(planned.items[place][1], carried))
    branches = []
    for number, planned in enumerate((left, right)):
        own = dict(sides[number])
        items: Items = [
            (name, tree)
            for place, (name, (_, tree)) in enumerate(zip(names, planned.items, strict=True))
            if place not in volatile
        ]
        items.append(("_branch", exp.Literal.number(number)))
        items += [(name, own.get(name, exp.Null())) for name in extra]
        branches.append(Project(planned.plan, tuple(items)))
    merged: Items = []
    for place, name in enumerate(names):
        if place not in volatile:
            merged.append((name, column(name)))
            continue
        first = exp.EQ(this=column("_branch"), expression=exp.Literal.number(0))
        one, other = values[place]
        tree = exp.Case(ifs=[exp.If(this=first, true=one)], default=other)
        merged.append((name, tree))
    return Planned(Union(tuple(branches)), merged)
