"""A message on its way to rows: what it says, when, and what it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from voltstream.ocpp.charger import Charger
from voltstream.ocpp.frames import Json
from voltstream.ocpp.instants import US_PER_S, read_instant
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.tokens import Verdict
from voltstream.ocpp.vendors import UNKNOWN_VENDOR
from voltstream.ocpp.versions import Version

Row = dict[str, Any]
_QUEUED_US = 3_600 * US_PER_S  # Beyond this a message was queued, not delayed, but for:
_QUARTER_US = 900 * US_PER_S  # a clock that shows the time of another zone, and
_ZONE_US_MAX = 15 * 3_600 * US_PER_S  # the zone that is farthest away.
_ZONE_FINE_US = 60 * US_PER_S


@dataclass(slots=True)
class Draft:
    """One message and the rows it becomes, by relation.

    Shape: ``verdict`` is what the token list says of the token that the message names,
    ``transfer`` what a DataTransfer is answered.
    """

    charger: Charger
    version: Version
    action: str
    payload: Json
    received_us: int
    raw_id: int
    flags: Quality = Quality.OK
    verdict: Verdict = field(default_factory=Verdict)
    heartbeat_s: int = 300
    retry_s: int = 60
    transfer: str = UNKNOWN_VENDOR
    rows: dict[str, list[Row]] = field(default_factory=dict)
    _corrected: tuple[int, int] | None = None  # The last event time asked about, and its offset.

    def add(self, relation: str, **columns: Any) -> None:
        """Add a row; who sent it, when it came and where it stands in the archive are added."""
        row: Row = {
            "charge_point_id": self.charger.name,
            "received_ts": self.received_us,
            "raw_id": self.raw_id,
            "flags": int(self.flags),
        }
        row.update(columns)
        self.rows.setdefault(relation, []).append(row)

    def instant(self, value: object, *, live: bool = False) -> tuple[int, int, Quality]:
        """Return the charger's time, the corrected one, and what is odd about it.

        ``live``: the message was sent when it was written, as far as anybody knows.
        """
        event_us, flags = read_instant(value, self.received_us)
        if live and value is not None:
            self.observe(event_us, flags)
        return event_us, *self.corrected(event_us, flags)

    def observe(self, event_us: int, flags: Quality) -> None:
        """Learn from a message that was sent at once how far the charger's clock is off."""
        usable = not flags & (Quality.TS_INVALID | Quality.CLOCK_UNSET)
        if usable and _may_be_live(self.received_us - event_us):
            self.charger.clock.observe(event_us, self.received_us)
            self._corrected = None

    def corrected(self, event_us: int, flags: Quality) -> tuple[int, Quality]:
        """Set a charger's time right by what is known of its clock."""
        clock = self.charger.clock
        if flags and flags & Quality.CLOCK_UNSET:
            offset_us = clock.unset_us(event_us, self.received_us)
            return event_us + offset_us, flags | Quality.ESTIMATED
        if self._corrected is None or self._corrected[0] != event_us:
            offset_us = clock.correction_us(event_us, self.received_us)
            self._corrected = event_us, offset_us
        offset_us = self._corrected[1]
        if offset_us:
            flags |= Quality.CLOCK_SKEW
        return event_us + offset_us, flags


def _may_be_live(offset_us: int) -> bool:
    """Tell whether a message came at once, by a clock that may be off or of another zone."""
    if abs(offset_us) < _QUEUED_US:
        return True
    beside_us = (offset_us + _QUARTER_US // 2) % _QUARTER_US - _QUARTER_US // 2
    return abs(offset_us) < _ZONE_US_MAX and abs(beside_us) < _ZONE_FINE_US


def text(value: Any) -> str | None:
    """Return a text that says something; chargers send empty ones for what they do not know."""
    return value if isinstance(value, str) and value else None


def whole(value: Any) -> int | None:
    """Return an integer that a BIGINT holds, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return round(value) if abs(value) < 2**63 else None  # Not true of infinity and NaN either.


def small(value: Any) -> int | None:
    """Return an integer that an INTEGER holds, else None."""
    found = whole(value)
    return found if found is not None and abs(found) < 2**31 else None


def part(payload: Json, *path: str) -> Any:
    """Return what lies below, None where nothing does."""
    found: Any = payload
    for step in path:
        if not isinstance(found, dict):
            return None
        found = found.get(step)
    return found
