"""From the rows of a session to its charge detail record."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from voltstream.ocpp import ocmf
from voltstream.ocpp.chain import SCALES
from voltstream.ocpp.charger import ABANDONED
from voltstream.ocpp.clock_offset import CLOCK_FINE_US
from voltstream.ocpp.energy import Energy, Point, coverage, total_energy
from voltstream.ocpp.instants import US_PER_S
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.registers import MWH_PER_WH

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What a record says about its rows; the rest concerns single rows.
_TOLD = (
    Quality.SESSION_RELATIVE | Quality.REG_RESET | Quality.ROLLOVER | Quality.PLACEHOLDER_ZERO
    | Quality.IMPLAUSIBLE | Quality.UNIT_SUSPECT | Quality.OFFLINE | Quality.CLOCK_SKEW
    | Quality.CLOCK_UNSET | Quality.ESTIMATED | Quality.STOP_CONFLICT | Quality.UNKNOWN_UNIT
    | Quality.ORPHAN | Quality.NEG_DELTA | Quality.SIGNED_OK | Quality.SIGNED_BAD
    | Quality.PUBLIC_KEY_CHANGED
)  # fmt: skip
_SEALS = {"OK": Quality.SIGNED_OK, "BAD": Quality.SIGNED_BAD}
_NO_TOKEN = frozenset({"", None})


@dataclass(frozen=True, slots=True)
class Event:
    """A row of charger_transactions."""

    kind: str
    evse_id: int | None
    connector_id: int | None
    event_us: int
    corrected_us: int
    id_tag: str | None
    id_token_type: str | None
    stop_reason: str | None
    seq_no: int | None
    charging_state: str | None
    offline: bool
    spent_s: int | None
    remote_start_id: int | None
    flags: Quality
    raw_id: int
    received_us: int = 0
    phases_used: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What the registry says of a charger. Units: W."""

    site: str | None = None
    tariff_id: str | None = None
    currency: str | None = None
    power_w: float | None = None
    ocpp_version: str | None = None


def as_issued(place: Place, before: Mapping[str, Any] | None) -> Place:
    """Keep what the first record of a session says: a new tariff is for new sessions."""
    if before is None:
        return place
    return replace(
        place,
        site=before["site"],
        tariff_id=before["tariff_id"],
        currency=before["currency"],
        ocpp_version=before["ocpp_version"],
    )


@dataclass(frozen=True, slots=True)
class Signed:
    """What signed values say. Shape: ``state`` is NONE, UNVERIFIED, OK or BAD; ``energy_wh`` only
    where every one was verified and may be billed."""

    state: str
    energy_wh: Decimal | None = None


def signed_energy(values: Sequence[str], keys: Mapping[str, str]) -> Signed:
    """Verify the signed values of a session with the keys that are known of its meter."""
    if not values:
        return Signed("NONE")
    documents = [ocmf.parse(value) for value in dict.fromkeys(values)]  # Some come twice.
    known = [one for one in documents if one is not None]
    verdicts = {ocmf.verify(one, keys.get(one.meter_serial)) for one in known}
    if ocmf.Verdict.BAD in verdicts:
        return Signed("BAD")
    if verdicts != {ocmf.Verdict.OK} or len(known) < len(documents):
        return Signed("UNVERIFIED")
    return Signed("OK", ocmf.energy_wh(known))


def signed_seal(values: Sequence[str]) -> str | None:
    """Return the hash of a session's signed values, in their order; None where there are none.

    Shape: of the hashes of the values, so that a value may be proven without the others.
    """
    if not values:
        return None
    each = [hashlib.sha256(value.encode()).hexdigest() for value in dict.fromkeys(values)]
    return "signed:" + hashlib.sha256(",".join(each).encode()).hexdigest()


def cdr_number(charger: str, transaction_id: str, version: int) -> str:
    """Return the id of a record: the same for the same session, whoever computes it when."""
    name = hashlib.sha256(f"{charger}\n{transaction_id}".encode()).hexdigest()[:32]
    return f"{name}-{version}"


def completeness(events: Sequence[Event]) -> str:
    """Tell whether anything of a session is missing: COMPLETE, GAPS or INCOMPLETE."""
    starts = [one for one in events if one.kind == "START"]
    stops = [one for one in events if one.kind == "STOP" and one.stop_reason != ABANDONED]
    if not starts or not stops:
        return "INCOMPLETE"
    numbers = {one.seq_no for one in events if one.seq_no is not None}
    if numbers:
        first = min([one.seq_no for one in starts if one.seq_no is not None], default=0)
        last = max([one.seq_no for one in stops if one.seq_no is not None], default=0)
        # A station that gives every event the same number tells nothing about gaps.
        if set(range(first, last + 1)) - numbers:
            return "GAPS"
    return "COMPLETE"


def build(
    charger: str,
    transaction_id: str,
    events: Sequence[Event],
    points: Sequence[Point],
    place: Place,
    hashes: Mapping[int, str],
    signed: Signed | None = None,
    seal: str | None = None,
) -> dict[str, Any] | None:
    """Return the record's content; None while the session has no end.

    Shape: ``seal`` is the hash of its signed values.
    """
    stop = _stop(events)
    if stop is None:
        return None
    start = min((one for one in events if one.kind == "START"), key=_moment, default=None)
    opening = start or min(events, key=_moment)
    phases = max((one.phases_used for one in events if one.phases_used), default=None)
    energy = total_energy(points, place.power_w, phases)
    signed = signed or Signed("NONE")
    began_us, ended_us = _span(opening, stop)
    duration_us = ended_us - began_us
    charging_us = min(_charging_us(events, energy), duration_us)
    named = next((one for one in events if one.id_tag not in _NO_TOKEN), None)
    placed = next((one for one in reversed(events) if one.evse_id is not None), opening)
    times = energy.imported.times_us
    flags = energy.flags
    for found in (*(one.flags for one in events), *(one.flags for one in points)):
        flags |= found
    flags |= _SEALS.get(signed.state, Quality.OK)
    return {
        "charge_point_id": charger,
        "evse_id": placed.evse_id,
        "connector_id": placed.connector_id,
        "transaction_id": transaction_id,
        "id_tag": named.id_tag if named else None,
        "id_token_type": named.id_token_type if named else None,
        "authorization_method": _method(events),
        "started_at": instant(began_us),
        "stopped_at": instant(ended_us),
        "stop_reason": stop.stop_reason,
        **_energies(energy, signed),
        "duration_s": _seconds("duration_s", duration_us),
        "charging_s": _seconds("charging_s", charging_us),
        "idle_s": _seconds("idle_s", duration_us - charging_us),
        "power_max_w": _decimal("power_max_w", energy.power_max_w),
        "sample_count": len(times),
        "coverage": _decimal("coverage", coverage(times, opening.event_us, stop.event_us)),
        "completeness": completeness(events),
        "outcome": "DISPUTED" if signed.state == "BAD" else energy.outcome,
        "signature_state": signed.state,
        "site": place.site,
        "tariff_id": place.tariff_id,
        "currency": place.currency,
        "ocpp_version": place.ocpp_version,
        "flags": int(flags & _TOLD),
        "frame_hashes": ",".join(
            [
                *(hashes[one.raw_id] for one in (opening, stop) if one.raw_id in hashes),
                *([seal] if seal else ()),
            ]
        ),
    }


def _energies(energy: Energy, signed: Signed) -> dict[str, Any]:
    """Return the columns of energy: what is billed, and all that it was compared with."""
    billed, basis = Decimal(energy.billed_mwh) / MWH_PER_WH, energy.basis
    if signed.energy_wh is not None:
        billed, basis = signed.energy_wh, "SIGNED"
    series = energy.imported
    difference = None
    if series.boundary_mwh is not None:
        difference = series.boundary_mwh - series.delta_mwh
    return {
        "energy_wh": _decimal("energy_wh", billed),
        "energy_basis": basis,
        "import_wh": _decimal("import_wh", billed),
        "export_wh": _wh("export_wh", energy.export_mwh),
        "boundary_wh": _wh("boundary_wh", series.boundary_mwh),
        "delta_wh": _wh("delta_wh", series.delta_mwh),
        "difference_wh": _wh("difference_wh", difference),
        "meter_start_wh": _wh("meter_start_wh", series.begin_mwh),
        "meter_stop_wh": _wh("meter_stop_wh", series.end_mwh),
    }


def _moment(event: Event) -> tuple[int, int]:
    return event.event_us, event.raw_id


def _stop(events: Sequence[Event]) -> Event | None:
    """Return the end that counts: the first that a charger told, else the estimated one."""
    stops = sorted((one for one in events if one.kind == "STOP"), key=lambda one: one.raw_id)
    told = [one for one in stops if one.stop_reason != ABANDONED]
    return next(iter(told or stops), None)


def _span(opening: Event, stop: Event) -> tuple[int, int]:
    """Return begin and end by our clock; a clock that was set in between must not turn them."""
    began_us, ended_us = opening.corrected_us, stop.corrected_us
    if opening.flags & stop.flags & Quality.CLOCK_UNSET or _share_an_offset(opening, stop):
        # How far apart they are is right, whatever the clock showed.
        began_us = ended_us - max(stop.event_us - opening.event_us, 0)
    if ended_us < began_us:
        began_us = ended_us = stop.corrected_us
        began_us -= max(stop.event_us - opening.event_us, 0)
    return began_us, ended_us


def _share_an_offset(opening: Event, stop: Event) -> bool:
    """Tell whether a clock was as wrong at the beginning, when that was not known yet."""
    if opening.corrected_us != opening.event_us or stop.flags & Quality.CLOCK_UNSET:
        return False
    offset_us = stop.corrected_us - stop.event_us
    seen_us = opening.received_us - opening.event_us
    # A message that seemed right when it came was right; one that would come before it was
    # written had another offset.
    seemed_right = abs(seen_us) < CLOCK_FINE_US
    return bool(offset_us) and not seemed_right and offset_us <= seen_us + CLOCK_FINE_US


def _charging_us(events: Sequence[Event], energy: Energy) -> int:
    spent = [one.spent_s for one in events if one.spent_s is not None]
    if spent:
        return max(spent) * US_PER_S
    states = [one for one in sorted(events, key=_moment) if one.charging_state is not None]
    if states:
        last = max(events, key=_moment)
        ends = [*(one.event_us for one in states[1:]), last.event_us]
        return sum(
            max(end_us - one.event_us, 0)
            for one, end_us in zip(states, ends, strict=True)
            if one.charging_state == "Charging"
        )
    return energy.imported.charging_us


def _method(events: Sequence[Event]) -> str:
    """Return OCPI's word for how the driver was let in."""
    if any(one.remote_start_id is not None for one in events):
        return "COMMAND"
    return "WHITELIST" if any(one.offline for one in events) else "AUTH_REQUEST"


def dated(
    events: Sequence[Event], points: Sequence[tuple[Point, int]]
) -> tuple[list[Event], list[Point]]:
    """Put what a session has of a clock before it was set into the time of the rest.

    Shape: a point comes with its corrected time. All that was written before the clock was set
    shares one offset, the smallest that any of it shows: what came late for having waited does not
    make the rest late. A session of which nothing has another time keeps its own.
    """
    offsets = [one.corrected_us - one.event_us for one in events if _is_unset(one)]
    plain = [point for point, _ in points]
    if not offsets or len(offsets) == len(events):
        return list(events), plain
    offsets += [at_us - point.at_us for point, at_us in points if _is_unset(point)]
    offset_us = min(offsets)
    moved = [
        replace(one, event_us=one.event_us + offset_us, corrected_us=one.event_us + offset_us)
        if _is_unset(one) else one
        for one in events
    ]  # fmt: skip
    return moved, [
        replace(point, at_us=point.at_us + offset_us) if _is_unset(point) else point
        for point in plain
    ]


def _is_unset(one: Event | Point) -> bool:
    return bool(one.flags & Quality.CLOCK_UNSET)


def instant(at_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_us)


def _wh(column: str, mwh: int | None) -> Decimal | None:
    return None if mwh is None else _decimal(column, Decimal(mwh) / MWH_PER_WH)


def _seconds(column: str, microseconds: int) -> Decimal:
    return _decimal(column, Decimal(microseconds) / US_PER_S)


def _decimal(column: str, value: float | Decimal) -> Decimal:
    return Decimal(value).quantize(Decimal(1).scaleb(-SCALES[column]))
