"""A day of ten thousand sessions with every fault: the ledger against the simulator's truth."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.driver import begun
from tests.gateway.day import BEGIN_S, Player, Told, gateway_at, play
from tests.gateway.test_ledger import altered
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import ManualClock, SystemClock
from voltstream.ocpp import chain
from voltstream.ocpp.asking import Asker
from voltstream.ocpp.gateway import Gateway
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions
from voltstream.sim.plan import FAULTS, fleet

SESSIONS = 10_000
CHARGERS = 1_400
DAY_S = 86_400.0
FACTOR = 4.0  # Times as many faults as in the field, so that the rare ones come too.

Record = dict[str, Any]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    options = EngineOptions(epoch_interval_ms=10)
    found = Instance(begun(tmp_path), options, SystemClock(), ConnectorRegistry(None))
    found.start()
    yield found
    found.stop()


async def issue_all(gateway: Gateway) -> None:
    while await gateway.ledger.issue():
        pass


async def lived(instance: Instance) -> tuple[list[Told], list[Record]]:
    """Play the day, with records issued at noon and at its end; return truth and all records."""
    clock = ManualClock(round(BEGIN_S * 1e6))
    async with gateway_at(instance, clock, settle_s=60.0) as gateway:
        chargers = fleet(CHARGERS, DAY_S / 3600, 2026, faults=FACTOR, prefix="D-")
        players = [Player(gateway, one, DAY_S) for one in chargers]
        for until_s in (DAY_S / 2, 2 * DAY_S):
            await play(players, until_s)
            clock.advance(DAY_S / 2)
            await issue_all(gateway)
        clock.advance(DAY_S)
        await gateway.ledger.close_forgotten()
        gateway.ledger.hasten()
        await issue_all(gateway)
        somebody = Asker(instance, "volt", "volt")
        rows = await somebody.rows(
            f"SELECT {', '.join(chain.COLUMNS)} FROM charge_detail_records ORDER BY chain_no"
        )
        somebody.close()
    records = [dict(zip(chain.COLUMNS, row, strict=True)) for row in rows]
    return [one for player in players for one in player.told.values()], records


def is_flagged(record: Record) -> bool:
    incomplete = record["completeness"] != "COMPLETE" or record["outcome"] != "MATCHED"
    return incomplete or bool(record["flags"])


@pytest.mark.timeout(600)
def test_ten_thousand_sessions_with_every_fault(instance: Instance) -> None:
    truth, records = asyncio.run(lived(instance))
    truth_by_key = {(one.charger.name, one.transaction_id): one for one in truth}
    assert len(truth_by_key) == len(truth) >= SESSIONS
    # Each session has one record that nothing supersedes.
    replaced = {one["supersedes"] for one in records}
    current = [one for one in records if one["cdr_id"] not in replaced]
    keys = Counter((one["charge_point_id"], one["transaction_id"]) for one in current)
    assert set(keys.values()) == {1}
    assert keys.keys() == truth_by_key.keys()
    # Its energy is the truth, or the record says that it may not be.
    seen: Counter[str] = Counter()
    for record in current:
        told = truth_by_key[record["charge_point_id"], record["transaction_id"]]
        faults = told.session.faults | told.charger.faults
        off_wh = abs(record["energy_wh"] - Decimal(told.session.energy_wh))
        if told.charger.exact(told.session):
            assert off_wh <= 1, (sorted(faults), told, record)
        else:
            assert off_wh <= 1 or is_flagged(record), (sorted(faults), told, record)
            seen["inexact"] += 1
        seen.update(faults)
    assert not FAULTS - seen.keys(), "a fault that was never injected proves nothing"
    assert seen["inexact"] > 20
    # The chain holds, and whichever byte of whichever record changes, it does not.
    assert list(chain.breaks(records)) == []
    chance = random.Random(2026)
    for record in records:
        name = chance.choice([name for name in chain.COLUMNS if name != "hash"])
        assert chain.sealed(record | {name: altered(record[name])}) != record["hash"], name
