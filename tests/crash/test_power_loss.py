"""Power loss: an answer is given after the log is on disk, and a torn log ends at a whole epoch."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.core.clock import SystemClock
from voltstream.core.errors import StorageFault

ROOT = Path(__file__).resolve().parents[2]
CUTS = 12
SCRIPT = """
import os, sys
from pathlib import Path
from tests.driver import Engine
from voltstream.core.clock import SystemClock
engine = Engine(Path(sys.argv[1]), SystemClock())
engine.run("CREATE TABLE t (a INTEGER)")
for number in range(3):
    os.write(2, b"asked\\n")
    engine.run(f"INSERT INTO t VALUES ({number})")
    os.write(2, b"answered\\n")
os._exit(0)
"""


def test_the_log_is_synced_before_the_answer(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace.txt"
    tracing = [strace, "-f", "-o", str(trace), "-e", "trace=fsync,fdatasync,write"]
    done = subprocess.run(
        [*tracing, sys.executable, "-c", SCRIPT, str(tmp_path / "data")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        capture_output=True,
        check=False,
    )
    if b"ptrace" in done.stderr:
        pytest.skip("tracing is not allowed here")
    asked = trace.read_text().split("asked")[1:]
    assert len(asked) == 3  # Else nothing below is looked at.
    for part in asked:
        before_answer = part.split("answered")[0]
        assert "fdatasync(" in before_answer or "fsync(" in before_answer


@pytest.fixture
def stopped(tmp_path: Path) -> tuple[Path, list[int]]:
    """Return files as a power loss leaves them, and the log's length at each acknowledgement."""
    engine = Engine(tmp_path / "data", SystemClock())
    engine.run("CREATE TABLE t (a INTEGER PRIMARY KEY, b VARCHAR)")
    engine.run("CREATE MATERIALIZED VIEW v AS SELECT a % 3 AS k, count(*) AS n FROM t GROUP BY 1")
    folder = tmp_path / "data" / "volt"
    log = folder / "volt.duckdb.wal"
    lengths = []
    for number in range(20):
        engine.run(f"INSERT INTO t SELECT x + {number} * 100, repeat('b', 40) "
                   "FROM generate_series(0, 99) AS g(x)")  # fmt: skip
        lengths.append(log.stat().st_size)
    shutil.copytree(folder, tmp_path / "copy")
    engine.close()
    return tmp_path / "copy", lengths


def reopened(stopped: Path, log: bytes, folder: Path) -> Engine:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(stopped, folder / "volt")
    (folder / "volt" / "volt.duckdb.wal").write_bytes(log)
    return Engine(folder, SystemClock())


def test_a_torn_log_ends_at_a_whole_epoch(stopped: tuple[Path, list[int]], tmp_path: Path) -> None:
    files, lengths = stopped
    log = (files / "volt.duckdb.wal").read_bytes()
    chance = random.Random(7)
    for _ in range(CUTS):
        length = chance.randrange(lengths[0], len(log))
        acknowledged = sum(100 for known in lengths if known <= length)
        engine = reopened(files, log[:length], tmp_path / "again")
        ((count, last),) = engine.run("SELECT count(*), max(a) FROM t")
        assert (count, last) == (acknowledged, acknowledged - 1)
        assert sorted(engine.run("SELECT k, n FROM v")) == sorted(
            engine.run("SELECT a % 3, count(*) FROM t GROUP BY 1")
        )
        engine.run("INSERT INTO t VALUES (-1, 'goes on')")
        engine.close()


def test_a_damaged_log_is_refused_not_shortened(
    stopped: tuple[Path, list[int]], tmp_path: Path
) -> None:
    files, lengths = stopped
    log = bytearray((files / "volt.duckdb.wal").read_bytes())
    middle = (lengths[3] + lengths[4]) // 2
    log[middle : middle + 64] = bytes(64)
    with pytest.raises(StorageFault) as caught:
        reopened(files, bytes(log), tmp_path / "again")
    assert "backup" in (caught.value.hint or "")
