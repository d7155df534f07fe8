"""A day of SimBench's profiles: what share of its rated power each kind of customer takes.

Stamps there are wall clock times of Germany in 2016 without an offset: the night in March has an
hour less, and the one in October an hour twice. The order of rows tells which is which.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from pyarrow import csv

from voltstream.core.errors import InvalidParameter
from voltstream.datasets.grid import folder_of
from voltstream.datasets.packages import Files

ZONE = ZoneInfo("Europe/Berlin")
STEP_S = 900
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Day:
    """Shape: ``load_p`` and its fellows give a value per interval for each profile, by name.

    Units: seconds since 1970 UTC at which intervals begin; shares of rated power.
    """

    starts_s: tuple[int, ...]
    load_p: dict[str, Floats]
    load_q: dict[str, Floats]
    plants: dict[str, Floats]


def load_day(files: Files, scenario: int, local: date) -> Day:
    """Read one day of the year 2016; 92 or 100 intervals where the clock was set.

    Raises: InvalidParameter (22023).
    """
    loads = _rows(files, f"{folder_of(scenario)}/LoadProfile.csv", local)
    plants = _rows(files, f"{folder_of(scenario)}/RESProfile.csv", local)
    if not len(loads):
        raise InvalidParameter(f"SimBench has no day {local}", hint="Its year is 2016.")
    midnight = datetime(local.year, local.month, local.day, tzinfo=ZONE).astimezone(UTC)
    first_s = int(midnight.timestamp())
    expected = _length_s(local) // STEP_S
    if len(loads) != expected or len(plants) != expected:
        raise InvalidParameter(f"{local} has {len(loads)} intervals where {expected} are expected")
    shares = {
        name: np.asarray(loads.column(name).to_numpy(zero_copy_only=False), np.float64)
        for name in loads.column_names
        if name != "time"
    }
    return Day(
        tuple(first_s + at * STEP_S for at in range(expected)),
        {n.removesuffix("_pload"): v for n, v in shares.items() if n.endswith("_pload")},
        {n.removesuffix("_qload"): v for n, v in shares.items() if n.endswith("_qload")},
        {
            name: np.asarray(plants.column(name).to_numpy(zero_copy_only=False), np.float64)
            for name in plants.column_names
            if name != "time"
        },
    )


def _length_s(local: date) -> int:
    start = datetime(local.year, local.month, local.day, tzinfo=ZONE)
    following = local + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=ZONE)
    return int(end.timestamp() - start.timestamp())


def _rows(files: Files, name: str, local: date) -> pa.Table:
    """Read one day's rows of a year's file: its header, and the lines that begin with the day."""
    content = files.read(name)
    header = content[: content.find(b"\n") + 1]
    stamp = local.strftime("%d.%m.%Y ").encode()
    first = content.find(b"\n" + stamp) + 1
    if not first:
        return pa.table({"time": pa.array([], pa.string())})
    last = content.find(b"\n", content.rfind(b"\n" + stamp) + 1) + 1 or len(content)
    return csv.read_csv(
        io.BytesIO(header + content[first:last]),
        parse_options=csv.ParseOptions(delimiter=";"),
        convert_options=csv.ConvertOptions(column_types={"time": pa.string()}),
    )
