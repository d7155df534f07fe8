"""Dates, times and intervals as PostgreSQL's ISO text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from voltstream.pgwire.arrow import EMPTY_TEXT, Cells, pc

_DAY_US = 86_400_000_000
_QUARTER_US = 900_000_000
_STRINGS = pa.large_string()

# Arrow spells the years 1 to 9999 as PostgreSQL does; beyond them both have their own ways.
_FIRST_DAY = -719_162  # 0001-01-01
_LAST_DAY = 2_932_896  # 9999-12-31

# The store's infinities (DuckDB, date.hpp and timestamp.hpp).
_DATE_INFINITY = 2**31 - 1
_TIMESTAMP_INFINITY = 2**63 - 1


def date_texts(array: Cells) -> Cells:
    """Spell a column of dates."""
    days = array.cast(pa.date32()).cast(pa.int32())
    if _within(days, _FIRST_DAY, _LAST_DAY):
        return array.cast(_STRINGS)
    return _per_number(days, _date_text)


def time_texts(array: Cells, suffix: str) -> Cells:
    """Spell a column of times; ``suffix`` is a fixed zone or nothing."""
    return _suffixed(_trimmed(array.cast(pa.time64("us")).cast(_STRINGS)), suffix)


def timestamp_texts(array: Cells, suffix: str = "") -> Cells:
    """Spell a column of timestamps without zone."""
    instants = array.cast(pa.timestamp("us"), safe=False)  # PostgreSQL keeps microseconds only.
    micros = instants.cast(pa.int64())
    if _within(micros, _FIRST_DAY * _DAY_US, (_LAST_DAY + 1) * _DAY_US - 1):
        return _suffixed(_trimmed(instants.cast(_STRINGS)), suffix)
    return _per_number(micros, lambda us: _timestamp_text(us, suffix))


def timestamptz_texts(array: Cells, zone: str) -> Cells:
    """Spell a column of instants in the session's zone."""
    instants = array.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64())
    if zone.upper() in ("UTC", "ETC/UTC", "GMT", "Z"):
        return timestamp_texts(instants.cast(pa.timestamp("us")), "+00")
    # Offsets change at full quarter hours, so one look-up serves a whole quarter.
    offset_of = _offsets_us(instants, ZoneInfo(zone))

    def spell(instant_us: int) -> str:
        offset_us = offset_of.get(instant_us // _QUARTER_US, 0)
        return _timestamp_text(instant_us + offset_us, _offset_text(offset_us // 1_000_000))

    return _per_number(instants, spell)


def interval_text(months: int, days: int, micros: int) -> str:
    """Spell an interval in IntervalStyle postgres."""
    parts: list[str] = []
    before_negative = False
    years, months = _divided(months, 12)
    for count, unit in ((years, "year"), (months, "mon"), (days, "day")):
        if count:
            # A plus is printed only where it ends a run of minus signs.
            sign = "+" if before_negative and count > 0 else ""
            parts.append(f"{sign}{count} {unit}{'' if count == 1 else 's'}")
            before_negative = count < 0
    if micros or not parts:
        sign = "-" if micros < 0 else "+" if before_negative else ""
        parts.append(sign + clock_text(abs(micros)))
    return " ".join(parts)


def clock_text(micros: int) -> str:
    """Spell a time of day or a longer span as hh:mm:ss with its fraction trimmed."""
    seconds, fraction = divmod(micros, 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}".rstrip("0") if fraction else text


def _divided(number: int, divisor: int) -> tuple[int, int]:
    """Divide towards zero, as C does."""
    quotient = abs(number) // divisor * (1 if number >= 0 else -1)
    return quotient, number - quotient * divisor


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


def _date_text(days: int) -> str:
    if abs(days) == _DATE_INFINITY:
        return "infinity" if days > 0 else "-infinity"
    return "".join(_civil_text(days))


def _timestamp_text(micros: int, suffix: str) -> str:
    if abs(micros) == _TIMESTAMP_INFINITY:
        return "infinity" if micros > 0 else "-infinity"
    days, micros_of_day = divmod(micros, _DAY_US)
    date, era = _civil_text(days)
    return f"{date} {clock_text(micros_of_day)}{suffix}{era}"


def _offsets_us(instants_us: Cells, zone: ZoneInfo) -> dict[int, int]:
    """Return the zone's offset of every quarter hour that occurs. Units: microseconds."""
    first_us, last_us = _FIRST_DAY * _DAY_US + _DAY_US, _LAST_DAY * _DAY_US
    offsets: dict[int, int] = {}
    for quarter in np.unique(instants_us.drop_null().to_numpy() // _QUARTER_US).tolist():
        instant_us = quarter * _QUARTER_US
        if first_us <= instant_us <= last_us:
            instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant_us)
            offset = instant.astimezone(zone).utcoffset() or timedelta()
            offsets[quarter] = round(offset.total_seconds()) * 1_000_000
    return offsets


def _offset_text(offset_s: int) -> str:
    sign = "-" if offset_s < 0 else "+"
    hours, rest = divmod(abs(offset_s), 3600)
    minutes, seconds = divmod(rest, 60)
    text = f"{sign}{hours:02d}"
    if minutes or seconds:
        text += f":{minutes:02d}"
    return f"{text}:{seconds:02d}" if seconds else text
