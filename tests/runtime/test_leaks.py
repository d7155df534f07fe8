"""When everything is deleted, nothing that a view kept is left: one view for each operator."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.driver import Engine
from tests.property.test_views import left_behind
from voltstream.core.clock import ManualClock

VIEWS = {
    "filtered": "SELECT id, kw + 1 AS more FROM r WHERE kw > 2",
    "inner_join": "SELECT r.id, q.kw FROM r JOIN q USING (site)",
    "left_join": "SELECT r.id, q.kw FROM r LEFT JOIN q ON q.site = r.site AND q.kw > 1",
    "right_join": "SELECT r.id, q.kw FROM r RIGHT JOIN q ON q.site = r.site",
    "full_join": "SELECT r.id, q.kw FROM r FULL JOIN q ON q.site = r.site AND q.kw < r.kw",
    "cross_join": "SELECT r.id, q.kw FROM r CROSS JOIN q",
    "null_safe_join": "SELECT r.id FROM r JOIN q ON q.site IS NOT DISTINCT FROM r.site",
    "self_join": "SELECT a.id, b.id AS other FROM r a JOIN r b ON a.site = b.site",
    "three_way": "SELECT r.id FROM r JOIN q USING (site) JOIN r s ON s.kw = q.kw",
    "interval_join": "SELECT r.id FROM r JOIN q ON r.at BETWEEN q.at AND q.at + INTERVAL '1 hour'",
    "semi_join": "SELECT id FROM r WHERE site IN (SELECT site FROM q)",
    "anti_join": "SELECT id FROM r WHERE NOT EXISTS (SELECT 1 FROM q WHERE q.site = r.site)",
    "not_in": "SELECT id FROM r WHERE kw NOT IN (SELECT kw FROM q)",
    "grouped": "SELECT site, count(*) AS n, sum(kw) AS kw, avg(heat) AS heat FROM r GROUP BY site",
    "extremes": "SELECT site, min(kw) AS low, max(heat) AS high FROM r GROUP BY site",
    "listed": "SELECT site, string_agg(id::varchar, ',' ORDER BY id) AS ids, "
    "array_agg(kw ORDER BY id) AS kws FROM r GROUP BY site",
    "spread": "SELECT site, stddev_pop(kw) AS s, percentile_cont(0.5) WITHIN GROUP (ORDER BY kw) "
    "AS m, bool_and(kw > 1) AS b FROM r GROUP BY site",
    "counted": "SELECT site, count(DISTINCT kw) AS n, sum(kw) FILTER (WHERE kw > 1) AS f FROM r "
    "GROUP BY site HAVING count(*) > 1",
    "distinct_rows": "SELECT DISTINCT site, kw FROM r",
    "united": "SELECT site FROM r UNION SELECT site FROM q",
    "all_united": "SELECT site FROM r UNION ALL SELECT site FROM q",
    "common": "SELECT site FROM r INTERSECT ALL SELECT site FROM q",
    "without": "SELECT site FROM r EXCEPT ALL SELECT site FROM q",
    "latest": "SELECT DISTINCT ON (site) site, id, kw FROM r ORDER BY site, at DESC, id",
    "first_rows": "SELECT id, kw FROM r ORDER BY kw DESC, id LIMIT 2 OFFSET 1",
    "tied": "SELECT id, kw FROM r ORDER BY kw FETCH FIRST 2 ROWS WITH TIES",
    "ranked": "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY site ORDER BY kw, id) "
    "AS n FROM r) q WHERE n <= 2",
    "windowed": "SELECT id, sum(kw) OVER (PARTITION BY site ORDER BY id ROWS BETWEEN 1 PRECEDING "
    "AND CURRENT ROW) AS s FROM r",
    "tumbled": "SELECT window_start, count(*) AS n FROM TUMBLE(r, at, INTERVAL '10 minutes') "
    "GROUP BY window_start",
    "hopped": "SELECT window_start, site, max(kw) AS kw FROM "
    "HOP(r, at, INTERVAL '5 minutes', INTERVAL '15 minutes') GROUP BY window_start, site",
    "sessions": "SELECT id, first_value(at) OVER (PARTITION BY site ORDER BY at "
    "SESSION WITH GAP INTERVAL '5 minutes') AS began FROM r",
    "recent": "SELECT id FROM r WHERE at > NOW() - INTERVAL '1 hour'",
    "opened": "SELECT id, e FROM r, generate_series(1, kw) AS e",
    "lateral_rows": "SELECT r.id, l.kw FROM r, LATERAL (SELECT kw FROM q WHERE q.site = r.site "
    "ORDER BY kw LIMIT 1) l",
    "scalar": "SELECT id, (SELECT max(kw) FROM q WHERE q.site = r.site) AS top FROM r",
    "recomputed": "SELECT id FROM r WHERE (site, kw) NOT IN (SELECT site, kw FROM q)",
    "deep": "SELECT site, count(*) AS n FROM (SELECT DISTINCT r.site, q.kw FROM r LEFT JOIN q "
    "USING (site)) d GROUP BY site",
}


def changes(engine: Engine, clock: ManualClock) -> None:
    engine.run(
        "INSERT INTO r SELECT i, chr(97 + i % 3), i % 5, i / 2.0, "
        "TIMESTAMPTZ '2026-01-01 00:00:00+00' + i * INTERVAL '3 minutes' "
        "FROM generate_series(1, 20) t(i)"
    )
    engine.run("INSERT INTO r VALUES (30, NULL, NULL, NULL, NULL)")
    engine.run(
        "BEGIN; INSERT INTO q SELECT i, chr(97 + i % 4), i % 4, "
        "TIMESTAMPTZ '2026-01-01 00:10:00+00' + i * INTERVAL '5 minutes' "
        "FROM generate_series(1, 9) t(i); UPDATE r SET kw = kw + 1 WHERE id % 2 = 0; COMMIT"
    )
    clock.advance(1_800)
    engine.run("UPDATE r SET site = 'z', heat = NULL WHERE id % 7 = 0")
    engine.run("DELETE FROM q WHERE id > 5")
    engine.run("UPDATE q SET site = NULL WHERE id = 2")
    clock.advance(7_200)
    engine.run("DELETE FROM r WHERE id < 11")
    engine.run("BEGIN; DELETE FROM r; DELETE FROM q; COMMIT")


@pytest.mark.slow
def test_no_state_is_left_when_every_row_is_deleted(tmp_path: Path) -> None:
    clock = ManualClock()
    clock.set(datetime(2026, 1, 1, 1, tzinfo=UTC))
    engine = Engine(tmp_path, clock)
    try:
        engine.run(
            "CREATE TABLE r (id INTEGER PRIMARY KEY, site VARCHAR, kw INTEGER, "
            "heat DOUBLE PRECISION, at TIMESTAMPTZ)"
        )
        engine.run(
            "CREATE TABLE q (id INTEGER PRIMARY KEY, site VARCHAR, kw INTEGER, at TIMESTAMPTZ)"
        )
        for name, query in VIEWS.items():
            engine.run(f"CREATE MATERIALIZED VIEW {name} AS {query}")
        changes(engine, clock)
        kept = {name: engine.run(f"SELECT count(*) FROM {name}")[0][0] for name in VIEWS}
        listed = engine.run("SELECT id::varchar, name FROM rw_materialized_views")
    finally:
        engine.close()
    assert set(kept.values()) == {0}
    names = {str(oid): name for oid, name in listed}
    left = {
        f"{table} of {names.get(table.split('_')[1])}": n
        for table, n in left_behind(tmp_path).items()
    }
    assert left == {}
