"""How Flink writes a plan. Source: Flink 2.3, "Queries"."""

from __future__ import annotations

from sqlglot import exp

from voltstream.core.types import Kind
from voltstream.sql.plan import (
    Aggregate,
    AsofJoin,
    DistinctOn,
    Join,
    Over,
    Plan,
    Project,
    Ranked,
    SeriesToNow,
    TimeFilter,
    append_only,
)
from voltstream.sql.scope import Typer
from voltstream.sql.targets import flink_order
from voltstream.sql.targets.compose import Block, Composer
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.flink_first import first_row
from voltstream.sql.targets.flink_groups import picked
from voltstream.sql.targets.flink_series import CLOCK, TICKS, expanded, to_now
from voltstream.sql.targets.flink_times import native
from voltstream.sql.targets.flink_verdicts import VERDICTS
from voltstream.sql.targets.flink_words import (
    ROWTIME,
    FlinkWords,
    bucket,
    interval_of,
    read_interval,
    watermark_of,
)
from voltstream.sql.targets.postgres import block_column
from voltstream.sql.targets.words import Sight, Tree

__all__ = [
    "CLOCK", "ROWTIME", "TICKS", "VERDICTS", "ClosingComposer", "FlinkComposer", "FlinkWords",
    "watermark_of",
]  # fmt: skip


class FlinkComposer(Composer):
    """SELECTs of Flink: deduplication by ROW_NUMBER, time by a clock of ticks."""

    closing = False  # Windows are shown once, when they are over.

    def block(self, plan: Plan) -> Block:
        match plan:
            case Over():
                return flink_order.over(self, plan)
            case Project() if plan.expands:
                return expanded(self, plan)
            case SeriesToNow():
                return to_now(self, plan)
            case _:
                return super().block(plan)

    def nested(self, block: Block) -> Block:
        """Name a query in WITH: queries within queries take Flink twice as long by level."""
        name = self.fresh("q")
        self.ctes.append((name, block.query()))
        table = exp.Table(this=exp.to_identifier(name))
        select = exp.Select().from_(table)
        return Block(select, {own: block_column(own) for own in block.names}, single=True)

    def _condition(self, plan: Join, left: dict[str, Tree], right: dict[str, Tree]) -> Tree:
        self.words.in_condition = True
        try:
            return super()._condition(plan, left, right)
        finally:
            self.words.in_condition = False

    def windowed(self, block: Block, plan: Project, window: tuple[str, ...]) -> Block | None:
        function, time, *widths = window
        sight = Sight(block.names, Typer(self.oracle, plan.child).of)
        if self.closing:
            return self._closing(block, plan, window)
        if len(widths) > 1 or function != "TUMBLE":
            self.words.remarks.meet(Feature.FUNCTION, f"{function} with an offset or a slide")
        width = read_interval(widths[0])
        start = bucket(self.words, width, block_column(time), sight, 0)
        names = {name: self.words.tree(tree, sight) for name, tree in plan.items[:-1]}
        names[plan.items[-1][0]] = start
        return Block(block.select, names, block.closed, block.single)

    def _closing(self, block: Block, plan: Project, window: tuple[str, ...]) -> Block:
        function, time, *widths = window
        source = block.names[time]
        if block.closed or not isinstance(source, exp.Column) or source.table:
            self.words.remarks.meet(
                Feature.FUNCTION, "a window that closes over more than a source"
            )
        rowtime = source.name + ROWTIME
        inner = Block(block.select, block.names | {rowtime: block_column(rowtime)})
        name = self.fresh("w")
        self.ctes.append((name, inner.query()))
        intervals = [native(self.words, interval_of(one)) for one in widths]
        listed = ", ".join(map(str, intervals))
        text = f"TABLE({function}(TABLE {name}, DESCRIPTOR(`{rowtime}`), {listed}))"
        select = exp.Select().from_(exp.Table(this=exp.Var(this=text)))
        names = {own: block_column(own) for own in block.names}
        names["window_start"] = block_column("window_start")
        return Block(select, names, end=block_column("window_end"))

    def timed(self, block: Block, plan: TimeFilter) -> Block:
        """Join with the clock: a row is there while the latest tick is between its bounds."""
        if not block.single or block.select.args.get("where"):
            block = self.nested(block)
        alias = self.fresh("c")
        clock = exp.Table(
            this=exp.to_identifier(CLOCK), alias=exp.TableAlias(this=exp.to_identifier(alias))
        )
        before = self.words.now
        self.words.now = exp.column("now_at", table=alias, quoted=True)
        block.select.join(clock, join_type="cross", copy=False)
        try:
            made = super().timed(block, plan)
        finally:
            self.words.now = before
        return Block(made.select, made.names)

    def first_of(self, block: Block, plan: DistinctOn) -> Block:
        self.words.remarks.meet(Feature.DISTINCT_ON)
        block = self.open(block)
        made = first_row(self, block, plan.keys, plan.order)
        return Block(made.select, {name: made.names[name] for name in plan.columns})

    def ranked(self, plan: Ranked) -> Block:
        if plan.last > 1 or plan.name or plan.function != "row_number":
            return super().ranked(plan)
        self.words.remarks.meet(Feature.TOP_N)
        made = first_row(self, self.open(self.block(plan.child)), plan.partition, plan.order)
        return Block(made.select, {name: made.names[name] for name in plan.columns}, single=False)

    def asof(self, plan: AsofJoin) -> Block:
        return flink_order.asof(self, plan)

    def grouped(self, plan: Aggregate) -> Block:
        picks = picked(self, plan)
        if picks is not None:
            return picks
        if not append_only(plan.child):
            typer = Typer(self.oracle, plan.child)
            for _, tree in plan.calls:
                for node in tree.find_all(exp.Sum, exp.Avg):
                    operand = node.this
                    if isinstance(operand, exp.Distinct):
                        operand = operand.expressions[0]
                    if typer.of(operand).kind in (Kind.FLOAT4, Kind.FLOAT8):
                        self.words.remarks.meet(Feature.FLOAT_TOTALS)
        return super().grouped(plan)


class ClosingComposer(FlinkComposer):
    """SELECTs of a view that shows windows once, when the watermark has passed them."""

    closing = True
