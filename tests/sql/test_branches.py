"""Statements without their empty branches, and without trying values."""

from __future__ import annotations

from voltstream.sql.branches import Branch, Wording, union_all, unmarked

_TEXT = "SELECT ' TRY(/*vs:end*/' AS t"


def _types(sql: str) -> tuple[str, ...]:
    return ("INTEGER",) if "NULL" in sql and "UNION" not in sql else ("VARCHAR",)


def _short(sql: str, *filled: str, tried: bool = True) -> str:
    return Wording(sql).short(lambda name: name in filled, _types, tried=tried)


def test_only_branches_whose_deltas_have_rows_are_left() -> None:
    inner = union_all(
        [
            Branch("SELECT 1 FROM a", ("a",), typed=True),
            Branch("SELECT 2 FROM b", ("b",), typed=True),
        ]
    )
    sql = "SELECT * FROM (" + union_all([
        Branch(f"SELECT * FROM ({inner})", ("a", "b"), typed=True),
        Branch("SELECT 3 FROM c", ("c",), typed=True),
    ]) + ")"  # fmt: skip
    assert _short(sql, "b") == "SELECT * FROM (SELECT * FROM (SELECT 2 FROM b))"
    assert _short(sql, "c") == "SELECT * FROM (SELECT 3 FROM c)"
    assert _short(sql, "a", "c") == (
        "SELECT * FROM (SELECT * FROM (SELECT 1 FROM a) UNION ALL SELECT 3 FROM c)"
    )
    assert _short(sql, "a", "b", "c") == sql
    assert unmarked(sql).count("UNION ALL") == 2 and "vs:" not in unmarked(sql)


def test_a_branch_that_has_the_types_stays_beside_one_that_has_not() -> None:
    sql = union_all([Branch("SELECT x FROM a", ("a",)), Branch("SELECT NULL FROM b", ("b",))])
    assert _short(sql, "b") == "SELECT x FROM a UNION ALL SELECT NULL FROM b"
    assert _short(sql, "a") == "SELECT x FROM a"


def test_texts_are_left_alone() -> None:
    sql = union_all(
        [
            Branch(f"{_TEXT}, TRY(1 / x) FROM a", ("a",), typed=True),
            Branch('SELECT "TRY(", 2 FROM b', ("b",), typed=True),
        ]
    )
    assert _short(sql, "a", tried=False) == f"{_TEXT}, (1 / x) FROM a"
    assert _short(sql, "b", tried=False) == 'SELECT "TRY(", 2 FROM b'
