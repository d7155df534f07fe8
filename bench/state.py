"""Epoch time against the size of the state: does an epoch cost what its change costs?"""

from __future__ import annotations

from collections.abc import Callable

from bench.race import Contender, Result, alone
from bench.suite import Options, Report, Row

SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
_TIME_METERS = 10_000  # Meters of the time-keyed case; the rest of the size is past windows.
_EPOCHS = 20
_ROWS = 33_000

Shape = Callable[[int], tuple[int, int]]  # Keys of state to meters and past windows.


def _all_meters(keys: int) -> tuple[int, int]:
    return keys, 1


def _past_windows(keys: int) -> tuple[int, int]:
    return _TIME_METERS, max(1, keys // _TIME_METERS)


def bench(options: Options) -> Report:
    told = f"{_ROWS:,} reads an epoch, {_EPOCHS} epochs one after the other, by keys of state"
    report = Report("state", told, bar="p50 ms")
    sizes = [size for size in SIZES if options.rows is None or size <= options.rows]
    if options.rows is not None and options.rows > SIZES[-1]:
        sizes.append(options.rows)
    cases: dict[str, tuple[str, Shape]] = {
        "latest read per meter": ("latest_read", _all_meters),
        "transformer windows": ("transformer_15min", _all_meters),
        "windows, time-keyed": (
            "meter_15min",
            _past_windows,
        ),
    }
    for case, (view, shape) in cases.items():
        if options.only and view not in options.only:
            continue
        for size in sizes:
            meters, windows = shape(size)
            report.rows.append(_run(report, f"{case}, {size:,}", view, meters, windows))
            print(f"  {report.rows[-1]}", flush=True)
    return report


def _run(report: Report, name: str, view: str, meters: int, windows: int) -> Row:
    options = (
        f"meters={meters}",
        f"windows={windows}",
        f"epochs={_EPOCHS}",
        f"rows={_ROWS}",
        "every=0",
        f"views={view}",
    )
    try:
        result = alone(Contender(name, "bench.contenders.fleet", options))
    except RuntimeError as error:
        report.notes.append(f"{name}: {str(error).splitlines()[-1]}")
        return {"case": name}
    return row(name, result, view)


def row(name: str, result: Result, *views: str) -> Row:
    """Return a fleet run's figures, the parts of an epoch among them."""
    spent = result["spent_ms"]
    assert isinstance(spent, dict)
    figures: Row = {
        "case": name,
        "p50 ms": round(float(str(result["p50_ms"]))),
        "p99 ms": round(float(str(result["p99_ms"]))),
        "CPU s/1M": round(float(str(result["cpu_s"])) / int(str(result["rows"])) * 1e6, 2),
    }
    for view in views:
        figures[f"{view} CPU ms" if len(views) > 1 else "view CPU ms"] = round(spent.get(view, 0.0))
    figures["raw rows CPU ms"] = round(spent.get("reads", 0.0))
    figures["commit CPU ms"] = round(spent.get("COMMIT", 0.0))
    figures["backfill s"] = round(float(str(result["backfill_s"])), 1)
    figures["RSS MB"] = round(float(str(result["rss_mb"])))
    return figures
