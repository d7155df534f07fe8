"""kill -9 under load: what was acknowledged is there, once, and every view agrees."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("VOLTSTREAM_CRASH_ROUNDS", "25"))
SEED = int(os.environ.get("VOLTSTREAM_CRASH_SEED", "2026"))
START_S_MAX = 60.0


def run_round(folder: Path, known: Path, number: int, load_s: float) -> tuple[list[str], str]:
    """Start a worker, kill it after its load, return what it printed and its errors."""
    output, errors = folder.parent / "output.txt", folder.parent / "errors.txt"
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.worker", str(folder), str(known), str(number)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
            stdout=out,
            stderr=err,
        )
        deadline = time.monotonic() + START_S_MAX
        while b"checked\n" not in output.read_bytes() and time.monotonic() < deadline:
            if process.poll() is not None:
                break
            time.sleep(0.01)
        time.sleep(load_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
    text = output.read_text()
    whole = text[: text.rfind("\n") + 1]
    return whole.splitlines(), errors.read_text()


@pytest.mark.slow
@pytest.mark.timeout(max(300, ROUNDS * 20))
def test_acknowledged_rows_survive_kill(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    known = tmp_path / "acknowledged.json"
    acknowledged: dict[str, list[int]] = {"r": [], "t": [], "u": []}
    for number in range(ROUNDS + 1):  # The last round only checks what the one before left.
        known.write_text(json.dumps(acknowledged))
        load_s = 0.0 if number == ROUNDS else chance.uniform(0.05, 1.2)
        lines, errors = run_round(tmp_path / "data", known, number, load_s)
        assert lines[:1] == ["checked"], f"round {number}: {errors}"
        for line in lines[1:]:
            kind, *numbers = line.split()
            first, last = int(numbers[0]), int(numbers[-1])
            acknowledged[kind].extend(range(first, last + 1))
    assert len(acknowledged["r"]) > ROUNDS and len(acknowledged["t"]) > ROUNDS
