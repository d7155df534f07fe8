"""INSERT, UPDATE, DELETE, TRUNCATE and COPY: rows, tags and what views see of them."""

from __future__ import annotations

import pytest

from tests.driver import Engine
from voltstream.core.errors import (
    BadCopyFormat,
    InvalidText,
    NotNullViolation,
    UniqueViolation,
    WrongObjectType,
)


@pytest.fixture
def cars(engine: Engine) -> Engine:
    engine.run("CREATE TABLE cars (id INTEGER PRIMARY KEY, plug VARCHAR, kwh INTEGER NOT NULL)")
    engine.run("CREATE MATERIALIZED VIEW per_plug AS SELECT plug, sum(kwh) AS kwh FROM cars "
               "GROUP BY plug")  # fmt: skip
    engine.run("INSERT INTO cars VALUES (1, 'ccs', 10), (2, 'ccs', 20), (3, 'type2', 5)")
    return engine


def tag(engine: Engine, sql: str) -> str:
    return engine.session.execute(engine.session.parse(sql)[0]).tag


def test_tags_count_rows(cars: Engine) -> None:
    assert tag(cars, "INSERT INTO cars VALUES (4, NULL, 1), (5, NULL, 2)") == "INSERT 0 2"
    assert tag(cars, "UPDATE cars SET kwh = 0 WHERE plug = 'ccs'") == "UPDATE 2"
    assert tag(cars, "DELETE FROM cars WHERE id = 99") == "DELETE 0"
    assert tag(cars, "TRUNCATE cars") == "TRUNCATE TABLE"


def test_views_follow_every_change(cars: Engine) -> None:
    view = "SELECT * FROM per_plug ORDER BY plug"
    assert cars.run(view) == [("ccs", 30), ("type2", 5)]
    cars.run("UPDATE cars SET plug = 'type2', kwh = kwh + 1 WHERE id = 2")
    assert cars.run(view) == [("ccs", 10), ("type2", 26)]
    cars.run("DELETE FROM cars WHERE id = 1")
    assert cars.run(view) == [("type2", 26)]
    cars.run("INSERT INTO cars VALUES (2, 'ccs', 7) ON CONFLICT (id) DO UPDATE SET kwh = 100")
    assert cars.run(view) == [("type2", 105)]
    cars.run("INSERT INTO cars VALUES (3, 'ccs', 7) ON CONFLICT (id) DO NOTHING")
    assert cars.run(view) == [("type2", 105)]
    cars.run("TRUNCATE cars")
    assert cars.run(view) == []


def test_a_row_takes_the_place_of_the_one_with_its_key(cars: Engine) -> None:
    view = "SELECT * FROM per_plug ORDER BY plug"
    assert tag(cars, "INSERT INTO cars VALUES (1, 'type2', 1), (4, 'ccs', 2), (1, 'ccs', 3)") == (
        "INSERT 0 3"
    )
    assert cars.run("SELECT * FROM cars WHERE id = 1") == [(1, "ccs", 3)]
    assert cars.run(view) == [("ccs", 25), ("type2", 5)]


def test_update_from_changes_a_row_once(cars: Engine) -> None:
    cars.run("CREATE TABLE more (id INTEGER, kwh INTEGER); INSERT INTO more VALUES (1, 1), (1, 1)")
    cars.run("UPDATE cars SET kwh = cars.kwh + more.kwh FROM more WHERE more.id = cars.id")
    assert cars.run("SELECT kwh FROM per_plug WHERE plug = 'ccs'") == [(31,)]


def test_delete_using(cars: Engine) -> None:
    cars.run("CREATE TABLE gone (id INTEGER); INSERT INTO gone VALUES (1), (3)")
    cars.run("DELETE FROM cars USING gone WHERE gone.id = cars.id")
    assert cars.run("SELECT * FROM per_plug") == [("ccs", 20)]


def test_returning(cars: Engine) -> None:
    assert cars.run("INSERT INTO cars VALUES (9, 'ccs', 1) RETURNING id + 1 AS next, plug") == [
        (10, "ccs")
    ]
    assert cars.run("UPDATE cars AS c SET kwh = 2 WHERE id = 9 RETURNING c.kwh") == [(2,)]
    assert cars.run("DELETE FROM cars WHERE id = 9 RETURNING *") == [(9, "ccs", 2)]


def test_a_refused_change_leaves_nothing(cars: Engine) -> None:
    cars.run("CREATE TABLE plugs (name VARCHAR UNIQUE)")
    with pytest.raises(UniqueViolation):
        cars.run("INSERT INTO plugs VALUES ('ccs'), ('ccs')")
    assert cars.run("SELECT count(*) FROM plugs") == [(0,)]
    with pytest.raises(NotNullViolation):
        cars.run("INSERT INTO cars VALUES (8, 'x', NULL)")
    with pytest.raises(InvalidText):
        cars.run("INSERT INTO cars VALUES (8, 'x', 'many')")
    assert cars.run("SELECT count(*) FROM cars") == [(3,)]
    assert cars.run("SELECT sum(kwh) FROM per_plug") == [(35,)]


def test_views_are_not_written(cars: Engine) -> None:
    with pytest.raises(WrongObjectType):
        cars.run("INSERT INTO per_plug VALUES ('x', 1)")
    with pytest.raises(WrongObjectType):
        cars.run("DELETE FROM per_plug")


def test_insert_into_a_source_arrives_as_pushed_rows(engine: Engine) -> None:
    engine.run("CREATE SOURCE beats (id INTEGER, at TIMESTAMPTZ) WITH (connector = 'none')")
    engine.run("CREATE MATERIALIZED VIEW n AS SELECT count(*) AS n FROM beats")
    assert engine.run("INSERT INTO beats (id) VALUES (1), (2) RETURNING id * 10 AS ten") == [
        (10,),
        (20,),
    ]
    assert engine.run("SELECT * FROM beats ORDER BY id") == [(1, None), (2, None)]
    assert engine.run("SELECT n FROM n") == [(2,)]


def copied(engine: Engine, statement: str, *pieces: bytes) -> str:
    copy = engine.session.execute(engine.session.parse(statement)[0]).copy_in
    assert copy is not None
    for piece in pieces:
        copy.write(piece)
    return copy.finish().tag


def test_copy_csv(cars: Engine) -> None:
    done = copied(
        cars, "COPY cars FROM STDIN (FORMAT csv, HEADER)",
        b'id,plug,kwh\n10,"a,""b""\nc",1\n11,,', b'2\n12,"",3\n',
    )  # fmt: skip
    assert done == "COPY 3"
    assert cars.run("SELECT id, plug FROM cars WHERE id >= 10 ORDER BY id") == [
        (10, 'a,"b"\nc'),
        (11, None),
        (12, ""),
    ]
    assert cars.run("SELECT kwh FROM per_plug WHERE plug IS NULL") == [(2,)]


def test_copy_text(cars: Engine) -> None:
    data = b"20\ttab\\tin\t1\n21\t\\N\t2\n\\.\n"
    assert copied(cars, "COPY cars FROM STDIN", data) == "COPY 2"
    assert cars.run("SELECT plug FROM cars WHERE id >= 20 ORDER BY id") == [("tab\tin",), (None,)]


def test_copy_refuses_what_does_not_fit(cars: Engine) -> None:
    with pytest.raises(BadCopyFormat, match="missing data for column 3"):
        copied(cars, "COPY cars FROM STDIN", b"1\ta\n")
    with pytest.raises(InvalidText):
        copied(cars, "COPY cars FROM STDIN", b"x\ta\t1\n")
    assert cars.run("SELECT count(*) FROM cars") == [(3,)]


def test_copy_out(cars: Engine) -> None:
    outcome = cars.session.execute(cars.session.parse("COPY cars (id) TO STDOUT (FORMAT csv)")[0])
    assert outcome.copy_out is not None and outcome.copy_out.format == "csv"
    assert sum(batch.num_rows for batch in outcome.copy_out.rows.batches()) == 3
    outcome.copy_out.rows.close()
