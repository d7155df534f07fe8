"""What `voltstream deploy` makes of the published pipelines: row for row as embedded."""

from __future__ import annotations

import contextlib
import itertools
import time
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
    send,
    spell,
)
from tests.connectors.memory_feed import eventually
from tests.connectors.real_kafka.broker import Broker
from tests.driver import Engine, bag
from voltstream.core.clock import ManualClock
from voltstream.deploy.drafting import Options
from voltstream.deploy.flink_gateway import FlinkGateway
from voltstream.deploy.flink_jobs import FlinkJobs, program_of
from voltstream.deploy.script import Script, Target, refuse
from voltstream.deploy.serving import serving_script
from voltstream.deploy.targets import script_for

WAIT_S = 300
CHECKPOINTS = {"execution.checkpointing.interval": "1 s"}
PARTITIONS = 2
NOW = DAY + timedelta(minutes=122)
pytestmark = pytest.mark.skipif(
    not SEEDS.is_dir(), reason="the published pipelines are not beside the project"
)


@pytest.fixture
def embedded(broker: Broker, tmp_path: Path) -> Iterator[Engine]:
    """The pipelines as published, in this process, reading the same topics."""
    for name in (*SOURCES.values(), METERS, TICKS, *(f"voltstream.{view}" for view in VIEWS)):
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
def script(embedded: Engine, broker: Broker) -> Script:
    """What the engine's definitions are on Flink."""
    running = embedded.instance.engine("volt")
    with contextlib.closing(running.reader()) as reader:
        made = script_for(
            Target.FLINK, running.catalog, reader, Options(kafka=broker.address), [*VIEWS]
        )
    refuse(made)
    return made


@pytest.fixture
def serving(script: Script, broker: Broker, tmp_path: Path) -> Iterator[Engine]:
    """A serving node before the cluster."""
    clock = ManualClock()
    clock.set(NOW)
    engine = Engine(tmp_path / "serving", clock)
    for text in serving_script(script.outputs, {"properties.bootstrap.server": broker.address}):
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


def agree(embedded: Engine, serving: Engine, cluster: Cluster) -> None:
    """Wait until every view has the same rows on both sides; else say which have not."""
    end_s = time.monotonic() + WAIT_S
    while (found := differing(embedded, serving)) and time.monotonic() < end_s:
        time.sleep(1)
    assert found == {}, cluster.told()


def test_the_cluster_has_what_the_embedded_engine_has(
    broker: Broker, cluster: Cluster, embedded: Engine, script: Script, serving: Engine
) -> None:
    records = [*ami_day(100, 6), *ocpp_day(20, 90)]
    parts = [records[start::3] for start in range(3)]
    tick: Record = (TICKS, "0", {"tick": spell(NOW)})
    jobs = FlinkJobs(FlinkGateway(cluster.gateway))
    jobs.start(program_of(script, "published", CHECKPOINTS))
    try:
        send(broker.address, [tick, *parts[0]])
        counted = "SELECT count(*) FROM active_session_energy"
        eventually(lambda: serving.run(counted) != [(0,)], WAIT_S)
        cluster.kill_manager()  # In the middle of it.
        send(broker.address, parts[1])
        cluster.add_manager()
        agree(embedded, serving, cluster)
        # A later version of the job, with twice the slots, goes on with what this one knows.
        jobs.upgrade(program_of(script, "published", {**CHECKPOINTS, "parallelism.default": "2"}))
        send(broker.address, parts[2])
        counts = [f"SELECT count(*) FROM {name}" for name in SOURCES]
        expected = [sum(one == told for one, _, _ in records) for told in SOURCES.values()]
        eventually(lambda: [embedded.run(sql)[0][0] for sql in counts] == expected, WAIT_S)
        agree(embedded, serving, cluster)
    finally:
        jobs.cancel("published")
    rows = {view: embedded.run(f"SELECT count(*) FROM {view}")[0][0] for view in VIEWS}
    assert all(itertools.chain(rows.values())), rows  # Every view has something to compare.
