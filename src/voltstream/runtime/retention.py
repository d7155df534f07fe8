"""How long rows are kept, as a ``retention`` property says."""

from __future__ import annotations

import re
from collections.abc import Mapping

from voltstream.core.errors import InvalidParameter

_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(
    r"\s*(\d+)\s*(s|sec|second|m|min|minute|h|hour|d|day|w|week)s?\s*", re.IGNORECASE
)


def retention_s(text: str | None, fallback_s: int) -> int | None:
    """Read a ``retention`` property; None means for ever, as does one that cannot be read."""
    if text is None:
        return fallback_s
    found = _DURATION.fullmatch(text)
    return int(found[1]) * _UNITS_S[found[2][0].lower()] if found else None


def check_retention(properties: Mapping[str, str]) -> None:
    """Raises: InvalidParameter (22023)."""
    text = properties.get("retention")
    if text is None or text.strip().lower() == "none" or _DURATION.fullmatch(text):
        return
    raise InvalidParameter(
        f'invalid value for parameter "retention": "{text}"',
        hint="Write a number of seconds, minutes, hours, days or weeks, or 'none'.",
    )
