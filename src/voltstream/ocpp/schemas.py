"""The official message schemas, compiled once, and which side may send what."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import jsonschema_rs

from voltstream.ocpp.versions import Version

_FOLDERS = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}

# What a charge point sends. Everything else with a schema is for it, not for us.
_FROM_CHARGER_16 = frozenset({
    "Authorize", "BootNotification", "DataTransfer", "DiagnosticsStatusNotification",
    "FirmwareStatusNotification", "Heartbeat", "LogStatusNotification", "MeterValues",
    "SecurityEventNotification", "SignCertificate", "SignedFirmwareStatusNotification",
    "StartTransaction", "StatusNotification", "StopTransaction",
})  # fmt: skip
_FROM_CHARGER_201 = frozenset({
    "Authorize", "BootNotification", "ClearedChargingLimit", "DataTransfer",
    "FirmwareStatusNotification", "Get15118EVCertificate", "GetCertificateStatus", "Heartbeat",
    "LogStatusNotification", "MeterValues", "NotifyChargingLimit", "NotifyCustomerInformation",
    "NotifyDisplayMessages", "NotifyEVChargingNeeds", "NotifyEVChargingSchedule", "NotifyEvent",
    "NotifyMonitoringReport", "NotifyReport", "PublishFirmwareStatusNotification",
    "ReportChargingProfiles", "ReservationStatusUpdate", "SecurityEventNotification",
    "SignCertificate", "StatusNotification", "TransactionEvent",
})  # fmt: skip
_FROM_CHARGER_21 = _FROM_CHARGER_201 | {
    "BatterySwap", "ClosePeriodicEventStream", "GetCertificateChainStatus", "NotifyDERAlarm",
    "NotifyDERStartStop", "NotifyPriorityCharging", "NotifySettlement", "OpenPeriodicEventStream",
    "PullDynamicScheduleUpdate", "ReportDERControl", "VatNumberValidation",
}  # fmt: skip
FROM_CHARGER = {
    Version.V16: _FROM_CHARGER_16,
    Version.V201: _FROM_CHARGER_201,
    Version.V21: _FROM_CHARGER_21,
}
SENT = frozenset({"NotifyPeriodicEventStream"})  # SEND has no answer; 2.1 has one such message.


@cache
def actions(version: Version) -> frozenset[str]:
    """Return every action of a version, whoever sends it."""
    names = {file.stem for file in _folder(version).glob("*.json")}
    return frozenset(name.removesuffix("Request") for name in names if name[-8:] != "Response")


@cache
def request(version: Version, action: str) -> jsonschema_rs.Validator:
    """Return the checker of a request; 2.x files say Request, those of SEND do not."""
    suffix = "" if version is Version.V16 or action in SENT else "Request"
    return _compiled(version, action + suffix)


@cache
def response(version: Version, action: str) -> jsonschema_rs.Validator:
    return _compiled(version, action + "Response")


@cache
def _folder(version: Version) -> Path:
    """Find the files of the ocpp package without running any of its code."""
    found = find_spec("ocpp")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("the ocpp package, which holds the schemas, is not installed")
    return Path(found.origin).parent / _FOLDERS[version] / "schemas"


def _compiled(version: Version, name: str) -> jsonschema_rs.Validator:
    file = _folder(version) / f"{name}.json"
    # 2.0.1's files begin with a byte order mark.
    return jsonschema_rs.validator_for(json.loads(file.read_text(encoding="utf-8-sig")))
