"""Cases of the OCPP test specifications that concern what a charger tells; their ids are named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway.desk import WH, Desk, clock, flags_of
from tests.gateway.test_day import record
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.tokens import Listed, Verdict, judge, normal
from voltstream.ocpp.vendors import Vendors
from voltstream.ocpp.versions import Version

V201 = Version.V201


def begin(value: float, context: str) -> dict[str, Any]:
    return {"value": value, "context": context}


@pytest.mark.parametrize("registration", ["Accepted", "Pending", "Rejected"])
@pytest.mark.parametrize("version", list(Version))
def test_tc_b_01_b_02_boot_is_answered_by_the_registry(version: Version, registration: str) -> None:
    desk = Desk(version)
    desk.charger.registration = registration
    station = {"vendorName": "v", "model": "m"}
    payload: dict[str, Any] = (
        {"chargePointVendor": "v", "chargePointModel": "m"}
        if version is Version.V16
        else {"reason": "PowerUp", "chargingStation": station}
    )
    answer = desk.say("BootNotification", 0, **payload)
    assert answer["status"] == registration
    assert answer["interval"] == (300 if registration == "Accepted" else 60)
    assert answer["currentTime"] == "2026-06-01T12:00:00.000Z"


@pytest.mark.parametrize(
    ("listed", "status"),
    [
        (None, "Unknown"),
        (Listed(None, None, None, None), "Accepted"),
        (Listed("Blocked", None, None, None), "Blocked"),
        (Listed("Accepted", None, 99, None), "Expired"),
        (Listed("Accepted", None, 101, None), "Accepted"),
    ],
)
def test_tc_c_02_to_c_07_and_023_tokens_of_the_list(listed: Listed | None, status: str) -> None:
    verdict = judge(listed, 100, policy="auto", list_is_empty=False)
    assert verdict.status == status
    assert verdict.for_16()["status"] == ("Invalid" if status == "Unknown" else status)


def test_tc_c_39_the_group_and_the_cache_are_told() -> None:
    verdict = judge(Listed(None, "FLEET", None, 0), 100, policy="auto", list_is_empty=False)
    assert verdict.for_2() == {
        "status": "Accepted",
        "groupIdToken": {"idToken": "FLEET", "type": "Central"},
        "cacheExpiryDateTime": "1970-01-01T00:00:00.000Z",
    }
    assert verdict.for_16()["parentIdTag"] == "FLEET"


def test_tokens_are_compared_without_case_and_emaids_without_hyphens() -> None:
    assert normal("abc") == normal("ABC")
    assert normal("DE-ABC-C12345678-X") == normal("deabcc12345678x")
    assert normal("A-B") == "A-B"
    assert judge(None, 0, policy="auto", list_is_empty=True).status == "Accepted"
    assert judge(None, 0, policy="refuse", list_is_empty=True).status == "Unknown"


def test_tc_e_02_e_04_the_token_is_answered_where_one_was_sent() -> None:
    desk = Desk(V201)
    desk.verdict = Verdict("Blocked")
    token = {"idToken": "X", "type": "ISO14443"}
    assert desk.event("Started", 0, 0) == {}
    assert desk.event("Updated", 1, 1, idToken=token) == {"idTokenInfo": {"status": "Blocked"}}
    assert desk.event("Ended", 2, 2) == {}
    assert [row["id_tag"] for row in desk.rows["charger_transactions"]] == [None, "X", "X"]


def test_tc_e_10_a_transaction_may_begin_without_an_evse() -> None:
    desk = Desk(V201)
    desk.event("Started", 0, 0, evse=None)
    assert desk.transactions("START")[0]["evse_id"] is None
    desk.event("Updated", 5, 1, 1000.0)
    desk.event("Updated", 10, 2, 1010.0, evse=None)
    assert [row["evse_id"] for row in desk.transactions("UPDATE")] == [1, 1]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("Charging", "Charging"),
        ("SuspendedEV", "SuspendedEV"),
        ("SuspendedEVSE", "SuspendedEVSE"),
        ("EVConnected", "Preparing"),
        ("Idle", "Finishing"),
    ],
)
def test_tc_e_38_states_of_a_connector_in_the_words_of_16(state: str, status: str) -> None:
    desk = Desk(V201)
    desk.say("StatusNotification", 0, timestamp=clock(0), connectorStatus="Occupied", evseId=1,
             connectorId=1)  # fmt: skip
    desk.event("Started", 1, 0, info={"chargingState": state})
    first, second = desk.rows["charger_status"]
    assert (first["status"], first["status_raw"]) == ("Preparing", "Occupied")
    assert (second["status"], second["status_raw"]) == (status, "Occupied")


@pytest.mark.parametrize("reason", ["EVDisconnected", "PowerLoss", "Remote", "ImmediateReset"])
def test_tc_e_07_to_e_22_stops_keep_their_reason(reason: str) -> None:
    desk = Desk(V201)
    desk.event("Started", 0, 0, 1000.0)
    desk.event("Ended", 60, 1, 1100.0, info={"stoppedReason": reason})
    assert desk.transactions("STOP")[0]["stop_reason"] == reason


def test_a_stop_without_a_reason_is_local() -> None:
    desk = Desk(V201)
    desk.event("Ended", 60, 1)
    assert desk.transactions("STOP")[0]["stop_reason"] == "Local"


def test_tc_e_53_sequence_numbers_begin_at_zero_for_each_transaction() -> None:
    desk = Desk(V201)
    for tx in ("a", "b"):
        desk.event("Started", 0 if tx == "a" else 100, 0, tx=tx)
        desk.event("Ended", 50 if tx == "a" else 150, 1, tx=tx)
    assert not any(
        flags_of(row) & Quality.SEQ_CONFLICT for row in desk.rows["charger_transactions"]
    )


def test_events_after_the_end_and_twice_started_are_taken() -> None:
    desk = Desk(V201)
    desk.event("Ended", 60, 2, 1100.0)
    desk.event("Started", 0, 0, 1000.0)
    desk.event("Started", 1, 0, 1000.0)
    desk.event("Updated", 30, 1, 1050.0)
    assert len(desk.rows["charger_transactions"]) == 4
    assert flags_of(desk.transactions("UPDATE")[0]) & Quality.LATE


def test_tc_g_20_lock_failure_is_an_event() -> None:
    desk = Desk(V201)
    desk.say("NotifyEvent", 0, generatedAt=clock(0), seqNo=0, eventData=[{
        "eventId": 1, "timestamp": clock(0), "trigger": "Alerting", "actualValue": "true",
        "component": {"name": "ConnectorPlugRetentionLock", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": "Problem"}, "eventNotificationType": "HardWiredNotification",
    }])  # fmt: skip
    [row] = desk.rows["charger_events"]
    assert (row["component"], row["variable"]) == ("ConnectorPlugRetentionLock", "Problem")
    assert (row["evse_id"], row["connector_id"]) == (1, 1)


def test_availability_by_notify_event_is_a_status_and_told_once() -> None:
    desk = Desk(Version.V21)
    desk.say("StatusNotification", 0, timestamp=clock(0), connectorStatus="Available", evseId=1,
             connectorId=1)  # fmt: skip
    desk.say("NotifyEvent", 0, generatedAt=clock(0), seqNo=0, eventData=[{
        "eventId": 1, "timestamp": clock(0), "trigger": "Delta", "actualValue": "Available",
        "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": "AvailabilityState"}, "eventNotificationType": "HardWiredNotification",
    }])  # fmt: skip
    assert len(desk.rows["charger_status"]) == 1


def test_tc_j_01_clock_aligned_values_without_a_transaction() -> None:
    desk = Desk(V201)
    for evse_id in (0, 1, 2):
        desk.say("MeterValues", 0, evseId=evse_id, meterValue=[
            {"timestamp": clock(0), "sampledValue": [begin(1000.0, "Sample.Clock")]}
        ])  # fmt: skip
    assert [row["evse_id"] for row in desk.readings()] == [0, 1, 2]
    assert {row["transaction_id"] for row in desk.readings()} == {None}


def test_tc_j_03_j_07_j_09_j_10_values_of_a_transaction() -> None:
    desk = Desk(V201)
    desk.event("Started", 0, 0, begin(1000.0, "Transaction.Begin"))
    desk.event("Updated", 60, 1, begin(1100.0, "Sample.Periodic"))
    desk.event("Ended", 120, 2, begin(1150.0, "Sample.Clock"), begin(1200.0, "Transaction.End"))
    assert desk.transactions("START")[0]["meter_wh"] == 1000
    assert desk.transactions("STOP")[0]["meter_wh"] == 1200
    assert [row["origin"] for row in desk.readings()] == [
        "TX_BEGIN",
        "TX_UPDATE",
        "TX_END",
        "TX_END",
    ]
    assert desk.energy_wh() == 200


def test_tc_j_08_begin_values_may_come_when_the_evse_is_known() -> None:
    desk = Desk(V201)
    desk.event("Started", 0, 0, evse=None)
    desk.event("Updated", 30, 1, begin(1000.0, "Transaction.Begin"))
    assert desk.transactions("START")[0]["meter_wh"] is None
    assert desk.readings()[0]["context"] == "Transaction.Begin"


@pytest.mark.parametrize("version", [V201, Version.V21])
def test_tc_j_04_j_11_signed_values_are_kept_as_sent(version: Version) -> None:
    desk = Desk(version)
    signed = {"signedMeterData": "T0NNRg==", "encodingMethod": "OCMF", "signingMethod": "ECDSA",
              "publicKey": ""}  # fmt: skip
    desk.event("Ended", 0, 0, {"value": 1.0, "signedMeterValue": signed})
    [row] = desk.rows["charger_signed_values"]
    assert (row["signed_data"], row["public_key"], row["measurand"]) == ("T0NNRg==", None, WH)
    assert flags_of(desk.readings()[0]) & Quality.SIGNED_UNVERIFIED


@pytest.mark.parametrize("version", list(Version))
def test_tc_l_and_044_firmware_status(version: Version) -> None:
    desk = Desk(version)
    for status in ("Downloading", "Downloaded", "Installing", "Installed"):
        assert desk.say("FirmwareStatusNotification", 0, status=status) == {}
    assert [row["status"] for row in desk.rows["charger_jobs"]] == [
        "Downloading",
        "Downloaded",
        "Installing",
        "Installed",
    ]


def test_security_events_are_critical_by_version() -> None:
    critical = []
    for version in Version:
        desk = Desk(version)
        for kind in ("SettingSystemTime", "InvalidTLSVersion", "Whatever"):
            desk.say("SecurityEventNotification", 0, type=kind, timestamp=clock(0))
        critical.append([row["critical"] for row in desk.rows["charger_security_events"]])
    assert critical == [[True, False, False], [True, True, False], [True, True, False]]


@pytest.mark.parametrize("version", list(Version))
def test_tc_p_02_and_064_data_of_an_unknown_vendor(version: Version) -> None:
    answer = Desk(version).say("DataTransfer", 0, vendorId="nobody", messageId="x", data="y")
    assert answer == {"status": "UnknownVendorId"}


@pytest.mark.parametrize("version", list(Version))
def test_data_of_registered_vendors_is_accepted_and_kept(version: Version) -> None:
    vendors = Vendors({"com.Some": ["Status", ""], "com.all": []})
    desk = Desk(version, vendors=vendors)
    told = [
        desk.say("DataTransfer", 0, data="y", **given)["status"]
        for given in (
            {"vendorId": "COM.some", "messageId": "status"},
            {"vendorId": "com.some"},
            {"vendorId": "com.some", "messageId": "other"},
            {"vendorId": "com.all", "messageId": "whatever"},
            {"vendorId": "com.al", "messageId": "whatever"},
        )
    ]
    assert told == ["Accepted", "Accepted", "UnknownMessageId", "Accepted", "UnknownVendorId"]
    rows = desk.rows["charger_data_transfers"]
    assert [(row["status"], row["data"]) for row in rows] == [(one, "y") for one in told]


def test_tc_p_03_custom_data_is_accepted() -> None:
    desk = Desk(V201, strict=True)
    answer = desk.say("Heartbeat", 0, customData={"vendorId": "x", "more": 1})
    assert set(answer) == {"currentTime"}


def test_tc_b_12_b_13_a_report_in_pages() -> None:
    desk = Desk(V201)
    item = {
        "component": {"name": "EVSE", "evse": {"id": 1}},
        "variable": {"name": "Power"},
        "variableAttribute": [{"value": "0", "mutability": "ReadOnly"}],
        "variableCharacteristics": {
            "dataType": "decimal", "supportsMonitoring": True, "maxLimit": 11_000.0, "unit": "W",
        },
    }  # fmt: skip
    secret = {
        "component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"},
        "variableAttribute": [{"value": "secret", "mutability": "WriteOnly"}],
    }  # fmt: skip
    for seq_no, data, more in ((0, [item], True), (1, [secret], False)):
        desk.say("NotifyReport", 0, requestId=7, generatedAt=clock(0), seqNo=seq_no,
                 tbc=more, reportData=data)  # fmt: skip
    first, second = desk.rows["charger_variables"]
    assert (first["limit_max"], first["more_follows"], first["seq_no"]) == (11_000.0, True, 0)
    assert (second["value"], second["more_follows"]) == (None, False)
    assert desk.charger.power_w == 11_000.0


def test_032_power_loss_stops_the_transaction_after_the_boot() -> None:
    desk = Desk()
    number = desk.start(0, 1000)
    desk.say("BootNotification", 600, chargePointVendor="v", chargePointModel="m")
    assert desk.transactions("STOP") == []
    desk.stop(610, number, 1200, reason="PowerLoss")
    assert desk.transactions("STOP")[0]["stop_reason"] == "PowerLoss"


def test_039_an_offline_transaction_arrives_in_one_go() -> None:
    desk = Desk()
    desk.now_s = 7200
    answer = desk.say("StartTransaction", 7200, connectorId=1, idTag="T", timestamp=clock(0),
                      meterStart=1000)  # fmt: skip
    number = answer["transactionId"]
    for minute in range(1, 4):
        desk.say("MeterValues", 7200 + minute, connectorId=1, transactionId=number, meterValue=[
            {"timestamp": clock(60 * minute), "sampledValue": [{"value": str(1000 + minute)}]}
        ])  # fmt: skip
    desk.say("StopTransaction", 7210, transactionId=number, timestamp=clock(240), meterStop=1004)
    assert desk.energy_wh() == 4
    assert not any(flags_of(row) & Quality.CLOCK_SKEW for row in desk.readings())


def test_a_stream_of_21_gives_events() -> None:
    desk = Desk(Version.V21)
    desk.say("OpenPeriodicEventStream", 0, constantStreamData={
        "id": 3, "variableMonitoringId": 9, "params": {"interval": 1, "values": 1}
    })  # fmt: skip
    desk.say("NotifyPeriodicEventStream", 5, id=3, pending=0, basetime=clock(0),
             data=[{"t": 1.5, "v": "230"}, {"t": 2.5, "v": "231"}])  # fmt: skip
    desk.say("NotifyPeriodicEventStream", 6, id=3, data=[{"t": clock(6), "v": "232"}])
    rows = desk.rows["charger_events"]
    assert [row["actual_value"] for row in rows] == ["230", "231", "232"]
    assert {row["monitoring_id"] for row in rows} == {9}
    assert (rows[1]["event_ts"] - rows[0]["event_ts"]) == 1_000_000


def test_v2x_of_21_keeps_mode_cost_and_both_directions() -> None:
    """Import and export are registers apart; modes, limits and costs stand with each event."""
    desk = Desk(Version.V21, strict=True)

    def registers(into_wh: float, out_wh: float, context: str) -> list[dict[str, Any]]:
        return [
            {"value": into_wh, "context": context, "measurand": WH},
            {"value": out_wh, "context": context, "measurand": "Energy.Active.Export.Register"},
        ]

    desk.event("Started", 0, 0, *registers(1000.0, 500.0, "Transaction.Begin"),
               info={"operationMode": "ChargingOnly"})  # fmt: skip
    desk.event(
        "Updated", 1800, 1, *registers(6000.0, 500.0, "Sample.Periodic"),
        info={"operationMode": "CentralSetpoint"}, triggerReason="OperationModeChanged",
    )  # fmt: skip
    costs = {"totalCost": {"currency": "EUR", "typeOfCost": "NormalCost",
                           "total": {"exclTax": 1.5, "inclTax": 1.8}},
             "totalUsage": {"energy": 5.0, "chargingTime": 1800, "idleTime": 0}}  # fmt: skip
    desk.event("Ended", 3600, 2, *registers(6000.0, 3500.0, "Transaction.End"), costDetails=costs,
               info={"operationMode": "CentralSetpoint", "stoppedReason": "Local"})  # fmt: skip
    rows = desk.rows["charger_transactions"]
    modes = [row["operation_mode"] for row in rows]
    assert modes == ["ChargingOnly", "CentralSetpoint", "CentralSetpoint"]
    assert json.loads(rows[-1]["cost_details"]) == costs
    found = record(desk, "tx-1")
    assert found is not None
    assert (found["import_wh"], found["export_wh"]) == (5000, 3000)
    assert found["energy_wh"] == 5000


@pytest.mark.parametrize(
    "reason",
    ["CostLimitReached", "LimitSet", "OperationModeChanged", "RunningCost", "SoCLimitReached",
     "TariffChanged", "TariffNotAccepted", "TxResumed"],
)  # fmt: skip
def test_reasons_that_21_adds(reason: str) -> None:
    desk = Desk(Version.V21, strict=True)
    desk.event("Started", 0, 0)
    desk.event("Updated", 60, 1, triggerReason=reason)
    assert desk.transactions("UPDATE")[0]["trigger_reason"] == reason
