"""CSV of head-ends: tall (a reading a row) or wide (a day a row, a column for each interval)."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from voltstream.core.metering import MeterForm
from voltstream.formats.metering import quality
from voltstream.formats.metering.channels import of_name
from voltstream.formats.metering.fields import Given, Names, Reader, names_of
from voltstream.formats.metering.numbers import number
from voltstream.formats.metering.records import Fault, Found, Reading, Unreadable
from voltstream.formats.metering.times import SECOND_US, Times, parsed

# What a column of a day's interval is called: 00:15, 0015, h1, he01, v96, interval_4, int12.
_SLOT = re.compile(
    r"(?:\d{1,2}:\d{2}(?::\d{2})?|\d{4}|(?:h|he|hr|v|i|int|interval|slot|kwh)[_ ]?\d{1,3})"
)
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class _Day:
    """How wide rows are laid out: which columns are intervals, in order, and how long each is."""

    slots: Sequence[int]
    length_s: int


def read(lines: list[tuple[int, str]], form: MeterForm, *, events: bool) -> Found:
    """Read a file with its header line."""
    found = Found()
    reader = Reader(form)
    rows = _rows(lines, form, found)
    header = next(rows, None)
    if header is None:
        return found
    place, line, fields = header
    try:
        day = None if events else _laid_out(fields, form)
        slots = frozenset() if day is None else frozenset(day.slots)
        named = ["" if at in slots else name for at, name in enumerate(fields)]
        names = names_of(named, form)
        if "meter_id" not in names.fields:
            raise Unreadable("the header names no column that is a meter")
    except Unreadable as error:
        whole = "\n".join(text for _, text in lines).encode()
        found.faults.append(Fault(place, whole, error.message))
        return found
    width = len(fields)
    wide = None if day is None else _Wide(day, names, form, reader)
    for place, line, record in rows:
        try:
            if len(record) != width and not (wide is not None and len(record) < width):
                raise Unreadable(f"{len(record)} fields where {width} are expected")
            if wide is not None:
                found.readings += wide.readings(record)
            elif events:
                found.events.append(reader.event(names, record))
            else:
                found.readings += reader.readings(names, record)
        except Unreadable as error:
            found.faults.append(Fault(place, line.encode(), error.message))
    return found


def _rows(
    lines: list[tuple[int, str]], form: MeterForm, found: Found
) -> Iterator[tuple[int, str, list[str]]]:
    for place, line in lines:
        try:
            if line.count('"') % 2:
                raise Unreadable("a quote is opened and not closed")
            [fields] = csv.reader([line], delimiter=form.delimiter)
        except (csv.Error, Unreadable) as error:
            told = error.message if isinstance(error, Unreadable) else str(error)
            found.faults.append(Fault(place, line.encode(), told))
            continue
        yield place, line, fields


def _laid_out(header: Sequence[str], form: MeterForm) -> _Day | None:
    """Tell whether rows are days. Raises: Unreadable when their intervals have no length."""
    slots = [place for place, name in enumerate(header) if _SLOT.fullmatch(name.strip().lower())]
    if len(slots) < 23:
        return None
    length_s = form.interval_s
    if not length_s:
        # A header may have columns for the longest day (25 hours) or the usual one.
        lengths = (3600, 1800, 900, 300)
        fits = (s for s in lengths if len(slots) in (_DAY_S // s, (_DAY_S + 3600) // s))
        length_s = next(fits, 0)
    if not length_s:
        raise Unreadable(f"{len(slots)} columns are no day of intervals; say interval_s")
    return _Day(slots, length_s)


class _Wide:
    """Reads days.

    Law: on a day of 23 or 25 hours the values stand in the order in which they were measured; where
    a row has the usual 24 hours of a 23-hour day, those of the hour that was not are empty. A row
    that fits neither is refused: no value is guessed to be another's.
    """

    def __init__(self, day: _Day, names: Names, form: MeterForm, reader: Reader) -> None:
        self._day = day
        self._names = names
        self._form = form
        self._times: Times = reader.times

    def readings(self, record: Sequence[str]) -> Iterator[Reading]:
        get = Given(self._names, record)
        meter_id = get("meter_id")
        if not meter_id:
            raise Unreadable("the record names no meter")
        measured = of_name(get("channel"), get("unit"))
        local = parsed(get("stamp") or get("interval_start"), self._form.date_order).date()
        begin_us, end_us = self._times.day(local)
        length_us = self._day.length_s * SECOND_US
        values = [record[place].strip() if place < len(record) else "" for place in self._day.slots]
        while values and not values[-1]:
            values.pop()
        values = self._fitted(values, (end_us - begin_us) // length_us, local)
        said = get("quality")
        judged = quality.word(said, estimated=get("estimated").lower() in ("true", "1", "y"))
        received = get("received_at")
        received_us = self._times.read(received, "received") if received else None
        head_end = get("head_end") or self._form.head_end
        found = []
        for slot, text in enumerate(values):
            if not text or number(text) in self._form.sentinels:
                continue
            start_us = begin_us + slot * length_us
            found.append(
                Reading(
                    meter_id,
                    measured.channel,
                    start_us,
                    start_us + length_us,
                    number(text, measured.exponent),
                    measured.unit,
                    judged,
                    said,
                    get("channel"),
                    received_us,
                    head_end,
                )
            )
        return iter(found)

    def _fitted(self, values: list[str], count: int, local: date) -> list[str]:
        usual = _DAY_S // self._day.length_s
        gap = self._times.gap(local) if count < usual else None
        if gap is not None:
            first, last = (int(at.total_seconds()) // self._day.length_s for at in gap)
            if len(values) > first and not any(values[first:last]):
                return values[:first] + values[last:]
        if len(values) > count or (count > usual and len(self._day.slots) < count):
            raise Unreadable(f"{len(values)} values for a day of {count} intervals")
        return values
