"""Roles of the server as its databases see them, and what outlives a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.core.clock import SystemClock
from voltstream.core.errors import (
    ActiveTransaction,
    DependentObjects,
    InsufficientPrivilege,
    InvalidAuthorization,
    ObjectInUse,
    TooManyConnections,
)


def in_database(engine: Engine, database: str, user: str, text: str) -> list[tuple[object, ...]]:
    """Run statements in a session of another database."""
    session, engine.session = (
        engine.session,
        engine.instance.open(database=database, user=user, options={}),
    )
    try:
        return engine.run(text)
    finally:
        engine.session.close()
        engine.session = session


def test_roles_are_the_servers_and_rights_a_databases(engine: Engine) -> None:
    engine.run("CREATE DATABASE d")
    in_database(engine, "d", "volt", "CREATE TABLE t (a INT)")
    in_database(engine, "d", "volt", "CREATE USER ann CREATEDB; GRANT SELECT ON t TO ann")
    assert engine.run("SELECT rolname FROM pg_roles WHERE rolname = 'ann'") == [("ann",)]
    assert in_database(engine, "d", "ann", "SELECT count(*) FROM t") == [(0,)]
    with pytest.raises(DependentObjects) as refused:
        engine.run("DROP USER ann")
    assert refused.value.detail == "1 object in database d"
    with pytest.raises(ActiveTransaction):
        in_database(engine, "d", "volt", "BEGIN; CREATE ROLE r")
    in_database(engine, "d", "volt", "DROP OWNED BY ann; DROP USER ann")
    assert engine.run("SELECT rolname FROM pg_roles WHERE rolname = 'ann'") == []


def test_who_makes_a_database_owns_it(engine: Engine) -> None:
    engine.run("CREATE USER ann CREATEDB; CREATE USER bob CREATEDB")
    in_database(engine, "volt", "ann", "CREATE DATABASE anns")
    in_database(engine, "anns", "ann", "CREATE TABLE t (a INT); CREATE SCHEMA s")
    with pytest.raises(InsufficientPrivilege):
        in_database(engine, "anns", "bob", "CREATE TABLE u (a INT)")
    with pytest.raises(InsufficientPrivilege):
        in_database(engine, "volt", "bob", "DROP DATABASE anns")
    in_database(engine, "volt", "ann", "DROP DATABASE anns")


def test_the_database_of_the_roles_stays(engine: Engine) -> None:
    engine.run("CREATE DATABASE d")
    with pytest.raises(ObjectInUse):
        in_database(engine, "d", "volt", "DROP DATABASE volt")


def test_who_may_open_a_session(engine: Engine) -> None:
    open_session = engine.instance.open
    open_session(database="volt", user="anybody", options={}).close()
    engine.run("CREATE USER ann CONNECTION LIMIT 1; CREATE ROLE grp")
    first = open_session(database="volt", user="ann", options={})
    with pytest.raises(TooManyConnections):
        open_session(database="volt", user="ann", options={})
    first.close()
    open_session(database="volt", user="ann", options={}).close()
    for user in ("anybody", "grp"):
        with pytest.raises(InvalidAuthorization):
            open_session(database="volt", user=user, options={})
    engine.run("REVOKE CONNECT ON DATABASE volt FROM PUBLIC")
    with pytest.raises(InsufficientPrivilege):
        open_session(database="volt", user="ann", options={})


def test_settings_of_a_role_apply_when_it_logs_in(engine: Engine) -> None:
    engine.run("CREATE USER ann; ALTER USER ann SET search_path = lab, public")
    engine.run("ALTER USER ann SET is_superuser = on")
    assert in_database(engine, "volt", "ann", "SHOW search_path") == [("lab, public",)]
    assert in_database(engine, "volt", "ann", "SHOW is_superuser") == [("off",)]


def test_a_session_shows_others_only_to_monitors(engine: Engine) -> None:
    engine.run("CREATE USER ann; SELECT 1 AS private_matter")
    asked = "SELECT query FROM pg_stat_activity WHERE usename = 'volt'"
    assert in_database(engine, "volt", "ann", asked) == [("<insufficient privilege>",)]
    engine.run("GRANT pg_monitor TO ann")
    assert "GRANT" in str(in_database(engine, "volt", "ann", asked))


def test_passwords_and_rights_outlive_a_restart(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "data", SystemClock())
    engine.run("CREATE TABLE t (a INT); CREATE USER ann PASSWORD 'x'; GRANT SELECT ON t TO ann")
    before = engine.instance.standing("ann"), engine.instance.standing("nobody")
    engine.close()
    engine = Engine(tmp_path / "data", SystemClock())
    try:
        # Also who is not there looks the same as before.
        assert (engine.instance.standing("ann"), engine.instance.standing("nobody")) == before
        assert in_database(engine, "volt", "ann", "SELECT count(*) FROM t") == [(0,)]
        with pytest.raises(InsufficientPrivilege):
            in_database(engine, "volt", "ann", "DELETE FROM t")
    finally:
        engine.close()
