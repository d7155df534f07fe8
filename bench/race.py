"""Contenders in turn, round after round, each in a process of its own: a b c a b c …"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.suite import Row

Result = dict[str, object]
Check = Callable[[Path], dict[str, str]]  # A results folder; what differs, by view.
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Contender:
    """A program that ends with a line ``RESULT {json}``."""

    name: str
    module: str
    options: tuple[str, ...] = ()
    python: str = sys.executable
    checked: bool = True  # Leaves its results as files to compare.


@dataclass
class Runs:
    """What a contender did, round by round."""

    contender: Contender
    results: list[Result] = field(default_factory=list)
    failure: str = ""

    def each(self, name: str) -> list[float]:
        return [float(str(result[name])) for result in self.results]


def run(contender: Contender, data: Path, check: Check, timeout_s: float = 1800) -> Result:
    """Run once and compare its results. Raises: RuntimeError with the tail of what it said."""
    out = Path(tempfile.mkdtemp(prefix="voltstream-bench-"))
    environment = {**os.environ, "PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}"}
    command = [contender.python, "-m", contender.module, str(data), str(out), *contender.options]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=_ROOT,
            env=environment,
            check=False,
            timeout=timeout_s,
        )
        said = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if done.returncode or not said:
            raise RuntimeError(_reason(done.stderr or done.stdout))
        wrong = check(out) if contender.checked else {}
        if wrong:
            raise RuntimeError("results differ: " + "; ".join(map(" ".join, wrong.items())))
        return dict(json.loads(said[-1].removeprefix("RESULT ")))
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"not done in {timeout_s:.0f} s") from None
    finally:
        shutil.rmtree(out, ignore_errors=True)


def _reason(said: str) -> str:
    """Return the line that names the error, of all that a failing program prints."""
    lines = [line for line in said.strip().splitlines() if not line.startswith((" ", "nanobind"))]
    named = [line for line in lines if re.match(r"[\w.]+: ", line)]
    return (named or lines or ["it said nothing"])[-1]


def alone(contender: Contender) -> Result:
    """Run a contender that checks itself and wants no data."""
    return run(contender, Path("-"), lambda _: {})


def race(
    contenders: list[Contender],
    rounds: int,
    data: Path,
    check: Check,
) -> list[Runs]:
    """Run every contender once a round; one that fails is out and says why."""
    field_ = [Runs(contender) for contender in contenders]
    for number in range(rounds):
        for runs in field_:
            if runs.failure:
                continue
            try:
                result = run(runs.contender, data, check)
            except RuntimeError as error:
                runs.failure = str(error)
                print(f"  {runs.contender.name} FAILED: {error}", flush=True)
                continue
            runs.results.append(result)
            rate = float(str(result["rows"])) / float(str(result["seconds"]))
            print(
                f"  round {number + 1}  {runs.contender.name:18s} {rate:>11,.0f} rows/s"
                f"  {_per_million(result):5.2f} CPU s/M  load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    return field_


def _per_million(result: Result) -> float:
    return float(str(result["cpu_s"])) / float(str(result["rows"])) * 1e6


def table(field_: list[Runs], baselines: tuple[str, ...]) -> list[Row]:
    """Return medians, and the median of each round's ratio to the baselines."""
    by_name = {runs.contender.name: runs for runs in field_}
    rows: list[Row] = []
    for runs in field_:
        row: Row = {"contender": runs.contender.name}
        rows.append(row)
        if runs.failure or not runs.results:
            row["rows/s"] = None
            continue
        rates = [n / s for n, s in zip(runs.each("rows"), runs.each("seconds"), strict=True)]
        row["rows/s"] = round(statistics.median(rates))
        row["lowest"], row["highest"] = round(min(rates)), round(max(rates))
        for baseline in baselines:
            base = by_name.get(baseline)
            if base is not None and len(base.results) == len(runs.results):
                ratios = [
                    theirs / ours
                    for theirs, ours in zip(base.each("seconds"), runs.each("seconds"), strict=True)
                ]
                row[f"x {baseline}"] = round(statistics.median(ratios), 2)
        row["CPU s/1M"] = round(statistics.median(map(_per_million, runs.results)), 2)
        row["RSS MB"] = round(max(runs.each("rss_mb")))
        if "file_mb" in runs.results[0]:
            row["file MB"] = round(statistics.median(runs.each("file_mb")))
    return rows
