"""Time zones of sessions: those of the IANA database, and fixed offsets."""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

# POSIX, as PostgreSQL shows it: the name, then the offset with west as positive.
_FIXED = re.compile(r"<([+-])(\d\d):(\d\d)>.*")


def fixed_zone(minutes: int) -> str:
    """Return the name of a zone so many minutes east of Greenwich."""
    hours, rest = divmod(abs(minutes), 60)
    east, west = ("+", "-") if minutes >= 0 else ("-", "+")
    return f"<{east}{hours:02d}:{rest:02d}>{west}{hours:02d}:{rest:02d}"


@lru_cache(256)
def zone_of(name: str) -> tzinfo:
    """Return a session's zone."""
    found = _FIXED.fullmatch(name)
    if found is None:
        return ZoneInfo(name)
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    shown = f"{found[1]}{found[2]}:{found[3]}"
    return timezone(-offset if found[1] == "-" else offset, shown)


def store_zone(name: str) -> str:
    """Return a session's zone as the store names it."""
    found = _FIXED.fullmatch(name)
    return name if found is None else f"GMT{found[1]}{found[2]}:{found[3]}"
