"""A sink into a table of a real PostgreSQL server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connectors.memory_feed import eventually
from tests.connectors.real_postgres.server import Server
from tests.driver import Engine, bag
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.ports import SinkRecord, SinkRefused, SinkUnavailable


def properties(server: Server, table: str) -> dict[str, str]:
    return {
        "connector": "postgres",
        "host": "127.0.0.1",
        "port": str(server.port),
        "user": "volt",
        "database": "postgres",
        "table": table,
    }


def record(ordinal: int, number: int) -> SinkRecord:
    return SinkRecord(1, ordinal, None, b'{"n":%d}' % number)


def test_a_table_is_kept_like_the_view(server: Server, tmp_path: Path) -> None:
    engine = Engine(tmp_path, SystemClock())
    options = ", ".join(f"{k} = '{v}'" for k, v in properties(server, "totals").items())
    with server.connect() as target:
        target.execute("CREATE TABLE totals (feeder TEXT, kwh NUMERIC(12,3), at TIMESTAMPTZ)")
        engine.run(
            "CREATE TABLE reads (meter INT PRIMARY KEY, feeder TEXT, kwh NUMERIC(12,3), "
            "at TIMESTAMPTZ); CREATE MATERIALIZED VIEW totals AS SELECT feeder, sum(kwh) AS kwh, "
            "max(at) AS at FROM reads GROUP BY feeder; "
            f"CREATE SINK s FROM totals WITH ({options}, type = 'upsert', primary_key = 'feeder')"
        )
        for change in (
            "INSERT INTO reads SELECT i, 'f' || i % 9, i / 8.0, '2026-03-29T01:59:59.5Z' "
            "FROM generate_series(1, 500) i",
            "UPDATE reads SET kwh = kwh + 1 WHERE feeder = 'f3'",
            "DELETE FROM reads WHERE feeder IN ('f1', 'f2')",
        ):
            engine.run(change)
            eventually(lambda: engine.run("SELECT pending FROM rw_sinks") == [(0,)])
        right = bag(engine.run("SELECT feeder, kwh, at FROM totals"))
        assert bag(target.execute("SELECT feeder, kwh, at FROM totals").fetchall()) == right
        assert len(right) == 7
    engine.close()


def test_each_record_is_appended_once_and_bad_ones_are_named(server: Server) -> None:
    with server.connect() as target:
        target.execute("CREATE TABLE log (n INT CHECK (n <> 13))")
        sink = ConnectorRegistry().sink("once", properties(server, "log"))
        with pytest.raises(SinkRefused) as refusal:
            sink.deliver([record(n, n) for n in range(10, 20)])
        assert [one.ordinal for one, _ in refusal.value.refused] == [13]
        sink.deliver([record(n, n) for n in range(10, 22)])  # Nobody had acknowledged the others.
        sink.close()
        again = ConnectorRegistry().sink("once", properties(server, "log"))
        again.deliver([record(n, n) for n in range(20, 23)])
        again.close()
        found = sorted(row[0] for row in target.execute("SELECT n FROM log").fetchall())  # type: ignore[type-var]
        assert found == [10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22]


def test_a_table_that_is_not_there_holds_the_sink_up(server: Server) -> None:
    with server.connect() as target:
        sink = ConnectorRegistry().sink("later", properties(server, "later"))
        with pytest.raises(SinkUnavailable, match="later"):
            sink.deliver([record(0, 1)])
        target.execute("CREATE TABLE later (m INT)")
        with pytest.raises(SinkUnavailable, match='no column "n"'):
            sink.deliver([record(0, 1)])
        target.execute("ALTER TABLE later RENAME m TO n")
        sink.deliver([record(0, 1)])
        sink.close()
        assert target.execute("SELECT n FROM later").fetchall() == [(1,)]
