"""What a statement needs, read off its tree."""

from __future__ import annotations

import pytest

from voltstream.sql.needs import needs_of
from voltstream.sql.parse import parse_statements

T, U = ("s", "t"), ("s", "u")


@pytest.mark.parametrize(
    ("text", "relations"),
    [
        ("SELECT 1", {}),
        ("SELECT * FROM s.t JOIN s.u ON true", {T: "r", U: "r"}),
        ("WITH t AS (SELECT * FROM s.u) SELECT * FROM t", {U: "r"}),
        ("SELECT (SELECT max(a) FROM s.t) FROM s.u", {T: "r", U: "r"}),
        ("SELECT * FROM TUMBLE(s.t, at, INTERVAL '1 hour')", {T: "r"}),
        ("INSERT INTO s.t VALUES (1)", {T: "a"}),
        ("INSERT INTO s.t SELECT * FROM s.u", {T: "a", U: "r"}),
        ("INSERT INTO s.t SELECT * FROM s.t", {T: "ar"}),
        ("INSERT INTO s.t VALUES (1) RETURNING a", {T: "ar"}),
        ("INSERT INTO s.t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2", {T: "awr"}),
        ("INSERT INTO s.t VALUES (1) ON CONFLICT DO NOTHING", {T: "ar"}),
        ("UPDATE s.t SET a = 1", {T: "w"}),
        ("UPDATE s.t SET a = b", {T: "wr"}),
        ("UPDATE s.t SET a = 1 WHERE b = 2", {T: "wr"}),
        ("UPDATE s.t SET a = (SELECT 1 FROM s.u)", {T: "w", U: "r"}),
        ("DELETE FROM s.t", {T: "d"}),
        ("DELETE FROM s.t WHERE a = 1", {T: "dr"}),
        ("DELETE FROM s.t USING s.u", {T: "d", U: "r"}),
        ("MERGE INTO s.t USING s.u ON t.a = u.a WHEN MATCHED THEN DELETE", {T: "dr", U: "r"}),
        (
            "MERGE INTO s.t USING s.u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = 1 "
            "WHEN NOT MATCHED THEN INSERT (a) VALUES (u.a)",
            {T: "awr", U: "r"},
        ),
        ("TRUNCATE s.t, s.u", {T: "D", U: "D"}),
        ("COPY s.t FROM STDIN", {T: "a"}),
        ("COPY s.t TO STDOUT", {T: "r"}),
        ("COPY (SELECT * FROM s.u) TO STDOUT", {U: "r"}),
        ("DECLARE c CURSOR FOR SELECT * FROM s.t", {T: "r"}),
    ],
)
def test_relations(text: str, relations: dict[tuple[str, str], str]) -> None:
    (parsed,) = parse_statements(text)
    assert dict(needs_of(parsed).relations) == relations


@pytest.mark.parametrize(
    ("text", "functions"),
    [
        ("SELECT * FROM generate_series(1, 2)", ()),
        ("SELECT * FROM read_csv('/etc/passwd')", ("read_csv",)),
        ("SELECT * FROM query_table('x')", ("query_table",)),
        ("SELECT * FROM whatever_comes_next('x')", ("whatever_comes_next",)),
        ("SELECT lower(getenv('HOME'))", ("getenv",)),
        ("INSERT INTO s.t SELECT content FROM read_text('/x')", ("read_text",)),
        ("UPDATE s.t SET a = getvariable('x')", ("getvariable",)),
    ],
)
def test_functions_that_rights_do_not_reach(text: str, functions: tuple[str, ...]) -> None:
    (parsed,) = parse_statements(text)
    assert needs_of(parsed).functions == functions
