"""How fast connectors may be, and that it can be changed while they run."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.connectors.memory_feed import eventually
from tests.driver import Engine
from voltstream.core.clock import ManualClock
from voltstream.core.errors import InvalidParameter, WrongObjectType
from voltstream.core.ports import Stopped
from voltstream.runtime.pace import Pace, rate


def test_rows_that_went_together_are_waited_for_afterwards() -> None:
    clock = ManualClock()
    pace = Pace(clock, 100)
    assert pace.most(20_000) == 10
    pace.take(250)
    waited = threading.Thread(target=pace.take, args=(1,))
    waited.start()
    clock.advance(2.4)
    waited.join(0.6)
    assert waited.is_alive()
    clock.advance(0.1)
    waited.join(5)
    assert not waited.is_alive()


def test_a_pause_ends_with_another_limit_and_with_the_source() -> None:
    pace = Pace(ManualClock(), 0)
    waited = threading.Thread(target=pace.take, args=(1,))
    waited.start()
    waited.join(0.05)
    assert waited.is_alive()
    pace.change(None)
    waited.join(5)
    assert not waited.is_alive()
    assert pace.most(20_000) == 20_000
    pace.change(0)
    pace.close()
    with pytest.raises(Stopped):
        pace.take(1)


@pytest.mark.parametrize("written", ["fast", "1.5", "-2", ""])
def test_a_limit_is_a_whole_number(written: str) -> None:
    with pytest.raises(InvalidParameter):
        rate({"source_rate_limit": written}, "source_rate_limit")


def test_alter_pauses_a_source_and_lets_it_go_on(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(b'{"n":1}\n')
    engine.run(
        f"CREATE SOURCE s (n INT) WITH (connector = 'file', path = '{tmp_path}/*.ndjson', "
        "source_rate_limit = 0) FORMAT PLAIN ENCODE JSON"
    )
    eventually(lambda: engine.run("SELECT state FROM rw_sources") == [("paused",)])
    assert engine.run("SELECT * FROM s") == []
    engine.run("ALTER SOURCE s SET source_rate_limit TO 1000")
    eventually(lambda: engine.run("SELECT * FROM s") == [(1,)])
    eventually(lambda: engine.run("SELECT state FROM rw_sources") == [("running",)])
    engine.run("ALTER SOURCE s SET SOURCE_RATE_LIMIT = DEFAULT")
    (tmp_path / "b.ndjson").write_bytes(b'{"n":2}\n')
    eventually(lambda: engine.run("SELECT max(n) FROM s") == [(2,)])


def test_what_has_no_connector_has_no_rate(engine: Engine) -> None:
    engine.run("CREATE TABLE t (n INT); CREATE SOURCE s (n INT)")
    for name in ("TABLE t", "SOURCE s"):
        with pytest.raises(WrongObjectType):
            engine.run(f"ALTER {name} SET source_rate_limit = 1")
    with pytest.raises(InvalidParameter):
        engine.run("ALTER SOURCE s SET (source_rate_limit = 'x')")
