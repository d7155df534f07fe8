"""Charge points by libraries that we did not write, against a gateway on a real port."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ocpp.routing import on
from ocpp.v16 import ChargePoint as ChargePoint16
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v21 import ChargePoint as ChargePoint21
from ocpp.v21 import call as call21
from ocpp.v21 import call_result as result21
from ocpp.v201 import ChargePoint as ChargePoint201
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.gateway.site import Site, site
from voltstream.core.clock import SystemClock
from voltstream.ocpp.commanding import Commander
from voltstream.runtime.instance import Instance

HERE = Path(__file__).parent / "clients"
NODE_MODULES = Path(__file__).parent.parent.parent / ".venv" / "ocpp-rpc" / "node_modules"
VERSIONS = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")


def now() -> str:
    return datetime.now(UTC).isoformat()


class Charger16(ChargePoint16):
    @on("TriggerMessage")
    def on_trigger(self, **_: Any) -> Any:
        return result16.TriggerMessage(status="Accepted")

    async def live(self) -> None:
        """Boot, charge 1,500 Wh, and answer with what the library makes of each reply."""
        boot = await self.call(call16.BootNotification("m", "v"))
        assert boot.status == "Accepted"
        assert (await self.call(call16.Authorize("PY"))).id_tag_info["status"] == "Accepted"
        started = await self.call(call16.StartTransaction(1, "PY", 1000, now()))
        sampled = [{"value": "1700", "unit": "Wh", "measurand": "Energy.Active.Import.Register"}]
        meter = [{"timestamp": now(), "sampled_value": sampled}]
        number = started.transaction_id
        await self.call(call16.MeterValues(1, meter, number))
        await self.call(call16.StopTransaction(2500, now(), number))
        await self.call(call16.Heartbeat())


class Charger2:
    """What 2.0.1 and 2.1 have in common."""

    words: Any
    results: Any
    call: Any

    @on("TriggerMessage")
    def on_trigger(self, **_: Any) -> Any:
        return self.results.TriggerMessage(status="Accepted")

    async def live(self) -> None:
        words = self.words
        station = {"vendor_name": "v", "model": "m"}
        boot = await self.call(words.BootNotification(station, "PowerUp"))
        assert boot.status == "Accepted"
        token = {"id_token": "PY", "type": "Central"}
        answer = await self.call(words.Authorize(token))
        assert answer.id_token_info["status"] == "Accepted"
        told = (("Started", 1000.0, "Transaction.Begin"), ("Ended", 2500.0, "Transaction.End"))
        for number, (kind, value, context) in enumerate(told):
            sampled = [{"value": value, "context": context}]
            answer = await self.call(
                words.TransactionEvent(
                    event_type=kind,
                    timestamp=now(),
                    trigger_reason="ChargingStateChanged",
                    seq_no=number,
                    transaction_info={"transaction_id": "py-1"},
                    evse={"id": 1, "connector_id": 1},
                    id_token=token,
                    meter_value=[{"timestamp": now(), "sampled_value": sampled}],
                )
            )
            assert answer.id_token_info["status"] == "Accepted"
        await self.call(words.Heartbeat())


class Charger201(Charger2, ChargePoint201):
    words, results = call201, result201


class Charger21(Charger2, ChargePoint21):
    words, results = call21, result21


CHARGERS: dict[str, Any] = dict(zip(VERSIONS, (Charger16, Charger201, Charger21), strict=True))


async def energies(where: Site, name: str) -> list[Any]:
    for _ in range(100):
        where.gateway.ledger.hasten()
        await where.gateway.ledger.issue()
        found = await where.rows(
            "SELECT energy_wh, completeness FROM current_charge_detail_records "
            f"WHERE charge_point_id = '{name}'"
        )
        if found:
            return list(found)
        await asyncio.sleep(0.1)
    return []


@pytest.mark.parametrize("version", VERSIONS)
def test_mobilityhouse_ocpp(instance: Instance, version: str) -> None:
    async def work() -> None:
        async with site(instance, settle_s=0.0) as where:
            name = f"PY-{version}"
            url = f"ws://127.0.0.1:{where.gateway.port}/ocpp/{name}"
            async with connect(url, subprotocols=[Subprotocol(version)]) as socket:
                charger = CHARGERS[version](name, socket)
                listening = asyncio.create_task(charger.start())
                await asyncio.wait_for(charger.live(), 60)
                commander = Commander(where.gateway, SystemClock())
                came = await asyncio.to_thread(commander.run, "ocpp_trigger", [name, "Heartbeat"])
                assert (came.state, came.status) == ("answered", "Accepted")
                listening.cancel()
            assert await energies(where, name) == [(1500, "COMPLETE")]
            [[refused]] = await where.rows(
                "SELECT COUNT(*) FROM charger_frames "
                f"WHERE charge_point_id = '{name}' AND error_code IS NOT NULL"
            )
            assert refused == 0

    asyncio.run(asyncio.wait_for(work(), 120))


def node(url: str, version: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", str(HERE / "charger.cjs"), url, version],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
    )  # fmt: skip


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(not NODE_MODULES.exists(), reason="ocpp-rpc is not installed")
@pytest.mark.parametrize("version", VERSIONS)
def test_ocpp_rpc(instance: Instance, version: str) -> None:
    async def work() -> None:
        async with site(instance, settle_s=0.0) as where:
            url = f"ws://127.0.0.1:{where.gateway.port}/ocpp"
            done = await asyncio.to_thread(node, url, version)
            assert done.stdout.splitlines()[-1:] == ["done"], done.stdout + done.stderr
            assert await energies(where, f"NODE-{version}") == [(1500, "COMPLETE")]

    asyncio.run(asyncio.wait_for(work(), 120))
