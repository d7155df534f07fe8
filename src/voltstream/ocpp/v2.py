"""OCPP 2.0.1 and 2.1: boot, status, authorization, device model and events.

Source: the schemas of both versions, OCPP 2.0.1 parts 4 and 6 with errata, 2.1 part 4.
"""

from __future__ import annotations

from typing import Any

from voltstream.ocpp import shared, streams
from voltstream.ocpp.draft import Draft, part, small, text, whole
from voltstream.ocpp.frames import Json, document
from voltstream.ocpp.instants import US_PER_S
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.readings import add_readings
from voltstream.ocpp.tokens import token_digest
from voltstream.ocpp.told_variables import is_secret
from voltstream.ocpp.v2_transactions import canonical_status


def boot(draft: Draft) -> Json:
    station = draft.payload.get("chargingStation")
    given: Json = station if isinstance(station, dict) else {}
    return shared.boot(
        draft,
        vendor=text(given.get("vendorName")),
        model=text(given.get("model")),
        serial_number=text(given.get("serialNumber")),
        firmware_version=text(given.get("firmwareVersion")),
        iccid=text(part(given, "modem", "iccid")),
        imsi=text(part(given, "modem", "imsi")),
        reason=text(draft.payload.get("reason")),
    )


def heartbeat(draft: Draft) -> Json:
    return shared.heartbeat(draft)


def authorize(draft: Draft) -> Json:
    given = draft.payload
    draft.add(
        "charger_authorizations",
        id_token_sha256=token_digest(str(part(given, "idToken", "idToken") or "")),
        id_token_type=text(part(given, "idToken", "type")),
        status=draft.verdict.status,
        certificate_sent="certificate" in given or "iso15118CertificateHashData" in given,
    )
    return {"idTokenInfo": draft.verdict.for_2()}


def status_notification(draft: Draft) -> Json:
    given = draft.payload
    event_us, corrected_us, flags = draft.instant(given.get("timestamp"), live=True)
    _add_status(
        draft,
        small(given.get("evseId")),
        small(given.get("connectorId")),
        text(given.get("connectorStatus")),
        event_us,
        corrected_us,
        flags,
    )
    return {}


def _add_status(
    draft: Draft,
    evse_id: int | None,
    connector_id: int | None,
    raw: str | None,
    event_us: int,
    corrected_us: int,
    flags: Quality,
) -> None:
    charger, place = draft.charger, (evse_id, connector_id)
    known = charger.connector_status.get(place)
    # NotifyEvent replaces StatusNotification in 2.1, and stations send both.
    if known == (raw or "", corrected_us):
        draft.flags |= Quality.DUPLICATE
        return
    if charger.is_latest(place, corrected_us):
        charger.connector_status[place] = (raw or "", corrected_us)
    else:
        flags |= Quality.LATE
    session = charger.open_session(evse_id)
    draft.add(
        "charger_status",
        connector_id=connector_id,
        evse_id=evse_id,
        status=canonical_status(raw, session),
        status_raw=raw,
        error_code="NoError" if raw != "Faulted" else "OtherError",
        event_ts=event_us,
        corrected_ts=corrected_us,
        flags=int(draft.flags | flags),
    )


def meter_values(draft: Draft) -> Json:
    """MeterValues of 2.x name no transaction: the one that runs on the EVSE then is meant."""
    given = draft.payload
    add_readings(
        draft,
        given.get("meterValue"),
        "METER_VALUES",
        evse_id=small(given.get("evseId")),
        connector_id=None,
    )
    draft.charger.booted = False
    return {}


def notify_event(draft: Draft) -> Json:
    events = draft.payload.get("eventData")
    for ordinal, event in enumerate(events if isinstance(events, list) else ()):
        if not isinstance(event, dict):
            continue
        event_us, corrected_us, flags = draft.instant(event.get("timestamp"))
        evse_id = small(part(event, "component", "evse", "id"))
        connector_id = small(part(event, "component", "evse", "connectorId"))
        component = text(part(event, "component", "name"))
        variable = text(part(event, "variable", "name"))
        value = event.get("actualValue")
        draft.add(
            "charger_events",
            event_id=whole(event.get("eventId")),
            event_ts=event_us,
            trigger=text(event.get("trigger")),
            cause=whole(event.get("cause")),
            actual_value=value if isinstance(value, str) else None,
            cleared=event.get("cleared") is True,
            transaction_id=text(event.get("transactionId")),
            component=component,
            component_instance=text(part(event, "component", "instance")),
            evse_id=evse_id,
            connector_id=connector_id,
            variable=variable,
            variable_instance=text(part(event, "variable", "instance")),
            event_type=text(event.get("eventNotificationType")),
            monitoring_id=whole(event.get("variableMonitoringId")),
            tech_code=text(event.get("techCode")),
            tech_info=text(event.get("techInfo")),
            flags=int(draft.flags | flags),
            ordinal=ordinal,
        )
        if (component, variable) == ("Connector", "AvailabilityState"):
            status = text(value)
            _add_status(draft, evse_id, connector_id, status, event_us, corrected_us, flags)
    return {}


def notify_report(draft: Draft) -> Json:
    """Keep a page of the device model; order is by seqNo, so no page is waited for."""
    items = draft.payload.get("reportData")
    if not items:  # The report's end must be known, although it brings nothing.
        return shared.notification(draft, {}, at=draft.payload.get("generatedAt"))
    for ordinal, item in enumerate(items if isinstance(items, list) else ()):
        if not isinstance(item, dict):
            continue
        attributes = item.get("variableAttribute")
        for attribute in attributes if isinstance(attributes, list) else ({},):
            if isinstance(attribute, dict):
                _add_variable(draft, item, attribute, ordinal)
    return {}


def _add_variable(draft: Draft, item: Json, attribute: Json, ordinal: int) -> None:
    about: Any = item.get("variableCharacteristics")
    about = about if isinstance(about, dict) else {}
    variable = text(part(item, "variable", "name")) or ""
    value = text(attribute.get("value"))
    if is_secret(variable):
        value = None
    if (variable, text(part(item, "component", "name"))) == ("Power", "EVSE"):
        draft.charger.power_w = _number(about.get("maxLimit")) or draft.charger.power_w
    draft.add(
        "charger_variables",
        component=text(part(item, "component", "name")),
        component_instance=text(part(item, "component", "instance")),
        evse_id=small(part(item, "component", "evse", "id")),
        connector_id=small(part(item, "component", "evse", "connectorId")),
        variable=variable,
        variable_instance=text(part(item, "variable", "instance")),
        attribute=text(attribute.get("type")) or "Actual",
        value=value,
        mutability=text(attribute.get("mutability")) or "ReadWrite",
        persistent=attribute.get("persistent") is True,
        constant=attribute.get("constant") is True,
        data_type=text(about.get("dataType")),
        unit=text(about.get("unit")),
        limit_min=_number(about.get("minLimit")),
        limit_max=_number(about.get("maxLimit")),
        values_list=text(about.get("valuesList")),
        supports_monitoring=about.get("supportsMonitoring") is True,
        request_id=whole(draft.payload.get("requestId")),
        seq_no=whole(draft.payload.get("seqNo")),
        more_follows=draft.payload.get("tbc") is True,
        as_of=draft.instant(draft.payload.get("generatedAt"))[0],
        ordinal=ordinal,
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e300 else None


def event_stream(draft: Draft) -> Json:
    """Keep the values of a periodic event stream; what they are was said when it was opened."""
    given, charger = draft.payload, draft.charger
    base_us, _, base_flags = draft.instant(given.get("basetime"))
    stream_id = small(given.get("id"))
    about = streams.about(charger, stream_id)
    values = given.get("data")
    for ordinal, one in enumerate(values if isinstance(values, list) else ()):
        if not isinstance(one, dict):
            continue
        offset = one.get("t")
        if isinstance(offset, str):
            event_us, _, flags = draft.instant(offset)
        elif isinstance(offset, int | float) and abs(offset) < 1e9 and "basetime" in given:
            event_us, flags = base_us + round(offset * US_PER_S), base_flags
        else:
            event_us, flags = draft.received_us, Quality.TS_INVALID
        draft.add(
            "charger_events",
            event_ts=event_us,
            trigger="Periodic",
            actual_value=text(one.get("v")),
            cleared=False,
            **about,
            event_type="PeriodicEventStream",
            stream_id=stream_id,
            flags=int(draft.flags | flags),
            ordinal=ordinal,
        )
    return {}


def open_stream(draft: Draft) -> Json:
    streams.opened(draft.charger, draft.payload)
    return shared.notification(draft, {"status": "Accepted"})


def close_stream(draft: Draft) -> Json:
    streams.closed(draft.charger, draft.payload)
    return shared.notification(draft, {})


def monitoring_report(draft: Draft) -> Json:
    streams.monitored(draft.charger, draft.payload)
    return shared.notification(draft, {}, at=draft.payload.get("generatedAt"))


def sign_certificate(draft: Draft) -> Json:
    reason = {"reasonCode": "UnsupportedRequest", "additionalInfo": shared.NO_AUTHORITY}
    answer: Json = {"status": "Rejected", "statusInfo": reason}
    return shared.certificate_request(draft, text(draft.payload.get("csr")), answer)


def ev_certificate(draft: Draft) -> Json:
    answer: Json = {"status": "Failed", "exiResponse": ""}
    return shared.certificate_request(draft, text(draft.payload.get("exiRequest")), answer)


def certificate_status(draft: Draft) -> Json:
    content = document(draft.payload.get("ocspRequestData"))
    return shared.certificate_request(draft, content, {"status": "Failed"})


def chain_status(draft: Draft) -> Json:
    """Answer each certificate asked about: its state is not known."""
    requests = draft.payload.get("certificateStatusRequests")
    answers = [
        {
            "certificateHashData": one.get("certificateHashData"),
            "source": one.get("source"),
            "status": "Unknown",
            "nextUpdate": "1970-01-01T00:00:00Z",
        }
        for one in (requests if isinstance(requests, list) else ())
        if isinstance(one, dict)
    ]
    content = document(requests)
    return shared.certificate_request(draft, content, {"certificateStatus": answers})
