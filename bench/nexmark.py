"""Nexmark: each query alone over the same events; its result is compared with its query."""

from __future__ import annotations

from pathlib import Path

from bench.nexmark_feed import nexmark_feed, queries
from bench.race import Contender, Result, run
from bench.suite import Options, Report, Row

_EVENTS = 500_000
_LIMIT_S = 30  # A query that is slower is measured on what it got through.
_PATIENCE_S = 90  # One epoch that takes longer than this, or the comparison, is given up.


def bench(options: Options) -> Report:
    events = options.rows or _EVENTS
    folder = nexmark_feed(events)
    told = f"{events:,} events in slices of 50,000, each query alone, at most {_LIMIT_S} s"
    report = Report("nexmark", told, bar="events/s")
    for name in queries():
        if name == "tables" or (options.only and name not in options.only):
            continue
        row: Row = {"query": name}
        report.rows.append(row)
        given: tuple[str, ...] = (f"query={name}", f"limit={_LIMIT_S}")
        if options.account:
            given = (*given, "account=1")
        contender = Contender(name, "bench.contenders.nexmark", given)
        try:
            result = run(contender, folder, _nothing, _PATIENCE_S)
        except RuntimeError as error:
            row["kept by"] = "not at all"
            report.notes.append(f"{name}: {str(error).splitlines()[-1][:200]}")
        else:
            row.update(_figures(result))
            if result["recomputed"]:
                report.notes.append(f"{name}: {result['recomputed']}")
            if "account" in result:
                report.notes += str(result["account"]).splitlines()
        print(f"  {row}", flush=True)
    return report


def _nothing(results: Path) -> dict[str, str]:
    del results
    return {}


def _figures(result: Result) -> Row:
    rows, seconds = int(str(result["rows"])), float(str(result["seconds"]))
    return {
        "kept by": "recompute" if result["recomputed"] else "deltas",
        "events/s": round(rows / seconds),
        "CPU s/1M": round(float(str(result["cpu_s"])) / rows * 1e6, 2),
        "view ms/1k events": round(float(str(result["view_s"])) / rows * 1e6, 2),
        "events": rows,
        "result rows": int(str(result["view_rows"])),
        "wrong rows": int(str(result["wrong"])),
        "RSS MB": round(float(str(result["rss_mb"]))),
    }
