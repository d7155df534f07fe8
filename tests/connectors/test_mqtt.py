"""MQTT in, from Mosquitto on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.connectors.memory_feed import MemoryFeed, eventually
from tests.connectors.meter_documents import ONE_OF_EACH
from tests.driver import Engine
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.errors import InvalidParameter


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("Mosquitto is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = tmp_path_factory.mktemp("mosquitto") / "conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    running = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)

    def answers() -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", port)) == 0

    eventually(answers)
    yield port
    running.terminate()
    running.wait()


def publish(port: int, topic: str, *payloads: str | bytes) -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for payload in payloads:
        client.publish(topic, payload, qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def test_messages_come_in_and_what_comes_meanwhile_waits(broker: int, tmp_path: Path) -> None:
    definition = (
        "CREATE SOURCE IF NOT EXISTS reads (meter VARCHAR, kwh INT) INCLUDE partition AS topic "
        f"WITH (connector = 'mqtt', url = 'tcp://127.0.0.1:{broker}', topic = 'meters/+/reads') "
        "FORMAT PLAIN ENCODE JSON"
    )
    engine = Engine(tmp_path, SystemClock())
    engine.run(definition)
    eventually(lambda: engine.run("SELECT state FROM rw_sources") == [("running",)])
    publish(broker, "meters/a/reads", '{"meter": "a", "kwh": 1}', "nonsense")
    publish(broker, "other/a/reads", '{"meter": "b", "kwh": 9}')
    eventually(lambda: engine.run("SELECT * FROM reads") == [("a", 1, "meters/a/reads")])
    eventually(lambda: engine.run("SELECT count(*) FROM rw_dead_letters") == [(1,)])
    engine.close()
    publish(broker, "meters/b/reads", *(f'{{"meter": "b", "kwh": {n}}}' for n in range(200)))
    engine = Engine(tmp_path, SystemClock())
    total = "SELECT count(*), sum(kwh)::BIGINT FROM reads WHERE meter = 'b'"
    eventually(lambda: engine.run(total) == [(200, 199 * 100)])
    engine.close()


def test_documents_of_head_ends_are_messages(broker: int, tmp_path: Path) -> None:
    engine = Engine(tmp_path, SystemClock())
    for one in ONE_OF_EACH:
        url = f"tcp://127.0.0.1:{broker}"
        properties = {"connector": "mqtt", "url": url, "topic": f"hes/{one.source}"}
        engine.run(one.definition(properties))
    running = [("running",)] * len(ONE_OF_EACH)
    eventually(lambda: engine.run("SELECT state FROM rw_sources") == running)
    for one in ONE_OF_EACH:
        publish(broker, f"hes/{one.source}", one.payload())
    for one in ONE_OF_EACH:
        one.arrives(engine)
    engine.close()


def test_without_a_broker_it_says_so() -> None:
    feed = MemoryFeed({"connector": "mqtt", "url": "127.0.0.1:1", "topic": "t"}, {})
    connector = ConnectorRegistry().source(feed)
    assert connector is not None
    connector.start()
    eventually(lambda: "disconnected" in feed.states)
    connector.stop()


@pytest.mark.parametrize("wrong", [{"url": "http://x"}, {"qos": "3"}, {"encode": "parquet"}])
def test_wrong_properties_are_refused(wrong: dict[str, str]) -> None:
    properties = {"connector": "mqtt", "url": "tcp://x", "topic": "t"} | wrong
    with pytest.raises(InvalidParameter):
        ConnectorRegistry().source(MemoryFeed(properties, {}))
