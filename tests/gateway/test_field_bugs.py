"""What went wrong in the field, one case each."""

from __future__ import annotations

from tests.gateway.desk import NOON_US, Desk, clock, flags_of
from tests.gateway.test_day import record
from voltstream.ocpp.abandoned import forgotten
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.versions import Version

INT64_MAX = 2**63 - 1
SOC = {"measurand": "SoC", "unit": "Percent"}


def test_a_batch_without_energy_does_not_mean_no_energy() -> None:
    desk = Desk(Version.V201)
    desk.event("Started", 0, 0, 1000.0)
    desk.event("Updated", 60, 1, 1100.0)
    desk.event("Updated", 120, 2, SOC | {"value": 55})
    desk.say("MeterValues", 180, evseId=1, meterValue=[
        {"timestamp": clock(180), "sampledValue": [{"value": 1200.0, "context": "Sample.Clock"}]}
    ])  # fmt: skip
    desk.event("Ended", 240, 3, 1300.0)
    assert desk.energy_wh() == 300


def test_meter_values_of_2_belong_to_the_running_transaction() -> None:
    desk = Desk(Version.V201)
    desk.event("Started", 0, 0, 1000.0)
    desk.say("MeterValues", 60, evseId=1, meterValue=[
        {"timestamp": clock(60), "sampledValue": [{"value": 1100.0}]}
    ])  # fmt: skip
    desk.say("MeterValues", 60, evseId=0, meterValue=[
        {"timestamp": clock(60), "sampledValue": [{"value": 7.0e6}]}
    ])  # fmt: skip
    assert [row["transaction_id"] for row in desk.readings()] == ["tx-1", "tx-1", None]


def test_meter_values_of_16_without_a_transaction_are_linked_by_time() -> None:
    for number in (None, -1, 0, INT64_MAX):
        desk = Desk()
        started = desk.start(0, 1000)
        fields = {} if number is None else {"transactionId": number}
        assert desk.meter(60, 1100, **fields) == {}
        assert desk.readings()[-1]["transaction_id"] == str(started), number


def test_samples_without_any_session_are_kept() -> None:
    desk = Desk()
    assert desk.meter(0, 1000, transactionId=INT64_MAX) == {}
    assert desk.meter(60, 1000, transactionId=17) == {}
    first, second = desk.readings()
    assert (first["transaction_id"], second["transaction_id"]) == (None, None)
    assert flags_of(second) & Quality.ORPHAN


def test_a_zero_at_the_start_after_a_reboot_is_a_placeholder() -> None:
    desk = Desk(Version.V201)
    desk.event("Started", 0, 0, 909_800.0)
    desk.event("Ended", 60, 1, 909_865.0)
    before = desk.energy_wh()
    desk.say("BootNotification", 100, chargingStation={"vendorName": "v", "model": "m"},
             reason="PowerUp")  # fmt: skip
    begin = {"value": 0, "context": "Transaction.Begin"}
    desk.event("Started", 120, 0, begin, tx="tx-2", offline=True)
    desk.event("Updated", 180, 1, 909_948.0, tx="tx-2")
    assert flags_of(desk.readings()[2]) & Quality.PLACEHOLDER_ZERO
    assert desk.energy_wh() - before == 83


def test_an_unknown_transaction_is_answered_and_its_end_is_kept() -> None:
    desk = Desk()
    assert desk.stop(0, 4711, 5000) == {}
    [stop] = desk.transactions("STOP")
    assert stop["transaction_id"] == "4711"
    assert flags_of(stop) & Quality.ORPHAN


def test_a_repeated_start_gets_the_same_id_and_no_row() -> None:
    desk = Desk()
    first = desk.start(0, 1000)
    assert desk.start(0, 1000) == first
    desk.charger.recent.clear()  # Long ago, so only the session is known.
    assert desk.start(0, 1000) == first
    assert desk.flags & Quality.DUPLICATE
    assert len(desk.transactions("START")) == 1


def test_a_repeated_stop_leaves_one_row_and_a_different_one_is_a_conflict() -> None:
    desk = Desk()
    number = desk.start(0, 1000)
    desk.stop(600, number, 2000)
    desk.stop(600, number, 2000)
    desk.stop(600, number, 2500)
    first, second = desk.transactions("STOP")
    assert (first["meter_wh"], second["meter_wh"]) == (2000, 2500)
    assert flags_of(second) & Quality.STOP_CONFLICT
    assert desk.energy_wh() == 1000


def test_a_session_that_is_never_closed_ends_with_the_next_one() -> None:
    desk = Desk()
    first = desk.start(0, 1000)
    desk.meter(60, 1100, transactionId=first)
    desk.start(600, 1200, tag="OTHER")
    [stop] = desk.transactions("STOP")
    assert (stop["transaction_id"], stop["stop_reason"]) == (str(first), "Abandoned")
    assert flags_of(stop) & Quality.ESTIMATED
    # Its real end may still be in a queue.
    desk.stop(100, first, 1150)
    assert desk.transactions("STOP")[-1]["meter_wh"] == 1150
    assert not flags_of(desk.transactions("STOP")[-1]) & Quality.STOP_CONFLICT


def test_samples_that_count_the_session_while_the_boundary_counts_a_lifetime() -> None:
    desk = Desk()
    number = desk.start(0, 4_076_000)
    for minute, value in enumerate((104, 204, 304), start=1):
        desk.meter(60 * minute, value, transactionId=number)
    desk.stop(240, number, 4_076_400)
    assert desk.energy_wh() == 400
    assert flags_of(desk.readings()[1]) & Quality.SESSION_RELATIVE


def test_a_register_that_creeps_on_after_the_stop() -> None:
    desk = Desk()
    number = desk.start(0, 2_259_000)
    desk.stop(600, number, 2_259_988)
    desk.meter(660, 2_259_992.1)
    assert desk.readings()[-1]["transaction_id"] is None
    assert round(desk.energy_wh(), 1) == 992.1


def test_an_object_as_data_of_a_data_transfer() -> None:
    desk = Desk()
    assert desk.say("DataTransfer", 0, vendorId="v", data={"a": [1]}) == {
        "status": "UnknownVendorId"
    }
    [row] = desk.rows["charger_data_transfers"]
    assert row["data"] == '{"a":[1]}'


def test_too_long_names_and_unknown_words_are_kept() -> None:
    desk = Desk()
    serial = "S" * 26
    answer = desk.say("BootNotification", 0, chargePointVendor="v", chargePointModel="m",
                      chargePointSerialNumber=serial)  # fmt: skip
    assert answer["status"] == "Accepted"
    assert desk.rows["charger_boots"][0]["serial_number"] == serial
    assert flags_of(desk.rows["charger_boots"][0]) & Quality.OVERLENGTH
    desk.say("StatusNotification", 1, connectorId=1, errorCode="Error", status="Faulted")
    [row] = desk.rows["charger_status"]
    assert row["error_code"] == "Error" and flags_of(row) & Quality.UNKNOWN_ENUM


def test_one_bad_context_does_not_cost_the_queue() -> None:
    desk = Desk()
    assert desk.meter(0, {"value": "1", "context": "Sample.Bogus"}, {"value": "2"}) == {}
    assert [row["context"] for row in desk.readings()] == ["Sample.Bogus", "Sample.Periodic"]


def test_offline_events_do_not_touch_what_is_live() -> None:
    desk = Desk(Version.V201)
    status = {"evseId": 1, "connectorId": 1}
    desk.say("StatusNotification", 600, timestamp=clock(600), connectorStatus="Available", **status)
    desk.say("StatusNotification", 601, timestamp=clock(30), connectorStatus="Occupied", **status)
    first, late = desk.rows["charger_status"]
    assert not flags_of(first) & Quality.LATE
    assert flags_of(late) & Quality.LATE
    desk.event("Updated", 40, 5, 1000.0, offline=True)
    assert flags_of(desk.transactions("UPDATE")[0]) & Quality.OFFLINE
    assert flags_of(desk.readings()[0]) & Quality.OFFLINE


def test_one_sequence_number_for_every_event_is_survived() -> None:
    desk = Desk(Version.V201)
    for kind, at in (("Started", 0), ("Updated", 60), ("Ended", 120)):
        assert desk.event(kind, at, 1, 1000.0 + at) == {}
    assert desk.energy_wh() == 120
    assert len(desk.rows["charger_transactions"]) == 3
    assert flags_of(desk.transactions("STOP")[0]) & Quality.SEQ_CONFLICT


def test_transaction_data_repeats_what_was_sent() -> None:
    desk = Desk()
    number = desk.start(0, 1000)
    values = []
    for minute in range(1, 6):
        desk.meter(60 * minute, 1000 + 100 * minute, transactionId=number)
        sampled = [{"value": str(1000 + 100 * minute)}]
        values.append({"timestamp": clock(60 * minute), "sampledValue": sampled})
    end = [{"value": "1500", "context": "Transaction.End"}]
    values.append({"timestamp": clock(300), "sampledValue": end})
    desk.stop(300, number, 1500, transactionData=values)
    data = [row for row in desk.readings() if row["origin"] == "STOP_TX_DATA"]
    assert [row["context"] for row in data] == ["Transaction.End"]
    assert desk.energy_wh() == 500


def test_a_stop_of_minus_one_finds_its_session() -> None:
    desk = Desk()
    number = desk.start(0, 1000)
    assert desk.stop(60, -1, 1100, idTag="tag") == {"idTagInfo": {"status": "Accepted"}}
    [stop] = desk.transactions("STOP")
    assert stop["transaction_id"] == str(number)
    assert not flags_of(stop) & Quality.ORPHAN


def test_a_charger_in_1970_is_dated_by_our_clock() -> None:
    desk = Desk()
    desk.say("StatusNotification", 5, connectorId=1, errorCode="NoError", status="Available",
             timestamp="1970-01-01T00:00:12Z")  # fmt: skip
    [row] = desk.rows["charger_status"]
    assert row["event_ts"] == 12_000_000
    assert row["corrected_ts"] == row["received_ts"]
    assert flags_of(row) & Quality.CLOCK_UNSET and flags_of(row) & Quality.ESTIMATED


def test_a_clock_that_is_off_is_set_right() -> None:
    desk = Desk()
    number = desk.start(0, 1000)
    for minute in range(1, 6):
        stamp = clock(60 * minute - 90)  # A minute and a half behind.
        desk.say("MeterValues", 60 * minute, connectorId=1, transactionId=number, meterValue=[
            {"timestamp": stamp, "sampledValue": [{"value": str(1000 + minute)}]}
        ])  # fmt: skip
    last = desk.readings()[-1]
    assert last["corrected_ts"] == last["received_ts"]
    assert flags_of(last) & Quality.CLOCK_SKEW


def test_ids_of_transactions_are_never_given_again() -> None:
    from voltstream.ocpp.v16 import Numbers

    now_us = 1_780_315_200_000_000
    numbers = Numbers(0, now_us)
    first = numbers.take()
    assert 0 < first < 2**31 and numbers.take() == first + 1
    # A backup of yesterday is restored: the ids of today are not in it.
    assert Numbers(first - 86_400, now_us + 1_000_000).take() > first
    assert Numbers(2_000_000_000, now_us).take() == 2_000_000_001


def test_two_chargers_may_use_the_same_transaction_id() -> None:
    rows = []
    for name in ("A", "B"):
        desk = Desk(Version.V21)
        desk.charger.name = name
        desk.event("Started", 0, 0, 1.0)
        rows.extend(desk.transactions("START"))
    assert [(row["charge_point_id"], row["transaction_id"]) for row in rows] == [
        ("A", "tx-1"),
        ("B", "tx-1"),
    ]


def test_empty_and_odd_shapes_are_answered() -> None:
    desk = Desk()
    assert desk.say("MeterValues", 0, connectorId=1, meterValue=[]) == {}
    assert desk.say("MeterValues", 0, connectorId=1, meterValue=[
        {"timestamp": clock(0), "sampledValue": []}]) == {}  # fmt: skip
    assert desk.say("MeterValues", 0, connectorId=-1, meterValue=[
        {"sampledValue": [{"value": "1"}]}]) == {}  # fmt: skip
    assert desk.meter(0, {"value": True}, {"value": {"a": 1}}, connector=99_999) == {}
    assert desk.start(0, 10.0) > 0
    assert desk.start(1, -5, connector=2) > 0
    assert flags_of(desk.transactions("START")[-1]) & Quality.IMPLAUSIBLE


def test_text_that_means_harm_elsewhere_is_kept_as_text() -> None:
    desk = Desk()
    nasty = "'; DROP TABLE x;--\u202e\x1b[31m=cmd"
    desk.say("BootNotification", 0, chargePointVendor=nasty, chargePointModel="😀")
    [row] = desk.rows["charger_boots"]
    assert (row["vendor"], row["model"]) == (nasty, "😀")


def test_an_evse_has_one_transaction_so_the_next_ends_the_last() -> None:
    desk = Desk(Version.V201)
    desk.event("Started", 0, 0, 1000.0)
    desk.event("Updated", 60, 1, 1100.0)
    desk.event("Started", 600, 0, 1200.0, tx="tx-2")
    [stop] = desk.transactions("STOP")
    assert (stop["transaction_id"], stop["stop_reason"]) == ("tx-1", "Abandoned")
    assert stop["event_ts"] == NOON_US + 60_000_000
    assert flags_of(stop) & Quality.ESTIMATED
    # Its real end may still be in a queue.
    desk.event("Ended", 90, 2, 1150.0)
    assert not flags_of(desk.transactions("STOP")[-1]) & Quality.STOP_CONFLICT


def test_a_session_is_forgotten_when_its_connector_is_free_and_silent() -> None:
    desk = Desk()
    desk.start(0, 1000)
    desk.meter(60, 1100)

    def found(hours: float) -> int:
        return len(list(forgotten([desk.charger], NOON_US + round(hours * 3.6e9))))

    assert found(48) == 0  # Nobody says that the connector is free: it may charge for days.
    status = {"connectorId": 1, "errorCode": "NoError"}
    desk.say("StatusNotification", 30, status="Available", timestamp=clock(30), **status)
    assert found(48) == 0  # It was free before its last sample.
    desk.say("StatusNotification", 90, status="Available", timestamp=clock(90), **status)
    assert (found(0.9), found(1.1)) == (0, 1)


def test_a_session_of_a_clock_that_was_never_set_has_its_length() -> None:
    desk = Desk()
    answer = desk.say("StartTransaction", 7200, connectorId=1, idTag="T", meterStart=1000,
                      timestamp="1970-01-01T00:10:00Z")  # fmt: skip
    desk.say("StopTransaction", 7201, transactionId=answer["transactionId"], meterStop=3000,
             timestamp="1970-01-01T01:10:00Z")  # fmt: skip
    found = record(desk, str(answer["transactionId"]))
    assert found is not None
    assert (found["energy_wh"], found["duration_s"]) == (2000, 3600)
    assert Quality(found["flags"]) & Quality.ESTIMATED
