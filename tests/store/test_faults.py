"""Each kind of DuckDB error has the SQLSTATE that PostgreSQL gives it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from voltstream.core.errors import VoltstreamError
from voltstream.store.database import Connection, Database


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    database = Database(tmp_path / "db" / "volt.duckdb", threads=1)
    database.writer.execute(
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER NOT NULL, c INTEGER CHECK (c > 0))"
    )
    yield database.writer
    database.close()


@pytest.mark.parametrize(
    ("sql", "sqlstate", "words"),
    [
        ("SELECT 1 / 0", "22012", "division by zero"),
        ("SELECT 'x'::INTEGER", "22P02", 'invalid input syntax for type integer: "x"'),
        ("SELECT 9223372036854775807 + 1", "22003", "bigint out of range"),
        ("SELECT 40000::SMALLINT", "22003", "out of range"),
        ("SELECT '2020-13-01'::DATE", "22008", "out of range"),
        ("SELECT z FROM t", "42703", 'column "z" does not exist'),
        ("INSERT INTO t (z) VALUES (1)", "42703", 'column "z" does not exist'),
        ("SELECT * FROM u", "42P01", 'relation "u" does not exist'),
        ("SELECT f(1)", "42883", "function f() does not exist"),
        ("SELECT substr(1)", "42883", "function substr(integer) does not exist"),
        ("SELECT a, count(*) FROM t", "42803", 'column "a" must appear'),
        ("SELECT a FROM t, t u", "42702", 'column reference "a" is ambiguous'),
        ("SELEC 1", "42601", "syntax error"),
        ("CREATE TABLE t (a INTEGER)", "42P07", 'relation "t" already exists'),
        ("SELECT [1]::INTEGER", "42846", "cannot cast type integer[] to integer"),
        ("INSERT INTO t VALUES (1, 1, 1), (1, 1, 1)", "23505", "duplicate key"),
        ("INSERT INTO t VALUES (1, NULL, 1)", "23502", 'null value in column "b"'),
        ("INSERT INTO t VALUES (1, 1, -1)", "23514", 'violates check constraint "t_c_check"'),
    ],
)
def test_sqlstates(connection: Connection, sql: str, sqlstate: str, words: str) -> None:
    with pytest.raises(VoltstreamError) as fault:
        connection.execute(sql)
    assert fault.value.sqlstate == sqlstate
    assert words in fault.value.message
