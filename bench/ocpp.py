"""Charging stations: NDJSON bytes of four sources to eight maintained views, raw rows kept."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from bench.feed import cache_folder
from bench.feed_maker import ocpp_feed
from bench.ocpp_truth import differences
from bench.race import Contender, race, table
from bench.suite import Options, Report

ROWS = 2_000_000


def contenders(only: frozenset[str]) -> tuple[list[Contender], list[str]]:
    """Return who can run here, and a note for each that cannot."""
    here = [
        Contender("voltstream", "bench.contenders.voltstream"),
        Contender("floor A", "bench.contenders.floors", ("mode=upsert",)),
        Contender("floor B", "bench.contenders.floors", ("mode=append",)),
    ]
    notes = []
    python = environment("chdb", only, "chdb")
    if python:
        for block in ("100k", "1M"):
            options = (f"block={block.replace('k', '000').replace('M', '000000')}",)
            here.append(Contender(f"chdb {block}", "bench.contenders.chdb_views", options, python))
    else:
        notes.append("chdb is left out: not asked for, or it could not be installed")
    here += [
        Contender("duckdb batch", "bench.contenders.recompute", ("every=0",)),
        Contender("duckdb recompute", "bench.contenders.recompute", ("every=1",)),
    ]
    if not shutil.which("java"):
        notes.append("flink is left out: there is no java")
    elif "flink" not in only and not is_made("flink"):  # Half a gigabyte to install.
        notes.append("flink is left out: not installed; asked for by name it is, --only …,flink")
    elif python := environment("flink", only, "apache-flink"):
        here.append(Contender("flink", "bench.contenders.flink_sql", (), python, checked=False))
        notes.append("flink: six views without NOW(), no raw rows, no checkpoints, not compared")
    else:
        notes.append("flink is left out: not asked for, or it could not be installed")
    return here, notes


def is_made(name: str) -> bool:
    """Tell whether the environment of a peer is there already."""
    return (cache_folder() / name / "ready").exists()


def environment(name: str, only: frozenset[str], *packages: str) -> str:
    """Return the Python of a cached environment that has a peer, made on first use; or ''."""
    if only and not any(each.startswith(name) for each in only):
        return ""
    folder = cache_folder() / name
    python = folder / "bin" / "python"
    if not is_made(name) and os.environ.get("VOLTSTREAM_BENCH_PEERS", "1") != "0":
        print(f"installing {name} once, in {folder}", flush=True)
        steps = (
            ["python3", "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", *packages],
        )
        if all(subprocess.run(step, check=False).returncode == 0 for step in steps):
            (folder / "ready").touch()
    return str(python) if is_made(name) else ""


def bench(options: Options) -> Report:
    rows = options.rows or ROWS
    feed = ocpp_feed(rows)
    field, notes = contenders(options.only)
    if options.only:
        field = [each for each in field if each.name in options.only]
    if options.account:
        notes = []
        field = [
            Contender(each.name, each.module, (*each.options, "account=1"), each.python)
            for each in field
            if each.name == "voltstream"
        ]

    def check(results: Path) -> dict[str, str]:
        return differences(feed, results)

    runs = race(field, options.rounds, feed.folder, check)
    size = feed.path("meter_readings").stat().st_size / rows
    told = (
        f"{rows:,} meter rows of {size:.0f} bytes and what else 10,000 stations send, in slices of "
        f"122,880; 8 views, raw rows kept, a database on disk; {options.rounds} rounds"
    )
    report = Report("ocpp", told, table(runs, ("floor A", "chdb 1M")), "rows/s", notes)
    for each in runs:
        if each.failure:
            report.notes.append(f"{each.contender.name} failed: {each.failure.splitlines()[-1]}")
        elif "account" in each.results[-1]:
            report.notes += str(each.results[-1]["account"]).splitlines()
    return report
