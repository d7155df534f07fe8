"""CMEP interval data: a line is a meter's values as triplets of time, quality and value.

Source: California Metering Exchange Protocol, record MEPMD01. A time is the end of its interval;
a triplet without one follows the triplet before it.
"""

from __future__ import annotations

import csv

from voltstream.core.metering import MeterForm
from voltstream.formats.metering import quality
from voltstream.formats.metering.channels import Measured, of_unit
from voltstream.formats.metering.numbers import number, whole
from voltstream.formats.metering.records import Fault, Found, Reading, Unreadable
from voltstream.formats.metering.times import SECOND_US, Times

_SENT, _METER, _COMMODITY, _UNITS, _CONSTANT, _INTERVAL, _COUNT, _FIRST = (
    6,
    7,
    9,
    10,
    11,
    12,
    13,
    14,
)
_MINUTE_S = 60


def read(lines: list[tuple[int, str]], form: MeterForm) -> Found:
    """Read lines, each with its number; a triplet that cannot be read costs itself alone."""
    found = Found()
    times = Times(form.zone, form.dst, form.date_order)
    for place, line in lines:
        try:
            _line(line, place, times, form, found)
        except (Unreadable, csv.Error) as error:
            told = error.message if isinstance(error, Unreadable) else str(error)
            found.faults.append(Fault(place, line.encode(), told))
    return found


def _line(line: str, place: int, times: Times, form: MeterForm, found: Found) -> None:
    [fields] = csv.reader([line])
    if fields[0].strip().upper() != "MEPMD01":
        raise Unreadable(f'a record "{fields[0][:20]}" is no interval data (MEPMD01)')
    if len(fields) < _FIRST:
        raise Unreadable(f"{len(fields)} fields where {_FIRST} come before the values")
    meter_id = fields[_METER].strip()
    if not meter_id:
        raise Unreadable("the record names no meter")
    length_us = _interval_s(fields[_INTERVAL]) * SECOND_US
    measured = _measured(fields, length_us)
    constant = number(fields[_CONSTANT] or "1")
    count = whole(fields[_COUNT], "a count")
    triplets = fields[_FIRST:]
    if len(triplets) < 3 * count:
        raise Unreadable(f"{len(triplets) // 3} triplets where {count} are announced")
    sent = fields[_SENT].strip()
    sent_us = times.read(sent, "sent") if sent else None
    series = (meter_id, measured.channel)
    at_us: int | None = None
    for first in range(0, 3 * count, 3):
        stamp, code, text = (part.strip() for part in triplets[first : first + 3])
        try:
            if stamp:
                at_us = None  # Where it cannot be read nothing follows it.
                at_us = times.read(stamp, series)
            elif at_us is None:
                raise Unreadable("it follows no triplet with a time")
            else:
                at_us += length_us
            if not text:
                continue  # A gap; the next triplet follows it in time.
            start_us, end_us = _span(at_us, length_us, form)
            value = number(text, measured.exponent)
            found.readings.append(
                Reading(
                    meter_id,
                    measured.channel,
                    start_us,
                    end_us,
                    value * constant if constant != 1 else value,
                    measured.unit,
                    quality.word(code),
                    code,
                    "",
                    sent_us,
                    form.head_end or fields[2].strip(),
                )
            )
        except Unreadable as error:
            raw = ",".join(triplets[first : first + 3]).encode()
            found.faults.append(Fault(place, raw, f"triplet {first // 3 + 1}: {error.message}"))


def _span(at_us: int, length_us: int, form: MeterForm) -> tuple[int, int]:
    return (at_us - length_us, at_us) if form.stamp == "end" else (at_us, at_us + length_us)


def _measured(fields: list[str], length_us: int) -> Measured:
    """Return what the units say. Shape: KWH, KWHREG, KVARH-D, … ; R or REC turns the direction."""
    unit = fields[_UNITS].strip().upper()
    for ending in ("REG", "-REG", "_REG"):
        unit = unit.removesuffix(ending)
    direction = "delivered"
    for ending in ("-REC", "_REC", "-R", "_R", "-D", "_D"):
        if unit.endswith(ending):
            unit = unit.removesuffix(ending)
            direction = "delivered" if ending.endswith("D") else "received"
    measured = of_unit(direction, unit)
    if length_us or not measured.is_interval:
        return measured
    return measured.counted()


def _interval_s(text: str) -> int:
    """Read MMDDHHMM; a month has no length that could be meant."""
    written = text.strip() or "0"
    whole(written, "an interval")
    padded = written.zfill(8)
    months, days, hours, minutes = (int(padded[at : at + 2]) for at in (0, 2, 4, 6))
    if months or len(padded) != 8:
        raise Unreadable(f'cannot read "{text[:20]}" as an interval (MMDDHHMM)')
    return ((days * 24 + hours) * 60 + minutes) * _MINUTE_S
