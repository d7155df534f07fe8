"""Input on its way is bounded by its bytes, and small batches are read together."""

from __future__ import annotations

import json
import threading

import pytest

from tests.driver import Engine
from voltstream.core.ports import RawBatch
from voltstream.runtime import pending
from voltstream.runtime.instance import DEFAULT_DATABASE
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
