"""A cluster and a serving node whose brokers ask for a password behind TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import wanted
from tests.cluster.deploying import deploy, send
from tests.cluster.flink import Cluster
from tests.connectors.memory_feed import eventually
from tests.connectors.real_kafka.given import guarded_kafka
from tests.connectors.real_kafka.guarded import PASSWORD, GuardedBroker
from tests.driver import Engine
from voltstream.cli.script import split_script
from voltstream.core.clock import SystemClock
from voltstream.core.errors import InvalidParameter

WAIT_S = 120
PIPELINE = """
CREATE TABLE names (meter INT PRIMARY KEY, name TEXT) WITH (connector = 'kafka',
topic = 'guarded.names', connection = broker, scan.startup.mode = 'earliest')
FORMAT UPSERT ENCODE JSON;
CREATE SOURCE reads (meter INT, kwh DOUBLE PRECISION) WITH (connector = 'kafka',
topic = 'guarded.reads', connection = broker, scan.startup.mode = 'earliest')
FORMAT PLAIN ENCODE JSON;
CREATE MATERIALIZED VIEW totals AS SELECT n.name, sum(r.kwh) AS kwh
FROM reads r JOIN names n ON n.meter = r.meter GROUP BY n.name;
"""


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[GuardedBroker]:
    wanted()
    with guarded_kafka(tmp_path / "kafka") as running:
        yield running


def test_a_job_and_its_reader_reach_guarded_brokers(
    guarded: GuardedBroker, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out = tmp_path / "p.sql", tmp_path / "out"
    file.write_text(guarded.definitions + PIPELINE)
    target = ("--target", "flink", "-f", file, "--out", out, "--topics", "guarded.out.")
    for topic in ("guarded.names", "guarded.reads"):
        guarded.create_topic(topic, 1)
    with pytest.raises(InvalidParameter, match="VOLTSTREAM_SECRET_BROKER_PASSWORD is not set"):
        deploy(*target, "--to", cluster.gateway)
    monkeypatch.setenv("VOLTSTREAM_SECRET_BROKER_PASSWORD", PASSWORD)
    deploy(*target, "--to", cluster.gateway)
    node = Engine(tmp_path / "node", SystemClock())
    try:
        written = "".join(one.read_text() for one in out.iterdir())
        assert not any(part in written for part in ("it's", "it''s", "se\\\\cret"))
        # The connection is in serving.sql; the secret is said by who knows it.
        node.run(guarded.definitions.partition(";")[0])
        for _, text in split_script((out / "serving.sql").read_text()):
            node.run(text)
        names = ((f'{{"meter":{one}}}', {"meter": one, "name": f"M-{one}"}) for one in (1, 2))
        send(guarded, "guarded.names", names)
        reads = ((None, {"meter": 1 + number % 2, "kwh": number / 8}) for number in range(100))
        send(guarded, "guarded.reads", reads)
        sums = {f"M-{1 + odd}": sum(number / 8 for number in range(odd, 100, 2)) for odd in (0, 1)}
        asked = "SELECT name, kwh FROM totals ORDER BY name"
        eventually(lambda: node.run(asked) == sorted(sums.items()), WAIT_S)
    finally:
        node.close()
        deploy("destroy", "--target", "flink", "--out", out, "--to", cluster.gateway)
