"""Queries by key over the wire: kept answers are those of the moment, in text and binary."""

from __future__ import annotations

import psycopg
import pytest


def test_kept_answers(address: str) -> None:
    text = "SELECT name, kw, ok FROM chargers WHERE id = {}"
    with psycopg.connect(address, autocommit=True) as one, psycopg.connect(address) as two:
        two.autocommit = True
        one.execute("CREATE TABLE chargers (id varchar PRIMARY KEY, name text, kw float8, ok bool)")
        one.execute("INSERT INTO chargers VALUES ('a', 'it''s', 1.5, true), ('b', NULL, 0, false)")
        one.execute("CREATE MATERIALIZED VIEW known AS SELECT id, kw * 2 AS kw FROM chargers")
        for turn in range(6):
            kw = 1.5 + turn
            for _ in range(3):
                for session in (one, two):
                    assert session.execute(
                        text.format("'a'").encode(), prepare=False
                    ).fetchall() == [("it's", kw, True)]
                    for binary in (False, True):
                        by_parameter = session.execute(
                            text.format("%s").encode(), ("a",), binary=binary
                        )
                        assert by_parameter.fetchall() == [("it's", kw, True)]
                    assert session.execute(text.format("'c'").encode()).fetchall() == []
                    double = session.execute("SELECT kw FROM known WHERE id = %s", ("a",))
                    assert double.fetchall() == [(kw * 2,)]
            two.execute("UPDATE chargers SET kw = kw + 1 WHERE id = 'a'")


def test_what_another_session_does_is_shown(address: str) -> None:
    with psycopg.connect(address, autocommit=True) as one, psycopg.connect(address) as two:
        two.autocommit = True
        one.execute("CREATE TABLE slots (id int PRIMARY KEY, free bool)")
        one.execute("INSERT INTO slots VALUES (7, true)")
        for _ in range(4):
            assert one.execute("SELECT free FROM slots WHERE id = 7").fetchall() == [(True,)]
        shown = two.execute(
            "SELECT query, state FROM pg_stat_activity WHERE pid = %s", (one.info.backend_pid,)
        )
        assert shown.fetchall() == [("SELECT free FROM slots WHERE id = 7", "idle")]
        one.execute("BEGIN")
        with pytest.raises(psycopg.errors.UndefinedTable):
            one.execute("SELECT nowhere FROM gone")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            one.execute("SELECT free FROM slots WHERE id = 7")
        one.execute("ROLLBACK")
        assert one.execute("SELECT free FROM slots WHERE id = 7").fetchall() == [(True,)]
