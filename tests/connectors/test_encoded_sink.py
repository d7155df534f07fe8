"""Sinks whose records name their schema: a mock Kafka cluster, Apicurio Registry itself."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from fastavro import parse_schema, schemaless_reader
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tests.connectors.memory_feed import eventually
from tests.connectors.real_registry.server import Registry
from tests.driver import Engine
from voltstream.connectors import proto_files
from voltstream.connectors.proto_files import descriptors_of
from voltstream.core.clock import SystemClock
from voltstream.core.errors import FeatureNotSupported


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    cluster = Producer(
        {"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1, "log_level": 2}
    )
    [broker] = cluster.list_topics(timeout=10).brokers.values()
    yield f"{broker.host}:{broker.port}"
    del cluster


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    running = Engine(tmp_path / "data", SystemClock())
    yield running
    running.close()


def messages(brokers: str, topic: str, count: int) -> list[Message]:
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "test", "log_level": 0})

    def places() -> list[TopicPartition]:
        known = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        return [TopicPartition(topic, at, 0) for at in known]

    eventually(lambda: bool(places()))
    consumer.assign(places())
    found: list[Message] = []

    def came() -> bool:
        found.extend(consumer.consume(100, 0.2))
        return len(found) >= count

    eventually(came)
    consumer.close()
    return found


def read(registry: Registry, subject: str, raw: bytes | str | None) -> Any:
    latest = registry.latest(subject)
    assert isinstance(raw, bytes) and raw[:5] == b"\0" + int(str(latest["id"])).to_bytes(4, "big")
    return schemaless_reader(io.BytesIO(raw[5:]), parse_schema(json.loads(str(latest["schema"]))),
                             None)  # fmt: skip


def sink(engine: Engine, brokers: str, registry: Registry, topic: str, rest: str) -> None:
    engine.run(
        f"CREATE SINK k FROM t WITH (connector = 'kafka', topic = '{topic}', "
        f"properties.bootstrap.server = '{brokers}', primary_key = 'id') {rest} "
        f"(schema.registry = '{registry.url}')"
    )


def test_rows_are_written_with_a_schema(registry: Registry, brokers: str, engine: Engine) -> None:
    engine.run(
        "CREATE TABLE t (id BIGINT PRIMARY KEY, kwh NUMERIC(30,3), at TIMESTAMPTZ, day DATE, "
        "raw BYTEA, phases DOUBLE PRECISION[], tags JSONB, ok BOOLEAN)"
    )
    sink(engine, brokers, registry, "rows", "FORMAT UPSERT ENCODE AVRO")
    engine.run(
        "INSERT INTO t VALUES (1, 123456789012345678901234567.125, '2026-01-02T03:04:05.5Z', "
        "'2026-01-02', '\\x01ff41', ARRAY[1.5, NULL], '{\"a\": [1.5]}', true)"
    )
    engine.run("INSERT INTO t (id) VALUES (2)")
    engine.run("DELETE FROM t WHERE id = 2")
    found = messages(brokers, "rows", 3)
    ones = [m for m in found if read(registry, "rows-key", m.key()) == {"id": 1}]
    twos = [m for m in found if read(registry, "rows-key", m.key()) == {"id": 2}]
    assert [read(registry, "rows-value", m.value()) for m in ones] == [{
        "id": 1, "kwh": Decimal("123456789012345678901234567.125"),
        "at": datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC), "day": date(2026, 1, 2),
        "raw": b"\x01\xffA", "phases": [1.5, None], "tags": '{"a": [1.5]}', "ok": True,
    }]  # fmt: skip
    assert [m.value() is None for m in twos] == [False, True]


def test_change_events_are_written_with_a_schema(
    registry: Registry, brokers: str, engine: Engine
) -> None:
    engine.run("CREATE TABLE t (id INT PRIMARY KEY, v TEXT)")
    sink(engine, brokers, registry, "events", "FORMAT DEBEZIUM ENCODE AVRO")
    engine.run("INSERT INTO t VALUES (1, 'a')")
    engine.run("UPDATE t SET v = 'b'")
    values = [read(registry, "events-value", m.value()) for m in messages(brokers, "events", 2)]
    assert values == [
        {"before": None, "after": {"id": 1, "v": "a"}, "op": "c"},
        {"before": {"id": 1, "v": "a"}, "after": {"id": 1, "v": "b"}, "op": "u"},
    ]


def test_json_is_written_with_a_schema(registry: Registry, brokers: str, engine: Engine) -> None:
    engine.run("CREATE TABLE t (id INT PRIMARY KEY, v TEXT)")
    sink(engine, brokers, registry, "documents", "FORMAT PLAIN ENCODE JSON")
    engine.run("INSERT INTO t VALUES (1, 'a')")
    [message] = messages(brokers, "documents", 1)
    raw = message.value()
    assert isinstance(raw, bytes)
    latest = registry.latest("documents-value")
    assert raw[:5] == b"\0" + int(str(latest["id"])).to_bytes(4, "big")
    assert json.loads(raw[5:]) == {"id": 1, "v": "a"}
    assert latest["schemaType"] == "JSON"


def test_a_schema_that_may_not_be_registered_holds_the_sink_up(
    registry: Registry, brokers: str, engine: Engine
) -> None:
    registry.register("held-value", {"type": "record", "name": "Other", "fields": []})
    engine.run("CREATE TABLE t (id INT PRIMARY KEY)")
    with pytest.raises(FeatureNotSupported, match="cannot write ENCODE CSV"):
        sink(engine, brokers, registry, "held", "FORMAT PLAIN ENCODE CSV")
    engine.run(
        f"CREATE SINK k FROM t WITH (connector = 'kafka', topic = 'held', "
        f"properties.bootstrap.server = '{brokers}') FORMAT PLAIN ENCODE AVRO "
        f"(schema.registry = '{registry.url}', schema.registry.auto.register = false)"
    )
    engine.run("INSERT INTO t VALUES (1)")
    told = "SELECT detail FROM rw_sinks WHERE state = 'disconnected'"
    eventually(lambda: bool(engine.run(told)))
    assert "does not have this schema" in str(engine.run(told))
    assert engine.run("SELECT pending FROM rw_sinks") == [(1,)]


PROTO = """
syntax = "proto3";
package grid;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message Other { int32 x = 1; }
message Place { string feeder = 1; }
enum Quality { UNKNOWN = 0; ACTUAL = 1; }
message Reading {
  int64 id = 1;
  string kwh = 2;
  google.protobuf.Timestamp at = 3;
  bytes raw = 4;
  repeated double phases = 5;
  map<string, int32> tags = 6;
  optional bool ok = 7;
  google.protobuf.Int32Value tap = 8;
  Quality quality = 9;
  Place place = 10;
  double Power = 11;
}
"""
PROTO_TABLE = (
    "CREATE TABLE t (id BIGINT PRIMARY KEY, kwh NUMERIC(30,3), at TIMESTAMPTZ, raw BYTEA, "
    "phases DOUBLE PRECISION[], tags JSONB, ok BOOLEAN, tap INT, quality VARCHAR, place JSONB, "
    "power NUMERIC)"
)
PROTO_ROW = (
    "INSERT INTO t VALUES (1, 123456789012345678901234567.125, '2026-01-02T03:04:05.5Z', "
    "'\\x01ff41', ARRAY[1.5, 2], '{\"a\": 7}', false, 3, 'ACTUAL', '{\"feeder\": \"f\"}', 1.25)"
)
PROTO_TOLD = {
    "id": "1", "kwh": "123456789012345678901234567.125", "at": "2026-01-02T03:04:05.500Z",
    "raw": "Af9B", "phases": [1.5, 2.0], "tags": {"a": 7}, "ok": False, "tap": 3,
    "quality": "ACTUAL", "place": {"feeder": "f"}, "Power": 1.25,
}  # fmt: skip


def reading_of(raw: bytes | str | None) -> Any:
    assert isinstance(raw, bytes)
    pool = descriptor_pool.DescriptorPool()
    for file in FileDescriptorSet.FromString(descriptors_of(PROTO.encode(), (), "test")).file:
        pool.Add(file)
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName("grid.Reading"))
    return json_format.MessageToDict(kind.FromString(raw))


def test_rows_are_written_as_messages_of_a_registry(
    registry: Registry, brokers: str, engine: Engine
) -> None:
    engine.run(PROTO_TABLE)
    engine.run(
        "CREATE SINK k FROM t WITH (connector = 'kafka', topic = 'proto', "
        f"properties.bootstrap.server = '{brokers}', primary_key = 'id') "
        f"FORMAT UPSERT ENCODE PROTOBUF (schema.registry = '{registry.url}', "
        "message = 'grid.Reading')"
    )
    engine.run(PROTO_ROW)
    eventually(
        lambda: "no subject" in str(engine.run("SELECT detail FROM rw_sinks")), 30
    )  # It waits for its schema.
    number = registry.register("proto-value", PROTO, "PROTOBUF")
    engine.run("INSERT INTO t (id, quality) VALUES (2, 'NO SUCH')")
    engine.run("DELETE FROM t WHERE id = 1")
    found = messages(brokers, "proto", 2)
    assert [m.key() for m in found] == [b'{"id":1}', b'{"id":1}']
    head = b"\0" + number.to_bytes(4, "big") + b"\2\4"  # One step, to the third message.
    first = found[0].value()
    assert isinstance(first, bytes) and found[1].value() is None
    assert first[:7] == head
    assert reading_of(first[7:]) == PROTO_TOLD
    eventually(lambda: len(engine.run("SELECT reason FROM dead_letters")) == 1)


def test_rows_are_written_as_messages_of_a_file(
    brokers: str, engine: Engine, tmp_path: Path
) -> None:
    place = tmp_path / "grid.proto"
    place.write_text(PROTO)
    engine.run(PROTO_TABLE)
    rest = f"ENCODE PROTOBUF (schema.location = '{place}', message = 'Reading')"
    kafka = (
        "WITH (connector = 'kafka', topic = 'bare', primary_key = 'id', "
        f"properties.bootstrap.server = '{brokers}')"
    )
    engine.run(f"CREATE SINK k FROM t {kafka} FORMAT PLAIN {rest}")
    engine.run(PROTO_ROW)
    [one] = messages(brokers, "bare", 1)
    assert reading_of(one.value()) == PROTO_TOLD
    with pytest.raises(FeatureNotSupported, match="FORMAT DEBEZIUM ENCODE PROTOBUF"):
        engine.run(f"CREATE SINK d FROM t {kafka} FORMAT DEBEZIUM {rest}")


def test_a_proto_text_without_its_compiler_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = descriptors_of(PROTO.encode(), (), "test")
    monkeypatch.setattr(proto_files, "find_spec", lambda name: None)
    with pytest.raises(FeatureNotSupported) as refused:
        descriptors_of(PROTO.encode(), (), "test")
    assert "voltstream[protobuf]" in (refused.value.hint or "")
    assert descriptors_of(whole, (), "test") == whole
