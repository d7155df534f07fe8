"""A subscription's log forgets what is past its retention, whichever epochs it has a part in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.core.clock import ManualClock
from voltstream.runtime import followers


@pytest.mark.parametrize("before", [0, 1])
def test_a_log_with_a_part_in_every_second_epoch_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    monkeypatch.setattr(followers, "_SWEEP_EPOCHS", 2)
    clock = ManualClock(1_700_000_000_000_000)
    engine = Engine(tmp_path / "data", clock)
    engine.run("CREATE TABLE t (a INT); CREATE TABLE other (a INT)")
    engine.run("CREATE SUBSCRIPTION s FROM t WITH (retention = '1 hour')")
    for _ in range(before):
        engine.run("INSERT INTO other VALUES (0)")
    for number in range(6):
        clock.advance(7_200)
        engine.run(f"INSERT INTO t VALUES ({number})")
        engine.run(f"INSERT INTO other VALUES ({number})")
    engine.run("DECLARE c SUBSCRIPTION CURSOR FOR s SINCE begin()")
    assert [row[0] for row in engine.run("FETCH ALL FROM c")] == [5]
    engine.close()
