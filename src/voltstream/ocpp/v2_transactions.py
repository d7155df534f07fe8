"""OCPP 2.x: TransactionEvent, and what a connector's state means beside it."""

from __future__ import annotations

from typing import Any

from voltstream.ocpp.abandoned import abandon
from voltstream.ocpp.charger import Session
from voltstream.ocpp.draft import Draft, part, small, text, whole
from voltstream.ocpp.frames import Json, document
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.readings import add_readings, boundary_wh

_EVENT_TYPES = {"Started": "START", "Updated": "UPDATE", "Ended": "STOP"}
_ORIGINS = {"START": "TX_BEGIN", "UPDATE": "TX_UPDATE", "STOP": "TX_END"}
_OCCUPIED = {
    "Charging": "Charging",
    "SuspendedEV": "SuspendedEV",
    "SuspendedEVSE": "SuspendedEVSE",
    "EVConnected": "Preparing",
    "Idle": "Finishing",
}


def canonical_status(raw: str | None, session: Session | None) -> str | None:
    """Return the state in the words of 1.6: 2.x says Occupied, and its transaction says why."""
    if raw != "Occupied":
        return raw
    if session is None:
        return "Preparing"
    return _OCCUPIED.get(session.charging_state or "", "Preparing")


def transaction_event(draft: Draft) -> Json:
    given, charger = draft.payload, draft.charger
    info: Any = given.get("transactionInfo")
    info = info if isinstance(info, dict) else {}
    event_type = _EVENT_TYPES.get(str(given.get("eventType")), "UPDATE")
    offline = given.get("offline") is True
    event_us, corrected_us, flags = draft.instant(given.get("timestamp"), live=not offline)
    if offline:
        flags |= Quality.OFFLINE
    session = _session(draft, str(info.get("transactionId")), event_type, event_us)
    flags |= _placed(session, given, event_type)
    _end_others(draft, session)
    state = text(info.get("chargingState"))
    if state is not None and event_us >= session.last_us:
        session.charging_state = state
    if event_type == "STOP":
        flags |= _stopped(session, event_us)
    samples = add_readings(
        draft,
        given.get("meterValue"),
        _ORIGINS[event_type],
        evse_id=session.evse_id,
        connector_id=session.connector_id,
        session=session,
        session_stated=True,
        seq_no=whole(given.get("seqNo")),
        offline=offline,
    )
    session.last_us = max(session.last_us, event_us)
    charger.booted = False
    _add_event(
        draft,
        session,
        event_type,
        event_us,
        corrected_us,
        flags,
        info,
        samples_wh(samples, event_type),
    )
    return _answer(draft)


def samples_wh(samples: list[Any], event_type: str) -> int | None:
    """Return the register at the boundary; at a start any register is better than none."""
    if event_type == "UPDATE":
        return None
    context = "Transaction.Begin" if event_type == "START" else "Transaction.End"
    found = boundary_wh(samples, context)
    return boundary_wh(samples) if found is None else found


def _session(draft: Draft, transaction_id: str, event_type: str, event_us: int) -> Session:
    charger = draft.charger
    session = charger.sessions.get(transaction_id)
    if session is None:
        session = Session(
            transaction_id=transaction_id,
            evse_id=None,
            connector_id=None,
            start_us=event_us,
            started=event_type == "START",
            last_us=event_us,
        )
        charger.add_session(session)
    elif event_type == "START":
        session.started = True
    session.start_us = min(session.start_us, event_us)
    session.heard_us = draft.received_us
    return session


def _placed(session: Session, given: Json, event_type: str) -> Quality:
    """Learn where a transaction is and who pays; both may come with a later event."""
    flags = Quality.OK
    evse_id = small(part(given, "evse", "id"))
    if evse_id is not None:
        session.evse_id = evse_id
        session.connector_id = small(part(given, "evse", "connectorId")) or session.connector_id
    token = text(part(given, "idToken", "idToken"))
    if token is not None and session.id_tag is None:
        session.id_tag = token
    seq_no = whole(given.get("seqNo"))
    if seq_no is not None:
        if seq_no in session.seq_seen:
            flags |= Quality.SEQ_CONFLICT  # The same message is known by its content before this.
        session.seq_seen.add(seq_no)
    if session.stop_us is not None and event_type != "STOP":
        flags |= Quality.LATE
    return flags


def _end_others(draft: Draft, session: Session) -> None:
    """Close what an EVSE had before: it has one transaction at a time (2.0.1 part 4)."""
    if session.evse_id is None or session.stop_us is not None:
        return
    for other in list(draft.charger.sessions.values()):
        here = other.evse_id == session.evse_id and other is not session
        if here and other.stop_us is None and other.start_us < session.start_us:
            abandon(draft, other, session.start_us)


def _stopped(session: Session, event_us: int) -> Quality:
    if session.stop_us is not None and not session.stop_is_estimated:
        return Quality.STOP_CONFLICT
    session.stop_us = event_us
    session.stop_is_estimated = False
    return Quality.OK if session.started else Quality.ORPHAN


def _add_event(
    draft: Draft,
    session: Session,
    event_type: str,
    event_us: int,
    corrected_us: int,
    flags: Quality,
    info: Json,
    meter_wh: int | None,
) -> None:
    given = draft.payload
    stop_reason = text(info.get("stoppedReason"))
    costs = given.get("costDetails")
    draft.add(
        "charger_transactions",
        connector_id=session.connector_id,
        evse_id=session.evse_id,
        transaction_id=session.transaction_id,
        event_type=event_type,
        id_tag=text(part(given, "idToken", "idToken")) or session.id_tag,
        meter_wh=meter_wh,
        stop_reason=(stop_reason or "Local") if event_type == "STOP" else stop_reason,
        event_ts=event_us,
        corrected_ts=corrected_us,
        id_token_type=text(part(given, "idToken", "type")),
        authorization_status=draft.verdict.status if "idToken" in given else None,
        seq_no=whole(given.get("seqNo")),
        trigger_reason=text(given.get("triggerReason")),
        charging_state=text(info.get("chargingState")),
        offline=given.get("offline") is True,
        time_spent_charging_s=whole(info.get("timeSpentCharging")),
        remote_start_id=whole(info.get("remoteStartId")),
        reservation_id=whole(given.get("reservationId")),
        phases_used=small(given.get("numberOfPhasesUsed")),
        cable_current_a=small(given.get("cableMaxCurrent")),
        operation_mode=text(info.get("operationMode")),
        cost_details=None if costs is None else document(costs),
        flags=int(draft.flags | flags),
    )
    state, place = text(info.get("chargingState")), (session.evse_id, session.connector_id)
    if state is None or draft.charger.connector_status.get(place, ("", 0))[0] != "Occupied":
        return
    # The connector says nothing new, but what it is occupied by has changed.
    late = draft.charger.connector_status[place][1] > corrected_us
    draft.add(
        "charger_status",
        connector_id=session.connector_id,
        evse_id=session.evse_id,
        status=canonical_status("Occupied", session),
        status_raw="Occupied",
        error_code="NoError",
        event_ts=event_us,
        corrected_ts=corrected_us,
        flags=int(draft.flags | flags | (Quality.LATE if late else Quality.OK)),
    )


def _answer(draft: Draft) -> Json:
    """The token is answered only where one was sent."""
    if "idToken" in draft.payload:
        return {"idTokenInfo": draft.verdict.for_2()}
    return {}
