"""Apache Kafka itself: nothing is lost or doubled, whoever is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.connectors.memory_feed import eventually
from tests.connectors.meter_documents import ONE_OF_EACH
from tests.connectors.real_kafka.broker import Broker
from tests.connectors.real_kafka.once_worker import STEPS
from tests.driver import Engine, bag
from voltstream.core.clock import ManualClock, SystemClock

PARTITIONS = 3
METERS = 7
PART = 4_000  # Rows between two kills.


def send(broker: Broker, topic: str, numbers: range) -> None:
    producer = Producer({"bootstrap.servers": broker.address, "log_level": 0})
    for number in numbers:
        value = json.dumps({"n": number, "meter": number % METERS})
        producer.produce(topic, value, key=str(number), partition=number % PARTITIONS)
        producer.poll(0)
    assert producer.flush(60) == 0


class Workers:
    """Processes that read, one after the other."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self._command = [sys.executable, "-m", "tests.connectors.real_kafka.worker"]
        self._command += [str(folder), broker.address]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, count: int) -> None:
        """Start one and wait until it holds so many rows."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert any(int(line) >= count for line in self._process.stdout), "the worker ended"

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@contextmanager
def opened(folder: Path) -> Iterator[Engine]:
    engine = Engine(folder, SystemClock())
    try:
        yield engine
    finally:
        engine.close()


def last_totals(broker: Broker) -> dict[int, dict[str, int]]:
    """Return the newest value of each key in the sink's topic."""
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "test", "log_level": 0})
    place = TopicPartition("totals", 0, 0)
    _, end = consumer.get_watermark_offsets(place, timeout=20)
    consumer.assign([place])
    totals: dict[int, dict[str, int]] = {}
    seen = 0
    while seen < end:
        for message in consumer.consume(500, 5):
            value = json.loads(message.value() or b"null")
            totals[int(json.loads(message.key() or b"{}")["meter"])] = value
            seen = (message.offset() or 0) + 1
    consumer.close()
    return totals


def produce(broker: Broker, topic: str, rows: Sequence[Mapping[str, object]]) -> None:
    producer = Producer({"bootstrap.servers": broker.address, "log_level": 0})
    for row in rows:
        producer.produce(topic, json.dumps(row), partition=0)
    assert producer.flush(60) == 0


def alerts_of(broker: Broker, topic: str) -> dict[tuple[object, ...], dict[str, object]]:
    """Return the newest record of each alert in a topic."""
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "oms", "log_level": 0})
    place = TopicPartition(topic, 0, 0)
    try:
        _, end = consumer.get_watermark_offsets(place, timeout=20)
        consumer.assign([place])
        told: dict[tuple[object, ...], dict[str, object]] = {}
        seen = 0
        while seen < end:
            for message in consumer.consume(500, 5):
                seen = (message.offset() or 0) + 1
                value = json.loads(message.value() or b"{}")
                if "alert_type" in value:  # What made the topic has none.
                    about = value.get("entity_id", value.get("charge_point_id"))
                    told[about, value["alert_type"]] = value
        return told
    finally:
        consumer.close()


SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"
PUBLISHED = {
    "ocpp_streaming.sql": (
        "ocpp.heartbeats", "ocpp.boot.notifications", "ocpp.meter.readings",
        "ocpp.transaction.events",
    ),
    "ami_streaming.sql": ("ami.headend.reads", "ami.headend.events"),
}  # fmt: skip
DAY = "2026-03-02T"


def read(meter: str, end: str, kwh: float, volts: float) -> dict[str, object]:
    return {
        "meter_id": meter, "transformer_id": "TX-1", "feeder_id": "F-1", "read_type": "INTERVAL",
        "interval_end": f"{DAY}{end}Z", "consumption_kwh": kwh, "voltage_v": volts,
        "estimated_flag": False,
    }  # fmt: skip


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the published pipelines are not beside the project")
@pytest.mark.timeout(180)
def test_the_published_pipelines_from_topics_to_topics(broker: Broker, tmp_path: Path) -> None:
    clock = ManualClock()
    clock.set(datetime.fromisoformat(f"{DAY}09:00:00+00:00"))
    for topic in (
        *sum(PUBLISHED.values(), ()),
        "ami.alerts.grid",
        "ami.alerts.events",
        "ocpp.processing.alerts",
    ):
        produce(broker, topic, [{}])  # The topic is made, and "latest" begins behind this.
    engine = Engine(tmp_path, clock, brokers=broker.address)
    try:
        engine.run(
            "CREATE TABLE transformer_meter_count (transformer_id VARCHAR PRIMARY KEY, n INT)"
        )
        engine.run("ALTER TABLE transformer_meter_count RENAME COLUMN n TO total_meters")
        engine.run("INSERT INTO transformer_meter_count VALUES ('TX-1', 3)")
        for file in PUBLISHED:
            engine.run((SEEDS / file).read_text())
        ready = "SELECT count(*) FROM rw_sources WHERE state = 'running'"
        eventually(lambda: engine.run(ready) == [(6,)], 60)
        # Two of three meters report, one of them 205 V; a third gasps. CP-A beats once at 09:00.
        produce(
            broker, "ami.headend.reads",
            [read("M1", "08:45:00", 0.5, 230.0), read("M2", "08:46:00", 0.25, 205.0)],
        )  # fmt: skip
        gasp = {"meter_id": "M3", "event_code": 3840, "event_desc": "LAST_GASP"}
        produce(broker, "ami.headend.events", [gasp | {"event_ts": f"{DAY}08:51:00Z"}])
        beat = {"charge_point_id": "CP-A", "firmware_version": "1", "network_region": "north"}
        produce(broker, "ocpp.heartbeats", [beat | {"heartbeat_ts": f"{DAY}09:00:00Z"}])
        boot = {"charge_point_id": "CP-A", "charge_point_model": "X1", "firmware_version": "1"}
        produce(broker, "ocpp.boot.notifications", [boot | {"boot_ts": f"{DAY}08:59:00Z"}])
        counts = (
            "SELECT (SELECT count(*) FROM ami_interval_reads WHERE meter_id IS NOT NULL),"
            " (SELECT count(*) FROM ami_events WHERE meter_id IS NOT NULL),"
            " (SELECT count(*) FROM ocpp_heartbeats WHERE charge_point_id IS NOT NULL),"
            " (SELECT count(*) FROM ocpp_boot_notifications WHERE charge_point_id IS NOT NULL)"
        )
        eventually(lambda: engine.run(counts) == [(2, 1, 1, 1)], 60)
        clock.set(datetime.fromisoformat(f"{DAY}09:20:00+00:00"))
        offline = "SELECT count(*) FROM offline_charge_point_alerts"
        eventually(lambda: engine.run(offline) == [(1,)], 30)
        expected = {
            ("TX-1", "LOW_RECEIPT_RATE"): (66.7, "WARNING"),
            ("TX-1", "LOW_VOLTAGE"): (205.0, "WARNING"),
        }

        def told(topic: str) -> dict[tuple[object, ...], tuple[object, ...]]:
            found = alerts_of(broker, topic)
            return {key: (row["detail_value"], row["severity"]) for key, row in found.items()}

        eventually(lambda: told("ami.alerts.grid") == expected, 60)
        gasped = {("M3", "LAST_GASP"): (3840.0, "CRITICAL")}
        eventually(lambda: told("ami.alerts.events") == gasped, 60)
        silent = {("CP-A", "CHARGE_POINT_OFFLINE")}
        eventually(lambda: set(alerts_of(broker, "ocpp.processing.alerts")) == silent, 60)
    finally:
        engine.close()


@pytest.mark.timeout(300)
def test_kills_on_both_sides_lose_and_double_nothing(broker: Broker, tmp_path: Path) -> None:
    broker.create_topic("reads", PARTITIONS)
    broker.create_topic("totals", 1)
    workers = Workers(tmp_path / "data", broker)
    sent = 0
    try:
        for broker_too in (False, True, False):
            send(broker, "reads", range(sent, sent + PART))
            # Killed in the middle of what was sent, at a place that chance chooses.
            workers.start(sent + 1)
            if broker_too:
                broker.stop(signal.SIGKILL)
                broker.start()
            sent += PART
            send(broker, "reads", range(sent, sent + PART))
            sent += PART
            workers.kill()
    finally:
        workers.kill()
    with opened(tmp_path / "data") as engine:
        eventually(lambda: engine.run("SELECT count(*) FROM reads") == [(sent,)], 60)
        rows = engine.run("SELECT n, place, at, convert_from(k, 'UTF8') FROM reads")
        assert sorted(row[0] for row in rows if isinstance(row[0], int)) == list(range(sent))
        assert all(row[3] == str(row[0]) for row in rows)
        assert len({(row[1], row[2]) for row in rows}) == sent
        right = engine.run("SELECT meter, count(*) AS n, sum(n) AS total FROM reads GROUP BY meter")
        assert bag(engine.run("SELECT * FROM by_meter")) == bag(right)
        eventually(lambda: engine.run("SELECT pending FROM rw_sinks") == [(0,)], 60)
    expected = {m: {"meter": m, "n": int(str(n)), "total": int(str(t))} for m, n, t in right}
    assert last_totals(broker) == expected


@pytest.mark.timeout(120)
def test_latest_passes_over_nothing_that_comes_while_stopped(
    broker: Broker, tmp_path: Path
) -> None:
    broker.create_topic("late", PARTITIONS)
    send(broker, "late", range(100))
    with opened(tmp_path / "data") as engine:
        engine.run(
            "CREATE SOURCE late (n BIGINT) WITH (connector = 'kafka', topic = 'late', "
            f"properties.bootstrap.server = '{broker.address}', scan.startup.mode = 'latest') "
            "FORMAT PLAIN ENCODE JSON"
        )
        running = [("running",)]
        eventually(lambda: engine.run("SELECT state FROM rw_sources") == running, 30)
    send(broker, "late", range(100, 200))
    with opened(tmp_path / "data") as engine:
        eventually(lambda: engine.run("SELECT count(*) FROM late") == [(100,)], 30)
        assert engine.run("SELECT min(n), max(n) FROM late") == [(100, 199)]


@pytest.mark.timeout(120)
def test_documents_of_head_ends_are_messages(broker: Broker, tmp_path: Path) -> None:
    producer = Producer({"bootstrap.servers": broker.address, "log_level": 0})
    with opened(tmp_path) as engine:
        for one in ONE_OF_EACH:
            producer.produce(one.source, one.payload())
            engine.run(
                one.definition({"connector": "kafka", "topic": one.source,
                                "properties.bootstrap.server": broker.address})
            )  # fmt: skip
        assert producer.flush(60) == 0
        for one in ONE_OF_EACH:
            one.arrives(engine)


def test_a_start_by_time_takes_what_was_written_since(broker: Broker, tmp_path: Path) -> None:
    broker.create_topic("since", PARTITIONS)
    producer = Producer({"bootstrap.servers": broker.address, "log_level": 0})
    for number in range(90):
        value = json.dumps({"n": number})
        at_ms = 1_700_000_000_000 + number * 1000
        producer.produce("since", value, partition=number % 2, timestamp=at_ms)
    assert producer.flush(60) == 0
    with opened(tmp_path / "data") as engine:
        engine.run(
            "CREATE SOURCE since (n BIGINT) WITH (connector = 'kafka', topic = 'since', "
            f"properties.bootstrap.server = '{broker.address}', scan.startup.mode = 'timestamp', "
            "scan.startup.timestamp.millis = 1700000060000) FORMAT PLAIN ENCODE JSON"
        )
        eventually(lambda: engine.run("SELECT count(*) FROM since") == [(30,)], 30)
        assert engine.run("SELECT min(n), max(n) FROM since") == [(60, 89)]


@pytest.mark.timeout(120)
def test_upserts_and_tombstones_keep_a_table(broker: Broker, tmp_path: Path) -> None:
    broker.create_topic("meters", 1)
    producer = Producer({"bootstrap.servers": broker.address, "log_level": 0})
    for number in range(3_000):
        gone = number % 10 == 9
        value = None if gone else json.dumps({"meter": number % 700, "reads": number})
        producer.produce("meters", value, key=json.dumps({"meter": number % 700}))
    assert producer.flush(60) == 0
    stands: dict[int, int] = {}
    for number in range(3_000):
        stands.pop(number % 700, None)
        if number % 10 != 9:
            stands[number % 700] = number
    with opened(tmp_path / "data") as engine:
        engine.run(
            "CREATE TABLE meters (meter INT PRIMARY KEY, reads INT) WITH (connector = 'kafka', "
            f"topic = 'meters', properties.bootstrap.server = '{broker.address}') "
            "FORMAT UPSERT ENCODE JSON; "
            "CREATE TABLE raw (reads INT) INCLUDE KEY AS k WITH (connector = 'kafka', "
            f"topic = 'meters', properties.bootstrap.server = '{broker.address}') "
            "FORMAT UPSERT ENCODE JSON; "
            "CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n, sum(reads) AS s FROM meters"
        )
        right = [(len(stands), sum(stands.values()))]
        eventually(lambda: engine.run("SELECT n, s::BIGINT FROM total") == right, 30)
        eventually(lambda: engine.run("SELECT count(*), sum(reads)::BIGINT FROM raw") == right, 30)
        lag = (
            "SELECT sum(reached)::BIGINT, sum(behind)::BIGINT FROM rw_source_lag WHERE name = 'raw'"
        )
        eventually(lambda: engine.run(lag) == [(3_000, 0)], 30)
        assert dict(engine.run("SELECT meter, reads FROM meters")) == stands  # type: ignore[arg-type]


def records_of(broker: Broker, topic: str) -> list[tuple[object, object]]:
    """Return every record of a topic's only partition: key and value, None for a tombstone."""
    settings = {"bootstrap.servers": broker.address, "group.id": "all", "log_level": 0}
    consumer = Consumer(settings | {"enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: list[tuple[object, object]] = []
    while True:
        for message in consumer.consume(500, 5):
            if message.error() is not None:
                consumer.close()
                return found
            found.append(
                (json.loads(message.key() or b"null"), json.loads(message.value() or b"null"))
            )


@pytest.mark.timeout(120)
def test_alerts_and_their_history_are_topics(broker: Broker, tmp_path: Path) -> None:
    for topic in ("open.alerts", "alert.history"):
        broker.create_topic(topic, 1)
    kafka = f"connector = 'kafka', properties.bootstrap.server = '{broker.address}'"
    with opened(tmp_path / "data") as engine:
        engine.run(
            "CREATE TABLE loads (device TEXT PRIMARY KEY, percent INT); "
            "CREATE MATERIALIZED VIEW overload WITH (alert.key = 'device') AS "
            "SELECT device, percent FROM loads WHERE percent > 100; "
            "CREATE SINK open_alerts AS SELECT alert_id, rule, entity, severity FROM alerts "
            f"WITH ({kafka}, topic = 'open.alerts', primary_key = 'alert_id') "
            "FORMAT UPSERT ENCODE JSON; "
            "CREATE SINK history AS SELECT event_id, event, entity FROM alert_events "
            f"WITH ({kafka}, topic = 'alert.history') FORMAT PLAIN ENCODE JSON"
        )
        engine.run("INSERT INTO loads VALUES ('T-1', 120)")
        engine.run("UPDATE loads SET percent = 80")
        eventually(lambda: engine.run("SELECT sum(pending)::INT FROM rw_sinks") == [(0,)], 60)
    alert = {"alert_id": 1, "rule": "overload", "entity": "T-1", "severity": "warning"}
    key = {"alert_id": 1}
    assert records_of(broker, "open.alerts") == [(key, alert), (key, None)]
    told = [value for _, value in records_of(broker, "alert.history")]
    assert told == [
        {"event_id": 1, "event": "opened", "entity": "T-1"},
        {"event_id": 2, "event": "cleared", "entity": "T-1"},
    ]


def committed_numbers(broker: Broker, topic: str) -> list[int]:
    """Read a topic as one does who wants nothing that was not committed."""
    settings = {"bootstrap.servers": broker.address, "group.id": "committed", "log_level": 0}
    isolated = {"isolation.level": "read_committed", "enable.partition.eof": True}
    consumer = Consumer(settings | isolated)
    consumer.assign([TopicPartition(topic, 0, 0)])
    numbers: list[int] = []
    while True:
        for message in consumer.consume(500, 5):
            if message.error() is not None:
                consumer.close()
                return numbers
            numbers.append(json.loads(message.value() or b"{}")["n"])


@pytest.mark.timeout(240)
def test_a_transactional_sink_delivers_once_wherever_it_is_killed(
    broker: Broker, tmp_path: Path
) -> None:
    broker.create_topic("once", 1)
    command = [sys.executable, "-m", "tests.connectors.real_kafka.once_worker"]
    command += [str(tmp_path / "data"), broker.address]
    count = 500
    stored: set[int] = set()
    for turn, step in enumerate(STEPS):
        turns = [*command, str(turn * count), str(count), step]
        ended = subprocess.run(turns, check=False, stdout=subprocess.PIPE)
        assert ended.returncode == (0 if step == "none" else -signal.SIGKILL)
        if ended.stdout.startswith(b"stored"):
            stored |= set(range(turn * count, turn * count + count))
    found = committed_numbers(broker, "once")
    assert found == sorted(set(found))
    assert stored <= set(found) <= set(range(len(STEPS) * count))
