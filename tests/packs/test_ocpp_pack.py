"""The ocpp pack on a whole engine: a scripted morning, every figure computed by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.packs import charging_morning as morning
from voltstream.cli.demo_screen import ask
from voltstream.cli.pack_doors import EngineDoor
from voltstream.cli.pack_install import install
from voltstream.cli.packs import load_pack
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import ManualClock
from voltstream.core.ports import RawBatch, Session
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions

ALERTS = "SELECT alert_type, charge_point_id, opened_at FROM alerts ORDER BY 1, 2"
ENERGY = (
    "SELECT charge_point_id, window_start, energy_wh, contiguous FROM energy_15min ORDER BY 1, 2"
)


def instant(clock: str) -> datetime:
    return datetime.fromisoformat(morning.at(clock))


class Engine:
    """An engine with the pack in it, and a clock that moves when told to."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.clock.set(instant("08:00"))
        self.instance = Instance(folder, EngineOptions(), self.clock, ConnectorRegistry(None))
        self.instance.start()
        self.session: Session = self.instance.open(database="volt", user="volt", options={})
        install(EngineDoor(self.session), load_pack("ocpp"))
        ask(self.session, morning.REGISTRY)

    def push(self, clock: str, batch: morning.Batch) -> None:
        self.clock.set(instant(clock))
        answers = [
            self.instance.submit("volt", source, RawBatch("ndjson", payload=morning.ndjson(rows)))
            for source, rows in batch.items()
        ]
        for answer in answers:
            assert answer.result(timeout=30).dead_letters == 0

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return [
            tuple(one.astimezone(UTC) if isinstance(one, datetime) else one for one in row)
            for row in ask(self.session, sql)
        ]

    def close(self) -> None:
        self.session.close()
        self.instance.stop()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path)
    try:
        yield engine
    finally:
        engine.close()


def test_running_sessions_show_energy_since_their_start(engine: Engine) -> None:
    engine.push("08:32", morning.UNTIL_0832)
    assert engine.rows(
        "SELECT charge_point_id, energy_wh, power_w, last_sample_at"
        " FROM active_sessions ORDER BY charge_point_id"
    ) == [("CP1", 2600, 6000, instant("08:31")), ("CP2", 0, 0, instant("08:20"))]
    assert engine.rows("SELECT site, active_sessions, power_kw, energy_kwh FROM site_load") == [
        ("north", 2, 6.0, 2.6)
    ]
    assert engine.rows("SELECT charge_point_id, status FROM connector_state") == [
        ("CP1", "Charging")
    ]


def test_energy_of_quarters_adds_up_and_late_readings_move_it(engine: Engine) -> None:
    engine.push("08:32", morning.UNTIL_0832)
    assert engine.rows(ENERGY) == [
        ("CP1", instant("08:00"), 900, True),
        ("CP1", instant("08:15"), 1500, True),
        ("CP1", instant("08:30"), 200, True),
        ("CP2", instant("08:15"), 0, True),
    ]
    engine.push("08:46", morning.CP1_STOPS)
    assert engine.rows(ENERGY)[:4] == [
        ("CP1", instant("08:00"), 900, True),
        ("CP1", instant("08:15"), 1600, True),
        ("CP1", instant("08:30"), 100, True),
        ("CP1", instant("08:45"), 400, True),
    ]
    total = engine.rows("SELECT SUM(energy_kwh) FROM fleet_energy_15min")[0][0]
    assert total == pytest.approx(3.0)  # A sum of floats depends on its order in the last digit.


def test_stopped_session_leaves_and_a_second_stop_changes_nothing(engine: Engine) -> None:
    engine.push("08:32", morning.UNTIL_0832)
    engine.push("08:46", morning.CP1_STOPS)
    assert engine.rows("SELECT charge_point_id FROM active_sessions") == [("CP2",)]
    assert engine.rows(
        "SELECT charge_point_id, stopped_at, energy_wh FROM sessions ORDER BY 1"
    ) == [("CP1", instant("08:45"), 3000), ("CP2", None, None)]


def test_alerts_come_and_go_with_time_alone(engine: Engine) -> None:
    engine.push("08:32", morning.UNTIL_0832)
    cp2_gap = ("METERING_GAP", "CP2", instant("08:22:30"))
    cp3_never_seen = ("OFFLINE", "CP3", instant("08:10"))
    assert engine.rows(ALERTS) == [cp2_gap, ("OFFLINE", "CP2", instant("08:30")), cp3_never_seen]
    engine.push("08:32", morning.CP2_LIVES)
    assert engine.rows(ALERTS) == [cp2_gap, cp3_never_seen]
    # Nothing of CP1 arrives: CP2's heartbeat only lets an epoch pass.
    engine.push("08:42", morning.CP2_STILL_LIVES)
    assert engine.rows(ALERTS) == [
        ("METERING_GAP", "CP1", instant("08:33:30")),
        cp2_gap,
        ("OFFLINE", "CP1", instant("08:41")),
        cp3_never_seen,
    ]
    engine.push("08:46", morning.CP1_STOPS)
    assert engine.rows(ALERTS) == [cp2_gap, cp3_never_seen]


def test_pack_survives_a_restart(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    engine.push("08:32", morning.UNTIL_0832)
    expected = engine.rows(ENERGY), engine.rows(ALERTS)
    engine.close()
    instance = Instance(tmp_path, EngineOptions(), engine.clock, ConnectorRegistry(None))
    instance.start()
    engine.instance = instance
    engine.session = instance.open(database="volt", user="volt", options={})
    assert (engine.rows(ENERGY), engine.rows(ALERTS)) == expected
    engine.push("08:46", morning.CP1_STOPS)
    total = engine.rows("SELECT SUM(energy_kwh) FROM fleet_energy_15min")[0][0]
    assert total == pytest.approx(3.0)  # A sum of floats depends on its order in the last digit.
    engine.close()
