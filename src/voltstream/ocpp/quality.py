"""What is remarkable about a row: a bit each, so that a row is kept and its faults are told."""

from __future__ import annotations

from enum import IntFlag


class Quality(IntFlag):
    """Bits of the column ``flags``. The numbers are stored: they never change."""

    OK = 0
    COERCED = 1 << 0
    DEFAULTED = 1 << 1
    UNKNOWN_UNIT = 1 << 2
    UNKNOWN_MEASURAND = 1 << 3
    NONFINITE = 1 << 4
    NEG_DELTA = 1 << 5
    REG_RESET = 1 << 6
    ROLLOVER = 1 << 7
    SESSION_RELATIVE = 1 << 8
    PLACEHOLDER_ZERO = 1 << 9
    IMPLAUSIBLE = 1 << 10
    OUT_OF_WINDOW = 1 << 11
    LATE = 1 << 12
    OFFLINE = 1 << 13
    DUPLICATE = 1 << 14
    CLOCK_SKEW = 1 << 15
    ORPHAN = 1 << 16
    ESTIMATED = 1 << 17
    SIGNED_UNVERIFIED = 1 << 18
    SIGNED_OK = 1 << 19
    SIGNED_BAD = 1 << 20
    OVERLENGTH = 1 << 21
    UNKNOWN_ENUM = 1 << 22
    EXTRA_FIELD = 1 << 23
    TS_NO_ZONE = 1 << 24
    TS_INVALID = 1 << 25
    UNIT_SUSPECT = 1 << 26
    MISSING_FIELD = 1 << 27
    STOP_CONFLICT = 1 << 28
    SEQ_CONFLICT = 1 << 29
    CLOCK_UNSET = 1 << 30
    PUBLIC_KEY_CHANGED = 1 << 31


NOT_BILLABLE = (
    Quality.UNKNOWN_UNIT
    | Quality.NONFINITE
    | Quality.PLACEHOLDER_ZERO
    | Quality.IMPLAUSIBLE
    | Quality.DUPLICATE
    | Quality.SIGNED_BAD
)


def names(flags: int) -> list[str]:
    """Spell a set of bits."""
    return [flag.name for flag in Quality if flag & flags and flag.name is not None]
