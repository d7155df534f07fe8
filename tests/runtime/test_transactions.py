"""Transactions: one epoch, its own writes visible, one writer at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.driver import Engine, begun
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.errors import (
    ActiveTransaction,
    FailedTransaction,
    IdleInTransactionTimeout,
    InvalidParameter,
    InvalidSavepoint,
    LimitExceeded,
    NoActiveTransaction,
    ObjectInUse,
    QueryCanceled,
    SerializationFailure,
    UniqueViolation,
)
from voltstream.core.ports import Session
from voltstream.runtime import transaction
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions

ENDLESS = ("SELECT count(*) FROM generate_series(1, 10000) a(x), generate_series(1, 10000) b(y), "
           "generate_series(1, 10000) c(z) WHERE x % 7 = (y + z) % 3")  # fmt: skip


@pytest.fixture
def table(engine: Engine) -> Engine:
    engine.run("CREATE TABLE t (a INTEGER UNIQUE)")
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
    instance = Instance(begun(tmp_path / "hasty"), options, SystemClock(), ConnectorRegistry(None))
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


@contextmanager
def canceled(session: Session) -> Iterator[None]:
    """Cancel whatever the session does, from another thread; before it begins nothing happens."""
    done = threading.Event()

    def cancel() -> None:
        while not done.wait(0.1):
            session.interrupt()

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_interrupt_stops_a_query(engine: Engine) -> None:
    with canceled(engine.session), pytest.raises(QueryCanceled):
        engine.run(ENDLESS)
    assert engine.run("SELECT 1") == [(1,)]


# --- savepoints -----------------------------------------------------------------------------------


def values(engine: Engine) -> list[object]:
    return [row[0] for row in engine.run("SELECT a FROM t ORDER BY a")]


def test_savepoints(table: Engine) -> None:
    table.run("BEGIN; INSERT INTO t VALUES (1); SAVEPOINT one; INSERT INTO t VALUES (2)")
    table.run("SAVEPOINT two; INSERT INTO t VALUES (3)")
    assert values(table) == [1, 2, 3]
    table.run("ROLLBACK TO two")
    assert values(table) == [1, 2] and count(table.session, "total") == 2
    table.run("ROLLBACK TO SAVEPOINT two; INSERT INTO t VALUES (4); RELEASE two")
    with pytest.raises(InvalidSavepoint):
        table.run("ROLLBACK TO two")
    assert status(table) == "E"
    table.run("ROLLBACK TO one; INSERT INTO t VALUES (5); RELEASE SAVEPOINT one; COMMIT")
    assert values(table) == [1, 5] and count(table.session, "total") == 2


def test_a_savepoint_saves_a_failed_block(table: Engine) -> None:
    table.run("BEGIN; INSERT INTO t VALUES (1); SAVEPOINT s")
    with pytest.raises(UniqueViolation):
        table.run("INSERT INTO t VALUES (1)")
    with pytest.raises(FailedTransaction):
        table.run("SELECT 1")
    with pytest.raises(FailedTransaction):
        table.run("SAVEPOINT other")
    table.run("ROLLBACK TO s")
    assert status(table) == "T" and values(table) == [1]
    table.run("INSERT INTO t VALUES (2); COMMIT")
    assert values(table) == [1, 2]


def test_a_savepoint_keeps_what_was_defined_before_it(table: Engine) -> None:
    table.run("BEGIN; CREATE TABLE u (b INTEGER); SAVEPOINT s; CREATE TABLE w (c INTEGER)")
    table.run("ROLLBACK TO s; INSERT INTO u VALUES (7); CREATE TABLE w (d INTEGER); COMMIT")
    assert table.run("SELECT b FROM u") == [(7,)]
    assert table.run("SELECT d FROM w") == []


def test_a_copy_is_undone_by_a_savepoint(table: Engine) -> None:
    table.run("BEGIN; SAVEPOINT s")
    for data in (b"1\n2\n", b"3\n"):
        table.run("SAVEPOINT inner")
        copy = table.session.execute(table.session.parse("COPY t FROM STDIN")[0]).copy_in
        assert copy is not None
        copy.write(data)
        assert copy.finish().tag == f"COPY {data.count(10)}"
    table.run("ROLLBACK TO inner")
    assert values(table) == [1, 2]
    table.run("COMMIT")
    assert values(table) == [1, 2] and count(table.session, "total") == 2


def test_savepoints_need_a_block(table: Engine) -> None:
    for statement in ("SAVEPOINT s", "RELEASE s", "ROLLBACK TO s"):
        with pytest.raises(NoActiveTransaction):
            table.run(statement)


def test_a_large_block_cannot_go_back(table: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "TRANSACTION_STATEMENTS_MAX", 2)
    table.run("BEGIN; SAVEPOINT s; INSERT INTO t VALUES (1)")
    table.run("INSERT INTO t VALUES (2); INSERT INTO t VALUES (3)")
    with pytest.raises(LimitExceeded):
        table.run("ROLLBACK TO s")
    table.run("ROLLBACK; BEGIN; SAVEPOINT s; INSERT INTO t VALUES (1)")
    table.run("INSERT INTO t VALUES (2); INSERT INTO t VALUES (3); COMMIT")
    assert values(table) == [1, 2, 3]


# --- lending the writer ---------------------------------------------------------------------------


@pytest.fixture
def lenient(tmp_path: Path) -> Iterator[Instance]:
    options = EngineOptions(transaction_yield_s=0.05)
    instance = Instance(
        begun(tmp_path / "lenient"), options, SystemClock(), ConnectorRegistry(None)
    )
    instance.start()
    yield instance
    instance.stop()


def opened(instance: Instance) -> Session:
    return instance.open(database="volt", user="volt", options={})


def test_an_idle_block_stops_nobody(lenient: Instance) -> None:
    first, second = opened(lenient), opened(lenient)
    run(first, "CREATE TABLE t (a INTEGER); CREATE TABLE u (a INTEGER)")
    run(first, "CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n FROM t")
    run(first, "BEGIN; INSERT INTO t VALUES (1)")
    assert count(first, "total") == 1
    run(second, "INSERT INTO u VALUES (2)")  # The block is idle: this does not wait for it.
    assert count(second) == 0
    run(first, "INSERT INTO t VALUES (3)")
    run(second, "INSERT INTO u VALUES (2)")
    run(first, "COMMIT")
    assert count(second) == 2 and count(second, "total") == 2


def test_an_overtaken_block_must_be_run_again(lenient: Instance) -> None:
    first, second = opened(lenient), opened(lenient)
    run(first, "CREATE TABLE t (a INTEGER UNIQUE)")
    run(first, "BEGIN; INSERT INTO t VALUES (3); UPDATE t SET a = a + 1")
    run(second, "INSERT INTO t VALUES (4)")
    with pytest.raises(SerializationFailure):  # It was told that it changed one row.
        run(first, "INSERT INTO t VALUES (5)")
    assert first.status == "E"
    run(first, "ROLLBACK; BEGIN; INSERT INTO t VALUES (6)")
    run(second, "INSERT INTO t VALUES (6)")
    with pytest.raises(SerializationFailure):  # The key is taken now.
        run(first, "COMMIT")
    assert count(first) == 2


@pytest.mark.parametrize(
    ("begin", "fails"),
    [
        ("BEGIN", False),
        ("BEGIN ISOLATION LEVEL READ COMMITTED", False),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE", True),
        ("BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", True),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE; BEGIN", True),
    ],
)
def test_what_was_read_must_hold_when_asked_for(lenient: Instance, begin: str, fails: bool) -> None:
    first, second = opened(lenient), opened(lenient)
    run(first, f"CREATE TABLE t (a INTEGER); {begin}; INSERT INTO t VALUES (1)")
    assert count(first) == 1
    run(second, "INSERT INTO t VALUES (2)")
    if fails:
        with pytest.raises(SerializationFailure):  # It was told that there is one row.
            run(first, "COMMIT")
    else:
        run(first, "COMMIT")
    assert count(second) == (1 if fails else 2)


def test_a_failed_block_holds_nothing(table: Engine) -> None:
    other = another(table)
    table.run("BEGIN; INSERT INTO t VALUES (1); SAVEPOINT s")
    with pytest.raises(UniqueViolation):
        table.run("INSERT INTO t VALUES (1)")
    run(other, "INSERT INTO t VALUES (9)")
    table.run("ROLLBACK TO s; COMMIT")
    assert values(table) == [1, 9]
    other.close()


# --- no trace -------------------------------------------------------------------------------------


def everything(engine: Engine) -> dict[str, object]:
    """Return every stored table's content."""
    reader = engine.instance.engine("volt").database.reader()
    names = reader.rows("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT temporary "
                        "ORDER BY ALL")  # fmt: skip
    found: dict[str, object] = {}
    for schema, name in names:
        if name not in ("epoch", "states"):  # The clock's epochs and connectors go on beside it.
            rows = reader.rows(f'SELECT to_json(x)::VARCHAR FROM "{schema}"."{name}" x ORDER BY 1')
            found[f"{schema}.{name}"] = rows
    reader.close()
    return found


def test_a_rolled_back_block_leaves_no_trace(table: Engine) -> None:
    table.run("CREATE SOURCE s (k INTEGER, v INTEGER); INSERT INTO s VALUES (1, 1), (2, 2)")
    table.run("CREATE MATERIALIZED VIEW sums AS SELECT k, sum(v) AS v, count(DISTINCT v) AS d "
              "FROM s GROUP BY k")  # fmt: skip
    table.run("CREATE MATERIALIZED VIEW joined AS SELECT a, v FROM t LEFT JOIN sums ON a = k")
    table.run("CREATE SINK out FROM joined WITH (connector = 'blackhole', type = 'append-only')")
    table.run("INSERT INTO t VALUES (1), (5)")
    before = everything(table)
    table.run("BEGIN; INSERT INTO s VALUES (1, 7), (3, 3); DELETE FROM t WHERE a = 1")
    table.run("SAVEPOINT x; CREATE MATERIALIZED VIEW more AS SELECT v FROM joined")
    table.run("UPDATE t SET a = a + 1; ROLLBACK TO x; DROP SINK out; INSERT INTO t VALUES (3)")
    assert everything(table) == before
    table.run("ROLLBACK")
    assert everything(table) == before
    table.run("INSERT INTO s VALUES (1, 7); INSERT INTO t VALUES (2)")
    assert table.run("SELECT a, v FROM joined ORDER BY a") == [(1, 8), (2, 2), (5, None)]


# --- waiting together -----------------------------------------------------------------------------


def test_a_failing_statement_fails_alone(table: Engine) -> None:
    """Statements that waited together share an epoch; one that fails takes none with it."""
    table.run("INSERT INTO t VALUES (7)")
    blocker = threading.Event()
    table.instance.engine("volt").loop.run_statement(lambda _: blocker.wait(10), shared=False)
    sessions = [another(table) for _ in range(8)]
    told: dict[int, str] = {}

    def insert(number: int) -> None:
        try:
            run(sessions[number], f"INSERT INTO t VALUES ({7 if number == 3 else 100 + number})")
            told[number] = "done"
        except UniqueViolation:
            told[number] = "failed"

    threads = [threading.Thread(target=insert, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    blocker.set()
    for thread in threads:
        thread.join()
    assert told == {n: "failed" if n == 3 else "done" for n in range(8)}
    assert count(table.session) == 8 and count(table.session, "total") == 8


def test_those_who_wait_share_an_epoch(table: Engine) -> None:
    blocker = threading.Event()
    loop = table.instance.engine("volt").loop
    first = loop.run_statement(lambda epoch: (blocker.wait(10), epoch.number)[1], shared=False)
    others = [loop.run_statement(lambda epoch: epoch.number, shared=True) for _ in range(5)]
    blocker.set()
    assert {other.result(10) for other in others} == {first.result(10) + 1}


# --- cancel and timeouts --------------------------------------------------------------------------


@pytest.mark.parametrize("statement", [ENDLESS, f"CREATE TABLE u AS {ENDLESS}"])
def test_statement_timeout(table: Engine, statement: str) -> None:
    table.run("SET statement_timeout = '200ms'")
    with pytest.raises(QueryCanceled, match="statement timeout"):
        table.run(statement)
    assert table.run("SHOW statement_timeout") == [("200ms",)]
    table.run("SET statement_timeout = 0; INSERT INTO t VALUES (1)")
    assert values(table) == [1]
    with pytest.raises(InvalidParameter):
        table.run("SET statement_timeout = 'soon'")


def test_cancel_strikes_one_statement_only(table: Engine) -> None:
    """A write that waits behind a slow one is cancelled; the slow one does not notice."""
    other = another(table)
    blocker = threading.Event()
    slow = table.instance.engine("volt").loop.run_statement(lambda _: blocker.wait(10), shared=True)
    with canceled(other), pytest.raises(QueryCanceled):
        run(other, "INSERT INTO t VALUES (1)")
    blocker.set()
    assert slow.result(10) is True
    assert count(table.session) == 0
    other.interrupt()  # Nothing runs: nothing happens.
    run(other, "INSERT INTO t VALUES (2)")
    other.close()
    other.interrupt()
    assert count(table.session) == 1


def test_cancel_of_a_write_in_a_block(table: Engine) -> None:
    table.run("BEGIN; INSERT INTO t VALUES (1); SAVEPOINT s")
    with canceled(table.session), pytest.raises(QueryCanceled):
        table.run(f"INSERT INTO t {ENDLESS}")
    assert status(table) == "E"
    table.run("ROLLBACK TO s; COMMIT")
    assert values(table) == [1]


def test_the_sessions_own_idle_timeout(table: Engine) -> None:
    table.run("SET idle_in_transaction_session_timeout = '100ms'")
    table.run("BEGIN; INSERT INTO t VALUES (1)")
    time.sleep(0.4)
    with pytest.raises(IdleInTransactionTimeout):
        table.run("INSERT INTO t VALUES (2)")
    assert status(table) == "E"
    table.run("ROLLBACK")
    assert values(table) == []
