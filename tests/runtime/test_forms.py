"""A keyed state holds the same in every form: near its keys, by hash, as a log."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.driver import Engine, bag
from voltstream.core.clock import SystemClock
from voltstream.runtime import forms

VIEWS = {
    "latest": "SELECT DISTINCT ON (meter) meter, wh, site FROM s "
    "ORDER BY meter, wh DESC, site DESC",
    "first_of_two": "SELECT DISTINCT ON (site, meter) wh, site, meter FROM s "
    "ORDER BY site, meter, wh ASC, id DESC",
    "unordered": "SELECT DISTINCT ON (meter) meter, id FROM s",
    "extremes": "SELECT meter, min(wh) AS low, max(site) AS high, avg(wh) AS mid, count(*) AS n "
    "FROM s GROUP BY meter",
    "counted": "SELECT meter, site, count(wh) AS n, sum(wh) AS wh FROM t GROUP BY meter, site",
    "kept_sums": "SELECT sum(wh) AS wh, meter || '!' AS named FROM t GROUP BY meter",
}
METERS = 40


def rows(chance: random.Random, first: int, count: int) -> str:
    def one(number: int) -> str:
        meter = chance.choice(["NULL", *(f"'M-{chance.randrange(METERS)}'" for _ in range(9))])
        wh = chance.choice(["NULL", str(chance.randrange(5))])
        return f"({number}, {meter}, {chance.choice(['NULL', '1', '2'])}, {wh})"

    return ", ".join(one(first + i) for i in range(count))


def change(engine: Engine, chance: random.Random, number: int) -> None:
    first = 100 * number
    engine.run(f"INSERT INTO s VALUES {rows(chance, first, 12)}")
    engine.run(f"INSERT INTO t VALUES {rows(chance, first, 12)}")
    engine.run(f"UPDATE t SET wh = wh + 1 WHERE id % 7 = {chance.randrange(7)}")
    engine.run(f"DELETE FROM t WHERE id % 5 = {chance.randrange(5)}")


def check(engine: Engine) -> None:
    for name, query in VIEWS.items():
        shown = engine.run(f"SELECT * FROM {name}")
        assert bag(shown) == bag(engine.run(query)), name


def check_some(engine: Engine) -> None:
    """Ask for one key; from then on an answer may be kept, and changes are wanted."""
    key = engine.run("SELECT meter FROM s WHERE meter IS NOT NULL LIMIT 1")[0][0]
    for name, query in VIEWS.items():
        if name != "kept_sums":
            one = engine.run(f"SELECT * FROM {name} WHERE meter = '{key}'")
            assert bag(one) == bag(engine.run(f"SELECT * FROM ({query}) q WHERE meter = '{key}'"))


def found(engine: Engine) -> dict[str, str]:
    """Return the form of each view's root."""
    books = engine.instance.engine("volt")._books
    return {name: form for name, _, form in books.dataflow.forms() if name in VIEWS}


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "STATE_FOUND_NEAR_MAX", 4)
    monkeypatch.setattr(forms, "STATE_LOG_ROWS_MIN", 10)


@pytest.fixture
def folder(tmp_path: Path, small_limits: None) -> Path:
    return tmp_path / "data"


def created(folder: Path) -> Engine:
    engine = Engine(folder, SystemClock())
    engine.run("CREATE SOURCE s (id BIGINT, meter VARCHAR, site INT, wh BIGINT)")
    engine.run("CREATE TABLE t (id BIGINT PRIMARY KEY, meter VARCHAR, site INT, wh BIGINT)")
    for name, query in VIEWS.items():
        engine.run(f"CREATE MATERIALIZED VIEW {name} AS {query}")
    return engine


def test_a_view_over_a_log_shows_its_query(folder: Path) -> None:
    chance = random.Random(1)
    engine = created(folder)
    for number in range(1, 5):
        change(engine, chance, number)
        check(engine)
    # Whether an average can be computed is asked of each change, so changes must be known.
    assert found(engine) == dict.fromkeys(VIEWS, "log") | {"extremes": "hashed"}
    check_some(engine)
    change(engine, chance, 5)
    check(engine)
    check_some(engine)
    engine.close()


def test_a_log_is_found_again_after_a_kill(folder: Path) -> None:
    chance = random.Random(3)
    engine = created(folder)
    for number in range(1, 6):
        change(engine, chance, number)
        if number % 2:
            # What lies on disk before it stops is what a kill would leave.
            left = folder.with_name(f"data{number}")
            shutil.copytree(folder, left)
            engine.close()
            folder = left
            engine = Engine(folder, SystemClock())
        check(engine)
    engine.close()


def test_whoever_reads_a_views_changes_gets_them_whole(folder: Path) -> None:
    chance = random.Random(4)
    engine = created(folder)
    for number in range(1, 4):
        change(engine, chance, number)
    for name in VIEWS:
        engine.run(f"CREATE MATERIALIZED VIEW over_{name} AS SELECT *, 1 AS one FROM {name}")
    for number in range(5, 7):
        change(engine, chance, number)
        check(engine)
        for name, query in VIEWS.items():
            above = engine.run(f"SELECT * FROM over_{name}")
            assert bag(above) == bag(engine.run(f"SELECT *, 1 AS one FROM ({query}) q")), name
    assert set(found(engine).values()) == {"hashed"}
    for name in VIEWS:
        engine.run(f"DROP MATERIALIZED VIEW over_{name}")
    change(engine, chance, 9)
    check(engine)
    engine.close()


def test_a_failing_epoch_leaves_a_log_as_it_was(folder: Path) -> None:
    chance = random.Random(5)
    engine = created(folder)
    for number in range(1, 4):
        change(engine, chance, number)
    for number in range(5, 7):
        engine.run(f"BEGIN; INSERT INTO t VALUES {rows(chance, 100 * number, 30)}")
        engine.run("ROLLBACK")
        check(engine)
        change(engine, chance, number)
        check(engine)
    engine.close()


def test_nothing_is_left_of_what_goes(folder: Path) -> None:
    chance = random.Random(6)
    engine = created(folder)
    for number in range(1, 5):
        change(engine, chance, number)
    engine.run("DELETE FROM t")
    for _ in range(3):  # A group that has gone is in the log until it is folded.
        engine.run(f"INSERT INTO t VALUES {rows(chance, 9000, 30)}")
        engine.run("DELETE FROM t")
    check(engine)
    assert engine.run("SELECT * FROM counted") == []
    engine.close()
