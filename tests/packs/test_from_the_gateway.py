"""Simulated chargers on a server with the pack: sessions, their records, and what is alerted."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
from pathlib import Path

import httpx
import psycopg

from voltstream.cli.address import connect
from voltstream.cli.config import load_settings
from voltstream.cli.ledger import records, verify
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

# The chargers of the simulation, one that never comes, and a limit that a test can wait for.
EXPECTED = """
INSERT INTO charge_points (charge_point_id, site, registered_at)
SELECT DISTINCT charge_point_id, 'north', NOW() FROM charger_boots UNION ALL
SELECT 'NEVER', 'north', NOW() - INTERVAL '1 hour';
UPDATE ocpp_parameters SET offline_after = '3 seconds'
"""
OFFLINE = "SELECT entity, details->>'detail' FROM alerts WHERE rule = 'offline' ORDER BY entity"
RECONCILED = """
SELECT r.charge_point_id, r.transaction_id, c.energy_wh, c.energy_wh = b.billed_wh,
    b.outcome <> 'DISPUTED', p.meter_stop_wh - p.meter_start_wh = b.meter_wh
FROM current_charge_detail_records AS c
JOIN charge_detail_records AS r ON r.cdr_id = c.cdr_id
JOIN published_charging_sessions AS p ON p.session_id = c.cdr_id
JOIN billing_reconciliation AS b
    ON b.charge_point_id = c.charge_point_id AND b.transaction_id = c.transaction_id
"""
PATIENCE_S = 60.0


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


def test_sessions_are_reconciled_with_their_records_and_silence_is_an_alert(tmp_path: Path) -> None:
    ports = {"pg_port": 0, "http_port": 0, "ocpp_port": 0}
    settings = load_settings(None, {"data": tmp_path, **ports}, ["ocpp.settle_s=0"])

    async def work() -> None:
        async with RunningServer(settings, SystemClock()) as server:
            with await asyncio.to_thread(connect, None, "127.0.0.1", server.pg_port) as session:
                door = WireDoor(session)
                await asyncio.to_thread(install, door, load_pack("ocpp"))
                tally = await play(server)
                truth = {
                    (str(one["charger"]), str(one["transaction_id"])): one["energy_wh"]
                    for one in tally.told
                }
                assert tally.refused == 0 and truth
                await asyncio.to_thread(door.ask, EXPECTED)
                await asyncio.to_thread(until_told, door, truth)
                assert await asyncio.to_thread(issued, session) == truth
                await asyncio.to_thread(verify, records(session), None)
                await asyncio.to_thread(over_http, server.http_port, len(truth))

    asyncio.run(work())


def over_http(port: int, count: int) -> None:
    """The HTTP interface proves and exports the same records."""
    base = f"http://127.0.0.1:{port}/v1/ledger"
    verdict = httpx.get(base).json()
    assert (verdict["holds"], verdict["records"], verdict["breaks"]) == (True, count, [])
    exported = httpx.get(f"{base}/export", params={"format": "ocpi-2.2.1", "country": "DE"})
    documents = [json.loads(line) for line in exported.text.splitlines()]
    assert [one["country_code"] for one in documents] == ["DE"] * count
    assert "attachment" in exported.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(httpx.get(f"{base}/export").text)))
    assert rows[-1]["hash"] == verdict["head"]
    assert [row["cdr_id"] for row in rows] == [one["id"] for one in documents]
    later = httpx.get(f"{base}/export", params={"since": "2999-01-01T00:00:00Z"})
    assert later.text.count("\n") == 1
    for wrong in ({"format": "pdf"}, {"country": "GERMANY"}, {"since": "soon"}):
        assert httpx.get(f"{base}/export", params=wrong).status_code == 400


def until_told(door: WireDoor, truth: dict[tuple[str, str], object]) -> None:
    """Wait until every session is reconciled and every charger that hung up is known to be off."""
    chargers = sorted({charger for charger, _ in truth})
    wanted = [("NEVER", "registered, never seen"), *((one, "nothing heard") for one in chargers)]
    reconciled = sorted((*key, float(str(energy)), "t", "t", "t") for key, energy in truth.items())
    give_up = time.monotonic() + PATIENCE_S
    while True:
        offline = door.ask(OFFLINE)[1]
        rows = sorted(
            (str(c), str(t), float(str(e)), *rest) for c, t, e, *rest in door.ask(RECONCILED)[1]
        )
        if (offline, rows) == (wanted, reconciled) or time.monotonic() > give_up:
            break
        time.sleep(0.3)
    assert rows == reconciled
    assert offline == wanted
