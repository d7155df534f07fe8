"""Definitions as SHOW CREATE spells them."""

from __future__ import annotations

import pytest

from voltstream.sql.spelling import canonical


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (
            "create table if not exists t(v1 int, v2 integer primary key) append only",
            "CREATE TABLE t (v1 INT, v2 INT PRIMARY KEY) APPEND ONLY",
        ),
        (
            "create table s.t (v struct<a int,b struct<c varchar>>, m map(varchar,int))",
            "CREATE TABLE s.t (v STRUCT<a INT, b STRUCT<c CHARACTER VARYING>>, "
            "m MAP(CHARACTER VARYING, INT))",
        ),
        (
            "create materialized view m as select sum(a) filter(where b>-1), date from t "
            "where a::int in (1,2) group by date, key",
            "CREATE MATERIALIZED VIEW m AS SELECT sum(a) FILTER (WHERE b > -1), date FROM t "
            "WHERE a::INT IN (1, 2) GROUP BY date, key",
        ),
        ("create index i on t(a,b) include(c)", "CREATE INDEX i ON t(a, b) INCLUDE(c)"),
        (
            "create view \"V\" as select 'it''s' as \"X\"",
            "CREATE VIEW \"V\" AS SELECT 'it''s' AS \"X\"",
        ),
        (
            "create sink s from m with (connector='blackhole')",
            "CREATE SINK s FROM m WITH (connector = 'blackhole')",
        ),
    ],
)
def test_a_definition_has_one_spelling(typed: str, shown: str) -> None:
    assert canonical(typed) == shown
    assert canonical(shown) == shown
