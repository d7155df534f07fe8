"""From a query's tree to a logical plan over named columns.

Projections are carried by substitution: a subquery's column is the expression it stands for, so
NOW() in a select list travels outwards until a predicate or the view's own select list uses it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot import exp, parse_one

from voltstream.core.errors import (
    DatatypeMismatch,
    GroupingError,
    NotIncremental,
    UndefinedTable,
)
from voltstream.sql.catalog import CatalogReader, Relation, TypeOracle
from voltstream.sql.expressions import (
    NOW,
    Resolve,
    all_of,
    column,
    mentions_now,
    output_name,
    rewrite,
    spell,
)
from voltstream.sql.faults import guarded, guarded_call
from voltstream.sql.plan import (
    Aggregate,
    DistinctOn,
    Filter,
    Join,
    Plan,
    Project,
    Scan,
    SortKey,
    TimeFilter,
    Union,
)
from voltstream.sql.scope import Scope, Typer, Visible
from voltstream.sql.temporal import solve
from voltstream.sql.windows import windowed

Items = list[tuple[str, exp.Expression]]


@dataclass(frozen=True)
class Planned:
    """A plan and what each public column means over the plan's columns, NOW() included."""

    plan: Plan
    items: Items


class Planner:
    """Plans one query. Raises NotIncremental when an operator has no delta rule yet."""

    def __init__(self, catalog: CatalogReader, oracle: TypeOracle) -> None:
        self._catalog = catalog
        self._oracle = oracle
        self._names = 0
        self._ctes: dict[str, exp.Expression] = {}

    def plan(self, query: exp.Expression) -> Planned:
        for cte in _ctes(query):
            self._ctes[cte.alias] = cte.this
        if isinstance(query, exp.Subquery):
            return self.plan(query.this)
        if isinstance(query, exp.Union):
            return self._union(query)
        if isinstance(query, exp.Select):
            return self._select(query)
        raise NotIncremental(f"no delta rule for {type(query).__name__.upper()}")

    # --- SELECT ---------------------------------------------------------------------------------

    def _select(self, query: exp.Select) -> Planned:
        _refuse_clauses(query)
        plan, scope = self._from(query)
        where = query.args.get("where")
        if where is not None:
            typer = Typer(self._oracle, plan)
            predicate = rewrite(where.this, typer.of, scope.resolve, stable_now=True)
            plan = self._filter(plan, predicate)
        items = self._select_items(query, scope)
        if query.args.get("group") or query.args.get("having") or _aggregated(items):
            return self._aggregate(query, plan, scope, items)
        typer = Typer(self._oracle, plan)
        resolved = [
            (name, rewrite(tree, typer.of, scope.resolve, stable_now=True)) for name, tree in items
        ]
        distinct = query.args.get("distinct")
        resolved = [(name, guarded(tree)) for name, tree in resolved]
        if distinct is None:  # ORDER BY alone: a view is a bag, its reader asks for order.
            return Planned(plan, resolved)
        return self._distinct(query, distinct, plan, scope, resolved)

    def _select_items(self, query: exp.Select, scope: Scope) -> Items:
        items: Items = []
        for tree in query.expressions:
            if isinstance(tree, exp.Star):
                items += scope.star()
            elif isinstance(tree, exp.Column) and isinstance(tree.this, exp.Star):
                items += scope.star(tree.table)
            else:
                bare = tree.this if isinstance(tree, exp.Alias) else tree
                items.append((output_name(tree), bare))
        return _unique(items)

    def _filter(self, plan: Plan, predicate: exp.Expression) -> Plan:
        plain: list[exp.Expression] = []
        lower: tuple[exp.Expression, ...] = ()
        upper: tuple[exp.Expression, ...] = ()
        for part in _conjuncts(predicate):
            if not mentions_now(part):
                plain.append(part)
                continue
            bounds = solve(part)
            if bounds is None:
                shown = spell(part).replace(f"{NOW}()", "NOW()")
                raise NotIncremental(f"{shown} cannot be solved for an instant")
            lower, upper = lower + bounds.lower, upper + bounds.upper
        if plain:
            plan = Filter(plan, guarded(all_of(plain)))
        if lower or upper:
            plan = TimeFilter(plan, lower, upper)
        return plan

    # --- FROM -----------------------------------------------------------------------------------

    def _from(self, query: exp.Select) -> tuple[Plan, Scope]:
        clause = query.args.get("from_") or query.args.get("from")
        if clause is None:
            raise NotIncremental("a SELECT without FROM does not change")
        plan, visible = self._relation(clause.this)
        scope = Scope([visible])
        for join in query.args.get("joins") or []:
            plan, scope = self._join(plan, scope, join)
        return plan, scope

    def _relation(self, node: exp.Expression) -> tuple[Plan, Visible]:
        if node.args.get("joins"):
            raise NotIncremental("no delta rule for a parenthesised join")
        alias = node.alias_or_name
        if isinstance(node, exp.Subquery):
            planned = self._nested(node.this)
            return _visible(planned, alias)
        if not isinstance(node, exp.Table):
            raise NotIncremental(f"no delta rule for FROM {type(node).__name__.upper()}")
        if isinstance(node.this, exp.Anonymous):
            return self._window(node, node.this)
        if not node.db and node.name in self._ctes:
            return _visible(self._nested(self._ctes[node.name]), alias)
        relation = self._catalog.find(node.db or None, node.name)
        if relation is None:
            raise UndefinedTable(f'relation "{node.name}" does not exist')
        if relation.kind == "view" and relation.view_query is not None:
            return _visible(self._nested(relation.view_query), alias)
        return Scan(relation), Visible(alias, _relation_columns(relation))

    def _nested(self, query: exp.Expression) -> Planned:
        return self.plan(query.copy())

    def _window(self, node: exp.Table, call: exp.Anonymous) -> tuple[Plan, Visible]:
        name = call.name.upper()
        if name not in {"TUMBLE", "HOP"}:
            raise NotIncremental(f"no delta rule for the table function {call.name}")
        source = call.expressions[0]
        if isinstance(source, exp.Column):
            source = exp.Table(this=source.this.copy(), db=source.args.get("table"))
        plan, visible = self._relation(source)
        if any(mentions_now(tree) for tree in visible.columns.values()):
            raise NotIncremental(f"NOW() below {name}")
        inner = Scope([visible])
        time = inner.resolve(call.expressions[1])
        plan = Project(plan, tuple((n, t) for n, t in visible.columns.items()))
        named = {n: column(n) for n in plan.columns}
        plan = windowed(plan, name, column(_name_of(plan, time, named)), call.expressions[2:])
        alias = node.alias or visible.alias
        return plan, Visible(alias, {n: column(n) for n in plan.columns})

    def _join(self, plan: Plan, scope: Scope, join: exp.Join) -> tuple[Plan, Scope]:
        side, kind = (join.side or "").upper(), (join.kind or "").upper()
        if join.method or side not in {"", "LEFT"} or kind not in {"", "INNER", "OUTER", "CROSS"}:
            raise NotIncremental(f"no delta rule yet for {join.method} {side} {kind} JOIN".strip())
        right, visible = self._relation(join.this)
        outer = side == "LEFT"
        if outer:
            right, visible = _projected(right, visible)
        right, visible = self._rename_clashes(plan, right, visible)
        both = Scope([*scope.items, visible])
        condition = join.args.get("on")
        using = join.args.get("using") or []
        draft = Join(plan, right, False, (), None)
        parts: list[exp.Expression] = []
        if condition is not None:
            typer = Typer(self._oracle, draft)
            tree = rewrite(condition, typer.of, both.resolve, stable_now=True)
            parts = list(_conjuncts(tree))
        for identifier in using:
            name = identifier.name
            left_tree = scope.resolve(exp.column(name))
            parts.append(exp.EQ(this=left_tree, expression=visible.columns[name].copy()))
            visible.columns = {n: t for n, t in visible.columns.items() if n != name}
        if any(mentions_now(part) for part in parts):
            if outer:
                raise NotIncremental("NOW() in the ON clause of an outer join")
            timed = [part for part in parts if mentions_now(part)]
            still = [part for part in parts if not mentions_now(part)]
            joined = _join_node(plan, right, False, still)
            return self._filter(joined, all_of(timed)), both
        return _join_node(plan, right, outer, parts), both

    def _rename_clashes(self, left: Plan, right: Plan, visible: Visible) -> tuple[Plan, Visible]:
        taken = set(left.columns)
        if not taken & set(right.columns):
            return right, visible
        names: dict[str, str] = {}
        for name in right.columns:
            fresh = name
            while fresh in taken or (fresh != name and fresh in right.columns):
                self._names += 1
                fresh = f"{name}_{self._names}"
            names[name] = fresh
            taken.add(fresh)
        renamed = Project(right, tuple((new, column(old)) for old, new in names.items()))
        columns = {public: _renamed(tree, names) for public, tree in visible.columns.items()}
        return renamed, Visible(visible.alias, columns)

    # --- UNION ALL, DISTINCT, GROUP BY ----------------------------------------------------------

    def _union(self, query: exp.Union) -> Planned:
        if query.args.get("distinct") or type(query) is not exp.Union:
            raise NotIncremental("no delta rule yet for UNION, INTERSECT, EXCEPT without ALL")
        if query.args.get("limit"):
            raise NotIncremental("no delta rule yet for LIMIT")
        left, right = self.plan(query.this), self.plan(query.expression)
        if len(left.items) != len(right.items):
            raise DatatypeMismatch("each UNION query must have the same number of columns")
        names = [name for name, _ in left.items]
        return self._merge_branches(left, right, names)

    def _merge_branches(self, left: Planned, right: Planned, names: list[str]) -> Planned:
        """Carry what NOW() needs beside a branch number; evaluate it above the union."""
        volatile = [
            i
            for i, ((_, a), (_, b)) in enumerate(zip(left.items, right.items, strict=True))
            if mentions_now(a) or mentions_now(b)
        ]
        if not volatile:
            branches = [
                Project(p.plan, tuple(zip(names, (t for _, t in p.items), strict=True)))
                for p in (left, right)
            ]
            return Planned(Union(tuple(branches)), [(n, column(n)) for n in names])
        extra: list[str] = []
        values: dict[int, list[exp.Expression]] = {i: [] for i in volatile}
        sides: list[Items] = [[], []]
        for number, planned in enumerate((left, right)):
            for i in volatile:
                tree = planned.items[i][1]
                replaced = tree.copy()
                for node in list(replaced.find_all(exp.Column)):
                    self._names += 1
                    name = f"carried_{self._names}"
                    extra.append(name)
                    sides[number].append((name, node.copy()))
                    if node is replaced:
                        replaced = column(name)
                    else:
                        node.replace(column(name))
                values[i].append(replaced)
        branches = []
        for number, planned in enumerate((left, right)):
            own = dict(sides[number])
            items: Items = [
                (n, t)
                for i, (n, (_, t)) in enumerate(zip(names, planned.items, strict=True))
                if i not in volatile
            ]
            items.append(("_branch", exp.Literal.number(number)))
            items += [(name, own.get(name, exp.Null())) for name in extra]
            branches.append(Project(planned.plan, tuple(items)))
        merged: Items = []
        for i, name in enumerate(names):
            if i in volatile:
                first = exp.EQ(this=column("_branch"), expression=exp.Literal.number(0))
                tree = exp.Case(ifs=[exp.If(this=first, true=values[i][0])], default=values[i][1])
                merged.append((name, tree))
            else:
                merged.append((name, column(name)))
        return Planned(Union(tuple(branches)), merged)

    def _distinct(
        self,
        query: exp.Select,
        distinct: exp.Distinct,
        plan: Plan,
        scope: Scope,
        items: Items,
    ) -> Planned:
        on = distinct.args.get("on")
        if on is None:
            names = tuple(name for name, _ in items)
            if any(mentions_now(tree) for _, tree in items):
                raise NotIncremental("NOW() below DISTINCT")
            return Planned(
                Aggregate(Project(plan, tuple(items)), names, ()), [(n, column(n)) for n in names]
            )
        typer = Typer(self._oracle, plan)
        carried = _Carrier(items)
        keys = [
            carried.name(rewrite(tree, typer.of, scope.resolve, stable_now=True), "key")
            for tree in on.expressions
        ]
        order: list[SortKey] = []
        for ordered in query.args["order"].expressions if query.args.get("order") else []:
            tree = rewrite(ordered.this, typer.of, _with_outputs(scope, items), stable_now=True)
            name = carried.name(tree, "order")
            if name not in keys:
                descending = bool(ordered.args.get("desc"))
                first = ordered.args.get("nulls_first")
                order.append(SortKey(name, descending, descending if first is None else first))
        child = Project(plan, tuple(carried.stable))
        return Planned(DistinctOn(child, tuple(keys), tuple(order)), carried.public())

    def _aggregate(self, query: exp.Select, plan: Plan, scope: Scope, items: Items) -> Planned:
        if query.args.get("distinct") is not None:
            raise NotIncremental("no delta rule yet for DISTINCT over GROUP BY")
        typer = Typer(self._oracle, plan)
        group_trees = self._group_trees(query, scope, items, typer)
        carried = _Carrier([])
        groups = tuple(
            carried.name(tree, tree.name if isinstance(tree, exp.Column) else "group")
            for tree in group_trees
        )
        calls: Items = []

        def collect(tree: exp.Expression) -> exp.Expression:
            text = spell(tree)
            for name, group in zip(groups, group_trees, strict=True):
                if text == spell(group):
                    return column(name)
            if isinstance(tree, exp.AggFunc | exp.Filter | exp.WithinGroup):
                for name, known in calls:
                    if text == spell(known):
                        return column(name)
                if mentions_now(tree):
                    raise NotIncremental("NOW() as an aggregate's argument")
                name = f"agg_{len(calls) + 1}"
                calls.append((name, tree.copy()))
                return column(name)
            if isinstance(tree, exp.Column):
                raise GroupingError(
                    f'column "{tree.name}" must appear in the GROUP BY clause or be used in an '
                    "aggregate function"
                )
            copied = tree.copy()
            for key, value in list(copied.args.items()):
                if isinstance(value, exp.Expression):
                    copied.set(key, collect(value))
                elif isinstance(value, list):
                    copied.set(
                        key, [collect(v) if isinstance(v, exp.Expression) else v for v in value]
                    )
            return copied

        outputs = [
            (name, collect(rewrite(tree, typer.of, scope.resolve, stable_now=True)))
            for name, tree in items
        ]
        having = query.args.get("having")
        condition = None
        if having is not None:
            resolve = scope.resolve
            condition = collect(rewrite(having.this, typer.of, resolve, stable_now=True))
        needed = {c.name for _, call in calls for c in call.find_all(exp.Column)}
        stable = carried.stable + [
            (n, column(n)) for n in plan.columns if n in needed and n not in carried.taken
        ]
        clash = [n for n in needed if n in carried.taken and not carried.same(n)]
        if clash:
            raise NotIncremental(f"group expression hides column {clash[0]}")
        stable = [(n, guarded(tree)) for n, tree in stable]
        outputs = [(n, guarded(tree)) for n, tree in outputs]
        child = Project(plan, tuple(stable)) if stable else plan
        node: Plan = Aggregate(child, groups, tuple((n, guarded_call(c)) for n, c in calls))
        if condition is not None:
            node = self._filter(node, condition)
        return Planned(node, outputs)

    def _group_trees(
        self, query: exp.Select, scope: Scope, items: Items, typer: Typer
    ) -> list[exp.Expression]:
        group = query.args.get("group")
        if group is None:
            return []
        if group.find(exp.GroupingSets, exp.Cube, exp.Rollup) or group.args.get("all"):
            raise NotIncremental("no delta rule yet for GROUPING SETS, CUBE, ROLLUP")
        trees: list[exp.Expression] = []
        outputs = dict(items)
        for tree in group.expressions:
            chosen = tree
            if isinstance(tree, exp.Literal) and not tree.is_string:
                chosen = items[int(tree.name) - 1][1]
            elif isinstance(tree, exp.Column) and not tree.table:
                inside = any(tree.name in item.columns for item in scope.items)
                if not inside and tree.name in outputs:
                    chosen = outputs[tree.name]
            resolved = rewrite(chosen, typer.of, scope.resolve, stable_now=True)
            if mentions_now(resolved):
                raise NotIncremental("NOW() as a group key")
            trees.append(resolved)
        return trees


class _Carrier:
    """Collects the columns a node must carry: stable outputs, what NOW() needs, keys, order."""

    def __init__(self, items: Items) -> None:
        self.stable: Items = []
        self.taken: set[str] = set()
        self._public: Items = []
        for name, tree in items:
            if mentions_now(tree):
                copied = tree.copy()
                for node in list(copied.find_all(exp.Column)):
                    node.replace(column(self.name(node.copy(), node.name)))
                self._public.append((name, copied))
            else:
                self._public.append((name, column(self.name(tree, name))))

    def name(self, tree: exp.Expression, wish: str) -> str:
        """Return the name under which an expression is carried, adding it when new."""
        text = spell(tree)
        for name, known in self.stable:
            if spell(known) == text:
                return name
        name, number = wish, 1
        while name in self.taken:
            number += 1
            name = f"{wish}_{number}"
        self.taken.add(name)
        self.stable.append((name, tree))
        return name

    def same(self, name: str) -> bool:
        """Tell whether a carried name is just that column."""
        return any(n == name and spell(t) == spell(column(name)) for n, t in self.stable)

    def public(self) -> Items:
        return self._public


def _with_outputs(scope: Scope, items: Items) -> Resolve:
    outputs = dict(items)

    def resolve(node: exp.Column) -> exp.Expression:
        if not node.table and node.name in outputs:
            return outputs[node.name].copy()
        return scope.resolve(node)

    return resolve


def _ctes(query: exp.Expression) -> Iterable[exp.CTE]:
    with_ = query.args.get("with_") or query.args.get("with")
    if with_ is None:
        return []
    if with_.args.get("recursive"):
        raise NotIncremental("no delta rule for WITH RECURSIVE")
    return list(with_.expressions)


def _refuse_clauses(query: exp.Select) -> None:
    for clause in ("limit", "offset", "windows", "qualify", "laterals", "fetch"):
        if query.args.get(clause):
            raise NotIncremental(f"no delta rule yet for {clause.upper()}")
    if any(isinstance(n, exp.Window) for e in query.expressions for n in e.find_all(exp.Window)):
        raise NotIncremental("no delta rule yet for OVER")
    places = [*query.expressions, query.args.get("where"), query.args.get("having")]
    places += [join.args.get("on") for join in query.args.get("joins") or []]
    for place in places:
        if place is not None and place.find(exp.Select):
            raise NotIncremental("no delta rule yet for a subquery in an expression")
        if place is not None and (place.find(exp.Unnest) or place.find(exp.Explode)):
            raise NotIncremental("no delta rule yet for UNNEST")


def _aggregated(items: Items) -> bool:
    return any(tree.find(exp.AggFunc) is not None for _, tree in items)


def _conjuncts(tree: exp.Expression) -> list[exp.Expression]:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    if isinstance(tree, exp.And):
        return _conjuncts(tree.this) + _conjuncts(tree.expression)
    return [tree]


def _relation_columns(relation: Relation) -> dict[str, exp.Expression]:
    stable = {name: column(name) for name in relation.stable}
    if not relation.volatile:
        return {c.name: stable[c.name] for c in relation.columns}
    volatile = {name: _parsed(text) for name, text in relation.volatile}
    return {c.name: volatile.get(c.name) or stable[c.name] for c in relation.columns}


def _parsed(text: str) -> exp.Expression:
    tree = parse_one(text, read="duckdb")
    assert isinstance(tree, exp.Expression)
    return tree


def _visible(planned: Planned, alias: str) -> tuple[Plan, Visible]:
    return planned.plan, Visible(alias, dict(planned.items))


def _name_of(plan: Plan, tree: exp.Expression, named: dict[str, exp.Column]) -> str:
    text = spell(tree)
    assert isinstance(plan, Project)
    for name, item in plan.items:
        if spell(item) == text:
            return name
    raise NotIncremental(f"the time column {text} is not among the columns {list(named)}")


def _projected(plan: Plan, visible: Visible) -> tuple[Plan, Visible]:
    """Compute an optional side's columns below the join, where they are not yet padded."""
    if all(isinstance(tree, exp.Column) for tree in visible.columns.values()):
        return plan, visible
    if any(mentions_now(tree) for tree in visible.columns.values()):
        raise NotIncremental("NOW() on the optional side of an outer join")
    below = Project(plan, tuple(visible.columns.items()))
    return below, Visible(visible.alias, {name: column(name) for name in visible.columns})


def _join_node(left: Plan, right: Plan, outer: bool, parts: list[exp.Expression]) -> Join:
    """Split a condition into equality keys and the rest."""
    keys: list[tuple[exp.Expression, exp.Expression]] = []
    rest: list[exp.Expression] = []
    for part in parts:
        if isinstance(part, exp.EQ):
            a, b = part.this, part.expression
            if _within(a, left) and _within(b, right):
                keys.append((a, b))
                continue
            if _within(a, right) and _within(b, left):
                keys.append((b, a))
                continue
        rest.append(part)
    if not keys and outer:
        raise NotIncremental("no delta rule yet for an outer join without an equality")
    return Join(left, right, outer, tuple(keys), all_of(rest) if rest else None)


def _within(tree: exp.Expression, plan: Plan) -> bool:
    names = {node.name for node in tree.find_all(exp.Column)}
    return bool(names) and names <= set(plan.columns)


def _renamed(tree: exp.Expression, names: dict[str, str]) -> exp.Expression:
    def visit(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column):
            return column(names[node.name])
        return node

    return tree.transform(visit)


def _unique(items: Items) -> Items:
    seen: set[str] = set()
    result: Items = []
    for name, tree in items:
        fresh, number = name, 1
        while fresh in seen:
            number += 1
            fresh = f"{name}_{number}"
        seen.add(fresh)
        result.append((fresh, tree))
    return result
