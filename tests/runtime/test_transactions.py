"""Transactions: one epoch, its own writes visible, one writer at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.errors import (
    ActiveTransaction,
    FailedTransaction,
    IdleInTransactionTimeout,
    ObjectInUse,
    QueryCanceled,
    UniqueViolation,
)
from voltstream.core.ports import Session
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions


@pytest.fixture
def table(engine: Engine) -> Engine:
    engine.run("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    engine.run("CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n FROM t")
    return engine


def count(session: Session, relation: str = "t") -> int:
    column = "count(*)" if relation == "t" else "n"
    outcome = session.execute(session.parse(f"SELECT {column} AS n FROM {relation}")[0])
    assert outcome.rows is not None
    (value,) = [row["n"] for batch in outcome.rows.batches() for row in batch.to_pylist()]
    outcome.rows.close()
    assert isinstance(value, int)
    return value


def status(engine: Engine) -> str:
    return engine.session.status


def another(engine: Engine) -> Session:
    return engine.instance.open(database="volt", user="volt", options={})


def test_own_writes_are_seen_by_oneself_only(table: Engine) -> None:
    other = another(table)
    table.run("BEGIN; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")
    assert table.session.status == "T"
    assert count(table.session) == 2
    assert count(table.session, "total") == 2
    table.run("DELETE FROM t WHERE a = 1")
    assert count(table.session, "total") == 1
    assert count(other) == 0 and count(other, "total") == 0
    table.run("COMMIT")
    assert count(other) == 1 and count(other, "total") == 1
    other.close()


def test_rollback_leaves_nothing(table: Engine) -> None:
    table.run("BEGIN; INSERT INTO t VALUES (1); CREATE TABLE u (a INTEGER)")
    table.run("CREATE MATERIALIZED VIEW v AS SELECT a + 1 AS b FROM t")
    assert table.run("SELECT b FROM v") == [(2,)]
    table.run("ROLLBACK")
    assert count(table.session) == 0 and count(table.session, "total") == 0
    assert table.run("SHOW TABLES") == [("t",)]
    assert table.run("SHOW MATERIALIZED VIEWS") == [("total",)]
    table.run("INSERT INTO t VALUES (1)")  # The writer is free and its deltas are clean.
    assert count(table.session, "total") == 1


def test_dropped_view_comes_back_with_rollback(table: Engine) -> None:
    table.run("BEGIN; DROP MATERIALIZED VIEW total; INSERT INTO t VALUES (1); ROLLBACK")
    table.run("INSERT INTO t VALUES (1), (2)")
    assert count(table.session, "total") == 2


def test_an_error_fails_the_block(table: Engine) -> None:
    table.run("INSERT INTO t VALUES (1); BEGIN; INSERT INTO t VALUES (2)")
    with pytest.raises(UniqueViolation):
        table.run("INSERT INTO t VALUES (1)")
    assert status(table) == "E"
    with pytest.raises(FailedTransaction):
        table.run("SELECT 1")
    outcome = table.session.execute(table.session.parse("COMMIT")[0])
    assert outcome.tag == "ROLLBACK" and status(table) == "I"
    assert count(table.session) == 1


def test_a_message_is_one_transaction(table: Engine) -> None:
    statements = table.session.parse("INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)")
    table.session.begin_implicit()
    table.session.execute(statements[0])
    assert table.session.status == "I"
    with pytest.raises(UniqueViolation):
        table.session.execute(statements[1])
    table.session.end_implicit(commit=False)
    assert count(table.session) == 0


def test_a_message_commits_whole(table: Engine) -> None:
    table.session.begin_implicit()
    for statement in table.session.parse("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)"):
        table.session.execute(statement)
    table.session.end_implicit(commit=True)
    assert count(table.session, "total") == 2


def test_database_statements_refuse_a_block(table: Engine) -> None:
    table.run("BEGIN")
    with pytest.raises(ActiveTransaction):
        table.run("CREATE DATABASE other")
    table.run("ROLLBACK")


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Instance]:
    options = EngineOptions(transaction_idle_s=0.3, writer_wait_s=0.1)
    instance = Instance(tmp_path / "hasty", options, SystemClock(), ConnectorRegistry(None))
    instance.start()
    yield instance
    instance.stop()


def run(session: Session, sql: str) -> None:
    for statement in session.parse(sql):
        session.execute(statement)


def test_second_writer_waits_and_gives_up(hasty: Instance) -> None:
    first = hasty.open(database="volt", user="volt", options={})
    second = hasty.open(database="volt", user="volt", options={})
    run(first, "CREATE TABLE t (a INTEGER); BEGIN; INSERT INTO t VALUES (1)")
    run(second, "BEGIN")
    with pytest.raises(ObjectInUse):
        run(second, "INSERT INTO t VALUES (2)")
    run(second, "ROLLBACK")
    run(first, "COMMIT")
    run(second, "INSERT INTO t VALUES (2)")
    assert count(second) == 2


def test_idle_transaction_is_ended(hasty: Instance) -> None:
    session = hasty.open(database="volt", user="volt", options={})
    run(session, "CREATE TABLE t (a INTEGER); BEGIN; INSERT INTO t VALUES (1)")
    time.sleep(0.6)
    with pytest.raises(IdleInTransactionTimeout):
        run(session, "INSERT INTO t VALUES (2)")
    run(session, "ROLLBACK; INSERT INTO t VALUES (3)")
    assert count(session) == 1


def test_interrupt_stops_a_query(engine: Engine) -> None:
    timer = threading.Timer(0.3, engine.session.interrupt)
    timer.start()
    with pytest.raises(QueryCanceled):
        engine.run("SELECT count(*) FROM generate_series(1, 100000000) a(x), "
                   "generate_series(1, 100000) b(y) WHERE x % 7 = y % 3")  # fmt: skip
    timer.join()
    assert engine.run("SELECT 1") == [(1,)]
