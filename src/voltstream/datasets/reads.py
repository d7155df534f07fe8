"""What every meter of the grid measures on one day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from voltstream.datasets.grid import Grid, Meter
from voltstream.datasets.profiles import STEP_S, Day, Floats
from voltstream.datasets.voltages import RadialGrid

_KWH_PER_MW = 1000 * STEP_S / 3600
NOISE = 0.35  # Spread of the logarithm that makes 96 shapes into as many as there are meters.
SHIFT_MAX = 3  # Intervals by which a meter's day is moved.
Strings = np.ndarray[Any, np.dtype[np.object_]]


@dataclass(frozen=True, slots=True)
class DayOfReads:
    """The truth. Shape: rows are meters, columns intervals. Units: kWh in an interval, V."""

    grid: Grid
    starts_s: tuple[int, ...]
    delivered_kwh: Floats
    received_kwh: Floats
    voltage_v: Floats

    def rows(self) -> int:
        return int(self.delivered_kwh.size)

    def transformer_kwh(self) -> Floats:
        """Return what is delivered at each transformer (rows) in each interval (columns)."""
        found = np.zeros((len(self.grid.transformers), len(self.starts_s)))
        np.add.at(found, [m.transformer for m in self.grid.meters], self.delivered_kwh)
        return found


def day_of_reads(grid: Grid, day: Day, *, noise_seed: int | None = None) -> DayOfReads:
    """Compute a day. ``noise_seed`` gives each meter a shape of its own.

    Law: the same grid, day and seed give the same values; energy is whole watt-hours.
    """
    count = len(day.starts_s)
    share_p = np.stack([day.load_p[m.profile] for m in grid.meters])
    share_q = np.stack([day.load_q[m.profile] for m in grid.meters])
    if noise_seed is not None:
        share_p, share_q = _varied(share_p, share_q, noise_seed)
    p_mw = share_p * np.array([[m.p_mw] for m in grid.meters])
    q_mw = share_q * np.array([[m.q_mw] for m in grid.meters])
    for place, meter in enumerate(grid.meters):
        for profile, rated_mw in meter.plants:
            p_mw[place] -= day.plants[profile] * rated_mw
    energy = p_mw * _KWH_PER_MW
    volts = np.zeros((len(grid.meters), count))
    members: list[list[int]] = [[] for _ in grid.transformers]
    for place, meter in enumerate(grid.meters):
        members[meter.transformer].append(place)
    for at, transformer in enumerate(grid.transformers):
        if members[at]:
            radial = RadialGrid(transformer, grid.branches[at])
            nodes = [grid.meters[place].node for place in members[at]]
            volts[members[at]] = radial.volts(nodes, p_mw[members[at]], q_mw[members[at]])
    return DayOfReads(
        grid,
        day.starts_s,
        np.round(np.maximum(energy, 0.0), 3),
        np.round(np.maximum(-energy, 0.0), 3),
        np.round(volts, 1),
    )


def _varied(share_p: Floats, share_q: Floats, seed: int) -> tuple[Floats, Floats]:
    chance = np.random.default_rng(seed)
    shifts = chance.integers(0, SHIFT_MAX + 1, len(share_p))
    places = (np.arange(share_p.shape[1])[None, :] - shifts[:, None]) % share_p.shape[1]
    factor = np.exp(chance.normal(0.0, NOISE, share_p.shape))
    rows = np.arange(len(share_p))[:, None]
    return share_p[rows, places] * factor, share_q[rows, places] * factor


def instants(seconds: Floats | Sequence[int] | np.ndarray[Any, np.dtype[np.int64]]) -> Any:
    """Return seconds since 1970 as a column of instants."""
    micros = np.asarray(seconds, np.int64) * 1_000_000
    return pa.array(micros).cast(pa.timestamp("us", "UTC"))


def max_kw(meter: Meter) -> float:
    """Return what a meter's connection passes: above what it is ever made to measure."""
    rated_mw = max(meter.p_mw, sum(plant for _, plant in meter.plants))
    return float(np.ceil(25.0 + 6000.0 * rated_mw))


def registry(grid: Grid, since_s: int) -> dict[str, pa.Table]:
    """Return the tables that say what is where, by the names that the ami pack has for them."""
    meters, transformers = grid.meters, grid.transformers
    sections = sorted({*grid.parents, *grid.parents.values()})
    feeders = {one.feeder_id for one in transformers}
    return {
        "meter_registry": pa.table(
            {
                "meter_id": [m.meter_id for m in meters],
                "valid_from": instants([since_s] * len(meters)),
                "service_point_id": [m.node for m in meters],
                "transformer_id": [transformers[m.transformer].transformer_id for m in meters],
                "nominal_v": [230.0] * len(meters),
                "max_kw": [max_kw(m) for m in meters],
                "interval_s": [STEP_S] * len(meters),
                "has_generation": [bool(m.plants) for m in meters],
                "lon": [m.lon for m in meters],
                "lat": [m.lat for m in meters],
            }
        ),
        "transformers": pa.table(
            {
                "transformer_id": [t.transformer_id for t in transformers],
                "valid_from": instants([since_s] * len(transformers)),
                "feeder_id": [t.feeder_id for t in transformers],
                "section_id": [t.section_id for t in transformers],
                "kva": [t.kva for t in transformers],
                "no_load_kw": [t.no_load_kw for t in transformers],
                "load_loss_kw": [t.load_loss_kw for t in transformers],
                "lon": [t.lon for t in transformers],
                "lat": [t.lat for t in transformers],
            }
        ),
        "network_sections": pa.table(
            {
                "section_id": sections,
                "parent_id": pa.array([grid.parents.get(name) for name in sections], pa.string()),
                "kind": [
                    "FEEDER" if name in feeders or name not in grid.parents else "SECTION"
                    for name in sections
                ],
            }
        ),
    }
