"""The demo, as a newcomer runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_demo_ends_by_itself_with_a_summary() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "voltstream", "demo", "--seconds", "5"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "psql postgres://volt@127.0.0.1:" in lines[0]
    assert lines[1].startswith("the ocpp pack is installed: ")
    assert any("Mon 13 May 2019 07:" in line and " kW " in line for line in lines)
    assert any(line.endswith("the chain holds; its head is " + line[-64:]) for line in lines)
    assert " 0 of them unreadable" in lines[-2]
    answered = int(lines[-2].split()[0])
    assert answered >= 9  # Each of nine chargers has booted.
    sessions = int(lines[-1].split()[0])
    assert sessions > 10
    assert "Traceback" not in done.stderr
