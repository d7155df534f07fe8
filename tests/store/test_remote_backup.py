"""Backups in a store that speaks S3: taken of a running server, by what changed, and restored."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.driver import Engine
from voltstream.cli.app import app
from voltstream.core.clock import ManualClock

QUESTIONS = ("SELECT count(*), sum(v) FROM h", "SELECT * FROM daily ORDER BY day, cp")


@pytest.mark.parametrize("server", ["bucket", "seaweed"])
def test_a_backup_in_a_bucket_takes_what_changed_and_comes_back(
    tmp_path: Path, server: str, request: pytest.FixtureRequest
) -> None:
    target = f"{request.getfixturevalue(server)}/backups"
    clock = ManualClock()
    clock.set(datetime(2026, 1, 10, tzinfo=UTC))
    engine = Engine(tmp_path / "data", clock)
    try:
        engine.run(
            "CREATE TABLE h (at TIMESTAMPTZ NOT NULL, cp TEXT NOT NULL, v DOUBLE PRECISION) "
            "WITH (tsdb.hypertable, tsdb.segmentby = 'cp', tsdb.chunk_interval = '1 day')"
        )
        engine.run(
            "CREATE MATERIALIZED VIEW daily WITH (timescaledb.continuous) AS "
            "SELECT time_bucket('1 day', at) AS day, cp, sum(v) AS s FROM h GROUP BY day, cp"
        )
        rows = (
            "INSERT INTO h SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '20 minutes', "
            "'cp' || n % 3, n / 8.0 FROM generate_series({}, {}) AS n"
        )
        engine.run(rows.format(0, 215))
        engine.run("SELECT compress_chunk(c) FROM show_chunks('h') c")
        ((_, files, _, copied, _),) = engine.run(f"SELECT voltstream_backup('{target}')")
        assert files == copied and isinstance(files, int)
        engine.run(rows.format(216, 287))
        engine.run("SELECT compress_chunk(c) FROM show_chunks('h', newer_than => "
                   "TIMESTAMPTZ '2026-01-04') c")  # fmt: skip
        ((_, more, _, again, _),) = engine.run(f"SELECT voltstream_backup('{target}')")
        # The database file and its log, and the one chunk that is new.
        assert more == files + 1
        assert isinstance(again, int) and again <= 3
        known = [engine.run(question) for question in QUESTIONS]
    finally:
        engine.close()
    verified = CliRunner().invoke(app, ["verify", "--backup", target])
    assert verified.exit_code == 0, verified.output
    made = CliRunner().invoke(app, ["restore", target, "--data", str(tmp_path / "new")])
    assert made.exit_code == 0, made.output
    restored = Engine(tmp_path / "new", clock)
    try:
        assert [restored.run(question) for question in QUESTIONS] == known
        assert all(row[1] == "ok" for row in restored.run("SELECT voltstream_verify()"))
    finally:
        restored.close()
