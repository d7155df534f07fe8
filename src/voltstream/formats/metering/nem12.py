"""NEM12 interval data: rows of Australia's market, a meter's day each.

Source: AEMO, Meter Data File Format NEM12. Times are of the market (UTC+10) all year, values
stand in the order of their intervals from midnight. Row 200 says what the rows 300 after it
measure; row 400 says how good parts of the day before it are.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from voltstream.core.metering import MeterForm
from voltstream.formats.metering import quality
from voltstream.formats.metering.channels import Measured, of_unit
from voltstream.formats.metering.numbers import number, whole
from voltstream.formats.metering.records import Fault, Found, Reading, Unreadable
from voltstream.formats.metering.times import SECOND_US, Times, parsed

_DAY_S = 86_400
_LENGTHS_S = frozenset({60, 300, 900, 1800})
# The first letter of a data stream: what is measured in which direction.
_STREAMS: Mapping[str, str] = {
    "A": "delivered", "E": "delivered", "D": "delivered", "N": "net", "Q": "delivered",
    "P": "delivered", "L": "delivered", "B": "received", "F": "received", "K": "received",
    "J": "received", "R": "received",
}  # fmt: skip


def read(lines: list[tuple[int, str]], form: MeterForm) -> Found:
    """Read the rows of a file; a day that cannot be read costs itself alone."""
    return _File(form).read(lines)


class _File:
    def __init__(self, form: MeterForm) -> None:
        self._form = form
        self._times = Times(form.zone, form.dst, form.date_order)
        self._found = Found()
        self._head_end = form.head_end
        self._sent_us: int | None = None
        self._meter: tuple[str, Measured, int, str] | None = None
        self._day: list[Reading | None] = []  # The last day: what a row 400 may still say of it.

    def read(self, lines: list[tuple[int, str]]) -> Found:
        for place, line in lines:
            try:
                [fields] = csv.reader([line])
                self._row([part.strip() for part in fields])
            except (Unreadable, csv.Error) as error:
                told = error.message if isinstance(error, Unreadable) else str(error)
                self._found.faults.append(Fault(place, line.encode(), told))
        self._close_day()
        return self._found

    def _row(self, fields: list[str]) -> None:
        match fields[0]:
            case "100":
                self._close_day()
                self._meter = None
                self._head_end = self._form.head_end or _part(fields, 3)
                sent = _part(fields, 2)
                self._sent_us = self._times.read(sent) if sent else None
            case "200":
                self._close_day()
                self._meter = None  # Where it cannot be read its days must not be another's.
                self._meter = self._described(fields)
            case "300":
                self._close_day()
                self._day = self._read_day(fields)
            case "400":
                self._remark(fields)
            case "500" | "550":
                return
            case "900":
                self._close_day()
                self._meter = None
            case other:
                raise Unreadable(f'"{other[:20]}" is no row of NEM12')

    def _described(self, fields: list[str]) -> tuple[str, Measured, int, str]:
        if len(fields) < 9:
            raise Unreadable(f"row 200 has {len(fields)} fields where 9 are needed")
        point, stream = fields[1], fields[4] or fields[3]
        if not point:
            raise Unreadable("row 200 names no NMI")
        length_s = whole(fields[8], "minutes") * 60
        if length_s not in _LENGTHS_S:
            raise Unreadable(f"an interval of {length_s // 60} minutes is none of NEM12")
        measured = of_unit(_STREAMS.get(stream[:1].upper(), "delivered"), fields[7])
        if stream[1:] not in ("", "1"):  # Another register of the same point is not the first.
            measured = replace(measured, channel=f"{measured.channel}_{stream[1:]}")
        return point, measured, length_s, stream

    def _read_day(self, fields: list[str]) -> list[Reading | None]:
        if self._meter is None:
            raise Unreadable("row 300 follows no row 200 that could be read")
        meter_id, measured, length_s, stream = self._meter
        count = _DAY_S // length_s
        if len(fields) < count + 3:
            raise Unreadable(f"row 300 has {len(fields)} fields where {count + 3} are needed")
        method = fields[count + 2]
        updated = _part(fields, count + 5)
        received_us = self._times.read(updated) if updated else self._sent_us
        midnight = parsed(fields[1]).replace(tzinfo=None)
        said = "ACTUAL" if method[:1] == "V" else quality.nem12(method)
        day: list[Reading | None] = []
        for slot in range(count):
            start_us = self._times.of(midnight + timedelta(seconds=slot * length_s))
            text = fields[slot + 2]
            day.append(
                Reading(
                    meter_id,
                    measured.channel,
                    start_us,
                    start_us + length_s * SECOND_US,
                    number(text, measured.exponent),
                    measured.unit,
                    said,
                    method,
                    stream,
                    received_us,
                    self._head_end,
                )
                if text
                else None
            )
        return day

    def _remark(self, fields: list[str]) -> None:
        if not self._day:
            raise Unreadable("row 400 follows no row 300 that could be read")
        first = whole(_part(fields, 1), "an interval")
        last = whole(_part(fields, 2), "an interval")
        method = _part(fields, 3)
        if not 1 <= first <= last <= len(self._day) or not method:
            raise Unreadable(f"row 400 is about intervals {first} to {last} of {len(self._day)}")
        for slot in range(first - 1, last):
            reading = self._day[slot]
            if reading is not None:
                self._day[slot] = reading._replace(
                    quality=quality.nem12(method), source_quality=method
                )

    def _close_day(self) -> None:
        # A value of quality N is a placeholder: there was no reading.
        self._found.readings += [r for r in self._day if r is not None and r.quality != "MISSING"]
        self._day = []


def _part(fields: list[str], place: int) -> str:
    return fields[place] if place < len(fields) else ""
