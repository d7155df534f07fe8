"""Instants and intervals in Flink: an interval is a BIGINT of microseconds.

Flink's own intervals are of milliseconds, and no column can have them. Days are of 24 hours, as in
UTC; intervals with months are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from voltstream.core.types import DataType, Kind
from voltstream.sql.natives.intervals import Span, parse_interval
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.flink_text import inner, spelled
from voltstream.sql.targets.words import (
    FOREVER,
    INTEGERS,
    MOMENTS,
    NEVER,
    Sight,
    Tree,
    Words,
    bare,
    interval_span,
    microseconds,
    store_type,
)

Arguments = Sequence[Tree]
DAY_US = 86_400_000_000
_UNITS = (
    (DAY_US, "DAY(6)"),
    (3_600_000_000, "HOUR"),
    (60_000_000, "MINUTE"),
    (1_000_000, "SECOND"),
)
_CONSTANT = re.compile(r"CAST\((-?\d+) AS BIGINT\)")


def seconds(words: Words, moment: Tree, sight: Sight) -> str:
    """Return whole seconds since 1970, as a BIGINT (TIMESTAMPDIFF is an INT, too small in ms)."""
    return f"EXTRACT(EPOCH FROM {spelled(words.tree(moment, sight))})"


def micros(words: Words, moment: Tree, sight: Sight) -> str:
    """Return microseconds since 1970, as a BIGINT."""
    if sight.type_of(moment).kind is Kind.DATE:
        moment = exp.cast(moment.copy(), "TIMESTAMP")
    text = spelled(words.tree(moment, sight))
    return f"({seconds(words, moment, sight)} * 1000000 + EXTRACT(MICROSECOND FROM {text}))"


def span_us(words: Words, span: Span) -> int:
    """Return the microseconds of an interval. Raises: Refusal where it has months."""
    if span.months:
        words.remarks.meet(Feature.INTERVAL, "interval with months")
    return span.days * DAY_US + span.us


def constant_span(tree: Tree) -> Span | None:
    """Return the span that a constant interval is; None for anything else."""
    tree = bare(tree)
    if isinstance(tree, exp.Interval):
        return interval_span(tree)
    if isinstance(tree, exp.Cast) and isinstance(tree.this, exp.Literal):
        spans = store_type(tree.to).kind is Kind.INTERVAL
        return parse_interval(tree.this.name) if spans else None
    if isinstance(tree, exp.Anonymous) and tree.name.lower() == "to_microseconds":
        return microseconds(tree.expressions[0])
    return None


def native(words: Words, span: Span) -> str | None:
    """Spell a span as Flink's own interval; None for one it cannot hold.

    A field has two digits, days six.
    """
    if span.months and not (span.days or span.us):
        return f"INTERVAL '{span.months}' MONTH(4)"
    us = span.days * DAY_US + span.us
    if span.months or us % 1000 or us < 0:
        return None
    for size, unit in _UNITS:
        if us and us % size == 0 and (us // size < 100 or unit == "DAY(6)"):
            few = us // size < 100
            return f"INTERVAL '{us // size}' {unit.split('(')[0] if few else unit}"
    days, rest = divmod(us, DAY_US)
    hours, rest = divmod(rest, 3_600_000_000)
    minutes, rest = divmod(rest, 60_000_000)
    clock = f"{days} {hours:02}:{minutes:02}:{rest // 1_000_000:02}.{rest % 1_000_000 // 1000:03}"
    return f"INTERVAL '{clock}' DAY(6) TO SECOND(3)"


def instant(us: str) -> str:
    """Spell the instant of so many microseconds since 1970: no function takes them."""
    part = f"MOD(MOD({us}, 1000000) + 1000000, 1000000)"
    whole = f"TO_TIMESTAMP_LTZ(({us} - {part}) / 1000000, 0)"
    digits = f"LPAD(CAST({part} AS STRING), 6, '0')"
    text = f"CONCAT(DATE_FORMAT({whole}, 'yyyy-MM-dd HH:mm:ss'), '.', {digits})"
    return f"CAST({text} AS TIMESTAMP_LTZ(6))"


def instant_text(moment: str, zone: str) -> str:
    """Spell an instant as text: with the decimals that it has, and its zone."""
    part = f"LPAD(CAST(EXTRACT(MICROSECOND FROM {moment}) AS STRING), 6, '0')"
    decimals = f"TRIM(TRAILING '0' FROM CONCAT('.', {part}))"
    digits = f"CASE WHEN EXTRACT(MICROSECOND FROM {moment}) = 0 THEN '' ELSE {decimals} END"
    return f"CONCAT(DATE_FORMAT({moment}, 'yyyy-MM-dd HH:mm:ss'), {digits}, '{zone}')"


def moved(words: Words, moment: Tree, us: str, sign: str, sight: Sight) -> str:
    """Spell an instant and an interval that is a value: whole milliseconds by Flink's own."""
    at = spelled(words.tree(moment, sight))
    exact = instant(f"({micros(words, moment, sight)} {sign} {us})")
    kind = sight.type_of(moment).kind
    if kind is not Kind.TIMESTAMPTZ:
        exact = spelled(words.cast(exp.Var(this=exact), DataType(Kind.TIMESTAMP)))
    constant = _CONSTANT.fullmatch(us)
    if constant is not None:
        # Flink's planner falls over an interval that it has worked out itself.
        told = native(words, Span(0, 0, abs(int(constant[1]))))
        back = {"+": "-", "-": "+"}[sign] if int(constant[1]) < 0 else sign
        return f"{at} {back} {told}" if told is not None else exact
    if words.in_condition:
        return exact
    return (
        f"CASE WHEN MOD({us}, 1000) = 0 THEN {at} {sign} INTERVAL '0.001' SECOND * ({us} / 1000) "
        f"ELSE {exact} END"
    )


def temporal(words: Words, tree: Tree, sight: Sight) -> Tree | None:
    """Write a sum or difference with instants or intervals; None where it is an ordinary one."""
    left, right = tree.this, tree.expression
    kinds = (sight.type_of(left).kind, sight.type_of(right).kind)
    sign = "-" if isinstance(tree, exp.Sub) else "+"
    if kinds[0] in MOMENTS and kinds[1] in MOMENTS:
        if kinds == (Kind.DATE, Kind.DATE):
            words.remarks.meet(Feature.INTERVAL, "difference of dates")
        return exp.Var(this=f"({micros(words, left, sight)} - {micros(words, right, sight)})")
    if Kind.INTERVAL not in kinds or not MOMENTS & set(kinds):
        return None
    moment, span = (left, right) if kinds[0] in MOMENTS else (right, left)
    constant = constant_span(span)
    told = native(words, constant) if constant is not None else None
    if told is not None:
        made = words.tree(moment, sight)
        kind = exp.Sub if sign == "-" else exp.Add
        return kind(this=made, expression=exp.Var(this=told))
    us = inner(words.tree(span, sight))
    return exp.Var(this=f"({moved(words, moment, us, sign, sight)})")


def product(words: Words, left: Tree, right: Tree, sight: Sight, sign: str = "*") -> Tree:
    """Write an interval times, or by, a number. Law: nearest microsecond, halves away from 0."""
    span = left if sight.type_of(left).kind is Kind.INTERVAL else right
    number = right if span is left else left
    us, times = inner(words.tree(span, sight)), inner(words.tree(number, sight))
    if sign == "*" and sight.type_of(number).kind in INTEGERS:
        return exp.Var(this=f"(CAST({us} AS BIGINT) * {times})")
    return exp.Var(this=f"CAST(ROUND({us} {sign} {times}, 0) AS BIGINT)")


def times(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    return product(words, arguments[0], arguments[1], sight)


def over(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    divisor = inner(words.tree(arguments[1], sight))
    us = inner(words.tree(arguments[0], sight))
    return exp.Var(this=f"CAST(ROUND({us} / NULLIF({divisor}, 0), 0) AS BIGINT)")


def epoch(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Return the seconds of an instant or of an interval."""
    tree = bare(arguments[0])
    if sight.type_of(tree).kind in MOMENTS:
        made = micros(words, tree, sight)
    else:
        made = inner(words.tree(tree, sight))
    return exp.Var(this=f"(CAST({made} AS DECIMAL(20, 0)) * 0.000001)")


def finite(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Return an instant; NULL for one that is without end."""
    at, kind = inner(words.tree(arguments[0], sight)), sight.type_of(arguments[0])
    ends = [f"CAST(TIMESTAMP '{one}' AS {words.type(kind)})" for one in (FOREVER, NEVER)]
    return exp.Var(this=f"CASE WHEN {at} <> {ends[0]} AND {at} <> {ends[1]} THEN {at} END")


def elapsed(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    left, right = (micros(words, one, sight) for one in arguments[:2])
    return exp.Var(this=f"({left} - {right})")


def milliseconds(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    text = spelled(words.tree(arguments[0], sight))
    made = f"({seconds(words, arguments[0], sight)} * 1000 + EXTRACT(MILLISECOND FROM {text}))"
    return exp.Var(this=made)


def span_of_micros(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    span = microseconds(arguments[0])
    if span is not None:
        return words.interval(span)
    return exp.Var(this=f"CAST({inner(words.tree(arguments[0], sight))} AS BIGINT)")


def from_seconds(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    number = inner(words.tree(arguments[0], sight))
    return exp.Var(this=instant(f"CAST(ROUND({number} * 1000000, 0) AS BIGINT)"))


def zoned(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Write AT TIME ZONE. Law: of a local time that is there twice, the later instant."""
    zone, moment = arguments
    instants = sight.type_of(moment).kind is Kind.TIMESTAMPTZ
    kind = DataType(Kind.TIMESTAMP if instants else Kind.TIMESTAMPTZ)
    made = words.tree(moment, sight)
    if isinstance(bare(zone), exp.Literal) and bare(zone).name.upper() == "UTC":
        return words.cast(made, kind)
    if sight.type_of(moment).kind is Kind.DATE:
        made = words.cast(made, DataType(Kind.TIMESTAMP))
    at, told = spelled(made), spelled(words.tree(zone, sight))
    zones = f"'UTC', {told}" if instants else f"{told}, 'UTC'"
    clock = f"CONVERT_TZ(DATE_FORMAT({at}, 'yyyy-MM-dd HH:mm:ss'), {zones})"
    part = f"LPAD(CAST(EXTRACT(MICROSECOND FROM {at}) AS STRING), 6, '0')"
    return words.cast(exp.Var(this=f"CONCAT({clock}, '.', {part})"), kind)


_PATTERN = re.compile(r'YYYY|MM|DD|HH24|MI|SS|"[^"]*"|[^A-Za-z"]')
_JAVA = {"YYYY": "yyyy", "MM": "MM", "DD": "dd", "HH24": "HH", "MI": "mm", "SS": "ss"}


def formatted(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    """Write to_char of a time with the parts of dates and clocks."""
    pattern = bare(arguments[1])
    text = pattern.name if isinstance(pattern, exp.Literal) else "?"
    parts = _PATTERN.findall(text)
    known = sight.type_of(arguments[0]).kind in MOMENTS and "".join(parts) == text
    if not known:
        words.remarks.meet(Feature.FUNCTION, f"to_char with {text}")
    java = "".join(f"''{p[1:-1]}''" if p[0] == '"' else _JAVA.get(p, p) for p in parts)
    return exp.Var(this=f"DATE_FORMAT({spelled(words.tree(arguments[0], sight))}, '{java}')")


def truncated(words: Words, arguments: Arguments, sight: Sight) -> Tree:
    unit = arguments[0].name.upper()
    if unit not in ("SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"):
        words.remarks.meet(Feature.FUNCTION, f"date_trunc('{unit.lower()}')")
    return exp.Var(this=f"FLOOR({spelled(words.tree(arguments[1], sight))} TO {unit})")


_PRINTED = "^(?=.)(-?[0-9]+ days?)?( ?[-+]?[0-9]+:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?)?$"


def text_us(text: str) -> str:
    """Spell the microseconds of an interval as PostgreSQL writes it: 1 day 02:03:04.5.

    Law: NULL for one with months, or for what is no interval.
    """
    days = f"CAST(COALESCE(REGEXP_EXTRACT({text}, '(-?[0-9]+) days?', 1), '0') AS BIGINT)"
    clocks = f"REGEXP_EXTRACT({text}, '([0-9]+):([0-9]+):([0-9]+)', "
    parts = [f"CAST(COALESCE({clocks}{place}), '0') AS BIGINT)" for place in (1, 2, 3)]
    part = f"CAST(RPAD(COALESCE(REGEXP_EXTRACT({text}, '[.]([0-9]+)', 1), '0'), 6, '0') AS BIGINT)"
    # Days before a space may have a sign of their own.
    sign = f"CASE WHEN REGEXP({text}, '-[0-9]+:') THEN -1 ELSE 1 END"
    clock = f"(({parts[0]} * 60 + {parts[1]}) * 60 + {parts[2]}) * 1000000 + {part}"
    return (
        f"CASE WHEN REGEXP({text}, '{_PRINTED}') THEN {days} * {DAY_US} + ({sign}) * ({clock}) END"
    )
