"""Rows and programs that fail: the rest goes on, nothing is doubled, and it shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.core.clock import ManualClock
from voltstream.core.errors import NumericOutOfRange, ViewSuspended, VoltstreamError
from voltstream.core.limits import POISON_ROWS_MAX
from voltstream.core.ports import RawBatch, Receipt
from voltstream.runtime.epoch import Epoch

# A window function refuses its argument: no value can stand for what it does not give.
TILES = "ntile(CASE WHEN v >= 1000 THEN 0 ELSE 1 END) OVER (PARTITION BY v ORDER BY v) AS f"
LARGEST = 2**127 - 1  # The largest HUGEINT: one more overflows where no TRY guards, in a sum.


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    clock = ManualClock(1_000_000_000_000_000)
    running = Engine(tmp_path / "data", clock)
    running.run("CREATE SOURCE s (k INTEGER, v BIGINT)")
    running.run("CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM s")
    yield running
    running.close()


@pytest.fixture
def fragile(engine: Engine) -> Engine:
    """A view that fails on large values, where no value can stand for what is refused."""
    engine.run(f"CREATE MATERIALIZED VIEW fragile AS SELECT k, v, {TILES} FROM s")
    engine.run("CREATE VIEW plain AS SELECT f FROM fragile")
    engine.run("CREATE MATERIALIZED VIEW above AS SELECT max(f) AS f FROM fragile")
    return engine


def push(engine: Engine, values: list[int], offsets: dict[str, str] | None = None) -> Receipt:
    payload = "".join(f'{{"k": {n}, "v": {v}}}\n' for n, v in enumerate(values)).encode()
    batch = RawBatch("ndjson", payload, offsets=offsets or {})
    return engine.instance.submit("volt", "s", batch).result(30)


def epochs(engine: Engine) -> object:
    return engine.run("SELECT max(epoch) FROM rw_epochs")[0][0]


def states(engine: Engine) -> dict[object, object]:
    rows = engine.run("SELECT name, state FROM rw_materialized_views")
    return {row[0]: row[1] for row in rows}


def test_a_bad_row_is_a_dead_letter_of_the_same_epoch(fragile: Engine) -> None:
    before = epochs(fragile)
    receipt = push(fragile, [1, 2, 1000, 4, 5], {"file": "7"})
    assert (receipt.rows, receipt.dead_letters) == (4, 1)
    assert fragile.run("SELECT n FROM counted") == [(4,)]
    assert fragile.run("SELECT k FROM s ORDER BY k") == [(0,), (1,), (3,), (4,)]
    letters = fragile.run("SELECT source, raw, reason FROM dead_letters")
    assert [letter[:2] for letter in letters] == [("s", b'{"k": 2, "v": 1000}')]
    # One epoch for rows, letters and offsets; at most one more, without input, before it.
    assert isinstance(before, int) and receipt.epoch <= before + 2
    assert set(states(fragile).values()) == {"running"}


def test_every_trial_is_undone(fragile: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    committed: list[int] = []
    commit = Epoch.commit

    def noted(epoch: Epoch) -> None:
        commit(epoch)
        kept = epoch.connection.rows("SELECT count(*) FROM _vs.src_16384")[0][0]
        place = epoch.connection.rows("SELECT count(*) FROM _vs.offsets")[0][0]
        committed.append(int(kept))
        assert (kept > 0) == (place > 0)  # What a kill would leave: rows and offset, or neither.

    monkeypatch.setattr(Epoch, "commit", noted)
    push(fragile, [1, 1000, 3, 1000, 5, 6], {"file": "7"})
    assert sorted(set(committed)) == [0, 4]


def test_a_view_that_refuses_too_much_is_suspended(fragile: Engine) -> None:
    push(fragile, [1, 2])
    receipt = push(fragile, [1000] * (POISON_ROWS_MAX + 4) + [3])
    assert (receipt.rows, receipt.dead_letters) == (POISON_ROWS_MAX + 5, 0)
    assert states(fragile) == {"counted": "running", "fragile": "failed", "above": "failed"}
    assert fragile.run("SELECT n FROM counted") == [(POISON_ROWS_MAX + 7,)]
    for name in ("fragile", "above", "plain"):
        with pytest.raises(ViewSuspended) as caught:
            fragile.run(f"SELECT * FROM {name}")
        assert "is suspended" in caught.value.message and "REFRESH" in (caught.value.hint or "")
    with pytest.raises(ViewSuspended):
        fragile.run("CREATE MATERIALIZED VIEW more AS SELECT f FROM above")


def test_suspension_survives_a_restart_and_ends_with_refresh(
    fragile: Engine, tmp_path: Path
) -> None:
    fragile.run("CREATE TABLE numbers (v INTEGER)")
    fragile.run(f"CREATE MATERIALIZED VIEW big AS SELECT {TILES} FROM numbers")
    push(fragile, [1000] * (POISON_ROWS_MAX + 1))
    fragile.close()
    again = Engine(tmp_path / "data", fragile.clock)
    assert states(again)["fragile"] == states(again)["above"] == "failed"
    push(again, [3])
    with pytest.raises(ViewSuspended):
        again.run("SELECT * FROM fragile")
    with pytest.raises(ViewSuspended):
        again.run("REFRESH MATERIALIZED VIEW above")
    with pytest.raises(VoltstreamError):  # The rows are still there.
        again.run("REFRESH MATERIALIZED VIEW fragile")
    assert states(again)["fragile"] == "failed"
    writer = again.instance.engine("volt").loop
    writer.run_chore(
        lambda store: store.execute("DELETE FROM _vs.src_16384 WHERE v = 1000")
    ).result()
    again.run("REFRESH MATERIALIZED VIEW fragile")
    assert set(states(again).values()) == {"running"}
    push(again, [4])
    assert again.run("SELECT f FROM above") == again.run("SELECT max(f) FROM fragile")
    assert again.run("SELECT count(*) FROM plain") == [(2,)]
    again.run("REFRESH MATERIALIZED VIEW fragile; DROP MATERIALIZED VIEW fragile CASCADE")
    again.close()


def test_a_change_that_a_view_cannot_take_is_refused(engine: Engine) -> None:
    engine.run("CREATE TABLE t (v INTEGER)")
    engine.run(f"CREATE MATERIALIZED VIEW big AS SELECT {TILES} FROM t")
    engine.run("INSERT INTO t VALUES (3)")
    with pytest.raises(VoltstreamError) as caught:
        engine.run("INSERT INTO t VALUES (1000)")
    assert '"big"' in (caught.value.detail or "")
    assert engine.run("SELECT * FROM t") == [(3,)]
    engine.run("INSERT INTO t VALUES (4)")
    assert len(engine.run("SELECT f FROM big")) == 2
    assert set(states(engine).values()) == {"running"}


def test_a_failing_timer_suspends_its_view_only(engine: Engine) -> None:
    engine.run("CREATE TABLE due (v INTEGER, at TIMESTAMPTZ)")
    engine.run(f"CREATE MATERIALIZED VIEW late AS SELECT {TILES} "
               "FROM (SELECT v FROM due WHERE at < NOW())")  # fmt: skip
    engine.run("INSERT INTO due VALUES (1000, '2001-09-09 02:00:00+00')")
    assert isinstance(engine.clock, ManualClock)
    engine.clock.advance(3_600)
    push(engine, [1])  # The timer is due in the same epoch.
    assert engine.run("SELECT n FROM counted") == [(1,)]
    assert states(engine) == {"counted": "running", "late": "failed"}
    engine.run("INSERT INTO due VALUES (1, NULL)")
    reasons = engine.run("SELECT reason FROM rw_materialized_views WHERE state = 'failed'")
    assert reasons and reasons[0][0]


def test_sum_overflow_is_an_error_of_its_class(engine: Engine) -> None:
    with pytest.raises(NumericOutOfRange):
        engine.run(f"SELECT sum(x) FROM (VALUES ({LARGEST}), ({LARGEST})) AS v(x)")
