"""The certification cases that a central system passes by what it answers and what it stores.

Source: OCPP 2.0.1 part 6 and the tool's cases for 1.6; ids are those of the cases. A case whose
point is a socket, a certificate or the registry has its test elsewhere: ``test_case_list.py``
knows where.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.gateway.desk import WH, Desk, clock, flags_of
from voltstream.ocpp.commands import message
from voltstream.ocpp.conversation import Conversation, Response
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.tokens import Listed, judge
from voltstream.ocpp.versions import Version

V16, V201 = Version.V16, Version.V201
TOKEN = {"idToken": "TAG", "type": "ISO14443"}
Step = tuple[str, str, str | None, bool]  # Event type, trigger reason, charging state, with token.

STARTS: dict[str, list[Step]] = {
    "TC_E_01": [("Started", "Authorized", None, True),
                ("Updated", "CablePluggedIn", "EVConnected", False),
                ("Updated", "ChargingStateChanged", "Charging", False)],
    "TC_E_02": [("Started", "ChargingStateChanged", "Charging", True)],
    "TC_E_03": [("Started", "CablePluggedIn", "EVConnected", False),
                ("Updated", "Authorized", None, True),
                ("Updated", "ChargingStateChanged", "Charging", False)],
    "TC_E_04": [("Started", "Authorized", None, True),
                ("Updated", "CablePluggedIn", "EVConnected", False)],
    "TC_E_09": [("Started", "CablePluggedIn", "EVConnected", False)],
    "TC_E_10": [("Started", "Authorized", None, True)],
    "TC_E_11": [("Started", "SignedDataReceived", "EVConnected", True)],
    "TC_E_12": [("Started", "EVDetected", None, False)],
    "TC_E_38": [("Started", "CablePluggedIn", "EVConnected", True),
                ("Updated", "ChargingStateChanged", "SuspendedEV", False)],
}  # fmt: skip
# How a transaction ends: the trigger, the reason, and whether a token comes with it.
STOPS: dict[str, tuple[str, str | None, bool]] = {
    "TC_E_07": ("ChargingStateChanged", "EVDisconnected", False),
    "TC_E_08": ("StopAuthorized", "Local", True),
    "TC_E_14": ("EVDeparted", "EVDisconnected", False),
    "TC_E_15": ("StopAuthorized", "StoppedByEV", False),
    "TC_E_16": ("Deauthorized", "DeAuthorized", False),
    "TC_E_17": ("Deauthorized", "DeAuthorized", True),
    "TC_E_19": ("ChargingStateChanged", "Other", False),
    "TC_E_20": ("EVCommunicationLost", "EVDisconnected", False),
    "TC_E_21": ("StopAuthorized", None, True),
    "TC_E_22": ("EVDeparted", "EVDisconnected", False),
    "TC_E_26": ("EVCommunicationLost", "EVDisconnected", False),
    "TC_E_39": ("ChargingStateChanged", "TimeLimitReached", False),
    "TC_B_21": ("ResetCommand", "ImmediateReset", False),
    "TC_B_22": ("ResetCommand", "ImmediateReset", False),
    "TC_B_26": ("ResetCommand", "ImmediateReset", False),
}


def say_event(desk: Desk, at: float, number: int, step: Step, **info: Any) -> Any:
    kind, reason, state, with_token = step
    given: dict[str, Any] = {"transactionId": "tx-1", **info}
    if state is not None:
        given["chargingState"] = state
    return desk.say(
        "TransactionEvent", at, eventType=kind, timestamp=clock(at), triggerReason=reason,
        seqNo=number, transactionInfo=given, evse={"id": 1, "connectorId": 1},
        **({"idToken": TOKEN} if with_token else {}),
    )  # fmt: skip


@pytest.mark.parametrize("case", STARTS)
def test_how_a_transaction_starts(case: str) -> None:
    desk = Desk(V201, strict=True)
    for number, step in enumerate(STARTS[case]):
        answer = say_event(desk, number, number, step)
        # The token is answered where one was sent, and only there.
        assert set(answer) == ({"idTokenInfo"} if step[3] else set())
    rows = desk.rows["charger_transactions"]
    assert [row["trigger_reason"] for row in rows] == [step[1] for step in STARTS[case]]
    assert [row["charging_state"] for row in rows] == [step[2] for step in STARTS[case]]
    assert [row["event_type"] for row in rows][:1] == ["START"]
    tags = [row["id_tag"] for row in rows]
    told = next((n for n, step in enumerate(STARTS[case]) if step[3]), len(tags))
    assert tags == [None] * told + ["TAG"] * (len(tags) - told)


@pytest.mark.parametrize("case", STOPS)
def test_how_a_transaction_ends(case: str) -> None:
    trigger, reason, with_token = STOPS[case]
    desk = Desk(V201, strict=True)
    say_event(desk, 0, 0, ("Started", "Authorized", "Charging", True))
    info = {} if reason is None else {"stoppedReason": reason}
    answer = say_event(desk, 60, 1, ("Ended", trigger, "Idle", with_token), **info)
    assert set(answer) == ({"idTokenInfo"} if with_token else set())
    [stop] = desk.transactions("STOP")
    assert (stop["trigger_reason"], stop["stop_reason"]) == (trigger, reason or "Local")
    assert desk.charger.sessions["tx-1"].stop_us is not None


@pytest.mark.parametrize("case", ["TC_E_29", "TC_E_30", "TC_E_31", "TC_E_33", "TC_E_34"])
def test_status_of_a_transaction_and_its_queue(case: str) -> None:
    """GetTransactionStatus is asked; what was queued meanwhile comes with offline = true."""
    answers = {
        "TC_E_29": {"messagesInQueue": True, "ongoingIndicator": True},
        "TC_E_30": {"messagesInQueue": False, "ongoingIndicator": True},
        "TC_E_31": {"messagesInQueue": False, "ongoingIndicator": False},
        "TC_E_33": {"messagesInQueue": True},
        "TC_E_34": {"messagesInQueue": False},
    }
    payload = '{"transactionId": "tx-1"}' if "ongoingIndicator" in answers[case] else "{}"
    given: dict[str, str | None] = {"action": "GetTransactionStatus", "payload": payload}
    assert answered(V201, "ocpp_call", given, answers[case]).payload == answers[case]
    desk = Desk(V201)
    say_event(desk, 0, 0, ("Started", "Authorized", "Charging", True))
    desk.event("Updated", 60, 1, 1100.0, offline=answers[case]["messagesInQueue"])
    [row] = desk.transactions("UPDATE")
    assert bool(flags_of(row) & Quality.OFFLINE) is answers[case]["messagesInQueue"]


def answered(
    version: Version, function: str, given: dict[str, str | None], reply: dict[str, Any]
) -> Response:
    """Send a command and let the charger answer it."""
    action, payload = message(version, function, given, 7)
    conversation = Conversation(version, strict=True, accepted=True)
    sent = json.loads(conversation.issue("c-1", action, payload))
    assert sent == [2, "c-1", action, payload]
    response = conversation.receive(json.dumps([3, "c-1", reply]))
    assert isinstance(response, Response) and response.error is None, response
    return response


@dataclass(frozen=True)
class Command:
    """A command, what it becomes, the charger's word, and what comes of it."""

    version: Version
    function: str
    given: dict[str, str | None]
    action: str
    status: str = "Accepted"
    follows: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    relation: str | None = None
    reply: dict[str, Any] = field(default_factory=dict)


def _meter() -> dict[str, Any]:
    sampled = [{"value": 1000.0, "context": "Trigger"}]
    return {"evseId": 1, "meterValue": [{"timestamp": clock(0), "sampledValue": sampled}]}


def _status(word: str) -> dict[str, Any]:
    return {"timestamp": clock(0), "connectorStatus": word, "evseId": 1, "connectorId": 1}


def _trigger(what: str, evse: str | None = None) -> dict[str, str | None]:
    return {"message": what, "evse": evse}


BOOT_2 = {"reason": "Triggered", "chargingStation": {"vendorName": "v", "model": "m"}}
READ = {"attributeStatus": "Accepted", "attributeValue": "60", "component": {"name": "C"},
        "variable": {"name": "V"}}  # fmt: skip
WRITTEN = {key: value for key, value in READ.items() if key != "attributeValue"}
COMMANDS: dict[str, Command] = {
    "TC_B_06": Command(V201, "ocpp_get_configuration", {"names": "C.V"}, "GetVariables",
                       reply={"getVariableResult": [READ]}),
    "TC_B_07": Command(V201, "ocpp_get_configuration", {"names": "C.V, C.V"}, "GetVariables",
                       reply={"getVariableResult": [READ, READ]}),
    "TC_B_09": Command(V201, "ocpp_set_configuration", {"name": "C.V", "value": "60"},
                       "SetVariables", reply={"setVariableResult": [WRITTEN]}),
    "TC_B_10": Command(V201, "ocpp_set_configuration", {"name": "C.V", "value": "60"},
                       "SetVariables",
                       reply={"setVariableResult": [WRITTEN | {"attributeStatus": "Rejected"}]}),
    "TC_B_12": Command(V201, "ocpp_get_report", {"base": "ConfigurationInventory"},
                       "GetBaseReport", follows="NotifyReport", relation="charger_notifications",
                       payload={"requestId": 7, "generatedAt": clock(0), "seqNo": 0}),
    "TC_B_13": Command(V201, "ocpp_get_report", {"base": "FullInventory"}, "GetBaseReport",
                       follows="NotifyReport", relation="charger_notifications",
                       payload={"requestId": 7, "generatedAt": clock(0), "seqNo": 0}),
    "TC_B_20": Command(V201, "ocpp_reset", {"kind": "OnIdle"}, "Reset",
                       follows="BootNotification", payload=BOOT_2, relation="charger_boots"),
    "TC_B_25": Command(V201, "ocpp_reset", {"kind": "OnIdle"}, "Reset", status="Scheduled"),
    "TC_B_27": Command(V201, "ocpp_reset", {"kind": "Immediate"}, "Reset", status="Rejected"),
    "TC_C_37": Command(V201, "ocpp_clear_cache", {}, "ClearCache"),
    "TC_C_38": Command(V201, "ocpp_clear_cache", {}, "ClearCache", status="Rejected"),
    "TC_F_01": Command(V201, "ocpp_remote_start", {"id_token": "TAG", "evse": "1"},
                       "RequestStartTransaction"),
    "TC_F_02": Command(V201, "ocpp_remote_start", {"id_token": "TAG"}, "RequestStartTransaction"),
    "TC_F_03": Command(V201, "ocpp_remote_start", {"id_token": "TAG", "evse": "1"},
                       "RequestStartTransaction", status="Rejected"),
    "TC_F_04": Command(V201, "ocpp_remote_stop", {"transaction_id": "tx-1"},
                       "RequestStopTransaction"),
    "TC_F_06": Command(V201, "ocpp_unlock", {"connector": "1", "evse": "1"}, "UnlockConnector",
                       status="Unlocked"),
    "TC_F_11": Command(V201, "ocpp_trigger", _trigger("MeterValues", "1"), "TriggerMessage",
                       follows="MeterValues", payload=_meter(), relation="charger_readings"),
    "TC_F_12": Command(V201, "ocpp_trigger", _trigger("MeterValues"), "TriggerMessage",
                       follows="MeterValues", payload=_meter(), relation="charger_readings"),
    "TC_F_15": Command(V201, "ocpp_trigger", _trigger("LogStatusNotification"), "TriggerMessage",
                       follows="LogStatusNotification", payload={"status": "Idle"},
                       relation="charger_jobs"),
    "TC_F_18": Command(V201, "ocpp_trigger", _trigger("FirmwareStatusNotification"),
                       "TriggerMessage", follows="FirmwareStatusNotification",
                       payload={"status": "Idle"}, relation="charger_jobs"),
    "TC_F_20": Command(V201, "ocpp_trigger", _trigger("Heartbeat"), "TriggerMessage",
                       follows="Heartbeat", relation="charger_heartbeats"),
    "TC_F_23": Command(V201, "ocpp_trigger", _trigger("StatusNotification", "1"),
                       "TriggerMessage", follows="StatusNotification",
                       payload=_status("Available"), relation="charger_status"),
    "TC_F_24": Command(V201, "ocpp_trigger", _trigger("StatusNotification", "1"),
                       "TriggerMessage", follows="StatusNotification",
                       payload=_status("Occupied"), relation="charger_status"),
    "TC_F_27": Command(V201, "ocpp_trigger", _trigger("SignCombinedCertificate"),
                       "TriggerMessage", status="NotImplemented"),
    **{
        f"TC_G_{number:02}": Command(
            V201, "ocpp_change_availability",
            {"operative": operative, "evse": evse, "connector": connector}, "ChangeAvailability",
            status=status, follows="StatusNotification", relation="charger_status",
            payload=_status("Available" if operative == "true" else "Unavailable"))
        for number, operative, evse, connector, status in (
            (3, "false", "1", None, "Accepted"), (4, "true", "1", None, "Accepted"),
            (5, "false", None, None, "Accepted"), (6, "true", None, None, "Accepted"),
            (7, "false", "1", "1", "Accepted"), (8, "true", "1", "1", "Accepted"),
            (11, "false", "1", None, "Scheduled"), (14, "false", None, None, "Scheduled"),
            (17, "false", "1", "1", "Scheduled"))
    },
    "TC_N_25": Command(V201, "ocpp_get_log", {"location": "https://x/y"}, "GetLog",
                       follows="LogStatusNotification", relation="charger_jobs",
                       payload={"status": "Uploading", "requestId": 7}),
    "TC_N_34": Command(V201, "ocpp_get_log", {"location": "https://x/y"}, "GetLog",
                       status="Rejected"),
    "TC_N_35": Command(V201, "ocpp_get_log", {"location": "https://x/y", "kind": "SecurityLog"},
                       "GetLog", follows="LogStatusNotification", relation="charger_jobs",
                       payload={"status": "Uploaded", "requestId": 7}),
    "TC_N_36": Command(V201, "ocpp_get_log", {"location": "https://x/y"}, "GetLog",
                       status="AcceptedCanceled", follows="LogStatusNotification",
                       payload={"status": "AcceptedCanceled", "requestId": 7},
                       relation="charger_jobs"),
    **{
        case: Command(
            V201, "ocpp_call",
            {"action": "CustomerInformation",
             "payload": json.dumps({"requestId": 7, "report": report, "clear": clear})},
            "CustomerInformation", follows="NotifyCustomerInformation",
            relation="charger_notifications",
            payload={"data": "x", "seqNo": 0, "generatedAt": clock(0), "requestId": 7})
        for case, report, clear in (
            ("TC_N_27", True, True), ("TC_N_28", True, True), ("TC_N_29", False, True),
            ("TC_N_30", True, False), ("TC_N_31", True, True), ("TC_N_32", True, False),
            ("TC_N_62", True, True))
    },
    "TC_079": Command(V16, "ocpp_get_log", {"location": "https://x/y", "kind": "SecurityLog"},
                      "GetLog", follows="LogStatusNotification", payload={"status": "Uploading"},
                      relation="charger_jobs"),
    "TC_045": Command(V16, "ocpp_get_log", {"location": "https://x/y"}, "GetDiagnostics",
                      follows="DiagnosticsStatusNotification", payload={"status": "Uploaded"},
                      relation="charger_jobs", reply={"fileName": "log.gz"}),
    "TC_073": Command(V16, "ocpp_set_configuration",
                      {"name": "AuthorizationKey", "value": "00" * 20}, "ChangeConfiguration"),
    "TC_083": Command(V16, "ocpp_set_configuration", {"name": "SecurityProfile", "value": "2"},
                      "ChangeConfiguration"),
}  # fmt: skip


@pytest.mark.parametrize("case", COMMANDS)
def test_a_command_its_answer_and_what_follows(case: str) -> None:
    command = COMMANDS[case]
    action, _ = message(command.version, command.function, command.given, 7)
    assert action == command.action
    reply = command.reply or {"status": command.status}
    assert answered(command.version, command.function, command.given, reply).payload == reply
    if command.follows is not None:
        desk = Desk(command.version, strict=True)
        assert isinstance(desk.say(command.follows, 0, **command.payload), dict)
        assert command.relation is not None
        assert desk.rows[command.relation]


@pytest.mark.parametrize(("case", "trigger"), [("TC_F_13", "1"), ("TC_F_14", None)])
def test_triggered_transaction_events(case: str, trigger: str | None) -> None:
    del case
    given = _trigger("TransactionEvent", trigger)
    answered(V201, "ocpp_trigger", given, {"status": "Accepted"})
    desk = Desk(V201, strict=True)
    say_event(desk, 0, 0, ("Started", "Authorized", "Charging", True))
    say_event(desk, 60, 1, ("Updated", "Trigger", "Charging", False))
    assert desk.transactions("UPDATE")[0]["trigger_reason"] == "Trigger"


@pytest.mark.parametrize("case", ["TC_B_31"])
def test_a_pending_charger_may_say_what_it_was_asked_for(case: str) -> None:
    del case
    conversation = Conversation(V201, strict=True, accepted=False)
    heartbeat = json.dumps([2, "1", "Heartbeat", {}])
    assert getattr(conversation.receive(heartbeat), "code", None) == "SecurityError"
    conversation.triggered.add("Heartbeat")
    assert getattr(conversation.receive(heartbeat), "action", None) == "Heartbeat"
    # Once asked for, once said.
    again = json.dumps([2, "2", "Heartbeat", {}])
    assert getattr(conversation.receive(again), "code", None) == "SecurityError"


AUTHORIZED: dict[str, tuple[Listed | None, str, str | None]] = {
    "TC_C_08": (Listed(None, None, None, 1_790_000_000_000_000), "Accepted", None),
    "TC_C_20": (None, "Unknown", None),
    "TC_C_47": (Listed(None, "MASTERPASS", None, None), "Accepted", "MASTERPASS"),
    "TC_C_48": (Listed(None, "MASTERPASS", None, None), "Accepted", "MASTERPASS"),
    "TC_C_49": (Listed("Blocked", "MASTERPASS", None, None), "Blocked", "MASTERPASS"),
}


@pytest.mark.parametrize("case", AUTHORIZED)
def test_what_a_token_is_answered(case: str) -> None:
    listed, status, group = AUTHORIZED[case]
    desk = Desk(V201, strict=True)
    desk.verdict = judge(listed, 1_780_000_000_000_000, policy="auto", list_is_empty=False)
    info = desk.say("Authorize", 0, idToken=TOKEN)["idTokenInfo"]
    assert info["status"] == status
    assert info.get("groupIdToken", {}).get("idToken") == group
    assert ("cacheExpiryDateTime" in info) is (listed is not None and listed.cache_us is not None)


@pytest.mark.parametrize("case", ["TC_J_02"])
def test_clock_aligned_values_while_a_transaction_runs(case: str) -> None:
    del case
    desk = Desk(V201, strict=True)
    desk.event("Started", 0, 0, {"value": 1000.0, "context": "Transaction.Begin"})
    for evse_id, wh in ((0, 9e6), (1, 1100.0), (2, 500.0)):
        value = {"value": wh, "context": "Sample.Clock"}
        desk.say("MeterValues", 60, evseId=evse_id, meterValue=[
            {"timestamp": clock(60), "sampledValue": [value]}])  # fmt: skip
    assert [row["transaction_id"] for row in desk.readings()] == ["tx-1", None, "tx-1", None]


@pytest.mark.parametrize(
    "case", [*(f"TC_L_{number:02}" for number in range(1, 12)), "TC_L_13", "TC_080", "TC_081"]
)
def test_secure_firmware(case: str) -> None:
    version = V16 if case < "TC_1" else V201
    words = {
        "TC_L_01": "Installed", "TC_L_02": "InstallScheduled", "TC_L_03": "DownloadScheduled",
        "TC_L_04": "DownloadFailed", "TC_L_05": "InvalidSignature",
        "TC_L_06": "InstallVerificationFailed", "TC_L_07": "InstallRebooting",
        "TC_L_08": "InstallationFailed", "TC_L_09": "DownloadPaused",
        "TC_L_10": "SignatureVerified", "TC_L_11": "Idle", "TC_L_13": "Downloading",
        "TC_080": "Installed", "TC_081": "InvalidSignature",
    }  # fmt: skip
    desk = Desk(version, strict=True)
    action = "SignedFirmwareStatusNotification" if version is V16 else "FirmwareStatusNotification"
    for status in ("Downloading", words[case]):
        assert desk.say(action, 0, status=status, requestId=7) == {}
    rows = desk.rows["charger_jobs"]
    assert [row["status"] for row in rows] == ["Downloading", words[case]]
    assert {(row["job"], row["request_id"]) for row in rows} == {("FIRMWARE", 7)}


@pytest.mark.parametrize("case", ["TC_M_SIGN", "TC_074"])
def test_a_request_for_a_certificate_is_kept_and_refused(case: str) -> None:
    desk = Desk(V16 if case == "TC_074" else V201, strict=True)
    answer = desk.say("SignCertificate", 0, csr="-----BEGIN CERTIFICATE REQUEST-----")
    assert answer["status"] == "Rejected"
    [row] = desk.rows["charger_certificate_requests"]
    assert row["content"].startswith("-----BEGIN") and row["reason"]


# --- 1.6 ----------------------------------------------------------------------------------------


def begun(desk: Desk, **fields: Any) -> int:
    answer = desk.say(
        "StartTransaction", 1, connectorId=1, idTag="TAG", timestamp=clock(1), meterStart=1000,
        **fields,
    )  # fmt: skip
    return int(answer["transactionId"])


def state(desk: Desk, status: str, at: float, error: str = "NoError") -> None:
    answer = desk.say(
        "StatusNotification", at, connectorId=1, errorCode=error, status=status,
        timestamp=clock(at),
    )  # fmt: skip
    assert answer == {}


@pytest.mark.parametrize("case", ["TC_001"])
def test_cold_boot(case: str) -> None:
    del case
    desk = Desk(V16, strict=True)
    answer = desk.say("BootNotification", 0, chargePointVendor="v", chargePointModel="m")
    assert (answer["status"], type(answer["interval"])) == ("Accepted", int)
    for connector in (0, 1):
        desk.say("StatusNotification", 1, connectorId=connector, errorCode="NoError",
                 status="Available")  # fmt: skip
    assert "currentTime" in desk.say("Heartbeat", 2)
    assert [row["connector_id"] for row in desk.rows["charger_status"]] == [0, 1]


REGULAR: dict[str, tuple[list[str], str]] = {
    "TC_003": (["Preparing", "Charging", "Finishing", "Available"], "Local"),
    "TC_004_1": (["Preparing", "Charging", "SuspendedEV", "Finishing", "Available"], "Local"),
    "TC_005_1": (["Preparing", "Charging", "SuspendedEV", "Finishing"], "EVDisconnected"),
    "TC_007": (["Preparing", "Charging", "Finishing", "Available"], "Local"),
}


@pytest.mark.parametrize("case", REGULAR)
def test_a_regular_session(case: str) -> None:
    states, reason = REGULAR[case]
    desk = Desk(V16, strict=True)
    state(desk, states[0], 0)
    number = begun(desk)
    for at, status in enumerate(states[1:-1], start=2):
        state(desk, status, at)
    desk.meter(30, {"value": "1100", "unit": "Wh", "measurand": WH}, transactionId=number)
    answer = desk.stop(60, number, 1200, idTag="TAG", reason=reason)
    assert answer == {"idTagInfo": {"status": "Accepted"}}
    state(desk, states[-1], 61)
    assert [row["status"] for row in desk.rows["charger_status"]] == states
    [stop] = desk.transactions("STOP")
    assert (stop["stop_reason"], stop["meter_wh"], desk.energy_wh()) == (reason, 1200, 200)


@pytest.mark.parametrize("case", ["TC_004_2"])
def test_identified_first_and_never_plugged_in(case: str) -> None:
    del case
    desk = Desk(V16, strict=True)
    assert desk.say("Authorize", 0, idTag="TAG") == {"idTagInfo": {"status": "Accepted"}}
    state(desk, "Preparing", 1)
    state(desk, "Available", 61)
    assert "charger_transactions" not in desk.rows


@pytest.mark.parametrize("case", ["TC_024"])
def test_a_lock_that_fails(case: str) -> None:
    del case
    desk = Desk(V16, strict=True)
    state(desk, "Faulted", 1, error="ConnectorLockFailure")
    [row] = desk.rows["charger_status"]
    assert (row["status"], row["error_code"]) == ("Faulted", "ConnectorLockFailure")


@pytest.mark.parametrize(("case", "listed"), [("TC_037_1", True), ("TC_037_3", False)])
def test_a_start_while_offline(case: str, listed: bool) -> None:
    del case
    desk = Desk(V16, strict=True)
    desk.now_s = 3600
    row = Listed(None, None, None, None) if listed else None
    desk.verdict = judge(row, 0, policy="auto", list_is_empty=False)
    answer = desk.say("StartTransaction", 3600, connectorId=1, idTag="TAG", timestamp=clock(0),
                      meterStart=1000)  # fmt: skip
    # It cannot be refused, for it has happened; the charger hears what the token is worth.
    assert answer["transactionId"] > 0
    assert answer["idTagInfo"]["status"] == ("Accepted" if listed else "Invalid")
    if not listed:
        desk.stop(3601, answer["transactionId"], 1001, reason="DeAuthorized")
        assert desk.transactions("STOP")[0]["stop_reason"] == "DeAuthorized"
    assert desk.transactions("START")[0]["authorization_status"] == (
        "Accepted" if listed else "Unknown"
    )


@pytest.mark.parametrize(
    ("case", "kind"),
    [("TC_077", "InvalidChargePointCertificate"), ("TC_078", "InvalidCentralSystemCertificate")],
)
def test_events_about_certificates(case: str, kind: str) -> None:
    del case
    desk = Desk(V16, strict=True)
    assert desk.say("SecurityEventNotification", 0, type=kind, timestamp=clock(0)) == {}
    [row] = desk.rows["charger_security_events"]
    assert (row["type"], row["critical"]) == (kind, True)
