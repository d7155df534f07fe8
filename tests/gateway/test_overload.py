"""A charger that does not wait for its answers is slowed down, and at last closed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError
from websockets.typing import Subprotocol

from tests.driver import begun
from tests.gateway.site import site
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.limits import (
    OCPP_BURST,
    OCPP_INBOUND_MAX,
    OCPP_OVERLOAD_S,
    OCPP_RATE_PER_S,
)
from voltstream.ocpp import overload
from voltstream.ocpp.link import Bucket
from voltstream.ocpp.overload import Overload
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions


def test_it_must_last() -> None:
    told = Overload()
    assert not told.lasts(OCPP_INBOUND_MAX, 0)
    assert not told.lasts(OCPP_INBOUND_MAX, OCPP_OVERLOAD_S - 1)
    assert not told.lasts(2, OCPP_OVERLOAD_S)  # It has emptied its queue.
    assert not told.lasts(OCPP_INBOUND_MAX, OCPP_OVERLOAD_S + 1)
    assert told.lasts(OCPP_INBOUND_MAX // 4, 2 * OCPP_OVERLOAD_S + 1)


def test_how_fast_a_charger_is_read() -> None:
    """Of a night's 500 messages most come in a burst; who is not accepted is read slowly."""
    known = Bucket(0.0, accepted=True)
    waits = [known.delay_s(0.0, accepted=True) for _ in range(500)]
    assert waits[:OCPP_BURST] == [0.0] * OCPP_BURST
    assert waits[-1] == (500 - OCPP_BURST) / OCPP_RATE_PER_S
    assert known.delay_s(3600.0, accepted=True) == 0.0
    early = Bucket(0.0, accepted=False)
    assert [early.delay_s(0.0, accepted=False) for _ in range(12)] == [0.0] * 10 + [1.0, 2.0]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    options = EngineOptions(epoch_interval_ms=10)
    found = Instance(begun(tmp_path), options, SystemClock(), ConnectorRegistry(None))
    found.start()
    yield found
    found.stop()


def test_who_floods_is_closed(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "OCPP_OVERLOAD_S", 0.5)

    async def work() -> None:
        async with site(instance) as where:
            url = f"ws://127.0.0.1:{where.gateway.port}/ocpp/FLOOD"
            async with connect(url, subprotocols=[Subprotocol("ocpp1.6")]) as flood:
                for number in range(300):
                    await flood.send(json.dumps([2, str(number), "Heartbeat", {}]))
                with suppress(ConnectionClosedError):
                    async for _ in flood:
                        continue
                assert flood.close_code == 1008
            reason = "SELECT reason FROM charger_connections WHERE event = 'disconnected'"
            while not (found := await where.rows(reason)):
                await asyncio.sleep(0.05)
            assert found[0][0].startswith("overload")

    asyncio.run(asyncio.wait_for(work(), 60))
