"""kill -9 at each step of compressing a chunk: every row is there once, and no file too many."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.chunk_worker import ROWS, STEPS

ROOT = Path(__file__).resolve().parents[2]


def worker(folder: Path, step: str, way: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.crash.chunk_worker", str(folder), step, way],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.slow
@pytest.mark.parametrize("way", ["policy", "statement"])
def test_a_kill_at_any_step_loses_and_doubles_nothing(tmp_path: Path, way: str) -> None:
    folder = tmp_path / "data"
    for step in STEPS:
        died = worker(folder, step, way)
        assert died.returncode == -9, f"{step}: {died.stdout} {died.stderr}"
    after = worker(folder, "", way)
    # What a kill left behind is swept: as many files as chunks that have one.
    total = sum(n / 8.0 for n in range(1, ROWS + 1))
    assert after.stdout.split() == [str(ROWS), str(total), "0", "0"], after.stderr
