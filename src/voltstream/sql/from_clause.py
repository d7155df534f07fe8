"""FROM: relations, joins and lateral items, in the order in which they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp, parse_one

from voltstream.core.errors import (
    AmbiguousColumn,
    FeatureNotSupported,
    InvalidParameter,
    NotIncremental,
    UndefinedColumn,
    UndefinedTable,
)
from voltstream.core.types import DataType, Kind
from voltstream.sql.catalog import Relation
from voltstream.sql.expressions import column, is_now, mentions_now, rewrite, spell, spells_now
from voltstream.sql.gap_fill import gap_filled
from voltstream.sql.plan import (
    Changelog,
    Constant,
    Join,
    JoinKind,
    Plan,
    Project,
    Scan,
    SeriesToNow,
    SetOperation,
    SetVerb,
    passthrough,
)
from voltstream.sql.planning import Planned, Planning, conjuncts, names_in, renamed, substituted
from voltstream.sql.pushdown import filtered, join_of
from voltstream.sql.row_functions import opened
from voltstream.sql.scope import Correlation, Scope, Typer, Visible
from voltstream.sql.streaming_words import CHANGELOG, as_interval
from voltstream.sql.subqueries import correlation_of, joined_to_rows
from voltstream.sql.time_joins import asof_join, temporal_join
from voltstream.sql.windows import in_sessions, windowed

ONE_ROW = Constant("SELECT 1", ("_one",))
_KINDS = {"": JoinKind.INNER, "LEFT": JoinKind.LEFT, "RIGHT": JoinKind.LEFT, "FULL": JoinKind.FULL}


class FromClause:
    """Plans the FROM of one SELECT. ``ctes`` are the WITH queries in sight."""

    def __init__(
        self, planner: Planning, ctes: dict[str, Planned], outer: Correlation | None
    ) -> None:
        self._planner = planner
        self._ctes = ctes
        self._outer = outer
        self._around: Plan = ONE_ROW  # The outer values that FROM itself uses.

    def plan(self, query: exp.Select) -> tuple[Plan, Scope]:
        """Plan FROM; where it uses outer values, over each combination of them."""
        known = set(self._outer.captured) if self._outer is not None else set()
        plan, scope = self._planned(query)
        if self._outer is None or not (taken := set(self._outer.captured) - known):
            return plan, scope
        values = {name: self._outer.captured[name] for name in taken}
        self._outer.joined.update(values)
        items = tuple(sorted(values.items()))
        self._around = SetOperation(SetVerb.DISTINCT, (Project(self._outer.plan, items),))
        return self._planned(query)

    def _planned(self, query: exp.Select) -> tuple[Plan, Scope]:
        clause = query.args.get("from_") or query.args.get("from")
        scope = Scope([], outer=self._outer)
        if clause is None:
            return ONE_ROW, scope
        plan, scope = self._first(clause.this, scope, self._around)
        for join in [*(query.args.get("joins") or []), *(query.args.get("laterals") or [])]:
            if not isinstance(join, exp.Join):
                raise NotIncremental("no delta rule for LATERAL VIEW")
            plan, scope = self._join(plan, scope, join)
        return plan, scope

    def _first(
        self, node: exp.Expression, scope: Scope, around: Plan = ONE_ROW
    ) -> tuple[Plan, Scope]:
        if _runs_to_now(node):
            plan, visible = self._series(node)
            return plan, replace(scope, items=[*scope.items, visible])
        opening = self._opened(node, around, scope)
        if opening is not None:
            return self._expanded(around, scope, opening, outer=False)
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table) and not node.alias:
            plan, scope = self._first(node.this, scope, around)
            return self._nested_joins(plan, scope, node)
        plan, visible = self._relation(node)
        if around is not ONE_ROW:
            plan = join_of(around, plan, JoinKind.INNER, ())
        scope = replace(scope, items=[*scope.items, visible])
        return self._nested_joins(plan, scope, node)

    def _nested_joins(self, plan: Plan, scope: Scope, node: exp.Expression) -> tuple[Plan, Scope]:
        """Take in the joins written inside parentheses: (a JOIN b ON …)."""
        for join in node.args.get("joins") or []:
            plan, scope = self._join(plan, scope, join)
        return plan, scope

    # --- one relation ---------------------------------------------------------------------------

    def _relation(self, node: exp.Expression) -> tuple[Plan, Visible]:
        if node.args.get("sample") or node.args.get("pivots"):
            raise NotIncremental("no delta rule for TABLESAMPLE and PIVOT")
        alias = node.alias_or_name
        if isinstance(node, exp.Values):
            return _values(node, alias)
        if isinstance(node, exp.Subquery):
            return _visible(self._nested(node.this), node, alias)
        if not isinstance(node, exp.Table):
            raise NotIncremental(f"no delta rule for FROM {type(node).__name__.upper()}")
        if isinstance(node.this, exp.Anonymous):
            return self._window(node, node.this)
        if not isinstance(node.this, exp.Identifier):
            raise NotIncremental(f"no delta rule for FROM {spell(node.this)}")
        if not node.db and node.name in self._ctes:
            return _visible(self._ctes[node.name], node, alias)
        relation = self._planner.catalog.find(node.db or None, node.name)
        if relation is None:
            raise UndefinedTable(f'relation "{node.name}" does not exist')
        if relation.kind == "view" and relation.view_query is not None:
            planned = self._planner.plan_view(relation.view_query)
            names = [known.name for known in relation.columns]
            trees = [tree for _, tree in planned.items]
            return planned.plan, _aliased(
                Visible(alias, dict(zip(names, trees, strict=True))), node
            )
        if not relation.delta:
            raise NotIncremental(f'"{node.name}" is a system view: it has no delta')
        visible = Visible(alias, _relation_columns(relation), key=relation.key)
        return Scan(relation), _aliased(visible, node)

    def _nested(self, query: exp.Expression) -> Planned:
        outer = self._outer.barred("a reference from FROM") if self._outer else None
        return self._planner.plan(query.copy(), outer)

    def _window(self, node: exp.Table, call: exp.Anonymous) -> tuple[Plan, Visible]:
        name = call.name.upper()
        if name not in {"TUMBLE", "HOP", "SESSION", "GAP_FILL", CHANGELOG.upper()}:
            raise NotIncremental(f"no delta rule for the table function {call.name}")
        if name == CHANGELOG.upper():
            return self._changelog(node, call)
        if len(call.expressions) < 3:
            raise InvalidParameter(f"{name} takes a relation, a time column and an interval")
        source = call.expressions[0]
        if isinstance(source, exp.Column):
            source = exp.Table(this=source.this.copy(), db=source.args.get("table"))
        plan, visible = self._relation(source)
        if any(mentions_now(tree) for tree in visible.columns.values()):
            raise NotIncremental(f"NOW() below {name}")
        inner = Scope([visible])
        plan = Project(plan, tuple((n, t) for n, t in visible.columns.items()))
        named = {n: column(n) for n in plan.columns}
        if name == "GAP_FILL":
            typer = Typer(self._planner.oracle, plan)
            plan = gap_filled(plan, call.expressions[1:], lambda n: typer.stored(column(n)))
        elif name == "SESSION":
            keys = [_name_of(plan, inner.resolve(k), named) for k in call.expressions[1:-1]]
            plan = in_sessions(plan, keys[:-1], keys[-1], call.expressions[-1])
        else:
            time = inner.resolve(call.expressions[1])
            plan = windowed(plan, name, column(_name_of(plan, time, named)), call.expressions[2:])
        alias = node.alias or visible.alias
        return plan, _aliased(Visible(alias, {n: column(n) for n in plan.columns}), node)

    def _changelog(self, node: exp.Table, call: exp.Anonymous) -> tuple[Plan, Visible]:
        source = call.expressions[0]
        plan, visible = self._relation(
            exp.Table(this=source.this.copy(), db=source.args.get("table"))
        )
        if not isinstance(plan, Scan) or plan.relation.volatile:
            raise FeatureNotSupported(
                f'"{source.name}" has no changelog', hint="Name a table or a materialized view."
            )
        made = Changelog(plan, plan.relation.key or plan.relation.groups)
        columns = {**visible.columns, **{n: column(n) for n in made.columns[-2:]}}
        return made, Visible(node.alias or visible.alias, columns)

    def _series(self, node: exp.Expression) -> tuple[Plan, Visible]:
        """Plan generate_series(start, NOW(), step). Raises: NotIncremental for other ends."""
        given = node.this.expressions
        start, end, step = (
            self._plain(tree, ONE_ROW, Scope([]))
            for tree in (given[0], given[1], as_interval(given[2]))
        )
        if not is_now(end) or mentions_now(start) or mentions_now(step):
            raise NotIncremental("NOW() in generate_series, other than as its end")
        alias = node.alias or "generate_series"
        plan = SeriesToNow(start, step, alias)
        return plan, _aliased(Visible(alias, {alias: column(alias)}), node)

    # --- joins ----------------------------------------------------------------------------------

    def _join(self, plan: Plan, scope: Scope, join: exp.Join) -> tuple[Plan, Scope]:
        side, kind = (join.side or "").upper(), (join.kind or "").upper()
        method = (join.method or "").upper()
        if method not in {"", "NATURAL", "ASOF"}:
            raise NotIncremental(f"no delta rule for {method} JOIN")
        version = join.this.args.get("version")
        if version is not None or (method == "ASOF" and join.args.get("on") is not None):
            right, added = self._first(join.this, Scope([], outer=self._outer))
            draft, both, parts = self._met(plan, scope, right, added, join)
            if version is not None:
                return temporal_join(draft, side, kind, version, parts), both
            return asof_join(draft, side, kind, parts), both
        if method == "ASOF":
            raise NotIncremental("no delta rule for ASOF JOIN … USING")
        if kind in {"SEMI", "ANTI"}:
            return self._half_join(plan, scope, join, JoinKind[kind])
        if side not in _KINDS or kind not in {"", "INNER", "OUTER", "CROSS"}:
            raise NotIncremental(f"no delta rule for {side} {kind} JOIN".replace("  ", " "))
        lateral = self._lateral(plan, scope, join, side)
        if lateral is not None:
            return lateral
        right, added = self._first(join.this, Scope([], outer=self._outer))
        return self._combined(plan, scope, right, added, join)

    def _combined(
        self, plan: Plan, scope: Scope, right: Plan, added: Scope, join: exp.Join
    ) -> tuple[Plan, Scope]:
        side = (join.side or "").upper()
        kind = _KINDS[side]
        if self._around is not ONE_ROW and side in {"RIGHT", "FULL"}:
            raise NotIncremental("an outer row in FROM with a RIGHT or FULL JOIN")
        if side in {"LEFT", "FULL"}:
            right, added = _projected(right, added)
        if side in {"RIGHT", "FULL"}:
            plan, scope = _projected(plan, scope)
        right, added = self._rename_clashes(plan, right, added)
        both = Scope(
            [*scope.items, *added.items], {**scope.merged, **added.merged}, outer=self._outer
        )
        draft = join_of(plan, right, JoinKind.INNER, ())
        parts: list[exp.Expression] = []
        if join.args.get("on") is not None:
            parts = conjuncts(self._plain(join.args["on"], draft, both))
        for name in _using(join, scope, added):
            mine, yours = _side_column(scope, name, "left"), _side_column(added, name, "right")
            parts.append(exp.EQ(this=mine, expression=yours))
            chosen = {"RIGHT": yours, "FULL": exp.Coalesce(this=mine, expressions=[yours])}
            both.merged[name] = chosen.get(side, mine).copy()
        timed = [part for part in parts if mentions_now(part)]
        if timed and kind is not JoinKind.INNER:
            raise NotIncremental("NOW() in the ON clause of an outer join")
        still = [part for part in parts if not mentions_now(part)]
        if side == "RIGHT":
            joined: Plan = join_of(right, plan, kind, still)
        elif kind is JoinKind.INNER:
            joined = draft
            for part in still:
                joined = filtered(joined, part)
        else:
            joined = join_of(plan, right, kind, still)
        for part in timed:
            joined = filtered(joined, part)
        return joined, both

    def _met(
        self, plan: Plan, scope: Scope, right: Plan, added: Scope, join: exp.Join
    ) -> tuple[Join, Scope, list[exp.Expression]]:
        """Return both sides of a join in time, their scope, and the parts of its condition."""
        side = (join.side or "").upper()
        if side:
            right, added = _projected(right, added)
        right, added = self._rename_clashes(plan, right, added)
        both = Scope(
            [*scope.items, *added.items], {**scope.merged, **added.merged}, outer=self._outer
        )
        draft = join_of(plan, right, JoinKind.INNER, ())
        on = join.args.get("on")
        parts = conjuncts(self._plain(on, draft, both)) if on is not None else []
        for name in _using(join, scope, added):
            mine, yours = _side_column(scope, name, "left"), _side_column(added, name, "right")
            parts.append(exp.EQ(this=mine, expression=yours))
            both.merged[name] = mine.copy()
        if any(mentions_now(part) for part in parts):
            raise FeatureNotSupported("NOW() in the ON clause of a join in time")
        return draft, both, parts

    def _half_join(
        self, plan: Plan, scope: Scope, join: exp.Join, kind: JoinKind
    ) -> tuple[Plan, Scope]:
        right, added = self._first(join.this, Scope([], outer=self._outer))
        right, added = self._rename_clashes(plan, right, added)
        both = Scope([*scope.items, *added.items], outer=self._outer)
        draft = join_of(plan, right, JoinKind.INNER, ())
        parts: list[exp.Expression] = []
        if join.args.get("on") is not None:
            parts = conjuncts(self._plain(join.args["on"], draft, both))
        for name in _using(join, scope, added):
            mine, yours = _side_column(scope, name, "left"), _side_column(added, name, "right")
            parts.append(exp.EQ(this=mine, expression=yours))
        if any(mentions_now(part) for part in parts):
            raise NotIncremental("NOW() in the ON clause of a semi join")
        return join_of(plan, right, kind, parts), scope

    def _plain(self, tree: exp.Expression, plan: Plan, scope: Scope) -> exp.Expression:
        if any(isinstance(node, exp.Query) for node in tree.walk()):
            raise NotIncremental("no delta rule for a subquery in ON")
        types = self._outer.types if self._outer is not None else {}
        typer = Typer(self._planner.oracle, plan, types)
        found = rewrite(tree, typer.of, scope.resolve, stable_now=True)
        taken = set(self._outer.captured) if self._outer is not None else set()
        if self._around is not ONE_ROW and names_in(found) & taken - set(plan.columns):
            raise NotIncremental("an outer row inside brackets in FROM")
        return found

    def _lateral(
        self, plan: Plan, scope: Scope, join: exp.Join, side: str
    ) -> tuple[Plan, Scope] | None:
        """Plan a join whose right side sees the rows on its left, or return None."""
        if _runs_to_now(join.this):
            return None
        opening = self._opened(join.this, plan, scope)
        on = join.args.get("on")
        free = on is None or (isinstance(on, exp.Boolean) and on.this is True)
        if opening is not None:
            if side not in {"", "LEFT"} or not (free or side == ""):
                raise NotIncremental("no delta rule for this join with a set-returning function")
            plan, scope = self._expanded(plan, scope, opening, outer=side == "LEFT")
            if on is not None and not free:
                plan = filtered(plan, self._plain(on, plan, scope))
            return plan, scope
        if not isinstance(join.this, exp.Lateral) or not isinstance(join.this.this, exp.Subquery):
            return None
        correlation = correlation_of(self._planner.oracle, plan, scope)
        planned = self._planner.plan(join.this.this.this.copy(), correlation)
        if side not in {"", "LEFT"} or not (free or side == ""):
            raise NotIncremental("no delta rule for this LATERAL join")
        if any(mentions_now(tree) for _, tree in planned.items):
            raise NotIncremental("NOW() in a LATERAL subquery")
        joined, items = joined_to_rows(self._planner, plan, planned, outer=side == "LEFT")
        visible = _aliased(Visible(join.this.alias, dict(items)), join.this)
        both = replace(scope, items=[*scope.items, visible])
        if on is not None and not free:
            joined = filtered(joined, self._plain(on, joined, both))
        return joined, both

    def _opened(self, node: exp.Expression, plan: Plan, scope: Scope) -> exp.Expression | None:
        """Return a set-returning function as the query that opens its lists, or None."""
        return opened(node, lambda tree: self._plain(tree, plan, scope))

    def _expanded(
        self, plan: Plan, scope: Scope, opening: exp.Expression, *, outer: bool
    ) -> tuple[Plan, Scope]:
        """Project each row to the rows its set-returning function makes of it."""
        select = opening.this.this
        inner = select.args.get("from_")
        values: dict[str, exp.Expression] = {}
        if inner is not None:
            plan, values = self._opened_rows(plan, inner.this.this.expressions, outer=outer)
            outer = False
        made, columns = self._opened_rows(plan, select.expressions, values, outer=outer)
        visible = Visible(opening.args["alias"].name, columns)
        return made, replace(scope, items=[*scope.items, visible])

    def _opened_rows(
        self,
        plan: Plan,
        outputs: Sequence[exp.Expression],
        values: dict[str, exp.Expression] | None = None,
        *,
        outer: bool,
    ) -> tuple[Plan, dict[str, exp.Expression]]:
        items = list(passthrough(plan.columns))
        columns: dict[str, exp.Expression] = {}
        for output in outputs:
            tree = substituted(output.this, values or {})
            if outer and isinstance(tree, exp.Explode):
                tree = exp.Explode(this=_never_empty(tree.this))
            name = self._planner.fresh(output.alias)
            items.append((name, tree))
            columns[output.alias] = column(name)
        if any(mentions_now(tree) for _, tree in items):
            raise NotIncremental("NOW() in a set-returning function")
        return Project(plan, tuple(items)), columns

    def _rename_clashes(self, left: Plan, right: Plan, added: Scope) -> tuple[Plan, Scope]:
        taken = set(left.columns)
        if not taken & set(right.columns):
            return right, added
        plan, names = apart(self._planner, right, taken)
        items = [
            replace(item, columns={n: renamed(t, names) for n, t in item.columns.items()})
            for item in added.items
        ]
        merged = {name: renamed(tree, names) for name, tree in added.merged.items()}
        return plan, replace(added, items=items, merged=merged)


def _runs_to_now(node: exp.Expression) -> bool:
    """Tell whether a FROM item is a series of instants whose arguments mention NOW()."""
    call = node.this if isinstance(node, exp.Table) else None
    if not isinstance(call, exp.Anonymous) or call.name.lower() != "generate_series":
        return False
    return len(call.expressions) == 3 and any(spells_now(tree) for tree in call.expressions)


def apart(planner: Planning, plan: Plan, taken: set[str]) -> tuple[Plan, dict[str, str]]:
    """Rename the columns of a plan that are taken; return it and every old name's new one."""
    names = {name: planner.fresh(name) if name in taken else name for name in plan.columns}
    items = tuple((new, column(old)) for old, new in names.items())
    return Project(plan, items), names


def _never_empty(tree: exp.Expression) -> exp.Expression:
    """Return a list with one NULL in place of an empty or missing list."""
    length = exp.Anonymous(this="len", expressions=[tree.copy()])
    zero = exp.Literal.number(0)
    empty = exp.EQ(this=exp.Coalesce(this=length, expressions=[zero.copy()]), expression=zero)
    return exp.Case(ifs=[exp.If(this=empty, true=exp.Var(this="[NULL]"))], default=tree.copy())


def _using(join: exp.Join, left: Scope, right: Scope) -> list[str]:
    if (join.method or "").upper() == "NATURAL":
        mine = [name for name, _ in left.star()]
        yours = {name for name, _ in right.star()}
        return [name for name in dict.fromkeys(mine) if name in yours]
    return [identifier.name for identifier in join.args.get("using") or []]


def _side_column(scope: Scope, name: str, side: str) -> exp.Expression:
    try:
        found = scope.find(exp.column(name))
    except AmbiguousColumn:
        raise AmbiguousColumn(
            f'common column name "{name}" appears more than once in {side} table'
        ) from None
    if found is None:
        raise UndefinedColumn(
            f'column "{name}" specified in USING clause does not exist in {side} table'
        )
    return found


def _projected(plan: Plan, scope: Scope) -> tuple[Plan, Scope]:
    """Compute an optional side's columns below the join, where they are not yet padded."""
    trees = [tree for item in scope.items for tree in item.columns.values()]
    if all(isinstance(tree, exp.Column) for tree in [*trees, *scope.merged.values()]):
        return plan, scope
    if any(mentions_now(tree) for tree in trees):
        raise NotIncremental("NOW() on the optional side of an outer join")
    items = list(passthrough(plan.columns))
    taken = set(plan.columns)

    def computed(wish: str, tree: exp.Expression) -> exp.Expression:
        if isinstance(tree, exp.Column):
            return tree
        name, number = wish, 1
        while name in taken:
            number += 1
            name = f"{wish}_{number}"
        taken.add(name)
        items.append((name, tree))
        return column(name)

    found = [
        replace(item, columns={n: computed(n, t) for n, t in item.columns.items()})
        for item in scope.items
    ]
    merged = {name: computed(name, tree) for name, tree in scope.merged.items()}
    return Project(plan, tuple(items)), replace(scope, items=found, merged=merged)


def _values(node: exp.Values, alias: str) -> tuple[Plan, Visible]:
    if any(isinstance(inner, exp.Column | exp.Query) for inner in node.walk()):
        raise NotIncremental("no delta rule for VALUES that are computed")
    bare = exp.Values(expressions=[row.copy() for row in node.expressions])
    if mentions_now(rewrite(bare, _untyped, _no_column, stable_now=True)):
        raise NotIncremental("no delta rule for NOW() in VALUES")
    width = len(node.expressions[0].expressions)
    names = tuple(f"column{place + 1}" for place in range(width))
    plan = Constant(f"SELECT * FROM ({spell(bare)})", names)
    return plan, _aliased(Visible(alias, {name: column(name) for name in names}), node)


def _untyped(tree: exp.Expression) -> DataType:
    return DataType(Kind.UNKNOWN)


def _no_column(node: exp.Column) -> exp.Expression:
    return node


def _visible(planned: Planned, node: exp.Expression, alias: str) -> tuple[Plan, Visible]:
    return planned.plan, _aliased(Visible(alias, dict(planned.items)), node)


def _aliased(visible: Visible, node: exp.Expression) -> Visible:
    """Give columns the names of an alias list: AS q(a, b)."""
    alias = node.args.get("alias")
    given: Sequence[exp.Expression] = alias.args.get("columns") or [] if alias else []
    if not given:
        return visible
    if len(given) > len(visible.columns):
        raise UndefinedColumn(
            f'table "{visible.alias}" has {len(visible.columns)} columns available but '
            f"{len(given)} columns specified"
        )
    names = [identifier.name for identifier in given]
    names += list(visible.columns)[len(names) :]
    columns = dict(zip(names, visible.columns.values(), strict=True))
    return replace(visible, columns=columns, key=())


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


def _name_of(plan: Plan, tree: exp.Expression, named: dict[str, exp.Column]) -> str:
    text = spell(tree)
    assert isinstance(plan, Project)
    for name, item in plan.items:
        if spell(item) == text:
            return name
    raise NotIncremental(f"the time column {text} is not among the columns {list(named)}")
