"""Tables that follow those of a real PostgreSQL server through one replication slot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.connectors.memory_feed import eventually
from tests.connectors.real_postgres.server import Server
from tests.driver import Engine
from voltstream.core.clock import SystemClock
from voltstream.core.errors import (
    DependentObjects,
    FeatureNotSupported,
    InvalidTableDefinition,
    OriginUnavailable,
    UndefinedColumn,
    UndefinedTable,
    WrongObjectType,
)

Origin = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def origin(server: Server) -> Iterator[Origin]:
    with server.connect() as connection:
        connection.execute(
            "CREATE TABLE account (id BIGINT PRIMARY KEY, balance BIGINT); "
            'CREATE TABLE ledger ("No" INT, part SMALLINT, kwh NUMERIC(12,3), note VARCHAR(20), '
            "at TIMESTAMPTZ, tags TEXT[], state INET, twice INT GENERATED ALWAYS AS (part * 2) "
            'STORED, PRIMARY KEY (part, "No")); CREATE TABLE keyless (a INT)'
        )
        yield connection
        connection.execute("DROP TABLE account, ledger, keyless")
        connection.execute("DROP PUBLICATION IF EXISTS rw_publication")
        connection.execute(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active"
        )
        active = "SELECT count(*) FROM pg_replication_slots WHERE active"
        eventually(lambda: connection.execute(active).fetchone() == (0,))
        connection.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


def source(port: int, name: str = "pg") -> str:
    return (
        f"CREATE SOURCE IF NOT EXISTS {name} WITH (connector = 'postgres-cdc', "
        f"hostname = '127.0.0.1', port = '{port}', username = 'volt', "
        "database.name = 'postgres', slot.name = 'volt_shared')"
    )


@pytest.fixture
def start(server: Server, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    running: list[Engine] = []

    def started() -> Engine:
        while running:
            running.pop().close()
        engine = Engine(tmp_path / "data", SystemClock())
        running.append(engine)
        engine.run(source(server.port))
        return engine

    yield started
    while running:
        running.pop().close()


def same(engine: Engine, origin: Origin, table: str, columns: str = "*") -> bool:
    query = f"SELECT {columns} FROM {table} ORDER BY 1, 2"
    return engine.run(query) == origin.execute(query).fetchall()


LEDGER = "\"No\", part, kwh::text, note, at::text, array_to_string(tags, '|')"
FILL = (
    "INSERT INTO ledger SELECT i, i %% 3, i / 8.0, 'n' || i, '2026-03-29 00:30+00'::timestamptz, "
    "ARRAY['a', NULL], '10.0.0.1' FROM generate_series(%s::int, %s::int) i"
)


def test_tables_share_a_slot_and_come_and_go(origin: Origin, start: Callable[[], Engine]) -> None:
    origin.execute("SET TimeZone = 'UTC'")
    origin.execute("INSERT INTO account SELECT i, 0 FROM generate_series(1, 100) i")
    origin.execute(FILL, [1, 50])
    engine = start()
    engine.run("CREATE TABLE account (id BIGINT PRIMARY KEY, balance BIGINT) "
               "FROM pg TABLE 'public.account'")  # fmt: skip
    eventually(lambda: same(engine, origin, "account"))
    origin.execute("UPDATE account SET balance = 5 WHERE id = 7")
    origin.execute(FILL, [51, 60])  # Of no table here yet.
    engine.run("CREATE TABLE ledger (*) FROM pg TABLE 'ledger'")
    origin.execute(FILL, [61, 70])
    eventually(lambda: same(engine, origin, "ledger", LEDGER))
    columns = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = "
    assert [kind for _, kind in engine.run(f"{columns} 'ledger' ORDER BY ordinal_position")] == [
        "integer", "smallint", "numeric", "character varying", "timestamp with time zone",
        "ARRAY", "character varying",
    ]  # fmt: skip
    with origin.transaction():
        origin.execute("DELETE FROM ledger WHERE part = 1")
        origin.execute("TRUNCATE account")
        origin.execute("INSERT INTO account VALUES (1, 1)")
    eventually(lambda: same(engine, origin, "ledger", LEDGER) and same(engine, origin, "account"))
    assert engine.run("SELECT DISTINCT state FROM ledger") == [("10.0.0.1",)]  # Copied and told.
    engine.run("DROP TABLE account")
    origin.execute("INSERT INTO account VALUES (2, 2)")
    origin.execute("UPDATE ledger SET note = NULL")
    eventually(lambda: same(engine, origin, "ledger", LEDGER))
    engine.run("CREATE TABLE again (*) FROM pg TABLE 'account' ")
    eventually(lambda: engine.run("SELECT * FROM again ORDER BY 1") == [(1, 1), (2, 2)])
    slots = "SELECT slot_name FROM pg_replication_slots WHERE NOT temporary"
    assert origin.execute(slots).fetchall() == [("volt_shared",)]
    assert engine.run("SELECT count(*) FROM rw_dead_letters") == [(0,)]
    states = "SELECT name, state FROM rw_sources ORDER BY name"
    running = [("again", "running"), ("ledger", "running"), ("pg", "running")]
    eventually(lambda: engine.run(states) == running)


def test_what_changed_while_stopped_comes_once_and_names_may_change(
    origin: Origin, start: Callable[[], Engine], tmp_path: Path
) -> None:
    origin.execute("INSERT INTO account VALUES (1, 1)")
    engine = start()
    engine.run("CREATE TABLE account (*) FROM pg TABLE 'public.account'")
    eventually(lambda: same(engine, origin, "account"))
    engine.run("ALTER SOURCE pg RENAME TO origin; ALTER TABLE account RENAME TO held; "
               "ALTER TABLE held ADD COLUMN extra INT")  # fmt: skip
    engine.close()
    origin.execute("INSERT INTO account VALUES (2, 2)")
    origin.execute("UPDATE account SET balance = 9 WHERE id = 1")
    origin.execute("ALTER TABLE account ADD extra INT DEFAULT 4")
    origin.execute("INSERT INTO account VALUES (3, 3)")
    engine = Engine(tmp_path / "data", SystemClock())
    try:
        found = "SELECT id, balance, extra FROM held ORDER BY id"
        right = [(1, 9, None), (2, 2, None), (3, 3, 4)]
        eventually(lambda: engine.run(found) == right)
        lag = "SELECT name, behind FROM rw_source_lag"
        eventually(lambda: engine.run(lag) == [("origin", 0)])
    finally:
        engine.close()


def test_a_source_stays_as_long_as_tables_need_it(
    origin: Origin, start: Callable[[], Engine]
) -> None:
    engine = start()
    engine.run("CREATE TABLE account (*) FROM pg TABLE 'account'; "
               "CREATE TABLE twin (*) FROM pg TABLE 'account'")  # fmt: skip
    origin.execute("INSERT INTO account VALUES (1, 1)")
    eventually(lambda: engine.run("SELECT * FROM account, twin") == [(1, 1, 1, 1)])
    origin.execute("CREATE VIEW seen AS SELECT id FROM account")
    engine.run("CREATE TABLE seen (id BIGINT PRIMARY KEY) FROM pg TABLE 'seen'")
    failed = "SELECT state FROM rw_sources WHERE name = 'seen'"
    eventually(lambda: engine.run(failed) == [("failed",)])
    origin.execute("DROP VIEW seen; UPDATE account SET balance = 2")
    eventually(lambda: engine.run("SELECT * FROM account, twin") == [(1, 2, 1, 2)])
    with pytest.raises(DependentObjects):
        engine.run("DROP SOURCE pg")
    engine.run("DROP SOURCE pg CASCADE")
    assert engine.run("SHOW TABLES") == engine.run("SHOW SOURCES") == []


REFUSED: tuple[tuple[str, type[Exception]], ...] = (
        ("CREATE TABLE t (*) FROM pg TABLE 'nowhere'", UndefinedTable),
        ("CREATE TABLE t (*) FROM pg TABLE 'keyless'", InvalidTableDefinition),
        ("CREATE TABLE t (a INT) FROM pg TABLE 'keyless'", InvalidTableDefinition),
        ("CREATE TABLE t (id INT PRIMARY KEY, x INT) FROM pg TABLE 'account'", UndefinedColumn),
        ("CREATE TABLE t (id INT, balance INT PRIMARY KEY) FROM pg TABLE 'account'",
         InvalidTableDefinition),
        ("CREATE TABLE t (*) FROM pg", FeatureNotSupported),
        ("CREATE TABLE t FROM pg TABLE 'account'", FeatureNotSupported),
        ("CREATE TABLE t (*) FROM own TABLE 'account'", WrongObjectType),
        ("CREATE TABLE t (*) FROM plain TABLE 'account'", FeatureNotSupported),
        ("CREATE TABLE t (*) FROM gone TABLE 'account'", OriginUnavailable),
        ("SELECT * FROM pg", FeatureNotSupported),
        ("INSERT INTO pg VALUES ('{}')", FeatureNotSupported),
        ("COPY pg FROM STDIN", WrongObjectType),
        ("CREATE MATERIALIZED VIEW v AS SELECT * FROM pg", FeatureNotSupported),
)  # fmt: skip


def test_what_cannot_be_is_refused(origin: Origin, start: Callable[[], Engine]) -> None:
    engine = start()
    engine.run(source(1, "gone") + "; CREATE TABLE own (a INT); CREATE SOURCE plain (a INT)")
    for statement, fault in REFUSED:
        with pytest.raises(fault):
            engine.run(statement)
        assert engine.run("SHOW TABLES") == [("own",)], statement
