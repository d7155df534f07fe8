"""How far a charger's clock is off, learned from messages that were sent at once.

A message that waited in the charger's queue seems to be of a slow clock. But it is followed by
others that waited less: no message comes before it was written, so the smaller offset is the truer.

A clock that is set makes an era of its own: what was written before, and comes later because it
waited, has the offset of before. A clock that was never set has no offset that could be learned;
what it dates on one connection shares the smallest that is possible.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from statistics import median

from voltstream.ocpp.instants import US_PER_S

CLOCK_FINE_US = 5 * US_PER_S
_SEEN_KEPT = 15
_AGREEING = 3  # So many observations, over so long, make an offset.
_SPAN_US = 10 * US_PER_S
_ERAS_KEPT = 4  # A queue that outlasts four settings of a clock is dated by the oldest known.
_ALWAYS_US = -(2**62)
_UNSET_WAIT_US_MAX = 31 * 86_400 * US_PER_S  # What would be older is of another power cycle.


@dataclass(frozen=True, slots=True)
class Era:
    """A time without a step. Units: ``since_us`` is the charger's own time at its beginning."""

    since_us: int
    offset_us: int


class ClockOffset:
    """Law: what is emptied from a queue does not change the offset, whatever its rhythm; and it
    gets the offset of when it was written, so far as that is known."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque(maxlen=_SEEN_KEPT)  # When, and the offset.
        self._eras: deque[Era] = deque(maxlen=_ERAS_KEPT)
        self._may_be_right = False
        self._unset_us: int | None = None

    def observe(self, event_us: int, received_us: int) -> None:
        self._unset_us = None
        offset_us = received_us - event_us
        while self._seen and self._seen[-1][1] > offset_us + CLOCK_FINE_US:
            self._seen.pop()
        self._seen.append((received_us, offset_us))
        agreeing = []
        for at_us, one_us in reversed(self._seen):
            if abs(one_us - offset_us) > CLOCK_FINE_US:
                break
            agreeing.append(one_us)
            began_us, began_offset_us = at_us, one_us
        if len(agreeing) >= _AGREEING and received_us - began_us >= _SPAN_US:
            self._settle(round(median(agreeing)), began_us - began_offset_us)

    def _settle(self, offset_us: int, since_us: int) -> None:
        self._may_be_right = False
        if not self._eras:
            self._eras.append(Era(_ALWAYS_US, offset_us))
        elif abs(self._eras[-1].offset_us - offset_us) <= CLOCK_FINE_US:
            self._eras[-1] = replace(self._eras[-1], offset_us=offset_us)
        else:
            self._eras.append(Era(since_us, offset_us))

    def recall(self, offset_us: int) -> None:
        """Go on with what was known before a restart."""
        self._eras.clear()
        self._eras.append(Era(_ALWAYS_US, offset_us))

    def connected(self) -> None:
        """Begin anew with what was never set: between connections the charger may have been off."""
        self._unset_us = None

    def told(self) -> None:
        """Note that the charger was told the time or says that it set its clock: what seems to be
        right from now on is right."""
        self._may_be_right = True

    def offset_us(self) -> int:
        """Return what must be added to the charger's times now; 0 while it is small."""
        return _worth(self._eras[-1].offset_us) if self._eras else 0

    def correction_us(self, event_us: int, received_us: int) -> int:
        """Return what must be added to the time of one message; 0 while it is small."""
        seen_us = received_us - event_us
        if self._may_be_right and abs(seen_us) < CLOCK_FINE_US:
            return 0
        for era in reversed(self._eras):
            # An offset that puts a message after its arrival is not the one it was written with.
            possible = era.offset_us <= seen_us + CLOCK_FINE_US
            if possible and event_us + CLOCK_FINE_US >= era.since_us:
                return _worth(era.offset_us)
        return 0 if not self._eras and seen_us > 0 else _worth(seen_us)

    def unset_us(self, event_us: int, received_us: int) -> int:
        """Return what must be added to a time of a clock that was never set."""
        seen_us = received_us - event_us
        known_us = self._unset_us
        if known_us is None or not known_us < seen_us < known_us + _UNSET_WAIT_US_MAX:
            self._unset_us = known_us = seen_us
        return known_us


def _worth(offset_us: int) -> int:
    return offset_us if abs(offset_us) >= CLOCK_FINE_US else 0
