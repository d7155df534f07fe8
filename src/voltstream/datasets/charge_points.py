"""SimBench's charge points as chargers tell of them: one charge is one transaction.

Source: SimBench (simbench.net), ODbL 1.0: charge points at home (HLS) and at work (APLS) are
loads of their own there, placed on transformers. Units here: Wh, seconds since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from voltstream.datasets.profiles import STEP_S
from voltstream.datasets.reads import DayOfReads, instants

_PROFILES = ("HLS", "APLS")
_REGISTER = "Energy.Active.Import.Register"


@dataclass(frozen=True, slots=True)
class Told:
    """Rows on their way. Shape: columns are some of the ocpp pack's source."""

    at_s: int
    source: str
    rows: pa.Table


@dataclass(slots=True)
class _Rows:
    """What is told until an instant."""

    points: list[str] = field(default_factory=list)
    transactions: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    registers_wh: list[int] = field(default_factory=list)
    times_s: list[int] = field(default_factory=list)

    def add(self, point: str, transaction: str, kind: str, register_wh: int, at_s: int) -> None:
        self.points.append(point)
        self.transactions.append(transaction)
        self.kinds.append(kind)
        self.registers_wh.append(register_wh)
        self.times_s.append(at_s)

    def told(self, at_s: int) -> Iterator[Told]:
        all_rows = pa.table(
            {
                "charge_point_id": pa.array(self.points, pa.string()),
                "connector_id": pa.array([1] * len(self.points), pa.int32()),
                "transaction_id": pa.array(self.transactions, pa.string()),
                "event_type": pa.array(self.kinds, pa.string()),
                "meter_wh": pa.array(self.registers_wh, pa.int64()),
                "event_ts": instants(self.times_s),
                "received_ts": instants([at_s] * len(self.points)),
            }
        )
        is_sample = np.array([kind == "SAMPLE" for kind in self.kinds], bool)
        events, samples = (
            all_rows.filter(pa.array(~is_sample)),
            all_rows.filter(pa.array(is_sample)),
        )
        if len(events):
            yield Told(at_s, "charger_transactions", events)
        if len(samples):
            register = samples.column("meter_wh").cast(pa.float64())
            names = pa.array([_REGISTER] * len(samples), pa.string())
            units = pa.array(["Wh"] * len(samples), pa.string())
            readings = samples.drop_columns(["event_type", "meter_wh"])
            for name, column in (
                ("measurand", names),
                ("value", register),
                ("unit", units),
                ("value_si", register),
                ("unit_si", units),
            ):
                readings = readings.append_column(name, column)
            yield Told(at_s, "charger_readings", readings)


def charge_points(reads: DayOfReads) -> list[int]:
    """Return the places of meters that measure a charge point, and nothing else."""
    return [
        place
        for place, meter in enumerate(reads.grid.meters)
        if meter.profile.startswith(_PROFILES) and not meter.plants
    ]


def places(reads: DayOfReads, since_s: int) -> pa.Table:
    """Return the table of the grid pack that says which transformer feeds each charge point."""
    meters = [reads.grid.meters[place] for place in charge_points(reads)]
    names = [reads.grid.transformers[meter.transformer].transformer_id for meter in meters]
    return pa.table(
        {
            "charge_point_id": pa.array([meter.meter_id for meter in meters], pa.string()),
            "valid_from": instants([since_s] * len(meters)),
            "transformer_id": pa.array(names, pa.string()),
        }
    )


def charges(reads: DayOfReads) -> Iterator[Told]:
    """Yield what charge points send in each interval: START, a sample at its end, STOP.

    Law: the register moves in an interval by what the charge point's meter measured in it, so
    charging and load can be compared to the watt-hour. A charge over midnight is two.
    """
    found = charge_points(reads)
    energy_wh = np.rint(reads.delivered_kwh[found] * 1000).astype(np.int64)
    registers = np.zeros(len(found), np.int64)
    running: dict[int, str] = {}
    count = len(reads.starts_s)
    for slot, start_s in enumerate(reads.starts_s):
        rows = _Rows()
        for at, place in enumerate(found):
            name = reads.grid.meters[place].meter_id
            if not energy_wh[at, slot]:
                continue
            if at not in running:
                running[at] = str(start_s)
                rows.add(name, running[at], "START", int(registers[at]), start_s)
                rows.add(name, running[at], "SAMPLE", int(registers[at]), start_s)
            registers[at] += energy_wh[at, slot]
            end_s = start_s + STEP_S
            rows.add(name, running[at], "SAMPLE", int(registers[at]), end_s)
            if slot + 1 == count or not energy_wh[at, slot + 1]:
                rows.add(name, running.pop(at), "STOP", int(registers[at]), end_s)
        yield from rows.told(start_s + STEP_S)
