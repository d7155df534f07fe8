"""Rows that reach a cluster by a topic of our own, and whoever reads that."""

from __future__ import annotations

import json
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from tests.connectors.memory_feed import eventually
from tests.connectors.real_kafka.broker import Broker
from tests.driver import Engine
from voltstream.core.clock import SystemClock
from voltstream.core.ports import RawBatch
from voltstream.deploy.drafting import Options
from voltstream.deploy.inputs import feeding_sink, served_input

ROWS, ROUNDS = 2_000, 4
COUNTED = (
    "CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n, count(DISTINCT id) AS ids FROM reading"
)


def push(engine: Engine, first: int) -> None:
    rows = "".join(json.dumps({"id": first + n, "kwh": n / 8}) + "\n" for n in range(ROWS))
    batch = RawBatch("ndjson", payload=rows.encode())
    engine.instance.submit("volt", "reading", batch).result(60)


def test_rows_without_a_key_come_once_whatever_stops_between(
    broker: Broker, tmp_path: Path
) -> None:
    broker.create_topic("fed.reading", 1)
    options = Options(kafka=broker.address, topics="fed.")
    reached = {"properties.bootstrap.server": broker.address}
    front, node = (Engine(tmp_path / name, SystemClock()) for name in ("front", "node"))
    try:
        front.run("CREATE SOURCE reading (id INT, kwh FLOAT)")
        [entry] = [
            one for one in front.instance.engine("volt").catalog if one.stored.name == "reading"
        ]
        node.run(served_input(entry, options, reached))
        node.run(COUNTED)
        front.run(feeding_sink(entry, options, reached))
        for number in range(ROUNDS):
            push(front, number * ROWS)
            # What this cuts off is sent again.
            front.close()
            front = Engine(tmp_path / "front", SystemClock())
        whole = [(ROUNDS * ROWS, ROUNDS * ROWS)]
        eventually(lambda: node.run("SELECT n, ids FROM n") == whole, 60)
        # Beside the rows there are the ends of transactions: what is sent again is in another.
        asked = Consumer({"bootstrap.servers": broker.address, "group.id": "fed"})
        _, end = asked.get_watermark_offsets(TopicPartition("fed.reading", 0), timeout=10)
        asked.close()
        assert end > ROUNDS * ROWS
    finally:
        front.close()
        node.close()
