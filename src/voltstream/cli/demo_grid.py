"""The grid of the demo: SimBench's meters, told again on the days of the recording.

Two feeders of a real grid with measured profiles; on a script a transformer fails, the voltage of
another sags, and somebody opens a meter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from voltstream.cli.extracts import GRID
from voltstream.cli.replay import DAY_S
from voltstream.datasets.defects import Defects, Rates
from voltstream.datasets.grid import Grid, load_grid
from voltstream.datasets.outages import Outage, Plan, events
from voltstream.datasets.packages import files_of
from voltstream.datasets.profiles import STEP_S, load_day
from voltstream.datasets.reads import DayOfReads, day_of_reads, instants, registry

MEASURED = date(2016, 7, 15)
SCENARIO = 1
DEFECTS = Rates(silent=0.004, late=0.002, resent=0.001, corrected=0.0002, seed=4)

BACKLOG_S = 2 * 3600  # What of the day is told before the show.

# The script, in seconds since the grid came; what happens on the first day happens every day.
OUTAGE_S = (2 * 60, 42 * 60)
FEEDER_OUTAGE_S = (5 * 3600, 5 * 3600 + 40 * 60)
SAG_S = (-3600, 2 * 3600)  # It lasts when the grid comes: an alert takes two whole windows.
SAG = 0.86  # Of the voltage: below what EN 50160 allows.
TAMPER_S = 60
TAMPER = "3.33.1.44"  # IEC 61968-9: a cover was opened.


@dataclass(frozen=True, slots=True)
class Arrival:
    """Rows on their way. Shape: columns are those of the source. Units: seconds since 1970."""

    at_s: int
    source: str
    rows: pa.Table


class DemoGrid:
    """What the head-end of the demo sends, day after day.

    Law: every day is the measured one, moved by whole days; the same start gives the same rows.
    """

    def __init__(self, start_s: int, days: int, show_s: float) -> None:
        files = files_of("simbench", GRID)
        self._grid = load_grid(files, SCENARIO, None)
        self._reads = day_of_reads(self._grid, load_day(files, SCENARIO, MEASURED), noise_seed=3)
        self._start_s = start_s
        self._show_s = show_s
        self._scene_s = int(show_s - start_s) % DAY_S  # When the script begins, each day.
        self._days = days
        self._arrivals = self._all()
        self._held: list[Arrival] = []

    @property
    def meters(self) -> int:
        return len(self._grid.meters)

    def registry(self) -> dict[str, pa.Table]:
        """Return what is where, by the name of the table."""
        return registry(self._grid, self._start_s)

    def due(self, until_s: float) -> dict[str, pa.Table]:
        """Take what has arrived by an instant, by the name of its source."""
        found: dict[str, list[pa.Table]] = {}
        while True:
            arrival = self._held.pop() if self._held else next(self._arrivals, None)
            if arrival is not None and arrival.at_s <= until_s:
                found.setdefault(arrival.source, []).append(arrival.rows)
                continue
            if arrival is not None:
                self._held.append(arrival)
            return {source: pa.concat_tables(tables) for source, tables in found.items()}

    def _all(self) -> Iterator[Arrival]:
        for number in range(self._days):
            start_s = self._start_s + number * DAY_S
            scene_s = start_s + self._scene_s
            outages = _outages(self._grid, scene_s)
            arrivals = [
                *_reads(self._reads, start_s, scene_s, outages), *self._events(scene_s, outages)
            ]  # fmt: skip
            for arrival in sorted(arrivals, key=lambda arrival: arrival.at_s):
                if arrival.at_s >= self._show_s - BACKLOG_S:
                    yield arrival

    def _events(self, scene_s: int, outages: list[Outage]) -> Iterator[Arrival]:
        for at_s, rows in events(self._grid, outages, Plan(gasp_success=0.8, false_gasps=3)):
            yield Arrival(at_s, "ami.meter_events", rows)
        opened = self._grid.meters[len(self._grid.meters) // 2].meter_id
        stamp = instants([scene_s + TAMPER_S])
        row = {
            "meter_id": [opened],
            "raw_code": [TAMPER],
            "raw_desc": ["cover opened"],
            "type_code": [TAMPER],
            "occurred_at": stamp,
            "received_at": stamp,
        }
        yield Arrival(scene_s + TAMPER_S, "ami.meter_events", pa.table(row))


def _outages(grid: Grid, scene_s: int) -> list[Outage]:
    """One transformer at once, a whole feeder hours later."""
    names = [one.transformer_id for one in grid.transformers]
    first = max(range(len(names)), key=lambda at: len(_meters_of(grid, [at])))
    feeder = grid.transformers[first].feeder_id
    behind = [at for at, one in enumerate(grid.transformers) if one.feeder_id == feeder]
    return [
        Outage(
            1,
            "TRANSFORMER",
            names[first],
            scene_s + OUTAGE_S[0],
            scene_s + OUTAGE_S[1],
            _meters_of(grid, [first]),
        ),
        Outage(
            2,
            "FEEDER",
            feeder,
            scene_s + FEEDER_OUTAGE_S[0],
            scene_s + FEEDER_OUTAGE_S[1],
            _meters_of(grid, behind),
        ),
    ]


def _meters_of(grid: Grid, transformers: Sequence[int]) -> tuple[int, ...]:
    chosen = set(transformers)
    return tuple(at for at, meter in enumerate(grid.meters) if meter.transformer in chosen)


def _reads(
    reads: DayOfReads, start_s: int, scene_s: int, outages: Sequence[Outage]
) -> Iterator[Arrival]:
    """Yield a day's reads, moved to another day; one sags, and who is out is silent."""
    first_s = int(reads.starts_s[0])
    moved_us = pa.scalar((start_s - first_s) * 1_000_000, pa.duration("us"))
    last = len(reads.grid.transformers) - 1
    sagging = {reads.grid.meters[at].meter_id for at in _meters_of(reads.grid, [last])}
    for sent in Defects(reads, DEFECTS).sent():
        rows = sent.rows
        for place, column in enumerate(rows.schema):
            if pa.types.is_timestamp(column.type):
                rows = rows.set_column(place, column.name, pc.add(rows[column.name], moved_us))
        rows = _lit(_sag(rows, scene_s, sagging), reads.grid, outages)
        yield Arrival(sent.at_s - first_s + start_s, "ami.interval_reads", rows)


def _lit(rows: pa.Table, grid: Grid, outages: Sequence[Outage]) -> pa.Table:
    """Leave out the reads of meters that had no supply."""
    starts_s = rows["interval_start"].cast(pa.int64()).to_numpy() // 1_000_000
    names = rows["meter_id"].to_numpy(zero_copy_only=False)
    dark = np.zeros(len(rows), np.bool_)
    for one in outages:
        members = np.isin(names, [grid.meters[at].meter_id for at in one.meters])
        dark |= members & (starts_s + STEP_S > one.start_s) & (starts_s < one.end_s)
    return rows.filter(pa.array(~dark)) if dark.any() else rows


def _sag(rows: pa.Table, scene_s: int, meters: set[str]) -> pa.Table:
    starts_s = rows["interval_start"].cast(pa.int64()).to_numpy() // 1_000_000 - scene_s
    hit = np.isin(rows["meter_id"].to_numpy(zero_copy_only=False), list(meters))
    hit &= (starts_s >= SAG_S[0]) & (starts_s < SAG_S[1])
    if not hit.any():
        return rows
    volts = rows["voltage_v"].to_numpy(zero_copy_only=False)
    place = rows.schema.get_field_index("voltage_v")
    return rows.set_column(place, "voltage_v", pa.array(np.where(hit, volts * SAG, volts)))
