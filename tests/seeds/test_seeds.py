"""The published pipelines, verbatim, on one engine: a charging day with hand-computed results."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.driver import Engine, Row
from voltstream.core.clock import ManualClock

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"
FILES = ("ocpp_streaming.sql", "ami_streaming.sql", "cpo_timeseries.sql")
TIMER_S_MAX = 10.0  # Real seconds in which an idle engine must notice that its clock has moved.
BROKER_S_MAX = 30.0  # Real seconds in which a broker that is not there must be reported.

pytestmark = pytest.mark.skipif(
    not SEEDS.is_dir(), reason="the published pipelines are not beside the project"
)


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-02T{clock}+00:00")


class Day(Engine):
    """An engine with the three pipelines, on 2 March 2026."""

    def __init__(self, folder: Path) -> None:
        self.time = ManualClock()
        self.time.set(at("08:00:00"))
        super().__init__(folder, self.time)
        self.run(
            "CREATE TABLE transformer_meter_count "
            "(transformer_id VARCHAR PRIMARY KEY, total_meters BIGINT)"
        )
        for file in FILES:
            self.run((SEEDS / file).read_text())

    def at(self, clock: str, *statements: str) -> None:
        self.time.set(at(clock))
        for statement in statements:
            self.run(statement)

    def rows(self, sql: str) -> list[Row]:
        return [
            tuple(v.astimezone(UTC) if isinstance(v, datetime) else v for v in row)
            for row in self.run(sql)
        ]


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    engine = Day(tmp_path)
    yield engine
    engine.close()


def boot(point: str, clock: str) -> str:
    return (
        "INSERT INTO ocpp_boot_notifications VALUES "
        f"('{point}', 'X1', 'Acme', '1.0', NULL, NULL, 'M-{point}', '2026-03-02 {clock}+00')"
    )


def beat(point: str, clock: str) -> str:
    stamp = f"'2026-03-02 {clock}+00'"
    return f"INSERT INTO ocpp_heartbeats VALUES ('{point}', '1.0', 'north', {stamp})"


def energy(*readings: tuple[str, float, str]) -> str:
    rows = ", ".join(
        f"('CP-A', 1, 'T1', 'Energy.Active.Import.Register', {value}, 'kWh', '{context}', NULL, "
        f"'2026-03-02 {clock}+00')"
        for clock, value, context in readings
    )
    return f"INSERT INTO ocpp_meter_readings VALUES {rows}"


ALERTS = (
    "SELECT charge_point_id, minutes_since_heartbeat, alert_ts, alert_type "
    "FROM offline_charge_point_alerts"
)
GAPS = "SELECT charge_point_id, connector_id, window_start, reading_count FROM metering_gap_alerts"


def test_an_offline_alert_comes_with_the_clock_and_goes_with_the_heartbeat(day: Day) -> None:
    day.at("08:00:00", boot("CP-A", "08:00:00"), beat("CP-A", "08:00:00"))
    day.at("08:03:00", boot("CP-B", "08:00:00"), beat("CP-B", "08:03:00"))
    day.at("08:05:00", "INSERT INTO transformer_meter_count VALUES ('TX-9', 1)")
    assert day.rows(ALERTS) == []  # Five minutes is not more than five minutes.

    day.at("08:05:01")  # Nobody writes: the timer alone must seal an epoch.
    deadline = time.monotonic() + TIMER_S_MAX
    while not day.rows(ALERTS) and time.monotonic() < deadline:
        time.sleep(0.02)
    ((point, minutes, alerted, kind),) = day.rows(ALERTS)
    assert (point, alerted, kind) == ("CP-A", at("08:05:01"), "CHARGE_POINT_OFFLINE")
    assert isinstance(minutes, Decimal)
    assert minutes == pytest.approx(Decimal(301) / 60, abs=Decimal("1e-12"))

    day.at("08:06:00", beat("CP-A", "08:06:00"))
    assert day.rows(ALERTS) == []
    ((held,),) = day.rows("SELECT minutes_since_heartbeat FROM last_heartbeat "
                          "WHERE charge_point_id = 'CP-B'")  # fmt: skip
    assert held == 3


def charge(day: Day) -> None:
    """Charge at CP-A from 08:10 to 08:25, with one late reading at 08:26."""
    day.at(
        "08:10:00",
        boot("CP-A", "08:00:00"),
        beat("CP-A", "08:10:00"),
        "INSERT INTO ocpp_transaction_events VALUES "
        "('START', 'T1', 'CP-A', 1, 'TAG', 10000, NULL, NULL, '2026-03-02 08:10:00+00')",
    )
    day.at(
        "08:13:00",
        beat("CP-A", "08:13:00"),
        energy(("08:10:00", 10.0, "Transaction.Begin"), ("08:13:00", 10.6, "Sample.Periodic")),
        "INSERT INTO ocpp_meter_readings VALUES ('CP-A', 1, 'T1', 'Power.Active.Import', 7200, "
        "'W', 'Sample.Periodic', NULL, '2026-03-02 08:13:00+00')",
    )
    day.at(
        "08:17:00",
        beat("CP-A", "08:17:00"),
        energy(*((f"08:{m}:00", v, "Sample.Periodic") for m, v in
                 ((15, 11.1), (16, 11.7), (17, 12.2)))),
    )  # fmt: skip


def test_a_session_its_energy_and_its_gap(day: Day) -> None:
    charge(day)
    assert day.rows(GAPS) == [("CP-A", 1, at("08:00:00"), 2)]
    assert day.rows("SELECT stop_ts, energy_delivered_kwh FROM session_lifecycle") == [(None, None)]

    day.at(
        "08:20:00",
        beat("CP-A", "08:20:00"),
        "INSERT INTO ocpp_transaction_events VALUES "
        "('STOP', 'T1', 'CP-A', 1, 'TAG', NULL, 12300, 'Local', '2026-03-02 08:20:00+00')",
        energy(("08:05:00", 9.9, "Trigger")),  # Late, and the third reading of its window.
    )
    assert day.rows(GAPS) == []
    ((delivered, reason),) = day.rows(
        "SELECT energy_delivered_kwh, stop_reason FROM session_lifecycle"
    )
    assert (delivered, reason) == (Decimal("2.3"), "Local")
    assert isinstance(delivered, Decimal)
    assert day.rows("SELECT cumulative_energy_kwh, sampled_ts FROM active_session_energy") == [
        (12.2, at("08:17:00"))
    ]
    assert day.rows("SELECT power_kw FROM active_session_power") == [(7.2,)]
    windows = day.rows(
        "SELECT window_start, interval_energy_kwh, avg_energy_register, reading_count "
        "FROM metering_aggregates_15min ORDER BY window_start"
    )
    assert [(start, count) for start, _, _, count in windows] == [
        (at("08:00:00"), 3),
        (at("08:15:00"), 3),
    ]
    assert [delta for _, delta, _, _ in windows] == [pytest.approx(0.7), pytest.approx(1.1)]
    assert windows[1][2] == pytest.approx((11.1 + 11.7 + 12.2) / 3)


def test_the_sink_holds_each_alert_as_it_was_when_raised(tmp_path: Path) -> None:
    day = Day(tmp_path)
    day.at("08:00:00", boot("CP-B", "08:00:00"), beat("CP-B", "08:00:00"))
    day.at("08:05:30", "INSERT INTO transformer_meter_count VALUES ('TX-9', 1)")
    day.at("08:05:40", beat("CP-B", "08:30:00"))  # Back; its clock is ahead, so it stays silent.
    charge(day)
    standing = "SELECT state, pending FROM rw_sinks WHERE name = 'ocpp_alert_sink'"
    deadline = time.monotonic() + BROKER_S_MAX
    while day.rows(standing) != [("disconnected", 2)] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert day.rows(standing) == [("disconnected", 2)]
    day.close()
    with duckdb.connect(str(tmp_path / "volt" / "volt.duckdb"), read_only=True) as store:
        posted = store.execute("SELECT value FROM _vs.outbox ORDER BY epoch, ordinal").fetchall()
    offline, gap = (json.loads(value) for (value,) in posted)
    assert offline["alert_type"] == "CHARGE_POINT_OFFLINE"
    assert (offline["charge_point_id"], offline["connector_id"]) == ("CP-B", None)
    assert float(offline["detail"]) == pytest.approx(5.5)
    assert datetime.fromisoformat(offline["alert_ts"]) == at("08:05:30")
    assert gap["alert_type"] == "METERING_GAP"
    assert (gap["charge_point_id"], gap["connector_id"], gap["detail"]) == ("CP-A", 1, "2")
    assert datetime.fromisoformat(gap["alert_ts"]) == at("08:13:00")


def interval_read(meter: str, end: str, kwh: float, volts: float, estimated: str) -> str:
    stamps = f"'2026-03-02 {end}+00'::timestamptz - INTERVAL '15 minutes', '2026-03-02 {end}+00'"
    return (
        f"('{meter}', 'SP', 'C', 'TX-1', 'F-1', 'INTERVAL', {stamps}, {kwh}, {kwh}, 0, {volts}, "
        f"0, {estimated}, '2026-03-02 {end}+00')"
    )


def test_meters_of_a_transformer_and_their_alerts(day: Day) -> None:
    day.at("09:00:00", "INSERT INTO transformer_meter_count VALUES ('TX-1', 3)")
    reads = ", ".join([
        interval_read("M1", "08:45:00", 0.5, 230.0, "false"),
        interval_read("M2", "08:45:00", 0.25, 205.0, "true"),
        interval_read("M1", "08:50:00", 0.25, 231.0, "false"),
    ])  # fmt: skip
    day.run(f"INSERT INTO ami_interval_reads VALUES {reads}")
    day.run("INSERT INTO ami_events VALUES ('M2', 3840, 'LAST_GASP', '2026-03-02 08:51:00+00')")
    assert day.rows(
        "SELECT transformer_id, window_start, window_end, total_consumption_kwh, meters_reported, "
        "avg_voltage_v, min_voltage_v, max_voltage_v, estimated_count FROM transformer_summary"
    ) == [("TX-1", at("08:45:00"), at("09:00:00"), 1.0, 2, 222.0, 205.0, 231.0, 1)]
    ((rate,),) = day.rows("SELECT receipt_rate_pct FROM read_receipt_rate")
    assert rate == Decimal("66.7")
    alerts = day.rows(
        "SELECT alert_source, entity_id, alert_type, detail_value, severity "
        "FROM ami_operational_alerts ORDER BY alert_source"
    )
    assert alerts == [
        ("COMM", "TX-1", "LOW_RECEIPT_RATE", pytest.approx(66.7), "WARNING"),
        ("EVENT", "M2", "LAST_GASP", 3840.0, "CRITICAL"),
        ("VOLTAGE", "TX-1", "LOW_VOLTAGE", 205.0, "WARNING"),
    ]
    day.run(
        f"INSERT INTO ami_interval_reads VALUES {interval_read('M3', '08:55:00', 1, 230, 'false')}"
    )
    ((rate,),) = day.rows("SELECT receipt_rate_pct FROM read_receipt_rate")
    assert rate == 100
    day.run("UPDATE transformer_meter_count SET total_meters = 0 WHERE transformer_id = 'TX-1'")
    assert day.rows("SELECT receipt_rate_pct FROM read_receipt_rate") in ([], [(None,)])
    assert day.rows("SELECT total_meters FROM transformer_meter_count") == [(0,)]


def test_time_series_tables_and_their_aggregates(day: Day) -> None:
    register = "'CP-A', 1, 'Energy.Active.Import.Register'"
    day.at(
        "09:00:00",
        "INSERT INTO meter_values VALUES "
        f"('2026-03-01 23:50:00+00', {register}, 1000, 'Wh', NULL), "
        f"('2026-03-02 00:10:00+00', {register}, 1400, 'Wh', NULL), "
        f"('2026-03-02 08:10:00+00', {register}, 3650, 'Wh', NULL), "
        "('2026-03-02 08:10:00+00', 'CP-A', 1, 'Voltage', 230, 'V', 'L1')",
        "INSERT INTO status_events VALUES "
        "('2026-03-02 08:10:00+00', 'CP-A', 1, 'Available', NULL, NULL), "
        "('2026-03-02 08:40:00+00', 'CP-A', 1, 'Charging', NULL, NULL), "
        "('2026-03-02 09:00:00+00', 'CP-A', 1, 'Available', NULL, NULL)",
        "INSERT INTO charging_sessions (charger_id, connector_id, started_at) "
        "VALUES ('CP-A', 1, '2026-03-02 08:10:00+00')",
    )
    days = day.rows("SELECT day, energy_delivered_kwh FROM session_energy ORDER BY day")
    assert [(start, float(str(kwh))) for start, kwh in days] == [
        (datetime(2026, 3, 1, tzinfo=UTC), 0.0),
        (datetime(2026, 3, 2, tzinfo=UTC), 2.25),
    ]
    assert day.rows(
        "SELECT bucket, available_count, total_count FROM charger_uptime_hourly ORDER BY bucket"
    ) == [(at("08:00:00"), 1, 2), (at("09:00:00"), 1, 1)]
    ((session_id,),) = day.rows("SELECT session_id::text FROM charging_sessions")
    assert len(str(session_id)) == 36
    day.run("DELETE FROM meter_values WHERE time >= '2026-03-02 08:00:00+00'")
    ((kwh,),) = day.rows("SELECT energy_delivered_kwh FROM session_energy WHERE day > '2026-03-01'")
    assert kwh == 0
