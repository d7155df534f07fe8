"""Views over a hypertable: filled piece by piece, and opened only where they can have a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.driver import Engine, bag
from voltstream.core.clock import ManualClock
from voltstream.runtime import backfill
from voltstream.store import hypertable
from voltstream.store.chunk import Part

MAINTAINED = (
    "SELECT at, cp, v FROM {t} WHERE con = 1 AND v > 12",
    "SELECT time_bucket('1 day', at) AS day, cp, count(*) AS n, sum(v) AS s, min(v) AS low, "
    "max(v) AS high FROM {t} GROUP BY day, cp",
    "SELECT cp, max(at) AS latest, count(DISTINCT con) AS cons FROM {t} GROUP BY cp",
    "SELECT DISTINCT con, cp FROM {t}",
    "SELECT DISTINCT ON (cp) cp, at, v FROM {t} ORDER BY cp, at DESC, v",
    "SELECT cp, at, v - lag(v) OVER (PARTITION BY cp, con ORDER BY at, v) AS step FROM {t}",
    "SELECT * FROM (SELECT cp, at, v, row_number() OVER (PARTITION BY cp ORDER BY v DESC, at) AS r "
    "FROM {t}) AS q WHERE r <= 3",
    "SELECT a.cp, a.at, s.name FROM {t} AS a JOIN sessions AS s ON s.cp = a.cp AND a.at >= s.began",
    "SELECT a.at, b.v FROM {t} AS a JOIN {t} AS b ON a.cp = b.cp AND a.at = b.at",
    "SELECT cp, delta(counter_agg(at, v)) AS d FROM {t} GROUP BY cp",
    "SELECT cp, count(*) AS n FROM {t} WHERE at > now() - INTERVAL '7 days' GROUP BY cp",
)
CHANGES = (
    "INSERT INTO {t} VALUES ('2026-01-02 01:07+00', 'cp1', 1, 99.25), "
    "('2026-01-09 01:08+00', 'cp7', 2, NULL)",
    "DELETE FROM {t} WHERE cp = 'cp3' AND at >= '2026-01-03 12:00+00' AND v > 20",
    "UPDATE {t} SET v = v - 40 WHERE cp = 'cp2' AND at < '2026-01-02'",
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    clock = ManualClock()
    clock.set(datetime(2026, 1, 10, tzinfo=UTC))
    running = Engine(tmp_path / "data", clock)
    columns = "(at TIMESTAMPTZ NOT NULL, cp TEXT, con INTEGER, v DOUBLE PRECISION)"
    running.run(
        f"CREATE TABLE plain {columns}; CREATE TABLE parted {columns} WITH (tsdb.hypertable, "
        "tsdb.segmentby = 'cp', tsdb.chunk_interval = '1 day'); "
        "CREATE TABLE sessions (name TEXT, cp TEXT, began TIMESTAMPTZ); "
        "INSERT INTO sessions VALUES ('a', 'cp1', '2026-01-02'), ('b', 'cp2', '2026-01-04')"
    )
    for name in ("plain", "parted"):
        running.run(
            f"INSERT INTO {name} SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL "
            "'30 minutes', CASE WHEN n % 11 > 0 THEN 'cp' || n % 5 END, n % 2 + 1, "
            "n * 7 % 53 + 0.5 FROM generate_series(0, 299) AS n"
        )
    running.run(
        "SELECT compress_chunk(c) FROM show_chunks('parted', older_than => "
        "TIMESTAMPTZ '2026-01-06') c"
    )
    yield running
    running.close()


def test_a_view_filled_in_pieces_is_the_view_filled_at_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "BACKFILL_PIECE_ROWS", 60)
    monkeypatch.setattr(backfill, "BACKFILL_PIECES_MAX", 100)
    filled: list[int] = []
    cut: Callable[..., list[str]] = backfill._pieces

    def counted(*given: object) -> list[str]:
        pieces = cut(*given)
        filled.append(len(pieces))
        return pieces

    monkeypatch.setattr(backfill, "_pieces", counted)
    engine.run("DELETE FROM parted WHERE cp = 'cp4' AND v < 10")  # Makes holes in files.
    engine.run("DELETE FROM plain WHERE cp = 'cp4' AND v < 10")
    for number, query in enumerate(MAINTAINED):
        engine.run(f"CREATE MATERIALIZED VIEW v{number} AS {query.replace('{t}', 'parted')}")
    # The others find old rows in the hypertable itself, which must then be seen whole.
    assert filled.count(4) == 5
    assert filled.count(0) == len(MAINTAINED) - 5
    _compare(engine, "filled")
    for change in CHANGES:
        for name in ("plain", "parted"):
            engine.run(change.replace("{t}", name))
        _compare(engine, change)


def _compare(engine: Engine, after: str) -> None:
    for number, query in enumerate(MAINTAINED):
        wanted = bag(engine.run(query.replace("{t}", "plain")))
        assert bag(engine.run(f"SELECT * FROM v{number}")) == wanted, f"{query} after {after}"


# --- plain views: which files are opened --------------------------------------------------------

PLAIN = {
    "renamed": "SELECT at AS instant, cp AS charger, v FROM {t} WHERE con = 1",
    "starred": "SELECT * FROM {t}",
    "stacked": "SELECT instant, v FROM {renamed}",
    "days": "SELECT time_bucket('1 day', at) AS day, cp, sum(v) AS s FROM {t} GROUP BY day, cp",
    "zoned": "SELECT time_bucket('1 day', at, 'Europe/Berlin') AS day, count(*) AS n FROM {t} "
    "GROUP BY 1 HAVING count(*) > 1",
    "both": "SELECT at, v FROM {t} WHERE con = 1 UNION ALL SELECT at, -v FROM {t} WHERE con = 2",
    "latest": "SELECT cp, max(at) AS at FROM {t} GROUP BY cp",
    "newest": "SELECT at, cp FROM {t} ORDER BY at DESC LIMIT 5",
    "labelled": "SELECT a.at, s.name FROM {t} AS a JOIN sessions AS s ON s.cp = a.cp",
}
# A question, and how many of the five compressed days it may open.
ASKED = (
    ("SELECT * FROM {renamed} WHERE instant >= '2026-01-03' AND instant < '2026-01-04'", 1),
    ("SELECT count(*) FROM {renamed} AS r WHERE r.instant < '2026-01-02' AND charger = 'cp1'", 1),
    ("SELECT * FROM {starred} WHERE at BETWEEN '2026-01-02 10:00+00' AND '2026-01-03 10:00+00'", 2),
    ("SELECT x.a FROM {starred} AS x(a, c) WHERE x.c = 'cp1'", 5),
    ("SELECT * FROM {stacked} WHERE instant >= '2026-01-05 12:00+00'", 1),
    ("SELECT sum(v) FROM {stacked}", 5),
    ("SELECT * FROM {days} WHERE day >= '2026-01-05'", 1),
    ("SELECT * FROM {days} WHERE day = '2026-01-02'", 3),  # A bucket may lie two days wide.
    ("SELECT * FROM {zoned} WHERE day >= '2026-01-05'", 1),
    ("SELECT * FROM {both} WHERE at < '2026-01-02'", 2),  # One in each half.
    ("SELECT * FROM {latest} WHERE at < '2026-01-02'", 5),
    ("SELECT * FROM {newest} WHERE at < '2026-01-02'", 5),
    ("SELECT * FROM {labelled} WHERE at >= '2026-01-05'", 1),
    ("SELECT r.instant, s.v FROM {renamed} AS r JOIN {starred} AS s ON s.at = r.instant "
     "WHERE r.instant < '2026-01-02' AND s.at < '2026-01-03'", 3),
    ("WITH q AS (SELECT * FROM {renamed} WHERE instant < '2026-01-02') SELECT count(*) FROM q", 1),
    ("SELECT count(*) FROM sessions WHERE EXISTS (SELECT 1 FROM {renamed} AS r WHERE "
     "r.charger = sessions.cp AND r.instant >= '2026-01-05')", 1),
)  # fmt: skip


def test_a_plain_view_opens_the_files_that_can_have_a_row(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for table in ("plain", "parted"):
        names = {name: f"{table}_{name}" for name in PLAIN}
        for name, query in PLAIN.items():
            text = query.format(t=table, **names)
            engine.run(f"CREATE VIEW {table}_{name} AS {text}")
    opened: list[int] = []
    cold: Callable[..., list[str]] = hypertable.cold_sql

    def counted(
        folder: Path, columns: object, parts: list[Part], *rest: object, **more: bool
    ) -> list[str]:
        opened.append(len(parts))
        return cold(folder, columns, parts, *rest, **more)

    wrong: list[str] = []
    for question, files in ASKED:
        of = {
            table: question.format(**{name: f"{table}_{name}" for name in PLAIN})
            for table in ("plain", "parted")
        }
        wanted = bag(engine.run(of["plain"]))
        for again in range(3):  # The third time its plan is known.
            with monkeypatch.context() as patched:
                patched.setattr(hypertable, "cold_sql", counted)
                opened.clear()
                found = bag(engine.run(of["parted"]))
            assert found == wanted, question
            if sum(opened) != files:
                wrong.append(f"{question}: opened {opened}, not {files}; {again}")
    assert not wrong
