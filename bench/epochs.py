"""CPU of one epoch of each kind with the ocpp pack installed: how dear a message is, not a row.

Chargers with two finished sessions each; then one charger after the other says what a session
makes it say, each message an epoch of its own.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.contenders.grid import PackRun
from bench.suite import Options, Report
from voltstream.core.ports import RawBatch

CHARGERS = 100
_BEGAN = datetime(2026, 3, 2, 8, tzinfo=UTC)
_PAUSE_S = 7
_QUANTITIES = (
    ("Energy.Active.Import.Register", "Wh"),
    ("Power.Active.Import", "W"),
    ("Voltage", "V"),
    ("SoC", "Percent"),
)
_Row = dict[str, object]


def bench(options: Options) -> Report:
    """Run (--rows: how many chargers; --rounds: how many of them charge)."""
    chargers = options.rows or CHARGERS
    told = f"CPU of an epoch of one message, {chargers} chargers, the ocpp pack"
    report = Report("epochs", told, bar="CPU ms")
    spent: defaultdict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder:
        run = PackRun(Path(folder), _BEGAN.timestamp(), "ocpp")
        try:
            _history(run, chargers)
            at = _BEGAN + timedelta(hours=3)
            for charger in range(options.rounds + 1):
                for kind, source, rows in _session(charger, at):
                    at += timedelta(seconds=_PAUSE_S)
                    took_s = _pushed(run, at, source, rows)
                    if charger:  # The first one's epochs learn what the others' leave out.
                        spent[kind].append(took_s)
        finally:
            run.stop()
    for kind, each in spent.items():
        report.rows.append({"message": kind, "CPU ms": round(statistics.median(each) * 1000, 1)})
    return report


def _pushed(run: PackRun, at: datetime, source: str, rows: list[_Row]) -> float:
    """Push rows as one epoch. Returns the CPU it took. Units: seconds."""
    run.at(at.timestamp())
    stamps = {"event_ts": at.isoformat(), "received_ts": at.isoformat()}
    lines = "".join(json.dumps(row | stamps) + "\n" for row in rows)
    before = time.process_time()
    run.send(source, RawBatch("ndjson", lines.encode()))
    run.wait()
    return time.process_time() - before


def _history(run: PackRun, chargers: int) -> None:
    """Let every charger have two sessions behind it."""
    for number in range(2):
        start = _BEGAN + timedelta(hours=number)
        told: list[tuple[int, str, list[list[_Row]]]] = [
            (0, "charger_status", [_status(c, "Charging") for c in range(chargers)]),
            (0, "charger_transactions", [_event(c, number, "START") for c in range(chargers)]),
            *(
                (minute, "charger_readings", [_readings(c, number) for c in range(chargers)])
                for minute in range(0, 40, 10)
            ),
            (45, "charger_transactions", [_event(c, number, "STOP") for c in range(chargers)]),
            (45, "charger_status", [_status(c, "Available") for c in range(chargers)]),
        ]
        for minute, source, each in told:
            rows = [row for some in each for row in some]
            _pushed(run, start + timedelta(minutes=minute), source, rows)


def _session(charger: int, at: datetime) -> Iterator[tuple[str, str, list[_Row]]]:
    number = int(at.timestamp())
    yield "heartbeat", "charger_heartbeats", [{"charge_point_id": f"CP{charger}"}]
    yield "status", "charger_status", _status(charger, "Preparing")
    yield "start", "charger_transactions", _event(charger, number, "START")
    for _ in range(3):
        yield "four readings", "charger_readings", _readings(charger, number)
    yield "stop", "charger_transactions", _event(charger, number, "STOP")


def _status(charger: int, status: str) -> list[_Row]:
    place = {"charge_point_id": f"CP{charger}", "connector_id": 1}
    return [place | {"status": status, "error_code": "NoError"}]


def _event(charger: int, number: int, kind: str) -> list[_Row]:
    place: _Row = {"charge_point_id": f"CP{charger}", "connector_id": 1, "id_tag": "TAG"}
    meter_wh = 1_000 * (number % 1_000) + (900 if kind == "STOP" else 0)
    return [
        place | {"transaction_id": str(number), "event_type": kind, "meter_wh": meter_wh},
    ]


def _readings(charger: int, number: int) -> list[_Row]:
    place: _Row = {"charge_point_id": f"CP{charger}", "connector_id": 1, "location": "Outlet"}
    place |= {"transaction_id": str(number), "context": "Sample.Periodic"}
    return [
        place
        | {"measurand": measurand, "unit": unit, "unit_si": unit}
        | {"value": value, "value_si": value}
        for measurand, unit in _QUANTITIES
        for value in [1_000.0 * (number % 1_000) + 300 if unit == "Wh" else 50.0]
    ]
