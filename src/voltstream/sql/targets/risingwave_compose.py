"""SELECTs of RisingWave: windows by its table functions, ASOF joins by its own word."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from sqlglot import exp

from voltstream.sql.expressions import all_of, column
from voltstream.sql.plan import AsofJoin, DistinctOn, Join, Key, Over, Plan, Project, SortKey
from voltstream.sql.scope import Typer
from voltstream.sql.targets.compose import Block
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.keys import key_of
from voltstream.sql.targets.postgres import PostgresComposer, block_column, compared
from voltstream.sql.targets.words import Sight, Tree, bare, call, wrapped

_Joined = TypeVar("_Joined", Join, AsofJoin)
_ONES = ("_left_one", "_right_one")
# What the rows that the order leaves alike make no difference to.
_PLACES = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue)


class RisingWaveComposer(PostgresComposer):
    """Law: each join has a key, each window a partition, and rows at one time are one."""

    def windowed(self, block: Block, plan: Project, window: tuple[str, ...]) -> Block | None:
        function, time, *widths = window
        sight = Sight(block.names, Typer(self.oracle, plan.child).of)
        source, names = self._named(block)
        intervals = [bare(self.words.tree(exp.Var(this=width), sight)) for width in widths]
        tumble = call(function, source, names[time].copy(), *intervals)
        select = exp.Select().from_(exp.Table(this=tumble))
        shown = {name: names[name] for name, _ in plan.items[:-1]}
        start = {plan.items[-1][0]: block_column("window_start")}
        return Block(select, shown | start, end=block_column("window_end"))

    def _named(self, block: Block) -> tuple[Tree, dict[str, Tree]]:
        """Return a name for a block's rows: its relation's, or that of a WITH query."""
        where = block.select.args.get("where")
        plain = all(isinstance(tree, exp.Column) for tree in block.names.values())
        if block.single and not block.closed and where is None and plain:
            table = block.select.args["from_"].this
            if isinstance(table, exp.Table) and not table.alias:
                return exp.column(table.name, table=table.db or None, quoted=True), block.names
        name = self.fresh("w")
        self.ctes.append((name, block.query()))
        return exp.column(name), {own: exp.column(own, quoted=True) for own in block.names}

    def side(self, plan: Plan, alias: str) -> tuple[Tree, dict[str, Tree]]:
        if not set(_ONES) & set(plan.columns):
            return super().side(plan, alias)
        # In a query of its own, for a constant in the condition would be no key.
        query = self.block(plan).query()
        names: dict[str, Tree] = {
            name: exp.column(name, table=alias, quoted=True) for name in plan.columns
        }
        return query.subquery(alias, copy=False), names

    def joined(self, plan: Join) -> Block:
        block = super().joined(plan if plan.keys else _keyed(plan))
        return replace(block, names={name: block.names[name] for name in plan.columns})

    def asof(self, plan: AsofJoin) -> Block:
        self.words.remarks.meet(Feature.ASOF_JOIN)
        shown, plan = plan.columns, _untied(plan if plan.keys else _keyed(plan))
        left, left_names = self.side(plan.left, self.fresh("a"))
        right, right_names = self.side(plan.right, self.fresh("b"))
        left_sight = Sight(left_names, Typer(self.oracle, plan.left).of)
        right_sight = Sight(right_names, Typer(self.oracle, plan.right).of)
        parts: list[Tree] = []
        for key in plan.keys:
            one = wrapped(self.words.tree(key.left, left_sight))
            other = wrapped(self.words.tree(key.right, right_sight))
            parts.append(exp.EQ(this=one, expression=other))
        mine = wrapped(self.words.tree(plan.left_time, left_sight))
        other = wrapped(self.words.tree(plan.right_time, right_sight))
        parts.append(compared(plan.sign, mine, other))
        join = exp.Join(
            this=right, on=all_of(parts), method="ASOF", side="LEFT" if plan.outer else None
        )
        select = exp.Select().from_(left)
        select.append("joins", join)
        names = left_names | right_names
        return Block(select, {name: names[name] for name in shown})

    def over(self, plan: Over) -> Block:
        """Say what RisingWave would not, or otherwise: a partition, and the frame of a total."""
        calls = tuple((name, tree.copy()) for name, tree in plan.calls)
        for window in (one for _, tree in calls for one in tree.find_all(exp.Window)):
            if not window.args.get("partition_by"):
                window.set("partition_by", [exp.cast(exp.Literal.number(1), "INT")])
            order = window.args.get("order")
            if order is None or window.args.get("spec") is not None:
                continue
            if isinstance(bare(window.this), _PLACES):
                continue
            if len(order.expressions) > 1:
                self.words.remarks.meet(Feature.OVER_TIES)
                continue
            window.set("spec", exp.WindowSpec(
                kind="RANGE", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW",
            ))  # fmt: skip
        return super().over(replace(plan, calls=calls))


def _keyed(plan: _Joined) -> _Joined:
    """Give a join an equality that every two rows have: others are not kept there."""
    left, right = (_with_one(plan.left, _ONES[0]), _with_one(plan.right, _ONES[1]))
    return replace(plan, left=left, right=right, keys=(Key(column(_ONES[0]), column(_ONES[1])),))


def _with_one(plan: Plan, name: str) -> Plan:
    items = tuple((each, column(each)) for each in plan.columns)
    return Project(plan, (*items, (name, exp.Literal.number(1))))


def _untied(plan: AsofJoin) -> AsofJoin:
    """Let the right side have one row at each time: of equal ones RisingWave takes any."""
    trees = (*(key.right for key in plan.keys), plan.right_time)
    found, right = list[str](), plan.right
    for number, tree in enumerate(trees):
        if isinstance(tree, exp.Column):
            found.append(tree.name)
            continue
        found.append(f"_asof_{number}")
        items = tuple((each, column(each)) for each in right.columns)
        right = Project(right, (*items, (found[-1], tree)))
    known = key_of(plan.right)
    if not plan.ties or (known is not None and set(known) <= set(found)):
        return plan
    order = tuple(SortKey(name, descending=False, nulls_first=False) for name in plan.ties)
    keys = tuple(
        replace(key, right=column(name)) for key, name in zip(plan.keys, found, strict=False)
    )
    told = (name for name in found if name not in _ONES)  # A number would be a column's place.
    one = DistinctOn(right, tuple(dict.fromkeys(told)), order)
    return replace(plan, right=one, keys=keys, right_time=column(found[-1]))
