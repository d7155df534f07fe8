"""Numbers as meters write them."""

from __future__ import annotations

import math
import re

from voltstream.formats.metering.records import Unreadable

_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")


def number(text: str, exponent: int = 0) -> float:
    """Return a finite number times a power of ten, rounded once. Raises: Unreadable."""
    written = text.strip()
    try:
        value = (
            float(f"{written}e{exponent}")
            if _PLAIN.fullmatch(written)
            else float(written) * 10.0**exponent
        )
    except (ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value) or "_" in written:
        raise Unreadable(f'cannot read "{text[:80]}" as a number')
    return value


def whole(text: str, what: str) -> int:
    """Return a whole number. Raises: Unreadable."""
    written = text.strip()
    if len(written) > 18 or not re.fullmatch(r"[+-]?\d+", written, re.ASCII):
        raise Unreadable(f'cannot read "{text[:80]}" as {what}')
    return int(written)
