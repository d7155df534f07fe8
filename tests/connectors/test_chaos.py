"""Whatever befalls broker, network and server: each record counts once, at every edge."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from tests.connectors.memory_feed import eventually
from tests.connectors.real_kafka.broker import Broker, NoBroker
from tests.connectors.real_kafka.proxy import Network
from tests.connectors.test_real_kafka import committed_numbers, last_totals
from tests.driver import Engine
from voltstream.core.clock import SystemClock

ROUNDS = int(os.environ.get("VOLTSTREAM_CHAOS_ROUNDS", "20"))
SEED = int(os.environ.get("VOLTSTREAM_CHAOS_SEED", "11"))
ROWS = 400  # Of one round.
METERS = 7
PARTITIONS, PARTITIONS_MAX = 2, 4
EVENTS = ("kill", "kill", "cut", "cut", "broker stops", "broker dies", "partition")


class World:
    """A broker behind a network, and the server that reads from it."""

    def __init__(self, folder: Path) -> None:
        self.broker = Broker(folder / "kafka", behind=Network)
        self.broker.start()
        self._command = [sys.executable, "-m", "tests.connectors.real_kafka.chaos_worker"]
        self._command += [str(folder / "data"), self.broker.address]
        self._server: subprocess.Popen[bytes] | None = None
        self._held = 0  # Rows of the server, as it told last.
        self._partitions = PARTITIONS

    def start_server(self) -> None:
        self._held = 0
        self._server = subprocess.Popen(self._command, stdout=subprocess.PIPE)

    def await_rows(self, count: int) -> None:
        """Wait until the server holds so many rows."""
        assert self._server is not None
        assert self._server.stdout is not None
        while self._held < count:
            line = self._server.stdout.readline()
            assert line, "the server ended"
            self._held = int(line)

    def kill_server(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.communicate()
            self._server = None

    def suffer(self, event: str, chance: random.Random) -> None:
        match event:
            case "kill":
                self.kill_server()
                self.start_server()
            case "cut":
                self.broker.network.cut()
                time.sleep(chance.uniform(0.1, 1.0))
                self.broker.network.mend()
            case "broker stops" | "broker dies":
                self.broker.stop(signal.SIGTERM if event == "broker stops" else signal.SIGKILL)
                self.broker.start()
            case _ if self._partitions < PARTITIONS_MAX:
                self._partitions += 1
                admin = AdminClient({"bootstrap.servers": self.broker.address, "log_level": 0})
                wanted = [NewPartitions("reads", self._partitions)]
                admin.create_partitions(wanted)["reads"].result(60)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "kafka").mkdir()
    try:
        made = World(tmp_path)
    except NoBroker as reason:
        pytest.skip(str(reason))
    yield made
    made.kill_server()
    made.broker.stop()
    made.broker.network.close()


@pytest.mark.timeout(600)
def test_each_record_counts_once_at_every_edge(world: World, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    world.broker.create_topic("reads", PARTITIONS)
    world.broker.create_topic("totals", 1)
    world.broker.create_topic("copies", 1)
    settings = {"bootstrap.servers": world.broker.address, "enable.idempotence": True}
    producer = Producer(settings | {"log_level": 0, "linger.ms": 5})
    world.start_server()
    sent = 0
    for _ in range(ROUNDS):
        for number in range(sent, sent + ROWS):
            value = json.dumps({"n": number, "meter": number % METERS})
            producer.produce("reads", value, key=str(number))
        producer.poll(0)
        event = chance.choice(EVENTS)
        print(f"{sent:6d} rows, {event}", flush=True)  # What happened, where it fails.
        world.suffer(event, chance)
        assert producer.flush(90) == 0
        sent += ROWS
        world.await_rows(sent - chance.randint(0, ROWS))
    world.await_rows(sent)
    world.kill_server()
    engine = Engine(tmp_path / "data", SystemClock())
    try:
        eventually(lambda: engine.run("SELECT sum(pending)::INT FROM rw_sinks") == [(0,)], 60)
        assert engine.run(
            "SELECT count(*), count(DISTINCT n), min(n), max(n), count(DISTINCT (place, at)) "
            "FROM reads"
        ) == [(sent, sent, 0, sent - 1, sent)]
        assert engine.run("SELECT sum(n)::BIGINT, sum(total)::BIGINT FROM by_meter") == [
            (sent, sent * (sent - 1) // 2)
        ]
        views = engine.run("SELECT meter, n, total FROM by_meter")
    finally:
        engine.close()
    right = {m: {"meter": m, "n": int(str(n)), "total": int(str(t))} for m, n, t in views}
    assert last_totals(world.broker) == right
    assert sorted(committed_numbers(world.broker, "copies")) == list(range(sent))
