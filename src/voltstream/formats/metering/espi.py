"""Green Button: ESPI in Atom (NAESB REQ.21). An interval's time is its start, since 1970 UTC.

Entries name each other by links: an interval block stands below a meter reading, which is related
to a reading type; both stand below a usage point. They may come in any order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from voltstream.core.metering import MeterForm
from voltstream.formats.metering import quality, xml_nodes
from voltstream.formats.metering.channels import Measured, of_espi
from voltstream.formats.metering.numbers import number, whole
from voltstream.formats.metering.records import Fault, Found, Reading, Unreadable
from voltstream.formats.metering.times import SECOND_US, us_of
from voltstream.formats.metering.times import parsed as parsed_time
from voltstream.formats.metering.xml_nodes import Broken, Node

_USAGE_POINT = re.compile(r"/?UsagePoint/([^/?#]+)")


@dataclass(slots=True)
class _Links:
    """Where entries stand, by what their links say."""

    types: dict[str, Node] = field(default_factory=dict)  # Reading type, by its own link.
    related: dict[str, list[str]] = field(default_factory=dict)  # Meter reading -> its others.
    blocks: list[tuple[str, Node]] = field(default_factory=list)


def read(payload: bytes, form: MeterForm) -> Found:
    """Read a feed; what is wrong in one interval costs that one alone."""
    found = Found()
    links = _Links()

    def take(entry: Node, _: Node | None) -> None:
        hrefs: dict[str, list[str]] = {}
        for link in entry.all("link"):
            href = link.attributes.get("href", "").rstrip("/")
            hrefs.setdefault(link.attributes.get("rel", ""), []).append(href)
        own = next(iter(hrefs.get("self", ())), "")
        content = entry.first("content")
        for node in [] if content is None else content.children:
            match node.tag:
                case "ReadingType":
                    links.types[own] = node
                case "MeterReading":
                    links.related[own] = hrefs.get("related", [])
                case "IntervalBlock":
                    up = next(iter(hrefs.get("up", ())), own)
                    node.attributes["published"] = entry.said("updated")
                    links.blocks.append((up, node))
                case _:
                    continue

    try:
        xml_nodes.read(payload, ("entry",), take)
    except Broken as error:
        rest = payload[error.at :] if error.at else payload
        found.faults.append(Fault(error.line, rest, error.message))
    for up, block in links.blocks:
        _block(block, up, links, payload, form, found)
    return found


def _block(
    block: Node, up: str, links: _Links, payload: bytes, form: MeterForm, found: Found
) -> None:
    def refuse(node: Node, reason: str) -> None:
        raw = payload[node.start : payload.find(b">", node.end) + 1]
        found.faults.append(Fault(node.line, raw, reason))

    try:
        measured, code, default = _measured(up, links)
        meter_id = _meter(up)
        published = block.attributes["published"]
        received_us = None
        if published:
            moment = parsed_time(published)
            offset = moment.utcoffset()
            received_us = (
                us_of(moment.replace(tzinfo=None) - offset) if offset is not None else None
            )
    except Unreadable as error:
        refuse(block, error.message)
        return
    for node in block.all("IntervalReading"):
        try:
            start_us = whole(node.said("timePeriod", "start"), "seconds since 1970") * SECOND_US
            length_s = whole(node.said("timePeriod", "duration") or "0", "a duration")
            length_us = (length_s or measured.interval_s or form.interval_s) * SECOND_US
            if length_us <= 0 and measured.is_interval:
                raise Unreadable("the interval does not end after its start")
            codes = [q.said("quality") for q in node.all("ReadingQuality")]
            codes = [one for one in codes if one] or [default] * bool(default)
            found.readings.append(
                Reading(
                    meter_id,
                    measured.channel,
                    start_us,
                    start_us + length_us,
                    number(node.said("value"), measured.exponent),
                    measured.unit,
                    quality.espi(codes),
                    " ".join(codes),
                    code,
                    received_us,
                    form.head_end,
                )
            )
        except Unreadable as error:
            refuse(node, error.message)


def _meter(up: str) -> str:
    named = _USAGE_POINT.search(up)
    if named is None:
        raise Unreadable("an IntervalBlock's link names no UsagePoint")
    return named[1]


def _measured(up: str, links: _Links) -> tuple[Measured, str, str]:
    """Return what a block's values measure, its reading type as text, and their usual quality."""
    related = links.related.get(up.removesuffix("/IntervalBlock"), [])
    found = next((links.types[href] for href in related if href in links.types), None)
    if found is None and len(links.types) == 1:
        [found] = links.types.values()
    if found is None:
        raise Unreadable("an IntervalBlock leads to no ReadingType")
    says = found.said
    measured = of_espi(
        says("uom"),
        whole(says("powerOfTenMultiplier") or "0", "a power of ten"),
        says("flowDirection"),
        says("accumulationBehaviour"),
        says("phase"),
        whole(says("intervalLength") or "0", "a length"),
    )
    if abs(measured.exponent) > 12:
        raise Unreadable(f"a power of ten of {measured.exponent} is no unit")
    return measured, f"uom={says('uom')} flow={says('flowDirection')}", says("defaultQuality")
