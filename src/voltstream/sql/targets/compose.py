"""A bound plan as one SELECT of a target: operators that fit in one SELECT share it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlglot import exp, parse_one

from voltstream.sql.catalog import Relation, TypeOracle
from voltstream.sql.expressions import all_of, column
from voltstream.sql.plan import (
    Aggregate,
    AsofJoin,
    Changelog,
    Constant,
    DistinctOn,
    Filter,
    GapFill,
    Join,
    JoinKind,
    Over,
    Plan,
    Project,
    Ranked,
    Scan,
    SeriesToNow,
    Session,
    SetOperation,
    SetVerb,
    SortKey,
    TemporalJoin,
    TimeFilter,
    Union,
    WindowClose,
    children,
    qualify,
)
from voltstream.sql.planning import names_in
from voltstream.sql.scope import Typer
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.words import Sight, Tree, Words, bare, is_record, wrapped
from voltstream.sql.windows import WINDOW

_WORDY = 12  # An expression of more nodes is written once, in a subquery.


@dataclass
class Block:
    """A SELECT without its list: ``names`` say what each column of the plan is over its FROM.

    Shape: ``closed`` says that a WHERE can no longer be added; ``single`` that FROM is one
    relation and nothing else; ``end`` is the end of its window, where the target has it.
    """

    select: exp.Select
    names: dict[str, Tree] = field(default_factory=dict)
    closed: bool = False
    single: bool = False
    end: Tree | None = None

    def query(self, columns: tuple[str, ...] | None = None) -> exp.Select:
        shown = columns if columns is not None else tuple(self.names)
        # A record is written field by field, by what reads it: it is no value of its own.
        shown = tuple(name for name in shown if not is_record(self.names[name]))
        made = self.select.copy()
        items = [aliased(self.names[name].copy(), name) for name in shown]
        made.set("expressions", items or [exp.Literal.number(1)])
        return made


Place = Callable[[Relation], exp.Table]


class Composer:
    """Writes plans with one target's words. Raises: Refusal from the words' remarks."""

    def __init__(self, words: Words, oracle: TypeOracle, place: Place) -> None:
        self.words = words
        self.oracle = oracle
        self._place = place
        self.ctes: list[tuple[str, exp.Query]] = []
        self._number = 0

    # --- what targets say differently -----------------------------------------------------------

    def windowed(self, block: Block, plan: Project, call: tuple[str, ...]) -> Block | None:
        """Return rows with window_start and window_end of TUMBLE or HOP; None for arithmetic."""
        return None

    def timed(self, block: Block, plan: TimeFilter) -> Block:
        """Keep rows whose instants say so; a bound one microsecond later is a strict one."""
        self.words.remarks.meet(Feature.TEMPORAL_FILTER)
        now = self.words.now
        sight = self._sight(block, plan.child)
        for bounds, shut, strict in (
            (plan.lower, exp.LTE, exp.LT),
            (plan.upper, exp.GT, exp.GTE),
        ):
            for bound in bounds:
                inner = _before_microsecond(bound)
                kept = inner if inner is not None else bound
                made = self.words.tree(bare(kept), sight)
                relation = (strict if inner is not None else shut) if bounds else shut
                condition = relation(this=wrapped(made), expression=now.copy())
                block.select.where(condition, copy=False)
        return block

    def first_of(self, block: Block, plan: DistinctOn) -> Block:
        """Return one row of each key, as the order says."""
        self.words.remarks.meet(Feature.DISTINCT_ON)
        block = self.open(block)
        keys = [block.names[name].copy() for name in plan.keys]
        order = [exp.Ordered(this=key.copy(), nulls_first=False) for key in keys]
        order += [self.ordered(block, key) for key in plan.order]
        made = Block(block.select, block.names, closed=True)
        made.select.set("distinct", exp.Distinct(on=exp.Tuple(expressions=keys)))
        made.select.order_by(*order, copy=False)
        return made

    def asof(self, plan: AsofJoin) -> Block:
        self.words.remarks.meet(Feature.ASOF_JOIN)
        raise AssertionError("a target that has ASOF joins writes them")

    # --- the operators --------------------------------------------------------------------------

    def fresh(self, wish: str) -> str:
        self._number += 1
        return f"{wish}{self._number}"

    def query(self, plan: Plan, items: tuple[tuple[str, Tree], ...]) -> exp.Select:
        """Return the query of a plan and what its public columns are over it."""
        block = self.block(plan)
        block = self._project(block, plan, items)
        made = block.query(tuple(name for name, _ in items))
        for name, query in self.ctes:
            made = made.with_(name, as_=query, copy=False)
        return made

    def block(self, plan: Plan) -> Block:
        meet = self.words.remarks.meet
        match plan:
            case Scan(relation=relation):
                return self._scan(relation)
            case Constant():
                return self._constant(plan)
            case Filter(child=child, predicate=predicate):
                block = self.open(self.block(child))
                kept = self.words.tree(predicate, self._sight(block, child))
                block.select.where(bare(kept), copy=False)
                return block
            case Project(child=child, items=items):
                return self._project(self.block(child), child, items, plan)
            case Union():
                meet(Feature.FILTER)
                return self._set(plan, exp.Union, distinct=False)
            case SetOperation():
                return self._set_operation(plan)
            case Join():
                return self.joined(plan)
            case AsofJoin():
                return self.asof(plan)
            case Aggregate():
                return self.grouped(plan)
            case DistinctOn(child=child):
                return self.first_of(self.block(child), plan)
            case Ranked():
                return self.ranked(plan)
            case Over():
                return self.over(plan)
            case TimeFilter(child=child):
                return self.timed(self.open(self.block(child)), plan)
            case SeriesToNow():
                return self._series(plan)
            case TemporalJoin():
                meet(Feature.TEMPORAL_JOIN)
            case Session():
                meet(Feature.SESSION)
            case GapFill():
                meet(Feature.GAP_FILL)
            case Changelog():
                meet(Feature.CHANGELOG)
            case WindowClose():
                meet(Feature.ON_CLOSE)
        raise AssertionError(f"{type(plan).__name__} is refused by every target")

    def _scan(self, relation: Relation) -> Block:
        table = self._place(relation)
        return Block(
            exp.Select().from_(table), {name: column(name) for name in relation.stable}, single=True
        )

    def _constant(self, plan: Constant) -> Block:
        self.words.remarks.meet(Feature.VALUES)
        read = parse_one(plan.sql, read="duckdb")
        sight = Sight({}, Typer(self.oracle, plan).of)
        if isinstance(read, exp.Select) and not read.args.get("from_"):
            shown = [item.unalias() for item in read.expressions]
            trees = [self.words.tree(value, sight) for value in shown]
            return Block(exp.Select(), dict(zip(plan.columns, trees, strict=False)))
        values = read.find(exp.Values)
        if values is not None:
            return self._values(values, plan, sight)
        self.words.remarks.meet(Feature.FUNCTION, "VALUES")
        raise AssertionError("an unknown function is refused")

    def _values(self, read: exp.Values, plan: Constant, sight: Sight) -> Block:
        rows = [
            exp.Tuple(expressions=[self.words.tree(item, sight) for item in row.expressions])
            for row in read.expressions
        ]
        alias = exp.TableAlias(
            this=exp.to_identifier(self.fresh("v")),
            columns=[exp.to_identifier(name, quoted=True) for name in plan.columns],
        )
        select = exp.Select().from_(exp.Values(expressions=rows, alias=alias))
        return Block(select, {name: column(name) for name in plan.columns}, single=True)

    def _sight(self, block: Block, plan: Plan) -> Sight:
        return Sight(block.names, Typer(self.oracle, plan).of)

    def open(self, block: Block) -> Block:
        """Return a block to which WHERE, GROUP BY or the like can be added."""
        return self.nested(block) if block.closed else block

    def nested(self, block: Block) -> Block:
        alias = self.fresh("q")
        query = block.query()
        select = exp.Select().from_(query.subquery(alias, copy=False))
        return Block(select, {name: column(name) for name in block.names}, single=True)

    def _project(
        self,
        block: Block,
        child: Plan,
        items: tuple[tuple[str, Tree], ...],
        plan: Project | None = None,
    ) -> Block:
        marked = next((t.meta[WINDOW] for _, t in items if WINDOW in t.meta), None)
        if marked is not None and plan is not None:
            self.words.remarks.meet(Feature.WINDOW)
            windows = self.windowed(block, plan, marked)
            if windows is not None:
                return windows
        if self._repeats(block, [tree for _, tree in items]):
            block = self.nested(block)
        sight = self._sight(block, child)
        names = {name: self.words.tree(tree, sight) for name, tree in items}
        if block.end is not None and items[-1][0] == "window_end":
            names["window_end"] = block.end
        expands = plan is not None and plan.expands
        return Block(block.select, names, closed=block.closed or expands, single=block.single)

    def _repeats(self, block: Block, trees: list[Tree]) -> bool:
        """Tell whether an expression of many words would be written more than once."""
        wordy = {
            name
            for name, tree in block.names.items()
            if sum(1 for _ in tree.walk()) > _WORDY and not is_record(tree)
        }
        seen: dict[str, int] = {}
        for tree in trees:
            for node in tree.find_all(exp.Column):
                seen[node.name] = seen.get(node.name, 0) + 1
        return any(seen.get(name, 0) > 1 for name in wordy)

    def _set(
        self, plan: Union | SetOperation, kind: type[exp.SetOperation], *, distinct: bool
    ) -> Block:
        columns = plan.columns
        typer = Typer(self.oracle, plan)
        made: exp.Query | None = None
        for part in children(plan):
            block = self.block(part)
            if block.select.args.get("order"):
                block = self.nested(block)
            names: dict[str, Tree] = {}
            for name, own in zip(columns, part.columns, strict=True):
                tree = block.names[own]
                if isinstance(bare(tree), exp.Null):  # The other side's type is not always seen.
                    tree = self.words.cast(exp.Null(), typer.of(column(name)))
                names[name] = tree
            query = Block(block.select, names).query()
            made = query if made is None else kind(this=made, expression=query, distinct=distinct)
        assert made is not None
        alias = self.fresh("q")
        select = exp.Select().from_(made.subquery(alias, copy=False))
        return Block(select, {name: column(name) for name in columns}, single=True)

    def _set_operation(self, plan: SetOperation) -> Block:
        if plan.verb is SetVerb.DISTINCT:
            self.words.remarks.meet(Feature.DISTINCT)
            block = self.open(self.block(plan.sides[0]))
            block.select.set("distinct", exp.Distinct())
            return self.nested(Block(block.select, block.names, closed=True))
        self.words.remarks.meet(Feature.SET_OPERATION)
        kinds = {
            SetVerb.INTERSECT: (exp.Intersect, True),
            SetVerb.INTERSECT_ALL: (exp.Intersect, False),
            SetVerb.EXCEPT: (exp.Except, True),
            SetVerb.EXCEPT_ALL: (exp.Except, False),
        }
        kind, distinct = kinds[plan.verb]
        return self._set(plan, kind, distinct=distinct)

    # --- joins ----------------------------------------------------------------------------------

    def side(self, plan: Plan, alias: str) -> tuple[Tree, dict[str, Tree]]:
        """Return a FROM item of a plan under an alias, and its columns."""
        block = self.block(plan)
        plain = block.single and not block.closed and not block.select.args.get("where")
        if plain and not block.select.args.get("joins"):
            item = block.select.args["from_"].this.copy()
            item.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
            return item, {name: qualify(tree, alias) for name, tree in block.names.items()}
        query = block.query()
        return query.subquery(alias, copy=False), {
            name: exp.column(name, table=alias, quoted=True) for name in block.names
        }

    def joined(self, plan: Join) -> Block:
        half = plan.kind in (JoinKind.SEMI, JoinKind.ANTI)
        self.words.remarks.meet(Feature.SEMI_JOIN if half else Feature.JOIN)
        left_alias, right_alias = self.fresh("a"), self.fresh("b")
        left, left_names = self.side(plan.left, left_alias)
        right, right_names = self.side(plan.right, right_alias)
        condition = self._condition(plan, left_names, right_names)
        select = exp.Select().from_(left)
        if half:
            inner = exp.Select(expressions=[exp.Literal.number(1)]).from_(right).where(condition)
            found: Tree = exp.Exists(this=inner)
            select.where(found if plan.kind is JoinKind.SEMI else exp.Not(this=found), copy=False)
            return Block(select, left_names)
        kinds = {JoinKind.INNER: "", JoinKind.LEFT: "left", JoinKind.FULL: "full"}
        select.join(right, on=condition, join_type=kinds[plan.kind], copy=False)
        return Block(select, left_names | right_names)

    def _condition(self, plan: Join, left: dict[str, Tree], right: dict[str, Tree]) -> Tree:
        left_sight = Sight(left, Typer(self.oracle, plan.left).of)
        right_sight = Sight(right, Typer(self.oracle, plan.right).of)
        parts: list[Tree] = []
        for key in plan.keys:
            sign = exp.NullSafeEQ if key.null_safe else exp.EQ
            one = wrapped(self.words.tree(key.left, left_sight))
            parts.append(
                sign(this=one, expression=wrapped(self.words.tree(key.right, right_sight)))
            )
        if plan.rest is not None:
            whole = Join(plan.left, plan.right, JoinKind.INNER, plan.keys, None)
            sight = Sight(left | right, Typer(self.oracle, whole).of)
            parts.append(wrapped(self.words.tree(plan.rest, sight)))
        return all_of(parts) if parts else exp.true()

    # --- groups, ranks, windows -----------------------------------------------------------------

    def grouped(self, plan: Aggregate) -> Block:
        self.words.remarks.meet(Feature.AGGREGATE)
        block = self.open(self.block(plan.child))
        if any(isinstance(bare(block.names[name]), exp.Literal) for name in plan.groups):
            block = self.nested(block)  # A number in GROUP BY would be a column's place.
        sight = self._sight(block, plan.child)
        groups = {name: block.names[name] for name in plan.groups}
        for tree in groups.values():
            if not _follows(tree, groups.values()):
                block.select.group_by(bare(tree).copy(), copy=False)
        calls = {name: self.words.tree(tree, sight) for name, tree in plan.calls}
        return Block(block.select, groups | calls, closed=True)

    def ordered(self, block: Block, key: SortKey) -> exp.Ordered:
        return exp.Ordered(
            this=block.names[key.name].copy(), desc=key.descending, nulls_first=key.nulls_first
        )

    def ranked(self, plan: Ranked) -> Block:
        self.words.remarks.meet(Feature.TOP_N)
        block = self.open(self.block(plan.child))
        made = self.numbered(block, plan.partition, plan.order, plan.function, plan.name or "_rank")
        rank = column(plan.name or "_rank")
        if plan.skip:
            bound = exp.GT(this=rank.copy(), expression=exp.Literal.number(plan.skip))
            made.select.where(bound, copy=False)
        one = plan.last == 1
        kind = exp.EQ if one else exp.LTE
        made.select.where(kind(this=rank, expression=exp.Literal.number(plan.last)), copy=False)
        return Block(made.select, {name: made.names[name] for name in plan.columns}, single=False)

    def numbered(
        self, block: Block, partition: tuple[str, ...], order: tuple[SortKey, ...],
        function: str, name: str,
    ) -> Block:  # fmt: skip
        """Return rows with their rank as a column, in a subquery."""
        by = [block.names[key].copy() for key in partition]
        sorts = [self.ordered(block, key) for key in order]
        window = exp.Window(
            this=exp.Anonymous(this=function.upper()),
            partition_by=by,
            order=exp.Order(expressions=sorts) if sorts else None,
            over="OVER",
        )
        return self.nested(Block(block.select, block.names | {name: window}, closed=True))

    def over(self, plan: Over) -> Block:
        self.words.remarks.meet(Feature.OVER)
        block = self.open(self.block(plan.child))
        sight = self._sight(block, plan.child)
        calls = {name: self.words.tree(tree, sight) for name, tree in plan.calls}
        return self.nested(Block(block.select, block.names | calls, closed=True))

    def _series(self, plan: SeriesToNow) -> Block:
        self.words.remarks.meet(Feature.SERIES_TO_NOW)
        sight = Sight({}, Typer(self.oracle, plan).of)
        call = exp.Anonymous(
            this="GENERATE_SERIES",
            expressions=[
                self.words.tree(plan.start, sight),
                self.words.now.copy(),
                self.words.tree(plan.step, sight),
            ],
        )
        alias = exp.TableAlias(
            this=exp.to_identifier(self.fresh("s")),
            columns=[exp.to_identifier(plan.name, quoted=True)],
        )
        select = exp.Select().from_(exp.Table(this=call, alias=alias))
        return Block(select, {plan.name: column(plan.name)})


def aliased(tree: Tree, name: str) -> Tree:
    tree = bare(tree)
    if isinstance(tree, exp.Column) and tree.name == name:
        return tree
    return exp.Alias(this=tree, alias=exp.to_identifier(name, quoted=True))


def _follows(tree: Tree, others: Iterable[Tree]) -> bool:
    """Tell whether a group's expression is another one and a constant, as a window's end is."""
    added = bare(tree)
    if not isinstance(added, exp.Add) or names_in(added.expression):
        return False
    return any(bare(added.this) == bare(other) for other in others)


def _before_microsecond(bound: Tree) -> Tree | None:
    """Return what a bound is one microsecond after; None for any other."""
    tree = bare(bound)
    if not isinstance(tree, exp.Add):
        return None
    last = bare(tree.expression)
    if not isinstance(last, exp.Interval) or last.this.name != "1":
        return None
    unit = last.args.get("unit")
    return bare(tree.this) if unit is not None and unit.name.upper() == "MICROSECOND" else None


def follows_clock(plan: Plan) -> bool:
    if isinstance(plan, TimeFilter | SeriesToNow):
        return True
    return any(follows_clock(part) for part in children(plan))
