"""Time is handed in, never taken."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the engine knows of time."""

    def now_us(self) -> int:
        """Return the wall clock. Units: microseconds since 1970-01-01 UTC."""

    def monotonic_s(self) -> float:
        """Return a clock that never goes back. Units: seconds."""


class SystemClock:
    """The machine's clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that moves when told to: for tests and replays."""

    def __init__(self, now_us: int = 0) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def monotonic_s(self) -> float:
        return self._now_us / 1e6

    def set(self, instant: datetime) -> None:
        """Move to an instant; a naive one is read as UTC."""
        aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        self._now_us = round(aware.timestamp() * 1e6)

    def advance(self, seconds: float) -> None:
        self._now_us += round(seconds * 1e6)
