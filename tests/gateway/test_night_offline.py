"""Chargers come back after eight hours: 500 messages through sockets that are cut off midway."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.gateway.site import Site, site
from voltstream.core.clock import SystemClock
from voltstream.runtime.instance import Instance

CHARGERS = 10  # They share commits, which one charger alone would wait for 500 times.
SAMPLES = 48  # Beside a START and a STOP: 500 messages in all.
STEP_S = 8 * 3600 // (SAMPLES + 2)
CUT_AT = 24
BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=8)


class _Hurried(SystemClock):
    """A charger is read at twenty messages a second; here a second is over sooner."""

    def monotonic_s(self) -> float:
        return super().monotonic_s() * 1000


def stamp(number: int) -> str:
    return (BEGAN + timedelta(seconds=number * STEP_S)).strftime("%Y-%m-%dT%H:%M:%SZ")


def reading(number: int, transaction: int) -> dict[str, Any]:
    sampled = [{"value": str(1000 + 10 * number), "unit": "Wh"}]
    value = {"timestamp": stamp(number), "sampledValue": sampled}
    return {"connectorId": 1, "transactionId": transaction, "meterValue": [value]}


async def flushed(where: Site, name: str) -> str:
    """Send a queue, lose an answer in the middle, and go on; return the transaction."""
    async with where.client(name) as one:
        start = await one.call(
            "StartTransaction", connectorId=1, idTag="T", meterStart=1000, timestamp=stamp(0)
        )
        transaction = start["transactionId"]
        for number in range(1, CUT_AT):
            assert await one.call("MeterValues", **reading(number, transaction)) == {}
        # It is sent and may be stored, but its answer never arrives.
        cut = [2, "cut", "MeterValues", reading(CUT_AT, transaction)]
        await one.socket.send(json.dumps(cut))
        one.socket.transport.abort()
    async with where.client(name, boot=False) as one:
        for number in range(CUT_AT, SAMPLES + 1):
            assert await one.call("MeterValues", **reading(number, transaction)) == {}
        stopped = await one.call(
            "StopTransaction", transactionId=transaction, timestamp=stamp(SAMPLES + 1),
            meterStop=1000 + 10 * (SAMPLES + 1),
        )  # fmt: skip
        assert stopped == {}
    return str(transaction)


def test_five_hundred_messages_after_eight_hours(instance: Instance) -> None:
    wanted = [
        (BEGAN + timedelta(seconds=n * STEP_S), BEGAN + timedelta(seconds=n * STEP_S),
         1000.0 + 10 * n, 10.0)
        for n in range(1, SAMPLES + 1)
    ]  # fmt: skip

    async def work() -> None:
        async with site(instance, _Hurried(), settle_s=0.0) as where:
            names = [f"NIGHT-{number}" for number in range(CHARGERS)]
            transactions = await asyncio.gather(*(flushed(where, name) for name in names))
            for name, transaction in zip(names, transactions, strict=True):
                rows = await where.rows(
                    "SELECT event_ts, corrected_ts, value_si, delta_wh FROM charger_readings "
                    f"WHERE charge_point_id = '{name}' AND transaction_id = '{transaction}' "
                    "AND origin = 'METER_VALUES' ORDER BY 1"
                )
                assert rows == wanted, name
            await where.gateway.ledger.issue()
            records = await where.rows(
                "SELECT charge_point_id, transaction_id, energy_wh, outcome, coverage, "
                "completeness, duration_s FROM current_charge_detail_records ORDER BY 1"
            )
            energy, length = Decimal(10 * (SAMPLES + 1)), Decimal(STEP_S * (SAMPLES + 1))
            assert records == [
                (name, transaction, energy, "MATCHED", 1, "COMPLETE", length)
                for name, transaction in zip(names, transactions, strict=True)
            ]

    asyncio.run(asyncio.wait_for(work(), 240))
