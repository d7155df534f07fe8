"""Dates, times and instants as PostgreSQL's text, in the styles of DateStyle.

Source: PostgreSQL, src/backend/utils/adt/datetime.c, EncodeDateOnly and EncodeDateTime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np
import pyarrow as pa

from voltstream.core.zones import zone_of
from voltstream.sql.styles.arrow import EMPTY_TEXT, Cells, pc
from voltstream.sql.styles.intervals import clock_text
from voltstream.sql.styles.style import USUAL, Style

_DAY_US = 86_400_000_000
_CYCLE_US = 146_097 * _DAY_US  # 400 years: then the calendar repeats.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER_US = 900_000_000
_STRINGS = pa.large_string()

# Arrow spells the years 1 to 9999 as PostgreSQL does; beyond them both have their own ways.
_FIRST_DAY = -719_162  # 0001-01-01
_LAST_DAY = 2_932_896  # 9999-12-31

# The store's infinities (DuckDB, date.hpp and timestamp.hpp).
_DATE_INFINITY = 2**31 - 1
_TIMESTAMP_INFINITY = 2**63 - 1


def date_texts(array: Cells, style: Style = USUAL) -> Cells:
    """Spell a column of dates."""
    days = array.cast(pa.date32()).cast(pa.int32())
    if style.dates != "ISO":
        return _per_number(days, lambda day: _styled_date(day, style))
    if _within(days, _FIRST_DAY, _LAST_DAY):
        return array.cast(_STRINGS)
    return _per_number(days, date_text)


def time_texts(array: Cells) -> Cells:
    """Spell a column of times of day; the end of the day is one of them."""
    micros = array.cast(pa.time64("us")).cast(pa.int64())
    if _within(micros, 0, _DAY_US - 1):
        return _trimmed(array.cast(pa.time64("us")).cast(_STRINGS))
    return _per_number(micros, clock_text)


def timestamp_texts(array: Cells, style: Style = USUAL, suffix: str = "") -> Cells:
    """Spell a column of timestamps without zone."""
    instants = array.cast(pa.timestamp("us"), safe=False)  # PostgreSQL keeps microseconds only.
    micros = instants.cast(pa.int64())
    if style.dates != "ISO":
        return _per_number(micros, lambda us: _styled_timestamp(us, "", style))
    if _within(micros, _FIRST_DAY * _DAY_US, (_LAST_DAY + 1) * _DAY_US - 1):
        return _suffixed(_trimmed(instants.cast(_STRINGS)), suffix)
    return _per_number(micros, lambda us: timestamp_text(us, suffix))


def timestamptz_texts(array: Cells, style: Style = USUAL) -> Cells:
    """Spell a column of instants in the session's zone."""
    instants = array.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64())
    iso = style.dates == "ISO"
    if iso and style.zone.upper() in ("UTC", "ETC/UTC", "GMT", "Z"):
        return timestamp_texts(instants.cast(pa.timestamp("us")), suffix="+00")
    # Offsets change at full quarter hours, so one look-up serves a whole quarter.
    offset_of = _offsets(instants, zone_of(style.zone))

    def spell(instant_us: int) -> str:
        if abs(instant_us) == _TIMESTAMP_INFINITY:
            return timestamp_text(instant_us, "")
        offset_us, zone = offset_of.get(instant_us // _QUARTER_US, (0, ""))
        if iso:
            return timestamp_text(instant_us + offset_us, offset_text(offset_us // 1_000_000))
        # Other styles name the zone where it has a name.
        numeric = offset_text(offset_us // 1_000_000)
        bare = "" if style.dates in ("SQL", "German") else " "
        return _styled_timestamp(
            instant_us + offset_us, f" {zone}" if zone else bare + numeric, style
        )

    return _per_number(instants, spell)


def _within(numbers: Cells, first: int, last: int) -> bool:
    bounds = pc.min_max(numbers).as_py()
    return bounds["min"] is None or (first <= bounds["min"] and bounds["max"] <= last)


def _per_number(numbers: Cells, spell: Callable[[int], str]) -> Cells:
    values = numbers.to_pylist()
    return pa.array([None if value is None else spell(value) for value in values], _STRINGS)


def _trimmed(texts: Cells) -> Cells:
    """Drop the zeros that end a fraction of exactly six digits."""
    return pc.utf8_rtrim(pc.utf8_rtrim(texts, "0"), ".")


def _suffixed(texts: Cells, suffix: str) -> Cells:
    if not suffix:
        return texts
    return pc.binary_join_element_wise(texts, pa.scalar(suffix, _STRINGS), EMPTY_TEXT)


def _civil(days: int) -> tuple[int, int, int]:
    """Return year, month and day. Source: Hinnant, "Low-Level Date Algorithms"."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    return year_of_era + era * 400 + (month <= 2), month, day


def _civil_text(days: int) -> tuple[str, str]:
    """Return a date and its era: there is no year 0, the year before 1 is 1 BC."""
    year, month, day = _civil(days)
    if year > 0:
        return f"{year:04d}-{month:02d}-{day:02d}", ""
    return f"{1 - year:04d}-{month:02d}-{day:02d}", " BC"


def date_text(days: int) -> str:
    if abs(days) == _DATE_INFINITY:
        return "infinity" if days > 0 else "-infinity"
    return "".join(_civil_text(days))


def timestamp_text(micros: int, suffix: str) -> str:
    if abs(micros) == _TIMESTAMP_INFINITY:
        return "infinity" if micros > 0 else "-infinity"
    days, micros_of_day = divmod(micros, _DAY_US)
    date, era = _civil_text(days)
    return f"{date} {clock_text(micros_of_day)}{suffix}{era}"


_DATES: Mapping[tuple[str, bool], str] = {
    ("SQL", True): "{day:02d}/{month:02d}/{year:04d}",
    ("SQL", False): "{month:02d}/{day:02d}/{year:04d}",
    ("German", True): "{day:02d}.{month:02d}.{year:04d}",
    ("German", False): "{day:02d}.{month:02d}.{year:04d}",
    ("Postgres", True): "{day:02d}-{month:02d}-{year:04d}",
    ("Postgres", False): "{month:02d}-{day:02d}-{year:04d}",
}
_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


def _styled_date(days: int, style: Style) -> str:
    if abs(days) == _DATE_INFINITY:
        return "infinity" if days > 0 else "-infinity"
    year, month, day = _civil(days)
    shape = _DATES[style.dates, style.order == "DMY"]
    shown = shape.format(year=year if year > 0 else 1 - year, month=month, day=day)
    return shown if year > 0 else shown + " BC"


def _styled_timestamp(micros: int, suffix: str, style: Style) -> str:
    if abs(micros) == _TIMESTAMP_INFINITY:
        return "infinity" if micros > 0 else "-infinity"
    days, micros_of_day = divmod(micros, _DAY_US)
    clock = clock_text(micros_of_day)
    if style.dates != "Postgres":
        date, _, era = _styled_date(days, style).partition(" ")
        return f"{date} {clock}{suffix}{' BC' if era else ''}"
    year, month, day = _civil(days)
    weekday = _WEEKDAYS[(days + 4) % 7]  # 1970-01-01 was a Thursday.
    named = f"{day:02d} {_MONTHS[month - 1]}"
    if style.order != "DMY":
        named = f"{_MONTHS[month - 1]} {day:02d}"
    era = "" if year > 0 else " BC"
    return f"{weekday} {named} {clock} {year if year > 0 else 1 - year:04d}{suffix}{era}"


def _offsets(instants_us: Cells, zone: tzinfo) -> dict[int, tuple[int, str]]:
    """Return the zone's offset and name in every quarter hour that occurs. Units: microseconds."""
    first_us, last_us = _FIRST_DAY * _DAY_US + _DAY_US, _LAST_DAY * _DAY_US
    offsets: dict[int, tuple[int, str]] = {}
    for quarter in np.unique(instants_us.drop_null().to_numpy() // _QUARTER_US).tolist():
        instant_us = quarter * _QUARTER_US
        # Before the first year a zone is as it was in it; after the last, as 400 years before.
        asked_us = max(instant_us, first_us)
        asked_us -= max(0, -(-(asked_us - last_us) // _CYCLE_US)) * _CYCLE_US
        there = (_EPOCH + timedelta(microseconds=asked_us)).astimezone(zone)
        offset = there.utcoffset() or timedelta()
        name = there.tzname() or ""
        offsets[quarter] = round(offset.total_seconds()) * 1_000_000, name
    return offsets


def offset_text(offset_s: int) -> str:
    sign = "-" if offset_s < 0 else "+"
    hours, rest = divmod(abs(offset_s), 3600)
    minutes, seconds = divmod(rest, 60)
    text = f"{sign}{hours:02d}"
    if minutes or seconds:
        text += f":{minutes:02d}"
    return f"{text}:{seconds:02d}" if seconds else text
