"""A definition that no longer compiles: its database opens, and says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.core.clock import ManualClock
from voltstream.core.errors import ViewSuspended


def rewritten(engine: Engine, name: str, definition: str, folder: Path) -> Engine:
    """Restart with another definition in the ledger, as if the compiler had changed."""
    update = "UPDATE _vs.objects SET definition = ? WHERE name = ?"
    return stored_anew(engine, update, [definition, name], folder)


def stored_anew(engine: Engine, statement: str, values: list[str], folder: Path) -> Engine:
    """Change the file behind the engine's back, and start again."""
    loop = engine.instance.engine("volt").loop
    loop.run_chore(lambda connection: connection.execute(statement, values)).result()
    engine.close()
    return Engine(folder, engine.clock)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = Engine(tmp_path, ManualClock())
    made.run("CREATE TABLE t (a INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
    made.run("CREATE MATERIALIZED VIEW v AS SELECT a, count(*) AS n FROM t GROUP BY a")
    made.run("CREATE MATERIALIZED VIEW above AS SELECT sum(n) AS n FROM v")
    made.run("CREATE MATERIALIZED VIEW other AS SELECT max(a) AS a FROM t")
    made.run("CREATE VIEW plain AS SELECT a + 1 AS b FROM t")
    return made


GOOD = "CREATE MATERIALIZED VIEW v AS SELECT a, count(*) AS n FROM t GROUP BY a"
BAD = {
    "a function that is gone": "CREATE MATERIALIZED VIEW v AS SELECT no_such(a) AS n FROM t",
    "a grammar that is gone": "CREATE MATERIALIZED VIEW v AS SELECT FROM WHERE",
}


@pytest.mark.parametrize("why", sorted(BAD))
def test_a_view_that_no_longer_compiles_keeps_nothing_else_from_opening(
    engine: Engine, tmp_path: Path, why: str
) -> None:
    engine = rewritten(engine, "v", BAD[why], tmp_path)
    try:
        engine.run("INSERT INTO t VALUES (3)")
        assert engine.run("SELECT a FROM other") == [(3,)]
        assert engine.run("SELECT b FROM plain ORDER BY b") == [(2,), (3,), (4,)]
        for name in ("v", "above"):
            with pytest.raises(ViewSuspended, match="no longer compiles") as caught:
                engine.run(f"SELECT * FROM {name}")
            assert "DROP MATERIALIZED VIEW" in (caught.value.hint or "")
        shown = engine.run("SELECT name, kind, cause FROM rw_suspended_objects ORDER BY name")
        assert shown == [
            ("above", "materialized view", "v"),
            ("v", "materialized view", "v"),
        ]
        assert engine.run("SELECT state FROM rw_materialized_views WHERE name = 'v'") == [
            ("failed",)
        ]
        with pytest.raises(ViewSuspended, match="no longer compiles"):
            engine.run("CREATE MATERIALIZED VIEW w AS SELECT * FROM v")
        engine.run("DROP MATERIALIZED VIEW v CASCADE")
        assert engine.run("SELECT * FROM rw_suspended_objects") == []
        engine.run(GOOD)
        assert engine.run("SELECT sum(n) FROM v") == [(3,)]
    finally:
        engine.close()


def test_a_view_that_compiles_again_is_rebuilt_by_refresh(engine: Engine, tmp_path: Path) -> None:
    engine = rewritten(engine, "v", BAD["a function that is gone"], tmp_path)
    engine.run("INSERT INTO t VALUES (3); DELETE FROM t WHERE a = 1")
    with pytest.raises(Exception, match="no_such"):
        engine.run("REFRESH MATERIALIZED VIEW v")
    engine = rewritten(engine, "v", GOOD, tmp_path)
    try:
        with pytest.raises(ViewSuspended, match="suspended"):
            engine.run("SELECT * FROM v")
        engine.run("REFRESH MATERIALIZED VIEW v")
        assert engine.run("SELECT a, n FROM v ORDER BY a") == [(2, 1), (3, 1)]
        assert engine.run("SELECT n FROM above") == [(2,)]
        engine.run("INSERT INTO t VALUES (4)")
        assert engine.run("SELECT n FROM above") == [(3,)]
        assert engine.run("SELECT * FROM rw_suspended_objects") == []
    finally:
        engine.close()


def test_a_plain_view_is_tried_anew_at_each_start(engine: Engine, tmp_path: Path) -> None:
    for statement, works in (
        ("DROP VIEW public.plain", False),
        ("CREATE VIEW public.plain AS SELECT 1 AS b", True),
    ):
        engine = stored_anew(engine, statement, [], tmp_path)
        try:
            if works:
                assert engine.run("SELECT sum(b) FROM plain") == [(1,)]
                continue
            with pytest.raises(ViewSuspended, match="no longer compiles"):
                engine.run("SELECT * FROM plain")
        except BaseException:
            engine.close()
            raise
    try:
        assert engine.run("SELECT * FROM rw_suspended_objects") == []
    finally:
        engine.close()


def test_a_table_whose_definition_is_lost_can_be_dropped(engine: Engine, tmp_path: Path) -> None:
    engine = rewritten(engine, "t", "CREATE TABEL t (a INT)", tmp_path)
    try:
        engine.run("CREATE TABLE u (a INT)")
        for asked in ("SELECT * FROM t", "INSERT INTO t VALUES (9)", "SELECT * FROM v"):
            with pytest.raises(ViewSuspended, match="no longer compiles"):
                engine.run(asked)
        engine.run("DROP TABLE t CASCADE; CREATE TABLE t (a INT); INSERT INTO t VALUES (5)")
        assert engine.run("SELECT * FROM t") == [(5,)]
    finally:
        engine.close()
