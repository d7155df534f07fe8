"""A job on a real cluster: planned, refused, run, killed under, upgraded, and taken away."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer

from tests.cluster.flink import Cluster
from tests.connectors.memory_feed import eventually
from tests.connectors.real_kafka.broker import Broker
from voltstream.core.errors import TargetRefused, UndefinedObject
from voltstream.deploy.flink_gateway import FlinkGateway
from voltstream.deploy.flink_jobs import FlinkJobs, FlinkProgram

METERS = 7
WAIT_S = 120
READS = """CREATE TABLE `reads` (n BIGINT, meter INT) WITH ('connector' = 'kafka',
'topic' = 'reads', 'properties.bootstrap.servers' = '{broker}',
'scan.startup.mode' = 'earliest-offset', 'format' = 'json')"""
TOTALS = """CREATE TABLE totals (meter INT, n BIGINT, total BIGINT,
PRIMARY KEY (meter) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'totals',
'properties.bootstrap.servers' = '{broker}', 'key.format' = 'json', 'value.format' = 'json')"""
SUMS = "INSERT INTO totals SELECT meter, COUNT(*), SUM(n) FROM `reads` GROUP BY meter"
CHECKPOINTS = {"execution.checkpointing.interval": "500 ms"}


def program(broker: Broker, insert: str = SUMS, **settings: str) -> FlinkProgram:
    relations = tuple(text.format(broker=broker.address) for text in (READS, TOTALS))
    return FlinkProgram("totals", relations, (insert,), {**CHECKPOINTS, **settings})


@pytest.fixture(scope="module")
def jobs(cluster: Cluster) -> Iterator[FlinkJobs]:
    running = FlinkJobs(FlinkGateway(cluster.gateway))
    yield running
    for job in running.all():
        if job.is_live:
            running.cancel(job.name)


def send(broker: Broker, numbers: range) -> None:
    producer = Producer({"bootstrap.servers": broker.address, "log_level": 0})
    for number in numbers:
        value = json.dumps({"n": number, "meter": number % METERS})
        producer.produce("reads", value, partition=number % 2)
        producer.poll(0)
    assert producer.flush(60) == 0


class Latest:
    """The rows of a compacted topic as they stand."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._consumer = Consumer({
            "bootstrap.servers": broker.address, "group.id": "latest", "log_level": 0,
            "auto.offset.reset": "earliest", "enable.auto.commit": False,
        })  # fmt: skip
        self._consumer.subscribe([topic])
        self.rows: dict[str, object] = {}

    def read(self) -> dict[str, object]:
        for message in self._consumer.consume(1000, 0.2):
            if message.error() is None:
                key, value = message.key(), message.value()
                assert key is not None
                if value is None:
                    self.rows.pop(key.decode(), None)
                else:
                    self.rows[key.decode()] = json.loads(value)
        return self.rows


def expected(count: int) -> dict[str, object]:
    totals: dict[str, object] = {}
    for meter in range(METERS):
        numbers = range(meter, count, METERS)
        row = {"meter": meter, "n": len(numbers), "total": sum(numbers)}
        totals[json.dumps({"meter": meter}, separators=(",", ":"))] = row
    return totals


def test_a_job_outlives_its_cluster_and_its_version(
    broker: Broker, cluster: Cluster, jobs: FlinkJobs
) -> None:
    for topic in ("reads", "totals"):
        broker.create_topic(topic, 2)
    with pytest.raises(TargetRefused, match="Column 'm' not found"):
        jobs.check(program(broker, "INSERT INTO totals SELECT m, 1, 1 FROM `reads`"))
    with pytest.raises(TargetRefused, match="do not match"):
        jobs.check(program(broker, "INSERT INTO totals SELECT 'a', 'b', 'c' FROM `reads`"))
    assert "GroupAggregate" in jobs.check(program(broker))
    assert jobs.live("totals") is None

    first = jobs.start(program(broker))
    assert jobs.live("totals") == first
    with pytest.raises(TargetRefused, match="runs already"):
        jobs.start(program(broker))
    latest = Latest(broker, "totals")
    send(broker, range(20_000))
    eventually(lambda: latest.read() == expected(20_000), WAIT_S)

    cluster.kill_manager()
    send(broker, range(20_000, 40_000))
    cluster.add_manager()
    eventually(lambda: latest.read() == expected(40_000), WAIT_S)

    second, savepoint = jobs.upgrade(program(broker, **{"parallelism.default": "2"}))
    assert second.job_id != first.job_id and savepoint.startswith("file:")
    send(broker, range(40_000, 60_000))
    eventually(lambda: latest.read() == expected(60_000), WAIT_S)

    jobs.cancel("totals")
    assert jobs.live("totals") is None
    with pytest.raises(UndefinedObject, match="no job"):
        jobs.cancel("totals")
