"""No column that shows in a result, or decides it, goes without being asked for."""

from __future__ import annotations

import pytest

from voltstream.sql.column_needs import Columns
from voltstream.sql.needs import needs_of
from voltstream.sql.parse import parse_statements


def _read(text: str) -> Columns:
    [parsed] = parse_statements(text)
    return needs_of(parsed).columns[None, "t"]["r"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("SELECT a FROM t", {"a"}),
        ("SELECT T.A FROM t", {"a"}),
        ("SELECT count(*) FROM t", set()),
        ("SELECT x.a FROM t x WHERE x.b > (SELECT max(c) FROM u)", {"a", "b", "c"}),
        ("SELECT a FROM t ORDER BY b", {"a", "b"}),
        ("SELECT DISTINCT ON (b) a FROM t", {"a", "b"}),
        ("SELECT sum(a) OVER w FROM t WINDOW w AS (PARTITION BY b)", {"a", "b"}),
        ("SELECT a FROM t JOIN u USING (k)", {"a", "k"}),
        ("SELECT a FROM t, LATERAL (SELECT t.b) AS l", {"a", "b"}),
        ("SELECT u.a FROM u WHERE EXISTS (SELECT 1 FROM t WHERE t.b = u.c)", {"b", "u"}),
        ("SELECT info.a FROM t", {"info"}),
        ("SELECT phone.a FROM t WHERE EXISTS (SELECT 1 FROM u phone)", {"phone"}),
        ("SELECT a FROM t GROUP BY a HAVING max(b) > 1", {"a", "b"}),
        ("SELECT CASE WHEN a > 0 THEN b END FROM t", {"a", "b"}),
        ("SELECT * FROM (SELECT a FROM t) AS x", {"a"}),
        ("WITH x AS (SELECT a FROM t) SELECT * FROM x", {"a"}),
        ("DELETE FROM t WHERE a = 1", {"a"}),
    ],
)
def test_named(text: str, named: set[str]) -> None:
    assert _read(text) == Columns(frozenset(named))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM t",
        "SELECT t.* FROM t, u",
        "SELECT * FROM u, t",
        "SELECT * FROM (u CROSS JOIN t)",
        "SELECT a FROM (SELECT * FROM t) AS x",
        "SELECT t FROM t",
        "SELECT row_to_json(x) FROM t x",
        "SELECT (x).a FROM t x",
        "SELECT count(t) FROM t",
        "SELECT i FROM t AS x(i, j)",
        "SELECT a FROM t NATURAL JOIN u",
        "SELECT columns('a') FROM t",
        "TABLE t",
        "SELECT a FROM t UNION SELECT * FROM t",
        "DELETE FROM t WHERE a = 1 RETURNING *",
        "WITH x AS (TABLE t) SELECT a FROM x",
    ],
)
def test_whole(text: str) -> None:
    assert _read(text).whole
