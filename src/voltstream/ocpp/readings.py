"""Samples to rows of charger_readings: linked to a session, known by key, stepped by register."""

from __future__ import annotations

from voltstream.ocpp import meter_keys
from voltstream.ocpp.charger import Session
from voltstream.ocpp.draft import Draft, text
from voltstream.ocpp.measurands import IMPORT_REGISTER, is_register
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.registers import MWH_PER_WH, POWER_W_MAX, advance, first
from voltstream.ocpp.samples import Sample, read_samples

_BOUNDARIES = ("START_TX", "STOP_TX")
_OF_ITS_TIME = Quality.CLOCK_UNSET | Quality.TS_INVALID | Quality.TS_NO_ZONE


def add_readings(
    draft: Draft,
    meter_values: object,
    origin: str,
    *,
    evse_id: int | None,
    connector_id: int | None,
    session: Session | None = None,
    session_stated: bool = False,
    seq_no: int | None = None,
    offline: bool | None = None,
) -> list[Sample]:
    """Add a row for each sampled value, and return those that were not known yet.

    ``session_stated``: the message names its session, so an instant outside of it is odd.
    """
    fresh = []
    for ordinal, sample in enumerate(read_samples(meter_values, draft.received_us)):
        linked, flags = session, Quality.OK
        if session is None and evse_id:
            linked = draft.charger.session_at(evse_id, sample.event_us)
        elif session is not None and not session.covers(sample.event_us):
            flags |= Quality.OUT_OF_WINDOW
        if not _is_new(draft, sample, linked, evse_id, connector_id):
            draft.flags |= Quality.DUPLICATE
            continue
        if linked is None and session_stated:
            flags |= Quality.ORPHAN
        if flags:
            sample.flags |= flags
        _add(draft, sample, origin, linked, evse_id, connector_id, ordinal, seq_no, offline)
        fresh.append(sample)
    return fresh


def add_boundary(
    draft: Draft, session: Session, at_us: int, meter_wh: float, flags: Quality, *, stop: bool
) -> None:
    """Add meterStart or meterStop of 1.6 as the reading that it is."""
    sample = Sample(
        event_us=at_us,
        measurand=IMPORT_REGISTER,
        context="Transaction.End" if stop else "Transaction.Begin",
        phase=None,
        location="Outlet",
        value_raw=repr(meter_wh),
        value=float(meter_wh),
        unit="Wh",
        multiplier=None,
        value_si=float(meter_wh),
        unit_si="Wh",
        format="Raw",
        flags=flags & _OF_ITS_TIME,
    )
    origin = "STOP_TX" if stop else "START_TX"
    evse_id, connector_id = session.evse_id, session.connector_id
    _add(draft, sample, origin, session, evse_id, connector_id, -1, None, None)


def _is_new(
    draft: Draft,
    sample: Sample,
    session: Session | None,
    evse_id: int | None,
    connector_id: int | None,
) -> bool:
    """Tell whether a sample is not a repeat: of a queue, or of transactionData."""
    key = sample_key(
        evse_id,
        connector_id,
        sample.measurand,
        sample.phase,
        sample.location,
        sample.context,
        sample.event_us,
        sample.value_raw,
        sample.unit,
    )
    if session is not None:
        return session.is_new(key)
    return draft.charger.is_new_outside_sessions(key)


def sample_key(*parts: object) -> int:
    """Return the key of a sample: place, kind, context, instant and the text of its value."""
    return hash(parts)


def _add(
    draft: Draft,
    sample: Sample,
    origin: str,
    session: Session | None,
    evse_id: int | None,
    connector_id: int | None,
    ordinal: int,
    seq_no: int | None,
    offline: bool | None,
) -> None:
    if offline:
        sample.flags |= Quality.OFFLINE
    elif ordinal <= 0:  # Its companions have the same time.
        draft.observe(sample.event_us, sample.flags)
    corrected_us, flags = draft.corrected(sample.event_us, sample.flags)
    sample.flags = flags
    if sample.signed is not None:
        sample.flags |= meter_keys.pinned(draft.charger.meter_keys, sample.signed)
    delta_wh, epoch = _step(draft, sample, origin, evse_id, connector_id)
    if session is not None:
        session.last_us = max(session.last_us, sample.event_us)
        session.heard_us = draft.received_us
    draft.add(
        "charger_readings",
        connector_id=connector_id,
        evse_id=evse_id,
        transaction_id=session.transaction_id if session is not None else None,
        measurand=sample.measurand,
        context=sample.context,
        phase=sample.phase,
        location=sample.location,
        value=sample.value,
        unit=sample.unit,
        value_si=sample.value_si,
        unit_si=sample.unit_si,
        event_ts=sample.event_us,
        value_raw=sample.value_raw,
        multiplier=sample.multiplier,
        format=sample.format,
        origin=origin,
        seq_no=seq_no,
        offline=offline,
        corrected_ts=corrected_us,
        register_epoch=epoch,
        delta_wh=delta_wh,
        flags=int(sample.flags),
        ordinal=ordinal,
    )
    if sample.signed is not None:
        _add_signed(draft, sample, session, evse_id, connector_id, ordinal)


def _step(
    draft: Draft, sample: Sample, origin: str, evse_id: int | None, connector_id: int | None
) -> tuple[float | None, int | None]:
    """Advance the register that a sample reads. Units: Wh."""
    if not is_register(sample.measurand) or sample.value_si is None:
        return None, None
    boundary = origin in _BOUNDARIES
    if sample.flags & (Quality.CLOCK_UNSET | Quality.IMPLAUSIBLE) and not boundary:
        return None, None
    charger = draft.charger
    key = (evse_id, connector_id, sample.measurand, sample.location, sample.phase)
    value_mwh = round(sample.value_si * MWH_PER_WH)
    register = charger.registers.get(key)
    if register is None:
        charger.registers[key] = first(sample.event_us, value_mwh, boundary=boundary)
        return 0.0, 0
    may_be_placeholder = charger.booted or sample.context == "Transaction.Begin"
    step = advance(
        register,
        sample.event_us,
        value_mwh,
        power_w=charger.power_w or POWER_W_MAX,
        boundary=boundary,
        may_be_placeholder=may_be_placeholder,
    )
    sample.flags |= step.flags
    return step.delta_mwh / MWH_PER_WH, step.epoch


def _add_signed(
    draft: Draft,
    sample: Sample,
    session: Session | None,
    evse_id: int | None,
    connector_id: int | None,
    ordinal: int,
) -> None:
    signed = sample.signed or {}
    draft.add(
        "charger_signed_values",
        evse_id=evse_id,
        connector_id=connector_id,
        transaction_id=session.transaction_id if session is not None else None,
        context=sample.context,
        measurand=sample.measurand,
        signed_data=text(signed.get("signedMeterData")),
        encoding_method=text(signed.get("encodingMethod")),
        signing_method=text(signed.get("signingMethod")),
        public_key=text(signed.get("publicKey")),
        event_ts=sample.event_us,
        ordinal=ordinal,
    )


def boundary_wh(samples: list[Sample], *contexts: str) -> int | None:
    """Return the import register of the whole outlet in one of these contexts. Units: Wh."""
    for sample in samples:
        is_total = sample.phase is None and sample.location == "Outlet"
        fits = not contexts or sample.context in contexts
        if sample.measurand == IMPORT_REGISTER and is_total and fits:
            return None if sample.value_si is None else round(sample.value_si)
    return None
