"""Records of named fields, as JSON lines and tall CSV have them, to readings and events.

Shape: a record is tall (a channel's value) or wide (a column per channel); fields are found by
the names that feeds use for them, case, blanks and punctuation aside.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from voltstream.core.metering import MeterForm
from voltstream.formats.metering import quality
from voltstream.formats.metering.channels import COLUMNS, Measured, of_name
from voltstream.formats.metering.numbers import number, whole
from voltstream.formats.metering.records import Event, Reading, Unreadable
from voltstream.formats.metering.times import SECOND_US, Times

_ALIASES: Mapping[str, tuple[str, ...]] = {
    "meter_id": (
        "meterid", "meter", "meternumber", "meterno", "meternum", "serial", "serialnumber",
        "deviceid", "device", "enddevice", "nmi", "meterserialnumber",
    ),
    "channel": ("channel", "register", "obis", "readingtype", "measure", "measurand", "suffix"),
    "interval_start": ("intervalstart", "start", "starttime", "startts", "from", "periodstart"),
    "interval_end": ("intervalend", "end", "endtime", "endts", "to", "periodend"),
    "stamp": ("timestamp", "time", "datetime", "ts", "readtime", "readingtime", "date"),
    "clock": ("hour", "hourending", "clock", "timeofday"),
    "interval": ("intervals", "intervallength", "lengths", "duration"),
    "value": ("value", "reading", "usage", "quantity"),
    "unit": ("unit", "uom", "units"),
    "quality": ("quality", "flag", "status", "validation", "qualitycode", "sourcequality"),
    "estimated": ("estimatedflag", "estimated", "isestimated"),
    "received_at": ("receivedat", "received", "readts", "receivedts", "insertedat", "collectedat"),
    "head_end": ("headend", "hes", "source"),
    "consumption_kwh": ("consumptionkwh", "consumption"),
    "raw_code": ("rawcode", "eventcode", "code", "eventid", "eventtype"),
    "raw_desc": ("rawdesc", "eventdesc", "description", "message", "desc", "reason"),
    "type_code": ("typecode", "cimcode", "enddeviceeventtype"),
    "occurred_at": ("occurredat", "eventts", "eventtime", "createddatetime", "occurred"),
    "severity": ("severity", "priority"),
}  # fmt: skip
_COLUMN_OF = {name.replace("_", ""): name for name in COLUMNS}
_BARE_WORDS = {
    "kwh": "delivered_kwh", "deliveredkwhinterval": "delivered_kwh", "importkwh": "delivered_kwh",
    "exportkwh": "received_kwh", "voltage": "voltage_v", "volts": "voltage_v",
    "delivered": "delivered_kwh", "received": "received_kwh", "net": "net_kwh",
}  # fmt: skip
_PUNCTUATION = re.compile(r"[^a-z0-9]")
_TRUE = frozenset({"true", "t", "1", "y", "yes"})
_DOTTED = re.compile(r"\d+(\.\d+){3}")


@dataclass(frozen=True, slots=True)
class Names:
    """Which of a feed's fields is what. Shape: field of ours -> place; column -> place."""

    fields: Mapping[str, int]
    columns: Mapping[str, int]


def bare(name: str) -> str:
    return _PUNCTUATION.sub("", name.lower())


def names_of(given: Sequence[str], form: MeterForm) -> Names:
    """Find the fields among a feed's names; what the source says goes before what we know."""
    places: dict[str, int] = {}
    for place, name in enumerate(given):
        places.setdefault(bare(name), place)
    fields: dict[str, int] = {}
    for ours, known in _ALIASES.items():
        told = form.names.get(ours)
        found = next((places[k] for k in ([bare(told)] if told else known) if k in places), None)
        if found is not None:
            fields[ours] = found
    columns: dict[str, int] = {}
    taken = set(fields.values())
    for name, place in places.items():
        column = _COLUMN_OF.get(name) or _BARE_WORDS.get(name)
        if column is not None and place not in taken:
            columns.setdefault(column, place)
    for column in COLUMNS:
        told = form.names.get(column)
        if told and bare(told) in places:
            columns[column] = places[bare(told)]
    if "consumption_kwh" in fields and form.consumption not in columns:
        columns[form.consumption] = fields["consumption_kwh"]
    return Names(fields, columns)


class Given:
    """A record's fields by our names; empty where it has none."""

    __slots__ = ("_fields", "_record")

    def __init__(self, names: Names, record: Sequence[str]) -> None:
        self._fields = names.fields
        self._record = record

    def __call__(self, name: str) -> str:
        place = self._fields.get(name)
        return "" if place is None or place >= len(self._record) else self._record[place].strip()


class Reader:
    """Reads the records of one document, in order."""

    def __init__(self, form: MeterForm) -> None:
        self._form = form
        self.times = Times(form.zone, form.dst, form.date_order)

    def readings(self, names: Names, record: Sequence[str]) -> Iterable[Reading]:
        """Return what a record says; nothing where its values are missing. Raises: Unreadable."""
        get = Given(names, record)
        meter_id = _required(get("meter_id"), "meter")
        said = get("quality")
        flagged = get("estimated").lower() in _TRUE
        judged = quality.word(said, estimated=flagged)
        received = get("received_at")
        received_us = self.times.read(received, "received") if received else None
        head_end = get("head_end") or self._form.head_end
        values: list[tuple[Measured, str]] = []
        if get("value"):
            values.append((of_name(get("channel"), get("unit")), get("value")))
        values += [
            (of_name(column, ""), record[place].strip())
            for column, place in names.columns.items()
            if record[place].strip()
        ]
        found = []
        for measured, text in values:
            value = number(text, measured.exponent)
            if number(text) in self._form.sentinels:
                continue
            span = self._span(get, meter_id, measured)
            found.append(
                Reading(
                    meter_id,
                    measured.channel,
                    *span,
                    value,
                    measured.unit,
                    judged,
                    said,
                    get("channel"),
                    received_us,
                    head_end,
                )
            )
        return found

    def event(self, names: Names, record: Sequence[str]) -> Event:
        """Return what a record says happened. Raises: Unreadable."""
        get = Given(names, record)
        meter_id = _required(get("meter_id"), "meter")
        code = get("raw_code") or get("type_code")
        if not code:
            raise Unreadable("the record has no event code")
        dotted = get("type_code") or (code if _DOTTED.fullmatch(code) else "")
        moment = get("occurred_at") or get("stamp")
        received = get("received_at")
        return Event(
            meter_id,
            code,
            get("raw_desc"),
            dotted,
            self.times.read(_required(moment, "time"), ("event", meter_id)),
            self.times.read(received, "received") if received else None,
            get("severity"),
            get("head_end") or self._form.head_end,
            json.dumps({}),
        )

    def _span(self, get: Given, meter_id: str, measured: Measured) -> tuple[int, int]:
        series = (meter_id, measured.channel)
        start, end = get("interval_start"), get("interval_end")
        length = get("interval")
        length_us = (whole(length, "seconds") if length else self._form.interval_s) * SECOND_US
        if start and end:
            first = self.times.read(start, (series, "start"))
            last = self.times.read(end, (series, "end"))
            if last <= first:
                raise Unreadable("the interval does not end after its start")
            return first, last
        stamp = start or end or " ".join(part for part in (get("stamp"), get("clock")) if part)
        at_us = self.times.read(_required(stamp, "time"), series)
        if measured.is_register or not (length_us or measured.is_interval):
            return at_us, at_us
        if not length_us:
            raise Unreadable("neither the record nor interval_s says how long the interval lasts")
        ends = not start and (bool(end) or self._form.stamp == "end")
        return (at_us - length_us, at_us) if ends else (at_us, at_us + length_us)


def _required(text: str, what: str) -> str:
    if not text:
        raise Unreadable(f"the record names no {what}")
    return text
