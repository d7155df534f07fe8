"""Five million meters: latest read of each and transformer windows, at 33,000 reads a second."""

from __future__ import annotations

from bench.race import Contender, alone
from bench.state import row
from bench.suite import Options, Report

METERS = 5_000_000
RATE = 33_000
_BATCHES_A_SECOND = 10


def bench(options: Options) -> Report:
    meters = options.rows or METERS
    told = f"{meters:,} meters, {RATE:,} reads/s in batches of {RATE // _BATCHES_A_SECOND:,}"
    report = Report("meters", f"{told}, {options.seconds} s; latency from due to durable")
    views = ("latest_read", "transformer_15min")
    given = (
        f"meters={meters}",
        "windows=1",
        f"epochs={options.seconds * _BATCHES_A_SECOND}",
        f"rows={RATE // _BATCHES_A_SECOND}",
        f"every={1 / _BATCHES_A_SECOND}",
        f"views={','.join(views)}",
        *(("account=1",) if options.account else ()),
    )
    result = alone(Contender("meters", "bench.contenders.fleet", given))
    figures = row(f"{meters:,} meters", result, *views)
    figures["reads/s"] = round(float(str(result["rows"])) / float(str(result["seconds"])))
    report.rows.append(figures)
    if "account" in result:
        report.notes += str(result["account"]).splitlines()
    return report
