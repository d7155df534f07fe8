"""A table that follows one of a real PostgreSQL server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.connectors.memory_feed import eventually
from tests.connectors.real_postgres.server import Server
from tests.driver import Engine, bag
from voltstream.core.clock import SystemClock

Origin = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def origin(server: Server) -> Iterator[Origin]:
    with server.connect() as connection:
        connection.execute(
            "CREATE TABLE meters (id BIGINT PRIMARY KEY, feeder TEXT, kwh NUMERIC(12,3), "
            "at TIMESTAMPTZ, tags TEXT[], doc JSONB, raw BYTEA, live BOOLEAN, note TEXT)"
        )
        connection.execute("ALTER TABLE meters ALTER note SET STORAGE EXTERNAL")
        yield connection
        connection.execute("DROP TABLE meters")
        connection.execute("DROP PUBLICATION IF EXISTS rw_publication")
        connection.execute(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active"
        )
        eventually(
            lambda: (
                connection.execute(
                    "SELECT count(*) FROM pg_replication_slots WHERE active"
                ).fetchone()
                == (0,)
            )
        )
        connection.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


@pytest.fixture
def start(server: Server, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    running: list[Engine] = []

    def started() -> Engine:
        while running:
            running.pop().close()
        engine = Engine(tmp_path / "data", SystemClock())
        running.append(engine)
        engine.run(
            "CREATE TABLE IF NOT EXISTS meters (id BIGINT PRIMARY KEY, feeder TEXT, "
            "kwh NUMERIC(12,3), at TIMESTAMPTZ, tags TEXT[], doc JSONB, raw BYTEA, live BOOLEAN, "
            f"note TEXT) WITH (connector = 'postgres-cdc', hostname = '127.0.0.1', "
            f"port = '{server.port}', username = 'volt', database.name = 'postgres', "
            "table.name = 'meters'); "
            "CREATE MATERIALIZED VIEW IF NOT EXISTS by_feeder AS "
            "SELECT feeder, count(*) AS n, sum(kwh) AS kwh FROM meters GROUP BY feeder"
        )
        return engine

    yield started
    while running:
        running.pop().close()


COLUMNS = (
    "id, feeder, kwh::text, at::text, array_to_string(tags, '|'), doc->>'a', "
    "encode(raw, 'hex'), live, md5(note)"
)


def same(engine: Engine, origin: Origin) -> bool:
    there = bag(origin.execute(f"SELECT {COLUMNS} FROM meters").fetchall())
    here = bag(engine.run(f"SELECT {COLUMNS} FROM meters"))
    again = "SELECT feeder, count(*), sum(kwh) FROM meters GROUP BY feeder"
    one, other = f"(SELECT * FROM by_feeder) EXCEPT ALL ({again})", "SELECT * FROM by_feeder"
    assert engine.run(f"({one}) UNION ALL (({again}) EXCEPT ALL ({other}))") == []  # In one cut.
    return there == here


FILL = (
    "INSERT INTO meters SELECT i, 'f' || i %% 7, i / 8.0, '2026-03-29 00:30+00'::timestamptz + "
    "i * interval '1 min', ARRAY['a,\"' || i, NULL, 'NULL'], jsonb_build_object('a', i), "
    "decode('00ff', 'hex'), i %% 2 = 0, repeat(md5(i::text), 100) "
    "FROM generate_series(%s::int, %s::int) i"
)


def test_a_table_is_copied_and_followed(origin: Origin, start: Callable[[], Engine]) -> None:
    origin.execute("SET TimeZone = 'UTC'")
    origin.execute(FILL, [1, 3_000])
    engine = start()
    eventually(lambda: same(engine, origin))
    origin.execute(FILL, [3_001, 3_500])
    origin.execute("UPDATE meters SET kwh = kwh + 1, feeder = NULL WHERE id % 5 = 0")
    origin.execute("UPDATE meters SET id = id + 100000, note = 'x' WHERE id < 50")
    origin.execute("DELETE FROM meters WHERE id % 7 = 0")
    eventually(lambda: same(engine, origin))
    with origin.transaction():
        origin.execute("TRUNCATE meters")
        origin.execute(FILL, [10, 20])
    eventually(lambda: same(engine, origin))
    origin.execute("ALTER TABLE meters ADD extra INT DEFAULT 5, DROP live")
    origin.execute("ALTER TABLE meters ADD live BOOLEAN")
    origin.execute("UPDATE meters SET live = id > 12, extra = 6")
    eventually(lambda: same(engine, origin))
    assert engine.run("SELECT count(*) FROM rw_dead_letters") == [(0,)]
    assert engine.run("SELECT state FROM rw_sources WHERE name = 'meters'") == [("running",)]


def test_what_changed_while_stopped_comes_once(
    origin: Origin, server: Server, start: Callable[[], Engine]
) -> None:
    origin.execute("SET TimeZone = 'UTC'")
    origin.execute(FILL, [1, 100])
    engine = start()
    eventually(lambda: same(engine, origin))
    engine.close()
    origin.execute("DELETE FROM meters WHERE id = 1")
    origin.execute(FILL, [101, 200])
    engine = start()
    eventually(lambda: same(engine, origin))
    origin.execute("UPDATE meters SET kwh = 0")
    eventually(lambda: same(engine, origin))
    eventually(lambda: engine.run("SELECT name, behind FROM rw_source_lag") == [("meters", 0)])
    [slot] = origin.execute("SELECT slot_name FROM pg_replication_slots").fetchall()
    assert slot == ("voltstream_public_meters",)


def test_a_move_whose_large_value_was_not_sent_is_a_dead_letter(
    origin: Origin, start: Callable[[], Engine]
) -> None:
    origin.execute(FILL, [1, 2])
    engine = start()
    eventually(lambda: engine.run("SELECT count(*) FROM meters") == [(2,)])
    origin.execute("UPDATE meters SET id = 9 WHERE id = 1")
    eventually(lambda: engine.run("SELECT count(*) FROM rw_dead_letters") == [(1,)])
    [(reason,)] = engine.run("SELECT reason FROM rw_dead_letters")
    assert "REPLICA IDENTITY FULL" in str(reason)


def test_a_publication_that_is_busy_with_other_tables_keeps_no_stop_waiting(
    origin: Origin, server: Server, start: Callable[[], Engine]
) -> None:
    origin.execute("CREATE TABLE others (id BIGINT)")
    engine = start()
    eventually(lambda: same(engine, origin))
    origin.execute("ALTER PUBLICATION rw_publication ADD TABLE others")
    enough = threading.Event()

    def write() -> None:
        with server.connect() as connection:
            while not enough.is_set():
                connection.execute("INSERT INTO others SELECT generate_series(1, 100)")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        read = next(one for one in threading.enumerate() if one.name == "cdc-meters")
        eventually(lambda: engine.run("SELECT position > 0 FROM rw_source_lag") == [(True,)])
        engine.run("DROP MATERIALIZED VIEW by_feeder; DROP TABLE meters")
        read.join(5)
        assert not read.is_alive()
    finally:
        enough.set()
        writer.join()
        origin.execute("DROP TABLE others")
