"""A day of 35,633 meters with defects through every view of the ami pack, and 200 outages.

The data are in the package simbench: pip install --no-deps simbench, or VOLTSTREAM_SIMBENCH=WHEEL.
"""

from __future__ import annotations

import os
from pathlib import Path

from bench.race import Contender, alone
from bench.suite import Options, Report
from voltstream.core.errors import InvalidParameter
from voltstream.datasets.packages import files_of

DAY = "2016-07-15"
OUTAGES = 200
EXTRACT = Path(__file__).parent.parent / "examples" / "simbench" / "simbench-extract.zip"


def bench(options: Options) -> Report:
    """Run each in an engine of its own (--only reads,again,dst,outages; again: the day twice)."""
    report = Report("simbench", f"SimBench scenario 1, {DAY}, noise and defects of seed 1")
    given = os.environ.get("VOLTSTREAM_SIMBENCH", "")
    try:
        files_of("simbench", Path(given) if given else None)
    except InvalidParameter as error:
        given = str(EXTRACT)
        report.notes.append(f"{error.message} ({error.hint}): the extract is used, 638 meters")
    wanted = options.only or frozenset({"reads", "outages"})  # The others take minutes.
    arguments = (
        f"package={given}",
        f"day={DAY}",
        "defects=1",
        f"step={options.seconds * 90}",  # 900 s, a quarter of an hour, by default.
        f"reads={int(bool({'reads', 'again'} & wanted))}",
        f"again={int('again' in wanted)}",
        f"dst={int('dst' in wanted)}",
        f"outages={(options.rows or OUTAGES) if 'outages' in wanted else 0}",
    )
    result = alone(Contender("grid", "bench.contenders.grid", arguments))
    if "rows" in result:
        rows, seconds = float(str(result["rows"])), float(str(result["seconds"]))
        report.rows.append(
            {
                "what": f"{result['meters']} meters, a day",
                "rows": int(rows),
                "reads/s": round(rows / seconds),
                "CPU s": round(float(str(result["cpu_s"])), 1),
                "windows": int(str(result["windows"])),
                "complete": int(str(result["complete"])),
                "equal the truth": int(str(result["equal"])),
                "wrongly complete": int(str(result["wrongly_complete"])),
                "wrongly flagged": int(str(result["wrongly_flagged"])),
            }
        )
    if "again_rows" in result:
        report.notes.append(
            f"the whole day again: {result['again_rows']} rows, {result['again_cpu_s']:.1f} CPU s;"
            f" of {result['again_views']} views changed: {result['again_changed']},"
            f" told who follows them: {result['again_told']}"
        )
    _add_dst(report, result.get("dst"))
    if "outages" in result:
        report.notes.append(
            f"{result['outages']} outages {result['levels']}, 60 % of gasps arrive: precision"
            f" {float(str(result['precision'])):.3f}, recall {float(str(result['recall'])):.3f},"
            f" median time to detect {float(str(result['detect_s'])):.0f} s (of {result['played']},"
            " minute by minute)"
        )
    report.notes.append("a window is complete when every meter has a read that is no estimate")
    return report


def _add_dst(report: Report, days: object) -> None:
    """Add the days on which clocks change: how many windows, and how they compare."""
    if not isinstance(days, dict):
        return
    for day, found in days.items():
        report.notes.append(
            f"{day}: {found['rows']} rows, {found['quarters']:g} windows a transformer,"
            f" {found['windows']} in all; {found['complete']} complete, {found['equal']} of them"
            f" equal the truth, {found['wrongly_complete']} wrongly complete,"
            f" {found['wrongly_flagged']} wrongly flagged; {found['days_meters']} days of meters,"
            f" {found['days_least']} to {found['days_most']} intervals expected,"
            f" {found['days_complete']} complete"
        )
