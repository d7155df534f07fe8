"""Messages that all versions have, in the words of each."""

from __future__ import annotations

from typing import Any

from voltstream.ocpp.draft import Draft, small, text, whole
from voltstream.ocpp.frames import Json, document
from voltstream.ocpp.instants import spell_instant
from voltstream.ocpp.versions import Version

NO_AUTHORITY = "no certificate authority is configured"
_CRITICAL = frozenset({
    "FirmwareUpdated", "SettingSystemTime", "StartupOfTheDevice", "ResetOrReboot",
    "SecurityLogWasCleared", "MemoryExhaustion", "TamperDetectionActivated",
    "InvalidFirmwareSignature", "InvalidFirmwareSigningCertificate", "InvalidCsmsCertificate",
    "InvalidCentralSystemCertificate", "InvalidChargingStationCertificate",
    "InvalidChargePointCertificate", "DiscardedRenewedClientCertificate",
})  # fmt: skip
_CRITICAL_SINCE_2 = ("InvalidTLS", "MaintenanceLogin")


def boot(draft: Draft, **columns: Any) -> Json:
    """Answer what the registry says; a charger that is not accepted comes again later."""
    charger = draft.charger
    registration = charger.registration or "Accepted"
    charger.booted = True
    charger.clock.told()
    draft.add(
        "charger_boots",
        **columns,
        event_ts=draft.received_us,
        registration=registration,
        ocpp_version=draft.version.value,
    )
    interval_s = draft.heartbeat_s if registration == "Accepted" else draft.retry_s
    now = spell_instant(draft.received_us)
    return {"currentTime": now, "interval": interval_s, "status": registration}


def heartbeat(draft: Draft) -> Json:
    draft.add("charger_heartbeats", event_ts=draft.received_us)
    return {"currentTime": spell_instant(draft.received_us)}


def data_transfer(draft: Draft) -> Json:
    """Keep vendor data, understood or not; the answer says which."""
    given = draft.payload
    data = given.get("data")
    draft.add(
        "charger_data_transfers",
        vendor_id=text(given.get("vendorId")),
        message_id=text(given.get("messageId")),
        data=data if isinstance(data, str) or data is None else document(data),
        status=draft.transfer,
    )
    return {"status": draft.transfer}


def job_status(draft: Draft, job: str) -> Json:
    given = draft.payload
    event_us, _, flags = draft.instant(given.get("timestamp"))
    info = given.get("statusInfo") or given.get("location")
    draft.add(
        "charger_jobs",
        job=job,
        status=text(given.get("status")),
        request_id=whole(given.get("requestId")),
        info=None if info is None else document(info),
        event_ts=event_us,
        flags=int(draft.flags | flags),
    )
    return {}


def security_event(draft: Draft) -> Json:
    given = draft.payload
    event_us, _, flags = draft.instant(given.get("timestamp"))
    kind = text(given.get("type")) or ""
    if kind == "SettingSystemTime":
        draft.charger.clock.told()
    critical = kind in _CRITICAL
    if draft.version is not Version.V16:
        critical = critical or kind.startswith(_CRITICAL_SINCE_2)
    draft.add(
        "charger_security_events",
        type=kind,
        critical=critical,
        tech_info=text(given.get("techInfo")),
        event_ts=event_us,
        flags=int(draft.flags | flags),
    )
    return {}


def certificate_request(draft: Draft, content: str | None, answer: Json) -> Json:
    """Keep what was asked; without an authority the answer is no, with a reason."""
    status = answer.get("status")
    draft.add(
        "charger_certificate_requests",
        action=draft.action,
        certificate_type=text(draft.payload.get("certificateType")),
        content=content,
        status=status if isinstance(status, str) else "Failed",
        reason=NO_AUTHORITY,
    )
    return answer


def notification(draft: Draft, answer: Json, *, at: object = None) -> Json:
    """Keep a message whole."""
    given = draft.payload
    event_us, _, flags = draft.instant(at)
    evse = given.get("evse")
    evse_id = given.get("evseId", evse.get("id") if isinstance(evse, dict) else None)
    draft.add(
        "charger_notifications",
        action=draft.action,
        evse_id=small(evse_id),
        transaction_id=text(given.get("transactionId")),
        request_id=whole(given.get("requestId")),
        payload=document(given),
        event_ts=event_us,
        flags=int(draft.flags | flags),
    )
    return answer
