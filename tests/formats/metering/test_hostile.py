"""What is sent to hurt is refused, quickly; what stood before it is kept."""

from __future__ import annotations

import pytest

from tests.formats.decoder import PlainDecoder
from voltstream.core import limits
from voltstream.core.ports import RawBatch
from voltstream.core.schema import Column
from voltstream.formats.declared import METER_ENCODES, declared
from voltstream.formats.decode import decode
from voltstream.formats.metering import xml_nodes
from voltstream.formats.result import Decoded

TALL = tuple(
    Column(name, kind)
    for name, kind in {
        "meter_id": "VARCHAR",
        "interval_start": "TIMESTAMPTZ",
        "interval_end": "TIMESTAMPTZ",
        "value": "DOUBLE",
    }.items()
)
DECODER = PlainDecoder()
ONE = (
    "<MeterReading><Meter><mRID>M</mRID></Meter><IntervalBlocks><IntervalReadings>"
    "<timeStamp>2026-01-01T00:15:00Z</timeStamp><value>1</value></IntervalReadings>"
    '<ReadingType ref="0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0"/></IntervalBlocks></MeterReading>'
)


def read(text: str | bytes, encode: str = "iec61968") -> Decoded:
    payload = text.encode() if isinstance(text, str) else text
    layout = declared({"encode": encode}, "x")
    return decode(layout.complete(RawBatch("declared", payload, position="p")), TALL, DECODER, 7)


def reasons(decoded: Decoded) -> list[str]:
    return [letter.reason for letter in decoded.dead_letters]


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 30))
REFUSED = {
    "entities that grow": f'<!DOCTYPE d [<!ENTITY l0 "ha">{LAUGHS}]><d>&l29;</d>',
    "a file of the server": '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>',
    "another machine": '<!DOCTYPE d SYSTEM "http://192.0.2.1/evil.dtd"><d/>',
    "a parameter entity": '<!DOCTYPE d [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]><d/>',
    "an attribute list": '<!DOCTYPE d [<!ATTLIST d a CDATA "x">]><d/>',
}


@pytest.mark.parametrize("encode", ["iec61968", "espi"])
@pytest.mark.parametrize("named", sorted(REFUSED))
def test_a_document_type_is_refused(named: str, encode: str) -> None:
    decoded = read(f'<?xml version="1.0"?>{REFUSED[named]}', encode)
    assert len(decoded.table) == 0
    assert reasons(decoded) == ["a document type (<!DOCTYPE …>) is refused: it may define entities"]


def test_an_entity_that_is_not_defined_ends_the_document() -> None:
    decoded = read(f"<MeterReadings>{ONE}<x>&evil;</x>{ONE}</MeterReadings>")
    assert len(decoded.table) == 1
    assert reasons(decoded) == ["not well-formed XML: undefined entity"]
    assert decoded.dead_letters[0].raw.startswith(b"&evil;")


def test_depth_is_bounded() -> None:
    deep = limits.XML_DEPTH_MAX + 1
    decoded = read("<a>" * deep + "</a>" * deep)
    assert reasons(decoded) == [f"elements are nested deeper than {limits.XML_DEPTH_MAX}"]


def test_a_text_is_bounded() -> None:
    decoded = read("<a>" + "x" * (limits.XML_TEXT_BYTES_MAX + 1) + "</a>")
    assert reasons(decoded) == [f"a text is longer than {limits.XML_TEXT_BYTES_MAX} characters"]


def test_elements_of_a_record_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_nodes, "XML_RECORD_ELEMENTS_MAX", 50)
    many = "".join("<Readings/>" for _ in range(60))
    told = reasons(read(f"<MeterReadings>{ONE}<MeterReading>{many}</MeterReading></MeterReadings>"))
    assert told == ["more than 50 elements in one record"]
    assert len(read(f"<MeterReadings>{ONE * 60}</MeterReadings>").table) == 60


@pytest.mark.parametrize("encode", METER_ENCODES)
def test_a_document_is_bounded(encode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voltstream.formats.metering.read.DOCUMENT_BYTES_MAX", 10)
    assert reasons(read("x" * 11, encode)) == ["the document is longer than 10 bytes"]


def test_a_torn_document_keeps_what_came_before() -> None:
    text = f"<MeterReadings>\n{ONE}\n{ONE}</MeterReadings>"
    for cut in range(1, len(text)):
        decoded = read(text[:cut])
        assert len(decoded.table) == text[:cut].count("</MeterReading>")
        assert len(decoded.dead_letters) == 1


@pytest.mark.parametrize("encode", METER_ENCODES)
@pytest.mark.parametrize(
    "payload",
    [b"\xff\xfe\x00", b"\x00" * 40, b'"' * 41, b"," * 500, b"{" * 5_000, b"[" * 100_000, b"<"],
)
def test_rubbish_is_a_dead_letter(payload: bytes, encode: str) -> None:
    decoded = read(payload, encode)
    assert len(decoded.table) == 0
    assert decoded.dead_letters
