"""Outages made on purpose: a switch opens, the meters behind it gasp, and later they are back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from voltstream.datasets.grid import Grid
from voltstream.datasets.reads import instants

POWER_OUT, POWER_UP = "3.26.0.85", "3.26.0.216"  # IEC 61968-9, power failed and restored.


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage. Shape: ``level`` is SERVICE, TRANSFORMER, SECTION or FEEDER. Units: s."""

    number: int
    level: str
    device_id: str
    start_s: int
    end_s: int
    meters: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How outages are. Units: seconds; shares."""

    count: int = 200
    gasp_success: float = 0.6
    restore_success: float = 0.98
    hold_off_s: int = 30  # What a module waits before it gasps.
    spread_s: float = 20.0
    delay_s: float = 15.0  # From the gasp to the head-end, on average.
    gap_s: int = 1800  # Between the starts of two outages.
    duration_s: tuple[float, float] = (7.5, 0.6)  # Mean and spread of the logarithm: 30 minutes.
    false_gasps: int = 20  # Single meters that gasp and are back at once.
    service_share: float = 0.15
    section_share: float = 0.15
    feeder_share: float = 0.05
    seed: int = 1


def plan_outages(grid: Grid, start_s: int, plan: Plan) -> list[Outage]:
    """Draw outages one after another, no meter in two that overlap.

    Law: the same grid, start and plan give the same outages.
    """
    chance = np.random.default_rng(plan.seed)
    members: dict[str, list[int]] = {}
    for place, meter in enumerate(grid.meters):
        members.setdefault(grid.transformers[meter.transformer].transformer_id, []).append(place)
    below = _behind(grid)
    # A switch that lets the same transformers go as the one above it cannot be told from it.
    sections = sorted(
        name
        for name, parent in grid.parents.items()
        if len(below.get(name, ())) > 1 and len(below[name]) < len(below[parent])
    )
    feeders = sorted({t.feeder_id for t in grid.transformers if len(below[t.feeder_id]) > 1})
    busy: dict[int, int] = {}
    found: list[Outage] = []
    while len(found) < plan.count:
        at_s = start_s + len(found) * plan.gap_s
        drawn = chance.random()
        if drawn < plan.service_share:
            place = int(chance.integers(len(grid.meters)))
            level, device, out = "SERVICE", grid.meters[place].meter_id, [place]
        elif drawn < plan.service_share + plan.section_share and sections:
            device = sections[int(chance.integers(len(sections)))]
            level, out = "SECTION", [m for t in below[device] for m in members[t]]
        elif drawn < plan.service_share + plan.section_share + plan.feeder_share and feeders:
            device = feeders[int(chance.integers(len(feeders)))]
            level, out = "FEEDER", [m for t in below[device] for m in members[t]]
        else:
            one = grid.transformers[int(chance.integers(len(grid.transformers)))]
            level, device = "TRANSFORMER", one.transformer_id
            out = members.get(device, [])
        length_s = int(np.clip(np.exp(chance.normal(*plan.duration_s)), 600, 6 * 3600))
        if not out or any(busy.get(place, 0) > at_s for place in out):
            continue
        found.append(Outage(len(found) + 1, level, device, at_s, at_s + length_s, tuple(out)))
        busy |= dict.fromkeys(out, at_s + length_s + 3600)
    return found


def _behind(grid: Grid) -> dict[str, list[str]]:
    """Return the transformers behind each section and feeder."""
    found: dict[str, list[str]] = {}
    for one in grid.transformers:
        name: str | None = one.section_id
        seen = set()
        while name is not None and name not in seen:
            seen.add(name)
            found.setdefault(name, []).append(one.transformer_id)
            name = grid.parents.get(name)
        if one.feeder_id not in seen:
            found.setdefault(one.feeder_id, []).append(one.transformer_id)
    return found


def events(grid: Grid, outages: list[Outage], plan: Plan) -> Iterator[tuple[int, pa.Table]]:
    """Yield rows of ``meter_events`` minute by minute of their arrival: (second, rows)."""
    chance = np.random.default_rng(plan.seed + 1)
    meters: list[int] = []
    codes: list[int] = []
    occurred: list[float] = []
    arrived: list[float] = []

    def add(place: int, code: int, at_s: float) -> None:
        meters.append(place)
        codes.append(code)
        occurred.append(at_s)
        arrived.append(at_s + chance.exponential(plan.delay_s))

    for one in outages:
        for place in one.meters:
            if chance.random() < plan.gasp_success:
                gasped_s = one.start_s + plan.hold_off_s + chance.exponential(plan.spread_s)
                add(place, 0, min(gasped_s, one.start_s + 120.0))
            if chance.random() < plan.restore_success:
                add(place, 1, one.end_s + chance.exponential(plan.spread_s))
    if outages:
        spans_s = outages[0].start_s, outages[-1].end_s
        for _ in range(plan.false_gasps):
            place = int(chance.integers(len(grid.meters)))
            at_s = float(chance.uniform(*spans_s))
            add(place, 0, at_s)
            add(place, 1, at_s + 10.0)
    order = np.argsort(np.array(arrived), kind="stable")
    minutes = (np.array(arrived)[order] // 60).astype(np.int64)
    for chosen in np.split(order, np.flatnonzero(np.diff(minutes)) + 1):
        if len(chosen):
            names = [(POWER_OUT, POWER_UP)[codes[at]] for at in chosen]
            told = [("power failed", "power restored")[codes[at]] for at in chosen]
            yield (
                (int(arrived[chosen[0]] // 60) + 1) * 60,
                pa.table(
                    {
                        "meter_id": [grid.meters[meters[at]].meter_id for at in chosen],
                        "raw_code": names,
                        "raw_desc": told,
                        "type_code": names,
                        "occurred_at": instants([int(occurred[at]) for at in chosen]),
                        "received_at": instants([int(arrived[at]) for at in chosen]),
                    }
                ),
            )


def truth(outages: list[Outage]) -> pa.Table:
    """Return one row for each outage."""
    return pa.table(
        {
            "outage": [one.number for one in outages],
            "level": [one.level for one in outages],
            "device_id": [one.device_id for one in outages],
            "started_at": instants([one.start_s for one in outages]),
            "ended_at": instants([one.end_s for one in outages]),
            "meters": [len(one.meters) for one in outages],
        }
    )
