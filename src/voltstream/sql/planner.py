"""From a query's tree to a logical plan over named columns.

Projections are carried by substitution: a subquery's column is the expression it stands for, so
NOW() in a select list travels outwards until a predicate or the view's own select list uses it.
A SELECT is planned in the order in which SQL gives it meaning: FROM, WHERE, GROUP BY, HAVING,
OVER, QUALIFY, DISTINCT, ORDER BY with LIMIT.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from voltstream.core.errors import (
    NotIncremental,
    SyntaxFault,
)
from voltstream.sql.catalog import CatalogReader, TypeOracle
from voltstream.sql.expressions import column, mentions_now, output_name, rewrite, spell
from voltstream.sql.faults import guarded
from voltstream.sql.from_clause import ONE_ROW, FromClause
from voltstream.sql.grouping import (
    aggregated,
    grouping_sets,
    has_outer_subquery,
    is_aggregated,
    split,
)
from voltstream.sql.plan import (
    Constant,
    DistinctOn,
    Filter,
    Key,
    Plan,
    Project,
    Ranked,
    Scan,
    SetOperation,
    SetVerb,
    SortKey,
)
from voltstream.sql.planning import (
    Carrier,
    Items,
    Outputs,
    Planned,
    conjuncts,
    names_in,
    own_nodes,
    replaced,
    substituted,
)
from voltstream.sql.pushdown import filtered
from voltstream.sql.scope import Correlation, Scope, Typer
from voltstream.sql.sessions import with_sessions
from voltstream.sql.set_operations import combined
from voltstream.sql.struct_stars import opened_stars
from voltstream.sql.subqueries import half_joined, lifted, linked
from voltstream.sql.window_calls import with_definitions, with_windows

__all__ = ["Planned", "Planner"]


class Planner:
    """Plans one query. Raises NotIncremental when an operator has no delta rule yet."""

    def __init__(self, catalog: CatalogReader, oracle: TypeOracle) -> None:
        self.catalog = catalog
        self.oracle = oracle
        self._names = 0
        self._ctes: dict[str, Planned] = {}

    def plan(self, query: exp.Expression, outer: Correlation | None = None) -> Planned:
        known = self._ctes
        try:
            self._with(query, outer)
            return self._query(query, outer)
        finally:
            self._ctes = known

    def plan_view(self, query: exp.Expression) -> Planned:
        """Plan a plain view's query, which sees no WITH of the query that uses it."""
        known, self._ctes = self._ctes, {}
        try:
            return self.plan(query.copy())
        finally:
            self._ctes = known

    def fresh(self, wish: str) -> str:
        self._names += 1
        return f"{wish}_{self._names}"

    def _with(self, query: exp.Expression, outer: Correlation | None) -> None:
        clause = query.args.get("with_") or query.args.get("with")
        if clause is None:
            return
        if clause.args.get("recursive"):
            raise NotIncremental("no delta rule for WITH RECURSIVE")
        for cte in clause.expressions:  # Each sees those before it, never itself.
            barred = outer.barred("an outer row in WITH") if outer is not None else None
            planned = self.plan(cte.this.copy(), barred)
            given = [name.name for name in cte.args["alias"].args.get("columns") or []]
            names = given + [name for name, _ in planned.items[len(given) :]]
            items = list(zip(names, (tree for _, tree in planned.items), strict=True))
            self._ctes = {**self._ctes, cte.alias: replace(planned, items=items)}

    def _query(self, query: exp.Expression, outer: Correlation | None) -> Planned:
        if isinstance(query, exp.Subquery):
            if query.args.get("limit") or query.args.get("offset"):
                raise NotIncremental("no delta rule for LIMIT after a bracket")
            return self.plan(query.this, outer)
        if isinstance(query, exp.SetOperation):
            return self._set_operation(query, outer)
        if isinstance(query, exp.Select):
            return self._select(query, outer)
        if isinstance(query, exp.Values):
            return self._values(query)
        raise NotIncremental(f"no delta rule for {type(query).__name__.upper()}")

    # --- SELECT ---------------------------------------------------------------------------------

    def _select(self, query: exp.Select, outer: Correlation | None) -> Planned:
        query = with_definitions(query)
        if _is_grouped(query) and has_outer_subquery(query):
            query = split(query)
        plan, scope = FromClause(self, self._ctes, outer).plan(query)
        plan, scope, where = self._where(query, plan, scope)
        query = opened_stars(
            query, plan, self.oracle, lambda tree: self.expression(tree, plan, scope)[0]
        )
        items, repeated = _select_items(query, scope)
        outputs = Outputs(items, _order(query, items), _qualify(query, items))
        grouped = _is_grouped(query)
        having = query.args.get("having")
        sets = _sets(query, items, scope) if grouped else []
        if grouped and any(_opens(tree) for one in sets for tree in one):
            raise NotIncremental("no delta rule for a set-returning function in GROUP BY")
        outputs, plan, scope = self._lift(outputs, plan, scope)
        types = outer.types if outer is not None else {}
        typer = Typer(self.oracle, plan, types)

        def resolved(tree: exp.Expression) -> exp.Expression:
            return rewrite(tree, typer.of, scope.resolve, stable_now=True)

        outputs = outputs.mapped(resolved)
        sets = [[resolved(tree) for tree in one] for one in sets]
        condition = resolved(having).this if having is not None else None
        used = [*outputs.every(), *([condition] if condition is not None else [])]
        grouped_by = {spell(tree) for one in sets for tree in one}
        sets = [one + _dependents(one, grouped_by, scope, used) for one in sets]
        settled = linked(outer, plan, where, plain=_is_plain(query, grouped))

        def inner(tree: exp.Expression) -> exp.Expression:
            return substituted(tree, settled.values)

        plan = settled.plan
        for part in settled.where:
            plan = filtered(plan, part)
        outputs = replace(outputs.mapped(inner), links=settled.links)
        planned = self._rows(
            query, plan, outputs, [[inner(t) for t in one] for one in sets] if grouped else None,
            inner(condition) if condition is not None else None,
        )  # fmt: skip
        return replace(planned, conditions=settled.conditions, repeated=repeated)

    def _rows(
        self,
        query: exp.Select,
        plan: Plan,
        outputs: Outputs,
        sets: list[list[exp.Expression]] | None,
        having: exp.Expression | None,
    ) -> Planned:
        """Plan everything from GROUP BY on, over resolved expressions."""
        absent: Items | None = None
        single = False
        if sets is not None:
            grouped = aggregated(plan, sets, outputs, having)
            plan, outputs, absent = grouped.plan, grouped.outputs, grouped.empty
            single = sets == [[]]
            if single and having is not None and outputs.links:
                raise NotIncremental("no delta rule for HAVING in a correlated subquery")
        elif having is not None:
            raise NotIncremental("HAVING without an aggregate")
        plan, outputs = _Expander(self).expand(plan, outputs)
        plan, outputs = with_sessions(plan, outputs, self.fresh)
        plan, outputs = with_windows(plan, outputs)
        if outputs.qualify is not None:
            plan = filtered(plan, outputs.qualify)
        outputs = outputs.mapped(guarded)
        distinct = query.args.get("distinct")
        if distinct is not None:
            absent = None
            plan, outputs = self._distinct(plan, outputs, distinct)
        limit, skip, ties = _limit(query)
        if limit is not None:
            if absent is not None and limit > 0 and not skip:
                limit = None  # One row at most: nothing to cut off.
            else:
                absent = None
                single = single or (limit <= 1 and not ties)
                plan, outputs = _limited(plan, outputs, limit, skip, ties=ties)
        links = tuple(outputs.links)
        single = single or _has_key(plan, links)
        return Planned(plan, outputs.items, links, single, absent)

    def _where(
        self, query: exp.Select, plan: Plan, scope: Scope
    ) -> tuple[Plan, Scope, list[exp.Expression]]:
        """Join what WHERE asks of subqueries; return its other conditions, resolved."""
        clause = query.args.get("where")
        found: list[exp.Expression] = []
        parts = conjuncts(clause.this) if clause is not None else []
        for part in [p for p in parts if not _has_query(p)]:
            condition, plan = self.expression(exp.Where(this=part.copy()), plan, scope)
            found.append(condition.this)
        types = scope.outer.types if scope.outer is not None else {}
        for part in [p for p in parts if _has_query(p)]:
            half = half_joined(self, plan, scope, part)
            if half is not None:
                plan = half
                continue
            lifted_part, plan, scope = lifted(self, part, plan, scope)
            typer = Typer(self.oracle, plan, types)
            found.append(rewrite(lifted_part, typer.of, scope.resolve, stable_now=True))
        return plan, scope, found

    def expression(
        self, tree: exp.Expression, plan: Plan, scope: Scope
    ) -> tuple[exp.Expression, Plan]:
        """Resolve an expression over a plan, whose columns stay what they are."""
        types = scope.outer.types if scope.outer is not None else {}
        tree, plan, scope = lifted(self, tree, plan, scope)
        typer = Typer(self.oracle, plan, types)
        return rewrite(tree, typer.of, scope.resolve, stable_now=True), plan

    def _lift(self, outputs: Outputs, plan: Plan, scope: Scope) -> tuple[Outputs, Plan, Scope]:
        def visit(tree: exp.Expression) -> exp.Expression:
            nonlocal plan, scope
            if not _has_query(tree):
                return tree
            found, plan, scope = lifted(self, tree, plan, scope)
            return found

        return outputs.mapped(visit), plan, scope

    # --- DISTINCT -------------------------------------------------------------------------------

    def _distinct(
        self, plan: Plan, outputs: Outputs, distinct: exp.Expression
    ) -> tuple[Plan, Outputs]:
        on = distinct.args.get("on")
        if on is not None:
            return self._distinct_on(plan, outputs, on)
        if any(mentions_now(tree) for _, tree in outputs.items):
            raise NotIncremental("NOW() below DISTINCT")
        carried = Carrier([])
        for name, tree in outputs.items:
            carried.taken.add(name)
            carried.stable.append((name, tree))
        links = [
            Key(column(carried.name(key.left, "link")), key.right, key.null_safe)
            for key in outputs.links
        ]
        texts = {spell(tree): name for name, tree in reversed(carried.stable)}
        order = []
        for tree, descending, first in outputs.order:
            if spell(tree) not in texts:
                raise NotIncremental("ORDER BY something that SELECT DISTINCT does not show")
            order.append((column(texts[spell(tree)]), descending, first))
        node = SetOperation(SetVerb.DISTINCT, (Project(plan, tuple(carried.stable)),))
        items: Items = [(name, column(name)) for name, _ in outputs.items]
        return node, Outputs(items, list(order), None, links)

    def _distinct_on(
        self, plan: Plan, outputs: Outputs, on: exp.Expression
    ) -> tuple[Plan, Outputs]:
        carried = Carrier(outputs.items)
        places = outputs.order[len(outputs.order) - len(on.expressions) :]
        keys = [carried.name(tree, "key") for tree, _, _ in places]
        links = [
            Key(column(carried.name(key.left, "link")), key.right, key.null_safe)
            for key in outputs.links
        ]
        order: list[SortKey] = []
        above = []
        for tree, descending, first in outputs.order[: len(outputs.order) - len(on.expressions)]:
            name = carried.name(tree, "order")
            above.append((column(name), descending, first))
            if name not in keys:
                order.append(SortKey(name, descending, first))
        child = Project(plan, tuple(carried.stable))
        by = tuple(dict.fromkeys([*keys, *(key.left.name for key in links)]))
        node = DistinctOn(child, by, tuple(order))
        return node, Outputs(carried.public(), list(above), None, links)

    # --- UNION, INTERSECT, EXCEPT, VALUES -------------------------------------------------------

    def _set_operation(self, query: exp.SetOperation, outer: Correlation | None) -> Planned:
        barred = outer.barred("an outer row in a set operation") if outer is not None else None
        left, right = self.plan(query.this, barred), self.plan(query.expression, barred)
        planned = combined(self, query, left, right)
        limit, skip, ties = _limit(query)
        if limit is None:
            return planned
        if any(mentions_now(tree) for _, tree in planned.items):
            raise NotIncremental("NOW() below LIMIT")
        outputs = Outputs(planned.items, [])
        for ordered in query.args["order"].expressions if query.args.get("order") else []:
            chosen = _output_of(ordered.this, planned.items)
            if chosen is None:
                raise NotIncremental("ORDER BY an expression after a set operation")
            outputs.order.append((chosen, *_direction(ordered)))
        plan, outputs = _limited(planned.plan, outputs, limit, skip, ties=ties)
        return replace(planned, plan=plan, items=outputs.items, single=limit <= 1 and not ties)

    def _values(self, query: exp.Values) -> Planned:
        plan, scope = FromClause(self, self._ctes, None).plan(
            exp.Select(expressions=[exp.Star()], from_=exp.From(this=query.copy()))
        )
        items = [(name, scope.resolve(exp.column(name))) for name, _ in scope.star()]
        return Planned(plan, items)


class _Expander:
    """Set-returning calls in a select list: they become columns of a projection below."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    def expand(self, plan: Plan, outputs: Outputs) -> tuple[Plan, Outputs]:
        """Law: a row becomes as many rows as its longest list has elements, none if all are empty.

        DuckDB and PostgreSQL agree on that, so one projection does it.
        """
        calls = {
            spell(node): node
            for tree in outputs.every()
            for node in own_nodes(tree)
            if isinstance(node, exp.Explode)
        }
        if not calls:
            return plan, outputs
        if any(mentions_now(tree) for tree in calls.values()):
            raise NotIncremental("NOW() in a set-returning function")
        names = {text: self._planner.fresh("element") for text in calls}
        needed = {name for tree in outputs.every() for name in names_in(tree)}
        items: Items = [(name, column(name)) for name in plan.columns if name in needed]
        items += [(names[text], tree) for text, tree in calls.items()]

        def visit(node: exp.Expression) -> exp.Expression | None:
            return column(names[spell(node)]) if isinstance(node, exp.Explode) else None

        return Project(plan, tuple(items)), outputs.mapped(lambda tree: replaced(tree, visit))


def _opens(tree: exp.Expression) -> bool:
    return any(isinstance(node, exp.Explode) for node in own_nodes(tree))


def _is_grouped(query: exp.Select) -> bool:
    if query.args.get("group") or query.args.get("having"):
        return True
    return any(is_aggregated(tree) for tree in query.expressions)


def _is_plain(query: exp.Select, grouped: bool) -> bool:
    """Tell whether a query is FROM and WHERE alone, its rows the joined rows."""
    clauses = ("distinct", "limit", "offset", "qualify")
    if grouped or any(query.args.get(clause) for clause in clauses):
        return False
    return not any(
        isinstance(node, exp.Window | exp.Explode)
        for tree in query.expressions
        for node in own_nodes(tree)
    )


def _has_query(tree: exp.Expression) -> bool:
    return any(isinstance(node, exp.Query) for node in tree.walk())


def _select_items(query: exp.Select, scope: Scope) -> tuple[Items, str | None]:
    """Return the output expressions by unique name, and a name that was given twice."""
    items: Items = []
    for tree in query.expressions:
        star = tree if isinstance(tree, exp.Star) else tree.this
        if isinstance(star, exp.Star) and isinstance(tree, exp.Star | exp.Column):
            if any(star.args.get(key) for key in ("replace", "rename")):
                raise NotIncremental("no delta rule for * REPLACE")
            left_out = {
                name.name for name in star.args.get("except_") or star.args.get("except") or []
            }
            table = tree.table if isinstance(tree, exp.Column) else ""
            items += [item for item in scope.star(table) if item[0] not in left_out]
        else:
            bare = tree.this if isinstance(tree, exp.Alias) else tree
            items.append((output_name(tree), bare))
    seen: set[str] = set()
    result: Items = []
    repeated: str | None = None
    for name, tree in items:
        fresh, number = name, 1
        while fresh in seen:
            number += 1
            fresh = f"{name}_{number}"
        repeated = repeated or (name if fresh != name else None)
        seen.add(fresh)
        result.append((fresh, tree))
    return result, repeated


def _sets(query: exp.Select, items: Items, scope: Scope) -> list[list[exp.Expression]]:
    """Return the grouping sets; a number or an output's name stands for its expression."""
    outputs = dict(items)

    def chosen(tree: exp.Expression) -> exp.Expression:
        if isinstance(tree, exp.Literal) and not tree.is_string:
            place = int(tree.name)
            if not 1 <= place <= len(items):
                raise SyntaxFault(f"GROUP BY position {place} is not in select list")
            return items[place - 1][1]
        if isinstance(tree, exp.Column) and not tree.table:
            inside = any(tree.name in item.columns for item in scope.items)
            if not inside and tree.name in outputs:
                return outputs[tree.name]
        return tree

    group = query.args.get("group")
    if group is not None and group.args.get("all"):
        raise NotIncremental("no delta rule for GROUP BY ALL")
    return [[chosen(tree) for tree in one] for one in grouping_sets(group)]


def _dependents(
    one: list[exp.Expression], grouped_by: set[str], scope: Scope, used: list[exp.Expression]
) -> list[exp.Expression]:
    """Return the columns that may stand beside a group because their table's key is grouped.

    One that another grouping set groups by is NULL in this set, as SQL has it.
    """
    texts = {spell(tree) for tree in one}
    names = {name for tree in used for name in names_in(tree)}
    found: list[exp.Expression] = []
    for item in scope.items:
        if item.key and all(spell(item.columns[name]) in texts for name in item.key):
            found += [
                tree.copy()
                for tree in item.columns.values()
                if isinstance(tree, exp.Column)
                and tree.name in names
                and spell(tree) not in grouped_by
            ]
    return found


def _direction(ordered: exp.Expression) -> tuple[bool, bool]:
    descending = bool(ordered.args.get("desc"))
    first = ordered.args.get("nulls_first")
    return descending, descending if first is None else bool(first)


def _output_of(tree: exp.Expression, items: Items) -> exp.Expression | None:
    if isinstance(tree, exp.Literal) and not tree.is_string:
        place = int(tree.name)
        if not 1 <= place <= len(items):
            raise SyntaxFault(f"ORDER BY position {place} is not in select list")
        return items[place - 1][1]
    if isinstance(tree, exp.Column) and not tree.table:
        return dict(items).get(tree.name)
    return None


def _order(query: exp.Select, items: Items) -> list[tuple[exp.Expression, bool, bool]]:
    """Return what decides the order, where order decides the rows; DISTINCT ON's keys come last."""
    distinct = query.args.get("distinct")
    on = distinct.args.get("on") if distinct is not None else None
    found = []
    if on is not None or _limit(query)[0] is not None:
        for ordered in query.args["order"].expressions if query.args.get("order") else []:
            tree = _output_of(ordered.this, items)
            chosen = ordered.this if tree is None else tree
            found.append((chosen, *_direction(ordered)))
    for key in on.expressions if on is not None else []:
        tree = _output_of(key, items)
        found.append((key if tree is None else tree, False, False))
    return found


def _qualify(query: exp.Select, items: Items) -> exp.Expression | None:
    clause = query.args.get("qualify")
    if clause is None:
        return None
    outputs = dict(items)

    def visit(node: exp.Expression) -> exp.Expression | None:
        if isinstance(node, exp.Column) and not node.table and node.name in outputs:
            return outputs[node.name].copy()
        return None

    return replaced(clause.this, visit)


def _limit(query: exp.Expression) -> tuple[int | None, int, bool]:
    """Return LIMIT, OFFSET and WITH TIES. Raises: NotIncremental for computed numbers."""
    clause, offset = query.args.get("limit"), query.args.get("offset")
    skip = _number(offset.expression) if offset is not None else 0
    if clause is None:
        if skip:
            raise NotIncremental("no delta rule for OFFSET without LIMIT")
        return None, 0, False
    if isinstance(clause, exp.Fetch):
        options = clause.args.get("limit_options")
        if clause.args.get("percent") or (options is not None and options.args.get("percent")):
            raise NotIncremental("no delta rule for FETCH … PERCENT")
        ties = bool(options is not None and options.args.get("with_ties"))
        if ties and skip:
            raise NotIncremental("no delta rule for OFFSET … WITH TIES")
        count = clause.args.get("count")
        return (_number(count) if count is not None else 1), skip, ties
    tree = clause.expression
    if isinstance(tree, exp.Null) or (isinstance(tree, exp.Column) and tree.name == "all"):
        raise NotIncremental("no delta rule for LIMIT ALL")
    return _number(tree), skip, False


def _number(tree: exp.Expression) -> int:
    if isinstance(tree, exp.Literal) and not tree.is_string and tree.name.isdigit():
        return int(tree.name)
    raise NotIncremental("no delta rule for a LIMIT or OFFSET that is computed")


def _limited(
    plan: Plan, outputs: Outputs, limit: int, skip: int, *, ties: bool
) -> tuple[Plan, Outputs]:
    """Keep the first rows: of all, or in a subquery of those of each outer row."""
    carried = Carrier(outputs.items)
    links = [
        Key(column(carried.name(key.left, "link")), key.right, key.null_safe)
        for key in outputs.links
    ]
    order = []
    for tree, descending, first in outputs.order:
        if mentions_now(tree):
            raise NotIncremental("ORDER BY NOW() with LIMIT")
        order.append(SortKey(carried.name(tree, "order"), descending, first))
    child = Project(plan, tuple(carried.stable))
    by = tuple(key.left.name for key in links)
    function = "rank" if ties and order else "row_number"
    node = Ranked(child, by, tuple(order), function, limit + skip, skip)
    return node, Outputs(carried.public(), [], None, links)


def _has_key(plan: Plan, links: tuple[Key, ...]) -> bool:
    """Tell whether the links fix a table's whole primary key, or there is but one row."""
    names = {key.left.name for key in links if isinstance(key.left, exp.Column)}
    node = plan
    while isinstance(node, Filter | Project):
        if isinstance(node, Project):
            kept = {n: t.name for n, t in node.items if isinstance(t, exp.Column)}
            if node.expands:
                return False
            names = {kept[name] for name in names if name in kept}
        node = node.child
    if isinstance(node, Constant):
        return node == ONE_ROW
    return isinstance(node, Scan) and bool(node.relation.key) and set(node.relation.key) <= names
