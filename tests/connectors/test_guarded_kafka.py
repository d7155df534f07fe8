"""Brokers behind TLS and a password, by a connection and a secret, as the guide has it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.memory_feed import eventually
from tests.connectors.real_kafka.given import guarded_kafka
from tests.connectors.real_kafka.guarded import PASSWORD, USER, GuardedBroker
from tests.driver import Engine
from voltstream.connectors.kafka_log import TopicLog
from voltstream.core.clock import SystemClock
from voltstream.deploy.ticks import write_ticks

WAIT_S = 60


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[GuardedBroker]:
    with guarded_kafka(tmp_path / "kafka") as running:
        yield running


def test_rows_come_and_go_through_the_guarded_door(broker: GuardedBroker, tmp_path: Path) -> None:
    broker.create_topic("there", 1)
    engine = Engine(tmp_path / "data", SystemClock())
    kafka = "connector = 'kafka', connection = broker, topic = 'there'"
    try:
        engine.run(broker.definitions)
        engine.run("CREATE TABLE here (n INT PRIMARY KEY, told TEXT)")
        engine.run(f"CREATE SINK out FROM here WITH ({kafka}, primary_key = 'n') "
                   "FORMAT UPSERT ENCODE JSON")  # fmt: skip
        engine.run(f"CREATE TABLE back (n INT PRIMARY KEY, told TEXT) WITH ({kafka}, "
                   "scan.startup.mode = 'earliest') FORMAT UPSERT ENCODE JSON")  # fmt: skip
        engine.run("INSERT INTO here VALUES (1, 'a'), (2, 'b')")
        asked = "SELECT n, told FROM back ORDER BY n"
        eventually(lambda: engine.run(asked) == [(1, "a"), (2, "b")], WAIT_S)
    finally:
        engine.close()


def test_ticks_are_written_through_it(broker: GuardedBroker) -> None:
    access = {
        "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": USER,
        "sasl.password": PASSWORD, "ssl.ca.location": str(broker.certificate),
    }  # fmt: skip
    log = TopicLog(broker.guarded, access, "a test")
    stopped, said = threading.Event(), list[str]()
    try:
        threading.Timer(1.0, stopped.set).start()
        assert write_ticks(log, "v.", SystemClock(), 0.05, stopped, said.append) > 0
        assert said == []
    finally:
        log.close()
