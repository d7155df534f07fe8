"""OCPP 1.6: what each message of a charge point becomes, and what it is answered.

Source: OCPP 1.6 edition 2 section 4, its errata, and the security whitepaper edition 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from voltstream.ocpp import shared
from voltstream.ocpp.abandoned import abandon
from voltstream.ocpp.charger import Place, Session
from voltstream.ocpp.draft import Draft, small, text, whole
from voltstream.ocpp.frames import Json
from voltstream.ocpp.instants import US_PER_S
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.readings import add_boundary, add_readings
from voltstream.ocpp.tokens import token_digest

Handler = Callable[[Draft, "Numbers"], Json]
_NO_TRANSACTION = frozenset({0, -1})
_INT32_MAX = 2**31 - 1
_WITH_TOKEN = frozenset({"Authorize", "StartTransaction", "StopTransaction"})
_WHOLE = (0, 0)
_WHOLE_CHARGER = frozenset({"Available", "Unavailable", "Faulted"})
# 2024-01-01. Ids count seconds from there at least, so that a restored backup cannot give an id
# again that was given after it was taken, while sessions start less often than once a second.
_NUMBERS_FROM_S = 1_704_067_200


class Numbers:
    """Transaction ids: positive, of 32 bits, for all chargers and for ever different."""

    def __init__(self, last: int, now_us: int) -> None:
        self._last = max(last, now_us // US_PER_S - _NUMBERS_FROM_S, 0)

    def take(self) -> int:
        """Return the next id. It is durable with the START row that carries it."""
        self._last += 1
        return self._last


def boot(draft: Draft, _: Numbers) -> Json:
    given = draft.payload
    return shared.boot(
        draft,
        vendor=text(given.get("chargePointVendor")),
        model=text(given.get("chargePointModel")),
        serial_number=text(given.get("chargePointSerialNumber")),
        firmware_version=text(given.get("firmwareVersion")),
        box_serial_number=text(given.get("chargeBoxSerialNumber")),
        iccid=text(given.get("iccid")),
        imsi=text(given.get("imsi")),
        meter_type=text(given.get("meterType")),
        meter_serial_number=text(given.get("meterSerialNumber")),
    )


def authorize(draft: Draft, _: Numbers) -> Json:
    draft.add(
        "charger_authorizations",
        id_token_sha256=token_digest(str(draft.payload["idTag"])),
        id_token_type=None,
        status=draft.verdict.status,
        certificate_sent=False,
    )
    return {"idTagInfo": draft.verdict.for_16()}


def status_notification(draft: Draft, _: Numbers) -> Json:
    given = draft.payload
    place = draft.charger.place(small(given.get("connectorId")))
    status = text(given.get("status"))
    event_us, corrected_us, flags = draft.instant(given.get("timestamp"), live=True)
    if place == _WHOLE and status not in _WHOLE_CHARGER:
        flags |= Quality.IMPLAUSIBLE
    if draft.charger.is_latest(place, corrected_us):
        draft.charger.connector_status[place] = (status or "", corrected_us)
    else:
        flags |= Quality.LATE
    draft.add(
        "charger_status",
        connector_id=place[1],
        evse_id=place[0],
        status=status,
        status_raw=status,
        error_code=text(given.get("errorCode")) or "NoError",
        vendor_error_code=text(given.get("vendorErrorCode")),
        vendor_id=text(given.get("vendorId")),
        info=text(given.get("info")),
        event_ts=event_us,
        corrected_ts=corrected_us,
        flags=int(draft.flags | flags),
    )
    return {}


def start_key(place: Place, id_tag: str, event_us: int, meter_wh: int | None) -> tuple[object, ...]:
    """Return what a repeated StartTransaction has in common with the first."""
    return place, id_tag.upper(), event_us, meter_wh


def stop_key(event_us: int, meter_wh: int | None, reason: str | None) -> tuple[object, ...]:
    """Return what a repeated StopTransaction has in common with the first."""
    return event_us, meter_wh, reason or "Local"


def start_transaction(draft: Draft, numbers: Numbers) -> Json:
    given, charger = draft.payload, draft.charger
    place = charger.place(small(given.get("connectorId")))
    evse_id, connector_id = place
    id_tag = str(given.get("idTag"))
    event_us, corrected_us, flags = draft.instant(given.get("timestamp"))
    meter_wh = given.get("meterStart")
    key = start_key(place, id_tag, event_us, whole(meter_wh))
    for known in charger.sessions.values():
        if known.start_key == key:
            draft.flags |= Quality.DUPLICATE
            return _started(draft, known)
    before = charger.open_session(evse_id)
    if before is not None and event_us > before.start_us:
        abandon(draft, before, event_us)
    number = str(numbers.take())
    while number in charger.sessions:  # An end without a start, from another central system.
        number = str(numbers.take())
    session = Session(
        transaction_id=number,
        evse_id=evse_id,
        connector_id=connector_id,
        start_us=event_us,
        id_tag=id_tag,
        start_key=key,
        meter_start_wh=whole(meter_wh),
        last_us=event_us,
        heard_us=draft.received_us,
    )
    charger.add_session(session)
    register_wh = whole(meter_wh)
    if register_wh is None or register_wh < 0:
        flags |= Quality.IMPLAUSIBLE
    draft.add(
        "charger_transactions",
        connector_id=connector_id,
        evse_id=evse_id,
        transaction_id=session.transaction_id,
        event_type="START",
        id_tag=id_tag,
        meter_wh=whole(meter_wh),
        event_ts=event_us,
        corrected_ts=corrected_us,
        authorization_status=draft.verdict.status,
        reservation_id=whole(given.get("reservationId")),
        flags=int(draft.flags | flags),
    )
    if isinstance(meter_wh, int | float) and not isinstance(meter_wh, bool):
        add_boundary(draft, session, event_us, meter_wh, flags, stop=False)
    return _started(draft, session)


def _started(draft: Draft, session: Session) -> Json:
    return {
        "transactionId": int(session.transaction_id),
        "idTagInfo": draft.verdict.for_16(),
    }


def meter_values(draft: Draft, _: Numbers) -> Json:
    given, charger = draft.payload, draft.charger
    evse_id, connector_id = charger.place(small(given.get("connectorId")))
    number = whole(given.get("transactionId"))
    session = None
    stated = False
    if evse_id != 0 and number is not None and 0 < number <= _INT32_MAX:
        session = charger.sessions.get(str(number))
        stated = True
    add_readings(
        draft,
        given.get("meterValue"),
        "METER_VALUES",
        evse_id=evse_id,
        connector_id=connector_id,
        session=session,
        session_stated=stated,
    )
    charger.booted = False
    return {}


def stop_transaction(draft: Draft, _: Numbers) -> Json:
    given, charger = draft.payload, draft.charger
    number = whole(given.get("transactionId"))
    event_us, corrected_us, flags = draft.instant(given.get("timestamp"))
    meter_wh = given.get("meterStop")
    answer: Json = {}
    if text(given.get("idTag")):
        answer = {"idTagInfo": draft.verdict.for_16()}
    key = stop_key(event_us, whole(meter_wh), text(given.get("reason")))
    session = _stopped_session(draft, number, text(given.get("idTag")), event_us)
    if session is None:
        # Its START is unknown, lost or still queued: the end is kept until it comes.
        flags |= Quality.ORPHAN
        session = Session(
            transaction_id=_orphan(number, draft.raw_id),
            evse_id=None,
            connector_id=None,
            start_us=event_us,
            started=False,
        )
        charger.add_session(session)
    if session.stop_us is not None and not session.stop_is_estimated:
        if session.stop_key == key:
            draft.flags |= Quality.DUPLICATE
            return answer
        flags |= Quality.STOP_CONFLICT
    else:
        session.stop_us, session.stop_key, session.stop_is_estimated = event_us, key, False
    add_readings(
        draft,
        given.get("transactionData"),
        "STOP_TX_DATA",
        evse_id=session.evse_id,
        connector_id=session.connector_id,
        session=session,
        session_stated=True,
    )
    draft.add(
        "charger_transactions",
        connector_id=session.connector_id,
        evse_id=session.evse_id,
        transaction_id=session.transaction_id,
        event_type="STOP",
        id_tag=text(given.get("idTag")) or session.id_tag,
        meter_wh=whole(meter_wh),
        stop_reason=text(given.get("reason")) or "Local",
        event_ts=event_us,
        corrected_ts=corrected_us,
        flags=int(draft.flags | flags),
    )
    if isinstance(meter_wh, int | float) and not flags & Quality.STOP_CONFLICT:
        add_boundary(draft, session, event_us, meter_wh, flags, stop=True)
    return answer


def _orphan(number: int | None, raw_id: int) -> str:
    """Return the id of a session without a start; what no session has would join several."""
    known = number is not None and number not in _NO_TRANSACTION
    return str(number) if known else f"orphan-{raw_id}"


def _stopped_session(
    draft: Draft, number: int | None, id_tag: str | None, event_us: int
) -> Session | None:
    """Find what a StopTransaction ends; -1 says that the charger never got an id (errata 3.18)."""
    charger = draft.charger
    if number is not None and number not in _NO_TRANSACTION:
        return charger.sessions.get(str(number))
    for session in reversed(charger.sessions.values()):
        same = not id_tag or not session.id_tag or session.id_tag.upper() == id_tag.upper()
        if session.stop_us is None and same and session.start_us <= event_us:
            return session
    return None


def data_transfer(draft: Draft, _: Numbers) -> Json:
    return shared.data_transfer(draft)


def heartbeat(draft: Draft, _: Numbers) -> Json:
    return shared.heartbeat(draft)


def _job(job: str) -> Handler:
    def handle(draft: Draft, _: Numbers) -> Json:
        return shared.job_status(draft, job)

    return handle


def security_event(draft: Draft, _: Numbers) -> Json:
    return shared.security_event(draft)


def sign_certificate(draft: Draft, _: Numbers) -> Json:
    return shared.certificate_request(draft, text(draft.payload.get("csr")), {"status": "Rejected"})


HANDLERS: dict[str, Handler] = {
    "Authorize": authorize,
    "BootNotification": boot,
    "DataTransfer": data_transfer,
    "DiagnosticsStatusNotification": _job("DIAGNOSTICS"),
    "FirmwareStatusNotification": _job("FIRMWARE"),
    "Heartbeat": heartbeat,
    "LogStatusNotification": _job("LOG"),
    "MeterValues": meter_values,
    "SecurityEventNotification": security_event,
    "SignCertificate": sign_certificate,
    "SignedFirmwareStatusNotification": _job("FIRMWARE"),
    "StartTransaction": start_transaction,
    "StatusNotification": status_notification,
    "StopTransaction": stop_transaction,
}


def token_of(action: str, payload: Json) -> Any:
    """Return the token that a message names."""
    return payload.get("idTag") if action in _WITH_TOKEN else None
