"""Arithmetic of instants: by the clock, where the store goes by the calendar of a session."""

from __future__ import annotations

from sqlglot import exp

from voltstream.core.types import Kind
from voltstream.sql.natives.intervals import Span, parse_interval, store_literal
from voltstream.sql.rules.tree import Call, call, cast, paren, string_of, text

_NOW = frozenset({"now", "_vs_now"})


def elapsed(found: Call) -> exp.Expression | None:
    """Rule of instant - instant: days of 24 hours, whatever a zone's clock did in between.

    A difference with NOW() stays as it is: a filter with it is kept by a timer.
    """
    kinds = (found.kind(0), found.kind(1))
    known = all(kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ) for kind in kinds)
    if Kind.TIMESTAMPTZ not in kinds or not known:
        return None
    sides = [
        side if kind is Kind.TIMESTAMPTZ else cast(side, "TIMESTAMPTZ")
        for side, kind in zip((found[0], found[1]), kinds, strict=True)
    ]
    if any(node.name.lower() in _NOW for side in sides for node in side.find_all(exp.Anonymous)):
        return exp.Sub(this=paren(sides[0]), expression=paren(sides[1]))
    return call("_vs_elapsed", *sides)


def moved(found: Call) -> exp.Expression | None:
    """Rule of instant ± a constant interval: first its months and days, then its hours."""
    if found.kind(0) is not Kind.TIMESTAMPTZ or not isinstance(found[1], exp.Interval):
        return None
    span = _span(found[1])
    if span is None or not span.us or not (span.months or span.days):
        return None
    kind = exp.Add if found.name == "+" else exp.Sub
    dates = kind(this=paren(found[0]), expression=_interval(Span(span.months, span.days, 0)))
    return kind(this=paren(dates), expression=_interval(Span(0, 0, span.us)))


def _span(node: exp.Interval) -> Span | None:
    spelled = string_of(node.this) if isinstance(node.this, exp.Expression) else None
    unit = node.args.get("unit")
    return parse_interval(spelled) if spelled is not None and unit is None else None


def _interval(span: Span) -> exp.Expression:
    return exp.Interval(this=text(store_literal(span)))
