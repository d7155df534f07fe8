"""What goes wrong between meters and us, made on purpose and told in tables of the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from voltstream.datasets.profiles import STEP_S, Floats
from voltstream.datasets.reads import DayOfReads, instants, max_kw

KINDS = ("missing", "late", "resent", "corrected", "estimated", "sentinel", "spike")


@dataclass(frozen=True, slots=True)
class Rates:
    """How often. Units: shares of reads; of meters for ``silent``; hours."""

    silent: float = 0.01  # Meters of a collector that lost touch for the day.
    late: float = 0.003
    late_hours: tuple[float, float] = (1.0, 30.0)
    resent: float = 0.001
    corrected: float = 0.0002
    estimated: float = 0.005
    sentinel: float = 0.0005  # Voltages of 0 or 999.
    spike: float = 0.00005
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Sent:
    """Rows as they arrive. Shape: columns are those of the ami pack's ``interval_reads``."""

    at_s: int
    rows: pa.Table


def _nothing() -> Floats:
    return np.zeros((0, 0))


Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(slots=True)
class Defects:
    """The plan of a day's defects. Shape: a mask per kind, like the reads."""

    reads: DayOfReads
    rates: Rates
    masks: dict[str, Mask] = field(default_factory=dict)
    arrival_s: Floats = field(default_factory=_nothing)
    wrong: Floats = field(default_factory=_nothing)  # By how much, and which.

    def __post_init__(self) -> None:
        shape = self.reads.delivered_kwh.shape
        chance = np.random.default_rng(self.rates.seed)
        drawn = chance.random(shape)
        silent = chance.random(shape[0]) < self.rates.silent
        self.masks["missing"] = np.broadcast_to(silent[:, None], shape).copy()
        free = ~self.masks["missing"]
        below = 0.0
        for kind in KINDS[1:]:
            share = float(getattr(self.rates, kind))
            self.masks[kind] = free & (drawn >= below) & (drawn < below + share)
            below += share
        ends = np.array(self.reads.starts_s, float)[None, :] + STEP_S
        delay = chance.exponential(20.0, shape)
        low, high = self.rates.late_hours
        late = 3600 * chance.uniform(low, high, shape)
        self.arrival_s = ends + np.where(self.masks["late"], late, np.minimum(delay, 300.0))
        self.wrong = np.asarray(chance.random(shape))

    def truth(self) -> pa.Table:
        """Return one row for each read that something was done to."""
        parts = []
        names = np.array([m.meter_id for m in self.reads.grid.meters], object)
        starts = np.array(self.reads.starts_s)
        for kind in KINDS:
            meters, slots = np.nonzero(self.masks[kind])
            parts.append(
                pa.table(
                    {
                        "meter_id": pa.array(names[meters], pa.string()),
                        "interval_start": instants(starts[slots]),
                        "defect": pa.array([kind] * len(meters), pa.string()),
                        "delivered_kwh": self.reads.delivered_kwh[meters, slots],
                    }
                )
            )
        return pa.concat_tables(parts)

    def complete(self) -> Mask:
        """Tell for which transformer (row) and interval (column) every meter is read at the end.

        Shape: an estimate is no read, and a spike is none to sum.
        """
        lost = self.masks["missing"] | self.masks["estimated"] | self.masks["spike"]
        found = np.zeros((len(self.reads.grid.transformers), lost.shape[1]), np.int64)
        np.add.at(found, [m.transformer for m in self.reads.grid.meters], lost.astype(np.int64))
        return np.asarray(found == 0)

    def sent(self, step_s: int = STEP_S) -> Iterator[Sent]:
        """Yield what arrives in each step of time, in order.

        Law: of a read that is corrected the wrong value comes first; the last to come is right.
        """
        masks = self.masks
        energy = self.reads.delivered_kwh.copy()
        most = np.array([[max_kw(m) for m in self.reads.grid.meters]]).T * STEP_S / 3600
        energy = np.where(masks["spike"], np.round(most * 3 + energy, 3), energy)
        energy = np.where(masks["estimated"], np.round(energy * (0.5 + self.wrong), 3), energy)
        first = np.where(masks["corrected"], np.round(energy * (0.5 + self.wrong), 3), energy)
        volts = self.reads.voltage_v.copy()
        zero = masks["sentinel"] & (self.wrong < 0.5)
        volts[zero], volts[masks["sentinel"] & ~zero] = 0.0, 999.0
        again = masks["resent"] | masks["corrected"]
        arrivals = [
            (self.arrival_s, ~masks["missing"], first),
            (self.arrival_s + 2 * 3600, again, energy),
        ]
        steps = [
            (np.floor(when[mask] / step_s).astype(np.int64), np.nonzero(mask), when[mask], value)
            for when, mask, value in arrivals
        ]
        step = np.concatenate([part[0] for part in steps])
        meters = np.concatenate([part[1][0] for part in steps])
        slots = np.concatenate([part[1][1] for part in steps])
        received = np.concatenate([part[2] for part in steps])
        values = np.concatenate([part[3][part[1]] for part in steps])
        order = np.argsort(step, kind="stable")
        cuts = np.flatnonzero(np.diff(step[order])) + 1
        for chosen in np.split(order, cuts):
            if len(chosen):
                at_s = (int(step[chosen[0]]) + 1) * step_s
                rows = self._rows(
                    meters[chosen], slots[chosen], values[chosen], volts, received[chosen]
                )
                yield Sent(at_s, rows)

    def _rows(
        self,
        meters: np.ndarray[tuple[int], np.dtype[np.intp]],
        slots: np.ndarray[tuple[int], np.dtype[np.intp]],
        values: Floats,
        volts: Floats,
        received: Floats,
    ) -> pa.Table:
        names = pa.array([m.meter_id for m in self.reads.grid.meters], pa.string())
        starts = np.array(self.reads.starts_s)[slots]
        estimated = self.masks["estimated"][meters, slots]
        words = pa.array(["ACTUAL", "ESTIMATED"], pa.string())
        return pa.table(
            {
                "meter_id": names.take(meters),
                "interval_start": instants(starts),
                "interval_end": instants(starts + STEP_S),
                "delivered_kwh": pa.array(values),
                "received_kwh": pa.array(self.reads.received_kwh[meters, slots]),
                "voltage_v": pa.array(volts[meters, slots]),
                "read_type": pa.array(["INTERVAL"] * len(meters), pa.string()),
                "quality": words.take(estimated.astype(np.int8)),
                "received_at": instants(np.floor(received).astype(np.int64)),
            }
        )
