"""Input on its way is bounded by its bytes, and small batches are read together."""

from __future__ import annotations

import json
import threading

import pytest

from tests.driver import Engine
from voltstream.core.ports import RawBatch
from voltstream.runtime import epoch_loop, pending, waiting
from voltstream.runtime.instance import DEFAULT_DATABASE
from voltstream.runtime.options import EngineOptions
from voltstream.runtime.pending import Pending


def test_a_batch_waits_for_room_and_a_lone_one_never_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "PENDING_BYTES_MAX", 100)
    room = Pending()
    room.enter(1_000)
    entered = threading.Event()

    def wait() -> None:
        room.enter(1)
        entered.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not entered.wait(0.05)
    room.leave(1_000)
    assert entered.wait(5)
    waiting.join()


def test_many_small_batches_are_each_answered_for_their_own_rows(engine: Engine) -> None:
    engine.run("CREATE SOURCE beats (station VARCHAR, n INT)")
    engine.run(
        "CREATE MATERIALIZED VIEW counted AS SELECT station, count(*) AS n FROM beats GROUP BY 1"
    )
    good = [
        "".join(json.dumps({"station": f"S{i}", "n": k}) + "\n" for k in range(i % 3 + 1))
        for i in range(60)
    ]
    batches = [*good[:30], '{"station": "bad", "n": "x"}\n{"station": "S0", "n": 9}\n', *good[30:]]
    futures = [
        engine.instance.submit(DEFAULT_DATABASE, "beats", RawBatch("ndjson", text.encode()))
        for text in batches
    ]
    receipts = [future.result(30) for future in futures]
    assert [receipt.rows for receipt in receipts] == [
        *(i % 3 + 1 for i in range(30)), 1, *(i % 3 + 1 for i in range(30, 60)),
    ]  # fmt: skip
    assert [receipt.dead_letters for receipt in receipts].count(1) == 1
    assert engine.run("SELECT sum(n) FROM counted") == [(121,)]
    assert engine.run("SELECT count(*) FROM rw_dead_letters") == [(1,)]


def test_rows_that_wait_are_taken_together_up_to_a_bound(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "EPOCHS_TOGETHER_MAX", 3)
    engine.run("CREATE SOURCE beats (station VARCHAR, n INT)")
    loop = engine.instance.engine(DEFAULT_DATABASE).loop
    monkeypatch.setattr(loop._waiting, "_options", EngineOptions(epoch_rows_max=10))
    held = threading.Event()
    waits = loop.run_chore(lambda _: held.wait(30))
    lines = b"".join(b'{"station": "S", "n": %d}\n' % n for n in range(5))
    futures = [
        engine.instance.submit(DEFAULT_DATABASE, "beats", RawBatch("ndjson", lines))
        for _ in range(14)
    ]
    _wait_until_decoded(loop, 70)
    held.set()
    assert waits.result(30)
    epochs = [future.result(30).epoch for future in futures]
    assert [epochs.count(epoch) for epoch in dict.fromkeys(epochs)] == [6, 6, 2]  # 30 rows, 30, 10
    assert engine.run("SELECT count(*) FROM beats") == [(70,)]


def _wait_until_decoded(loop: epoch_loop.EpochLoop, rows: int) -> None:
    waiting = loop._waiting
    with waiting._changed:
        assert waiting._changed.wait_for(lambda: waiting._rows_count == rows, 30)
