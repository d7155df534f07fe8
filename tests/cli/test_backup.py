"""Backups: consistent, incremental, restored to the same answers; damage is found."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.driver import Engine
from voltstream.cli.app import app
from voltstream.core.clock import ManualClock

QUESTIONS = ("SELECT count(*), sum(v) FROM h", "SELECT * FROM daily ORDER BY day, cp")


def made(folder: Path, tier: str | None = None) -> Engine:
    clock = ManualClock()
    clock.set(datetime(2026, 1, 10, tzinfo=UTC))
    return Engine(folder, clock, tier=tier)


def fill(engine: Engine, first: int, rows: int) -> None:
    engine.run(
        "INSERT INTO h SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '20 minutes', "
        f"'cp' || n % 3, n / 8.0 FROM generate_series({first}, {first + rows - 1}) AS n"
    )


def prepared(folder: Path, tier: str | None = None) -> Engine:
    engine = made(folder, tier)
    engine.run(
        "CREATE TABLE h (at TIMESTAMPTZ NOT NULL, cp TEXT NOT NULL, v DOUBLE PRECISION) "
        "WITH (tsdb.hypertable, tsdb.segmentby = 'cp', tsdb.chunk_interval = '1 day')"
    )
    engine.run(
        "CREATE MATERIALIZED VIEW daily AS SELECT time_bucket('1 day', at) AS day, cp, "
        "sum(v) AS s FROM h GROUP BY day, cp"
    )
    fill(engine, 0, 200)
    engine.run("SELECT compress_chunk(c) FROM show_chunks('h') c")
    return engine


def test_a_backup_is_the_database_of_its_epoch(tmp_path: Path) -> None:
    tier, target = str(tmp_path / "tier"), str(tmp_path / "backups")
    engine = prepared(tmp_path / "data", tier)
    try:
        engine.run("SELECT tier_chunk('_timescaledb_internal._hyper_1_1_chunk')")
        engine.instance.engine("volt").jobs.run_due()
        ((first, files, _, copied, _),) = engine.run(f"SELECT voltstream_backup('{target}')")
        assert copied == files
        then = [engine.run(question) for question in QUESTIONS]
        fill(engine, 200, 5)
        ((second, _, _, again, _),) = engine.run(f"SELECT voltstream_backup('{target}')")
        assert isinstance(again, int) and again <= 2, "chunk files are copied once"
        now = [engine.run(question) for question in QUESTIONS]
        assert then != now
    finally:
        engine.close()
    for epoch, known in ((first, then), (second, now)):
        folder = tmp_path / f"restored-{epoch}"
        found = CliRunner().invoke(
            app, ["restore", target, "--data", str(folder), "--epoch", str(epoch)]
        )
        assert found.exit_code == 0, found.output
        restored = made(folder)  # Without the tier: a backup has everything.
        try:
            assert [restored.run(question) for question in QUESTIONS] == known
            fill(restored, 300, 1)
            assert all(row[1] == "ok" for row in restored.run("SELECT voltstream_verify()"))
        finally:
            restored.close()
    refused = CliRunner().invoke(app, ["restore", target, "--data", str(folder)])
    assert refused.exit_code != 0


def test_verify_finds_damage(tmp_path: Path) -> None:
    target = str(tmp_path / "backups")
    engine = prepared(tmp_path / "data")
    try:
        engine.run(f"SELECT voltstream_backup('{target}')")
        one, two, *_ = sorted((tmp_path / "data").glob("volt/chunks/*/*.parquet"))
        content = bytearray(one.read_bytes())
        content[len(content) // 2] ^= 1
        one.write_bytes(content)
        two.unlink()
        states = [str(row[1]) for row in engine.run("SELECT voltstream_verify()")]
        assert sum("checksum differs" in state for state in states) == 1
        assert sum("is missing" in state for state in states) == 1
    finally:
        engine.close()
    whole = CliRunner().invoke(app, ["verify", "--backup", target])
    assert whole.exit_code == 0, whole.output
    biggest = max(
        (tmp_path / "backups" / "volt" / "files").iterdir(), key=lambda p: p.stat().st_size
    )
    biggest.write_bytes(b"\0" * biggest.stat().st_size)
    damaged = CliRunner().invoke(app, ["verify", "--backup", target])
    assert damaged.exit_code == 1
    assert "checksum differs" in damaged.output
    lost = CliRunner().invoke(
        app, ["restore", target, "--data", str(tmp_path / "new")], catch_exceptions=True
    )
    assert lost.exit_code != 0
    assert not (tmp_path / "new" / "volt" / "volt.duckdb").exists()


@pytest.mark.parametrize("target", ["ftp://x/y", "s3://key:secret@bucket"])
def test_a_target_that_is_no_store_is_refused(tmp_path: Path, target: str) -> None:
    found = CliRunner().invoke(app, ["restore", target, "--data", str(tmp_path)])
    assert found.exit_code != 0
    assert "secret" not in str(found.exception)
