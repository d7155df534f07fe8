"""Records whose schemas a registry keeps, against Apicurio Registry itself."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from fastavro import parse_schema, schemaless_writer

from tests.connectors.memory_feed import eventually
from tests.connectors.real_registry.server import Registry
from tests.driver import Engine
from voltstream.core.clock import SystemClock
from voltstream.core.errors import (
    DatatypeMismatch,
    FeatureNotSupported,
    InvalidParameter,
    RegistryUnavailable,
    UndefinedColumn,
)
from voltstream.core.ports import RawBatch

READING = {
    "type": "record",
    "name": "Reading",
    "namespace": "grid",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "meter", "type": "string"},
        {"name": "kwh", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9,
                                 "scale": 3}},
        {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}]},
        {"name": "quality", "type": {"type": "enum", "name": "Quality", "symbols": ["A", "E"]}},
        {"name": "place", "type": ["null", {"type": "record", "name": "Place", "fields": [
            {"name": "feeder", "type": "string"},
            {"name": "since", "type": {"type": "int", "logicalType": "date"}}]}]},
        {"name": "phases", "type": {"type": "array", "items": "double"}},
        {"name": "tags", "type": {"type": "map", "values": "string"}},
    ],
}  # fmt: skip
ONE = {
    "id": 1, "meter": "m1", "kwh": Decimal("12.345"), "at": datetime(2026, 1, 2, tzinfo=UTC),
    "quality": "A", "place": {"feeder": "f7", "since": date(2020, 5, 6)}, "phases": [1.5, 2.5],
    "tags": {"site": "x"},
}  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    running = Engine(tmp_path / "data", SystemClock())
    yield running
    running.close()


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    cluster = Producer(
        {"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1, "log_level": 2}
    )
    [broker] = cluster.list_topics(timeout=10).brokers.values()
    yield f"{broker.host}:{broker.port}"
    del cluster


def avro(number: int, schema: Any, value: Any) -> bytes:
    out = io.BytesIO()
    schemaless_writer(out, parse_schema(json.loads(json.dumps(schema))), value)
    return b"\0" + struct.pack(">I", number) + out.getvalue()


def bring(
    engine: Engine, source: str, records: Sequence[bytes], keys: Sequence[bytes | None] = ()
) -> None:
    batch = RawBatch("bytes", records=list(records), keys=list(keys), position="t@0")
    engine.instance.submit("volt", source, batch).result(30)


def clause(registry: Registry, topic: str, form: str = "PLAIN", encode: str = "AVRO") -> str:
    return (
        f"WITH (connector = 'webhook', topic = '{topic}') FORMAT {form} ENCODE {encode} "
        f"(schema.registry = '{registry.url}')"
    )


def letters(engine: Engine) -> list[tuple[object, ...]]:
    return engine.run("SELECT position, reason FROM dead_letters ORDER BY position")


def test_columns_come_from_the_schema(registry: Registry, engine: Engine) -> None:
    number = registry.register("plain-value", READING)
    engine.run(f"CREATE SOURCE readings {clause(registry, 'plain')}")
    engine.run(
        "CREATE MATERIALIZED VIEW v AS SELECT meter, sum(kwh) AS kwh FROM readings GROUP BY 1"
    )
    whole = avro(number, READING, ONE)
    bring(engine, "readings", [whole, whole[:-2], avro(number + 99, READING, ONE), b"{}"])
    assert engine.run("SELECT * FROM v") == [("m1", Decimal("12.345"))]
    assert engine.run(
        "SELECT id, kwh, at = '2026-01-02Z', quality, (place).feeder, (place).since, phases, "
        "tags ->> 'site' FROM readings"
    ) == [(1, Decimal("12.345"), True, "A", "f7", date(2020, 5, 6), [1.5, 2.5], "x")]
    assert letters(engine) == [
        ("t@0:2", "not Avro of its schema: it ends too soon"),
        ("t@0:3", f"the registry has no schema {number + 99}"),
        ("t@0:4", "the record does not name its schema"),
    ]
    shown = engine.run("SELECT column_name, data_type FROM information_schema.columns "
                       "WHERE table_name = 'readings' ORDER BY ordinal_position")  # fmt: skip
    assert shown[:4] == [
        ("id", "bigint"), ("meter", "character varying"), ("kwh", "numeric"),
        ("at", "timestamp with time zone"),
    ]  # fmt: skip


def test_a_topic_of_a_schema_is_read_from_its_place(
    registry: Registry, brokers: str, engine: Engine
) -> None:
    key = {"type": "record", "name": "K", "fields": [{"name": "id", "type": "long"}]}
    k = registry.register("topical-key", key)
    number = registry.register("topical-value", READING)
    producer = Producer({"bootstrap.servers": brokers, "log_level": 0})

    def sent(id_: int, value: bytes | None) -> None:
        producer.produce("topical", value, key=avro(k, key, {"id": id_}))
        assert producer.flush(10) == 0

    sent(1, avro(number, READING, ONE))
    for name, mode in (("whole", "earliest"), ("late", "latest")):
        engine.run(
            f"CREATE TABLE {name} (PRIMARY KEY (id)) WITH (connector = 'kafka', "
            f"topic = 'topical', properties.bootstrap.server = '{brokers}', "
            f"scan.startup.mode = '{mode}') FORMAT UPSERT ENCODE AVRO "
            f"(schema.registry = '{registry.url}')"
        )
    eventually(lambda: engine.run("SELECT id FROM whole") == [(1,)])
    told = "SELECT state FROM rw_sources WHERE name = 'late'"
    eventually(lambda: engine.run(told) == [("running",)])
    sent(2, avro(number, READING, {**ONE, "id": 2}))
    sent(1, None)
    both = "SELECT w.id, l.id FROM whole AS w FULL JOIN late AS l ON w.id = l.id"
    eventually(lambda: engine.run(both) == [(2, 2)])


def test_declared_columns_are_checked(registry: Registry, engine: Engine) -> None:
    registry.register("declared-value", READING)
    given = clause(registry, "declared")
    with pytest.raises(UndefinedColumn, match='column "watt" is not in the schema'):
        engine.run(f"CREATE SOURCE s (watt INT) {given}")
    with pytest.raises(DatatypeMismatch, match='column "place" is of type integer'):
        engine.run(f"CREATE SOURCE s (place INT) {given}")
    with pytest.raises(RegistryUnavailable, match='no subject "nobody-value"'):
        engine.run(f"CREATE SOURCE s {clause(registry, 'nobody')}")
    with pytest.raises(InvalidParameter, match=r'needs the property "schema\.registry"'):
        engine.run("CREATE SOURCE s WITH (connector = 'none', topic = 't') "
                   "FORMAT PLAIN ENCODE AVRO")  # fmt: skip
    nobody = "http://127.0.0.1:9"
    with pytest.raises(RegistryUnavailable, match="could not be asked"):
        engine.run("CREATE SOURCE s WITH (connector = 'none', topic = 't') "
                   f"FORMAT PLAIN ENCODE AVRO (schema.registry = '{nobody}')")  # fmt: skip
    number = registry.register("declared-value", READING)
    engine.run(f"CREATE SOURCE s (kwh DOUBLE PRECISION, METER TEXT, place JSONB) {given}")
    bring(engine, "s", [avro(number, READING, ONE)])
    assert engine.run("SELECT kwh, meter, place ->> 'feeder' FROM s") == [(12.345, "m1", "f7")]


def test_schemas_evolve_among_the_records(registry: Registry, engine: Engine) -> None:
    old = {"type": "record", "name": "R", "fields": [
        {"name": "id", "type": "int"}, {"name": "power", "type": "float"}]}  # fmt: skip
    new = {"type": "record", "name": "R", "fields": [
        {"name": "id", "type": "long"},
        {"name": "watt", "type": "double", "aliases": ["power"]},
        {"name": "unit", "type": "string", "default": "W"},
        {"name": "phase", "type": ["null", "int"], "default": None}]}  # fmt: skip
    first = registry.register("evolving-value", old)
    second = registry.register("evolving-value", new)
    engine.run(f"CREATE SOURCE s {clause(registry, 'evolving')}")
    records = [
        avro(second, new, {"id": 1, "watt": 1.5, "unit": "kW", "phase": 3}),
        avro(first, old, {"id": 2, "power": 2.5}),
        avro(second, new, {"id": 3, "watt": 3.5, "unit": "W", "phase": None}),
    ]
    bring(engine, "s", records)
    assert engine.run("SELECT * FROM s") == [
        (1, 1.5, "kW", 3), (2, 2.5, "W", None), (3, 3.5, "W", None),
    ]  # fmt: skip
    third_schema = {**new, "fields": [*new["fields"], {"name": "late", "type": "int",
                                                       "default": 7}]}  # fmt: skip
    third = registry.register("evolving-value", third_schema)
    engine.run("ALTER SOURCE s ADD COLUMN late INT")
    value = {"id": 4, "watt": 4.5, "unit": "W", "phase": None, "late": 9}
    bring(engine, "s", [avro(third, third_schema, value), records[1]])
    assert engine.run("SELECT id, late FROM s WHERE late IS NOT NULL ORDER BY id") == [
        (2, 7), (4, 9),
    ]  # fmt: skip


def test_upserts_have_keys_of_a_schema(registry: Registry, engine: Engine) -> None:
    key = {"type": "record", "name": "K", "fields": [{"name": "id", "type": "long"}]}
    value = {"type": "record", "name": "V", "fields": [
        {"name": "id", "type": "long"}, {"name": "kwh", "type": ["null", "double"]}]}  # fmt: skip
    k, v = registry.register("up-key", key), registry.register("up-value", value)
    engine.run(f"CREATE TABLE t (PRIMARY KEY (id)) {clause(registry, 'up', 'UPSERT')}")
    keys = [avro(k, key, {"id": n}) for n in (1, 2, 1)]
    values = [avro(v, value, {"id": n, "kwh": n * 1.5}) for n in (1, 2)]
    bring(engine, "t", [*values, b""], keys)
    assert engine.run("SELECT * FROM t") == [(2, 3.0)]


def test_change_events_of_a_schema(registry: Registry, engine: Engine) -> None:
    row = {"type": "record", "name": "Value", "fields": [
        {"name": "id", "type": "int"},
        {"name": "day", "type": {"type": "int", "connect.name": "io.debezium.time.Date"}},
        {"name": "seen", "type": ["null", {"type": "long",
                                           "connect.name": "io.debezium.time.MicroTimestamp"}]},
    ]}  # fmt: skip
    envelope = {"type": "record", "name": "Envelope", "fields": [
        {"name": "before", "type": ["null", row], "default": None},
        {"name": "after", "type": ["null", "Value"], "default": None},
        {"name": "op", "type": "string"}]}  # fmt: skip
    number = registry.register("cdc-value", envelope)
    engine.run(f"CREATE TABLE t (*, PRIMARY KEY (id)) {clause(registry, 'cdc', 'DEBEZIUM')}")

    def event(op: str, before: int | None, after: int | None) -> bytes:
        images = [
            None if n is None else {"id": n, "day": 20_000 + n, "seen": n * 1_000_000}
            for n in (before, after)
        ]
        return avro(number, envelope, {"before": images[0], "after": images[1], "op": op})

    told = [("c", None, 1), ("r", None, 2), ("u", 2, 3), ("d", 1, None)]
    wrong = [("t", None, None), ("c", None, None)]
    bring(engine, "t", [*(event(*one) for one in told), b"", *(event(*one) for one in wrong)])
    found = engine.run("SELECT * FROM t")
    assert found == [(3, date(2024, 10, 7), datetime(1970, 1, 1, 0, 0, 3))]
    assert letters(engine) == [
        ("t@0:6", 'the operation "t" changes no row'),
        ("t@0:7", 'the row is not told: no "after"'),
    ]


def test_json_keeps_to_its_schema(registry: Registry, engine: Engine) -> None:
    schema = {"type": "object", "required": ["id"], "properties": {
        "id": {"type": "integer"}, "kwh": {"type": ["number", "null"], "minimum": 0},
        "at": {"type": "string", "format": "date-time"},
        "phases": {"type": "array", "items": {"type": "number"}},
        "place": {"$ref": "#/definitions/place"}},
        "definitions": {"place": {"type": "object"}}}  # fmt: skip
    number = registry.register("js-value", schema, "JSON")
    engine.run(f"CREATE SOURCE s {clause(registry, 'js', encode='JSON')}")
    head = b"\0" + struct.pack(">I", number)
    good = {"id": 1, "kwh": 2.5, "at": "2026-01-01T00:00:00Z", "phases": [1, 2], "place": {"a": 1}}
    bring(engine, "s", [head + json.dumps(good).encode(), head + b'{"id": 2, "kwh": -1}',
                        head + b"{", b'{"id": 3}', head + b'{"id": 4}'])  # fmt: skip
    assert engine.run("SELECT id, kwh, phases, place ->> 'a' FROM s") == [
        (1, 2.5, [1.0, 2.0], "1"), (4, None, None, None),
    ]  # fmt: skip
    assert letters(engine) == [
        ("t@0:2", "against its schema at /kwh: -1 is less than the minimum of 0"),
        ("t@0:3", "not valid JSON"),
        ("t@0:4", "the record does not name its schema"),
    ]


def test_a_start_needs_no_registry(registry: Registry, tmp_path: Path) -> None:
    number = registry.register("again-value", READING)
    engine = Engine(tmp_path / "again", SystemClock())
    engine.run(f"CREATE TABLE t (PRIMARY KEY (id)) {clause(registry, 'again')}")
    bring(engine, "t", [avro(number, READING, ONE)])
    engine.close()
    engine = Engine(tmp_path / "again", SystemClock())
    try:
        assert engine.run("SELECT meter FROM t") == [("m1",)]
        bring(engine, "t", [avro(number, READING, {**ONE, "id": 2, "meter": "m2"})])
        assert engine.run("SELECT meter FROM t ORDER BY id") == [("m1",), ("m2",)]
    finally:
        engine.close()


@contextmanager
def reopened(engine: Engine, folder: Path) -> Iterator[Engine]:
    engine.close()
    again = Engine(folder / "data", SystemClock())
    yield again
    again.close()


def test_a_schema_that_grew_is_taken_over_by_refresh(
    registry: Registry, engine: Engine, tmp_path: Path
) -> None:
    small: dict[str, Any] = {**READING, "fields": READING["fields"][:2]}
    wider = {**small, "fields": [*small["fields"], {"name": "Site", "type": ["null", "string"],
                                                    "default": None}]}  # fmt: skip
    old = registry.register("grown-value", small)
    engine.run(f"CREATE SOURCE grown (*, n BIGINT AS id + 1) {clause(registry, 'grown')}")
    engine.run(
        "CREATE TABLE kept (PRIMARY KEY (id)) INCLUDE KEY AS k "
        + clause(registry, "grown", "UPSERT")
        + " KEY ENCODE BYTES"
    )
    bring(engine, "grown", [avro(old, small, {"id": 1, "meter": "a"})])
    engine.run("ALTER SOURCE grown REFRESH SCHEMA")  # Nothing new yet.
    new = registry.register("grown-value", wider)
    row = avro(new, wider, {"id": 2, "meter": "b", "Site": "x"})
    bring(engine, "grown", [row])
    engine.run("ALTER SOURCE grown REFRESH SCHEMA")
    engine.run("ALTER TABLE kept REFRESH SCHEMA")
    bring(engine, "grown", [row, avro(old, small, {"id": 3, "meter": "c"})])
    bring(engine, "kept", [row], [b"2"])
    told = [(1, "a", 2, None), (2, "b", 3, None), (2, "b", 3, "x"), (3, "c", 4, None)]
    assert engine.run('SELECT id, meter, n, "Site" FROM grown ORDER BY id, "Site" DESC') == told
    assert engine.run('SELECT id, meter, "Site", k FROM kept') == [(2, "b", "x", None)]
    with reopened(engine, tmp_path) as again:
        assert again.run('SELECT count("Site") FROM grown') == [(1,)]


def test_a_refresh_that_would_lose_columns_is_refused(registry: Registry, engine: Engine) -> None:
    small: dict[str, Any] = {**READING, "fields": READING["fields"][:2]}
    wider = {**small, "fields": READING["fields"][:3]}
    registry.register("shrunk-value", wider)
    engine.run(f"CREATE SOURCE shrunk {clause(registry, 'shrunk')}")
    registry.register("shrunk-value", small)
    with pytest.raises(FeatureNotSupported, match="no longer has: kwh"):
        engine.run("ALTER SOURCE shrunk REFRESH SCHEMA")
    engine.run("CREATE TABLE plain (a INT)")
    with pytest.raises(FeatureNotSupported, match="no schema to refresh from"):
        engine.run("ALTER TABLE plain REFRESH SCHEMA")
    engine.run("ALTER TABLE IF EXISTS nothing REFRESH SCHEMA")


def test_letters_whose_schema_came_late_are_taken_again(
    registry: Registry, engine: Engine, tmp_path: Path
) -> None:
    small: dict[str, Any] = {**READING, "name": "Again", "fields": READING["fields"][:2]}
    number = registry.register("again-value", small)
    engine.run(f"CREATE SOURCE again {clause(registry, 'again')}")
    one, two = ({"id": id_, "meter": "m"} for id_ in (1, 2))
    widest = {**small, "fields": [*small["fields"], {"name": "a", "type": "int", "default": 0}]}
    bring(engine, "again", [avro(number, small, one), avro(number + 1, widest, {**two, "a": 1})])
    assert len(letters(engine)) == 1
    engine.run("SELECT replay_dead_letters('again')")
    assert len(letters(engine)) == 1  # Its schema is still unknown.
    assert registry.register("again-value", widest) == number + 1
    with reopened(engine, tmp_path) as later:  # What is unknown is asked for again after a while.
        assert later.run("SELECT replay_dead_letters('again')") == [(1,)]
        assert letters(later) == []
        assert later.run("SELECT id FROM again ORDER BY id") == [(1,), (2,)]
