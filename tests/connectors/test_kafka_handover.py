"""What hands work over through Kafka: the cut of offsets, ticks, gateways that are watched."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from signal import SIGKILL

from confluent_kafka import Consumer
from typer.testing import CliRunner
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.cluster.gateways import Program
from tests.connectors.memory_feed import eventually
from tests.connectors.real_kafka.broker import Broker
from tests.connectors.test_real_kafka import PART, PARTITIONS, send
from tests.driver import Engine
from tests.gateway.test_tls import Authority
from voltstream.cli.app import app
from voltstream.connectors.kafka_log import TopicLog
from voltstream.core.clock import SystemClock
from voltstream.deploy.ticks import write_ticks


def test_who_reads_on_from_the_cut_has_every_other_row(broker: Broker, tmp_path: Path) -> None:
    """The union of what was stored here and what is read from the stored offsets is the input."""
    broker.create_topic("cut", PARTITIONS)
    send(broker, "cut", range(PART))
    engine = Engine(tmp_path, SystemClock())
    engine.run(
        "CREATE TABLE reads (n INT, meter INT) APPEND ONLY WITH (connector = 'kafka', "
        f"topic = 'cut', properties.bootstrap.server = '{broker.address}', "
        "scan.startup.mode = 'earliest') FORMAT PLAIN ENCODE JSON"
    )
    engine.run(
        "CREATE SOURCE late (n INT) WITH (connector = 'kafka', topic = 'cut', "
        f"properties.bootstrap.server = '{broker.address}') FORMAT PLAIN ENCODE JSON"
    )
    engine.run("ALTER TABLE reads SET source_rate_limit TO 2000")  # So that it ends in between.
    eventually(lambda: engine.run("SELECT count(*) FROM reads") > [(0,)], 60)
    send(broker, "cut", range(PART, 2 * PART))
    here = {int(str(row[0])) for row in engine.run("SELECT n FROM reads")}
    engine.close()
    engine = Engine(tmp_path, SystemClock())
    stored = [int(str(row[0])) for row in engine.run("SELECT n FROM reads")]
    engine.close()

    run = ("--data", str(tmp_path), "--only", "reads")
    told = invoked("deploy", "offsets", *run, "--commit", "next", "--kafka", broker.address)
    places = [line.split("\t") for line in told.splitlines()[:PARTITIONS]]
    assert [one[:3] for one in places] == [
        ["public.reads", "cut", str(n)] for n in range(PARTITIONS)
    ]
    settings = {"bootstrap.servers": broker.address, "group.id": "next", "log_level": 0,
                "auto.offset.reset": "error"}  # fmt: skip
    consumer = Consumer(settings)
    consumer.subscribe(["cut"])
    there: list[int] = []

    def all_came() -> bool:
        there.extend(polled(consumer))
        return len(stored) + len(there) >= 2 * PART

    eventually(all_came, 60)
    there += polled(consumer)
    consumer.close()
    assert here <= set(stored)
    assert 0 < len(stored) < 2 * PART
    assert sorted([*stored, *there]) == list(range(2 * PART))

    shown = invoked("deploy", "--target", "flink", *run, "--from-offsets", "--dry-run")
    begins = ";".join(f"partition:{one[2]},offset:{one[3]}" for one in places)
    assert f"'scan.startup.specific-offsets' = '{begins}'" in shown
    run = ("--data", str(tmp_path), "--only", "late")
    shown = invoked("deploy", "--target", "risingwave", *run, "--from-offsets", "--dry-run")
    for line in invoked("deploy", "offsets", *run).splitlines():
        _, _, partition, offset = line.split("\t")
        assert f"WHEN '{partition}' THEN _cut_offset::BIGINT >= {offset}" in shown


def polled(consumer: Consumer) -> list[int]:
    messages = consumer.consume(PART, 0.5)
    return [json.loads(one.value() or b"")["n"] for one in messages if one.error() is None]


def invoked(*arguments: str) -> str:
    """Run the command line and return what it printed."""
    found = CliRunner().invoke(app, arguments)
    if found.exception is not None:
        raise found.exception
    return found.stdout


def test_ticks_are_written_and_never_go_back(broker: Broker) -> None:
    log, stopped = TopicLog(broker.address, {}, "ticks"), threading.Event()
    said: list[str] = []
    writing = threading.Thread(
        target=write_ticks, args=(log, "v.", SystemClock(), 0.05, stopped, said.append)
    )
    writing.start()
    settings = {"bootstrap.servers": broker.address, "group.id": "t", "log_level": 0,
                "auto.offset.reset": "earliest"}  # fmt: skip
    consumer = Consumer(settings)
    consumer.subscribe(["v.ticks"])
    found: list[bytes] = []

    def enough() -> bool:
        found.extend(one.value() or b"" for one in consumer.consume(20, 0.5) if not one.error())
        return len(found) >= 5

    eventually(enough, 60)
    stopped.set()
    writing.join()
    consumer.close()
    log.close()
    ticks = [json.loads(one)["tick"] for one in found]
    assert ticks == sorted(ticks)
    assert all(tick.endswith("Z") and datetime.fromisoformat(tick) for tick in ticks)
    assert said == []


def test_a_gateway_over_tls_says_how_it_is(broker: Broker, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "root")
    own = authority.issue("localhost")
    gateway = Program(
        "gateway", "--brokers", broker.address, "--ocpp-port", "0", "--status-port", "0",
        "--set", f"ocpp.tls_certificate={own}", "--set", f"ocpp.tls_key={own}",
    )  # fmt: skip
    status = f"http://127.0.0.1:{gateway.port('http')}"
    trust = ssl.create_default_context(cafile=str(authority.file))
    trust.check_hostname = False
    boot = ["BootNotification", {"chargePointVendor": "v", "chargePointModel": "m"}]

    async def charge() -> None:
        url = f"wss://127.0.0.1:{gateway.port('wss')}/ocpp/CP-1"
        async with connect(url, ssl=trust, subprotocols=[Subprotocol("ocpp1.6")]) as charger:
            await charger.send(json.dumps([2, "1", *boot]))
            answer = json.loads(await asyncio.wait_for(charger.recv(), 30))
            assert (answer[0], answer[1]) == (3, "1")
            assert await asyncio.to_thread(asked, f"{status}/readyz") == (200, "ready\n")
            _, metrics = await asyncio.to_thread(asked, f"{status}/metrics")
            assert "\nvoltstream_gateway_connected 1\n" in metrics
            counted = dict(line.split() for line in metrics.splitlines() if line[0] != "#")
            assert int(counted["voltstream_gateway_appended_total"]) >= 2  # Claim and frame.
            broker.stop(SIGKILL)
            await charger.send(json.dumps([2, "2", "Heartbeat", {}]))
            while (await asyncio.to_thread(asked, f"{status}/readyz"))[0] == 200:
                await asyncio.sleep(0.2)
            code, why = await asyncio.to_thread(asked, f"{status}/readyz")
            assert code == 503
            assert "brokers" in why or "gateway" in why
            assert (await asyncio.to_thread(asked, f"{status}/healthz"))[0] == 200

    try:
        asyncio.run(asyncio.wait_for(charge(), 120))
    finally:
        gateway.kill()
        broker.stop()
        broker.start()


def asked(url: str) -> tuple[int, str]:
    request = urllib.request.Request(url)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
