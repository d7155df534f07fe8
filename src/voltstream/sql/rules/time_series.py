"""TimescaleDB's functions: buckets, first and last, two-step aggregates and their accessors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from voltstream.core.errors import UndefinedFunction, VoltstreamError
from voltstream.core.types import Kind
from voltstream.sql import rollups
from voltstream.sql.rules.dates import interval_literal
from voltstream.sql.rules.tree import (
    INTEGERS,
    Call,
    Rule,
    TypeOf,
    call,
    cast,
    number,
    string_of,
    text,
)


def _span(tree: exp.Expression) -> exp.Expression:
    """Return a length of time; a bare text is one."""
    spelled = string_of(tree)
    return interval_literal(spelled) if spelled is not None else tree


def _moment(tree: exp.Expression, kind: str) -> exp.Expression:
    return cast(tree, kind) if string_of(tree) is not None else tree


# --- buckets ------------------------------------------------------------------------------------


def _bucket(found: Call) -> exp.Expression:
    """Rule of time_bucket(width, time [, timezone | origin | offset] …), also by name."""
    named: dict[str, exp.Expression] = {}
    placed: list[exp.Expression] = []
    for argument in found.arguments:
        if isinstance(argument, exp.Kwarg | exp.PropertyEQ):
            named[argument.this.name.lower()] = argument.expression
        else:
            placed.append(argument)
    for name in ("bucket_width", "ts")[len(placed) :]:  # What is by place comes first.
        if name in named:
            placed.append(named.pop(name))
    if len(placed) < 2:
        raise UndefinedFunction("time_bucket takes a width and a time")
    width, time = _span(placed[0]), placed[1]
    kind = found.type_of(time).kind
    if kind in INTEGERS:
        shift = placed[2] if len(placed) > 2 else named.get("offset", number(0))
        return call("_vs_number_bucket", width, time, shift)
    for argument, name in zip(placed[2:], _names_of(placed[2:], kind, found.type_of), strict=False):
        named[name] = argument
    if string_of(time) is not None:
        time, kind = cast(time, "TIMESTAMPTZ"), Kind.TIMESTAMPTZ
    store = {Kind.TIMESTAMPTZ: "TIMESTAMPTZ", Kind.DATE: "DATE"}.get(kind, "TIMESTAMP")
    zone, origin = named.get("timezone"), named.get("origin")
    offset = _span(named["offset"]) if "offset" in named else None
    if zone is None:
        start = _moment(origin, store) if origin is not None else None
        return _plain_bucket(width, time, start, offset)
    wall = call("timezone", zone.copy(), time.copy())
    if origin is not None and found.type_of(origin).kind is not Kind.TIMESTAMP:
        origin = call("timezone", zone.copy(), _moment(origin, "TIMESTAMPTZ"))
    bucket = _plain_bucket(width, wall, origin, offset)
    return call("_vs_zoned_bucket", width.copy(), time, zone, bucket)


def _names_of(rest: Sequence[exp.Expression], kind: Kind, type_of: TypeOf) -> list[str]:
    """Return what arguments behind the time are, by their types as TimescaleDB tells them apart."""
    if not rest:
        return []
    first = type_of(rest[0]).kind
    if string_of(rest[0]) is not None:
        zoned = kind is Kind.TIMESTAMPTZ and not _is_instant(string_of(rest[0]) or "")
        return ["timezone", "origin", "offset"] if zoned else ["origin", "offset"]
    if first in (Kind.TEXT, Kind.VARCHAR):
        return ["timezone", "origin", "offset"]
    if first is Kind.INTERVAL:
        return ["offset"]
    return ["origin", "offset"]


def _is_instant(spelled: str) -> bool:
    return spelled[:4].isdigit()


def _plain_bucket(
    width: exp.Expression,
    time: exp.Expression,
    origin: exp.Expression | None,
    offset: exp.Expression | None,
) -> exp.Expression:
    if offset is None:
        return call("time_bucket", width, time, *([origin] if origin is not None else []))
    if origin is None:
        return call("time_bucket", width, time, offset)
    moved = exp.Paren(this=exp.Sub(this=time, expression=offset.copy()))
    return exp.Paren(
        this=exp.Add(this=call("time_bucket", width, moved, origin), expression=offset)
    )


# --- aggregates ---------------------------------------------------------------------------------


def aggregate(name: str, arguments: Sequence[exp.Expression]) -> exp.Expression | None:
    """Return the store's form of a time series aggregate, None for any other."""
    match name, len(arguments):
        case ("first" | "last", 2):
            verb = "arg_min_null" if name == "first" else "arg_max_null"
            return exp.AnonymousAggFunc(this=verb, expressions=list(arguments))
        case ("histogram", 4):
            value, low, high, bins = arguments
            binned = call(
                "_vs_histogram_bin", cast(value, "DOUBLE"), cast(low, "DOUBLE"),
                cast(high, "DOUBLE"), bins,
            )  # fmt: skip
            return call("_vs_histogram_of", exp.ArrayAgg(this=binned), bins.copy())
        case ("counter_agg" | "gauge_agg", 2 | 3):
            return call(f"_vs_{name}", _rows(arguments[0], cast(arguments[1], "DOUBLE")))
        case ("time_weight", 3):
            method, time, value = arguments
            return call("_vs_time_weight", method, _rows(time, cast(value, "DOUBLE")))
        case ("state_agg" | "compact_state_agg", 2):
            return call("_vs_state_agg", _rows(arguments[0], arguments[1]))
        case ("heartbeat_agg", 4):
            time, start, width, life = arguments
            listed = exp.ArrayAgg(this=_ordered(time, time.copy()))
            first = exp.AnonymousAggFunc(this="any_value", expressions=[start])
            return call("_vs_heartbeat_agg", listed, first, _span(width), _span(life))
        case ("stats_agg", 1 | 2):
            return _statistics(arguments)
        case ("percentile_agg", 1) | ("uddsketch", 3) | ("tdigest", 2):
            value = cast(arguments[-1], "DOUBLE")
            listed = exp.ArrayAgg(this=_ordered(value, value.copy()))
            return call("_vs_percentile_of", listed)
        case ("approx_percentile", 2):
            return call("_vs_percentile", *arguments)
        case _:
            return None


def rollup(arguments: Sequence[exp.Expression], type_of: TypeOf) -> exp.Expression:
    """Return one summary of a group's summaries.

    Raises: UndefinedFunction (42883) for what is no summary.
    """
    if len(arguments) != 1:
        raise UndefinedFunction("rollup takes a summary")
    summary = arguments[0]
    for field, macro in rollups.KINDS:
        if _has(summary, field, type_of):
            by = rollups.ORDERED.get(field)
            listed = _ordered(summary, _part(summary, by)) if by is not None else summary
            return call(macro, exp.ArrayAgg(this=listed))
    raise UndefinedFunction(
        "function rollup does not exist for this argument",
        hint="It takes what counter_agg, time_weight, state_agg, heartbeat_agg, stats_agg or "
        "percentile_agg return.",
    )


def _part(summary: exp.Expression, name: str) -> exp.Expression:
    return call("struct_extract", summary.copy(), text(name))


def _has(summary: exp.Expression, name: str, type_of: TypeOf) -> bool:
    try:
        return type_of(_part(summary, name)).kind is not Kind.UNKNOWN
    except VoltstreamError:
        return False


def _ordered(value: exp.Expression, by: exp.Expression) -> exp.Expression:
    return exp.Order(this=value, expressions=[exp.Ordered(this=by, nulls_first=False)])


def _rows(time: exp.Expression, value: exp.Expression) -> exp.Expression:
    """Gather the rows of a group in the order of time."""
    pair = call(
        "struct_pack",
        exp.PropertyEQ(this=exp.to_identifier("t"), expression=time),
        exp.PropertyEQ(this=exp.to_identifier("v"), expression=value),
    )
    return exp.ArrayAgg(this=_ordered(pair, time.copy()))


_ONE = {"n": "count", "num": "sum", "den": "count", "sd": "stddev_samp", "sdp": "stddev_pop",
        "skew": "skewness", "kurt": "kurtosis"}  # fmt: skip
_TWO = {"slope": "regr_slope", "intercept": "regr_intercept", "corr": "corr", "r2": "regr_r2",
        "covs": "covar_samp", "covp": "covar_pop", "mean_x": "regr_avgx"}  # fmt: skip


def _statistics(arguments: Sequence[exp.Expression]) -> exp.Expression:
    """Summarize values; of pairs only those of two values count, and ``x`` is the second's own."""
    values = [cast(argument, "DOUBLE") for argument in arguments]
    if len(values) == 1:
        return call("struct_pack", *_moments(values[0]))
    there = [exp.Not(this=exp.Is(this=v.copy(), expression=exp.Null())) for v in values]
    y, x = (
        exp.Case(ifs=[exp.If(this=there[1 - place].copy(), true=value)])
        for place, value in enumerate(values)
    )
    pairs = [
        _part_of(name, exp.AnonymousAggFunc(this=function, expressions=[y.copy(), x.copy()]))
        for name, function in _TWO.items()
    ]
    second = _part_of("x", call("struct_pack", *_moments(x)))
    return call("struct_pack", *_moments(y), *pairs, second)


def _moments(value: exp.Expression) -> list[exp.Expression]:
    parts: list[exp.Expression] = []
    for name, function in _ONE.items():
        made: exp.Expression = exp.AnonymousAggFunc(this=function, expressions=[value.copy()])
        parts.append(_part_of(name, cast(made, "DOUBLE") if name == "den" else made))
    return parts


def _part_of(name: str, value: exp.Expression) -> exp.Expression:
    return exp.PropertyEQ(this=exp.to_identifier(name), expression=value)


# --- accessors ----------------------------------------------------------------------------------


def _accessor(name: str, least: int, *spans: int, most: int | None = None) -> Rule:
    """Rule of an accessor. ``spans``: places of lengths of time; what is left out is NULL."""

    def rule(found: Call) -> exp.Expression:
        full = most or least
        if not least <= len(found) <= full:
            raise UndefinedFunction(f"function {found.name} takes {least} to {full} arguments")
        given = [
            _span(argument) if place in spans else argument
            for place, argument in enumerate(found.arguments)
        ]
        nothing = _nothing_like(found[0])
        given = [nothing.copy() if isinstance(one, exp.Null) else one for one in given]
        return call(f"_vs_{name}", *given, *([nothing.copy()] * (full - len(given))))

    return rule


def _nothing_like(summary: exp.Expression) -> exp.Expression:
    """Return a NULL of a summary's type: what stands for a neighbour that is not there."""
    branch = exp.If(this=exp.false(), true=summary.copy())
    return exp.Case(ifs=[branch])


def _duration_in(found: Call) -> exp.Expression:
    if len(found) == 2:
        return call("_vs_total_duration_in", found[0], found[1])
    if len(found) != 4:
        raise UndefinedFunction("duration_in takes a summary, a state, and a start and a length")
    return call("_vs_duration_in", found[0], found[1], found[2], _span(found[3]))


def _trim_to(found: Call) -> exp.Expression:
    """Rule of trim_to(summary [, start] [, duration]), also by name."""
    given: dict[str, exp.Expression] = {}
    for place, argument in enumerate(found.arguments[1:]):
        if isinstance(argument, exp.Kwarg | exp.PropertyEQ):
            given[argument.this.name.lower()] = argument.expression
        else:
            given[("start", "duration")[min(place, 1)]] = argument
    start = cast(given.get("start", exp.null()), "TIMESTAMPTZ")
    width = given.get("duration")
    length = _span(width) if width is not None else cast(exp.null(), "INTERVAL")
    return call("_vs_trim_to", found[0], start, length)


def _field(name: str) -> Rule:
    return lambda found: exp.Dot(this=exp.Paren(this=found[0]), expression=exp.to_identifier(name))


_SIDED = {"sum": "num", "skewness": "skew", "kurtosis": "kurt"}


def _of_side(name: str, side: str) -> Rule:
    """Rule of what is asked of one column of two: stddev_x, sum_y …"""

    def rule(found: Call) -> exp.Expression:
        summary = _part(found[0], "x") if side == "x" else found[0]
        if name in _SIDED:
            return _part(summary, _SIDED[name])
        return call(f"_vs_stats_{name}", summary, found.get(1, text("sample")))

    return rule


def _integral(found: Call) -> exp.Expression:
    return call("_vs_integral", found[0], found.get(1, text("second")))


def _interpolated_integral(found: Call) -> exp.Expression:
    given = [found[0], found[1], _span(found[2]), *found.arguments[3:]]
    unit = given.pop() if len(given) > 5 else text("second")
    given += [_nothing_like(found[0])] * (5 - len(given))
    return call("_vs_interpolated_integral", *given, unit)


def _unchanged(found: Call) -> exp.Expression:
    return found[0]


CALLS: Mapping[str, Rule] = {
    "time_bucket": _bucket,
    **{
        name: _accessor(name, 1)
        for name in (
            "delta", "rate", "time_delta", "num_resets", "num_changes", "num_elements",
            "first_val", "last_val", "first_time", "last_time", "idelta_left", "idelta_right",
            "irate_left", "irate_right", "average", "uptime", "downtime", "num_live_ranges",
            "num_gaps", "num_vals",
        )
    },
    "mean": _accessor("average", 1),
    "interpolated_delta": _accessor("interpolated_delta", 3, 2, most=5),
    "interpolated_rate": _accessor("interpolated_rate", 3, 2, most=5),
    "interpolated_average": _accessor("interpolated_average", 3, 2, most=5),
    "integral": _integral,
    "interpolated_integral": _interpolated_integral,
    "duration_in": _duration_in,
    "interpolated_duration_in": _accessor("interpolated_duration_in", 4, 3, most=5),
    "state_at": _accessor("state_at", 2),
    "live_at": _accessor("live_at", 2),
    "state_timeline": _accessor("state_timeline", 1),
    "state_int_timeline": _accessor("state_timeline", 1),
    "state_periods": _accessor("state_periods", 2),
    "interpolated_state_timeline": _accessor("interpolated_state_timeline", 3, 2, most=4),
    "interpolated_state_int_timeline": _accessor("interpolated_state_timeline", 3, 2, most=4),
    "interpolated_state_periods": _accessor("interpolated_state_periods", 4, 3, most=5),
    "into_values": _accessor("into_values", 1), "into_int_values": _accessor("into_values", 1),
    "live_ranges": _accessor("live_ranges", 1), "dead_ranges": _accessor("dead_ranges", 1),
    "interpolate": _accessor("interpolate", 2), "trim_to": _trim_to,
    "interpolated_uptime": _accessor("interpolated_uptime", 2),
    "interpolated_downtime": _accessor("interpolated_downtime", 2),
    "approx_percentile_rank": _accessor("percentile_rank", 2),
    "slope": _field("slope"), "intercept": _field("intercept"),
    "determination_coeff": _field("r2"), "skewness": _field("skew"), "kurtosis": _field("kurt"),
    "average_x": _field("mean_x"), "average_y": _accessor("average", 1),
    "corr": _accessor("summary_corr", 1),
    "x_intercept": _accessor("x_intercept", 1),
    "covariance": lambda found: call("_vs_covariance", found[0], found.get(1, text("sample"))),
    **{
        f"{name}_{side}": _of_side(name, side)
        for name in ("sum", "stddev", "variance", "skewness", "kurtosis")
        for side in ("x", "y")
    },
    "with_bounds": _unchanged,
}  # fmt: skip
