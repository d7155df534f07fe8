"""Avro: types, faults alone and in company, and schemas that nothing bounds."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from voltstream.formats.avro import AvroReader, avro_reader
from voltstream.formats.avro_types import UnusableSchema
from voltstream.formats.json_schema import columns as json_columns
from voltstream.formats.json_schema import faults


def written(schema: Any, value: Any) -> bytes:
    out = io.BytesIO()
    schemaless_writer(out, parse_schema(json.loads(json.dumps(schema))), value)
    return out.getvalue()


def record(**fields: Any) -> dict[str, Any]:
    listed = [{"name": name, "type": kind} for name, kind in fields.items()]
    return {"type": "record", "name": "R", "fields": listed}


def logical(kind: str, meaning: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "logicalType": meaning, **more}


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
UID = UUID(int=7)
TYPES: list[tuple[Any, Any, str, Any]] = [
    ("null", None, "VARCHAR", None),
    ("float", 1.5, "FLOAT", 1.5),
    (logical("int", "time-millis"), time(1, 2, 3), "TIME", time(1, 2, 3)),
    (logical("long", "local-timestamp-micros"), NOON, "TIMESTAMP", NOON.replace(tzinfo=None)),
    (logical("long", "timestamp-micros"), NOON, "TIMESTAMP WITH TIME ZONE", NOON),
    (logical("string", "uuid"), UID, "UUID", str(UID)),
    (logical("fixed", "decimal", name="F", size=4, precision=6, scale=2), Decimal("-1.25"),
     "DECIMAL(6,2)", Decimal("-1.25")),
    ({"type": "fixed", "name": "F", "size": 2}, b"\x01\xff", "BLOB", b"\x01\xff"),
    (["null", "int", "string"], "x", "JSON", '"x"'),
    ({"type": "map", "values": logical("long", "timestamp-millis")}, {"a": NOON}, "JSON",
     '{"a": "2026-01-01T12:00:00+00:00"}'),
    ({"type": "array", "items": ["null", {"type": "map", "values": "bytes"}]},
     [None, {"a": b"\xff"}], "JSON[]", [None, '{"a": "\\\\xff"}']),
    ({"type": "long", "connect.name": "io.debezium.time.Timestamp"}, 1500, "TIMESTAMP",
     datetime(1970, 1, 1, 0, 0, 1, 500_000)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "store", "read"), TYPES)
def test_a_type_is_a_column(kind: Any, value: Any, store: str, read: Any) -> None:
    schema = record(v=kind)
    reader = AvroReader(json.dumps(schema))
    assert [column.store_type for column in reader.columns] == [store]
    table, places, wrong = reader.read([written(schema, {"v": value})])
    assert table.to_pylist() == [{"v": read}]
    assert (places, wrong) == ([0], [])


@given(
    values=st.lists(st.integers(-(2**40), 2**40), max_size=8),
    cuts=st.dictionaries(st.integers(0, 7), st.integers(-3, 3), max_size=4),
)
def test_a_record_is_read_alone_as_in_company(values: list[int], cuts: dict[int, int]) -> None:
    schema = record(n="long", text="string")
    reader = avro_reader(json.dumps(schema))
    payloads = [written(schema, {"n": n, "text": str(n)}) for n in values]
    for at, cut in cuts.items():
        if at < len(payloads):
            payloads[at] = payloads[at][:cut] if cut < 0 else payloads[at] + b"\x02" * cut
    table, places, wrong = reader.read(payloads)
    alone = [reader.read([payload]) for payload in payloads]
    assert table.to_pylist() == [row for one in alone for row in one[0].to_pylist()]
    assert places == [at for at, one in enumerate(alone) if one[1]]
    assert [reason for _, reason in wrong] == [r for one in alone for _, r in one[2]]


def test_what_nothing_bounds_is_refused() -> None:
    endless = record(n="int", next=["null", "R"])
    nothing = record(many={"type": "array", "items": "null"})
    empty = {"type": "record", "name": "E", "fields": []}
    for schema, told in (
        (endless, "contains itself"),
        (nothing, "items without bytes"),
        (record(many={"type": "array", "items": empty}), "items without bytes"),
        ({"type": "record"}, "no Avro schema"),
        (record(x="nowhere"), "no Avro schema"),
    ):
        with pytest.raises(UnusableSchema, match=told):
            AvroReader(json.dumps(schema))
    with pytest.raises(UnusableSchema, match="no Avro schema"):
        AvroReader("[" * 100_000)


def test_a_schema_refers_to_others() -> None:
    place = {"type": "record", "name": "Place", "fields": [{"name": "feeder", "type": "string"}]}
    reader = AvroReader(json.dumps(record(at="Place")), (("Place", json.dumps(place)),))
    whole = record(at=place)
    table, _, _ = reader.read([written(whole, {"at": {"feeder": "f"}})])
    assert table.to_pylist() == [{"at": {"feeder": "f"}}]


def test_json_schemas_refer_to_what_the_registry_tells() -> None:
    text = json.dumps({"type": "object", "properties": {"p": {"$ref": "place.json"}}})
    place = json.dumps({"type": "object", "required": ["feeder"]})
    told = faults(text, (("place.json", place),), [b'{"p": {}}', b'{"p": {"feeder": 1}}'])
    assert told == [(0, 'against its schema at /p: "feeder" is a required property')]
    with pytest.raises(UnusableSchema):
        faults(text, (), [b"{}"])
    assert faults("{}", (), [b"[" * 100_000]) == [(0, "not valid JSON")]


def test_json_schemas_are_columns() -> None:
    text = json.dumps({"properties": {
        "a": {"oneOf": [{"type": "null"}, {"type": "integer", "connect.type": "int16"}]},
        "b": {"type": "string", "format": "uuid"},
        "c": {"type": ["null", "boolean"]},
        "d": {"type": "array", "items": {"type": "string", "format": "date"}},
        "e": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "f": {"$ref": "#/definitions/f~1g"},
    }, "definitions": {"f/g": {"type": "number"}}})  # fmt: skip
    assert [(c.name, c.store_type) for c in json_columns(text)] == [
        ("a", "SMALLINT"), ("b", "UUID"), ("c", "BOOLEAN"), ("d", "DATE[]"), ("e", "JSON"),
        ("f", "DOUBLE"),
    ]  # fmt: skip
