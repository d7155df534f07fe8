"""Settings of a session: what undoes them, and what they decide."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.core.errors import (
    CannotChange,
    FeatureNotSupported,
    InsufficientPrivilege,
    InvalidParameter,
    LockNotAvailable,
    ReadOnlyTransaction,
    UndefinedDatabase,
    VoltstreamError,
)


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


def test_a_session_that_only_reads_changes_nothing(engine: Engine) -> None:
    engine.run("CREATE TABLE t (a INT); SET default_transaction_read_only = on")
    for statement in ("INSERT INTO t VALUES (1)", "BEGIN; DELETE FROM t", "DROP TABLE t"):
        with pytest.raises(ReadOnlyTransaction):
            engine.run(statement)
        engine.run("ROLLBACK")
    engine.run("BEGIN READ WRITE; INSERT INTO t VALUES (1); COMMIT")
    assert engine.run("SELECT a FROM t") == [(1,)]


def test_a_statement_waits_for_its_turn_as_long_as_lock_timeout(engine: Engine) -> None:
    engine.run("CREATE TABLE t (a INT)")
    held, free = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        held.set()
        free.wait(20)

    holding = engine.instance.engine("volt").loop.run_statement(hold)
    held.wait(20)
    engine.run("SET lock_timeout = '20ms'")
    for block in ("", "BEGIN; "):
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


def begun(engine: Engine, user: str, database: str, name: str) -> str:
    """Return a setting as a new session finds it."""
    session = engine.instance.open(database=database, user=user, options={})
    try:
        outcome = session.execute(session.parse(f"SHOW {name}")[0])
        assert outcome.rows is not None
        [batch] = outcome.rows.batches()
        return str(batch.column(0)[0])
    finally:
        session.close()


def test_the_nearer_of_two_kept_settings_holds(engine: Engine, tmp_path: Path) -> None:
    engine.run("CREATE USER kim; CREATE DATABASE other")
    name = "statement_timeout"
    engine.run(f"ALTER ROLE ALL SET {name} = '1s'")
    assert begun(engine, "kim", "other", name) == "1s"
    engine.run(f"ALTER DATABASE other SET {name} TO '2s'")
    assert begun(engine, "kim", "other", name) == "2s"
    engine.run(f"ALTER ROLE kim SET {name} = 3000")
    assert begun(engine, "kim", "other", name) == "3s"
    engine.run(f"ALTER ROLE kim IN DATABASE other SET {name} = '4s'")
    assert begun(engine, "kim", "other", name) == "4s"
    assert begun(engine, "kim", "volt", name) == "3s"
    assert begun(engine, "volt", "other", name) == "2s"
    engine.run(f"SET {name} = '9s'; ALTER ROLE kim SET {name} FROM CURRENT")
    assert begun(engine, "kim", "volt", name) == "9s"

    engine.close()
    again = Engine(tmp_path / "data", engine.clock)
    assert begun(again, "kim", "other", name) == "4s"
    again.run("ALTER ROLE kim IN DATABASE other RESET ALL; ALTER ROLE kim RESET ALL")
    assert begun(again, "kim", "other", name) == "2s"
    again.run("DROP DATABASE other; CREATE DATABASE other")
    assert begun(again, "kim", "other", name) == "1s"
    again.run(f"ALTER ROLE ALL RESET {name}")
    assert begun(again, "kim", "other", name) == "0"
    again.close()


REFUSED: tuple[tuple[str, type[VoltstreamError]], ...] = (
    ("ALTER ROLE kim SET datestyle = 'moon'", InvalidParameter),
    ("ALTER ROLE kim SET server_version = '1'", CannotChange),
    ("ALTER DATABASE nowhere SET datestyle = 'ISO'", UndefinedDatabase),
    ("SET ROLE kim; ALTER DATABASE volt SET datestyle = 'ISO'", InsufficientPrivilege),
    ("SET ROLE kim; ALTER ROLE ALL SET datestyle = 'ISO'", InsufficientPrivilege),
)


def test_what_cannot_be_kept(engine: Engine) -> None:
    engine.run("CREATE USER kim")
    for statement, error in REFUSED:
        with pytest.raises(error):
            engine.run(statement)
        engine.run("RESET ROLE")
