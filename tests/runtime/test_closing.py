"""What waits is answered when the server stops, and stops when it is cancelled."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.core.clock import SystemClock
from voltstream.core.errors import AdminShutdown, QueryCanceled
from voltstream.core.ports import RawBatch
from voltstream.runtime.instance import DEFAULT_DATABASE
from voltstream.runtime.pending import Pending


def test_a_batch_that_gets_room_behind_the_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(tmp_path / "data", SystemClock())
    engine.run("CREATE SOURCE beats (n INT)")
    entering, room = threading.Event(), threading.Event()
    enter = Pending.enter

    def held(pending: Pending, size: int) -> None:
        entering.set()
        assert room.wait(10)
        enter(pending, size)

    monkeypatch.setattr(Pending, "enter", held)
    faults: list[BaseException] = []

    def push() -> None:
        try:
            batch = RawBatch("ndjson", b'{"n": 1}\n')
            engine.instance.submit(DEFAULT_DATABASE, "beats", batch).result(10)
        except AdminShutdown as fault:
            faults.append(fault)

    pushing = threading.Thread(target=push)
    pushing.start()
    assert entering.wait(10)
    engine.close()
    room.set()
    pushing.join(20)
    assert len(faults) == 1


def test_cancel_ends_a_fetch_that_waits_for_changes(engine: Engine) -> None:
    engine.run("CREATE TABLE t (a INT); CREATE SUBSCRIPTION s FROM t")
    engine.run("DECLARE c SUBSCRIPTION CURSOR FOR s")
    canceling = threading.Timer(0.2, engine.session.interrupt)
    canceling.start()
    with pytest.raises(QueryCanceled):
        engine.run("FETCH NEXT FROM c WITH (timeout = '30s')")
    engine.run("SET statement_timeout = '100ms'")
    with pytest.raises(QueryCanceled, match="statement timeout"):
        engine.run("FETCH NEXT FROM c WITH (timeout = '30s')")
