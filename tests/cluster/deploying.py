"""The verb as a user types it, against a real cluster, and what its tests read and write."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer
from typer.testing import CliRunner, Result

from tests.connectors.real_kafka.broker import Broker
from voltstream.cli.app import app

READS = """
CREATE SOURCE reads (n BIGINT, meter INT, kwh NUMERIC, at TIMESTAMPTZ)
WITH (connector = 'kafka', topic = '{topic}', properties.bootstrap.server = '{brokers}',
scan.startup.mode = 'earliest') FORMAT PLAIN ENCODE JSON;
"""


def deploy(*arguments: object) -> Result:
    """Run `voltstream deploy`. Raises: what it raises."""
    found = CliRunner().invoke(app, ["deploy", *map(str, arguments)])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def pipeline(folder: Path, broker: Broker, topic: str, *views: str) -> Path:
    """Write a script of the source of reads and these views."""
    file = folder / "pipeline.sql"
    source = READS.format(topic=topic, brokers=broker.address)
    file.write_text(source + "".join(f"CREATE MATERIALIZED VIEW {view};\n" for view in views))
    return file


def read_of(number: int) -> dict[str, Any]:
    return {"n": number, "meter": number % 7, "kwh": number / 8, "at": "2026-03-02T08:00:00Z"}


def send(broker: Broker, topic: str, records: Iterable[tuple[str | None, Mapping[str, Any] | None]],
         partitions: int = 1) -> None:  # fmt: skip
    """Write records, those without a key by turns to each partition."""
    producer = Producer({"bootstrap.servers": broker.address, "log_level": 0, "linger.ms": 5})
    for number, (key, row) in enumerate(records):
        value = None if row is None else json.dumps(row)
        if key is not None:
            producer.produce(topic, value, key=key)
        else:
            producer.produce(topic, value, partition=number % partitions)
        producer.poll(0)
    assert producer.flush(60) == 0


def send_reads(broker: Broker, topic: str, numbers: range, partitions: int = 1) -> None:
    send(broker, topic, ((None, read_of(number)) for number in numbers), partitions)


class Latest:
    """The rows of a compacted topic as they stand, and how often one was taken away."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._consumer = Consumer({
            "bootstrap.servers": broker.address, "group.id": f"latest of {topic}", "log_level": 0,
            "auto.offset.reset": "earliest", "enable.auto.commit": False,
            "topic.metadata.refresh.interval.ms": 500,
        })  # fmt: skip
        self._consumer.subscribe([topic])
        self._rows: dict[bytes, dict[str, Any]] = {}
        self.gone = 0

    def rows(self) -> list[dict[str, Any]]:
        """Return what has come by now, ordered, without the keys that were made of columns."""
        for message in self._consumer.consume(5_000, 0.3):
            key, value = message.key(), message.value()
            if message.error() is not None or key is None:
                continue
            if value is None:
                self.gone += self._rows.pop(key, None) is not None
            else:
                told: dict[str, Any] = json.loads(value)
                told.pop("_key", None)
                self._rows[key] = told
        return sorted(self._rows.values(), key=str)

    def close(self) -> None:
        self._consumer.close()
