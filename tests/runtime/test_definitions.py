"""CREATE, DROP, SHOW and COMMENT: their errors, notices and what they leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.core.clock import SystemClock
from voltstream.core.errors import (
    DependentObjects,
    DuplicateTable,
    UndefinedColumn,
    UndefinedSchema,
    UndefinedTable,
    WrongObjectType,
)


def test_if_not_exists_tells(engine: Engine) -> None:
    engine.run("CREATE TABLE t (a INTEGER)")
    with pytest.raises(DuplicateTable):
        engine.run("CREATE SOURCE t (a INTEGER)")
    engine.run("CREATE TABLE IF NOT EXISTS t (b INTEGER)")
    assert engine.notices[-1].message == 'relation "t" already exists, skipping'
    engine.run("DROP TABLE IF EXISTS u")
    assert "does not exist, skipping" in engine.notices[-1].message


def test_drop_respects_dependents(engine: Engine) -> None:
    engine.run("CREATE TABLE t (a INTEGER); CREATE VIEW v AS SELECT a FROM t")
    engine.run("CREATE MATERIALIZED VIEW m AS SELECT a FROM v")
    engine.run("CREATE SINK k FROM m WITH (connector = 'blackhole')")
    with pytest.raises(DependentObjects) as fault:
        engine.run("DROP TABLE t")
    assert fault.value.detail is not None and "view v depends on table t" in fault.value.detail
    with pytest.raises(WrongObjectType):
        engine.run("DROP VIEW m")
    engine.run("DROP TABLE t CASCADE")
    assert engine.notices[-1].message == "drop cascades to 3 other objects"
    assert (engine.notices[-1].detail or "").splitlines() == [
        "drop cascades to view v",
        "drop cascades to materialized view m",
        "drop cascades to sink k",
    ]
    for listed in ("TABLES", "VIEWS", "MATERIALIZED VIEWS", "SINKS"):
        assert engine.run(f"SHOW {listed}") == []
    with pytest.raises(UndefinedTable):
        engine.run("SELECT * FROM m")


def test_schemas(engine: Engine) -> None:
    with pytest.raises(UndefinedSchema):
        engine.run("CREATE TABLE depot.t (a INTEGER)")
    engine.run("CREATE SCHEMA depot; CREATE TABLE depot.t (a INTEGER)")
    engine.run("CREATE MATERIALIZED VIEW depot.m AS SELECT count(*) AS n FROM depot.t")
    engine.run("INSERT INTO depot.t VALUES (1)")
    assert engine.run("SELECT n FROM depot.m") == [(1,)]
    with pytest.raises(DependentObjects):
        engine.run("DROP SCHEMA depot")
    engine.run("DROP SCHEMA depot CASCADE")
    with pytest.raises(UndefinedTable):
        engine.run("SELECT * FROM depot.t")


def test_show_and_describe(engine: Engine) -> None:
    text = "CREATE TABLE t (a INT, b TIMESTAMP WITH TIME ZONE)"
    engine.run("create table t(a integer, b timestamptz)")
    engine.run("COMMENT ON TABLE t IS 'x'; COMMENT ON COLUMN t.a IS 'y'")
    assert engine.run("SHOW CREATE TABLE t") == [("public.t", text)]
    assert engine.run("DESCRIBE t") == [
        ("a", "integer", "false", "y"),
        ("b", "timestamp with time zone", "false", None),
        ("_row_id", "serial", "true", None),
        ("primary key", "_row_id", None, None),
        ("distribution key", "_row_id", None, None),
        ("table description", "t", None, "x"),
    ]
    with pytest.raises(UndefinedColumn):
        engine.run("COMMENT ON COLUMN t.z IS 'y'")
    assert engine.run("SHOW TABLES LIKE 'u%'") == []
    assert engine.run("SET application_name = 'psql'; SHOW application_name") == [("psql",)]


def test_hypertable_calls_answer_as_published(engine: Engine) -> None:
    engine.run("CREATE TABLE t (time TIMESTAMPTZ NOT NULL); CREATE TABLE u (time TIMESTAMPTZ)")
    assert engine.run("SELECT create_hypertable('t', by_range('time'))") == [("(1,t)",)]
    assert engine.run("SELECT create_hypertable('u', 'time')") == [("(2,public,u,t)",)]
    engine.run("SELECT create_hypertable('u', 'time', if_not_exists => TRUE)")
    assert "already a hypertable" in engine.notices[-1].message


def test_backfill(engine: Engine) -> None:
    engine.run("CREATE SOURCE s (k INTEGER); INSERT INTO s VALUES (1), (1), (2)")
    engine.run("CREATE MATERIALIZED VIEW n AS SELECT k, count(*) AS n FROM s GROUP BY k")
    engine.run("CREATE MATERIALIZED VIEW most AS SELECT max(n) AS n FROM n")
    assert engine.run("SELECT n FROM most") == [(2,)]
    engine.run("INSERT INTO s VALUES (2), (2)")
    assert engine.run("SELECT n FROM most") == [(3,)]


def test_names_mean_after_a_restart_what_they_meant(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "moved", SystemClock())
    engine.run(
        "CREATE SCHEMA s2; SET search_path TO s2, public;"
        "CREATE TABLE t (z INT, id SERIAL, g INT AS (z + 1)); INSERT INTO t (z) VALUES (1), (2);"
        "CREATE VIEW pv AS SELECT * FROM t;"
        "CREATE FUNCTION twice(x INT) RETURNS INT LANGUAGE SQL AS 'select x * 2';"
        "CREATE MATERIALIZED VIEW pm AS SELECT twice(z) AS z2, count(*) AS n FROM pv GROUP BY z;"
        "CREATE TABLE kept (z2 INT PRIMARY KEY, n BIGINT); CREATE SINK into_kept INTO kept FROM pm;"
        "CREATE SUBSCRIPTION changes FROM pm; COMMENT ON COLUMN t.z IS 'zed';"
        "ALTER TABLE t ADD COLUMN y INT DEFAULT 5; ALTER TABLE t RENAME TO moved;"
        "ALTER TABLE moved SET SCHEMA public; ALTER SCHEMA s2 RENAME TO s3"
    )
    engine.close()
    engine = Engine(tmp_path / "moved", SystemClock())
    assert engine.run("INSERT INTO moved (z) VALUES (2), (7) RETURNING *") == [
        (2, 3, 3, 5),
        (7, 4, 8, 5),
    ]
    counts = [(2, 1), (4, 2), (14, 1)]
    assert engine.run("SELECT * FROM s3.pm ORDER BY z2") == counts
    assert engine.run("SELECT * FROM s3.kept ORDER BY z2") == counts
    assert engine.run("SELECT y FROM s3.pv") == [(5,), (5,), (5,), (5,)]
    assert engine.run("DESCRIBE moved")[0] == ("z", "integer", "false", "zed")
    engine.run("DECLARE c SUBSCRIPTION CURSOR FOR s3.changes SINCE begin()")
    assert [row[:3] for row in engine.run("FETCH ALL FROM c")] == [
        (4, 1, "Delete"),
        (4, 2, "Insert"),
        (14, 1, "Insert"),
    ]
    engine.run("DROP TABLE moved CASCADE")
    assert engine.run("SHOW MATERIALIZED VIEWS FROM s3") == []
    assert engine.run("SELECT count(*) FROM s3.kept") == [(3,)]
    engine.close()
