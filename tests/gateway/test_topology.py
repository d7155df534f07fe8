"""Chargers of 1.6 whose connectors share an EVSE: numbers become places, and places decide."""

from __future__ import annotations

import asyncio

from tests.gateway.desk import Desk, clock
from tests.gateway.site import BOOT_16, site
from voltstream.runtime.instance import Instance

SHARED = {1: (1, 1), 2: (1, 2), 3: (2, 1)}
STAMP = "2026-06-01T12:00:00Z"


def test_numbers_become_places_and_an_evse_serves_one_at_a_time() -> None:
    desk = Desk()
    desk.charger.topology = SHARED
    for connector in (0, 1, 2, 3, 4):
        desk.say(
            "StatusNotification", 0, connectorId=connector, errorCode="NoError",
            status="Available", timestamp=clock(0),
        )  # fmt: skip
    places = [(row["evse_id"], row["connector_id"]) for row in desk.rows["charger_status"]]
    assert places == [(0, 0), (1, 1), (1, 2), (2, 1), (4, 4)]

    first = desk.start(0, 100, connector=1)
    other = desk.start(0, 100, connector=3)  # The same token, time and register elsewhere.
    assert first != other
    desk.meter(60, 200, connector=1)
    desk.meter(60, 900, connector=0)
    desk.meter(60, 150, connector=3)
    second = desk.start(120, 300, connector=2)
    assert second == desk.start(120, 300, connector=2)
    ends = [(row["transaction_id"], row["stop_reason"]) for row in desk.transactions("STOP")]
    assert ends == [(str(first), "Abandoned")]
    told = [
        (row["transaction_id"], row["evse_id"], row["connector_id"])
        for row in desk.readings()
        if row["origin"] == "METER_VALUES"
    ]
    assert told == [(str(first), 1, 1), (None, 0, 0), (str(other), 2, 1)]
    desk.stop(180, second, 350)
    stop = desk.transactions("STOP")[-1]
    assert (stop["transaction_id"], stop["evse_id"], stop["connector_id"]) == (str(second), 1, 2)


def test_the_table_is_read_and_a_start_is_known_again_after_a_restart(instance: Instance) -> None:
    start = {"connectorId": 2, "idTag": "T", "meterStart": 7, "timestamp": STAMP}

    async def work() -> None:
        async with site(instance) as where:
            await where.rows(
                "INSERT INTO charge_point_topology (charge_point_id, told_connector, evse_id, "
                "connector_id) VALUES ('SHARED', 2, 1, 2)"
            )
            await asyncio.sleep(1.1)  # The registry is read once a second.
            async with where.client("SHARED") as one:
                await one.call("BootNotification", **BOOT_16)
                number = (await one.call("StartTransaction", **start))["transactionId"]
        async with site(instance) as where:
            async with where.client("SHARED", boot=False) as one:
                again = await one.call("StartTransaction", **start | {"idTag": "t"})
                assert again["transactionId"] == number
                await one.call("StartTransaction", **start | {"meterStart": 8})
            rows = await where.rows(
                "SELECT event_type, evse_id, connector_id FROM charger_transactions "
                "WHERE charge_point_id = 'SHARED' ORDER BY raw_id"
            )
            assert rows == [("START", 1, 2), ("START", 1, 2)]

    asyncio.run(asyncio.wait_for(work(), 120))
