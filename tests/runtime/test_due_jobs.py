"""Jobs that the server runs by itself: what fails is told and tried again, what is due is moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.core.clock import ManualClock
from voltstream.runtime import jobs


@pytest.fixture
def clock() -> ManualClock:
    made = ManualClock()
    made.set(datetime(2026, 1, 10, tzinfo=UTC))
    return made


@pytest.fixture
def engine(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(jobs, "_LOOK_S", 3_600.0)  # Jobs run when the test says so.
    running = Engine(tmp_path / "data", clock, tier=str(tmp_path / "tier"))
    running.run(
        "CREATE TABLE h (at TIMESTAMPTZ NOT NULL, v INTEGER) WITH (tsdb.hypertable, "
        "tsdb.chunk_interval = '1 day', tsdb.columnstore = false); "
        "ALTER TABLE h SET (timescaledb.enable_columnstore); "
        "INSERT INTO h SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '6 hours', n "
        "FROM generate_series(0, 35) AS n"
    )
    yield running
    running.close()


def run_due(engine: Engine) -> int:
    return engine.instance.engine("volt").jobs.run_due()


def test_a_job_that_fails_is_told_and_tried_again(engine: Engine, clock: ManualClock) -> None:
    engine.run(
        "CREATE FUNCTION failing(job INTEGER, config JSONB) RETURNS INTEGER LANGUAGE SQL AS "
        "'SELECT (config ->> ''count'')::INTEGER + job'"
    )
    engine.run("""SELECT add_job('failing', INTERVAL '1 hour', config => '{"count": "many"}')""")
    assert run_due(engine) == 1
    errors = (
        "SELECT job_id, proc_schema, proc_name, sqlerrcode, err_message "
        "FROM timescaledb_information.job_errors"
    )
    message = 'invalid input syntax for type integer: "many"'
    assert engine.run(errors) == [(1000, "public", "failing", "22P02", message)]
    stats = (
        "SELECT last_run_status, total_runs, total_successes, total_failures "
        "FROM timescaledb_information.job_stats"
    )
    assert engine.run(stats) == [("Failed", 1, 0, 1)]
    assert run_due(engine) == 0
    engine.run("""SELECT alter_job(1000, config => '{"count": "3"}')""")
    clock.advance(301.0)  # A failed job waits for its retry_period, not for its schedule.
    assert run_due(engine) == 1
    assert engine.run(stats) == [("Success", 2, 1, 1)]
    assert len(engine.run(errors)) == 1
    history = "SELECT succeeded FROM timescaledb_information.job_history ORDER BY id"
    assert engine.run(history) == [(False,), (True,)]


def test_policies_compress_tier_and_drop_what_is_old(engine: Engine, clock: ManualClock) -> None:
    engine.run("SELECT add_compression_policy('h', compress_after => INTERVAL '2 days')")
    engine.run("SELECT add_tiering_policy('h', INTERVAL '5 days')")
    engine.run("SELECT add_retention_policy('h', INTERVAL '8 days')")
    chunks = (
        "SELECT count(*), count(*) FILTER (WHERE is_compressed), count(chunk_tablespace) "
        "FROM timescaledb_information.chunks"
    )
    assert run_due(engine) == 3
    assert engine.run(chunks) == [(8, 6, 3)]  # Days 2 to 9; those of 2 to 4 are elsewhere.
    assert engine.run("SELECT count(*), min(v) FROM h") == [(32, 4)]
    clock.advance(86_400.0 * 2)
    assert run_due(engine) == 3
    assert engine.run(chunks) == [(6, 6, 3)]
    assert engine.run("SELECT count(*), min(v) FROM h") == [(24, 12)]
    engine.run("SELECT remove_tiering_policy('h')")
    clock.advance(86_400.0)
    assert run_due(engine) == 2
    assert engine.run(chunks) == [(5, 5, 2)]
