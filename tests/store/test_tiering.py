"""Chunks in a remote store: the same answers, a bounded cache, and what a lost store breaks."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from tests.driver import Engine
from voltstream.core.clock import ManualClock
from voltstream.core.errors import InvalidParameter, StorageFault
from voltstream.store.remote import Remote
from voltstream.store.tiered import TieredFiles

QUESTIONS = (
    "SELECT count(*), sum(v) FROM h",
    "SELECT * FROM h WHERE cp = 'cp1' ORDER BY at, v",
    "SELECT cp, max(v) FROM h WHERE at < '2026-01-02' GROUP BY cp ORDER BY cp",
    "SELECT * FROM daily ORDER BY day, cp",
)


@pytest.fixture
def clock() -> ManualClock:
    made = ManualClock()
    made.set(datetime(2026, 1, 10, tzinfo=UTC))
    return made


def filled(engine: Engine) -> list[list[tuple[object, ...]]]:
    engine.run(
        "CREATE TABLE h (at TIMESTAMPTZ NOT NULL, cp TEXT NOT NULL, v DOUBLE PRECISION) "
        "WITH (tsdb.hypertable, tsdb.segmentby = 'cp', tsdb.chunk_interval = '1 day')"
    )
    engine.run(
        "INSERT INTO h SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '20 minutes', "
        "'cp' || n % 3, n / 8.0 FROM generate_series(0, 299) AS n"
    )
    engine.run(
        "CREATE MATERIALIZED VIEW daily WITH (timescaledb.continuous) AS "
        "SELECT time_bucket('1 day', at) AS day, cp, sum(v) AS s FROM h GROUP BY day, cp"
    )
    return [engine.run(question) for question in QUESTIONS]


def tier_all(engine: Engine, before: str) -> None:
    engine.run(
        f"SELECT tier_chunk(c) FROM show_chunks('h', older_than => '{before}'::timestamptz) c"
    )
    engine.instance.engine("volt").jobs.run_due()


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("volt/*/*.parquet"))


def test_a_wrong_secret_is_refused_and_not_told(
    tmp_path: Path, seaweed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "one.parquet"
    file.write_bytes(b"rows")
    right = Remote(seaweed, "volt")
    right.put("1/one.parquet", file)
    assert right.size("1/one.parquet") == 4
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    with pytest.raises(StorageFault) as caught:
        Remote(seaweed, "volt").put("1/two.parquet", file)
    assert "another-secret" not in str(caught.value)


@pytest.mark.parametrize("kind", ["directory", "s3", "seaweedfs"])
def test_tiered_chunks_answer_as_before(
    tmp_path: Path, clock: ManualClock, kind: str, request: pytest.FixtureRequest
) -> None:
    servers = {"s3": "bucket", "seaweedfs": "seaweed"}
    url = str(tmp_path / "tier")
    if kind in servers:
        url = request.getfixturevalue(servers[kind])
    engine = Engine(tmp_path / "data", clock, tier=url)
    try:
        known = filled(engine)
        tier_all(engine, "2026-01-04")
        tiered = engine.run(
            "SELECT count(*) FROM timescaledb_information.chunks "
            "WHERE chunk_tablespace = 'object_store'"
        )
        assert tiered == [(3,)]
        assert [engine.run(question) for question in QUESTIONS] == known
        engine.run("UPDATE h SET v = v + 1 WHERE at = '2026-01-01 00:20+00'")
        engine.run("UPDATE h SET v = v - 1 WHERE at = '2026-01-01 00:20+00'")
        assert [engine.run(question) for question in QUESTIONS] == known
        engine.run("CALL untier_chunk('_timescaledb_internal._hyper_1_1_chunk')")
        assert [engine.run(question) for question in QUESTIONS] == known
        clock.advance(86_400.0)
        engine.instance.engine("volt").jobs.round()
    finally:
        engine.close()
    again = Engine(tmp_path / "data", clock, tier=url)
    try:
        assert [again.run(question) for question in QUESTIONS] == known
        again.run("SELECT drop_chunks('h', older_than => '2026-01-03'::timestamptz)")
        clock.advance(86_400.0)
        again.instance.engine("volt").jobs.round()
        assert again.run("SELECT count(*) FROM h") == [(300 - 144,)]
    finally:
        again.close()
    if kind == "directory":
        assert len(parts(tmp_path / "tier")) == 1
    else:
        listed = obstore.list(S3Store("chunks", client_options={"allow_http": True})).collect()
        assert len(listed) == 1


def test_a_lost_store_breaks_only_what_needs_it(tmp_path: Path, clock: ManualClock) -> None:
    engine = Engine(tmp_path / "data", clock, tier=str(tmp_path / "tier"))
    try:
        filled(engine)
        tier_all(engine, "2026-01-03")
        shutil.rmtree(tmp_path / "tier")
        shutil.rmtree(tmp_path / "data" / "volt" / "cache", ignore_errors=True)
        with pytest.raises(StorageFault, match="cannot read"):
            engine.run("SELECT count(*) FROM h WHERE v > 3")
        assert engine.run("SELECT count(*) FROM h WHERE at >= '2026-01-03'") == [(156,)]
        assert engine.run("SELECT count(*) FROM daily") == [(15,)]
        engine.run("INSERT INTO h VALUES ('2026-01-01 12:00+00', 'cp9', 1)")
        assert engine.run("SELECT sum(s) FROM daily WHERE cp = 'cp9'") == [(1.0,)]
    finally:
        engine.close()
    again = Engine(tmp_path / "data", clock)  # It starts without its store, too.
    try:
        assert again.run("SELECT count(*) FROM h WHERE at >= '2026-01-03'") == [(156,)]
    finally:
        again.close()


def test_the_cache_keeps_what_was_read_last_within_its_bound(tmp_path: Path) -> None:
    remote = Remote(str(tmp_path / "tier"))
    for name in ("1/a.parquet", "1/b.parquet", "1/c.parquet"):
        remote.write(name, b"x" * 1000)
    files = TieredFiles(remote, tmp_path / "cache", 2_100)
    for name in ("1/a.parquet", "1/b.parquet", "1/a.parquet", "1/c.parquet"):
        assert files.local(name).read_bytes() == b"x" * 1000
        time.sleep(0.01)
    assert sorted(path.name for path in (tmp_path / "cache" / "1").iterdir()) == [
        "a.parquet",
        "c.parquet",
    ]


def test_messages_hold_no_credentials(bucket: str) -> None:
    with pytest.raises(StorageFault) as missing:
        Remote(bucket).read("1/none.parquet")
    with pytest.raises(InvalidParameter) as refused:
        Remote("s3://key:hidden-secret@chunks/x")
    told = f"{missing.value.message}{missing.value.hint}{refused.value.message}"
    assert "hidden-secret" not in told


def test_tiering_without_a_store_says_what_to_do(tmp_path: Path, clock: ManualClock) -> None:
    engine = Engine(tmp_path / "data", clock)
    try:
        filled(engine)
        with pytest.raises(StorageFault) as refused:
            engine.run("SELECT tier_chunk(c) FROM show_chunks('h') c")
        assert "tier=" in (refused.value.hint or "")
    finally:
        engine.close()
