"""Where rows lie shows in no answer: hot, in files here or elsewhere, with holes, late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.driver import Engine, bag
from voltstream.core.clock import ManualClock
from voltstream.runtime import compaction, jobs
from voltstream.store import columnstore

QUESTIONS = (
    "SELECT * FROM {t}",
    "SELECT count(*), count(cp), min(v), max(at) FROM {t}",
    "SELECT * FROM {t} WHERE cp = 'cp3' AND at >= '2026-01-03' AND at < '2026-01-04'",
    "SELECT at, v FROM {t} WHERE cp = 'cp1' AND con = 2 AND at BETWEEN '2026-01-02 03:00+00' "
    "AND TIMESTAMPTZ '2026-01-04 04:00+02'",
    "SELECT * FROM {t} WHERE cp IS NULL AND v > 10",
    "SELECT cp, con, sum(v) FROM {t} WHERE at > now() - INTERVAL '9 days' GROUP BY cp, con",
    "SELECT count(*) FROM {t} WHERE cp <> ALL (ARRAY['cp0', 'cp2'])",
    "SELECT count(*) FROM {t} WHERE cp > 'cp2' OR con = 1",
    "SELECT * FROM {t} WHERE v = 12.5 AND state = 'Charging'",
    "SELECT cp, first(v, at), last(v, at) FROM {t} GROUP BY cp",
    "SELECT cp, histogram(v, 0, 60, 3) FROM {t} WHERE con = 1 GROUP BY cp",
    "SELECT time_bucket('1 day', at, 'Europe/Berlin') AS d, cp, delta(counter_agg(at, v)), "
    "num_resets(counter_agg(at, v)), average(time_weight('Linear', at, v)) FROM {t} GROUP BY d, cp",
    "SELECT cp, delta(rollup(c)), approx_percentile(0.9, rollup(p)) FROM (SELECT cp, "
    "time_bucket('6 hours', at) AS b, counter_agg(at, v) AS c, percentile_agg(v) AS p "
    "FROM {t} GROUP BY cp, b) AS q GROUP BY cp",
    "SELECT cp, duration_in(state_agg(at, state), 'Charging') FROM {t} WHERE con = 1 GROUP BY cp",
    "SELECT time_bucket_gapfill('6 hours', at) AS b, cp, locf(avg(v)), interpolate(max(v)) "
    "FROM {t} WHERE at >= '2026-01-01' AND at < '2026-01-09' GROUP BY b, cp",
    "SELECT s.name, count(*), max(m.v) - min(m.v) FROM sessions AS s JOIN {t} AS m ON m.cp = s.cp "
    "AND m.at >= s.began AND m.at < s.ended WHERE m.at < '2026-01-05' GROUP BY s.name",
    "SELECT * FROM (SELECT at AS a, cp AS c, v FROM {t} WHERE con = 1) AS q WHERE c = 'cp2' "
    "AND a < '2026-01-03'",
    "SELECT DISTINCT ON (cp) cp, at, v FROM {t} ORDER BY cp, at DESC, v",
    "SELECT cp, at, v - lag(v) OVER (PARTITION BY cp, con ORDER BY at, v) AS step FROM {t}",
    "SELECT count(*) FROM {t} AS a WHERE EXISTS (SELECT 1 FROM {t} AS b WHERE b.cp = a.cp "
    "AND b.at = a.at + INTERVAL '4 hours')",
)
CHANGES = (
    "INSERT INTO {t} VALUES ('2026-01-02 01:07+00', 'cp1', 1, 99.25, 'Charging'), "
    "('2026-01-02 01:08:00.123456+00', NULL, 2, NULL, NULL)",
    "UPDATE {t} SET v = v + 1 WHERE cp = 'cp2' AND at < '2026-01-02'",
    "DELETE FROM {t} WHERE cp = 'cp3' AND at >= '2026-01-03 12:00+00' AND v > 20",
)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    # So that a chunk is several files of several row groups.
    monkeypatch.setattr(compaction, "CHUNK_FILE_ROWS_MAX", 60)
    monkeypatch.setattr(columnstore, "GROUP", 16)
    monkeypatch.setattr(jobs, "_LOOK_S", 3_600.0)  # Jobs run when the test says so.
    clock = ManualClock()
    clock.set(datetime(2026, 1, 10, tzinfo=UTC))
    running = Engine(tmp_path / "data", clock, tier=str(tmp_path / "tier"))
    columns = "(at TIMESTAMPTZ NOT NULL, cp TEXT, con INTEGER, v DOUBLE PRECISION, state TEXT)"
    running.run(
        f"CREATE TABLE plain {columns}; CREATE TABLE parted {columns} WITH (tsdb.hypertable, "
        "tsdb.segmentby = 'cp, con', tsdb.chunk_interval = '2 days'); "
        "CREATE TABLE sessions (name TEXT, cp TEXT, began TIMESTAMPTZ, ended TIMESTAMPTZ); "
        "INSERT INTO sessions VALUES ('a', 'cp1', '2026-01-02', '2026-01-03 07:00+00'), "
        "('b', 'cp2', '2026-01-04 02:00+00', '2026-01-06')"
    )
    for name in ("plain", "parted"):
        running.run(
            f"INSERT INTO {name} SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL "
            "'20 minutes' + n % 7 * INTERVAL '1 millisecond', CASE WHEN n % 11 > 0 THEN 'cp' || "
            "n % 5 END, n % 2 + 1, n * 7 % 53 + 0.5, CASE WHEN n % 4 = 0 THEN 'Charging' ELSE "
            "'Available' END FROM generate_series(0, 449) AS n"
        )
    yield running
    running.close()


def _compare(engine: Engine, where: str) -> None:
    """Ask each question as one that was asked before, which has a plan, and as a new one."""
    for question in QUESTIONS:
        wanted = bag(engine.run(question.replace("{t}", "plain")))
        asked = question.replace("{t}", "parted")
        for text in (asked, asked, asked) if where == "hot" else (asked, f"{asked} -- {where}"):
            assert bag(engine.run(text)) == wanted, f"{text} {where}"


def _files(engine: Engine) -> list[int]:
    reader = engine.instance.engine("volt").reader()
    try:
        return [int(n) for (n,) in reader.rows("SELECT count(*) FROM _vs.parts GROUP BY chunk")]
    finally:
        reader.close()


def test_every_question_wherever_rows_lie(engine: Engine) -> None:
    _compare(engine, "hot")
    engine.run(
        "SELECT count(compress_chunk(c)) FROM show_chunks('parted', older_than => "
        "TIMESTAMPTZ '2026-01-04') AS c"
    )
    assert max(_files(engine)) > 1
    _compare(engine, "half in files")
    engine.run("SELECT count(compress_chunk(c)) FROM show_chunks('parted') AS c")
    _compare(engine, "in files")
    for change in CHANGES:
        for name in ("plain", "parted"):
            engine.run(change.replace("{t}", name))
    _compare(engine, "changed")
    engine.run(
        "SELECT count(tier_chunk(c)) FROM show_chunks('parted', older_than => "
        "TIMESTAMPTZ '2026-01-06') AS c"
    )
    engine.instance.engine("volt").jobs.run_due()
    assert engine.run(
        "SELECT count(*) FROM timescaledb_information.chunks WHERE chunk_tablespace IS NOT NULL"
    ) == [(2,)]
    _compare(engine, "elsewhere")
