"""IEC 61968-9 XML: MeterReadings and EndDeviceEvents, bare or in a message.

Source: IEC 61968-9, 2nd edition. A reading's timeStamp is the end of its interval.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from voltstream.core.metering import MeterForm
from voltstream.formats.metering import quality, xml_nodes
from voltstream.formats.metering.channels import Measured, of_reading_type
from voltstream.formats.metering.numbers import number
from voltstream.formats.metering.records import Event, Fault, Found, Reading, Unreadable
from voltstream.formats.metering.times import SECOND_US, Times
from voltstream.formats.metering.xml_nodes import Broken, Node

_RECORDS = ("MeterReading", "EndDeviceEvent", "Header", "ReadingType")


def read(payload: bytes, form: MeterForm) -> Found:
    """Read a document; what is wrong in one reading or event costs that one alone.

    Raises: Broken where nothing of it could be read.
    """
    return _Document(payload, form).read()


class _Document:
    def __init__(self, payload: bytes, form: MeterForm) -> None:
        self._payload = payload
        self._form = form
        self._times = Times(form.zone, form.dst, form.date_order)
        self._found = Found()
        self._head_end = form.head_end
        self._sent_us: int | None = None
        self._types: dict[str, str] = {}  # Reading types that the document names otherwise.

    def read(self) -> Found:
        try:
            xml_nodes.read(self._payload, _RECORDS, self._take)
        except Broken as error:
            rest = self._payload[error.at :] if error.at else self._payload
            self._found.faults.append(Fault(error.line, rest, error.message))
        return self._found

    def _take(self, node: Node, _: Node | None) -> None:
        try:
            match node.tag:
                case "MeterReading":
                    self._meter_reading(node)
                case "EndDeviceEvent":
                    self._found.events.append(self._event(node))
                case "ReadingType":
                    code = next((n for n in _names(node) if n.count(".") == 17), "")
                    self._types[node.said("mRID")] = code or node.said("mRID")
                case _:
                    self._header(node)
        except Unreadable as error:
            self._refuse(node, error.message)

    def _refuse(self, node: Node, reason: str) -> None:
        raw = self._payload[node.start : self._payload.find(b">", node.end) + 1]
        self._found.faults.append(Fault(node.line, raw, reason))

    def _header(self, node: Node) -> None:
        self._head_end = self._form.head_end or node.said("Source")
        if node.said("Timestamp"):
            self._sent_us = self._times.read(node.said("Timestamp"), "header")

    def _meter_reading(self, node: Node) -> None:
        meter_id = _device(node, "Meter") or _device(node, "UsagePoint")
        if not meter_id:
            raise Unreadable("a MeterReading names no meter")
        for block in node.all("IntervalBlocks"):
            measured, code = self._measured(block)
            for reading in block.all("IntervalReadings"):
                self._reading(reading, meter_id, measured, code)
        for reading in node.all("Readings"):
            measured, code = self._measured(reading)
            self._reading(reading, meter_id, measured, code)

    def _measured(self, node: Node) -> tuple[Measured, str]:
        named = node.first("ReadingType")
        code = "" if named is None else named.attributes.get("ref", "") or named.said("mRID")
        if not code and named is not None:
            code = next(iter(_names(named)), "")
        code = self._types.get(code, code)
        return of_reading_type(code), code

    def _reading(self, node: Node, meter_id: str, measured: Measured, code: str) -> None:
        try:
            stamp = node.said("timeStamp")
            series = (meter_id, code)
            start_us, end_us = self._span(node, stamp, measured, series)
            codes = [q.attributes.get("ref", "") for q in _qualities(node)]
            value = number(node.said("value"), measured.exponent)
            received = node.said("reportedDateTime")
            self._found.readings.append(
                Reading(
                    meter_id,
                    measured.channel,
                    start_us,
                    end_us,
                    value,
                    measured.unit,
                    quality.iec61968(c for c in codes if c),
                    " ".join(c for c in codes if c),
                    code,
                    self._times.read(received, "reported") if received else self._sent_us,
                    self._head_end,
                )
            )
        except Unreadable as error:
            self._refuse(node, error.message)

    def _span(self, node: Node, stamp: str, measured: Measured, series: object) -> tuple[int, int]:
        period = node.first("timePeriod")
        if period is not None and period.said("start") and period.said("end"):
            start_us = self._times.read(period.said("start"), (series, "start"))
            end_us = self._times.read(period.said("end"), (series, "end"))
            if end_us <= start_us:
                raise Unreadable("the interval does not end after its start")
            return start_us, end_us
        at_us = self._times.read(stamp, series)
        length_us = (measured.interval_s or self._form.interval_s) * SECOND_US
        if measured.is_register or not (length_us or measured.is_interval):
            return at_us, at_us
        if not length_us:
            raise Unreadable("neither the reading type nor interval_s says how long it lasts")
        return (
            (at_us - length_us, at_us) if self._form.stamp == "end" else (at_us, at_us + length_us)
        )

    def _event(self, node: Node) -> Event:
        named = node.first("EndDeviceEventType")
        code = "" if named is None else named.attributes.get("ref", "")
        meter_id = _device(node, "Assets") or _device(node, "EndDevice") or _device(node, "Meter")
        mrid = node.said("mRID")
        # Seen of head-ends: the type where the event's own id belongs.
        code = code or (mrid if mrid.count(".") == 3 else "")
        if not meter_id:
            raise Unreadable("an EndDeviceEvent names no device")
        if not code:
            raise Unreadable("an EndDeviceEvent has no type")
        details: Mapping[str, str] = {
            detail.said("name"): detail.said("value")
            for detail in node.all("EndDeviceEventDetails")
        }
        reported = node.said("reportedDateTime")
        return Event(
            meter_id,
            code,
            node.said("reason") or node.said("type"),
            code,
            self._times.read(node.said("createdDateTime"), ("event", meter_id)),
            self._times.read(reported, "reported") if reported else self._sent_us,
            node.said("severity"),
            self._head_end or node.said("issuerID"),
            json.dumps(details, ensure_ascii=False, sort_keys=True),
        )


def _names(node: Node) -> list[str]:
    return [name for names in node.all("Names") if (name := names.said("name"))]


def _device(node: Node, tag: str) -> str:
    found = node.first(tag)
    if found is None:
        return ""
    return found.said("mRID") or next(iter(_names(found)), "") or found.said("name")


def _qualities(node: Node) -> list[Node]:
    return [
        kind for given in node.all("ReadingQualities") for kind in given.all("ReadingQualityType")
    ]
