"""kafka.mirror: one server in front takes chargers, another behind reads the published topics."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Producer
from websockets.sync.client import connect as connect_charger
from websockets.typing import Subprotocol

from tests.cli.test_published import SEEDS, connect, published
from tests.cli.test_verbs import Served, start
from tests.connectors.memory_feed import eventually
from voltstream.cli.mirror import MIRRORED


@pytest.fixture
def brokers() -> Iterator[str]:
    cluster = Producer(
        {"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1, "log_level": 2}
    )
    [broker] = cluster.list_topics(timeout=10).brokers.values()
    yield f"{broker.host}:{broker.port}"
    del cluster


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def charge(url: str) -> None:
    """Boot, beat, and charge for a moment, as OCPP 1.6 has it."""
    now = datetime.now(UTC).isoformat()
    begun = {"connectorId": 1, "idTag": "T", "meterStart": 1000, "timestamp": now}
    with connect_charger(url, subprotocols=[Subprotocol("ocpp1.6")]) as charger:

        def call(action: str, payload: object) -> dict[str, object]:
            charger.send(json.dumps([2, action, action, payload]))
            kind, _, answer = json.loads(charger.recv(timeout=30))
            assert kind == 3, answer
            return dict(answer)

        boot = {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": "1.2"}
        call("BootNotification", boot)
        call("Heartbeat", {})
        number = call("StartTransaction", begun)["transactionId"]
        sampled = {"value": "1500", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        values = [{"timestamp": now, "sampledValue": [sampled]}]
        call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": values})
        status = {"connectorId": 1, "errorCode": "NoError", "status": "Finishing", "timestamp": now}
        call("StatusNotification", status)
        call("StopTransaction", {"transactionId": number, "meterStop": 1500, "timestamp": now})


def rows(session: psycopg.Connection, query: str) -> list[tuple[object, ...]]:
    return session.execute(query.encode()).fetchall()


@contextmanager
def running(data: Path, *options: str) -> Iterator[Served]:
    server = start(data, *options)
    try:
        yield server
    finally:
        server.stop(signal.SIGTERM)
        assert server.process.stdout is not None
        server.process.stdout.close()


@published
@pytest.mark.timeout(180)
def test_what_chargers_bring_reaches_the_published_pipeline(tmp_path: Path, brokers: str) -> None:
    port = free_port()
    # The mock makes a topic with its first message, and "latest" begins behind it.
    warm = Producer({"bootstrap.servers": brokers, "log_level": 0})
    for topic, _ in MIRRORED.values():
        warm.produce(topic, b"{}", partition=0)
    assert warm.flush(10) == 0
    mirror = ("--set", f"kafka.mirror={brokers}")
    override = ("--set", f"kafka.bootstrap_override={brokers}", "--set", "ocpp.enabled=false")
    with (
        running(tmp_path / "front", "--ocpp-port", port, *mirror) as front,
        running(tmp_path / "behind", *override) as behind,
        connect(front) as near,
        connect(behind) as far,
    ):
        far.execute((SEEDS / "ocpp_streaming.sql").read_bytes())
        ready = "SELECT count(*) FROM rw_sources WHERE state = 'running'"
        eventually(lambda: rows(far, ready) == [(4,)], 30)
        near.execute(
            "INSERT INTO charge_points (charge_point_id, site, registered_at) "
            "SELECT 'M-' || n, 'Kai', now() FROM generate_series(0, 9) AS n"
        )
        charge(f"ws://127.0.0.1:{port}/ocpp/M-1")
        for source, query in (
            ("ocpp_heartbeats", "SELECT count(*) FROM charger_heartbeats"),
            ("ocpp_boot_notifications", "SELECT count(*) FROM charger_boots"),
            ("ocpp_meter_readings", "SELECT count(*) FROM published_meter_readings"),
            ("ocpp_transaction_events", "SELECT count(*) FROM published_transaction_events"),
        ):
            right = rows(near, query)
            assert right != [(0,)], source
            asked = f"SELECT count(*) FROM {source} WHERE charge_point_id IS NOT NULL"
            eventually(lambda a=asked, r=right: rows(far, a) == r, 30)  # type: ignore[misc]
        told = (
            "SELECT network_region, firmware_version FROM ocpp_heartbeats "
            "WHERE charge_point_id IS NOT NULL"
        )
        assert rows(far, told) == [("Kai", "1.2")]
        reading = "SELECT value, unit FROM ocpp_meter_readings WHERE measurand LIKE 'Energy%'"
        assert (1.5, "kWh") in rows(far, reading)
        lost = "SELECT state, pending FROM rw_sinks WHERE name LIKE 'kafka_mirror%'"
        eventually(lambda: set(rows(near, lost)) == {("running", 0)}, 30)
    with running(tmp_path / "front") as again, connect(again) as near:
        assert rows(near, "SELECT name FROM rw_sinks") == []
