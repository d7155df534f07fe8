"""How much energy a session took: by its boundaries, by accepted steps, and how far they agree.

Units: milli-watt-hours as integers, microseconds, so that nothing is rounded on the way.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from voltstream.ocpp.instants import US_PER_S
from voltstream.ocpp.measurands import (
    EXPORT_REGISTER,
    IMPORT_INTERVAL,
    IMPORT_REGISTER,
    POWER_IMPORT,
)
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.registers import MWH_PER_WH, POWER_W_MAX, advance, first

_BROKEN = Quality.REG_RESET | Quality.ROLLOVER
_AGREES_MWH = 5 * MWH_PER_WH
_AGREES_SHARE = 0.0005
_MINOR_SHARE = 0.01
_FLOWS_W = 100.0
_ORIGINS = ("START_TX", "STOP_TX")
_PHASES = (("L1", "L2", "L3"), ("L1-N", "L2-N", "L3-N"))


@dataclass(frozen=True, slots=True)
class Point:
    """A stored sample of a session. Units: ``value`` is SI."""

    at_us: int
    measurand: str
    context: str
    phase: str | None
    value: float
    origin: str
    flags: Quality
    is_signed: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """One register over a session."""

    begin_mwh: int | None
    end_mwh: int | None
    begin_basis: str
    end_basis: str
    boundary_mwh: int | None
    delta_mwh: int
    flags: Quality
    times_us: tuple[int, ...]
    charging_us: int
    step_power_w: float


@dataclass(frozen=True, slots=True)
class Energy:
    """The result. Shape: ``basis`` says what ``billed_mwh`` rests on, best first: BOUNDARY,
    START_STOP, REGISTER, INTERVAL, POWER, NONE; ``outcome`` is MATCHED, MINOR or DISPUTED."""

    billed_mwh: int
    basis: str
    imported: Series
    exported: Series
    power_max_w: float
    outcome: str
    flags: Quality

    @property
    def export_mwh(self) -> int:
        return _best(self.exported)[0]


def total_energy(
    points: Sequence[Point], power_w: float | None, phases_used: int | None = None
) -> Energy:
    """Reckon a session's energy from its samples at the outlet, in any order."""
    limit_w = power_w or POWER_W_MAX
    imported = _series(points, IMPORT_REGISTER, limit_w, phases_used)
    exported = _series(points, EXPORT_REGISTER, limit_w, phases_used)
    power = _totals(points, POWER_IMPORT, phases_used)
    power_max_w = max([point.value for point in power], default=imported.step_power_w)
    billed_mwh, basis = _best(imported)
    flags = imported.flags
    if basis == "NONE":
        intervals = _totals(points, IMPORT_INTERVAL, phases_used)
        if intervals:
            billed_mwh = sum(round(point.value * MWH_PER_WH) for point in intervals)
            basis = "INTERVAL"
        elif len(power) > 1:
            billed_mwh, basis = _integral_mwh(power), "POWER"
            flags |= Quality.ESTIMATED
    outcome = _outcome(imported, billed_mwh, power)
    return Energy(max(billed_mwh, 0), basis, imported, exported, power_max_w, outcome, flags)


def _series(
    points: Sequence[Point], measurand: str, power_w: float, phases_used: int | None
) -> Series:
    """Follow a register in order of time, as if every sample had come when it was taken."""
    samples = _totals(points, measurand, phases_used)
    flags, total_mwh, charging_us, step_power_w = Quality.OK, 0, 0, 0.0
    register = None
    for point in samples:
        value_mwh = round(point.value * MWH_PER_WH)
        boundary = point.origin in _ORIGINS
        if register is None:
            register = first(point.at_us, value_mwh, boundary=boundary)
            continue
        before_us = register.at_us
        step = advance(
            register,
            point.at_us,
            value_mwh,
            power_w=power_w,
            boundary=boundary,
            may_be_placeholder=point.context == "Transaction.Begin",
        )
        flags |= step.flags & ~Quality.DUPLICATE
        total_mwh += step.delta_mwh
        if step.delta_mwh and point.at_us > before_us:
            power = step.delta_mwh / MWH_PER_WH * 3600 * US_PER_S / (point.at_us - before_us)
            if power >= _FLOWS_W:
                charging_us += point.at_us - before_us
            step_power_w = max(step_power_w, power)
    begin, begin_basis = _boundary(samples, "Transaction.Begin", "START_TX")
    end, end_basis = _boundary(samples[::-1], "Transaction.End", "STOP_TX")
    boundary_mwh = None
    if begin is not None and end is not None and begin is not end:
        boundary_mwh = round(end.value * MWH_PER_WH) - round(begin.value * MWH_PER_WH)
    return Series(
        begin_mwh=None if begin is None else round(begin.value * MWH_PER_WH),
        end_mwh=None if end is None else round(end.value * MWH_PER_WH),
        begin_basis=begin_basis,
        end_basis=end_basis,
        boundary_mwh=boundary_mwh,
        delta_mwh=total_mwh,
        flags=flags,
        times_us=tuple(sorted({point.at_us for point in samples})),
        charging_us=charging_us,
        step_power_w=step_power_w,
    )


def _boundary(samples: Sequence[Point], context: str, origin: str) -> tuple[Point | None, str]:
    """Find the sample at one end, the best there is; of several at an instant a signed one."""
    usable = [point for point in samples if not point.flags & Quality.PLACEHOLDER_ZERO]
    ends = [p for p in usable if p.context == context and p.origin not in _ORIGINS]
    if ends:
        signed = (point for point in ends if point.is_signed and point.at_us == ends[0].at_us)
        return next(signed, ends[0]), "BOUNDARY"
    for point in usable:
        if point.origin == origin:
            return point, "START_STOP"
    periodic = [point for point in usable if not point.flags & Quality.IMPLAUSIBLE]
    return (periodic[0], "REGISTER") if periodic else (None, "NONE")


def _best(series: Series) -> tuple[int, str]:
    """Return the energy of a register: of its boundaries, unless it began anew in between."""
    if not series.times_us:
        return 0, "NONE"
    order = ("BOUNDARY", "START_STOP", "REGISTER", "NONE")
    basis = max(series.begin_basis, series.end_basis, key=order.index)
    if series.boundary_mwh is None:
        return series.delta_mwh, "REGISTER" if len(series.times_us) > 1 else "NONE"
    if series.flags & _BROKEN or series.boundary_mwh < 0:
        return series.delta_mwh, "REGISTER"
    if basis == "REGISTER":
        return series.delta_mwh, basis
    return series.boundary_mwh, basis


def _outcome(series: Series, billed_mwh: int, power: Sequence[Point]) -> str:
    if billed_mwh < 0 or (series.boundary_mwh is not None and series.boundary_mwh < 0):
        return "DISPUTED"
    worst = "MATCHED"
    if series.boundary_mwh is not None and not series.flags & _BROKEN:
        gap = abs(series.boundary_mwh - series.delta_mwh)
        if gap > _AGREES_MWH + _AGREES_SHARE * abs(series.boundary_mwh):
            worst = "MINOR" if gap <= _MINOR_SHARE * abs(series.boundary_mwh) else "DISPUTED"
    elif series.flags & _BROKEN:
        worst = "MINOR"
    if len(power) > 2 and billed_mwh > 0 and worst == "MATCHED":
        interval_us = _interval_us([point.at_us for point in power])
        most_w = max(point.value for point in power)
        sampling_mwh = most_w * interval_us / 3600 / 1000  # Half an interval at either end.
        if abs(billed_mwh - _integral_mwh(power)) > 0.02 * billed_mwh + sampling_mwh:
            worst = "MINOR"
    return worst


def _totals(points: Iterable[Point], measurand: str, phases_used: int | None) -> list[Point]:
    """Return one sample per instant and origin: the overall value, else the sum of all phases.

    Some phases are all where the charger says that it uses no more, and none is ever told besides.
    """
    whole: list[Point] = []
    phased: dict[tuple[int, str, str], dict[str, Point]] = {}
    for point in points:
        if point.measurand != measurand:
            continue
        if point.phase is None:
            whole.append(point)
        else:
            phased.setdefault((point.at_us, point.context, point.origin), {})[point.phase] = point
    seen = {point.at_us for point in whole}
    told = {name for by_phase in phased.values() for name in by_phase}
    in_use = [_in_use(names, told, phases_used) for names in _PHASES]
    for (at_us, _, _), by_phase in phased.items():
        for names in in_use:
            if at_us not in seen and all(name in by_phase for name in names):
                value = sum(by_phase[name].value for name in names)
                whole.append(replace(by_phase[names[0]], phase=None, value=value))
    rank = {"START_TX": 0, "STOP_TX": 2}
    return sorted(whole, key=lambda point: (point.at_us, rank.get(point.origin, 1), point.value))


def _in_use(names: tuple[str, ...], told: set[str], phases_used: int | None) -> tuple[str, ...]:
    """Return the phases that make a total."""
    seen = tuple(name for name in names if name in told)
    known = phases_used is not None and 0 < phases_used <= len(seen)
    return seen if known else names


def _integral_mwh(power: Sequence[Point]) -> int:
    """Integrate power by trapezoids, leaving gaps of more than two intervals out."""
    interval_us = _interval_us([point.at_us for point in power])
    total = 0.0
    for before, after in itertools.pairwise(power):
        elapsed_us = after.at_us - before.at_us
        if elapsed_us <= 2 * interval_us:
            total += (before.value + after.value) / 2 * elapsed_us / 3600 / 1000
    return round(total)


def _interval_us(times_us: Sequence[int]) -> float:
    gaps = [b - a for a, b in itertools.pairwise(times_us) if b > a]
    return float(median(gaps)) if gaps else 60.0 * US_PER_S


def coverage(times_us: Sequence[int], start_us: int, stop_us: int) -> float:
    """Return the share of a session that is no further than 2.5 intervals from the last sample."""
    if not times_us:
        return 0.0
    if stop_us <= start_us:
        return 1.0
    inside = sorted({start_us, stop_us, *(t for t in times_us if start_us < t < stop_us)})
    allowed = 2.5 * _interval_us(times_us)
    lost = sum(max(0.0, b - a - allowed) for a, b in itertools.pairwise(inside))
    return max(0.0, 1.0 - lost / (stop_us - start_us))
