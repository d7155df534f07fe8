"""Settings of a session: what undoes them, and what they decide."""

from __future__ import annotations

import threading

import pytest

from tests.driver import Engine
from voltstream.core.errors import FeatureNotSupported, LockNotAvailable


def test_remarks_are_told_as_far_as_they_are_wanted(engine: Engine) -> None:
    engine.run("DROP TABLE IF EXISTS nowhere")
    assert len(engine.notices) == 1
    engine.run("SET client_min_messages = warning; DROP TABLE IF EXISTS nowhere")
    assert len(engine.notices) == 1
    engine.run("ROLLBACK")
    assert [notice.severity for notice in engine.notices] == ["NOTICE", "WARNING"]
    engine.run("SET client_min_messages = error; ROLLBACK")
    assert len(engine.notices) == 2


def test_strings_stay_as_the_standard_has_them(engine: Engine) -> None:
    with pytest.raises(FeatureNotSupported):
        engine.run("SET standard_conforming_strings = off")
    assert engine.run("SHOW standard_conforming_strings") == [("on",)]


@pytest.mark.parametrize("block", ["", "BEGIN; "])
def test_a_statement_waits_for_its_turn_as_long_as_lock_timeout(engine: Engine, block: str) -> None:
    engine.run("CREATE TABLE t (a INT)")
    held, free = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        held.set()
        free.wait(20)

    holding = engine.instance.engine("volt").loop.run_statement(hold)
    held.wait(20)
    engine.run("SET lock_timeout = '20ms'")
    with pytest.raises(LockNotAvailable):
        engine.run(f"{block}INSERT INTO t VALUES (1)")
    free.set()
    holding.result(20)
    engine.run("ROLLBACK; RESET lock_timeout; INSERT INTO t VALUES (2)")
    assert engine.run("SELECT * FROM t") == [(2,)]


def test_a_role_brings_its_settings(engine: Engine) -> None:
    engine.run("CREATE USER kim")
    engine.run("ALTER ROLE kim SET datestyle = 'SQL, DMY'")
    session = engine.instance.open(database="volt", user="kim", options={})
    assert session.reported_settings()["DateStyle"] == "SQL, DMY"
    session.close()
