"""Rows whose key has no value: kept with `--null-keys`, changed in one record, or left out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.cluster.deploying import Latest, deploy, send
from tests.cluster.flink import Cluster
from tests.connectors.memory_feed import eventually
from tests.connectors.real_kafka.broker import Broker

WAIT_S = 120
CHANGES = 40
THINGS = """
CREATE TABLE things (id INT PRIMARY KEY, place VARCHAR, n INT)
WITH (connector = 'kafka', topic = 'nulls.things', properties.bootstrap.server = '{brokers}',
scan.startup.mode = 'earliest') FORMAT UPSERT ENCODE JSON;
CREATE MATERIALIZED VIEW places AS
SELECT place, count(*) AS things, sum(n) AS n FROM things GROUP BY place;
"""


def rows(count: int) -> list[dict[str, Any]]:
    """Return what the view has once each of four things was seen so many times."""
    found: list[dict[str, Any]] = [
        {"place": "A", "things": 2, "n": 2 * count},
        {"place": None, "things": 2, "n": 2 * count},
    ]
    return sorted(found, key=str)


def things(broker: Broker, count: int) -> None:
    told = ((f'{{"id":{key}}}', {"id": key, "place": "A" if key % 2 else None, "n": count})
            for key in range(4))  # fmt: skip
    send(broker, "nulls.things", told)


def test_a_row_without_a_key_is_kept_where_it_is_asked_for(
    broker: Broker, cluster: Cluster, tmp_path: Path
) -> None:
    broker.create_topic("nulls.things", 1)
    file = tmp_path / "p.sql"
    file.write_text(THINGS.format(brokers=broker.address))
    for options, wanted in (((), rows(CHANGES)[:1]), (("--null-keys",), rows(CHANGES))):
        topics = f"nulls{len(options)}."
        target = ("--target", "flink", "-f", file, "--out", tmp_path / topics,
                  "--topics", topics, *options)  # fmt: skip
        said = deploy(*target, "--to", cluster.gateway)
        assert ("rows without a value" in said.stderr) is not bool(options), said.stderr
        latest = Latest(broker, f"{topics}places")
        try:
            things(broker, 0)
            eventually(lambda: len(latest.rows()) == len(wanted), WAIT_S)  # noqa: B023
            for count in range(1, CHANGES + 1):
                things(broker, count)
                time.sleep(0.05)
            eventually(lambda: latest.rows() == wanted, WAIT_S)  # noqa: B023
            # A row that changes is never missing meanwhile.
            assert latest.gone == 0
            send(broker, "nulls.things", ((f'{{"id":{key}}}', None) for key in range(4)))
            eventually(lambda: latest.rows() == [], WAIT_S)  # noqa: B023
        finally:
            latest.close()
            deploy("destroy", "--target", "flink", "--out", tmp_path / topics,
                   "--to", cluster.gateway)  # fmt: skip
