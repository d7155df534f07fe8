"""The load of the gateway benchmark, in a process of its own; prints what it saw as JSON.

Usage: gateway_load.py URL CONNECTIONS MESSAGES_PER_S SECONDS
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

SAMPLES = 16  # Sampled values of one message: the worst case of the load model.
HANDSHAKES = 100  # At the same time: what one listening process takes without a queue.
VERSIONS = ("ocpp1.6",) * 14 + ("ocpp2.0.1",) * 5 + ("ocpp2.1",)
PHASES = ("L1", "L2", "L3")


def now() -> str:
    at = datetime.now(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


class Charger:
    """A connection and its register."""

    def __init__(self, number: int, url: str) -> None:
        self.name = f"BENCH-{number:05}"
        self.version = VERSIONS[number % len(VERSIONS)]
        self._url = f"{url}/{self.name}"
        self._socket: ClientConnection | None = None
        self._number = 0
        self._wh = 1_000_000 + number

    async def arrive(self, gate: asyncio.Semaphore, *, boot: bool) -> None:
        async with gate:
            self._socket = await connect(
                self._url, subprotocols=[Subprotocol(self.version)], compression=None,
                open_timeout=300, ping_interval=None,
            )  # fmt: skip
        if boot:
            station = {"vendorName": "v", "model": "m"}
            payload: dict[str, Any] = {"reason": "PowerUp", "chargingStation": station}
            if self.version == "ocpp1.6":
                payload = {"chargePointVendor": "v", "chargePointModel": "m"}
            await self.ask("BootNotification", payload)

    async def ask(self, action: str, payload: dict[str, Any]) -> float:
        """Return how long the answer took. Units: s."""
        assert self._socket is not None
        self._number += 1
        begin_s = time.perf_counter()
        await self._socket.send(json.dumps([2, str(self._number), action, payload]))
        answer = json.loads(await self._socket.recv())
        assert answer[0] == 3, answer
        return time.perf_counter() - begin_s

    async def meter(self) -> float:
        self._wh += 100
        is_16 = self.version == "ocpp1.6"
        values: list[dict[str, Any]] = [{"value": self._wh}]
        for phase in PHASES:
            values += [
                {"value": 16.1, "measurand": "Current.Import", "phase": phase},
                {"value": 230.2, "measurand": "Voltage", "phase": phase},
                {"value": 3700.5, "measurand": "Power.Active.Import", "phase": phase},
                {"value": 0.99, "measurand": "Power.Factor", "phase": phase},
                {"value": 32.0, "measurand": "Current.Offered", "phase": phase},
            ]
        if is_16:
            values = [one | {"value": str(one["value"])} for one in values]
        meter = [{"timestamp": now(), "sampledValue": values[:SAMPLES]}]
        place = {"connectorId": 1} if is_16 else {"evseId": 1}
        return await self.ask("MeterValues", place | {"meterValue": meter})

    async def leave(self) -> None:
        assert self._socket is not None
        self._socket.transport.abort()
        await self._socket.wait_closed()


async def steady(chargers: list[Charger], per_s: float, seconds: float) -> list[float]:
    """Send at an even pace, each charger in turn, whether or not answers come."""
    tasks = []
    begin_s = time.perf_counter()
    for number in range(int(per_s * seconds)):
        rest_s = begin_s + number / per_s - time.perf_counter()
        if rest_s > 0:
            await asyncio.sleep(rest_s)
        tasks.append(asyncio.create_task(chargers[number % len(chargers)].meter()))
    return list(await asyncio.gather(*tasks))


async def run(url: str, count: int, per_s: float, seconds: float) -> None:
    chargers = [Charger(number, url) for number in range(count)]
    gate = asyncio.Semaphore(HANDSHAKES)
    begin_s = time.perf_counter()
    await asyncio.gather(*(one.arrive(gate, boot=True) for one in chargers))
    tell(phase="connected", seconds=time.perf_counter() - begin_s)
    begin_s = time.perf_counter()
    latencies_s = await steady(chargers, per_s, seconds)
    elapsed_s = time.perf_counter() - begin_s
    tell(phase="steady", seconds=elapsed_s, messages=len(latencies_s), **quantiles(latencies_s))
    begin_s = time.perf_counter()
    # As fast as answers come: what one gateway takes at most.
    peak = await asyncio.gather(*(one.meter() for one in chargers[: min(count, 2_000)]))
    tell(phase="peak", seconds=time.perf_counter() - begin_s, messages=len(peak), **quantiles(peak))
    await asyncio.gather(*(one.leave() for one in chargers))
    begin_s = time.perf_counter()

    async def back(one: Charger) -> None:
        await one.arrive(gate, boot=False)
        for _ in range(2):  # What it kept while it was away.
            await one.meter()

    await asyncio.gather(*map(back, chargers))
    tell(phase="storm", seconds=time.perf_counter() - begin_s, messages=2 * count)


def quantiles(latencies_s: list[float]) -> dict[str, float]:
    ordered = sorted(latencies_s)
    return {
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[len(ordered) * 99 // 100] * 1000,
    }


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
