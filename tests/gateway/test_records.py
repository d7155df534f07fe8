"""What a charge detail record says, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.desk import WH, Desk
from tests.gateway.test_day import record
from voltstream.ocpp import cdr
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.versions import Version

HOUR = 3600


def found(desk: Desk, transaction_id: object) -> dict[str, Any]:
    one = record(desk, str(transaction_id))
    assert one is not None
    return one


def times(one: dict[str, Any]) -> tuple[float, float, float]:
    return float(one["duration_s"]), float(one["charging_s"]), float(one["idle_s"])


def test_idle_is_what_the_states_say() -> None:
    desk = Desk(Version.V201)
    told = (("Started", "EVConnected"), ("Updated", "Charging"), ("Updated", "SuspendedEV"),
            ("Updated", "Charging"), ("Ended", "Idle"))  # fmt: skip
    for number, (kind, state) in enumerate(told):
        desk.event(kind, 600 * number, number, 1000.0 * number, info={"chargingState": state})
    assert times(found(desk, "tx-1")) == (2400, 1200, 1200)


def test_the_time_that_a_charger_counted_itself_is_better() -> None:
    desk = Desk(Version.V201)
    desk.event("Started", 0, 0, 0.0, info={"chargingState": "Charging"})
    desk.event("Ended", HOUR, 1, 100.0, info={"timeSpentCharging": 900})
    assert times(found(desk, "tx-1")) == (HOUR, 900, HOUR - 900)


def test_a_register_that_stands_still_is_idle() -> None:
    desk = Desk()
    number = desk.start(0, 0)
    for minute, wh in ((10, 1000), (20, 2000), (30, 2000), (40, 2000), (50, 2000)):
        desk.meter(60 * minute, wh, transactionId=number)
    desk.stop(HOUR, number, 2000)
    assert times(found(desk, number)) == (HOUR, 1200, HOUR - 1200)


def test_a_session_without_energy_has_its_record() -> None:
    desk = Desk()
    number = desk.start(0, 1000)
    desk.stop(60, number, 1000)
    one = found(desk, number)
    assert (one["energy_wh"], one["outcome"], one["completeness"]) == (0, "MATCHED", "COMPLETE")


def test_who_charged_and_how_they_were_let_in() -> None:
    desk = Desk()
    number = desk.start(0, 0, tag="PARENT-1")
    desk.stop(60, number, 10, idTag="PARENT-2")  # Another card of the same group.
    assert found(desk, number)["id_tag"] == "PARENT-1"
    for fields, method in (
        ({"info": {"remoteStartId": 7}}, "COMMAND"),
        ({"offline": True}, "WHITELIST"),
        ({}, "AUTH_REQUEST"),
    ):
        desk = Desk(Version.V21)
        token = {"idToken": "", "type": "NoAuthorization"}
        desk.event("Started", 0, 0, 0.0, idToken=token, **fields)
        desk.event("Ended", 60, 1, 10.0)
        one = found(desk, "tx-1")
        assert (one["authorization_method"], one["id_tag"]) == (method, None)


def test_a_reset_within_a_session_bills_the_steps_and_says_so() -> None:
    desk = Desk()
    number = desk.start(0, 500_000)
    desk.meter(600, 501_000, transactionId=number)
    desk.meter(1200, 200, transactionId=number)
    desk.stop(1800, number, 1200)
    one = found(desk, number)
    assert (one["energy_wh"], one["energy_basis"]) == (2200, "REGISTER")
    assert one["boundary_wh"] < 0 and one["outcome"] == "DISPUTED"
    assert Quality(one["flags"]) & Quality.REG_RESET


def test_energy_is_never_negative() -> None:
    desk = Desk()
    number = desk.start(0, 2000)
    desk.stop(600, number, 1900)
    one = found(desk, number)
    assert one["energy_wh"] >= 0 and one["outcome"] == "DISPUTED"


def test_whole_watt_hours_beside_decimals_agree() -> None:
    desk = Desk()
    number = desk.start(0, 1000)
    desk.meter(600, "2000.9", transactionId=number)
    desk.stop(660, number, 2000)
    one = found(desk, number)
    assert (one["energy_wh"], one["outcome"]) == (1000, "MATCHED")


@pytest.mark.parametrize(
    ("measurand", "unit", "value", "basis", "wh"),
    [
        ("Energy.Active.Import.Interval", "Wh", 250.0, "INTERVAL", 1250),
        ("Power.Active.Import", "W", 6000.0, "POWER", 4000),
    ],
)
def test_without_a_register_the_next_best_counts(
    measurand: str, unit: str, value: float, basis: str, wh: int
) -> None:
    desk = Desk(Version.V201)
    one_value = {"value": value, "measurand": measurand, "unitOfMeasure": {"unit": unit}}
    for number, kind in enumerate(("Started", "Updated", "Updated", "Updated", "Ended")):
        desk.event(kind, 600 * number, number, one_value)
    one = found(desk, "tx-1")
    assert (one["energy_basis"], one["energy_wh"]) == (basis, wh)
    assert bool(Quality(one["flags"]) & Quality.ESTIMATED) is (basis == "POWER")


def test_import_and_export_are_apart_and_net_is_not_billed() -> None:
    desk = Desk(Version.V21)
    export = {"measurand": "Energy.Active.Export.Register"}
    for number, (kind, into, out) in enumerate(
        (("Started", 0.0, 500.0), ("Updated", 3000.0, 500.0), ("Ended", 3000.0, 4500.0))
    ):
        desk.event(kind, HOUR * number, number, {"value": into, "measurand": WH},
                   export | {"value": out}, info={"operationMode": "CentralSetpoint"})  # fmt: skip
    one = found(desk, "tx-1")
    assert (one["import_wh"], one["export_wh"], one["energy_wh"]) == (3000, 4000, 3000)


def test_site_tariff_and_currency_are_those_of_the_registry() -> None:
    event = cdr.Event(
        kind="STOP", evse_id=1, connector_id=1, event_us=0, corrected_us=0, id_tag=None,
        id_token_type=None, stop_reason="Local", seq_no=None, charging_state=None, offline=False,
        spent_s=None, remote_start_id=None, flags=Quality.OK, raw_id=1,
    )  # fmt: skip
    place = cdr.Place("depot", "T-1", "CHF", 22_000.0, "ocpp1.6")
    one = cdr.build("CP", "1", [event], [], place, {1: "beef"})
    assert one is not None
    assert (one["site"], one["tariff_id"], one["currency"]) == ("depot", "T-1", "CHF")
    assert (one["ocpp_version"], one["frame_hashes"]) == ("ocpp1.6", "beef,beef")
    assert one["completeness"] == "INCOMPLETE"  # Its start was never seen.
    open_one = cdr.build("CP", "1", [], [], place, {})
    assert open_one is None
