"""Dates, times and intervals."""

from __future__ import annotations

import re

from sqlglot import exp

from voltstream.core.errors import FeatureNotSupported, InvalidParameter
from voltstream.core.types import Kind
from voltstream.sql.natives.intervals import parse_interval, store_literal
from voltstream.sql.rules import instants
from voltstream.sql.rules.tree import (
    INTEGERS,
    Call,
    Rule,
    call,
    cast,
    number,
    paren,
    renamed,
    string_of,
    text,
)

# Patterns of to_char that the store's strftime prints the same.
_STRFTIME = (
    ("YYYY", "%Y"), ("MM", "%m"), ("DD", "%d"), ("HH24", "%H"), ("HH12", "%I"), ("MI", "%M"),
    ("SS", "%S"), ("US", "%f"), ("MS", "%g"),
)  # fmt: skip
_SIMPLE_UNITS = frozenset({
    "microsecond", "microseconds", "millisecond", "milliseconds", "second", "seconds", "minute",
    "minutes", "hour", "hours", "day", "days", "week", "weeks", "month", "months", "year", "years",
})  # fmt: skip
_FIELDS = {
    "year": "year", "years": "year", "month": "month", "months": "month", "mon": "month",
    "day": "day", "days": "day", "hour": "hour", "hours": "hour", "minute": "minute",
    "minutes": "minute", "dow": "dow", "doy": "doy", "isodow": "isodow", "week": "week",
    "isoyear": "isoyear", "quarter": "quarter", "decade": "decade", "century": "century",
    "millennium": "millennium", "julian": "julian", "timezone": "timezone",
    "timezone_hour": "timezone_hour", "timezone_minute": "timezone_minute", "era": "era",
}  # fmt: skip
_SECONDS = {
    "second": ("_vs_seconds", 6), "seconds": ("_vs_seconds", 6),
    "millisecond": ("_vs_milliseconds", 3), "milliseconds": ("_vs_milliseconds", 3),
    "microsecond": ("_vs_microseconds", 0), "microseconds": ("_vs_microseconds", 0),
}  # fmt: skip
_NO_FIELD = {
    Kind.DATE: frozenset({"hour", "minute", "second", "timezone", "millisecond", "microsecond"}),
    Kind.TIME: frozenset({"year", "month", "day", "dow", "doy", "week", "quarter", "decade"}),
    Kind.TIMESTAMP: frozenset({"timezone"}),
}
_TYPE_NAMES = {
    Kind.DATE: "date", Kind.TIME: "time without time zone",
    Kind.TIMESTAMP: "timestamp without time zone",
}  # fmt: skip


def interval(node: exp.Interval) -> exp.Expression:
    """Read INTERVAL '…' [unit] once, so that the store gets exactly what PostgreSQL understands."""
    amount = string_of(node.this) if isinstance(node.this, exp.Expression) else None
    unit = node.args.get("unit")
    spelled = unit.sql().lower() if isinstance(unit, exp.Expression) else ""
    if amount is None:
        return node
    if spelled in _SIMPLE_UNITS and amount.lstrip("+-").isdigit():
        return node
    if spelled and " to " not in spelled and not _counts(amount):
        # INTERVAL '1 day 2 hours' SECOND: the fields speak for themselves.
        return _literal(amount, None)
    last = spelled.split(" to ")[-1] if spelled else None
    return _literal(amount, last)


def _counts(amount: str) -> bool:
    return amount.strip().lstrip("+-").replace(".", "", 1).isdigit()


def _literal(amount: str, unit: str | None) -> exp.Expression:
    return exp.Interval(this=text(store_literal(parse_interval(amount, unit))))


def interval_literal(spelled: str) -> exp.Expression:
    """Return an interval constant; a plain count and unit stays readable."""
    words = spelled.strip().split()
    if len(words) == 2 and words[0].lstrip("+-").isdigit() and words[1].lower() in _SIMPLE_UNITS:
        return exp.Interval(this=text(words[0].lstrip("+")), unit=exp.var(words[1].upper()))
    return _literal(spelled, None)


def _moment(found: Call, index: int) -> exp.Expression:
    """Return an argument as a time stamp: a constant or a date is one at midnight."""
    argument = found[index]
    if string_of(argument) is not None or found.kind(index) is Kind.DATE:
        return cast(argument, "TIMESTAMP")
    return argument


def extracted(field: str, found: Call, index: int) -> exp.Expression:
    """Return EXTRACT's value as numeric."""
    source, kind = found[index], found.kind(index)
    name = field.lower()
    if any(name.startswith(missing) for missing in _NO_FIELD.get(kind, ())):
        raise FeatureNotSupported(f'unit "{name}" not supported for type {_TYPE_NAMES[kind]}')
    if name == "epoch":
        if kind is Kind.DATE:
            return cast(call("_vs_epoch", cast(source, "TIMESTAMP")), "DECIMAL(38,0)")
        return call("_vs_span_epoch" if kind is Kind.INTERVAL else "_vs_epoch", source)
    if name in _SECONDS:
        return call(_SECONDS[name][0], source)
    if name == "julian":
        julian = call("_vs_julian", cast(source, "TIMESTAMP"))
        return cast(julian, "DECIMAL(38,0)") if kind is Kind.DATE else julian
    if name == "century" and kind is not Kind.INTERVAL:
        return cast(call("_vs_century", call("year", source)), "DECIMAL(18,0)")
    if name == "millennium" and kind is not Kind.INTERVAL:
        return cast(call("_vs_millennium", call("year", source)), "DECIMAL(18,0)")
    if name not in _FIELDS:
        raise InvalidParameter(f'unit "{name}" not recognized for type {_shown(kind)}')
    return cast(call("date_part", text(_FIELDS[name]), source), "DECIMAL(18,0)")


def _shown(kind: Kind) -> str:
    return kind.pg_name if kind is not Kind.UNKNOWN else Kind.TIMESTAMPTZ.pg_name


def extract(found: Call) -> exp.Expression:
    """Rule of EXTRACT(field FROM source); a constant source is a time stamp."""
    field = found.node.args["this"]
    name = field.name if isinstance(field, exp.Expression) else str(field)
    inner = Call(found.name, found.node, [_constant(found[0])], found.type_of)
    return extracted(name, inner, 0)


def _constant(tree: exp.Expression) -> exp.Expression:
    return cast(tree, "TIMESTAMP") if string_of(tree) is not None else tree


def _date_part(found: Call) -> exp.Expression:
    field = string_of(found[0])
    if field is None:
        return cast(call("date_part", found[0], _constant(found[1])), "DOUBLE")
    inner = Call(found.name, found.node, [_constant(found[1])], found.type_of)
    return cast(extracted(field, inner, 0), "DOUBLE")


def _date_trunc(found: Call) -> exp.Expression:
    source = _moment(found, 1)
    field = string_of(found[0])
    unit = text(field.lower()) if field is not None else call("lower", found[0])
    span = found.kind(1) is Kind.INTERVAL
    if span and field is not None and field.strip().lower() in ("week", "weeks", "w"):
        raise FeatureNotSupported(
            'unit "week" not supported for type interval',
            detail="Months usually have fractional weeks.",
        )
    if span:
        return call("date_trunc", unit, source)
    within = field is not None and field.strip().lower() in _WITHIN_HOURS
    if len(found) > 2:
        instant = source if found.kind(1) is Kind.TIMESTAMPTZ else cast(source, "TIMESTAMPTZ")
        local = call("timezone", found[2], instant)
        if within:
            return call("_vs_trunc_beside", unit, instant.copy(), local)
        return call("timezone", found[2].copy(), _truncated(unit, local, field))
    if within and found.kind(1) is Kind.TIMESTAMPTZ:
        return call("_vs_trunc_instant", unit, source)
    return _truncated(unit, source, field)


# What is cut off is less than an hour: an hour that a zone's clock shows twice stays two hours.
_WITHIN_HOURS = frozenset({
    "hour", "hours", "minute", "minutes", "second", "seconds", "millisecond", "milliseconds",
    "microsecond", "microseconds",
})  # fmt: skip
# Their first year ends in 1, which the store does not know.
_LONG_UNITS = frozenset({"c", "cent", "century", "centuries", "mil", "mils", "millennium",
                         "millennia", "millenniums"})  # fmt: skip


def _truncated(unit: exp.Expression, source: exp.Expression, field: str | None) -> exp.Expression:
    """Truncate a moment; a unit that is computed may be a long one."""
    long = field is None or field.strip().lower() in _LONG_UNITS
    return call("_vs_date_trunc" if long else "date_trunc", unit, source)


def _to_char(found: Call) -> exp.Expression:
    kind = found.kind(0)
    template = string_of(found[1])
    if kind is Kind.INTERVAL:
        return call("_vs_to_char_span", found[0], found[1])
    if kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        moment = found[0] if kind is Kind.TIMESTAMP else cast(found[0], "TIMESTAMP")
        pattern = _strftime(template) if template is not None else None
        if pattern is not None:
            return call("strftime", moment, text(pattern))
        moment = call("_vs_finite", moment)
        if kind is Kind.TIMESTAMPTZ:
            offset = cast(call("date_part", text("timezone"), found[0].copy()), "INTEGER")
            return call("_vs_to_char_zoned", moment, found[1], offset)
        return call("_vs_to_char", moment, found[1])
    return call("_vs_to_char_number", cast(found[0], "VARCHAR"), found[1])


def _strftime(template: str) -> str | None:
    out: list[str] = []
    at = 0
    while at < len(template):
        upper = template[at:].upper()
        match = next(((p, s) for p, s in _STRFTIME if upper.startswith(p)), None)
        if match:
            out.append(match[1])
            at += len(match[0])
        elif template[at] in "-/:. ,_":
            out.append(template[at])
            at += 1
        else:
            return None
    return "".join(out)


def _to_timestamp(found: Call) -> exp.Expression:
    if len(found) == 1:
        return call("to_timestamp", cast(found[0], "DOUBLE"))
    return cast(call("_vs_to_timestamp", found[0], found[1]), "TIMESTAMPTZ")


def _make_interval(found: Call) -> exp.Expression:
    names = ("years", "months", "weeks", "days", "hours", "mins", "secs")
    values: dict[str, exp.Expression] = {}
    for position, argument in enumerate(found.arguments):
        if isinstance(argument, exp.Kwarg | exp.PropertyEQ | exp.EQ):
            values[argument.this.name.lower()] = argument.expression
        else:
            values[names[position]] = argument
    return call("_vs_make_interval", *(values.get(name, number(0)) for name in names))


def _bucket(found: Call) -> exp.Expression:
    width = found[0]
    spelled = string_of(width)
    if spelled is not None:
        width = interval_literal(spelled)
    rest = [
        cast(argument, "TIMESTAMP") if string_of(argument) is not None else argument
        for argument in found.arguments[1:]
    ]
    return call("time_bucket", width, *rest)


def at_time_zone(found: Call) -> exp.Expression:
    """Rule of x AT TIME ZONE zone: a constant or a date is an instant first."""
    source = found[0]
    if string_of(source) is not None or found.kind(0) is Kind.DATE:
        source = cast(source, "TIMESTAMPTZ")
    if found.kind(1) is Kind.INTERVAL:
        shifted = call("timezone", text("UTC"), source)
        sign = exp.Sub if found.kind(0) is Kind.TIMESTAMP else exp.Add
        return sign(this=paren(shifted), expression=paren(found[1]))
    west_s = _offset(string_of(found[1]) or "")
    if west_s is not None:
        shifted = call("timezone", text("UTC"), source)
        sign = exp.Add if found.kind(0) is Kind.TIMESTAMP else exp.Sub
        span = interval_literal(f"{west_s} seconds")
        return exp.Paren(this=sign(this=paren(shifted), expression=span))
    return call("timezone", found[1], source)


_OFFSET = re.compile(r"\s*(?:[A-Za-z]{3,}|<[^>]+>)?([+-])?(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?\s*")


def _offset(zone: str) -> int | None:
    """Return how many seconds west of Greenwich a zone is that is told by number; None for a name.

    Law: as POSIX has it and PostgreSQL reads it here, +03 is west, unlike in a time stamp's text.
    """
    found = _OFFSET.fullmatch(zone)
    if found is None:
        return None
    sign, *parts = found.groups()
    seconds = sum(int(part or 0) * size for part, size in zip(parts, (3600, 60, 1), strict=True))
    return -seconds if sign == "-" else seconds


def _timezone(found: Call) -> exp.Expression:
    """Rule of timezone(zone, x)."""
    return at_time_zone(Call(found.name, found.node, [found[1], found[0]], found.type_of))


def overlaps(found: Call) -> exp.Expression:
    """Rule of (a, b) OVERLAPS (c, d); b and d may be lengths."""
    bounds: list[exp.Expression] = []
    for side in found.arguments:
        start, end = side.expressions
        if found.type_of(end).kind is Kind.INTERVAL:
            end = exp.Paren(this=exp.Add(this=paren(start.copy()), expression=paren(end)))
        bounds += [start, end]
    return call("_vs_overlaps", *bounds)


def _age(found: Call) -> exp.Expression:
    moments = [_moment(found, index) for index in range(len(found))]
    if len(moments) == 1:
        today = cast(cast(call("now"), "DATE"), "TIMESTAMP")
        return call("age", today, cast(moments[0], "TIMESTAMP"))
    return call("age", *moments)


def _make_date(found: Call) -> exp.Expression:
    return call("_vs_make_date", *found.arguments)


def _make_time(found: Call) -> exp.Expression:
    return call("_vs_make_time", found[0], found[1], cast(found[2], "DOUBLE"))


def _make_timestamp(found: Call) -> exp.Expression:
    numbers = [*found.arguments]
    numbers[5] = cast(numbers[5], "DOUBLE")
    return call("_vs_make_timestamp", *numbers)


def _make_timestamptz(found: Call) -> exp.Expression:
    """Rule of make_timestamptz(year, month, day, hour, minute, second [, zone])."""
    numbers = [*found.arguments[:6]]
    numbers[5] = cast(numbers[5], "DOUBLE")
    wall = call("_vs_make_timestamp", *numbers)
    return call("timezone", found[6], wall) if len(found) > 6 else cast(wall, "TIMESTAMPTZ")


def _to_date(found: Call) -> exp.Expression:
    return call("_vs_to_date", found[0], found[1])


def _date(found: Call) -> exp.Expression:
    return cast(found[0], "DATE")


def _isfinite(found: Call) -> exp.Expression:
    return call("isfinite", found[0])


def added_days(found: Call) -> exp.Expression | None:
    """Return date arithmetic that the store spells otherwise, or None."""
    left, right = found.kind(0), found.kind(1)
    a, b = found[0], found[1]
    if found.name == "-":
        if left is Kind.DATE and right is Kind.DATE:
            return cast(exp.Paren(this=exp.Sub(this=paren(a), expression=paren(b))), "INTEGER")
        if left is Kind.TIME and right is Kind.TIME:
            return call("_vs_time_minus", a, b)
        if (between := instants.elapsed(found)) is not None:
            return between
        if {left, right} == {Kind.DATE, Kind.TIMESTAMP}:
            return exp.Sub(this=cast(a, "TIMESTAMP"), expression=cast(b, "TIMESTAMP"))
        return instants.moved(found)
    if left is Kind.TIMESTAMPTZ:
        return instants.moved(found)
    if left in INTEGERS and right is Kind.DATE:
        return exp.Add(this=paren(b), expression=paren(a))
    if left is Kind.TIME and right is Kind.DATE:
        return exp.Add(this=paren(b), expression=paren(a))
    return None


CALLS: dict[str, Rule] = {
    "date_part": _date_part, "date_trunc": _date_trunc, "to_char": _to_char,
    "to_timestamp": _to_timestamp, "to_date": _to_date, "make_interval": _make_interval,
    "date_bin": _bucket, "age": _age, "make_date": _make_date,
    "make_time": _make_time, "make_timestamp": _make_timestamp,
    "make_timestamptz": _make_timestamptz, "date": _date, "isfinite": _isfinite,
    "timezone": _timezone, "justify_hours": renamed("_vs_justify_hours"),
    "justify_days": renamed("_vs_justify_days"),
    "justify_interval": renamed("_vs_justify_interval"),
}  # fmt: skip
