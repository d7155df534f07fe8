"""GROUP BY, HAVING, GROUPING SETS, and aggregates without a GROUP BY."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count, product

from sqlglot import exp

from voltstream.core.errors import GroupingError, NotIncremental
from voltstream.sql.expressions import column, mentions_now, spell
from voltstream.sql.faults import guarded, guarded_call
from voltstream.sql.plan import Aggregate, Plan, Project, Union
from voltstream.sql.planning import Carrier, Items, Outputs, replaced
from voltstream.sql.pushdown import filtered

_CALLS = (exp.AggFunc, exp.Filter, exp.WithinGroup)


def is_aggregated(tree: exp.Expression) -> bool:
    """Tell whether an expression calls an aggregate, window calls and subqueries aside."""
    return any(True for _ in _own_calls(tree))


def _own_calls(tree: exp.Expression) -> list[exp.Expression]:
    if isinstance(tree, exp.Query):
        return []
    if isinstance(tree, exp.AggFunc):
        return [tree]
    found: list[exp.Expression] = []
    for child in _children(tree):
        if isinstance(tree, exp.Window) and child is tree.this:
            for inner in _arguments(child):
                found += _own_calls(inner)
        else:
            found += _own_calls(child)
    return found


def _arguments(call: exp.Expression) -> list[exp.Expression]:
    """Return the arguments of a window's function, below FILTER and IGNORE NULLS."""
    if isinstance(call, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
        rest = [child for child in _children(call) if child is not call.this]
        return _arguments(call.this) + rest
    return _children(call)


def _children(tree: exp.Expression) -> list[exp.Expression]:
    found: list[exp.Expression] = []
    for value in tree.args.values():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, exp.Expression):
                found.append(child)
    return found


def grouping_sets(group: exp.Expression | None) -> list[list[exp.Expression]]:
    """Return the grouping sets of a GROUP BY clause, as lists of its expressions."""
    if group is None:
        return [[]]
    factors: list[list[list[exp.Expression]]] = []
    for tree in group.expressions:
        factors.append(_sets(tree))
    for key, make in (("rollup", _rollup), ("cube", _cube)):
        for part in group.args.get(key) or []:
            factors.append(make([_members(t) for t in part.expressions]))
    for part in group.args.get("grouping_sets") or []:
        factors.append(_sets(part))
    return [[tree for part in combined for tree in part] for combined in product(*factors)]


def _sets(tree: exp.Expression) -> list[list[exp.Expression]]:
    match tree:
        case exp.Rollup():
            return _rollup([_members(t) for t in tree.expressions])
        case exp.Cube():
            return _cube([_members(t) for t in tree.expressions])
        case exp.GroupingSets():
            return [found for member in tree.expressions for found in _sets(member)]
        case _:
            return [_members(tree)]


def _members(tree: exp.Expression) -> list[exp.Expression]:
    if isinstance(tree, exp.Tuple):
        return list(tree.expressions)
    return [tree.this if isinstance(tree, exp.Paren) else tree]


def _rollup(parts: list[list[exp.Expression]]) -> list[list[exp.Expression]]:
    return [[t for part in parts[:n] for t in part] for n in range(len(parts), -1, -1)]


def _cube(parts: list[list[exp.Expression]]) -> list[list[exp.Expression]]:
    choices = product(*([part, []] for part in parts))
    return [[tree for part in choice for tree in part] for choice in choices]


@dataclass
class Grouped:
    """The node above an aggregation and the expressions over it."""

    plan: Plan
    outputs: Outputs
    empty: Items | None = None  # the outputs of a group without rows


@dataclass
class _Calls:
    """Aggregate calls by name, collected from the expressions above them."""

    groups: list[tuple[str, exp.Expression]]
    found: Items = field(default_factory=list)

    def above(self, tree: exp.Expression) -> exp.Expression:
        """Return an expression over group columns and calls. Raises: GroupingError (42803)."""
        return replaced(tree, self._visit)

    def _visit(self, tree: exp.Expression) -> exp.Expression | None:
        text = spell(tree)
        for name, group in self.groups:
            if text == spell(group):
                return column(name)
        if isinstance(tree, exp.Window):
            return self._window(tree)
        if isinstance(tree, exp.Grouping):
            return tree.copy()
        if isinstance(tree, _CALLS):
            return self._call(tree, text)
        if isinstance(tree, exp.Column):
            raise GroupingError(
                f'column "{tree.name}" must appear in the GROUP BY clause or be used in an '
                "aggregate function"
            )
        return None

    def _window(self, tree: exp.Window) -> exp.Expression:
        copied = tree.copy()
        for key, value in list(copied.args.items()):
            if key == "this":
                copied.set(key, self._function(value))
            elif isinstance(value, exp.Expression):
                copied.set(key, self.above(value))
            elif isinstance(value, list):
                copied.set(
                    key, [self.above(v) if isinstance(v, exp.Expression) else v for v in value]
                )
        return copied

    def _function(self, call: exp.Expression) -> exp.Expression:
        copied = call.copy()
        inner = isinstance(call, exp.Filter | exp.IgnoreNulls | exp.RespectNulls)
        for key, value in list(copied.args.items()):
            if key == "this" and inner:
                copied.set(key, self._function(value))
            elif isinstance(value, exp.Expression):
                copied.set(key, self.above(value))
            elif isinstance(value, list):
                copied.set(
                    key, [self.above(v) if isinstance(v, exp.Expression) else v for v in value]
                )
        return copied

    def _call(self, tree: exp.Expression, text: str) -> exp.Expression:
        for name, known in self.found:
            if text == spell(known):
                return column(name)
        if mentions_now(tree):
            raise NotIncremental("NOW() as an aggregate's argument")
        taken = {name for name, _ in (*self.groups, *self.found)}  # A group may be an aggregate.
        free = (f"agg_{number}" for number in count(len(self.found) + 1))
        name = next(name for name in free if name not in taken)
        self.found.append((name, tree.copy()))
        return column(name)


def aggregated(
    plan: Plan,
    sets: Sequence[Sequence[exp.Expression]],
    outputs: Outputs,
    having: exp.Expression | None,
) -> Grouped:
    """Plan an aggregation whose expressions are resolved over ``plan``."""
    links = [key.left for key in outputs.links]
    trees: list[exp.Expression] = []
    for tree in [tree for one in sets for tree in one] + links:
        if spell(tree) not in {spell(known) for known in trees}:
            trees.append(tree)
    if any(mentions_now(tree) for tree in trees):
        raise NotIncremental("NOW() as a group key")
    carried = Carrier([])
    groups = [
        (carried.name(tree, tree.name if isinstance(tree, exp.Column) else "group"), tree)
        for tree in trees
    ]
    calls = _Calls(groups)
    over = outputs.mapped(calls.above)
    condition = calls.above(having) if having is not None else None
    child = _input(plan, carried, calls.found)
    found = tuple((name, guarded_call(call)) for name, call in calls.found)
    names = tuple(name for name, _ in groups)
    node: Plan
    if len(sets) == 1:
        node = Aggregate(child, names, found)
        over = over.mapped(lambda tree: _grouping(tree, None, groups, list(sets)))
        condition = _grouping(condition, None, groups, list(sets)) if condition else None
    else:
        if links:
            raise NotIncremental("no delta rule for GROUPING SETS in a correlated subquery")
        node = _union_of_sets(child, sets, groups, found)
        over = over.mapped(lambda tree: _grouping(tree, "_set", groups, list(sets)))
        condition = _grouping(condition, "_set", groups, list(sets)) if condition else None
    if condition is not None:
        node = filtered(node, condition)
    over = over.mapped(guarded)
    empty = None
    if len(sets) == 1 and not sets[0] and having is None:
        counts = {name for name, call in calls.found if _is_count(call)}
        empty = [(name, _of_nothing(tree, counts)) for name, tree in over.items]
    return Grouped(node, over, empty)


def _input(plan: Plan, carried: Carrier, calls: Items) -> Plan:
    """Project what the groups and the calls need."""
    needed = {c.name for _, call in calls for c in call.find_all(exp.Column)}
    clash = [n for n in needed if n in carried.taken and not carried.same(n)]
    if clash:
        raise NotIncremental(f"group expression hides column {clash[0]}")
    stable = carried.stable + [
        (n, column(n)) for n in plan.columns if n in needed and n not in carried.taken
    ]
    if not stable:
        return plan
    return Project(plan, tuple((n, guarded(tree)) for n, tree in stable))


def _union_of_sets(
    child: Plan,
    sets: Sequence[Sequence[exp.Expression]],
    groups: Sequence[tuple[str, exp.Expression]],
    calls: tuple[tuple[str, exp.Expression], ...],
) -> Plan:
    """Law: GROUPING SETS is the union of one aggregation for each set, NULL elsewhere."""
    parts: list[Plan] = []
    for place, one in enumerate(sets):
        texts = {spell(tree) for tree in one}
        mine = tuple(name for name, tree in groups if spell(tree) in texts)
        node = Aggregate(child, mine, calls)
        items: Items = [(n, column(n) if n in mine else exp.Null()) for n, _ in groups]
        items += [(n, column(n)) for n, _ in calls]
        items.append(("_set", exp.Literal.number(place)))
        parts.append(Project(node, tuple(items)))
    return Union(tuple(parts))


def _grouping(
    tree: exp.Expression,
    place: str | None,
    groups: Sequence[tuple[str, exp.Expression]],
    sets: Sequence[Sequence[exp.Expression]],
) -> exp.Expression:
    """Replace GROUPING(a, b) by the bits of what a set leaves out."""

    def bits(arguments: Sequence[exp.Expression], one: Sequence[exp.Expression]) -> int:
        texts = {spell(t) for t in one}
        value = 0
        for argument in arguments:
            value = value * 2 + (spell(argument) not in texts)
        return value

    def visit(node: exp.Expression) -> exp.Expression | None:
        if not isinstance(node, exp.Grouping):
            return None
        numbers = [exp.Literal.number(bits(node.expressions, one)) for one in sets]
        if place is None:
            return numbers[0]
        chosen = [
            exp.If(this=exp.EQ(this=column(place), expression=exp.Literal.number(n)), true=number)
            for n, number in enumerate(numbers)
        ]
        return exp.Case(ifs=chosen)

    return replaced(tree, visit)


def _is_count(call: exp.Expression) -> bool:
    inner = call.this if isinstance(call, exp.Filter) else call
    return isinstance(inner, exp.Count)


def _of_nothing(tree: exp.Expression, counts: set[str]) -> exp.Expression:
    def visit(node: exp.Expression) -> exp.Expression | None:
        if isinstance(node, exp.Column) and node.name in counts:
            return exp.Coalesce(this=node.copy(), expressions=[exp.Literal.number(0)])
        return None

    return replaced(tree, visit)


# --- subqueries beside aggregates -----------------------------------------------------------------


def has_outer_subquery(query: exp.Select) -> bool:
    """Tell whether a grouped query has subqueries outside its aggregates' arguments."""

    def outside(tree: exp.Expression) -> bool:
        if isinstance(tree, exp.Query):
            return True
        return not isinstance(tree, _CALLS) and any(outside(child) for child in _children(tree))

    having = query.args.get("having")
    trees = [*query.expressions, *([having.this] if having is not None else [])]
    return any(outside(tree) for tree in trees)


def split(query: exp.Select) -> exp.Select:
    """Write a grouped query as a query over its groups, where a subquery can be joined.

    Law: SELECT f(g, agg, (q)) … GROUP BY g is SELECT f(g, agg, (q)) FROM (SELECT g, agg … GROUP
    BY g): HAVING becomes WHERE.
    """
    alias = "_grouped"
    inner = query.copy()
    for clause in ("having", "order", "limit", "offset", "distinct", "qualify", "windows"):
        inner.set(clause, None)
    made: list[exp.Expression] = []
    names: dict[str, str] = {}
    for one in grouping_sets(query.args.get("group")):
        for tree in one:
            chosen = tree
            if isinstance(tree, exp.Literal) and not tree.is_string:
                chosen = query.expressions[int(tree.name) - 1]
                chosen = chosen.this if isinstance(chosen, exp.Alias) else chosen
            name = chosen.name if isinstance(chosen, exp.Column) else ""
            if not name or name in names.values():
                name = f"_g{len(names)}"
            if spell(chosen) not in names:
                names[spell(chosen)] = name
                made.append(_alias(chosen, name))

    owners = {table.alias_or_name for table in _from_items(query)}

    def group_of(node: exp.Expression) -> str | None:
        text = spell(node)
        if text not in names and isinstance(node, exp.Column) and node.table in owners:
            text = spell(exp.column(node.this.copy()))
        return names.get(text)

    def inside(node: exp.Expression) -> exp.Expression | None:
        """A subquery names the groups it sees; what it aggregates is its own."""
        name = group_of(node) if isinstance(node, exp.Column) and node.table else None
        return exp.column(name, table=alias, quoted=True) if name is not None else None

    def visit(node: exp.Expression) -> exp.Expression | None:
        if isinstance(node, exp.Query):
            return replaced(node, inside)
        text = spell(node)
        if text not in names and isinstance(node, _CALLS):
            names[text] = f"_a{len(names)}"
            made.append(_alias(node, names[text]))
        name = group_of(node)
        return exp.column(name, table=alias, quoted=True) if name is not None else None

    def named(tree: exp.Expression) -> exp.Expression:
        name = tree.alias_or_name
        found = replaced(tree.this if isinstance(tree, exp.Alias) else tree, visit)
        return _alias(found, name) if name else found

    outer = exp.Select(expressions=[named(tree) for tree in query.expressions])
    having = query.args.get("having")
    if having is not None:
        outer.set("where", exp.Where(this=replaced(having.this, visit)))
    for clause in ("order", "limit", "offset", "distinct", "qualify", "windows", "with_"):
        if clause == "with_":
            inner.set(clause, None)
        value = query.args.get(clause)
        if isinstance(value, exp.Expression) and clause not in ("limit", "offset"):
            value = replaced(value, visit) if clause != "with_" else value.copy()
        outer.set(clause, value)
    inner.set("expressions", made or [_alias(exp.Literal.number(1), "_one")])
    table = exp.TableAlias(this=exp.to_identifier(alias, quoted=True))
    outer.set("from_", exp.From(this=exp.Subquery(this=inner, alias=table)))
    return outer


def _from_items(query: exp.Select) -> list[exp.Expression]:
    clause = query.args.get("from_")
    joins = query.args.get("joins") or []
    return [part.this for part in ([clause] if clause is not None else []) + joins]


def _alias(tree: exp.Expression, name: str) -> exp.Expression:
    return exp.Alias(this=tree.copy(), alias=exp.to_identifier(name, quoted=True))
