"""The ocpp pack on a whole engine: a scripted morning, every figure computed by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
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
from voltstream.sql.parse import parse_statements
from voltstream.sql.statements import CreateView

ALERTS = "SELECT rule, entity, since FROM alerts ORDER BY 1, 2"
ENERGY = (
    "SELECT charge_point_id, window_start, energy_wh, contiguous FROM energy_15min ORDER BY 1, 2"
)


def instant(clock: str) -> datetime:
    return datetime.fromisoformat(morning.at(clock))


class Engine:
    """An engine with the pack in it, and a clock that moves when told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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

    def restart(self) -> None:
        self.close()
        self.instance = Instance(self.folder, EngineOptions(), self.clock, ConnectorRegistry(None))
        self.instance.start()
        self.session = self.instance.open(database="volt", user="volt", options={})

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


def test_a_morning_and_a_restart(engine: Engine) -> None:
    """One engine for all of it: to make the pack's views is what takes time."""
    every_column_is_described_and_no_view_is_recomputed(engine)
    engine.push("08:32", morning.UNTIL_0832)
    running_sessions_show_energy_since_their_start(engine)
    quarters_add_up(engine)
    cp2_gap = ("metering_gap", "CP2/1", instant("08:22:30"))
    cp3_never_seen = ("offline", "CP3", instant("08:10"))
    assert engine.rows(ALERTS) == [cp2_gap, ("offline", "CP2", instant("08:30")), cp3_never_seen]
    engine.push("08:32", morning.CP2_LIVES)
    assert engine.rows(ALERTS) == [cp2_gap, cp3_never_seen]
    # Nothing of CP1 arrives: CP2's heartbeat only lets an epoch pass.
    engine.push("08:42", morning.CP2_STILL_LIVES)
    alerts = [
        ("metering_gap", "CP1/1", instant("08:33:30")),
        cp2_gap,
        ("offline", "CP1", instant("08:41")),
        cp3_never_seen,
    ]
    assert engine.rows(ALERTS) == alerts
    engine.restart()
    assert engine.rows(ALERTS) == alerts
    engine.push("08:46", morning.CP1_STOPS)
    assert engine.rows(ALERTS) == [cp2_gap, cp3_never_seen]
    late_readings_move_energy_and_a_second_stop_changes_nothing(engine)


def running_sessions_show_energy_since_their_start(engine: Engine) -> None:
    assert engine.rows(
        "SELECT charge_point_id, energy_wh, power_w, last_sample_at"
        " FROM active_sessions ORDER BY charge_point_id"
    ) == [("CP1", 2600, 6000, instant("08:31")), ("CP2", 0, 0, instant("08:20"))]
    assert engine.rows("SELECT site, active_sessions, power_kw, energy_kwh FROM site_load") == [
        ("north", 2, 6, Decimal("2.6"))
    ]
    assert engine.rows("SELECT charge_point_id, status FROM connector_state") == [
        ("CP1", "Charging")
    ]


def quarters_add_up(engine: Engine) -> None:
    assert engine.rows(ENERGY) == [
        ("CP1", instant("08:00"), 1000, True),
        ("CP1", instant("08:15"), 1500, True),
        ("CP1", instant("08:30"), 100, True),
        ("CP2", instant("08:15"), 0, True),
    ]


def late_readings_move_energy_and_a_second_stop_changes_nothing(engine: Engine) -> None:
    assert engine.rows(ENERGY)[:4] == [
        ("CP1", instant("08:00"), 1000, True),
        ("CP1", instant("08:15"), Decimal("1533.333"), True),
        ("CP1", instant("08:30"), Decimal("466.667"), True),
        ("CP1", instant("08:45"), 0, True),
    ]
    assert engine.rows("SELECT SUM(energy_kwh) FROM fleet_energy_15min") == [(3,)]
    assert engine.rows("SELECT charge_point_id FROM active_sessions") == [("CP2",)]
    assert engine.rows(
        "SELECT charge_point_id, stopped_at, energy_wh FROM sessions ORDER BY 1"
    ) == [("CP1", instant("08:45"), 3000), ("CP2", None, None)]


def every_column_is_described_and_no_view_is_recomputed(engine: Engine) -> None:
    made = {
        one.name.name
        for name, text in load_pack("ocpp").files
        if "020" <= name < "090"
        for one in parse_statements(text)
        if isinstance(one, CreateView)
    }
    silent = engine.rows(
        "SELECT c.relname, a.attname FROM pg_class AS c"
        " JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0"
        " LEFT JOIN pg_description AS d ON d.objoid = c.oid AND d.objsubid = a.attnum"
        " WHERE d.description IS NULL"
    )
    assert not [one for one in silent if one[0] in made]
    for name, definition in engine.rows("SELECT name, definition FROM rw_materialized_views"):
        plan = engine.rows(f"EXPLAIN (INCREMENTAL) {definition}")
        assert not [row for row in plan if "is recomputed in each epoch" in str(row[0])], name
