"""Every codec beside what it makes of a document: rows in ``<name>.<columns>.out``.

Write them anew with VOLTSTREAM_GOLDEN=write, then read them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.formats.decoder import PlainDecoder
from voltstream.core.ports import RawBatch
from voltstream.core.schema import Column, Schema
from voltstream.formats.declared import declared
from voltstream.formats.decode import decode

DOCUMENTS = Path(__file__).parent / "documents"
DECODER = PlainDecoder()
BERLIN = {"tz": "Europe/Berlin"}


def columns(kinds: dict[str, str]) -> Schema:
    return tuple(Column(name, kind) for name, kind in kinds.items())


SPAN = {"meter_id": "VARCHAR", "interval_start": "TIMESTAMPTZ", "interval_end": "TIMESTAMPTZ"}
GOOD = {"quality": "VARCHAR", "source_quality": "VARCHAR"}
CAME = {"head_end": "VARCHAR", "received_at": "TIMESTAMPTZ"}
SHAPES: dict[str, Schema] = {
    "tall": columns(
        {**SPAN, "channel": "VARCHAR", "value": "DOUBLE", "unit": "VARCHAR", **GOOD, **CAME}
    ),
    "wide": columns(
        {
            **SPAN,
            "delivered_kwh": "DOUBLE",
            "received_kwh": "DOUBLE",
            "voltage_v": "DOUBLE",
            **GOOD,
            "estimated_flag": "BOOLEAN",
        }
    ),
    "registers": columns(
        {
            "meter_id": "VARCHAR",
            "channel": "VARCHAR",
            "read_at": "TIMESTAMPTZ",
            "register_kwh": "DOUBLE",
            **CAME,
        }
    ),
    "events": columns(
        {
            "meter_id": "VARCHAR",
            "raw_code": "VARCHAR",
            "raw_desc": "VARCHAR",
            "type_code": "VARCHAR",
            "occurred_at": "TIMESTAMPTZ",
            **CAME,
            "details": "JSON",
        }
    ),
}
CASES: list[tuple[str, str, str, dict[str, str]]] = [
    ("readings.xml", "IEC61968", "tall", BERLIN),
    ("readings.xml", "IEC61968", "wide", BERLIN),
    ("readings.xml", "IEC61968", "registers", BERLIN),
    ("readings.xml", "IEC61968", "events", BERLIN),
    ("events.xml", "IEC61968", "events", BERLIN),
    ("green_button.xml", "ESPI", "tall", {"head_end": "portal"}),
    ("green_button.xml", "ESPI", "wide", {}),
    ("day.cmep", "CMEP", "tall", {}),
    ("market.nem12", "NEM12", "tall", {}),
    ("wide.csv", "AMI_CSV", "tall", {**BERLIN, "missing": "-1,999999"}),
    ("wide_autumn.csv", "AMI_CSV", "wide", BERLIN),
    (
        "tall.csv",
        "AMI_CSV",
        "tall",
        {
            **BERLIN,
            "delimiter": ";",
            "interval_s": "900",
            "column.meter_id": "Zaehler",
            "column.stamp": "Zeitstempel",
            "column.unit": "Einheit",
            "column.value": "Wert",
        },
    ),
    ("lines.json", "AMI_JSON", "wide", {**BERLIN, "interval_s": "900", "missing": "-1"}),
    ("events.json", "AMI_JSON", "events", BERLIN),
]


def printed(name: str, encode: str, shape: str, options: dict[str, str]) -> str:
    layout = declared({"encode": encode, **options}, "x")
    payload = (DOCUMENTS / name).read_bytes()
    batch = layout.complete(RawBatch("declared", payload, position=name))
    decoded = decode(batch, SHAPES[shape], DECODER, 7)
    lines = [" | ".join(column.name for column in SHAPES[shape])]
    for row in decoded.table.to_pylist():
        values = (str(value) if value is not None else "" for value in row.values())
        lines.append(" | ".join(value.replace("+00:00", "Z") for value in values))
    lines.append(f"({decoded.table.num_rows} rows)")
    for letter in decoded.dead_letters:
        raw = letter.raw[:60].decode(errors="replace").replace("\n", "\\n").replace("\r", "\\r")
        lines.append(f"{letter.position}: {letter.reason}: {raw}")
    return "\n".join(line.rstrip() for line in lines) + "\n"


@pytest.mark.parametrize(
    ("name", "encode", "shape", "options"), CASES, ids=[f"{c[0]}-{c[2]}" for c in CASES]
)
def test_a_document_is_read(name: str, encode: str, shape: str, options: dict[str, str]) -> None:
    golden = DOCUMENTS / f"{name}.{shape}.out"
    found = printed(name, encode, shape, options)
    if os.environ.get("VOLTSTREAM_GOLDEN") == "write":
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")
