"""The watermark of a source or table with partitions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.core.clock import ManualClock
from voltstream.core.limits import PARTITION_IDLE_S
from voltstream.core.ports import RawBatch
from voltstream.store.ledger import set_ends

SOURCE = (
    "CREATE SOURCE reads (at TIMESTAMPTZ, n INT, WATERMARK FOR at AS at) "
    "WITH (connector = 'none') FORMAT PLAIN ENCODE JSON"
)
COLUMNS = "at TIMESTAMPTZ, n INT, WATERMARK FOR at AS at"
TABLE = (
    f"CREATE TABLE reads ({COLUMNS}) APPEND ONLY WITH (connector = 'none') FORMAT PLAIN ENCODE JSON"
)
KEYED = (
    f"CREATE TABLE reads ({COLUMNS}, PRIMARY KEY (at)) WITH (connector = 'none') "
    "FORMAT UPSERT ENCODE JSON"
)
MARK = "SELECT extract(minute FROM watermark)::INT FROM rw_watermarks"
WINDOWS = (
    "CREATE MATERIALIZED VIEW w AS SELECT window_start, sum(n) AS n FROM TUMBLE(reads, at, "
    "INTERVAL '10 minutes') GROUP BY window_start EMIT ON WINDOW CLOSE"
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_800_000_000_000_000)


@pytest.fixture
def engine(tmp_path: Path, clock: ManualClock) -> Iterator[Engine]:
    running = Engine(tmp_path / "data", clock)
    yield running
    running.close()


def bring(engine: Engine, partition: int, minute: int, offset: int) -> None:
    record = b'{"at":"2026-03-01T10:%02d:00Z","n":%d}' % (minute, partition)
    part = f"t/{partition}"
    batch = RawBatch("json", records=[record], offsets={part: str(offset)}, partition=part)
    engine.instance.submit("volt", "reads", batch).result(10)


def tell_ends(engine: Engine, ends: dict[str, int]) -> None:
    loop = engine.instance.engine("volt").loop
    oid = int(str(engine.run("SELECT id FROM rw_sources")[0][0]))
    loop.run_chore(lambda store: set_ends(store, oid, ends, 0)).result(10)


@pytest.mark.parametrize("definition", [SOURCE, TABLE])
def test_a_partition_that_is_behind_holds_the_watermark(engine: Engine, definition: str) -> None:
    engine.run(definition)
    engine.run(WINDOWS)
    tell_ends(engine, {"t/0": 3, "t/1": 2, "t/2": 0})
    bring(engine, 0, 50, 3)
    assert engine.run(MARK) == [(None,)]  # Rows wait in t/1; t/2 is empty.
    bring(engine, 1, 5, 1)
    assert engine.run(MARK) == [(5,)]
    bring(engine, 1, 15, 2)
    assert engine.run(MARK) == [(15,)]
    start = datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert engine.run("SELECT * FROM w") == [(start, 1)]
    assert engine.run("SELECT * FROM rw_late_rows") == []
    told = engine.run(
        "SELECT partition, extract(minute FROM watermark)::INT, behind FROM rw_source_lag "
        "ORDER BY partition"
    )
    assert told == [("t/0", 50, 0), ("t/1", 15, 0), ("t/2", None, 0)]


def test_a_partition_that_is_idle_holds_nothing(engine: Engine, clock: ManualClock) -> None:
    engine.run(SOURCE)
    tell_ends(engine, {"t/0": 2, "t/1": 2})
    bring(engine, 0, 10, 1)
    bring(engine, 1, 5, 2)
    assert engine.run(MARK) == [(5,)]
    clock.advance(PARTITION_IDLE_S)
    bring(engine, 0, 20, 2)
    assert engine.run(MARK) == [(20,)]
    bring(engine, 1, 6, 3)  # It is late, and the watermark does not go back.
    assert engine.run(MARK) == [(20,)]


def test_changes_of_a_table_move_the_marks_of_their_partitions(engine: Engine) -> None:
    engine.run(KEYED)
    tell_ends(engine, {"t/0": 3, "t/1": 2})
    bring(engine, 0, 50, 3)
    assert engine.run(MARK) == [(None,)]
    bring(engine, 1, 15, 2)
    assert engine.run(MARK) == [(15,)]
    assert engine.run("SELECT count(*) FROM reads") == [(2,)]


def test_marks_outlast_a_restart_and_go_with_their_source(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "data", ManualClock(1_800_000_000_000_000))
    engine.run(SOURCE)
    bring(engine, 0, 10, 1)
    engine.close()
    engine = Engine(tmp_path / "data", engine.clock)
    tell_ends(engine, {"t/0": 1, "t/1": 1})
    bring(engine, 1, 5, 1)
    bring(engine, 1, 7, 2)
    assert engine.run("SELECT partition, extract(minute FROM watermark)::INT FROM rw_source_lag "
                      "ORDER BY partition") == [("t/0", 10), ("t/1", 7)]  # fmt: skip
    assert engine.run(MARK) == [(10,)]
    engine.run("DROP SOURCE reads")
    assert engine.run("SELECT count(*) FROM rw_watermarks") == [(0,)]
    engine.close()
