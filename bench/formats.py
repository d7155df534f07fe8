"""How fast messages that name their schema become columns, on one core."""

from __future__ import annotations

import io
import json
import struct
import time
from collections.abc import Callable
from typing import Any

from fastavro import parse_schema, schemaless_writer
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from bench.suite import Options, Report
from voltstream.connectors.proto_files import descriptors_of
from voltstream.core.ports import RawBatch, SchemaSet, WrittenSchema
from voltstream.core.schema import Schema
from voltstream.formats.decode import decode
from voltstream.formats.framed import columns_of
from voltstream.runtime.ingest import Decoder

ROWS = 100_000
BATCH = 20_000  # What a Kafka source takes at a time.
_FLAT: dict[str, Any] = {"type": "record", "name": "Read", "fields": [
    {"name": "meter", "type": "string"}, {"name": "n", "type": "long"},
    {"name": "kwh", "type": ["null", "double"]},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
]}  # fmt: skip
_NESTED: dict[str, Any] = {"type": "record", "name": "Deep", "fields": [
    *_FLAT["fields"],
    {"name": "exact", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10,
                               "scale": 3}},
    {"name": "tags", "type": {"type": "map", "values": "string"}},
    {"name": "phases", "type": {"type": "array", "items": "double"}},
    {"name": "place", "type": ["null", {"type": "record", "name": "Place", "fields": [
        {"name": "feeder", "type": "string"}, {"name": "tap", "type": "int"}]}]},
]}  # fmt: skip
_PROTO = """
syntax = "proto3";
import "google/protobuf/timestamp.proto";
message Read { string meter = 1; int64 n = 2; optional double kwh = 3;
               google.protobuf.Timestamp at = 4; }
"""
_JSON = {"type": "object", "required": ["meter"], "properties": {
    "meter": {"type": "string"}, "n": {"type": "integer"}, "kwh": {"type": "number"},
    "at": {"type": "string", "format": "date-time"}}}  # fmt: skip
_HEAD = b"\0" + struct.pack(">I", 1)
Case = tuple[WrittenSchema, Callable[[int], bytes]]


def bench(options: Options) -> Report:
    rows = options.rows or ROWS
    report = Report("formats", f"{rows} messages in batches of {BATCH}, best of {options.rounds}")
    report.bar = "rows/s"
    decoder = Decoder()
    for name, make in _CASES.items():
        if options.only and name not in options.only:
            continue
        written, message = make()
        schemas = SchemaSet(True, written, by_id={1: written})
        columns = columns_of(schemas, "plain")
        records = [message(number) for number in range(min(rows, BATCH))]
        batch = RawBatch("framed", records=records, schemas=schemas)
        best_s = min(_once(batch, columns, decoder, rows) for _ in range(options.rounds))
        size = sum(map(len, records)) / len(records)
        report.rows.append({"case": name, "bytes": round(size), "rows/s": round(rows / best_s)})
    decoder.close()
    return report


def _once(batch: RawBatch, columns: Schema, decoder: Decoder, rows: int) -> float:
    began_s = time.perf_counter()
    for _ in range(max(rows // len(batch.records), 1)):
        decoded = decode(batch, columns, decoder, 0)
        assert not decoded.dead_letters, decoded.dead_letters[0].reason
    return time.perf_counter() - began_s


def _avro(schema: dict[str, Any]) -> Case:
    parsed = parse_schema(json.loads(json.dumps(schema)))

    def message(number: int) -> bytes:
        out = io.BytesIO()
        value = {
            "meter": f"meter-{number % 1000}", "n": number, "kwh": number / 8,
            "at": 1_767_225_600_000 + number, "exact": b"\x01", "tags": {"site": "x"},
            "phases": [1.0, 2.0, 3.0], "place": {"feeder": "f", "tap": 2},
        }  # fmt: skip
        names = [one["name"] for one in schema["fields"]]
        schemaless_writer(out, parsed, {name: value[name] for name in names})
        return _HEAD + out.getvalue()

    return WrittenSchema("AVRO", json.dumps(schema)), message


def _protobuf() -> Case:
    descriptors = descriptors_of(_PROTO.encode(), (), "bench")
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors).file:
        pool.Add(file)
    kind: Any = message_factory.GetMessageClass(pool.FindMessageTypeByName("Read"))

    def message(number: int) -> bytes:
        made = kind(meter=f"meter-{number % 1000}", n=number, kwh=number / 8)
        made.at.seconds = 1_767_225_600 + number
        return _HEAD + b"\0" + bytes(made.SerializeToString())

    return WrittenSchema("PROTOBUF", _PROTO, (), descriptors), message


def _json() -> Case:
    def message(number: int) -> bytes:
        value = {"meter": f"meter-{number % 1000}", "n": number, "kwh": number / 8,
                 "at": "2026-01-01T00:00:00Z"}  # fmt: skip
        return _HEAD + json.dumps(value).encode()

    return WrittenSchema("JSON", json.dumps(_JSON)), message


_CASES: dict[str, Callable[[], Case]] = {
    "avro": lambda: _avro(_FLAT),
    "avro-nested": lambda: _avro(_NESTED),
    "protobuf": _protobuf,
    "json": _json,
}
