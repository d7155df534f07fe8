"""The published pipelines on a cluster: row for row what the embedded engine has."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cluster.flink import Cluster
from tests.cluster.published import (
    DAY,
    FILES,
    METERS,
    SEEDS,
    SOURCES,
    TICKS,
    VIEWS,
    Record,
    ami_day,
    ocpp_day,
    outputs,
    program,
    send,
    spell,
    topic,
)
from tests.connectors.memory_feed import eventually
from tests.connectors.real_kafka.broker import Broker
from tests.driver import Engine, bag
from voltstream.core.clock import ManualClock
from voltstream.deploy.flink_gateway import FlinkGateway
from voltstream.deploy.flink_jobs import FlinkJobs
from voltstream.deploy.serving import serving_script

WAIT_S = 240
PARTITIONS = 2
NOW = DAY + timedelta(minutes=122)
pytestmark = pytest.mark.skipif(
    not SEEDS.is_dir(), reason="the published pipelines are not beside the project"
)


@pytest.fixture
def embedded(broker: Broker, tmp_path: Path) -> Iterator[Engine]:
    """The pipelines as published, in this process, reading the same topics."""
    for name in (*(told for told, _ in SOURCES.values()), METERS, TICKS, *map(topic, VIEWS)):
        broker.create_topic(name, PARTITIONS)
    clock = ManualClock()
    clock.set(NOW)
    engine = Engine(tmp_path / "embedded", clock, brokers=broker.address)
    engine.run(
        "CREATE TABLE transformer_meter_count (transformer_id VARCHAR PRIMARY KEY, "
        f"total_meters INT) WITH (connector = 'kafka', topic = '{METERS}', "
        f"properties.bootstrap.server = '{broker.address}') FORMAT UPSERT ENCODE JSON"
    )
    for file in FILES:
        text = (SEEDS / file).read_text().split("CREATE SINK")[0]
        engine.run(text.replace("'latest'", "'earliest'"))
    yield engine
    engine.close()


@pytest.fixture
def serving(broker: Broker, tmp_path: Path) -> Iterator[Engine]:
    """A serving node before the cluster."""
    clock = ManualClock()
    clock.set(NOW)
    engine = Engine(tmp_path / "serving", clock)
    for text in serving_script(outputs(), {"properties.bootstrap.server": broker.address}):
        engine.run(text)
    yield engine
    engine.close()


def differing(embedded: Engine, serving: Engine) -> dict[str, tuple[int, int]]:
    """Return how many rows of each view are on one side only."""
    found = {}
    for view in VIEWS:
        ours, theirs = (bag(engine.run(f"SELECT * FROM {view}")) for engine in (embedded, serving))
        if ours != theirs:
            found[view] = (ours - theirs).total(), (theirs - ours).total()
    return found


def test_the_cluster_has_what_the_embedded_engine_has(
    broker: Broker, cluster: Cluster, embedded: Engine, serving: Engine
) -> None:
    records = [*ami_day(200, 8), *ocpp_day(40, 120)]
    parts = [records[start::3] for start in range(3)]
    tick: Record = (TICKS, "0", {"k": 0, "at": spell(NOW)})
    jobs = FlinkJobs(FlinkGateway(cluster.gateway))
    jobs.start(program(broker.address))
    try:
        send(broker.address, [tick, *parts[0]])
        counted = "SELECT count(*) FROM active_session_energy"
        eventually(lambda: serving.run(counted) != [(0,)], WAIT_S)
        cluster.kill_manager()  # In the middle of it.
        send(broker.address, parts[1])
        cluster.add_manager()
        eventually(lambda: differing(embedded, serving) == {}, WAIT_S)
        # A later version of the job, with twice the slots, goes on with what this one knows.
        jobs.upgrade(program(broker.address, **{"parallelism.default": "2"}))
        send(broker.address, parts[2])
        counts = [f"SELECT count(*) FROM {name}" for name in SOURCES]
        expected = [sum(one == told for one, _, _ in records) for told, _ in SOURCES.values()]
        eventually(lambda: [embedded.run(sql)[0][0] for sql in counts] == expected, WAIT_S)
        eventually(lambda: differing(embedded, serving) == {}, WAIT_S)
    finally:
        jobs.cancel("published")
    rows = {view: embedded.run(f"SELECT count(*) FROM {view}")[0][0] for view in VIEWS}
    assert all(itertools.chain(rows.values())), rows  # Every view has something to compare.
