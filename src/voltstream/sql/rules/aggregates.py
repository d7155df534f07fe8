"""Aggregates: the store's calls with PostgreSQL's types and rules."""

from __future__ import annotations

from sqlglot import exp

from voltstream.core.errors import InvalidNthValue, UndefinedFunction
from voltstream.core.types import DataType, Kind
from voltstream.sql.rules import json_texts, time_series
from voltstream.sql.rules.json import jsonb, to_json
from voltstream.sql.rules.output import cast_text
from voltstream.sql.rules.tree import (
    EXACT,
    INTEGERS,
    TEXTS,
    TypeOf,
    call,
    case,
    cast,
    number,
    paren,
    string_of,
    text,
)

_NAMES = {"every": "bool_and", "max_by": "arg_max", "min_by": "arg_min"}


def rewritten(node: exp.Expression, type_of: TypeOf) -> exp.Expression | None:
    """Return an aggregate as the store must see it; None when there is nothing to change."""
    match node:
        case exp.AnonymousAggFunc():
            return _named(node, type_of)
        case exp.FirstValue() | exp.LastValue():
            return _edge(node)
        case exp.ArrayAgg() if isinstance(node.this, exp.Distinct):
            return _sorted_distinct(node)
        case exp.GroupConcat():
            return _string_agg(node, type_of)
        case exp.Count(this=exp.Distinct(expressions=[_, _, *_] as several)):
            types = ", ".join(type_of(value).pg_name for value in several)
            raise UndefinedFunction(
                f"function count({types}) does not exist", hint="Count distinct rows: (a, b)."
            )
        case exp.NthValue():
            _check_place(node)
            return None
        case exp.Stddev() | exp.StddevPop() | exp.StddevSamp() | exp.Variance() | exp.VariancePop():
            return _spread(node, type_of)
        case exp.Corr() | exp.RegrSlope():
            return _regression(node)
        case exp.WithinGroup():
            return _ordered_set(node, type_of)
        case _:
            return None


def _regression(node: exp.Expression) -> exp.Expression:
    """Rule of corr and regr_slope: NULL where all x, or for corr all y, are the same."""
    names = (
        ("regr_sxx", "regr_syy", "corr")
        if isinstance(node, exp.Corr)
        else ("regr_sxx", "regr_slope")
    )
    *spreads, found = (
        exp.AnonymousAggFunc(this=name, expressions=[node.this.copy(), node.expression.copy()])
        for name in names
    )
    level = exp.Literal.number(0)
    ifs = [
        exp.If(this=exp.EQ(this=spread, expression=level.copy()), true=exp.Null())
        for spread in spreads
    ]
    return exp.Case(ifs=ifs, default=found)


def _check_place(node: exp.NthValue) -> None:
    place = node.args.get("offset")
    if isinstance(place, exp.Neg) or (isinstance(place, exp.Literal) and place.name == "0"):
        raise InvalidNthValue("argument of nth_value must be greater than zero")


def _inner(argument: exp.Expression) -> tuple[exp.Expression, exp.Expression]:
    """Return an argument without DISTINCT and ORDER BY, and the place to put another."""
    holder = argument
    while isinstance(holder, exp.Order | exp.Distinct | exp.Limit):
        if isinstance(holder, exp.Distinct):
            return holder.expressions[0], holder
        if not isinstance(holder.this, exp.Order | exp.Distinct):
            return holder.this, holder
        holder = holder.this
    return argument, argument


def _with_inner(argument: exp.Expression, new: exp.Expression) -> exp.Expression:
    value, holder = _inner(argument)
    if holder is argument and value is argument:
        return new
    if isinstance(holder, exp.Distinct):
        holder.set("expressions", [new])
    else:
        holder.set("this", new)
    return argument


def _named(node: exp.AnonymousAggFunc, type_of: TypeOf) -> exp.Expression:
    name = str(node.this).lower()
    arguments = node.expressions
    # WITHIN GROUP has a rule of its own: there the second argument is an error, not a summary.
    ordered = isinstance(node.parent, exp.WithinGroup)
    series = None if ordered else time_series.aggregate(name, arguments)
    if series is not None:
        return series
    if name == "rollup":
        return time_series.rollup(arguments, type_of)
    if name == "json_agg":
        value, _ = _inner(arguments[0])
        between = (
            json_texts.LINED if json_texts.is_structured(value, type_of) else json_texts.SPACED
        )
        argument = _with_inner(arguments[0], json_texts.said(value, type_of))
        return jsonb(json_texts.array_text(exp.ArrayAgg(this=argument), between))
    if name == "jsonb_agg":
        value, _ = _inner(arguments[0])
        argument = _with_inner(arguments[0], _json_of(value, type_of))
        return jsonb(call("_vs_json_array", exp.ArrayAgg(this=argument)))
    if name in ("jsonb_object_agg", "json_object_agg"):
        return _object_agg(arguments, type_of, as_said=name == "json_object_agg")
    if name == "approx_count_distinct":
        return exp.Count(this=exp.Distinct(expressions=[arguments[0]]))
    if name in _NAMES:
        return exp.AnonymousAggFunc(this=_NAMES[name], expressions=arguments)
    return node


def _json_of(value: exp.Expression, type_of: TypeOf) -> exp.Expression:
    found = type_of(value)
    if string_of(value) is not None:
        return cast(call("to_json", value), "VARCHAR")
    return to_json(value, found)


def _object_agg(
    arguments: list[exp.Expression], type_of: TypeOf, *, as_said: bool
) -> exp.Expression:
    key, last = arguments
    value, _ = _inner(last)
    keys = cast_text(key, type_of(key))
    names = exp.ArrayAgg(this=_ordered_like(keys, last))
    made = json_texts.said(value, type_of) if as_said else _json_of(value, type_of)
    items = exp.ArrayAgg(this=_with_inner(last, made))
    if as_said:
        return jsonb(json_texts.object_text(names, items, margin=" "))
    return jsonb(call("_vs_json_object", names, items))


def _ordered_like(value: exp.Expression, model: exp.Expression) -> exp.Expression:
    if not isinstance(model, exp.Order):
        return value
    copied = model.copy()
    copied.set("this", value)
    return copied


def _edge(node: exp.FirstValue | exp.LastValue) -> exp.Expression | None:
    """Rule of first_value(x ORDER BY y): an aggregate here, a window function after OVER."""
    if _is_window(node) and not isinstance(node.this, exp.Order):
        return None
    name = "first" if isinstance(node, exp.FirstValue) else "last"
    return exp.AnonymousAggFunc(this=name, expressions=[node.this])


def _is_window(node: exp.Expression) -> bool:
    parent = node.parent
    while isinstance(parent, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
        parent = parent.parent
    return isinstance(parent, exp.Window)


def _sorted_distinct(node: exp.ArrayAgg | exp.GroupConcat) -> exp.Expression:
    """PostgreSQL finds distinct values by sorting them, and so they come out."""
    value = node.this.expressions[0]
    if not isinstance(value, exp.Order):
        ordered = exp.Ordered(this=value.copy(), nulls_first=False)
        node.set("this", exp.Order(this=node.this, expressions=[ordered]))
    return node


def _string_agg(node: exp.GroupConcat, type_of: TypeOf) -> exp.Expression:
    value, _ = _inner(node.this)
    found = type_of(value)
    if node.args.get("separator") is None:
        raise UndefinedFunction(f"function string_agg({found.pg_name}) does not exist")
    separated = _separated(node)
    if separated is not None:
        return separated
    if isinstance(node.this, exp.Distinct):
        _sorted_distinct(node)
    if found.kind in TEXTS or found.kind is Kind.BYTEA or string_of(value) is not None:
        return node
    node.set("this", _with_inner(node.this, cast_text(value, found)))
    return node


def _separated(node: exp.GroupConcat) -> exp.Expression | None:
    """Rule of a separator that differs by row: each stands before its value, but for the first."""
    separator = node.args.get("separator")
    if (
        separator is None
        or separator.find(exp.Column) is None
        or isinstance(node.this, exp.Distinct)
    ):
        return None
    value, holder = _inner(node.this)
    order = holder.expressions if isinstance(holder, exp.Order) else []
    absent = exp.Is(this=paren(value.copy()), expression=exp.Null())

    def sorted_by(tree: exp.Expression) -> exp.Expression:
        return exp.Order(this=tree, expressions=[o.copy() for o in order]) if order else tree

    before = exp.Coalesce(this=separator.copy(), expressions=[text("")])
    both = exp.Paren(this=exp.DPipe(this=before.copy(), expression=paren(value.copy())))
    whole = exp.GroupConcat(this=sorted_by(both), separator=text(""))
    length = case((absent, exp.Null()), default=call("length", before))
    lengths = exp.ArrayAgg(this=sorted_by(length))
    return call("_vs_from_second", whole, lengths)


def vector_total(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    """Rule of sum and avg of vectors: each place by itself."""
    value, _ = _inner(node.this)
    size = type_of(value).precision
    whole = exp.ArrayAgg(this=_with_inner(node.this, cast(value, "FLOAT[]")))
    name = "_vs_vector_sum" if isinstance(node, exp.Sum) else "_vs_vector_avg"
    return cast(call(name, whole, number(size or 0)), f"FLOAT[{size}]")


def _spread(node: exp.Expression, type_of: TypeOf) -> exp.Expression | None:
    value, _ = _inner(node.this)
    if type_of(value).kind is Kind.RECORD:  # Of a summary, not of rows.
        verb = (
            "stddev"
            if isinstance(node, exp.Stddev | exp.StddevPop | exp.StddevSamp)
            else "variance"
        )
        pop = isinstance(node, exp.StddevPop | exp.VariancePop)
        return call(f"_vs_stats_{verb}", value, text("pop" if pop else "sample"))
    if type_of(value).kind not in EXACT:
        return None
    if type_of(value).kind in INTEGERS and not isinstance(node.this, exp.Distinct):
        return _exact_spread(node, value)
    return call("_vs_numeric", node)


def _exact_spread(node: exp.Expression, value: exp.Expression) -> exp.Expression:
    """Law: with n rows, their sum s and the sum of their squares q, all exact, the variance is
    (n * q - s * s) / (n * n), or over n * (n - 1) for a sample."""
    wide = cast(value, "HUGEINT")
    square = exp.Mul(this=wide.copy(), expression=wide.copy())
    parts: list[exp.Expression] = [
        exp.Count(this=value.copy()), exp.Sum(this=wide), exp.Sum(this=square),
    ]  # fmt: skip
    sample = not isinstance(node, exp.StddevPop | exp.VariancePop)
    root = isinstance(node, exp.Stddev | exp.StddevPop | exp.StddevSamp)
    texts = [cast(part, "VARCHAR") for part in parts]
    found = call("_vs_spread", *texts, exp.Boolean(this=sample), exp.Boolean(this=root))
    return cast(found, "DECIMAL(38,16)")


_RANK_STEP = 1e-10  # Less than one row of any group that can be sorted here.


def _ordered_set(node: exp.WithinGroup, type_of: TypeOf) -> exp.Expression | None:
    """Rule of f(…) WITHIN GROUP (ORDER BY x)."""
    order = node.args.get("expression")
    inner = node.this
    if not isinstance(order, exp.Order):
        return None
    sorted_by = order.expressions[0]
    value = sorted_by.this
    descending = bool(sorted_by.args.get("desc"))
    if isinstance(inner, exp.Mode):
        return exp.AnonymousAggFunc(this="mode", expressions=[_in_order(value, sorted_by)])
    if isinstance(inner, exp.PercentileCont | exp.PercentileDisc):
        fraction = inner.this
        if descending:
            fraction = exp.Paren(this=exp.Sub(this=exp.Literal.number(1), expression=fraction))
        if isinstance(inner, exp.PercentileCont):
            found = type_of(value)
            source = value if found.kind is Kind.INTERVAL else cast(value, "DOUBLE")
            return exp.AnonymousAggFunc(
                this="quantile_cont", expressions=[source, _fraction(fraction, type_of)]
            )
        return exp.AnonymousAggFunc(
            this="quantile_disc", expressions=[value, _fraction(fraction, type_of)]
        )
    if isinstance(inner, exp.AnonymousAggFunc) and str(inner.this).lower() == "approx_percentile":
        return _sketched(inner, cast(value, "DOUBLE"), type_of)
    return None


def _sketched(
    inner: exp.AnonymousAggFunc, value: exp.Expression, type_of: TypeOf
) -> exp.Expression:
    """Rule of approx_percentile(fraction [, error]): RisingWave's own result, to the last digit.

    Its rank counts from 0 and is rounded down, where percentile_disc's counts from 1 and up: they
    differ where fraction * count is whole, and a fraction that is a little larger is rounded up.
    """
    fraction = _fraction(inner.expressions[0], type_of)
    if isinstance(fraction, exp.Cast):  # An array: several percentiles, which RisingWave has not.
        return exp.AnonymousAggFunc(this="quantile_disc", expressions=[value, fraction])
    above = fraction
    if isinstance(fraction, exp.Literal) and float(fraction.name) + _RANK_STEP < 1:
        above = exp.Literal.number(f"{float(fraction.name) + _RANK_STEP:.12f}")
    error = inner.expressions[1] if len(inner.expressions) > 1 else exp.Literal.number("0.01")
    ranked = exp.AnonymousAggFunc(this="quantile_disc", expressions=[value, above])
    return call("_vs_sketched", ranked, cast(error.copy(), "DOUBLE"))


def _in_order(value: exp.Expression, sorted_by: exp.Expression) -> exp.Expression:
    return exp.Order(this=value.copy(), expressions=[sorted_by])


def _fraction(tree: exp.Expression, type_of: TypeOf) -> exp.Expression:
    if isinstance(tree, exp.Array) or type_of(tree).array_depth:
        return cast(tree, "DOUBLE[]")
    return tree


def sum_type(found: DataType) -> str | None:
    """Return the type of sum() over a type, where the store's differs."""
    if found.kind in (Kind.INT2, Kind.INT4):
        return "BIGINT"
    return "FLOAT" if found.kind is Kind.FLOAT4 else None
