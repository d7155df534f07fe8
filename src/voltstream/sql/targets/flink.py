"""Flink SQL's words, and how it writes a plan.

Source: Flink 2.3, "Queries" and "System (Built-in) Functions".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sqlglot import exp, parse_one
from sqlglot.dialects.dialect import Dialect as SqlglotDialect
from sqlglot.generator import Generator as SqlglotGenerator
from sqlglot.tokens import Tokenizer as SqlglotTokenizer

from voltstream.core.types import DataType, Kind
from voltstream.sql.natives.intervals import Span
from voltstream.sql.plan import Aggregate, AsofJoin, DistinctOn, Project, TimeFilter, append_only
from voltstream.sql.scope import Typer
from voltstream.sql.targets.compose import Block, Composer
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.flink_verdicts import VERDICTS
from voltstream.sql.targets.postgres import block_column, same
from voltstream.sql.targets.words import (
    INTEGERS,
    MOMENTS,
    CallRule,
    NodeRule,
    Sight,
    Tree,
    Words,
    bare,
    call,
    interval_span,
    is_number,
    microseconds,
    store_type,
    wrapped,
)

__all__ = ["VERDICTS", "FlinkComposer", "FlinkWords"]

CLOCK = "voltstream_clock"  # The view of the latest tick: its one row has the column now_at.
ROWTIME = "__rowtime"  # Behind the name of a time column: the attribute that windows go by.
_ORIGIN_S = 946_857_600  # Monday 2000-01-03, from which time_bucket counts.
_DAY_US = 86_400_000_000


class FlinkText(SqlglotDialect):
    """How Flink spells a tree: Calcite's grammar, identifiers in backticks, NULL the least."""

    NULL_ORDERING = "nulls_are_small"

    class Tokenizer(SqlglotTokenizer):
        """Identifiers in backticks."""

        IDENTIFIERS: ClassVar[list[str | tuple[str, str]]] = ["`"]

    class Generator(SqlglotGenerator):
        """Calcite's grammar."""

        TYPED_DIVISION = True
        SAFE_DIVISION = False


Arguments = Sequence[Tree]


def _seconds(words: Words, moment: Tree, sight: Sight) -> str:
    """Return whole seconds since 1970, as a BIGINT (TIMESTAMPDIFF is an INT, too small in ms)."""
    return f"EXTRACT(EPOCH FROM {spelled(words.tree(moment, sight))})"


def _micros(words: Words, moment: Tree, sight: Sight) -> str:
    text = spelled(bare(words.tree(moment, sight)))
    return f"({_seconds(words, moment, sight)} * 1000000 + EXTRACT(MICROSECOND FROM {text}))"


def _epoch(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Return the seconds of an instant, or between two: there are no exact intervals there."""
    tree = bare(arguments[0])
    if isinstance(tree, exp.Sub):
        left = _micros(words, bare(tree.this), sight)
        made = f"({left} - {_micros(words, bare(tree.expression), sight)})"
    elif sight.type_of(tree).kind in MOMENTS:
        made = _micros(words, tree, sight)
    else:
        words.remarks.meet(Feature.TYPE, "interval")
        made = "NULL"
    return exp.Var(this=f"(CAST({made} AS DECIMAL(20, 0)) * 0.000001)")


def _milliseconds(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    text = spelled(bare(words.tree(arguments[0], sight)))
    made = f"({_seconds(words, arguments[0], sight)} * 1000 + EXTRACT(MILLISECOND FROM {text}))"
    return exp.Var(this=made)


def _quotient(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    left, right = (words.tree(one, sight) for one in arguments[:2])
    if not is_number(arguments[1]):
        right = call("NULLIF", bare(right), exp.Literal.number(0))
    return words.divided(bare(left), bare(right))


def _microseconds(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    span = microseconds(arguments[0])
    if span is None:
        words.remarks.meet(Feature.TYPE, "interval")
    return words.interval(span or Span(0, 0, 0))


def _zone(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    if arguments[0].name.upper() != "UTC":
        words.remarks.meet(Feature.FUNCTION, f"AT TIME ZONE '{arguments[0].name}'")
    zoned = sight.type_of(arguments[1]).kind is Kind.TIMESTAMPTZ
    made = words.tree(arguments[1], sight)
    return words.cast(made, DataType(Kind.TIMESTAMP if zoned else Kind.TIMESTAMPTZ))


def _truncated(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    unit = arguments[0].name.upper()
    if unit not in ("SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"):
        words.remarks.meet(Feature.FUNCTION, f"date_trunc('{unit.lower()}')")
    return exp.Var(this=f"FLOOR({spelled(bare(words.tree(arguments[1], sight)))} TO {unit})")


def bucket(words: Words, width: Tree, moment: Tree, sight: Sight, origin_s: int) -> Tree:
    """Return where the bucket of an instant begins. Law: exact from 1970 on, by whole seconds."""
    width = bare(width)
    span = interval_span(width) if isinstance(width, exp.Interval) else None
    us = span.days * _DAY_US + span.us if span is not None and not span.months else 0
    if us <= 0 or us % 1_000_000:
        words.remarks.meet(Feature.FUNCTION, "buckets of months, or of parts of a second")
    seconds = max(us // 1_000_000, 1)
    since, shift = _seconds(words, moment, sight), origin_s % seconds
    rest = f"MOD({since} + {seconds - shift}, {seconds})" if shift else f"MOD({since}, {seconds})"
    made: Tree = exp.Var(this=f"TO_TIMESTAMP_LTZ(({since} - {rest}) * 1000, 3)")
    # Of the type that the column has: a key that is cast is a key no longer.
    return words.cast(made, DataType(sight.type_of(moment).kind))


def _time_bucket(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    origin = _ORIGIN_S
    if len(arguments) > 2:
        if "2000-01-01 00:00:00+00" not in spelled(arguments[2]):
            words.remarks.meet(Feature.FUNCTION, "time_bucket with an origin")
        origin = _ORIGIN_S - 2 * 86_400
    return bucket(words, arguments[0], arguments[1], sight, origin)


def _choice(sign: type[exp.Binary]) -> CallRule:
    """Return the rule of GREATEST or LEAST, which leave out NULL."""

    def rule(words: Words, arguments: Arguments, sight: Sight) -> Tree:
        trees = [bare(words.tree(one, sight)) for one in arguments]
        made = trees[0]
        for other in trees[1:]:
            absent = exp.Is(this=wrapped(other.copy()), expression=exp.Null())
            beats = sign(this=wrapped(made.copy()), expression=wrapped(other.copy()))
            made = exp.Case(
                ifs=[exp.If(this=exp.Or(this=absent, expression=beats), true=made.copy())],
                default=other,
            )
        return made

    return rule


def _matches(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    return call("REGEXP", *(words.tree(one, sight) for one in arguments[:2]))


def _text_to_integer(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    return words.tree(arguments[0], sight)


def _part(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    moment = bare(words.tree(arguments[1], sight))
    return exp.Extract(this=exp.var(arguments[0].name.upper()), expression=moment)


def _any_of(words: Words, node: Tree, sight: Sight) -> Tree:
    """Write bool_or as the greatest of 1 and 0: there is no aggregate of truth values."""
    tested = wrapped(bare(words.tree(node.this, sight)))
    value = exp.Case(
        ifs=[
            exp.If(this=tested, true=exp.Literal.number(1)),
            exp.If(this=exp.Not(this=tested.copy()), true=exp.Literal.number(0)),
        ]
    )
    chosen = exp.Max(this=value) if isinstance(node, exp.LogicalOr) else exp.Min(this=value)
    return exp.EQ(this=chosen, expression=exp.Literal.number(1))


def _listed(words: Words, node: Tree, sight: Sight) -> Tree:
    words.remarks.meet(Feature.ORDERED_AGGREGATE)
    inner = node.this.this if isinstance(node.this, exp.Order) else node.this
    made = words.tree(inner, sight)
    if isinstance(node, exp.ArrayAgg):
        return call("ARRAY_AGG", made)
    separator = node.args.get("separator") or exp.Literal.string(",")
    return call("LISTAGG", made, words.tree(separator, sight))


class FlinkWords(Words):
    """Flink 2.x, its session zone UTC."""

    dialect = "flinktext"
    trying = False
    types: ClassVar[Mapping[Kind, str]] = {
        Kind.BOOL: "BOOLEAN", Kind.INT2: "SMALLINT", Kind.INT4: "INT", Kind.INT8: "BIGINT",
        Kind.FLOAT4: "FLOAT", Kind.FLOAT8: "DOUBLE", Kind.NUMERIC: "DECIMAL",
        Kind.TEXT: "STRING", Kind.VARCHAR: "STRING", Kind.BPCHAR: "STRING", Kind.NAME: "STRING",
        Kind.BYTEA: "BYTES", Kind.UUID: "STRING", Kind.JSON: "STRING", Kind.JSONB: "STRING",
        Kind.DATE: "DATE", Kind.TIME: "TIME(3)", Kind.TIMESTAMP: "TIMESTAMP(6)",
        Kind.TIMESTAMPTZ: "TIMESTAMP_LTZ(6)",
    }  # fmt: skip
    calls: ClassVar[Mapping[str, CallRule]] = {
        "_vs_div": _quotient, "_vs_epoch": _epoch, "_vs_span_epoch": _epoch,
        "epoch_ms": _milliseconds, "to_microseconds": _microseconds, "timezone": _zone,
        "date_trunc": _truncated, "time_bucket": _time_bucket, "greatest": _choice(exp.GTE),
        "least": _choice(exp.LTE), "_vs_regexp_like": _matches, "date_part": _part,
        "_vs_integer_text": _text_to_integer, "length": same("CHAR_LENGTH"),
        **{
            name: same(name.upper())
            for name in (
                "abs", "round", "floor", "ceil", "sign", "sqrt", "ln", "exp", "power", "lower",
                "upper", "concat_ws", "md5", "nullif", "replace", "left", "right", "ltrim",
                "rtrim", "btrim", "mod",
            )
        },
    }  # fmt: skip
    nodes: ClassVar[Mapping[type[Tree], NodeRule]] = {
        exp.LogicalOr: _any_of,
        exp.LogicalAnd: _any_of,
        exp.ArrayAgg: _listed,
        exp.GroupConcat: _listed,
    }

    def array(self, word: str) -> str:
        return f"ARRAY<{word}>"

    def interval(self, span: Span) -> Tree:
        """Spell a span with the fields that hold it: a field has two digits, days six."""
        if span.months and not (span.days or span.us):
            return exp.Var(this=f"INTERVAL '{span.months}' MONTH(4)")
        us = span.days * _DAY_US + span.us
        if span.months or us % 1000 or us < 0:
            self.remarks.meet(Feature.TYPE, "interval finer than a millisecond, or negative")
        for size, unit in ((_DAY_US, "DAY(6)"), (3_600_000_000, "HOUR"), (60_000_000, "MINUTE"),
                           (1_000_000, "SECOND")):  # fmt: skip
            if us and us % size == 0 and (us // size < 100 or unit == "DAY(6)"):
                few = us // size < 100
                return exp.Var(
                    this=f"INTERVAL '{us // size}' {unit.split('(')[0] if few else unit}"
                )
        days, rest = divmod(us, _DAY_US)
        hours, rest = divmod(rest, 3_600_000_000)
        minutes, rest = divmod(rest, 60_000_000)
        clock = (
            f"{days} {hours:02}:{minutes:02}:{rest // 1_000_000:02}.{rest % 1_000_000 // 1000:03}"
        )
        return exp.Var(this=f"INTERVAL '{clock}' DAY(6) TO SECOND(3)")

    def divided(self, left: Tree, right: Tree) -> Tree:
        """Return a quotient with 16 decimals: the types leave them room in Flink's 38 digits."""
        dividend = self.decimal(left, 32, 16)
        quotient = exp.Div(this=dividend, expression=self.decimal(right, 25, 6), typed=True)
        return self.decimal(quotient, 38, 16)

    def decimal(self, tree: Tree, precision: int, scale: int) -> Tree:
        return self.cast(tree, DataType(Kind.NUMERIC, 0, precision, scale))

    def attempted(self, tree: Tree, sight: Sight) -> Tree:
        before, self.trying = self.trying, True
        made = self.tree(tree, sight)
        self.trying = before
        return made

    def cast(self, tree: Tree, kind: DataType) -> Tree:
        word = "TRY_CAST" if self.trying else "CAST"
        return exp.Var(this=f"{word}({spelled(bare(tree))} AS {self.type(kind)})")

    def _cast(self, node: exp.Cast, sight: Sight) -> Tree:
        made = super()._cast(node, sight)
        to_text = store_type(node.to).kind in (Kind.TEXT, Kind.VARCHAR)
        if to_text and sight.type_of(node.this).kind is Kind.BOOL:
            return call("LOWER", made)
        return made

    def _sum(self, node: exp.Sum, sight: Sight) -> Tree:
        kind = sight.type_of(node.this).kind
        made = self.shared(node, sight)
        if kind in INTEGERS:
            wide = (
                DataType(Kind.INT8) if kind is not Kind.INT8 else DataType(Kind.NUMERIC, 0, 38, 0)
            )
            made.set("this", self.cast(made.this, wide))
        return made

    def span(self, tree: Tree, sight: Sight) -> Tree:
        left, right = sight.type_of(tree.this).kind, sight.type_of(tree.expression).kind
        if left in MOMENTS and right in MOMENTS:
            self.remarks.meet(Feature.TYPE, "interval, outside EXTRACT(EPOCH …)")
        times = bare(tree.expression)
        if isinstance(times, exp.Anonymous) and times.name.lower() == "_vs_interval_times":
            return self._counted(tree, times, sight)
        return self.shared(tree, sight)

    def _counted(self, tree: Tree, times: exp.Anonymous, sight: Sight) -> Tree:
        """Write an instant and so many times an interval."""
        unit = bare(times.expressions[0])
        span = interval_span(unit) if isinstance(unit, exp.Interval) else None
        us = span.days * _DAY_US + span.us if span is not None and not span.months else 0
        if us <= 0 or us % 1_000_000:
            self.remarks.meet(Feature.TYPE, "interval")
        count = spelled(self.tree(times.expressions[1], sight))
        sign = "-" if isinstance(tree, exp.Sub) else ""
        seconds = f"{sign}CAST({count} * {us // 1_000_000} AS INT)"
        return exp.Var(
            this=f"TIMESTAMPADD(SECOND, {seconds}, {spelled(self.tree(tree.this, sight))})"
        )


def spelled(tree: Tree) -> str:
    return tree.sql(dialect=FlinkText, comments=False)


def read_interval(text: str) -> Tree:
    read = parse_one(text, read="duckdb")
    assert isinstance(read, exp.Expression)
    return bare(read)


class FlinkComposer(Composer):
    """SELECTs of Flink: deduplication by ROW_NUMBER, time by a clock of ticks."""

    closing = False  # Windows are shown once, when they are over.

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
        sight = Sight(block.names, Typer(self.oracle, plan.child).of)
        source = block.names[time]
        if block.closed or not isinstance(source, exp.Column) or source.table:
            self.words.remarks.meet(
                Feature.FUNCTION, "a window that closes over more than a source"
            )
        rowtime = source.name + ROWTIME
        inner = Block(block.select, block.names | {rowtime: block_column(rowtime)})
        name = self.fresh("w")
        self.ctes.append((name, inner.query()))
        intervals = [spelled(self.words.tree(read_interval(one), sight)) for one in widths]
        text = f"TABLE({function}(TABLE {name}, DESCRIPTOR(`{rowtime}`), {', '.join(intervals)}))"
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
        made = self.numbered(block, plan.keys, plan.order, "row_number", "_rank")
        first = exp.EQ(this=block_column("_rank"), expression=exp.Literal.number(1))
        made.select.where(first, copy=False)
        return Block(made.select, {name: made.names[name] for name in plan.columns})

    def asof(self, plan: AsofJoin) -> Block:
        self.words.remarks.meet(Feature.ASOF_JOIN)
        raise AssertionError("Flink refuses ASOF joins")

    def grouped(self, plan: Aggregate) -> Block:
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


def watermark_of(text: str, words: FlinkWords | Words) -> tuple[str, str]:
    """Return the column of ``ts AS ts - INTERVAL '5 seconds'`` and `` - INTERVAL …`` or nothing.

    Raises: Refusal for any other expression.
    """
    head, _, tail = text.partition(" AS ") if " AS " in text else text.partition(" as ")
    column = head.strip().strip('"')
    read = parse_one(tail, read="postgres")
    if isinstance(read, exp.Column):
        return column, ""
    if isinstance(read, exp.Sub) and isinstance(read.expression, exp.Interval):
        return column, f" - {words.interval(interval_span(read.expression)).name}"
    words.remarks.meet(Feature.FUNCTION, f"WATERMARK FOR {text}")
    return column, ""
