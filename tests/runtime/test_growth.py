"""What an operator reads for a change does not grow with what it keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.core.clock import ManualClock

VIEWS = {
    "aggregate": "SELECT at, site, count(*) AS n, sum(kw) AS kw FROM r GROUP BY at, site",
    "extremes": "SELECT at, site, min(kw) AS low, max(kw) AS high FROM r GROUP BY at, site",
    "listed": "SELECT at, string_agg(site::varchar, ',' ORDER BY kw) AS sites FROM r GROUP BY at",
    "counted": "SELECT at, count(DISTINCT site) AS n FROM r GROUP BY at",
    "tumbled": "SELECT window_start, site, avg(kw) AS kw FROM TUMBLE(r, at, INTERVAL '2 seconds') "
    "GROUP BY window_start, site",
    "hopped": "SELECT window_start, sum(kw) AS kw FROM "
    "HOP(r, at, INTERVAL '1 second', INTERVAL '2 seconds') GROUP BY window_start",
    "distinct_rows": "SELECT DISTINCT at, site FROM r",
    "union_rows": "SELECT at FROM r UNION SELECT at FROM q",
    "common": "SELECT at FROM r INTERSECT SELECT at FROM q",
    "without": "SELECT at FROM r EXCEPT SELECT at FROM q",
    "inner_join": "SELECT r.at, r.kw, q.kw AS other FROM r JOIN q ON q.at = r.at",
    "left_join": "SELECT r.at, r.kw, q.kw AS other FROM r LEFT JOIN q ON q.at = r.at",
    "full_join": "SELECT r.at, r.kw, q.kw AS other FROM r FULL JOIN q ON q.at = r.at",
    "semi_join": "SELECT r.at FROM r WHERE EXISTS (SELECT 1 FROM q WHERE q.at = r.at)",
    "anti_join": "SELECT r.at FROM r WHERE NOT EXISTS (SELECT 1 FROM q WHERE q.at = r.at)",
    "distinct_on": "SELECT DISTINCT ON (at) at, site, kw FROM r ORDER BY at, kw DESC",
    "top": "SELECT at, site, kw FROM r ORDER BY at LIMIT 10",
    "top_of_group": "SELECT at, kw FROM (SELECT at, kw, row_number() OVER (PARTITION BY at "
    "ORDER BY kw DESC) AS n FROM r) q WHERE n <= 3",
    "over": "SELECT at, kw, lag(kw) OVER (PARTITION BY date_trunc('minute', at) ORDER BY at) AS "
    "earlier FROM r",
    "sessions": "SELECT window_start, window_end, count(*) AS n FROM SESSION((SELECT at, "
    "date_trunc('minute', at) AS m FROM r), m, at, INTERVAL '5 seconds') "
    "GROUP BY m, window_start, window_end",
    "in_session": "SELECT at, count(*) OVER (PARTITION BY date_trunc('minute', at) ORDER BY at "
    "SESSION WITH GAP INTERVAL '5 seconds') AS n FROM r",
    "computed_key": "SELECT r.at, q.kw AS other FROM r JOIN q "
    "ON q.at + INTERVAL '1 second' = r.at - INTERVAL '1 second'",
    "asof": "SELECT r.at, q.kw AS other FROM r ASOF LEFT JOIN q ON q.minute = r.minute "
    "AND r.at >= q.at",
    "filled": "SELECT at, site, kw FROM GAP_FILL(r, at, INTERVAL '30 seconds', SERIES(site), "
    "LOCF(kw))",
    "steps": "SELECT at, kw FROM r WHERE at >= date_trunc('minute', NOW()) - INTERVAL '9 minutes'",
    "sessions_of_sites": "SELECT site, window_start, count(*) AS n FROM "
    "SESSION(r, site, at, INTERVAL '5 seconds') GROUP BY site, window_start, window_end",
    "latest": "SELECT DISTINCT ON (site) site, at, kw FROM r ORDER BY site, at DESC",
    "top_of_site": "SELECT at, kw FROM (SELECT at, kw, row_number() OVER (PARTITION BY site "
    "ORDER BY at DESC) AS n FROM r) q WHERE n <= 3",
    "recent": "SELECT at, kw FROM r WHERE at > NOW() - INTERVAL '10 minutes'",
}
# Where the first row of a partition goes, the next one is looked for among all of it.
ONLY_ADDED = {"latest", "top_of_site"}
START = datetime(2026, 1, 1, tzinfo=UTC)
ROW_GROUP = 122_880
SMALL = (ROW_GROUP + 20_000) // 2
MORE = 4 * ROW_GROUP // 8
CHANGED = 100
SLACK = 3 * ROW_GROUP  # Groups in which a change happens to lie. One state read whole is four.

Measured = dict[str, int]


def rows(relation: str, first: int, count: int) -> str:
    return (
        f"INSERT INTO {relation} SELECT TIMESTAMPTZ '2026-01-01 00:00:00+00' + i * INTERVAL "
        f"'1 second', i % 97, i % 1000, date_trunc('minute', TIMESTAMPTZ '2026-01-01 00:00:00+00' "
        f"+ i * INTERVAL '1 second') FROM generate_series({first}, {first + count - 1}) t(i)"
    )


def loaded(engine: Engine, clock: ManualClock, first: int, count: int, chunks: int) -> int:
    for _ in range(chunks):
        engine.run(f"BEGIN; {rows('r', first, count)}; {rows('q', first, count)}; COMMIT")
        first += count
        clock.advance(count)
    return first


def scanned(engine: Engine) -> Measured:
    found = engine.run(
        "SELECT name, sum(rows_scanned)::bigint FROM rw_operator_costs GROUP BY name"
    )
    return {str(name): int(str(count)) for name, count in found}


def measured(engine: Engine, sql: str) -> Measured:
    before = scanned(engine)
    engine.run(sql)
    return {name: count - before.get(name, 0) for name, count in scanned(engine).items()}


def since(first: int) -> str:
    return f"at >= TIMESTAMPTZ '2026-01-01 00:00:00+00' + {first} * INTERVAL '1 second'"


def session(folder: Path, clock: ManualClock, end: int) -> tuple[Measured, Measured]:
    """Return what each view reads for new rows, and for rows that change and go.

    Counting starts anew with the process, and the first two epochs of a view are counted.
    """
    engine = Engine(folder, clock)
    try:
        added = measured(
            engine, f"BEGIN; {rows('r', end, CHANGED)}; {rows('q', end, CHANGED)}; COMMIT"
        )
        changed = measured(
            engine,
            f"BEGIN; UPDATE r SET kw = kw + 7 WHERE {since(end)}; "
            f"DELETE FROM q WHERE {since(end + CHANGED // 2)}; COMMIT",
        )
        engine.run(
            f"BEGIN; DELETE FROM r WHERE {since(end)}; DELETE FROM q WHERE {since(end)}; COMMIT"
        )
    finally:
        engine.close()
    return added, changed


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Measured]]:
    folder = tmp_path_factory.mktemp("growth")
    clock = ManualClock()
    clock.set(START)
    engine = Engine(folder, clock)
    for name in ("r", "q"):
        engine.run(
            f"CREATE TABLE {name} (at TIMESTAMPTZ PRIMARY KEY, site INTEGER, kw INTEGER, "
            "minute TIMESTAMPTZ)"
        )
    for name, query in VIEWS.items():
        engine.run(f"CREATE MATERIALIZED VIEW {name} AS {query}")
    end = loaded(engine, clock, 0, SMALL, 2)
    engine.close()
    found = [session(folder, clock, end)]
    engine = Engine(folder, clock)
    end = loaded(engine, clock, end, MORE, 8)
    engine.close()
    found.append(session(folder, clock, end))
    return {"added": [one[0] for one in found], "changed": [one[1] for one in found]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("view", "change"),
    [
        (view, change)
        for view in VIEWS
        for change in ("added", "changed")
        if change == "added" or view not in ONLY_ADDED
    ],
)
def test_rows_read_for_a_change_do_not_grow_with_the_state(
    view: str, change: str, reads: dict[str, list[Measured]]
) -> None:
    small, large = (one[view] for one in reads[change])
    assert large <= small * 1.2 + SLACK
    # New rows alone may be told from all others by bounds; what is taken back is looked for.
    assert any(one[view] for ones in reads.values() for one in ones)
