"""Kills itself at one step of compressing a chunk; run again, says what is there.

python -m tests.crash.chunk_worker FOLDER STEP        STEP '' only checks
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.driver import Engine
from voltstream.core.clock import SystemClock
from voltstream.runtime import compaction
from voltstream.store import chunk, columnstore, hypertable

ROWS = 500
STEPS: dict[str, tuple[Any, str]] = {
    "before the file": (columnstore, "layout"),
    "written, not synced": (chunk, "durable"),
    "synced, not named": (compaction, "register"),
    "rows gone, files not named": (hypertable, "add_part"),
    "named, views not made": (hypertable, "make_views"),
}


def die_at(holder: Any, name: str) -> None:
    """Let a step end the process before it does anything."""

    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    known: Callable[..., object] = getattr(holder, name)
    assert callable(known)
    setattr(holder, name, die)


def prepared(folder: Path) -> Engine:
    engine = Engine(folder, SystemClock())
    if not engine.run("SELECT 1 FROM rw_tables WHERE name = 'h'"):
        engine.run("CREATE TABLE h (at TIMESTAMPTZ NOT NULL, cp TEXT, v DOUBLE PRECISION)")
        engine.run("SELECT create_hypertable('h', by_range('at', INTERVAL '1 day'))")
        engine.run("ALTER TABLE h SET (timescaledb.compress, timescaledb.compress_segmentby='cp')")
        engine.run(
            "INSERT INTO h SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '10 minutes', "
            f"'cp' || n % 3, n / 8.0 FROM generate_series(1, {ROWS}) AS n"
        )
        engine.run("SELECT add_compression_policy('h', INTERVAL '1 day', initial_start => now())")
        engine.run("SELECT alter_job(1000, scheduled => false)")
    return engine


def main(folder: str, step: str, way: str) -> None:
    engine = prepared(Path(folder))
    if step:
        die_at(*STEPS[step])
        if way == "policy":
            engine.run("SELECT alter_job(1000, scheduled => true, next_start => now())")
            engine.instance.engine("volt").jobs.run_due()
        else:
            engine.run("SELECT compress_chunk(c) FROM show_chunks('h') c")
        print("survived", flush=True)
        return
    ((count, total),) = engine.run("SELECT count(*), sum(v) FROM h")
    files = sorted(path.name for path in Path(folder).glob("volt/chunks/*/*"))
    named = engine.run("SELECT count(*) FROM timescaledb_information.chunks WHERE is_compressed")
    print(count, total, len(files), named[0][0], flush=True)
    engine.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3])
