"""Timestamps of chargers: whatever ISO 8601 they write, as microseconds UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from voltstream.ocpp.quality import Quality

US_PER_S = 1_000_000
_UNSET_BEFORE_US = 1_262_304_000 * US_PER_S  # 2010-01-01: no charger of today was built before.
_AHEAD_US = 3_600 * US_PER_S
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"\s*(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
    r"\s*(?:([Zz])|([+-])(\d\d):?(\d\d)?)?\s*"
)


def read_instant(value: object, received_us: int) -> tuple[int, Quality]:
    """Return a charger's time; ours, flagged, when it gives none that can be read.

    Units: microseconds since 1970-01-01 UTC.
    """
    if not isinstance(value, str):
        return received_us, Quality.TS_INVALID if value is not None else Quality.OK
    found = _ISO.fullmatch(value)
    if found is None:
        return received_us, Quality.TS_INVALID
    try:
        at_us = _microseconds(found)
    except (ValueError, OverflowError):
        return received_us, Quality.TS_INVALID
    flags = Quality.OK if found[8] or found[9] else Quality.TS_NO_ZONE
    return at_us, flags | unset(at_us, received_us)


def unset(at_us: int, received_us: int) -> Quality:
    """Tell whether an instant is of a clock that was never set: long ago, or yet to come."""
    is_unset = at_us < _UNSET_BEFORE_US or at_us > received_us + _AHEAD_US
    return Quality.CLOCK_UNSET if is_unset else Quality.OK


def _microseconds(found: re.Match[str]) -> int:
    year, month, day, hour, minute = (int(found[index]) for index in range(1, 6))
    second = int(found[6] or 0)
    if (hour == 24 and (minute or second)) or second > 60 or minute > 59 or hour > 24:
        raise ValueError("no such time of day")
    midnight = datetime(year, month, day, tzinfo=UTC)
    # A leap second is the first of the next minute, and 24:00 the first of the next day.
    passed = timedelta(hours=hour, minutes=minute, seconds=second)
    fraction_us = int((found[7] or "0")[:6].ljust(6, "0"))
    offset = timedelta(hours=int(found[10] or 0), minutes=int(found[11] or 0))
    if offset >= timedelta(hours=24):
        raise ValueError("no such offset")
    at = midnight - _EPOCH + passed - (offset if found[9] != "-" else -offset)
    at_us = at // timedelta(microseconds=1) + fraction_us
    if not -62_135_596_800 <= at_us // US_PER_S < 253_402_300_800:
        raise ValueError("beyond the years 1 to 9999")
    return at_us


def spell_instant(at_us: int) -> str:
    """Spell an instant as OCPP wants it: UTC, milliseconds, Z."""
    at = _EPOCH + timedelta(microseconds=at_us)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
