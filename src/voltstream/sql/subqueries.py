"""Subqueries in expressions and LATERAL: joins with the rows around them.

Law: a subquery is planned once for all outer rows, with the outer values it uses as columns. Where
its WHERE equates each of them with an expression of its own, that expression takes their place;
otherwise the distinct outer values are joined in. The result is joined back on those columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlglot import exp

from voltstream.core.errors import DatatypeMismatch, NotIncremental
from voltstream.sql.catalog import TypeOracle
from voltstream.sql.expressions import column, mentions_now, spell
from voltstream.sql.plan import (
    Filter,
    Join,
    JoinKind,
    Key,
    Plan,
    Project,
    SetOperation,
    SetVerb,
)
from voltstream.sql.planning import (
    Items,
    Planned,
    Planning,
    names_in,
    renamed,
    replaced,
    substituted,
)
from voltstream.sql.pushdown import join_of
from voltstream.sql.scope import Correlation, Scope, Typer, Visible


def correlation_of(oracle: TypeOracle, plan: Plan, scope: Scope) -> Correlation:
    types = scope.outer.types if scope.outer is not None else {}
    return Correlation(scope, plan, Typer(oracle, plan, types).stored)


@dataclass(frozen=True)
class Linked:
    """What became of the outer values a subquery uses: ``values`` stand for their names."""

    plan: Plan
    where: list[exp.Expression]
    values: dict[str, exp.Expression] = field(default_factory=dict)
    links: list[Key] = field(default_factory=list)
    conditions: tuple[exp.Expression, ...] = ()


def linked(
    correlation: Correlation | None, plan: Plan, where: list[exp.Expression], *, plain: bool
) -> Linked:
    """Settle what a subquery took from outside; ``plain`` says it is FROM and WHERE alone."""
    if correlation is None or not correlation.captured:
        return Linked(plan, where)
    known = [Key(column(name), tree, True) for name, tree in correlation.joined.items()]
    captured = {n: t for n, t in correlation.captured.items() if n not in correlation.joined}
    if not captured or (plain and correlation.direct):
        outside = tuple(part for part in where if names_in(part) & set(captured))
        inside = [part for part in where if not names_in(part) & set(captured)]
        return Linked(plan, inside, links=known, conditions=outside)
    values: dict[str, exp.Expression] = {}
    left: list[exp.Expression] = []
    for part in where:
        found = _own_value(part, captured, values)
        if found is None:
            left.append(part)
        else:
            values[found[0]] = found[1]
    if len(values) == len(captured):
        links = [Key(values[name], tree) for name, tree in captured.items()]
        left = [substituted(part, values) for part in left]
        return Linked(plan, left, values, [*known, *links])
    domain = SetOperation(SetVerb.DISTINCT, (Project(correlation.plan, tuple(captured.items())),))
    joined = Join(domain, plan, JoinKind.INNER, (), None)
    links = [Key(column(name), tree, True) for name, tree in captured.items()]
    return Linked(joined, where, links=[*known, *links])


def _own_value(
    part: exp.Expression, captured: dict[str, exp.Expression], known: dict[str, exp.Expression]
) -> tuple[str, exp.Expression] | None:
    if not isinstance(part, exp.EQ):
        return None
    for one, other in ((part.this, part.expression), (part.expression, part.this)):
        free = names_in(other) and not names_in(other) & set(captured)
        if isinstance(one, exp.Column) and one.name in captured and one.name not in known and free:
            return one.name, other
    return None


def joined_to_rows(
    planner: Planning, plan: Plan, planned: Planned, *, outer: bool
) -> tuple[Plan, Items]:
    """Join a planned subquery to the rows it belongs to; return its columns over the join."""
    total = planned.absent is not None
    if not total and outer:
        planned = computed(planner, planned)
    inner, names = _apart(planner, planned.plan, set(plan.columns))
    links = [replace(key, left=key.right, right=renamed(key.left, names)) for key in planned.links]
    kind = JoinKind.LEFT if outer or (total and links) else JoinKind.INNER
    joined = Join(plan, inner, kind, tuple(links), None)
    items = planned.items
    if planned.absent is not None and links:
        items = planned.absent
    return joined, [(name, renamed(tree, names)) for name, tree in items]


def computed(planner: Planning, planned: Planned) -> Planned:
    """Compute a subquery's columns below the join, where they are not yet padded."""
    items: Items = []
    public: Items = []
    for name, tree in planned.items:
        fresh = planner.fresh(name)
        items.append((fresh, tree))
        public.append((name, column(fresh)))
    links = []
    for key in planned.links:
        fresh = planner.fresh("link")
        items.append((fresh, key.left))
        links.append(Key(column(fresh), key.right, key.null_safe))
    return replace(
        planned, plan=Project(planned.plan, tuple(items)), items=public, links=tuple(links)
    )


def _apart(planner: Planning, plan: Plan, taken: set[str]) -> tuple[Plan, dict[str, str]]:
    if not taken & set(plan.columns):
        return plan, {}
    names = {name: planner.fresh(name) if name in taken else name for name in plan.columns}
    return Project(plan, tuple((new, column(old)) for old, new in names.items())), names


# --- predicates: EXISTS, IN, ANY, ALL -----------------------------------------------------------


def half_joined(planner: Planning, plan: Plan, scope: Scope, part: exp.Expression) -> Plan | None:
    """Return the rows that a conjunct over a subquery keeps, or None when it is something else."""
    negated = False
    while isinstance(part, exp.Not | exp.Paren):
        negated = negated != isinstance(part, exp.Not)
        part = part.this
    kind = JoinKind.ANTI if negated else JoinKind.SEMI
    if isinstance(part, exp.Exists):
        return _Half(planner, plan, scope).joined(_query(part.this), (), kind)
    if isinstance(part, exp.In) and part.args.get("query") is not None:
        values = _row(part.this)
        half = _Half(planner, plan, scope)
        query = _query(part.args["query"])
        return half.not_in(query, values) if negated else half.joined(query, values, kind)
    if isinstance(part, exp.Binary) and isinstance(part.expression, exp.Any | exp.All):
        inner = part.expression.this
        if isinstance(inner, exp.Query) and not negated:
            half = _Half(planner, plan, scope)
            if isinstance(part.expression, exp.Any):
                return half.joined(_query(inner), _row(part.this), kind, type(part))
            return half.all_of(_query(inner), part)
    return None


def _query(tree: exp.Expr) -> exp.Expression:
    while isinstance(tree, exp.Subquery) and not tree.alias:
        tree = tree.this
    assert isinstance(tree, exp.Expression)
    return tree


def _row(tree: exp.Expression) -> tuple[exp.Expression, ...]:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return tuple(tree.expressions) if isinstance(tree, exp.Tuple) else (tree,)


class _Half:
    """Semi and anti joins of one row source with one subquery."""

    def __init__(self, planner: Planning, plan: Plan, scope: Scope) -> None:
        self._planner = planner
        self._plan = plan
        self._scope = scope

    def joined(
        self,
        query: exp.Expression,
        values: tuple[exp.Expression, ...],
        kind: JoinKind,
        verb: type[exp.Expression] = exp.EQ,
    ) -> Plan:
        inner, parts, items = self._inner(query)
        left = self._values(values, len(items)) if values else []
        for value, (_, tree) in zip(left, items, strict=False):
            parts.append(verb(this=value, expression=tree))
        return join_of(self._plan, inner, kind, parts)

    def all_of(self, query: exp.Expression, part: exp.Binary) -> Plan:
        """Law: x > ALL (S) is true iff no row of S makes x > s anything but true."""
        inner, parts, items = self._inner(query)
        (value,) = self._values((part.this,), len(items))
        holds = type(part)(this=value, expression=items[0][1])
        fails = exp.Not(this=exp.Coalesce(this=exp.Paren(this=holds), expressions=[exp.false()]))
        return join_of(self._plan, inner, JoinKind.ANTI, [*parts, fails])

    def not_in(self, query: exp.Expression, values: tuple[exp.Expression, ...]) -> Plan:
        """Law: x NOT IN (S) is true iff nothing in S equals x, and S has no NULL, and x is not
        NULL or S is empty: three anti joins, of which only the first has work in the usual case.
        """
        inner, parts, items = self._inner(query)
        left = self._values(values, len(items))
        if len(left) != 1:
            raise NotIncremental("no delta rule for NOT IN over rows")
        value, (_, tree) = left[0], items[0]
        equal = exp.EQ(this=value.copy(), expression=tree.copy())
        kept: Plan = join_of(self._plan, inner, JoinKind.ANTI, [*parts, equal])
        missing = Filter(inner, exp.Is(this=tree.copy(), expression=exp.Null()))
        kept = join_of(kept, missing, JoinKind.ANTI, parts)
        unknown = exp.Is(this=value.copy(), expression=exp.Null())
        return join_of(kept, inner, JoinKind.ANTI, [*parts, unknown])

    def _values(self, values: tuple[exp.Expression, ...], width: int) -> list[exp.Expression]:
        if values and len(values) != width:
            few = "few" if len(values) > width else "many"
            raise DatatypeMismatch(f"subquery has too {few} columns")
        found = []
        for value in values:
            tree, plan = self._planner.expression(value, self._plan, self._scope)
            if plan is not self._plan or mentions_now(tree):
                raise NotIncremental("no delta rule for this left side of IN")
            found.append(tree)
        return found

    def _inner(self, query: exp.Expression) -> tuple[Plan, list[exp.Expression], Items]:
        """Plan the subquery; return its plan, the conditions that link it, and its columns."""
        correlation = correlation_of(self._planner.oracle, self._plan, self._scope)
        correlation.direct = True
        planned = self._planner.plan(query.copy(), correlation)
        if any(mentions_now(tree) for _, tree in planned.items):
            raise NotIncremental("NOW() in the select list of a subquery")
        if planned.absent is not None and planned.links:
            raise NotIncremental("no delta rule for EXISTS or IN over a correlated aggregate")
        inner, names = _apart(self._planner, planned.plan, set(self._plan.columns))
        parts: list[exp.Expression] = []
        for key in planned.links:
            verb = exp.NullSafeEQ if key.null_safe else exp.EQ
            parts.append(verb(this=key.right, expression=renamed(key.left, names)))
        for condition in planned.conditions:
            parts.append(substituted(renamed(condition, names), correlation.captured))
        outside = correlation.captured
        items = [(n, substituted(renamed(tree, names), outside)) for n, tree in planned.items]
        return inner, parts, items


# --- values: scalar subqueries, and predicates that are not conjuncts -----------------------------


def lifted(
    planner: Planning, tree: exp.Expression, plan: Plan, scope: Scope
) -> tuple[exp.Expression, Plan, Scope]:
    """Replace every subquery in an expression by a column of the plan joined with it."""
    items: list[Visible] = []

    def visit(node: exp.Expression) -> exp.Expression:
        nonlocal plan
        as_value = _as_value(node, scope)
        if as_value is not None:
            return visit(as_value)
        if isinstance(node, exp.Query):
            name = planner.fresh("subquery")
            plan, value = _joined_value(planner, plan, scope, _query(node))
            items.append(Visible(name, {name: value}, hidden=True))
            return exp.column(name, table=name, quoted=True)
        copied = node.copy()
        for key, value in list(copied.args.items()):
            if isinstance(value, exp.Expression):
                copied.set(key, visit(value))
            elif isinstance(value, list):
                copied.set(key, [visit(v) if isinstance(v, exp.Expression) else v for v in value])
        return copied

    found = visit(tree)
    return found, plan, replace(scope, items=[*scope.items, *items]) if items else scope


def _as_value(node: exp.Expression, scope: Scope) -> exp.Expression | None:
    """Write EXISTS and IN, where they are values, with counts of matching rows."""
    if isinstance(node, exp.Exists):
        return exp.GT(this=_count(_query(node.this)), expression=exp.Literal.number(0))
    if isinstance(node, exp.In) and node.args.get("query") is not None:
        if isinstance(node.this, exp.Tuple):
            raise NotIncremental("no delta rule for a row IN (subquery) as a value")
        query = _query(node.args["query"])
        if not isinstance(query, exp.Select) or len(query.expressions) != 1:
            raise NotIncremental("no delta rule for this IN (subquery) as a value")
        return _membership(_qualified(node.this, scope, query), query)
    if isinstance(node, exp.Array) and any(isinstance(e, exp.Query) for e in node.expressions):
        return _as_array(_query(node.expressions[0]))
    if isinstance(node, exp.Any | exp.All) and isinstance(node.this, exp.Query):
        raise NotIncremental("no delta rule for ANY or ALL over a subquery here")
    return None


def _count(query: exp.Expression, where: exp.Expression | None = None) -> exp.Subquery:
    inner = query.copy()
    if where is not None and isinstance(inner, exp.Select):
        inner = inner.where(where, copy=False)
    if isinstance(inner, exp.Select) and not _plain_rows(inner):
        raise NotIncremental("no delta rule for EXISTS over this subquery as a value")
    inner.set("expressions", [exp.alias_(exp.Count(this=exp.Star()), "n")])
    return exp.Subquery(this=inner)


def _as_array(query: exp.Expression) -> exp.Expression:
    """Write ARRAY(SELECT x … ORDER BY y) as an aggregate: array_agg(x ORDER BY y), never NULL."""
    if not isinstance(query, exp.Select) or not _plain_rows(query) or len(query.expressions) != 1:
        raise NotIncremental("no delta rule for this ARRAY(subquery)")
    inner = query.copy()
    member = inner.expressions[0]
    member = member.this if isinstance(member, exp.Alias) else member
    order = inner.args.get("order")
    inner.set("order", None)
    if order is not None:
        member = exp.Order(this=member.copy(), expressions=[o.copy() for o in order.expressions])
    call = exp.Coalesce(this=exp.ArrayAgg(this=member.copy()), expressions=[exp.Array()])
    inner.set("expressions", [exp.alias_(call, "elements")])
    return exp.Subquery(this=inner)


def _plain_rows(query: exp.Select) -> bool:
    clauses = ("group", "having", "distinct", "limit", "offset", "qualify")
    if any(query.args.get(clause) for clause in clauses):
        return False
    return not any(tree.find(exp.AggFunc) for tree in query.expressions)


def _qualified(value: exp.Expression, scope: Scope, query: exp.Select) -> exp.Expression:
    """Say which FROM item each name of a value comes from, so that it means the same inside."""
    inside = {table.alias_or_name for table in query.find_all(exp.Table)}

    def visit(node: exp.Expression) -> exp.Expression | None:
        if not isinstance(node, exp.Column):
            return None
        owners = [item.alias for item in scope.items if node.name in item.columns]
        owner = node.table or (owners[0] if len(owners) == 1 else "")
        if not owner or owner in inside:
            raise NotIncremental(f"no delta rule for {spell(node)} IN (subquery) as a value")
        return exp.column(node.name, table=owner, quoted=True)

    return replaced(value, visit)


def _membership(value: exp.Expression, query: exp.Select) -> exp.Expression:
    member = query.expressions[0]
    member = member.this if isinstance(member, exp.Alias) else member
    if isinstance(member, exp.Star):
        raise NotIncremental("no delta rule for IN (SELECT *) as a value")
    zero = exp.Literal.number(0)
    found = _count(query, exp.EQ(this=member.copy(), expression=value.copy()))
    unknown = _count(query, exp.Is(this=member.copy(), expression=exp.Null()))
    return exp.Case(
        ifs=[
            exp.If(this=exp.GT(this=found, expression=zero.copy()), true=exp.true()),
            exp.If(this=exp.EQ(this=_count(query), expression=zero.copy()), true=exp.false()),
            exp.If(this=exp.Is(this=value.copy(), expression=exp.Null()), true=exp.Null()),
            exp.If(this=exp.GT(this=unknown, expression=zero.copy()), true=exp.Null()),
        ],
        default=exp.false(),
    )


def _joined_value(
    planner: Planning, plan: Plan, scope: Scope, query: exp.Expression
) -> tuple[Plan, exp.Expression]:
    """Join a scalar subquery; return the plan and the value over it."""
    correlation = correlation_of(planner.oracle, plan, scope)
    planned = planner.plan(query.copy(), correlation)
    if len(planned.items) != 1:
        raise DatatypeMismatch("subquery must return only one column")
    if mentions_now(planned.items[0][1]):
        raise NotIncremental("NOW() in a scalar subquery")
    if not planned.single:
        raise NotIncremental("a scalar subquery that may return several rows")
    total = planned.absent is not None
    joined, items = joined_to_rows(planner, plan, planned, outer=not total)
    return joined, items[0][1]
