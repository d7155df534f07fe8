"""Simulated chargers, the gateway and the pack: what was charged is what the views say."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest

from voltstream.cli.address import connect
from voltstream.cli.config import load_settings
from voltstream.cli.pack_doors import WireDoor
from voltstream.cli.pack_install import install
from voltstream.cli.packs import load_pack
from voltstream.cli.serve import RunningServer
from voltstream.core.clock import SystemClock
from voltstream.sim.client import Tally
from voltstream.sim.fleet import Course, simulate
from voltstream.sim.plan import fleet

HOURS = 4.0
SECONDS = 4.0
ENERGY = (
    "SELECT f.charge_point_id, f.transaction_id, f.energy_wh, w.energy_wh"
    " FROM finished_sessions AS f LEFT JOIN"
    " (SELECT charge_point_id, transaction_id, SUM(energy_wh) AS energy_wh FROM energy_15min"
    " GROUP BY charge_point_id, transaction_id) AS w"
    " ON w.charge_point_id = f.charge_point_id AND w.transaction_id = f.transaction_id"
)


def charged(connection: psycopg.Connection) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the energy of each session, by the session and by its windows."""
    return {(row[0], row[1]): (float(row[2]), float(row[3])) for row in connection.execute(ENERGY)}


async def play(server: RunningServer) -> Tally:
    chargers = list(fleet(4, HOURS, 11, faults=0.0, prefix="SIM-"))
    course = Course(
        url=f"ws://127.0.0.1:{server.ocpp_port}/ocpp", speed=HOURS * 3600 / SECONDS,
        seconds=SECONDS, sample_s=1800, heartbeat_s=7200, connect_s=0.1,
    )  # fmt: skip
    return await simulate(chargers, course, lambda *_: None)


def test_what_was_charged_is_what_the_views_say(tmp_path: Path) -> None:
    ports = {"pg_port": 0, "http_port": 0, "ocpp_port": 0}
    settings = load_settings(None, {"data": tmp_path, **ports}, [])

    async def work() -> None:
        async with RunningServer(settings, SystemClock()) as server:
            with await asyncio.to_thread(connect, None, "127.0.0.1", server.pg_port) as session:
                await asyncio.to_thread(install, WireDoor(session), load_pack("ocpp"))
                tally = await play(server)
                truth = {
                    (str(one["charger"]), str(one["transaction_id"])): one["energy_wh"]
                    for one in tally.told
                }
                assert tally.refused == 0 and truth
                found: dict[tuple[str, str], tuple[float, float]] = {}
                for _ in range(120):
                    found = await asyncio.to_thread(charged, session)
                    if found.keys() >= truth.keys():
                        break
                    await asyncio.sleep(0.5)
                for key, energy_wh in truth.items():
                    by_session, by_windows = found[key]
                    assert by_session == pytest.approx(energy_wh, abs=1), key
                    assert by_windows == by_session, key
                [[connected]] = session.execute("SELECT COUNT(*) FROM latest_links")
                assert connected == 4

    asyncio.run(work())
