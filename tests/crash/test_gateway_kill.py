"""kill -9 of a gateway between storing and answering: nothing is lost, nothing is double."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("VOLTSTREAM_GATEWAY_ROUNDS", "2"))
CHARGERS = 3
ANSWERS = 20  # Of all chargers together, before the server is killed.


class Server:
    """A server process and where it listens."""

    def __init__(self, data: Path) -> None:
        command = [sys.executable, "-m", "voltstream", "serve", "--data", str(data)]
        command += ["--pg-port", "0", "--http-port", "0", "--ocpp-port", "0"]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )
        said = ""
        assert self.process.stdout is not None
        while "Ctrl-C" not in said:
            line = self.process.stdout.readline()
            assert line, said
            said += line
        self.postgres = re.findall(r"postgres://\S+", said)[0]
        self.ocpp = re.findall(r"ws://\S+/ocpp", said)[0]

    def end(self, how: signal.Signals) -> None:
        self.process.send_signal(how)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Charger:
    """Sends sessions one after another; what was not answered it sends again, forever."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.acknowledged: list[tuple[str, str]] = []  # (transaction id, START or STOP)
        self.samples = 0
        self._second = 0
        self._open: list[str] = []
        self._pending: tuple[str, dict[str, Any]] | None = None
        self._wh = 1000

    async def work(self, url: str, *, until_idle: bool) -> None:
        """Talk until the connection breaks, or with ``until_idle`` until nothing is pending."""
        protocols = [Subprotocol("ocpp1.6")]
        try:
            async with connect(f"{url}/{self.name}", subprotocols=protocols) as socket_:
                boot = {"chargePointVendor": "v", "chargePointModel": "m"}
                await self._ask(socket_, "BootNotification", boot)
                while not (until_idle and self._pending is None):
                    if self._pending is None:
                        self._pending = self._next()
                    action, payload = self._pending
                    answer = await self._ask(socket_, action, payload)
                    self._learn(action, payload, answer)
                    self._pending = None
        except (ConnectionClosed, InvalidHandshake, OSError):
            return

    async def _ask(self, socket_: Any, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        # A new id each time, as chargers do that forget what they called a message.
        await socket_.send(json.dumps([2, os.urandom(8).hex(), action, payload]))
        answer = json.loads(await socket_.recv())
        assert answer[0] == 3, answer
        return dict(answer[2])

    def _time(self) -> str:
        self._second += 1
        minute, second = divmod(self._second, 60)
        return f"2026-06-01T{10 + minute // 60:02}:{minute % 60:02}:{second:02}Z"

    def _next(self) -> tuple[str, dict[str, Any]]:
        step = self._second % 4
        self._wh += 10
        if not self._open:
            return "StartTransaction", {
                "connectorId": 1, "idTag": "T", "timestamp": self._time(), "meterStart": self._wh,
            }  # fmt: skip
        number = int(self._open[0])
        if step:
            value = {"timestamp": self._time(), "sampledValue": [{"value": str(self._wh)}]}
            return "MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": [value]}
        return "StopTransaction", {
            "transactionId": number, "timestamp": self._time(), "meterStop": self._wh,
        }  # fmt: skip

    def _learn(self, action: str, payload: dict[str, Any], answer: dict[str, Any]) -> None:
        if action == "StartTransaction":
            self._open = [str(answer["transactionId"])]
            self.acknowledged.append((self._open[0], "START"))
        elif action == "StopTransaction":
            self.acknowledged.append((str(payload["transactionId"]), "STOP"))
            self._open = []
        else:
            self.samples += 1


def answers(chargers: list[Charger]) -> int:
    return sum(len(one.acknowledged) + one.samples for one in chargers)


async def load(chargers: list[Charger], server: Server, more_s: float) -> None:
    """Kill the server a moment after it has answered for a while."""
    working = [asyncio.create_task(one.work(server.ocpp, until_idle=False)) for one in chargers]
    enough = answers(chargers) + ANSWERS
    while answers(chargers) < enough:
        await asyncio.sleep(0.01)
    await asyncio.sleep(more_s)
    await asyncio.to_thread(server.end, signal.SIGKILL)
    await asyncio.gather(*working)


async def settle(chargers: list[Charger], server: Server) -> None:
    await asyncio.gather(*(one.work(server.ocpp, until_idle=True) for one in chargers))


@pytest.mark.slow
def test_what_was_answered_is_stored_once(tmp_path: Path) -> None:
    chargers = [Charger(f"K-{number}") for number in range(CHARGERS)]
    for number in range(ROUNDS):
        asyncio.run(load(chargers, Server(tmp_path), 0.037 * number))
    server = Server(tmp_path)
    try:
        asyncio.run(settle(chargers, server))
        with psycopg.connect(server.postgres, autocommit=True) as connection:
            for one in chargers:
                rows = connection.execute(
                    "SELECT transaction_id, event_type FROM charger_transactions "
                    f"WHERE charge_point_id = '{one.name}' ORDER BY raw_id"
                ).fetchall()
                assert rows == one.acknowledged
                assert len(rows) == len(set(rows)) > 0
                [(samples, distinct)] = connection.execute(
                    "SELECT COUNT(*), COUNT(DISTINCT event_ts) FROM charger_readings "
                    f"WHERE charge_point_id = '{one.name}' AND origin = 'METER_VALUES'"
                ).fetchall()
                assert samples == distinct == one.samples
            [(chargers_seen, ids)] = connection.execute(
                "SELECT COUNT(*), COUNT(DISTINCT transaction_id) FROM charger_transactions "
                "WHERE event_type = 'START'"
            ).fetchall()
            assert chargers_seen == ids
    finally:
        server.end(signal.SIGTERM)
