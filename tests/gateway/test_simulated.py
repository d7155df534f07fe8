"""Simulated chargers against a server: every session is in the ledger, and the chain holds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg

from voltstream.cli.address import connect
from voltstream.cli.config import load_settings
from voltstream.cli.ledger import records, verify
from voltstream.cli.serve import RunningServer
from voltstream.core.clock import SystemClock
from voltstream.sim.client import Tally
from voltstream.sim.fleet import Course, simulate
from voltstream.sim.plan import fleet

HOURS = 4.0
SECONDS = 4.0


def issued(connection: psycopg.Connection) -> dict[tuple[str, str], float]:
    return {
        (one["charge_point_id"], one["transaction_id"]): float(one["energy_wh"])
        for one in records(connection)
    }


async def play(server: RunningServer) -> Tally:
    chargers = list(fleet(4, HOURS, 11, faults=0.0, prefix="SIM-"))
    course = Course(
        url=f"ws://127.0.0.1:{server.ocpp_port}/ocpp", speed=HOURS * 3600 / SECONDS,
        seconds=SECONDS, sample_s=1800, heartbeat_s=7200, connect_s=0.1,
    )  # fmt: skip
    return await simulate(chargers, course, lambda *_: None)


def test_what_was_charged_is_what_is_in_the_ledger(tmp_path: Path) -> None:
    ports = {"pg_port": 0, "http_port": 0, "ocpp_port": 0}
    settings = load_settings(None, {"data": tmp_path, **ports}, ["ocpp.settle_s=0"])

    async def work() -> None:
        async with RunningServer(settings, SystemClock()) as server:
            tally = await play(server)
            assert tally.refused == 0 and tally.told
            truth = {
                (str(one["charger"]), str(one["transaction_id"])): one["energy_wh"]
                for one in tally.told
            }
            with await asyncio.to_thread(connect, None, "127.0.0.1", server.pg_port) as session:
                found: dict[tuple[str, str], float] = {}
                for _ in range(60):
                    found = await asyncio.to_thread(issued, session)
                    if found.keys() >= truth.keys():
                        break
                    await asyncio.sleep(0.5)
                assert {key: found.get(key) for key in truth} == truth
                await asyncio.to_thread(verify, records(session), None)

    asyncio.run(work())
