"""Intervals as PostgreSQL reads, prints and computes them.

Units: a span is months, days and microseconds; the three never mix by themselves.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from voltstream.core.errors import DatetimeOverflow, DivisionByZero, InvalidDatetime
from voltstream.core.native import NativeFunction

_SECOND_US = 1_000_000
_US_MAX = (2**63 - 1) // 1000  # Of nanoseconds in 64 bits.
_DAY_US = 86_400 * _SECOND_US
_MONTHS_MAX = 2**31 - 1

# Unit words as PostgreSQL's interval input takes them: (months, days, microseconds).
_UNITS: dict[str, tuple[int, int, int]] = {}
for _words, _span in (
    ("microsecond microseconds us usec usecs usecond useconds", (0, 0, 1)),
    ("millisecond milliseconds ms msec msecs msecond mseconds", (0, 0, 1000)),
    ("second seconds s sec secs", (0, 0, _SECOND_US)),
    ("minute minutes m min mins", (0, 0, 60 * _SECOND_US)),
    ("hour hours h hr hrs", (0, 0, 3600 * _SECOND_US)),
    ("day days d", (0, 1, 0)),
    ("week weeks w", (0, 7, 0)),
    ("month months mon mons", (1, 0, 0)),
    ("quarter quarters qtr", (3, 0, 0)),
    ("year years y yr yrs", (12, 0, 0)),
    ("decade decades dec decs", (120, 0, 0)),
    ("century centuries c cent", (1200, 0, 0)),
    ("millennium millennia mil mils", (12000, 0, 0)),
):
    for _word in _words.split():
        _UNITS[_word] = _span

_TOKEN = re.compile(
    r"\s*(?:(?P<clock>[+-]?\d+:\d+(?::\d+(?:\.\d*)?)?)"
    r"|(?P<years>[+-]?\d+-\d+)(?![\d-])"
    r"|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<word>[A-Za-z]+)|(?P<at>@))"
)
_ISO = re.compile(
    r"P(?:(?P<Y>[-+]?[\d.]+)Y)?(?:(?P<M>[-+]?[\d.]+)M)?(?:(?P<W>[-+]?[\d.]+)W)?"
    r"(?:(?P<D>[-+]?[\d.]+)D)?"
    r"(?:T(?:(?P<h>[-+]?[\d.]+)H)?(?:(?P<m>[-+]?[\d.]+)M)?(?:(?P<s>[-+]?[\d.]+)S)?)?"
)
_ISO_UNITS = {"Y": "year", "M": "month", "W": "week", "D": "day", "h": "hour", "m": "minute",
              "s": "second"}  # fmt: skip


class Span(NamedTuple):
    """An interval."""

    months: int
    days: int
    us: int

    def nanos(self) -> tuple[int, int, int]:
        """Return what Arrow takes. Raises: DatetimeOverflow (22008) beyond 292 years of hours."""
        if abs(self.us) > _US_MAX:
            raise DatetimeOverflow("interval out of range")
        return self.months, self.days, self.us * 1000


def span_of(value: Any) -> Span:
    """Read what Arrow hands over."""
    return Span(value.months, value.days, round(value.nanoseconds / 1000))


def parse_interval(text: str, unit: str | None = None) -> Span:
    """Read an interval; ``unit`` is the field a bare number counts (``INTERVAL '5' MINUTE``).

    Raises: InvalidDatetime (22007), DatetimeOverflow (22008).
    """
    stripped = text.strip()
    iso = _ISO.fullmatch(stripped) if stripped.startswith("P") and len(stripped) > 1 else None
    if iso:
        parts = [(Fraction(v), _ISO_UNITS[k]) for k, v in iso.groupdict().items() if v]
        return _total(parts, text)
    parts, clock_us, months, sign = _fields(stripped, text, unit)
    span = _total(parts, text)
    span = Span(span.months + months, span.days, span.us + clock_us)
    return Span(-span.months, -span.days, -span.us) if sign < 0 else span


def _fields(
    stripped: str, text: str, unit: str | None
) -> tuple[list[tuple[Fraction, str]], int, int, int]:
    parts: list[tuple[Fraction, str]] = []
    clock_us = months = 0
    sign, pending, at, seen = 1, None, 0, False
    while at < len(stripped):
        found = _TOKEN.match(stripped, at)
        if not found:
            raise _unreadable(text)
        at = found.end()
        while at < len(stripped) and stripped[at].isspace():
            at += 1
        if found["clock"]:
            if pending is not None:
                parts.append((pending, "day"))
                pending = None
            clock_us += _clock(found["clock"], unit)
            seen = True
        elif found["years"]:
            months += _years(found["years"])
            seen = True
        elif found["number"]:
            if pending is not None:
                raise _unreadable(text)
            pending = Fraction(Decimal(found["number"]))
        elif found["word"]:
            word = found["word"].lower()
            if word == "ago" and (parts or seen):
                sign = -1
            elif pending is None or word not in _UNITS:
                raise _unreadable(text)
            else:
                parts.append((pending, word))
                pending = None
    if pending is not None:
        parts.append((pending, unit or "second"))
    if not parts and not seen:
        raise _unreadable(text)
    return parts, clock_us, months, sign


def _unreadable(text: str) -> InvalidDatetime:
    return InvalidDatetime(f'invalid input syntax for type interval: "{text}"')


def _clock(text: str, unit: str | None) -> int:
    sign = -1 if text.startswith("-") else 1
    pieces = text.lstrip("+-").split(":")
    if len(pieces) == 2 and (("." in pieces[1]) or unit == "minute to second"):
        pieces.insert(0, "0")
    hours, minutes = int(pieces[0]), int(pieces[1])
    seconds = Decimal(pieces[2] or 0) if len(pieces) > 2 else Decimal(0)
    whole = (hours * 3600 + minutes * 60) * _SECOND_US
    return sign * (whole + int((seconds * _SECOND_US).to_integral_value(ROUND_HALF_EVEN)))


def _years(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    years, months = text.lstrip("+-").split("-")
    return sign * (int(years) * 12 + int(months))


def _total(parts: list[tuple[Fraction, str]], text: str) -> Span:
    """Add up the fields; a fraction of a month is days, a fraction of a day is time."""
    months, days, us = Fraction(0), Fraction(0), Fraction(0)
    for amount, unit in parts:
        per = _UNITS[unit]
        if per[0] and per[0] != 1:  # A fraction of a year is months, rounded.
            months += round(amount * per[0])
        elif per[0]:
            whole = int(amount)
            months += whole
            days += (amount - whole) * 30
        elif per[1]:
            days += amount * per[1]
        else:
            us += amount * per[2]
    whole_days = int(days)
    us += (days - whole_days) * _DAY_US
    if abs(months) > _MONTHS_MAX or abs(whole_days) > _MONTHS_MAX:
        raise DatetimeOverflow(f'interval field value out of range: "{text}"')
    return Span(int(months), whole_days, round(us))


def interval_text(span: Span) -> str:
    """Print an interval in PostgreSQL's own style (IntervalStyle postgres)."""
    years, months = _split(span.months, 12)
    parts: list[str] = []
    negative_before = False
    for amount, name in ((years, "year"), (months, "mon"), (span.days, "day")):
        if amount:
            plus = "+" if negative_before and amount > 0 else ""
            parts.append(f"{plus}{amount} {name}{'' if amount == 1 else 's'}")
            negative_before = amount < 0
    if span.us or not parts:
        sign = "-" if span.us < 0 else "+" if negative_before else ""
        parts.append(sign + clock_text(abs(span.us)))
    return " ".join(parts)


def clock_text(us: int) -> str:
    """Print a time of day or a duration; the fraction without trailing zeros."""
    seconds, fraction = divmod(us, _SECOND_US)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{fraction:06}".rstrip("0") if fraction else text


def _split(value: int, size: int) -> tuple[int, int]:
    """Divide towards zero."""
    quotient = abs(value) // size
    return (
        (quotient, value - quotient * size) if value >= 0 else (-quotient, value + quotient * size)
    )


def store_literal(span: Span) -> str:
    """Spell an interval for the store, exactly."""
    return f"{span.months} months {span.days} days {span.us} microseconds"


def scale(span: Span, factor: Fraction) -> Span:
    """Multiply as PostgreSQL does: fractions of months become days, of days become time.

    Source: PostgreSQL's manual, 9.9, notes on interval arithmetic. Law: cascaded parts are
    rounded to microseconds before they move down.
    """
    months = span.months * factor
    days = span.days * factor
    whole_months, whole_days = int(months), int(days)
    month_days = _rounded((months - whole_months) * 30)
    seconds = _rounded((days - whole_days + month_days - int(month_days)) * 86_400)
    if abs(seconds) >= 86_400:
        carried = int(seconds / 86_400)
        whole_days += carried
        seconds -= carried * 86_400
    whole_days += int(month_days)
    us = round(span.us * factor + seconds * _SECOND_US)
    if abs(whole_months) > _MONTHS_MAX or abs(whole_days) > _MONTHS_MAX or abs(us) >= 2**63:
        raise DatetimeOverflow("interval out of range")
    return Span(whole_months, whole_days, us)


def _rounded(value: Fraction) -> Fraction:
    return Fraction(round(value * _SECOND_US), _SECOND_US)


def _multiplied(value: Any, factor: float) -> tuple[int, int, int]:
    if not math.isfinite(factor):
        raise DatetimeOverflow("interval out of range")
    return scale(span_of(value), Fraction(repr(factor))).nanos()


def _divided(value: Any, divisor: float) -> tuple[int, int, int]:
    if not divisor:
        raise DivisionByZero("division by zero")
    if not math.isfinite(divisor):
        raise DatetimeOverflow("interval out of range")
    return scale(span_of(value), 1 / Fraction(repr(divisor))).nanos()


def _parsed(text: str) -> tuple[int, int, int]:
    return parse_interval(text).nanos()


def _printed(value: Any) -> str:
    return interval_text(span_of(value))


def _justified_hours(value: Any) -> tuple[int, int, int]:
    span = span_of(value)
    carried, us = _split(span.us, _DAY_US)
    return _aligned(Span(span.months, span.days + carried, us)).nanos()


def _justified_days(value: Any) -> tuple[int, int, int]:
    span = span_of(value)
    carried, days = _split(span.days, 30)
    return _aligned_days(Span(span.months + carried, days, span.us)).nanos()


def _justified(value: Any) -> tuple[int, int, int]:
    span = span_of(value)
    carried, us = _split(span.us, _DAY_US)
    months, days = _split(span.days + carried, 30)
    months += span.months
    if months > 0 and (days < 0 or (days == 0 and us < 0)):
        months, days = months - 1, days + 30
    elif months < 0 and (days > 0 or (days == 0 and us > 0)):
        months, days = months + 1, days - 30
    return _aligned(Span(months, days, us)).nanos()


def _aligned(span: Span) -> Span:
    if span.days > 0 and span.us < 0:
        return Span(span.months, span.days - 1, span.us + _DAY_US)
    if span.days < 0 and span.us > 0:
        return Span(span.months, span.days + 1, span.us - _DAY_US)
    return span


def _aligned_days(span: Span) -> Span:
    if span.months > 0 and span.days < 0:
        return Span(span.months - 1, span.days + 30, span.us)
    if span.months < 0 and span.days > 0:
        return Span(span.months + 1, span.days - 30, span.us)
    return span


NATIVES = (
    NativeFunction("_vs_interval", ("VARCHAR",), "INTERVAL", _parsed),
    NativeFunction("_vs_interval_text", ("INTERVAL",), "VARCHAR", _printed),
    NativeFunction("_vs_interval_product", ("INTERVAL", "DOUBLE"), "INTERVAL", _multiplied),
    NativeFunction("_vs_interval_over", ("INTERVAL", "DOUBLE"), "INTERVAL", _divided),
    NativeFunction("_vs_justify_hours", ("INTERVAL",), "INTERVAL", _justified_hours),
    NativeFunction("_vs_justify_days", ("INTERVAL",), "INTERVAL", _justified_days),
    NativeFunction("_vs_justify_interval", ("INTERVAL",), "INTERVAL", _justified),
)
