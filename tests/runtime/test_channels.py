"""LISTEN and NOTIFY between sessions of one engine, without sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.driver import Engine
from voltstream.core.clock import SystemClock
from voltstream.core.errors import (
    ActiveTransaction,
    InsufficientPrivilege,
    InvalidParameter,
    LimitExceeded,
    ReservedName,
    UndefinedTable,
    VoltstreamError,
    WrongObjectType,
)
from voltstream.core.limits import (
    NOTIFICATION_BYTES_MAX,
    NOTIFICATIONS_MAX,
    NOTIFICATIONS_SAID_MAX,
)
from voltstream.core.ports import Notice, Notification, Session


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    running = Engine(tmp_path_factory.mktemp("data"), SystemClock())
    running.run("CREATE VIEW plain AS SELECT 1 AS one")
    yield running
    running.close()


@pytest.fixture
def engine(shared: Engine) -> Iterator[Engine]:
    yield shared
    shared.run(
        "ROLLBACK; UNLISTEN *; DROP TABLE IF EXISTS t CASCADE; DROP TABLE IF EXISTS u CASCADE"
    )
    shared.session.notifications()


@contextmanager
def another(engine: Engine, user: str = "volt") -> Iterator[Session]:
    session = engine.instance.open(database="volt", user=user, options={})
    try:
        yield session
    finally:
        session.close()


def ask(session: Session, text: str) -> None:
    for statement in session.parse(text):
        rows = session.execute(statement).rows
        if rows is not None:
            list(rows.batches())
            rows.close()


def told(session: Session) -> list[tuple[str, str]]:
    found = session.notifications()
    return [(one.channel, one.payload) for one in found if isinstance(one, Notification)]


def test_what_is_told_reaches_whoever_listens_and_nobody_else(engine: Engine) -> None:
    with another(engine) as first, another(engine) as second:
        ask(first, 'LISTEN news; LISTEN "Mixed"')
        ask(second, "LISTEN other")
        engine.run("""NOTIFY news, 'a'; NOTIFY "Mixed"; SELECT pg_notify('other', NULL)""")
        assert told(first) == [("news", "a"), ("Mixed", "")]
        assert told(second) == [("other", "")]
        assert told(first) == []
        ask(first, "UNLISTEN news")
        engine.run("NOTIFY news; NOTIFY Mixed")
        assert told(first) == []


def test_a_session_hears_itself_and_who_told(engine: Engine) -> None:
    engine.run("LISTEN news; NOTIFY news, 'mine'")
    [one] = engine.session.notifications()
    assert isinstance(one, Notification)
    assert (one.channel, one.payload) == ("news", "mine")
    assert engine.run("SELECT pg_backend_pid()") == [(one.process_id,)]
    assert engine.run("SELECT pg_listening_channels()") == [("news",)]
    assert engine.run("SELECT * FROM pg_listening_channels()") == [("news",)]


def test_a_block_tells_when_it_commits_and_each_thing_once(engine: Engine) -> None:
    with another(engine) as listener:
        ask(listener, "LISTEN news")
        engine.run("BEGIN; NOTIFY news, 'a'; NOTIFY news, 'b'; NOTIFY news, 'a'")
        assert told(listener) == []
        engine.run("COMMIT")
        assert told(listener) == [("news", "a"), ("news", "b")]
        engine.run("BEGIN; NOTIFY news, 'c'; ROLLBACK")
        engine.run("BEGIN; NOTIFY news, 'd'; SAVEPOINT s; NOTIFY news, 'e'; ROLLBACK TO s")
        engine.run("NOTIFY news, 'f'; COMMIT")
        assert told(listener) == [("news", "d"), ("news", "f")]


def test_listening_in_a_block_begins_with_its_commit(engine: Engine) -> None:
    engine.run("BEGIN; LISTEN news; ROLLBACK; NOTIFY news")
    assert told(engine.session) == []
    engine.run("BEGIN; LISTEN news; NOTIFY news, 'own'; COMMIT")
    assert told(engine.session) == [("news", "own")]
    engine.run("BEGIN; UNLISTEN *; ROLLBACK; NOTIFY news, 'still'")
    assert told(engine.session) == [("news", "still")]
    engine.run("DISCARD ALL; NOTIFY news")
    assert told(engine.session) == []
    assert not engine.session.listening


def test_pg_notify_is_called_for_each_row_in_order(engine: Engine) -> None:
    engine.run("CREATE TABLE t (a INT); INSERT INTO t VALUES (2), (1), (3)")
    engine.run("LISTEN news")
    rows = engine.run("SELECT a, pg_notify('news', 'row ' || a) FROM t WHERE a > 1 ORDER BY a")
    assert rows == [(2, ""), (3, "")]
    assert told(engine.session) == [("news", "row 2"), ("news", "row 3")]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("SELECT pg_notify('', 'x')", InvalidParameter),
        ("SELECT pg_notify(repeat('c', 64), 'x')", InvalidParameter),
        (f"NOTIFY c, '{'x' * NOTIFICATION_BYTES_MAX}'", InvalidParameter),
        ('NOTIFY "changes of t"', ReservedName),
        ('LISTEN "changes of nowhere"', UndefinedTable),
        ('LISTEN "changes of plain"', WrongObjectType),
        ("BEGIN; DISCARD ALL", ActiveTransaction),
    ],
)
def test_what_cannot_be_told_or_heard(
    engine: Engine, statement: str, error: type[VoltstreamError]
) -> None:
    with pytest.raises(error):
        engine.run(statement)


def test_the_longest_payload_is_told(engine: Engine) -> None:
    payload = "x" * (NOTIFICATION_BYTES_MAX - 1)
    engine.run(f"LISTEN c; NOTIFY c, '{payload}'")
    assert told(engine.session) == [("c", payload)]


def test_a_name_too_long_is_cut_as_identifiers_are(engine: Engine) -> None:
    engine.run(f"LISTEN {'c' * 70}; NOTIFY {'c' * 64}")
    assert told(engine.session) == [("c" * 63, "")]


def changes(session: Session) -> list[dict[str, object]]:
    return [json.loads(payload) for _, payload in told(session)]


def test_changes_of_relations_are_told_with_their_epoch(engine: Engine) -> None:
    engine.run("CREATE TABLE t (a INT)")
    engine.run("CREATE MATERIALIZED VIEW v AS SELECT a % 2 AS k, count(*) AS n FROM t GROUP BY 1")
    with another(engine) as one, another(engine) as two:
        ask(one, 'LISTEN "changes of v"')
        ask(two, 'LISTEN "changes of public.t"')
        engine.run("INSERT INTO t VALUES (1), (2), (3)")
        epoch = engine.instance.engine("volt").loop.run_statement(lambda e: e.number - 1).result()
        of_view = {"relation": "public.v", "epoch": epoch, "inserted": 2, "deleted": 0}
        assert changes(one) == [of_view]
        assert changes(two) == [{**of_view, "relation": "public.t", "inserted": 3}]
        engine.run("DELETE FROM t WHERE a = 3")
        assert [(c["inserted"], c["deleted"]) for c in changes(one)] == [(1, 1)]
        assert [(c["inserted"], c["deleted"]) for c in changes(two)] == [(0, 1)]
        engine.run("BEGIN; INSERT INTO t VALUES (9); ROLLBACK")
        engine.run("ALTER TABLE t RENAME TO u")
        assert changes(two) == []
        engine.run("INSERT INTO u VALUES (1); INSERT INTO u VALUES (1)")
        # What waits together is added up: the queue holds one entry of a relation.
        assert [(c["relation"], c["inserted"]) for c in changes(two)] == [("public.u", 2)]


def test_changes_take_the_right_to_read(engine: Engine) -> None:
    engine.run("CREATE TABLE t (a INT); CREATE USER kim; GRANT SELECT ON t TO kim")
    with another(engine, "kim") as reader:
        ask(reader, 'LISTEN "changes of t"')
        engine.run("INSERT INTO t VALUES (1)")
        assert len(told(reader)) == 1
        engine.run("REVOKE SELECT ON t FROM kim; INSERT INTO t VALUES (1)")
        assert told(reader) == []
        with pytest.raises(InsufficientPrivilege):
            ask(reader, 'LISTEN "changes of t"')


def test_a_full_queue_loses_what_comes_and_says_so(engine: Engine) -> None:
    engine.run("LISTEN c")
    count = NOTIFICATIONS_MAX + 5
    engine.run(f"SELECT pg_notify('c', n::text) FROM generate_series(1, {count}) AS s(n)")
    found = engine.session.notifications()
    assert len(found) == NOTIFICATIONS_MAX + 1
    assert isinstance(found[-1], Notice)
    assert found[-1].message.startswith("5 notifications were lost")


def test_a_transaction_says_no_more_than_its_limit(engine: Engine) -> None:
    with pytest.raises(LimitExceeded):
        engine.run(
            "BEGIN; SELECT pg_notify('c', n::text) FROM "
            f"generate_series(0, {NOTIFICATIONS_SAID_MAX}) AS s(n)"
        )
