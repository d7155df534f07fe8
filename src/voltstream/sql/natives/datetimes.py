"""Dates and times as PostgreSQL reads them, in the spelling the store reads.

Source: PostgreSQL's manual, appendix B "Date/Time Support".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import date, datetime, timedelta

from voltstream.core.errors import DatetimeOverflow, InvalidDatetime
from voltstream.core.native import NativeFunction

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may may", "jun june", "jul july",
         "aug august", "sep september sept", "oct october", "nov november", "dec december"), 1
    )
    for name in names.split()
}  # fmt: skip
_CLOCK = re.compile(
    r"(?:[T\s]|^)\s*(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2}(?:\.\d*)?))?\s*(?P<half>[AaPp][Mm](?![A-Za-z]))?"
    r"(?P<rest>.*)$"
)
_ZONE = re.compile(
    r"\s*(?:(?P<utc>z|zulu|utc|gmt)|(?P<sign>[+-])(?P<h>\d{1,2}):?(?P<m>\d{2})?(?::\d{2})?"
    r"|(?P<name>[A-Za-z][A-Za-z_]*(?:/[A-Za-z_]+)*))?\s*",
    re.IGNORECASE,
)
_ISO = re.compile(r"(?P<y>\d{4,6})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})")
_NUMBERS = re.compile(r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{4}|\d{1,2})")
_COMPACT = re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})")
_DAY_NAMED = re.compile(r"(?P<d>\d{1,2})[\s-]+(?P<n>[A-Za-z]{3,9})[\s,-]+(?P<y>\d{4}|\d{2})")
_MONTH_NAMED = re.compile(r"(?P<n>[A-Za-z]{3,9})[\s-]+(?P<d>\d{1,2})[\s,-]+(?P<y>\d{4}|\d{2})")
_YEAR_NAMED = re.compile(r"(?P<y>\d{4})[\s-]+(?P<n>[A-Za-z]{3,9})[\s-]+(?P<d>\d{1,2})")
_FORMS = (_ISO, _COMPACT, _DAY_NAMED, _MONTH_NAMED, _YEAR_NAMED)
_OF_YEAR = re.compile(r"(?P<y>\d{4})[.-]?(?P<n>\d{3})")
_JULIAN = re.compile(r"[Jj](?P<j>\d{1,7})")
_JULIAN_OF_FIRST = 1_721_425  # The Julian day before 0001-01-01.
_BEFORE_CHRIST = re.compile(r"\s+(?:bc|(?P<ad>ad))\s*$", re.IGNORECASE)
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+", re.IGNORECASE)
_MOVING = frozenset({"today", "now", "yesterday", "tomorrow"})
_SPECIAL = {"epoch": "1970-01-01 00:00:00", "infinity": "infinity", "-infinity": "-infinity"}


def _unreadable(name: str, source: str) -> InvalidDatetime:
    return InvalidDatetime(f'invalid input syntax for type {name}: "{source}"')


# How the session reads three numbers (DateStyle): MDY, DMY, YMD; "" where it must not matter.
date_order: ContextVar[str] = ContextVar("date_order", default="MDY")


def _numbered(found: re.Match[str], name: str, source: str) -> str:
    """Read three numbers in the session's order. Raises: 22007, 22008."""
    order = date_order.get()
    if not order:
        raise InvalidDatetime(
            f'invalid input syntax for type {name}: "{source}"',
            hint="In a definition a date is written as 2026-01-31, which all sessions read alike.",
        )
    if order == "YMD" and len(found["c"]) == 4:
        raise DatetimeOverflow(f'date/time field value out of range: "{source}"')
    parts = dict(zip(order, (found["a"], found["b"], found["c"]), strict=True))
    return _checked_day(_year(parts["Y"]), int(parts["M"]), int(parts["D"]), source)


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) > 2:
        return year
    return year + (2000 if year < 70 else 1900)


def _named_year(digits: str, name: str, source: str) -> int:
    """Read the year beside a month's name: two digits stand before the month where years do."""
    if len(digits) > 2 or _BEFORE_CHRIST.search(source.strip()):
        return int(digits)
    if date_order.get() in ("YMD", ""):
        raise _unreadable(name, source)
    return _year(digits)


def _counted(body: str, source: str) -> str | None:
    """Read a day of a year, or one by its Julian number; None for other writings."""
    found, julian = _OF_YEAR.fullmatch(body), _JULIAN.fullmatch(body)
    try:
        if found:
            first = date(int(found["y"]), 1, 1)
            day = first + timedelta(days=int(found["n"]) - 1)
            if day.year != first.year:
                raise ValueError(day)
            return day.isoformat()
        if julian:
            return date.fromordinal(int(julian["j"]) - _JULIAN_OF_FIRST).isoformat()
    except (ValueError, OverflowError) as error:
        raise DatetimeOverflow(f'date/time field value out of range: "{source}"') from error
    return None


def _day(body: str, name: str, source: str) -> str:
    numbers = _NUMBERS.fullmatch(body)
    if numbers:
        return _numbered(numbers, name, source)
    counted = _counted(body, source)
    if counted is not None:
        return counted
    for form in _FORMS:
        found = form.fullmatch(body)
        if not found:
            continue
        parts = found.groupdict()
        if "n" in parts:
            month = _MONTHS.get(parts["n"].lower())
            if month is None:
                continue
        else:
            month = int(parts["m"])
        return _checked_day(_named_year(parts["y"], name, source), month, int(parts["d"]), source)
    raise _unreadable(name, source)


def _checked_day(year: int, month: int, day: int, source: str) -> str:
    leap = 2000 if year > 9999 and year % 4 == 0 else year
    try:
        date(leap if 1 <= leap <= 9999 else 2001, month, day)
    except ValueError as error:
        raise DatetimeOverflow(f'date/time field value out of range: "{source}"') from error
    return f"{year:04}-{month:02}-{day:02}"


def _clock(found: re.Match[str], source: str) -> str:
    hour, minute = int(found["h"]), int(found["m"])
    second = found["s"] or "00"
    if found["half"]:
        hour = hour % 12 + (12 if found["half"].lower() == "pm" else 0)
    if hour > 24 or minute > 59 or float(second) > 60 or (hour == 24 and minute + float(second)):
        raise DatetimeOverflow(f'date/time field value out of range: "{source}"')
    return f"{hour:02}:{minute:02}:{_micros(second)}"


def _micros(second: str) -> str:
    whole, _, fraction = second.partition(".")
    if len(fraction) <= 6:
        return f"{whole}.{fraction}" if fraction else whole
    return f"{float(second):09.6f}"  # The seventh digit and what follows are rounded away.


def _zone(rest: str, name: str, source: str) -> str:
    found = _ZONE.fullmatch(rest)
    if not found:
        raise _unreadable(name, source)
    if found["sign"]:
        return f"{found['sign']}{int(found['h']):02}:{found['m'] or '00'}"
    if found["utc"]:
        return "+00:00"
    return " " + found["name"] if found["name"] else ""


def _era(body: str) -> tuple[str, str]:
    """Cut an era off; return it as the store spells it."""
    found = _BEFORE_CHRIST.search(body)
    if found is None:
        return body, ""
    return body[: found.start()], "" if found["ad"] else " (BC)"


_COMPACT_CLOCK = re.compile(r"(?<=[T\s])(\d{2})(\d{2})(\d{2}(?:\.\d+)?)(?![\d:])")


def _split(source: str) -> tuple[str, re.Match[str] | None]:
    body = _WEEKDAY.sub("", source.strip())
    if re.match(r"\d{8}[T\s]", body):
        body = _COMPACT_CLOCK.sub(r"\1:\2:\3", body, count=1)
    found = _CLOCK.search(body)
    return (body[: found.start()].strip() if found else body), found


def read_date(source: str) -> str:
    """Raises: InvalidDatetime (22007), DatetimeOverflow (22008)."""
    body = source.strip()
    special = _SPECIAL.get(body.lower())
    if special:
        return special[:10] if special[0].isdigit() else special
    if body.lower() in _MOVING:
        return body
    body, era = _era(body)
    day, _ = _split(body)
    return _day(day, "date", source) + era


def read_timestamp(source: str, *, zoned: bool) -> str:
    """Return a time stamp's text; without a zone, one in the text is ignored.

    Raises: InvalidDatetime (22007), DatetimeOverflow (22008).
    """
    name = "timestamp with time zone" if zoned else "timestamp"
    body = source.strip()
    special = _SPECIAL.get(body.lower())
    if special:
        return special + ("+00" if zoned and special[0].isdigit() else "")
    body, era = _era(body)
    day, found = _split(body)
    if found is None:
        bare = re.sub(r"(?<=\d)\s*(z|utc)$", "", day, flags=re.IGNORECASE)
        zone = "+00" if zoned and bare != day else ""
        return f"{_day(bare, name, source)}{era} 00:00:00{zone}"
    spelled = _day(day, name, source)
    clock = _clock(found, source)
    zone = _zone(found["rest"], name, source)
    if clock.startswith("24"):  # Midnight at the end of the day.
        following = datetime.fromisoformat(spelled) + timedelta(days=1)
        spelled, clock = following.date().isoformat(), "00:00:00"
    return f"{spelled}{era} {clock}{zone if zoned else ''}"


def read_time(source: str) -> str:
    """Raises: InvalidDatetime (22007), DatetimeOverflow (22008)."""
    body = source.strip()
    if body.lower() == "allballs":
        return "00:00:00"
    if re.fullmatch(r"\d{4}|\d{6}(\.\d+)?", body):
        body = f"{body[:2]}:{body[2:4]}" + (f":{body[4:]}" if len(body) > 4 else "")
    day, found = _split(body)
    if found is None:
        raise _unreadable("time", source)
    if day:
        _day(day, "time", source)
    _zone(found["rest"], "time", source)
    return _clock(found, source)


def _in_order(read: Callable[[str], str]) -> Callable[[str, str], str]:
    """Return a reader that is told in which order three numbers stand."""

    def reader(source: str, order: str) -> str:
        token = date_order.set(order)
        try:
            return read(source)
        finally:
            date_order.reset(token)

    return reader


def _stored_date(source: str) -> str:
    if source.strip().lower() in _MOVING:
        raise _unreadable("date", source)  # A value that another day would read otherwise.
    return read_date(source)


_T = "VARCHAR"
NATIVES = (
    NativeFunction("_vs_read_date", (_T, _T), _T, _in_order(_stored_date)),
    NativeFunction("_vs_read_timestamp", (_T, _T), _T,
                   _in_order(lambda source: read_timestamp(source, zoned=False))),
    NativeFunction("_vs_read_timestamptz", (_T, _T), _T,
                   _in_order(lambda source: read_timestamp(source, zoned=True))),
    NativeFunction("_vs_read_time", (_T, _T), _T, _in_order(read_time)),
)  # fmt: skip
