"""PostgreSQL's words: those of TimescaleDB, and nearly those of RisingWave."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sqlglot import exp

from voltstream.core.types import DataType, Kind
from voltstream.sql.natives.intervals import Span
from voltstream.sql.plan import AsofJoin, Project
from voltstream.sql.scope import Typer
from voltstream.sql.targets.compose import Block, Composer
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.words import (
    INTEGERS,
    MOMENTS,
    RECORD,
    CallRule,
    NodeRule,
    Sight,
    Tree,
    Words,
    bare,
    call,
    constant,
    interval_span,
    is_number,
    is_record,
    microseconds,
    span_text,
    store_type,
    wrapped,
)

_ORIGIN = "TIMESTAMPTZ '1970-01-01 00:00:00+00'"
_MICROS = exp.Var(this="INTERVAL '00:00:00.000001'")

Arguments = Sequence[Tree]


def same(name: str) -> CallRule:
    """Return the rule of a function that has another name, or the same, and the same meaning."""

    def rule(words: Words, arguments: Arguments, sight: Sight) -> Tree:
        return call(name, *(words.tree(one, sight) for one in arguments))

    return rule


def _quotient(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    left, right = arguments[:2]
    dividend = wrapped(words.tree(left, sight))
    if sight.type_of(left).kind in INTEGERS and sight.type_of(right).kind in INTEGERS:
        dividend = words.cast(dividend, DataType(Kind.NUMERIC))
    divisor = wrapped(words.tree(right, sight))
    if not is_number(right):
        divisor = call("NULLIF", bare(divisor), exp.Literal.number(0))
    return words.divided(dividend, divisor)


def _epoch(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    return exp.Extract(this=exp.var("EPOCH"), expression=bare(words.tree(arguments[0], sight)))


def _milliseconds(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    whole = exp.Mul(this=_epoch(words, arguments, sight), expression=exp.Literal.number(1000))
    return words.cast(call("FLOOR", whole), DataType(Kind.INT8))


def _microseconds(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    span = microseconds(arguments[0])
    if span is not None:
        return words.interval(span)
    return exp.Mul(this=wrapped(words.tree(arguments[0], sight)), expression=_MICROS.copy())


def _zone(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    zone, moment = arguments
    return exp.AtTimeZone(this=wrapped(words.tree(moment, sight)), zone=words.tree(zone, sight))


def _bucket(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Write time_bucket as date_bin, whose origin is a Monday too where none is given."""
    width, moment = arguments[0], arguments[1]
    zoned = sight.type_of(moment).kind is Kind.TIMESTAMPTZ
    origin = (
        words.tree(arguments[2], sight)
        if len(arguments) > 2
        else exp.Var(
            this="TIMESTAMPTZ '2000-01-03 00:00:00+00'" if zoned else "TIMESTAMP '2000-01-03'"
        )
    )
    if isinstance(width, exp.Interval) and interval_span(width).months:
        words.remarks.meet(Feature.FUNCTION, "time_bucket of months")
    return call("DATE_BIN", words.tree(width, sight), words.tree(moment, sight), origin)


def _matches(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    left, pattern = (words.tree(one, sight) for one in arguments[:2])
    return exp.RegexpLike(this=left, expression=pattern)


def _times(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    left, right = (wrapped(words.tree(one, sight)) for one in arguments)
    return exp.Mul(this=left, expression=right)


def _part(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    moment = bare(words.tree(arguments[1], sight))
    return exp.Extract(this=exp.var(arguments[0].name.upper()), expression=moment)


def _record(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    return call(RECORD, *(words.tree(one, sight) for one in arguments))


def _greatest(words: Words, node: Tree, sight: Sight) -> Tree:
    """Keep the fields of MAX(ROW(…)) apart: no record can be compared or opened there."""
    made = words.shared(node, sight)
    return made.this if is_record(made.this) else made


def _field(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Write a field of the greatest record: that of the first row in the order of its fields.

    Law: a record with NULL in a field is greater than one without, so NULLs come first.
    """
    record, place = bare(words.tree(arguments[0], sight)), int(arguments[1].name)
    if not is_record(record):
        words.remarks.meet(Feature.FUNCTION, "a field of a record")
    fields = record.expressions
    order = exp.Order(
        this=bare(fields[place - 1].copy()),
        expressions=[
            exp.Ordered(this=one.copy(), desc=True, nulls_first=True)
            for one in fields
            if not isinstance(bare(one), exp.Literal)
        ],
    )
    every = exp.Paren(this=exp.ArrayAgg(this=order))
    return exp.Bracket(this=every, expressions=[exp.Literal.number(1)], offset=1)


def _elapsed(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Write the span between two instants: days of 24 hours, as here."""
    left, right = (wrapped(words.tree(one, sight)) for one in arguments)
    return exp.Paren(this=exp.Sub(this=left, expression=right))


_CHOOSING = {"arg_max": True, "max_by": True, "arg_min": False, "min_by": False}


def _chosen(words: Words, node: Tree, sight: Sight) -> Tree:
    """Write ARG_MAX and ARG_MIN as the first element in the order of the other column.

    Law: rows with NULL in either are passed over.
    """
    if node.name.lower() in ("quantile_cont", "median"):
        return _percentile(words, node, sight)
    if node.name.lower() in words.regressions:
        return call(node.name.upper(), *(bare(words.tree(one, sight)) for one in node.expressions))
    greatest = _CHOOSING.get(node.name.lower())
    if greatest is None or isinstance(node.parent, exp.Filter):
        words.remarks.meet(Feature.FUNCTION, node.name.lower())
    value, by = (bare(words.tree(one, sight)) for one in node.expressions)
    empty = exp.Or(
        this=exp.Is(this=wrapped(value.copy()), expression=exp.Null()),
        expression=exp.Is(this=wrapped(by.copy()), expression=exp.Null()),
    )
    shown = exp.Case(ifs=[exp.If(this=exp.Not(this=exp.Paren(this=empty.copy())), true=value)])
    order = exp.Order(
        this=shown,
        expressions=[
            exp.Ordered(this=exp.Paren(this=empty), desc=False, nulls_first=False),
            exp.Ordered(this=by, desc=greatest, nulls_first=bool(greatest)),
        ],
    )
    every = exp.Paren(this=exp.ArrayAgg(this=order))
    return exp.Bracket(this=every, expressions=[exp.Literal.number(1)], offset=1)


def _rounded(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Write ROUND; to decimals it is known of numerics only."""
    made = [words.tree(one, sight) for one in arguments]
    kind = sight.type_of(arguments[0])
    if len(made) < 2 or kind.kind not in (Kind.FLOAT4, Kind.FLOAT8):
        return call("ROUND", *made)
    exact = words.cast(made[0], DataType(Kind.NUMERIC))
    return words.cast(call("ROUND", exact, made[1]), kind)


def _rounded_node(words: Words, node: Tree, sight: Sight) -> Tree:
    decimals = node.args.get("decimals")
    return _rounded(words, [node.this, *([decimals] if decimals is not None else [])], sight)


def _rounded_to_even(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Write ROUND of a float: PostgreSQL takes a half to the even neighbour too."""
    if len(arguments) > 1 and constant(arguments[1]) != 0:
        words.remarks.meet(Feature.FUNCTION, "round_even to decimals")
    return call("ROUND", bare(words.tree(arguments[0], sight)))


def _factorial(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    return call("FACTORIAL", words.cast(bare(words.tree(arguments[0], sight)), DataType(Kind.INT8)))


def _percentile(words: Words, node: Tree, sight: Sight) -> Tree:
    words.remarks.meet(Feature.PERCENTILE)
    if isinstance(node.parent, exp.Window):
        words.remarks.meet(Feature.FUNCTION, "percentile_cont over a window")
    value, *told = (bare(words.tree(one, sight)) for one in node.expressions)
    fraction = told[0] if told else exp.Literal.number("0.5")
    order = exp.Order(expressions=[exp.Ordered(this=value)])
    return exp.WithinGroup(this=call("PERCENTILE_CONT", fraction), expression=order)


def _finite(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    value = bare(words.tree(arguments[0], sight))
    return exp.Case(ifs=[exp.If(this=call("ISFINITE", value), true=value.copy())])


def _json(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Write a value as jsonb, which is kept in that form."""
    if sight.type_of(arguments[0]).kind is not Kind.JSONB:
        words.remarks.meet(Feature.ROW_ERRORS)
    made = bare(words.tree(arguments[0], sight))
    return made if isinstance(made, exp.Cast) else words.cast(made, DataType(Kind.JSONB))


_STEPS = ("_vs_json_member", "_vs_json_index")
_MEMBER = re.compile(r'\$\."(.*)"|\$\[(#?-?\d+)\]', re.S)


def _arrow(kind: type[exp.Binary]) -> CallRule:
    """Return the rule of reading a member or element of JSON: its path has one step."""

    def rule(words: Words, arguments: Arguments, sight: Sight) -> Tree:
        document, step = arguments
        read = kind(
            this=wrapped(words.tree(document, sight)),
            expression=_step(words, step, sight),
            only_json_types=True,
        )
        return exp.Paren(this=read)

    return rule


def _step(words: Words, step: Tree, sight: Sight) -> Tree:
    """Write a step as PostgreSQL's arrows take it: a text or an integer."""
    if isinstance(step, exp.Anonymous) and step.name.lower() in _STEPS:
        return wrapped(words.tree(step.expressions[0], sight))
    found = _MEMBER.fullmatch(step.name) if isinstance(step, exp.Literal) else None
    if found is None:
        words.remarks.meet(Feature.FUNCTION, "a path into JSON")
    elif found[1] is not None:
        return exp.Literal.string(found[1].replace('\\"', '"'))
    else:
        return exp.Literal.number(found[2].removeprefix("#"))
    return step


def _truncated(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Write DATE_TRUNC of an instant in UTC, where views are kept."""
    unit, moment = (words.tree(one, sight) for one in arguments)
    return call("DATE_TRUNC", unit, moment, exp.Literal.string("UTC"))


def _text_to_integer(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    return words.tree(arguments[0], sight)


def _text_to_boolean(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    words.remarks.meet(Feature.ROW_ERRORS)
    return words.cast(words.tree(arguments[0], sight), DataType(Kind.BOOL))


def _float_to_text(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Write a float as text: the shortest digits that are read back as it."""
    return words.cast(words.tree(arguments[0], sight), DataType(Kind.TEXT))


def _failing(name: str) -> CallRule:
    """Return the rule of a function that has the same meaning, and no value for some numbers."""

    def rule(words: Words, arguments: Arguments, sight: Sight) -> Tree:
        words.remarks.meet(Feature.ROW_ERRORS)
        return call(name, *(bare(words.tree(one, sight)) for one in arguments))

    return rule


def _series(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    return call("GENERATE_SERIES", *(words.tree(one, sight) for one in arguments))


def _unnested(words: Words, node: Tree, sight: Sight) -> Tree:
    words.remarks.meet(Feature.SERIES)
    inner = words.tree(node.this, sight)
    series = isinstance(inner, exp.Anonymous) and inner.name == "GENERATE_SERIES"
    return inner if series else call("UNNEST", inner)


def _gathered(words: Words, node: Tree, sight: Sight) -> Tree:
    words.remarks.meet(Feature.ORDERED_AGGREGATE)
    return words.shared(node, sight)


class PostgresWords(Words):
    """PostgreSQL 14 and later: EXTRACT is numeric there."""

    dialect = "postgres"
    regressions: ClassVar[frozenset[str]] = frozenset(
        {"regr_slope", "regr_sxx", "regr_syy", "corr"}
    )
    types: ClassVar[Mapping[Kind, str]] = {
        Kind.BOOL: "BOOLEAN", Kind.INT2: "SMALLINT", Kind.INT4: "INTEGER", Kind.INT8: "BIGINT",
        Kind.FLOAT4: "REAL", Kind.FLOAT8: "DOUBLE PRECISION", Kind.NUMERIC: "NUMERIC",
        Kind.TEXT: "TEXT", Kind.VARCHAR: "VARCHAR", Kind.BPCHAR: "VARCHAR", Kind.NAME: "VARCHAR",
        Kind.BYTEA: "BYTEA", Kind.UUID: "UUID", Kind.JSON: "JSONB", Kind.JSONB: "JSONB",
        Kind.DATE: "DATE", Kind.TIME: "TIME", Kind.TIMESTAMP: "TIMESTAMP",
        Kind.TIMESTAMPTZ: "TIMESTAMPTZ", Kind.INTERVAL: "INTERVAL",
    }  # fmt: skip
    calls: ClassVar[Mapping[str, CallRule]] = {
        "_vs_div": _quotient, "_vs_epoch": _epoch, "_vs_span_epoch": _epoch,
        "epoch_ms": _milliseconds, "to_microseconds": _microseconds, "timezone": _zone,
        "time_bucket": _bucket, "_vs_regexp_like": _matches,
        "_vs_interval_times": _times, "date_part": _part, "_vs_elapsed": _elapsed,
        "round": _rounded, "round_even": _rounded_to_even, "factorial": _factorial,
        "_vs_trunc_instant": _truncated, "_vs_to_char": same("TO_CHAR"),
        "_vs_integer_text": _text_to_integer, "_vs_boolean_text": _text_to_boolean,
        "_vs_float_text": _float_to_text,
        **{f"_vs_{name}": _failing(name.upper()) for name in ("sqrt", "ln", "exp", "power")},
        "_vs_finite": _finite,
        "_vs_json_normal": _json,
        "_vs_json_text": _arrow(exp.JSONExtractScalar), "json_extract": _arrow(exp.JSONExtract),
        "generate_series": _series, "row": _record, "struct_extract_at": _field,
        **{
            name: same(name.upper())
            for name in (
                "abs", "floor", "ceil", "trunc", "sign", "sqrt", "ln", "exp", "power",
                "lower", "upper", "length", "concat_ws", "md5", "nullif", "least", "greatest",
                "date_trunc", "to_timestamp", "replace", "strpos", "left", "right", "ltrim",
                "rtrim", "btrim", "substr", "substring", "starts_with", "mod",
            )
        },
    }  # fmt: skip
    nodes: ClassVar[Mapping[type[Tree], NodeRule]] = {
        exp.Explode: _unnested,
        exp.Max: _greatest,
        exp.ArrayAgg: _gathered,
        exp.AnonymousAggFunc: _chosen,
        exp.NthValue: lambda words, node, sight: words.shared(node, sight),
        exp.GroupConcat: _gathered,
        exp.LogicalOr: lambda words, node, sight: words.shared(node, sight),
        exp.LogicalAnd: lambda words, node, sight: words.shared(node, sight),
        exp.BitwiseAnd: lambda words, node, sight: words.shared(node, sight),
        exp.BitwiseOr: lambda words, node, sight: words.shared(node, sight),
        exp.StddevSamp: lambda words, node, sight: words.shared(node, sight),
        exp.Variance: lambda words, node, sight: words.shared(node, sight),
        exp.VariancePop: lambda words, node, sight: words.shared(node, sight),
        exp.CovarPop: lambda words, node, sight: words.shared(node, sight),
        exp.Round: _rounded_node,
        exp.Abs: lambda words, node, sight: words.shared(node, sight),
        exp.Lower: lambda words, node, sight: words.shared(node, sight),
        exp.Upper: lambda words, node, sight: words.shared(node, sight),
    }

    def interval(self, span: Span) -> Tree:
        return exp.Var(this=f"INTERVAL '{span_text(span)}'")

    def divided(self, left: Tree, right: Tree) -> Tree:
        return exp.Div(this=left, expression=right, typed=True, safe=False)

    def attempted(self, tree: Tree, sight: Sight) -> Tree:
        if may_fail(tree, sight):
            self.remarks.meet(Feature.ROW_ERRORS)
        return self.tree(tree, sight)

    def cast(self, tree: Tree, kind: DataType) -> Tree:
        word = self.type(kind)
        return exp.Cast(this=tree, to=exp.DataType.build(word, dialect="postgres", udt=True))


_WIDER = {
    Kind.INT2: 1, Kind.INT4: 2, Kind.INT8: 3, Kind.NUMERIC: 4, Kind.FLOAT4: 5, Kind.FLOAT8: 6,
}  # fmt: skip
_SPELLED = frozenset({Kind.TEXT, Kind.VARCHAR})


def may_fail(tree: Tree, sight: Sight) -> bool:
    """Tell whether a cast in a value may be an error for some row.

    Division is written so that it does not fail.
    """
    for node in tree.find_all(exp.Cast):
        if isinstance(bare(node.this), exp.Null) or constant(node) is not None:
            continue
        source, made = sight.type_of(node.this), store_type(node.to)
        wider = _WIDER.get(source.kind, 9) <= _WIDER.get(made.kind, 0)
        bounded = made.kind is Kind.NUMERIC and made.precision is not None and made.precision < 38
        whole = source.kind in (Kind.NUMERIC,) and made.kind is Kind.INT8 and not source.scale
        moment = source.kind in MOMENTS and made.kind in MOMENTS
        same = source.kind is made.kind and not bounded
        if not (made.kind in _SPELLED or same or whole or moment or (wider and not bounded)):
            return True
    return False


class PostgresComposer(Composer):
    """SELECTs of PostgreSQL; windows are date_bin, ASOF joins are LATERAL."""

    def windowed(self, block: Block, plan: Project, window: tuple[str, ...]) -> Block | None:
        function, time, *widths = window
        if len(widths) > 1 or function != "TUMBLE":
            self.words.remarks.meet(Feature.FUNCTION, f"{function} with an offset or a slide")
        sight = Sight(block.names, Typer(self.oracle, plan.child).of)
        zoned = sight.type_of(block_column(time)).kind is Kind.TIMESTAMPTZ
        width = self.words.tree(exp.Var(this=widths[0]), sight)
        origin = _ORIGIN if zoned else "TIMESTAMP '1970-01-01'"
        start = call("DATE_BIN", bare(width), block.names[time].copy(), exp.Var(this=origin))
        names = {name: self.words.tree(tree, sight) for name, tree in plan.items[:-1]}
        return Block(block.select, names | {plan.items[-1][0]: start}, block.closed, block.single)

    def asof(self, plan: AsofJoin) -> Block:
        """Write the nearest row as a LATERAL subquery of one row."""
        self.words.remarks.meet(Feature.ASOF_JOIN)
        left, left_names = self.side(plan.left, self.fresh("a"))
        inner = self.open(self.block(plan.right))
        inner = self.nested(inner)
        left_sight = Sight(left_names, Typer(self.oracle, plan.left).of)
        right_sight = Sight(inner.names, Typer(self.oracle, plan.right).of)
        for key in plan.keys:
            one = wrapped(self.words.tree(key.left, left_sight))
            other = wrapped(self.words.tree(key.right, right_sight))
            inner.select.where(exp.EQ(this=one, expression=other), copy=False)
        at = wrapped(self.words.tree(plan.right_time, right_sight))
        mine = wrapped(self.words.tree(plan.left_time, left_sight))
        inner.select.where(compared(plan.sign, mine, at), copy=False)
        newest = plan.sign in (">=", ">")
        order = [exp.Ordered(this=at.copy(), desc=newest, nulls_first=False)]
        order += [
            exp.Ordered(this=inner.names[name].copy(), nulls_first=False) for name in plan.ties
        ]
        inner.select.order_by(*order, copy=False).limit(1, copy=False)
        alias = self.fresh("b")
        lateral = exp.Lateral(
            this=inner.query().subquery(copy=False),
            alias=exp.TableAlias(this=exp.to_identifier(alias)),
        )
        select = exp.Select().from_(left)
        kind = "left" if plan.outer else "inner"
        select.join(lateral, on=exp.true(), join_type=kind, copy=False)
        names = {name: exp.column(name, table=alias, quoted=True) for name in inner.names}
        return Block(select, left_names | names)


def block_column(name: str) -> Tree:
    return exp.column(name, quoted=True)


def compared(sign: str, left: Tree, right: Tree) -> Tree:
    match sign:
        case ">=":
            return exp.GTE(this=left, expression=right)
        case ">":
            return exp.GT(this=left, expression=right)
        case "<=":
            return exp.LTE(this=left, expression=right)
        case _:
            return exp.LT(this=left, expression=right)
