"""A clock that stands where a replay stands."""

from __future__ import annotations

import time


class ReplayClock:
    """The time of day of a recording; waiting is still done in real seconds.

    It stands at the instant up to which every recorded row is durable, and moves only when told:
    were it to run ahead of the rows, "nothing heard for ten minutes" would be true of a slow
    machine and not of a charger.
    """

    def __init__(self, start_s: float) -> None:
        self._now_us = round(start_s * 1e6)

    def now_us(self) -> int:
        return self._now_us

    def monotonic_s(self) -> float:
        return time.monotonic()

    def reach(self, instant_s: float) -> None:
        """Move on to an instant; never back."""
        self._now_us = max(self._now_us, round(instant_s * 1e6))
