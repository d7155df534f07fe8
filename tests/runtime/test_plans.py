"""Queries by plan answer as queries do, and a plan ends with what it was made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.core.clock import SystemClock
from voltstream.core.errors import UndefinedTable, VoltstreamError
from voltstream.core.ports import FewRows
from voltstream.sql.lifting import lifted


@pytest.fixture
def volt(tmp_path: Path) -> Iterator[Engine]:
    driver = Engine(tmp_path, SystemClock())
    driver.run("CREATE TABLE meters (id int PRIMARY KEY, name varchar, kw double precision)")
    driver.run("INSERT INTO meters VALUES (1, 'a', 1.5), (2, 'b', NULL), (300, 'c', 0)")
    yield driver
    driver.close()


def _rows(driver: Engine, text: str, *parameters: object) -> list[tuple[object, ...]]:
    [statement] = driver.session.parse(text)
    rows = driver.session.execute(statement, parameters).rows
    assert rows is not None
    try:
        return [tuple(row.values()) for batch in rows.batches() for row in batch.to_pylist()]
    finally:
        rows.close()


def _is_planned(driver: Engine, text: str) -> bool:
    [statement] = driver.session.parse(text)
    rows = driver.session.execute(statement).rows
    assert rows is not None
    rows.close()
    return isinstance(rows, FewRows)


@pytest.mark.parametrize(
    ("text", "template", "numbers"),
    [
        ("SELECT a FROM t WHERE id = 7", "SELECT a FROM t WHERE id = $1", (7,)),
        ("SELECT a FROM t WHERE id=$1 AND b>=20", "SELECT a FROM t WHERE id=$1 AND b>=$2", (20,)),
        ("SELECT 'x = 5', \"y = 6\" -- = 7", "SELECT 'x = 5', \"y = 6\" -- = 7", ()),
        ("SELECT a FROM t WHERE f = 1.5 LIMIT 3", "SELECT a FROM t WHERE f = 1.5 LIMIT 3", ()),
        ("SELECT $$ = 5 $$, a -> 1", "SELECT $$ = 5 $$, a -> 1", ()),
    ],
)
def test_lifted(text: str, template: str, numbers: tuple[int, ...]) -> None:
    found = lifted(text)
    assert (found.template, found.values) == (template, numbers)


@pytest.mark.parametrize(
    ("text", "template", "values"),
    [
        ("SELECT a FROM t WHERE n = 'it''s'", "SELECT a FROM t WHERE n = $1", ("it's",)),
        ("SELECT a FROM t WHERE n='b' AND b>2", "SELECT a FROM t WHERE n=$1 AND b>$2", ("b", 2)),
        ("SELECT a FROM t WHERE n = 'a'::date", "SELECT a FROM t WHERE n = 'a'::date", ()),
        ("SELECT a FROM t WHERE n = E'\\n'", "SELECT a FROM t WHERE n = E'\\n'", ()),
        ("SELECT a FROM t WHERE n = 'a' 'b'", "SELECT a FROM t WHERE n = 'a' 'b'", ()),
        ("SELECT a FROM t WHERE n = 'a' || b", "SELECT a FROM t WHERE n = 'a' || b", ()),
        ("SELECT a FROM t WHERE at >= TIMESTAMPTZ '2026-01-01' AND at < '2026-02-01'::date",
         "SELECT a FROM t WHERE at >= $1::timestamptz AND at < $2::date",
         ("2026-01-01", "2026-02-01")),
        ("SELECT a FROM t WHERE at BETWEEN '2026-01-01' AND '2026-01-02' ORDER BY 1",
         "SELECT a FROM t WHERE at BETWEEN $1 AND $2 ORDER BY 1", ("2026-01-01", "2026-01-02")),
    ],
)  # fmt: skip
def test_lifted_texts(text: str, template: str, values: tuple[object, ...]) -> None:
    found = lifted(text, texts=True)
    assert (found.template, found.values) == (template, values)


def test_texts_that_are_no_texts_keep_their_own_plan(volt: Engine) -> None:
    volt.run("CREATE TABLE days (at date, note varchar)")
    volt.run("INSERT INTO days VALUES ('2026-01-01', 'new'), ('2026-01-02', 'old')")
    for day, found in (("2026-01-01", "new"), ("2026-01-02", "old"), ("2026-01-03", None)):
        rows = [(found,)] if found else []
        assert [_rows(volt, f"SELECT note FROM days WHERE at = '{day}'") for _ in range(3)] == [
            rows
        ] * 3
        assert _is_planned(volt, f"SELECT note FROM days WHERE at = '{day}'")


def test_other_numbers_other_rows(volt: Engine) -> None:
    answers = [_rows(volt, f"SELECT name, kw FROM meters WHERE id = {n}") for n in (1, 2, 300, 4)]
    assert answers == [[("a", 1.5)], [("b", None)], [("c", 0.0)], []]
    assert _is_planned(volt, "SELECT name, kw FROM meters WHERE id = 300")


def test_parameters(volt: Engine) -> None:
    text = "SELECT id FROM meters WHERE name = $1 OR kw > $2 ORDER BY id"
    for name, kw, found in (
        ("a", 9.0, [1]),
        ("b", 1.0, [1, 2]),
        ("it's", 9.0, []),
        (None, 0.5, [1]),
    ):
        assert _rows(volt, text, name, kw) == [(one,) for one in found]


def test_a_plan_ends_with_its_relations(volt: Engine) -> None:
    for _ in range(3):
        assert _rows(volt, "SELECT * FROM meters WHERE id = 1") == [(1, "a", 1.5)]
    volt.run("ALTER TABLE meters ADD COLUMN place varchar")
    assert _rows(volt, "SELECT * FROM meters WHERE id = 1") == [(1, "a", 1.5, None)]
    volt.run("DROP TABLE meters")
    with pytest.raises(UndefinedTable) as caught:
        _rows(volt, "SELECT * FROM meters WHERE id = 1")
    assert caught.value.position == 15


def test_the_search_path_is_part_of_it(volt: Engine) -> None:
    volt.run("CREATE SCHEMA other")
    volt.run("CREATE TABLE other.meters (id int PRIMARY KEY)")
    for _ in range(3):
        assert _rows(volt, "SELECT count(*) FROM meters WHERE id > 0") == [(3,)]
    volt.run("SET search_path = other")
    assert _rows(volt, "SELECT count(*) FROM meters WHERE id > 0") == [(0,)]


def test_a_block_sees_its_own_rows(volt: Engine) -> None:
    text = "SELECT count(*) FROM meters WHERE id > 0"
    assert [_rows(volt, text) for _ in range(3)] == [[(3,)]] * 3
    volt.run("BEGIN")
    volt.run("INSERT INTO meters VALUES (5, 'e', 1)")
    assert _rows(volt, text) == [(4,)]
    volt.run("ROLLBACK")
    assert _rows(volt, text) == [(3,)]


def test_now_moves_on(volt: Engine) -> None:
    seen = {_rows(volt, "SELECT CAST(now() AS varchar)")[0][0] for _ in range(4)}
    assert len(seen) > 1


def test_many_rows_come_whole(volt: Engine) -> None:
    text = "SELECT i FROM generate_series(1, 5000) AS g(i) WHERE i > 10"
    for _ in range(4):
        assert len(_rows(volt, text)) == 4990


def test_an_error_is_that_of_the_statement(volt: Engine) -> None:
    told = []
    for _ in range(3):
        with pytest.raises(VoltstreamError) as caught:
            _rows(volt, "SELECT 1 / (id - 1) FROM meters WHERE id = 1")
        told.append((caught.value.sqlstate, caught.value.message))
    assert set(told) == {("22012", "division by zero")}


@pytest.fixture
def readings(volt: Engine) -> Engine:
    volt.run(
        "CREATE TABLE readings (time timestamptz NOT NULL, cp text, v double precision) WITH "
        "(tsdb.hypertable, tsdb.segmentby = 'cp', tsdb.chunk_interval = '1 day')"
    )
    volt.run(
        "INSERT INTO readings SELECT TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '1 hour', "
        "'cp' || n % 2, n FROM generate_series(0, 71) n"
    )
    return volt


def test_a_plan_opens_the_files_of_its_values(readings: Engine) -> None:
    """One template, other values: each time the files that can have rows, as they are then."""
    text = "SELECT cp, v FROM readings WHERE cp = '{}' AND time >= '{}' AND time < '{}' ORDER BY v"

    def ask(day: int, charger: str = "cp1") -> list[object]:
        found = _rows(
            readings, text.format(charger, f"2026-01-0{day} 00:00+00", f"2026-01-0{day + 1}")
        )
        return [v for _, v in found]

    odd = [[float(n) for n in range(24 * day + 1, 24 * day + 24, 2)] for day in range(3)]
    for _ in range(3):
        assert [ask(1), ask(2), ask(3), ask(4)] == [*odd, []]
    chunks = [row[0] for row in readings.run("SELECT show_chunks('readings')")]
    readings.run(f"SELECT compress_chunk('{chunks[0]}')")
    assert [ask(1), ask(2), ask(1, "cp0")] == [*odd[:2], [n - 1 for n in odd[0]]]
    readings.run("DELETE FROM readings WHERE v = 3")
    assert ask(1) == [n for n in odd[0] if n != 3]
    readings.run("SELECT decompress_chunk(c) FROM show_chunks('readings') c")
    readings.run("INSERT INTO readings VALUES ('2026-01-01 00:30+00', 'cp1', 3)")
    assert sorted(map(str, ask(1))) == sorted(map(str, odd[0]))
    readings.run("SELECT drop_chunks('readings', older_than => TIMESTAMPTZ '2026-01-02')")
    assert [ask(1), ask(2)] == [[], odd[1]]


def test_a_question_about_a_type_ends_no_query(readings: Engine) -> None:
    """Where a hypertable exists too: its files and rows are read in one transaction."""
    for _ in range(3):
        assert _rows(readings, "SELECT 1 AS one WHERE 1 <> ALL (ARRAY[2, 3])") == [(1,)]
        text = "SELECT count(*) FROM readings WHERE cp <> ALL (ARRAY['cp0', 'x'])"
        assert _rows(readings, text) == [(36,)]


def test_texts_in_another_zone(readings: Engine) -> None:
    text = "SELECT count(*) FROM readings WHERE time < '2026-01-01 06:00'"
    readings.run("SELECT compress_chunk(c) FROM show_chunks('readings') c")
    for _ in range(3):
        assert _rows(readings, text) == [(6,)]
        readings.run("SET timezone = 'America/New_York'")
        assert _rows(readings, text) == [(11,)]
        readings.run("RESET timezone")
    for wrong in ("2026-13-01 06:00", "yesterday at noon"):
        for _ in range(2):
            with pytest.raises(VoltstreamError) as caught:
                _rows(readings, text.replace("2026-01-01 06:00", wrong))
            assert caught.value.sqlstate in ("22007", "22008")
