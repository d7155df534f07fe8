"""The packs' core views on a cluster: row for row as embedded, from the same recorded input."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.flink import Cluster, NoCluster
from tests.cluster.packs import PARTS, instant, lived, produce, records, rows_of, spelled
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

WAIT_S = 600
# As deployed: hundreds of tasks take their seconds for each.
CHECKPOINTS = {"execution.checkpointing.interval": "10 s"}
# A job of twenty views has more exchanges than those of the published pipelines, and starts slowly.
HEAP_MIB = 1280
FLOWS_TWICE = 25  # Views in topics.
LARGE = {
    "taskmanager.memory.network.min": "512m",
    "taskmanager.memory.network.max": "512m",
    "taskmanager.memory.task.heap.size": "1024m",
    "heartbeat.timeout": "60000",
    "pekko.ask.timeout": "120 s",
}


@pytest.fixture(scope="module")
def large(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("large") / "flink", 2, HEAP_MIB, **LARGE)
    try:
        cluster.start()
    except NoCluster as reason:
        pytest.skip(str(reason))
    yield cluster
    cluster.stop()


def differing(script: Script, embedded: Engine, serving: Engine) -> dict[str, tuple[int, int]]:
    found = {}
    for output in script.outputs:
        ours, theirs = (bag(rows_of(one, output.object)) for one in (embedded, serving))
        if ours != theirs:
            found[output.object] = (ours - theirs).total(), (theirs - ours).total()
    return found


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("part", list(PARTS))
def test_core_views_are_those_of_the_embedded_engine(
    broker: Broker, large: Cluster, part: str, tmp_path: Path
) -> None:
    pack, scenarios, views = PARTS[part]
    schema = "public" if pack == "ocpp" else pack
    embedded = lived(pack, scenarios, tmp_path / "embedded", schema)
    running = embedded.instance.engine("volt")
    with contextlib.closing(running.reader()) as reader:
        options = Options(kafka=broker.address, topics=f"{part}.")
        script = script_for(Target.FLINK, running.catalog, reader, options, views)
    refuse(script)
    texts = "".join(one.text for one in script.definitions)
    for topic in set(re.findall(r"'topic' = '([^']+)'", texts)):
        broker.create_topic(topic, 2)
    told = list(records(embedded, script, options.topics))
    clock = ManualClock()
    clock.set(instant(embedded.clock))
    serving = Engine(tmp_path / "serving", clock)
    for text in serving_script(script.outputs, {"properties.bootstrap.server": broker.address}):
        serving.run(text)
    jobs = FlinkJobs(FlinkGateway(large.gateway))
    jobs.start(program_of(script, part, CHECKPOINTS))
    try:
        third = len(told) // 3
        tick = json.dumps({"tick": spelled(instant(embedded.clock))})
        produce(broker.address, [(f"{options.topics}ticks", "0", tick), *told[:third]])
        large.kill_manager()
        produce(broker.address, told[third : 2 * third])
        large.add_manager()
        eventually(lambda: large.restarts(part) > 0, WAIT_S)
        # A later version of the job goes on with what this one knows, with twice the slots where
        # these are not a thousand tasks: two cores take minutes to begin so many.
        slots = "1" if len(script.flows) > FLOWS_TWICE else "2"
        jobs.upgrade(program_of(script, part, {**CHECKPOINTS, "parallelism.default": slots}))
        produce(broker.address, told[2 * third :])
        _agree(script, embedded, serving, large)
    finally:
        with contextlib.suppress(Exception):
            jobs.cancel(part)
        serving.close()
        embedded.close()


def _agree(script: Script, embedded: Engine, serving: Engine, cluster: Cluster) -> None:
    end_s = time.monotonic() + WAIT_S
    while (found := differing(script, embedded, serving)) and time.monotonic() < end_s:
        time.sleep(3)
    assert found == {}, cluster.told()
