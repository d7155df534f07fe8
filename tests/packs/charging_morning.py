"""A scripted morning at three charge points, small enough to compute by hand."""

from __future__ import annotations

import json

DAY = "2026-03-02"
REGISTER = "Energy.Active.Import.Register"

Rows = list[dict[str, object]]
Batch = dict[str, Rows]


def at(clock: str) -> str:
    return f"{DAY}T{clock}:00Z" if clock.count(":") == 1 else f"{DAY}T{clock}Z"


def heard(charge_point_id: str, clock: str, **fields: object) -> dict[str, object]:
    stamps = {"event_ts": at(clock), "received_ts": at(clock)}
    return {"charge_point_id": charge_point_id} | stamps | fields


def transaction(charge_point_id: str, clock: str, kind: str, meter_wh: int) -> dict[str, object]:
    return heard(
        charge_point_id,
        clock,
        connector_id=1,
        transaction_id="1",
        event_type=kind,
        id_tag="TAG",
        meter_wh=meter_wh,
    )


def reading(
    charge_point_id: str,
    clock: str,
    value: float,
    *,
    measurand: str = REGISTER,
    unit: str = "Wh",
    **fields: object,
) -> dict[str, object]:
    defaults: dict[str, object] = {
        "connector_id": 1,
        "transaction_id": "1",
        "measurand": measurand,
        "context": "Sample.Periodic",
        "location": "Outlet",
        "value": value,
        "unit": unit,
        "value_si": value,
        "unit_si": unit,
    }
    return heard(charge_point_id, clock, **(defaults | fields))


REGISTRY = "INSERT INTO charge_points VALUES" + ",".join(
    f" ('{name}', '{site}', TIMESTAMPTZ '{DAY} 08:00:00+00')"
    for name, site in (("CP1", "north"), ("CP2", "north"), ("CP3", "south"))
)

# Both chargers call their first transaction "1".
UNTIL_0832: Batch = {
    "charger_boots": [heard("CP1", "08:00", vendor="V", model="M", firmware_version="1")],
    "charger_status": [
        heard("CP1", "08:00", connector_id=1, status="Available", error_code="NoError"),
        heard("CP1", "08:05", connector_id=1, status="Charging", error_code="NoError"),
    ],
    "charger_transactions": [
        transaction("CP1", "08:05", "START", 1000),
        transaction("CP2", "08:20", "START", 50_000),
    ],
    "charger_readings": [
        reading("CP1", "08:05", 1000, context="Transaction.Begin"),
        reading("CP1", "08:14", 1900),
        reading("CP1", "08:16", 2100),
        reading("CP1", "08:29", 3400),
        reading("CP1", "08:31", 3600),
        reading("CP1", "08:31", 6000, measurand="Power.Active.Import", unit="W"),
        # What must not count: another meter, a phase, a value whose unit is unknown.
        reading("CP1", "08:31", 9000, location="Inlet"),
        reading("CP1", "08:31", 1200, phase="L1"),
        reading("CP1", "08:31", 3.6, unit="kwatt", value_si=None, unit_si=None),
        reading("CP2", "08:20", 50_000, context="Transaction.Begin"),
    ],
}
CP2_LIVES: Batch = {"charger_heartbeats": [heard("CP2", "08:32")]}
CP2_STILL_LIVES: Batch = {"charger_heartbeats": [heard("CP2", "08:41")]}
CP1_STOPS: Batch = {
    "charger_readings": [
        reading("CP1", "08:45", 4000, context="Transaction.End"),
        # Sent late: it moves energy between two quarters and changes no total.
        reading("CP1", "08:29:30", 3500, received_ts=at("08:45")),
    ],
    "charger_transactions": [
        transaction("CP1", "08:45", "STOP", 4000),
        transaction("CP1", "08:46", "STOP", 9999),  # Sent again, wrongly: the first one counts.
    ],
}


def ndjson(rows: Rows) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()
