"""What small epochs leave out is done where it is needed."""

from __future__ import annotations

import pytest

from tests.driver import Engine, Row, bag
from voltstream.runtime.instance import DEFAULT_DATABASE

_QUERY = "SELECT a.site, b.kw, a.n + b.n AS n FROM a LEFT JOIN b ON a.id = b.id"


def _is_kept(engine: Engine) -> bool:
    return bag(engine.run("SELECT * FROM kept")) == bag(engine.run(_QUERY))


def test_rows_are_taken_back_one_for_one_and_copies_of_a_row_are_told_apart(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.run("CREATE TABLE a (id INT, site VARCHAR, n INT)")
    engine.run("CREATE TABLE b (id INT, kw DOUBLE PRECISION, n INT)")
    engine.run(f"CREATE MATERIALIZED VIEW kept AS {_QUERY}")
    dataflow = engine.instance.engine(DEFAULT_DATABASE)._books.dataflow
    asked: list[str] = []
    ask = dataflow.ask
    assert ask is not None

    def noted(sql: str) -> list[Row]:
        asked.append(sql)
        return ask(sql)

    monkeypatch.setattr(dataflow, "ask", noted)
    engine.run("INSERT INTO a VALUES (1, NULL, 1), (2, 'south', 2)")
    engine.run("INSERT INTO a VALUES (3, 'west', 3)")  # Its second epoch is sampled.
    engine.run("INSERT INTO b VALUES (1, 1.5, 1), (3, NULL, NULL)")
    assert _is_kept(engine) and asked
    engine.run("UPDATE a SET n = 5 WHERE id = 1")
    assert _is_kept(engine)
    engine.run("INSERT INTO a SELECT * FROM a")  # Every row is there twice now.
    count = len(asked)
    engine.run("INSERT INTO b VALUES (1, 1.5, 1)")
    engine.run("UPDATE b SET kw = 2 WHERE id = 1")  # Equal rows change: found by their keys again.
    assert _is_kept(engine) and len(asked) > count
    engine.run("DELETE FROM a WHERE n = 2")
    engine.run("DELETE FROM b")
    assert _is_kept(engine)


def test_a_value_that_cannot_be_computed_is_told_of_once(engine: Engine) -> None:
    engine.run("CREATE TABLE reads (meter VARCHAR, kwh INT, hours INT)")
    engine.run("CREATE MATERIALIZED VIEW power AS SELECT meter, kwh / hours AS kw FROM reads")
    engine.run("INSERT INTO reads VALUES ('a', 6, 2)")
    assert engine.run("SELECT count(*) FROM dead_letters") == [(0,)]
    for meter in ("b", "c"):  # First by an epoch that is begun again, then by one that tries.
        engine.run(f"INSERT INTO reads VALUES ('{meter}', 6, 0), ('{meter}{meter}', 6, 3)")
    assert bag(engine.run("SELECT * FROM power")) == bag(
        [("a", 3), ("b", None), ("bb", 2), ("c", None), ("cc", 2)]
    )
    assert engine.run("SELECT count(*) FROM dead_letters") == [(2,)]
