"""Which handler takes a message of which version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from voltstream.ocpp import shared, v2, v16
from voltstream.ocpp.draft import Draft, part, text
from voltstream.ocpp.frames import Json
from voltstream.ocpp.v2_transactions import transaction_event
from voltstream.ocpp.v16 import Numbers
from voltstream.ocpp.versions import Version

Handler = Callable[[Draft], Json]


def _kept(answer: Json, at: str = "timestamp") -> Handler:
    """Return a handler that keeps a message whole and gives a fixed answer."""

    def handle(draft: Draft) -> Json:
        return shared.notification(draft, dict(answer), at=draft.payload.get(at))

    return handle


def _job(job: str) -> Handler:
    return lambda draft: shared.job_status(draft, job)


def _charging_needs(draft: Draft) -> Json:
    # No schedule is made here; 2.1 has a word for that, 2.0.1 only "Rejected".
    word = "NoChargingProfile" if draft.version is Version.V21 else "Rejected"
    return shared.notification(draft, {"status": word}, at=draft.payload.get("timestamp"))


def _vat_number(draft: Draft) -> Json:
    number = str(draft.payload.get("vatNumber"))
    return shared.notification(draft, {"vatNumber": number, "status": "Rejected"})


HANDLERS_201: dict[str, Handler] = {
    "Authorize": v2.authorize,
    "BootNotification": v2.boot,
    "ClearedChargingLimit": _kept({}),
    "DataTransfer": shared.data_transfer,
    "FirmwareStatusNotification": _job("FIRMWARE"),
    "Get15118EVCertificate": v2.ev_certificate,
    "GetCertificateStatus": v2.certificate_status,
    "Heartbeat": v2.heartbeat,
    "LogStatusNotification": _job("LOG"),
    "MeterValues": v2.meter_values,
    "NotifyChargingLimit": _kept({}),
    "NotifyCustomerInformation": _kept({}, at="generatedAt"),
    "NotifyDisplayMessages": _kept({}),
    "NotifyEVChargingNeeds": _charging_needs,
    "NotifyEVChargingSchedule": _kept({"status": "Accepted"}, at="timeBase"),
    "NotifyEvent": v2.notify_event,
    "NotifyMonitoringReport": v2.monitoring_report,
    "NotifyReport": v2.notify_report,
    "PublishFirmwareStatusNotification": _job("PUBLISH_FIRMWARE"),
    "ReportChargingProfiles": _kept({}),
    "ReservationStatusUpdate": _kept({}),
    "SecurityEventNotification": shared.security_event,
    "SignCertificate": v2.sign_certificate,
    "StatusNotification": v2.status_notification,
    "TransactionEvent": transaction_event,
}
HANDLERS_21: dict[str, Handler] = HANDLERS_201 | {
    "BatterySwap": _kept({}),
    "ClosePeriodicEventStream": v2.close_stream,
    "GetCertificateChainStatus": v2.chain_status,
    "NotifyDERAlarm": _kept({}),
    "NotifyDERStartStop": _kept({}),
    "NotifyPeriodicEventStream": v2.event_stream,
    "NotifyPriorityCharging": _kept({}),
    "NotifySettlement": _kept({}, at="settlementTime"),
    "OpenPeriodicEventStream": v2.open_stream,
    "PullDynamicScheduleUpdate": _kept({"status": "Rejected"}),
    "ReportDERControl": _kept({}),
    "VatNumberValidation": _vat_number,
}


def handle(draft: Draft, numbers: Numbers) -> Json:
    """Turn a message into rows and the payload of its answer."""
    if draft.version is Version.V16:
        return v16.HANDLERS[draft.action](draft, numbers)
    known = HANDLERS_201 if draft.version is Version.V201 else HANDLERS_21
    return known[draft.action](draft)


def token_in(version: Version, action: str, payload: Json) -> str | None:
    """Return the token that a message names, so that the list can be asked before."""
    if version is Version.V16:
        return text(v16.token_of(action, payload))
    found: Any = part(payload, "idToken", "idToken")
    return text(found) if action in ("Authorize", "TransactionEvent") else None
