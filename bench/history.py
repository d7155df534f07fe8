"""What was measured before: one line of JSON per benchmark and run."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from bench.suite import Report

FILE = Path(__file__).parent / "history.jsonl"


def machine() -> str:
    """Return what kind of machine this is; nothing that tells which one."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{os.cpu_count()} x {model}"


def record(report: Report) -> None:
    """Append a report's figures."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        cwd=FILE.parent,
        check=False,
    ).stdout.strip()
    line = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "commit": commit,
        "machine": machine(),
        "load": round(os.getloadavg()[1], 1),
        "name": report.name,
        "told": report.told,
        "figures": report.rows,
    }
    with FILE.open("a") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
