"""How long a view keeps what it keeps of its inputs: WITH (state_ttl = '1 day')."""

from __future__ import annotations

from collections.abc import Mapping

from voltstream.core.errors import InvalidDatetime, InvalidParameter
from voltstream.sql.natives.intervals import parse_interval

_DAY_US = 86_400_000_000


def state_ttl_us(properties: Mapping[str, str]) -> int | None:
    """Return the time to live in microseconds. Raises: InvalidParameter (22023)."""
    text = properties.get("state_ttl")
    if text is None:
        return None
    try:
        span = parse_interval(text)
    except InvalidDatetime:
        raise _invalid(text) from None
    total = span.days * _DAY_US + span.us
    if span.months or total <= 0:
        raise _invalid(text)
    return total


def _invalid(text: str) -> InvalidParameter:
    return InvalidParameter(
        f'invalid value for parameter "state_ttl": "{text}"',
        hint="Write an interval of seconds, minutes, hours, days or weeks.",
    )
