"""Flink SQL's words.

Source: Flink 2.3, "System (Built-in) Functions".
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from math import factorial
from typing import ClassVar

from sqlglot import exp, parse_one

from voltstream.core.types import DataType, Kind
from voltstream.sql.natives.intervals import Span
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.flink_text import inner, spelled
from voltstream.sql.targets.flink_times import (
    DAY_US,
    elapsed,
    epoch,
    finite,
    formatted,
    from_seconds,
    instant_text,
    milliseconds,
    native,
    over,
    product,
    seconds,
    span_of_micros,
    span_us,
    temporal,
    times,
    truncated,
    zoned,
)
from voltstream.sql.targets.postgres import same
from voltstream.sql.targets.words import (
    INFINITE,
    INTEGERS,
    CallRule,
    NodeRule,
    Sight,
    Tree,
    Words,
    bare,
    call,
    delay_of,
    interval_span,
    is_number,
    is_record,
    store_type,
    wrapped,
)

ROWTIME = "__rowtime"  # Behind the name of a time column: the attribute that windows go by.
_ORIGIN_S = 946_857_600  # Monday 2000-01-03, from which time_bucket counts.
_NUMBERS = frozenset({Kind.FLOAT4, Kind.FLOAT8, Kind.NUMERIC})

Arguments = Sequence[Tree]


def _quotient(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    left, right = (words.tree(one, sight) for one in arguments[:2])
    if not is_number(arguments[1]):
        right = call("NULLIF", bare(right), exp.Literal.number(0))
    return words.divided(bare(left), bare(right))


def bucket(words: Words, width: Tree, moment: Tree, sight: Sight, origin_s: int) -> Tree:
    """Return where the bucket of an instant begins. Law: exact from 1970 on, by whole seconds."""
    width = bare(width)
    span = interval_span(width) if isinstance(width, exp.Interval) else None
    us = span.days * DAY_US + span.us if span is not None and not span.months else 0
    if us <= 0 or us % 1_000_000:
        words.remarks.meet(Feature.FUNCTION, "buckets of months, or of parts of a second")
    width_s = max(us // 1_000_000, 1)
    since, shift = seconds(words, moment, sight), origin_s % width_s
    rest = f"MOD({since} + {width_s - shift}, {width_s})" if shift else f"MOD({since}, {width_s})"
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


def _rounded_to_even(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Round a float as PostgreSQL does: a half goes to the even neighbour."""
    if len(arguments) > 1 and arguments[1].name != "0":
        words.remarks.meet(Feature.FUNCTION, "round_even to decimals")
    value = inner(words.tree(arguments[0], sight))
    half = f"CASE WHEN ABS({value} - FLOOR({value})) = 0.5 THEN 2 * FLOOR(({value} + 1) / 2)"
    return exp.Var(this=f"{half} ELSE ROUND({value}, 0) END")


def _factorial(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Look a factorial up: 33! is the last that 38 digits hold."""
    listed = ", ".join(f"CAST('{factorial(number)}' AS DECIMAL(38, 0))" for number in range(34))
    return exp.Var(this=f"ARRAY[{listed}][{inner(words.tree(arguments[0], sight))} + 1]")


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
    listed = node.this.this if isinstance(node.this, exp.Order) else node.this
    made = words.tree(listed, sight)
    if isinstance(node, exp.ArrayAgg):
        return call("ARRAY_AGG", made)
    separator = node.args.get("separator") or exp.Literal.string(",")
    return call("LISTAGG", made, words.tree(separator, sight))


def _percentile(words: Words, node: Tree, sight: Sight) -> Tree:
    name = node.name.lower()
    if name not in ("quantile_cont", "median"):
        words.remarks.meet(Feature.FUNCTION, name)
    words.remarks.meet(Feature.PERCENTILE)
    value = words.cast(words.tree(node.expressions[0], sight), DataType(Kind.FLOAT8))
    share = "0.5" if name == "median" else spelled(words.tree(node.expressions[1], sight))
    return call("PERCENTILE", value, exp.Var(this=share))


def _product(words: Words, node: Tree, sight: Sight) -> Tree:
    kinds = (sight.type_of(node.this).kind, sight.type_of(node.expression).kind)
    if Kind.INTERVAL in kinds:
        return product(words, node.this, node.expression, sight)
    return words.shared(node, sight)


def _bits(words: Words, node: Tree, sight: Sight) -> Tree:
    """Write ``x & mask`` bit by bit with divisions: Flink has no operators of bits."""
    sides = [bare(node.this), bare(node.expression)]
    numbers = [side for side in sides if isinstance(side, exp.Literal) and not side.is_string]
    if len(numbers) != 1:
        words.remarks.meet(Feature.FUNCTION, "& of two columns")
    value = node.this if numbers[0] is sides[1] else node.expression
    x, mask, parts = inner(words.tree(value, sight)), int(numbers[0].name), []
    for place in range(63):
        if mask >> place & 1:
            unit = 1 << place
            rest = f"MOD(MOD({x}, {unit}) + {unit}, {unit})"
            parts.append(f"ABS(MOD(({x} - {rest}) / {unit}, 2)) * {unit}")
    return exp.Var(this=f"({' + '.join(parts) or f'{x} * 0'})")


def _either_bits(words: Words, node: Tree, sight: Sight) -> Tree:
    """Write ``a | b`` as a sum where no bit can be in both."""
    left, right = _mask(node.this), _mask(node.expression)
    if left is None or right is None or left & right:
        words.remarks.meet(Feature.FUNCTION, "| of values that may share a bit")
    sides = (words.tree(node.this, sight), words.tree(node.expression, sight))
    return exp.Add(this=wrapped(sides[0]), expression=wrapped(sides[1]))


def _mask(tree: Tree) -> int | None:
    """Return the bits that a value may have; None where they are not known."""
    tree = bare(tree)
    match tree:
        case exp.Literal() if not tree.is_string:
            return int(tree.name)
        case exp.Cast():
            return _mask(tree.this)
        case exp.BitwiseOr():
            parts = [_mask(tree.this), _mask(tree.expression)]
        case exp.Case():
            values = [one.args["true"] for one in tree.args["ifs"]]
            parts = [_mask(one) for one in (*values, tree.args.get("default") or exp.Null())]
        case _:
            return None
    known = [part for part in parts if part is not None]
    return functools.reduce(int.__or__, known, 0) if len(known) == len(parts) else None


def _found_at(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    text, part = (words.tree(one, sight) for one in arguments[:2])
    return exp.Var(this=f"POSITION({spelled(part)} IN {spelled(text)})")


def _field(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Read a field of a record, which is kept as its fields."""
    record = bare(words.tree(arguments[0], sight))
    if not is_record(record):
        words.remarks.meet(Feature.FUNCTION, "a field of a record")
    fields: list[Tree] = record.expressions
    return fields[int(arguments[1].name) - 1].copy()


class FlinkWords(Words):
    """Flink 2.x, its session zone UTC."""

    dialect = "flinktext"
    trying = False
    types: ClassVar[Mapping[Kind, str]] = {
        Kind.BOOL: "BOOLEAN", Kind.INT2: "SMALLINT", Kind.INT4: "INT", Kind.INT8: "BIGINT",
        Kind.FLOAT4: "FLOAT", Kind.FLOAT8: "DOUBLE", Kind.NUMERIC: "DECIMAL",
        Kind.TEXT: "STRING", Kind.VARCHAR: "STRING", Kind.BPCHAR: "STRING", Kind.NAME: "STRING",
        Kind.UUID: "STRING", Kind.JSON: "STRING", Kind.JSONB: "STRING",
        Kind.DATE: "DATE", Kind.TIME: "TIME(3)", Kind.TIMESTAMP: "TIMESTAMP(6)",
        Kind.TIMESTAMPTZ: "TIMESTAMP_LTZ(6)", Kind.INTERVAL: "BIGINT",
    }  # fmt: skip
    calls: ClassVar[Mapping[str, CallRule]] = {
        "_vs_div": _quotient, "_vs_epoch": epoch, "_vs_span_epoch": epoch,
        "epoch_ms": milliseconds, "to_microseconds": span_of_micros, "timezone": zoned,
        "_vs_interval_times": times, "_vs_interval_over": over, "to_timestamp": from_seconds,
        "_vs_elapsed": elapsed, "_vs_finite": finite, "_vs_to_char": formatted,
        "date_trunc": truncated, "_vs_trunc_instant": truncated,
        "time_bucket": _time_bucket, "greatest": _choice(exp.GTE),
        "least": _choice(exp.LTE), "_vs_regexp_like": _matches, "date_part": _part,
        "_vs_integer_text": _text_to_integer, "length": same("CHAR_LENGTH"),
        "round_even": _rounded_to_even, "_vs_power": same("POWER"), "factorial": _factorial,
        "trunc": same("TRUNCATE"), "strpos": _found_at, "starts_with": same("STARTSWITH"),
        "struct_extract_at": _field, "substr": same("SUBSTR"),
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
        exp.AnonymousAggFunc: _percentile,
        exp.Mul: _product,
        exp.BitwiseAnd: _bits,
        exp.BitwiseOr: _either_bits,
    }

    def type(self, kind: DataType) -> str:
        if kind.kind is Kind.NUMERIC and kind.precision is None:
            # The store's integers of 128 bits; DECIMAL alone has ten digits there.
            kind = DataType(Kind.NUMERIC, kind.array_depth, 38, 0)
        return super().type(kind)

    def array(self, word: str) -> str:
        return f"ARRAY<{word}>"

    def interval(self, span: Span) -> Tree:
        return exp.Var(this=f"CAST({span_us(self, span)} AS BIGINT)")

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
        kind = store_type(node.to)
        if kind.kind is Kind.TIMESTAMPTZ and isinstance(node.this, exp.Literal):
            endless = INFINITE.get(node.this.name)
            if endless is not None:
                self.remarks.meet(Feature.INFINITY)
                return exp.Var(this=f"CAST(TIMESTAMP '{endless}' AS TIMESTAMP_LTZ(6))")
        if kind.kind in INTEGERS and sight.type_of(node.this).kind in _NUMBERS:
            # PostgreSQL rounds where Flink cuts off.
            rounded = exp.Var(this=f"ROUND({spelled(self.tree(node.this, sight))}, 0)")
            return self.cast(rounded, kind)
        made = super()._cast(node, sight)
        if kind.kind in (Kind.TEXT, Kind.VARCHAR):
            return self._as_text(node, made, sight)
        return made

    def _as_text(self, node: exp.Cast, made: Tree, sight: Sight) -> Tree:
        """Return a value as PostgreSQL spells it, where Flink's own text is another."""
        kind = sight.type_of(node.this).kind
        if kind is Kind.BOOL:
            return call("LOWER", made)
        if kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
            zone = "+00" if kind is Kind.TIMESTAMPTZ else ""
            return exp.Var(this=instant_text(spelled(self.tree(node.this, sight)), zone))
        if kind is Kind.INTERVAL:
            self.remarks.meet(Feature.INTERVAL, "the text of an interval")
        if kind in (Kind.FLOAT4, Kind.FLOAT8, Kind.NUMERIC):
            self.remarks.meet(Feature.NUMBER_TEXT)
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
        made = temporal(self, tree, sight)
        return made if made is not None else self.shared(tree, sight)


def read_interval(text: str) -> Tree:
    read = parse_one(text, read="duckdb")
    assert isinstance(read, exp.Expression)
    return bare(read)


def interval_of(text: str) -> Span:
    read = read_interval(text)
    assert isinstance(read, exp.Interval)
    return interval_span(read)


def watermark_of(text: str, words: FlinkWords | Words) -> tuple[str, str]:
    """Return the column of a watermark, and `` - INTERVAL …`` or nothing. Raises: Refusal."""
    column, delay = delay_of(text)
    if delay is None:
        words.remarks.meet(Feature.FUNCTION, f"WATERMARK FOR {text}")
    return column, f" - {native(words, delay)}" if delay is not None and any(delay) else ""
