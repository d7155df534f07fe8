"""How far a charger's clock is off, learned from messages that were sent at once.

A message that waited in the charger's queue seems to be of a slow clock. But it is followed by
others that waited less: no message comes before it was written, so the smaller offset is the truer.
"""

from __future__ import annotations

from collections import deque
from statistics import median

from voltstream.ocpp.instants import US_PER_S

CLOCK_FINE_US = 5 * US_PER_S
_SEEN_KEPT = 15
_AGREEING = 3  # So many observations, over so long, make an offset.
_SPAN_US = 10 * US_PER_S


class ClockOffset:
    """Law: what is emptied from a queue does not change the offset, whatever its rhythm."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque(maxlen=_SEEN_KEPT)  # When, and the offset.
        self._settled_us = 0

    def observe(self, event_us: int, received_us: int) -> None:
        offset_us = received_us - event_us
        while self._seen and self._seen[-1][1] > offset_us + CLOCK_FINE_US:
            self._seen.pop()
        self._seen.append((received_us, offset_us))
        agreeing = []
        for at_us, one_us in reversed(self._seen):
            if abs(one_us - offset_us) > CLOCK_FINE_US:
                break
            agreeing.append(one_us)
            began_us = at_us
        if len(agreeing) >= _AGREEING and received_us - began_us >= _SPAN_US:
            self._settled_us = round(median(agreeing))

    def offset_us(self) -> int:
        """Return what must be added to the charger's times; 0 while it is small."""
        return self._settled_us if abs(self._settled_us) >= CLOCK_FINE_US else 0
