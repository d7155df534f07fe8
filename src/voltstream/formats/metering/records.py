"""Readings, events and faults, as every codec gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Reading(NamedTuple):
    """One value of one channel of a meter.

    Units: microseconds since 1970-01-01 UTC; ``value`` in ``unit``. Shape: an interval has
    ``start_us`` < ``end_us``; a register or an instant has them equal.
    """

    meter_id: str
    channel: str
    start_us: int
    end_us: int
    value: float
    unit: str
    quality: str
    source_quality: str = ""
    reading_type: str = ""
    received_us: int | None = None
    head_end: str = ""


class Event(NamedTuple):
    """Something a meter told. Units: microseconds since 1970-01-01 UTC."""

    meter_id: str
    raw_code: str
    raw_desc: str
    type_code: str
    occurred_us: int
    received_us: int | None = None
    severity: str = ""
    head_end: str = ""
    details: str = "{}"


class Fault(NamedTuple):
    """A part of a record that could not be read. Shape: ``line`` counts from 1."""

    line: int
    raw: bytes
    reason: str


@dataclass(slots=True)
class Found:
    """What one record held."""

    readings: list[Reading] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class Unreadable(Exception):
    """A part of a record that is not what its format says; it becomes a dead letter."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
