"""What a restart keeps: objects, rows, programs, offsets, comments; and that views go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import ManualClock, SystemClock
from voltstream.core.errors import (
    DuplicateDatabase,
    ObjectInUse,
    StorageFault,
    UndefinedDatabase,
)
from voltstream.core.ports import RawBatch
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions

Restart = Callable[[Engine], Engine]


@pytest.fixture
def restart(tmp_path: Path) -> Restart:
    def again(engine: Engine) -> Engine:
        engine.close()
        return Engine(tmp_path / "data", engine.clock)

    return again


def test_views_go_on_after_a_restart(tmp_path: Path, restart: Restart) -> None:
    engine = Engine(tmp_path / "data", SystemClock())
    engine.run("CREATE SOURCE s (k INTEGER, v INTEGER); CREATE TABLE names (k INTEGER, n VARCHAR)")
    engine.run("CREATE VIEW big AS SELECT k, v FROM s WHERE v > 10")
    engine.run("CREATE MATERIALIZED VIEW sums AS SELECT k, sum(v) AS v FROM big GROUP BY k")
    engine.run("CREATE MATERIALIZED VIEW named AS SELECT n, v FROM sums JOIN names USING (k)")
    engine.run("INSERT INTO names VALUES (1, 'one'); INSERT INTO s VALUES (1, 5), (1, 20)")
    engine.run("COMMENT ON MATERIALIZED VIEW named IS 'with names'")
    engine = restart(engine)
    assert engine.run("SELECT * FROM named") == [("one", 20)]
    engine.run("INSERT INTO s VALUES (1, 30), (2, 40); INSERT INTO names VALUES (2, 'two')")
    assert engine.run("SELECT * FROM named ORDER BY v") == [("two", 40), ("one", 50)]
    engine = restart(engine)
    engine.run("DELETE FROM names WHERE k = 1")
    assert engine.run("SELECT * FROM named") == [("two", 40)]
    engine.run("DROP SOURCE s CASCADE; CREATE SOURCE s (k INTEGER)")
    engine.close()


def test_arrival_numbers_never_repeat(tmp_path: Path, restart: Restart) -> None:
    engine = Engine(tmp_path / "data", SystemClock())
    engine.run("CREATE SOURCE s (k INTEGER, v INTEGER)")
    engine.run("CREATE MATERIALIZED VIEW f AS SELECT DISTINCT ON (k) k, v FROM s ORDER BY k")
    engine.run("INSERT INTO s VALUES (1, 1)")
    engine = restart(engine)
    engine.run("INSERT INTO s VALUES (1, 2)")
    assert engine.run("SELECT v FROM f") == [(1,)]
    engine.close()


def test_offsets_are_as_durable_as_their_rows(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "data", SystemClock())
    engine.run("CREATE SOURCE s (k INTEGER)")
    batch = RawBatch("ndjson", b'{"k": 1}\n', offsets={"file": "10"})
    engine.instance.submit("volt", "s", batch).result(10)
    engine.instance.submit("volt", "s", RawBatch("ndjson", b"", offsets={"file": "20"})).result(10)
    reader = engine.instance.engine("volt").database.reader()
    assert reader.rows("SELECT part, position FROM _vs.offsets") == [("file", "20")]
    reader.close()
    engine.close()


def test_timers_fire_after_a_downtime(tmp_path: Path) -> None:
    clock = ManualClock(1_000_000_000_000_000)
    engine = Engine(tmp_path / "data", clock)
    engine.run("CREATE SOURCE beats (k INTEGER, at TIMESTAMPTZ)")
    engine.run("CREATE MATERIALIZED VIEW silent AS SELECT k FROM beats "
               "WHERE at < NOW() - INTERVAL '5 minutes'")  # fmt: skip
    engine.run("INSERT INTO beats VALUES (1, '2001-09-09 01:46:40+00')")
    assert engine.run("SELECT * FROM silent") == []
    engine.close()
    clock.advance(600)
    engine = Engine(tmp_path / "data", clock)
    engine.run("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")  # At the latest now.
    assert engine.run("SELECT * FROM silent") == [(1,)]
    engine.close()


def test_two_processes_cannot_share_a_directory(tmp_path: Path) -> None:
    first = Instance(tmp_path, EngineOptions(), SystemClock(), ConnectorRegistry(None))
    first.start()
    second = Instance(tmp_path, EngineOptions(), SystemClock(), ConnectorRegistry(None))
    with pytest.raises(StorageFault):
        second.start()
    first.stop()


def test_databases(tmp_path: Path, restart: Restart) -> None:
    engine = Engine(tmp_path / "data", SystemClock())
    engine.run("CREATE DATABASE depot")
    with pytest.raises(DuplicateDatabase):
        engine.run("CREATE DATABASE depot")
    engine = restart(engine)
    assert engine.run("SHOW DATABASES") == [("depot",), ("volt",)]
    session = engine.instance.open(database="depot", user="volt", options={})
    with pytest.raises(ObjectInUse):
        engine.run("DROP DATABASE depot")
    session.close()
    engine.run("DROP DATABASE depot; DROP DATABASE IF EXISTS depot")
    with pytest.raises(UndefinedDatabase):
        engine.instance.open(database="depot", user="volt", options={})
    engine.close()
