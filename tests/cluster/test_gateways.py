"""Three gateways without a database, on one Kafka: whoever is killed, every message counts once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.cluster.gateways import Balancer, Charger, Program
from tests.connectors.memory_feed import eventually
from tests.connectors.real_kafka.broker import Broker

CHARGERS, SESSIONS, SAMPLES = 12, 3, 6
WAIT_S = 60
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
BOOT = {"chargePointVendor": "v", "chargePointModel": "m"}


class Yard:
    """The server behind, and gateways before it."""

    def __init__(self, data: Path, broker: Broker) -> None:
        self._data, self._broker = data, broker
        self.behind = self._serve()
        self.gateways = [self._gateway() for _ in range(3)]

    def _serve(self) -> Program:
        return Program("serve", "--data", str(self._data), "--pg-port", "0", "--http-port", "0",
                       "--ocpp-port", "0", "--set", f"kafka.gateways={self._broker.address}",
                       "--set", "ocpp.settle_s=0")  # fmt: skip

    def _gateway(self) -> Program:
        return Program("gateway", "--brokers", self._broker.address, "--ocpp-port", "0")

    def restart(self) -> None:
        self.behind.kill()
        self.behind = self._serve()

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        url = f"postgres://volt@127.0.0.1:{self.behind.port('postgres')}/volt"
        with psycopg.connect(url, autocommit=True) as session:
            return session.execute(sql.encode()).fetchall()

    def stop(self) -> None:
        for program in (*self.gateways, self.behind):
            program.stop()


@pytest.fixture(scope="module")
def yard(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    running = Yard(tmp_path_factory.mktemp("behind"), broker)
    yield running
    running.stop()


async def charge(charger: Charger, halfway: asyncio.Semaphore) -> None:
    """Charge a few times; the meter counts on."""
    await charger.call("BootNotification", **BOOT)
    meter_wh, at = 0, NOON
    for session in range(SESSIONS):
        began = await charger.call(
            "StartTransaction", connectorId=1, idTag="tag", meterStart=meter_wh, timestamp=spell(at)
        )
        for _ in range(SAMPLES):
            meter_wh, at = meter_wh + 100, at + timedelta(minutes=1)
            sampled = [{"value": str(meter_wh)}]
            await charger.call(
                "MeterValues",
                connectorId=1,
                transactionId=began["transactionId"],
                meterValue=[{"timestamp": spell(at), "sampledValue": sampled}],
            )
            halfway.release()
        at += timedelta(minutes=1)
        await charger.call(
            "StopTransaction",
            transactionId=began["transactionId"],
            meterStop=meter_wh,
            timestamp=spell(at),
        )
        at += timedelta(minutes=1 + session)


def spell(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


ENERGY = """
SELECT count(*), count(DISTINCT charge_point_id), sum(energy_wh)::BIGINT
FROM charge_detail_records
"""
EVENTS = "SELECT event_type, count(*) FROM charger_transactions GROUP BY 1 ORDER BY 1"
SAMPLED = """
SELECT count(*), count(DISTINCT (charge_point_id, event_ts)) FROM charger_readings
WHERE context = 'Sample.Periodic'
"""
DOUBLED = """
SELECT raw_id FROM charger_frames GROUP BY raw_id HAVING count(*) > 1
"""


async def day(yard: Yard) -> list[Charger]:
    """Let everybody charge while a gateway is killed, then the server behind."""
    balancer = Balancer([each.port("ws") for each in yard.gateways])
    await balancer.start()
    chargers = [Charger(f"CP-{number}", balancer.port) for number in range(CHARGERS)]
    said = asyncio.Semaphore(0)
    try:
        charging = [asyncio.create_task(charge(each, said)) for each in chargers]
        for _ in range(CHARGERS * SAMPLES):
            await said.acquire()
        await asyncio.to_thread(yard.gateways.pop().kill)
        for _ in range(CHARGERS * SAMPLES // 2):
            await said.acquire()
        await asyncio.to_thread(yard.restart)
        await asyncio.gather(*charging)
        await asyncio.gather(*(each.connected() for each in chargers))
        for number, charger in enumerate(chargers):
            question = f"SELECT * FROM ocpp_reset('{charger.name}', 'Soft')"
            [found] = await asyncio.to_thread(yard.rows, question)
            assert "answered" in found and "Accepted" in found, (number, found)
    finally:
        for charger in chargers:
            await charger.drop()
        await balancer.stop()
    return chargers


def test_every_message_counts_once_and_commands_find_their_charger(yard: Yard) -> None:
    chargers = asyncio.run(day(yard))
    assert sum(each.connections for each in chargers) > CHARGERS  # Some had to come again.
    assert [each.commands for each in chargers] == [["Reset"]] * CHARGERS
    ends = CHARGERS * SESSIONS
    eventually(lambda: yard.rows(EVENTS) == [("START", ends), ("STOP", ends)], WAIT_S)
    samples = ends * SAMPLES
    assert yard.rows(SAMPLED) == [(samples, samples)]
    assert yard.rows(DOUBLED) == []
    eventually(lambda: yard.rows(ENERGY) == [(ends, CHARGERS, samples * 100)], WAIT_S)


def test_the_newest_connection_wins_whichever_gateway_has_it(yard: Yard) -> None:
    async def twice() -> int | None:
        urls = [f"ws://127.0.0.1:{each.port('ws')}/ocpp/TWICE" for each in yard.gateways]
        protocols = [Subprotocol("ocpp1.6")]
        async with (
            connect(urls[0], subprotocols=protocols) as older,
            connect(urls[1], subprotocols=protocols) as newer,
        ):
            await asyncio.wait_for(older.wait_closed(), 30)
            await newer.send('[2,"1","Heartbeat",{}]')
            assert "currentTime" in str(await asyncio.wait_for(newer.recv(), 30))
            return older.close_code

    assert asyncio.run(twice()) == 4000


def test_a_registry_reaches_every_gateway(yard: Yard) -> None:
    yard.rows("INSERT INTO id_tokens (id_token, status) VALUES ('GOOD', 'Accepted') RETURNING 1")

    async def asked(port: int, tag: str) -> object:
        charger = Charger(f"ASKS-{port}", port)
        await charger.call("BootNotification", **BOOT)
        answer = await charger.call("Authorize", idTag=tag)
        await charger.drop()
        return answer["idTagInfo"]["status"]

    for gateway in yard.gateways:
        port = gateway.port("ws")
        while asyncio.run(asked(port, "BAD")) != "Invalid":  # Until the list has come.
            time.sleep(0.1)
        assert asyncio.run(asked(port, "good")) == "Accepted"


def test_a_command_to_nobody_says_so(yard: Yard) -> None:
    with pytest.raises(psycopg.Error, match="not connected to any gateway"):
        yard.rows("SELECT * FROM ocpp_reset('NOBODY', 'Soft')")
