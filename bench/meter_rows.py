"""Meter rows as chargers give them, the records of their sessions, and what is asked of both.

Rows are those of chargers with two connectors and five measurands every ten seconds: registers in
Wh, power in W, current and voltage with one decimal, times with jitter.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

CONNECTORS = 200
STEP_S = 10
BATCH_STEPS = 120
START = datetime(2026, 1, 1, tzinfo=UTC)
MEASURANDS = ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage",
              "SoC")  # fmt: skip
UNITS = ("Wh", "W", "A", "V", "Percent")
ROWS_A_STEP = CONNECTORS * len(MEASURANDS)
DDL = (
    "CREATE TABLE meter_values (time TIMESTAMPTZ NOT NULL, charger_id TEXT NOT NULL, "
    "connector_id INTEGER NOT NULL, measurand TEXT NOT NULL, value DOUBLE PRECISION, unit TEXT)"
)


def feed(rows: int, made: int = 0) -> Iterator[pa.Table]:
    """Yield batches in the order of time, but not the first ``made`` rows.

    Law: every call makes the same rows, so that one can go on where another ended.
    """
    chance = np.random.default_rng(7)
    register = chance.integers(10_000, 90_000_000, CONNECTORS).astype(np.float64)
    level = chance.uniform(3_600, 22_000, CONNECTORS)
    chargers = pa.array([f"CP-{c // 2:05}" for c in range(CONNECTORS)]).dictionary_encode()
    for first in range(0, rows // ROWS_A_STEP, BATCH_STEPS):
        values = np.empty((BATCH_STEPS, CONNECTORS, len(MEASURANDS)))
        for step in range(BATCH_STEPS):
            level = np.clip(level * chance.lognormal(0, 0.01, CONNECTORS), 1_400, 22_000)
            power = np.round(level)
            register += np.round(power * STEP_S / 3600)
            volts = np.round(chance.normal(230, 1.5, CONNECTORS), 1)
            charge = np.minimum(100, (first + step) // 90 % 101)
            values[step] = np.stack(
                [register, power, np.round(power / volts, 1), volts,
                 np.full(CONNECTORS, charge)], axis=1
            )  # fmt: skip
        jitter = chance.integers(0, 900, (BATCH_STEPS, CONNECTORS))
        if first * ROWS_A_STEP < made:
            continue
        steps = first + np.arange(BATCH_STEPS)
        at_ms = int(START.timestamp() * 1000) + steps[:, None] * STEP_S * 1000 + jitter
        yield _table(at_ms, values, chargers)


def instant_of(rows: int) -> datetime:
    """Return the time at which so many rows have been made."""
    return START + timedelta(seconds=rows // ROWS_A_STEP * STEP_S)


def _table(at_ms: np.ndarray, values: np.ndarray, chargers: Any) -> pa.Table:
    wide = len(MEASURANDS)
    connectors = np.tile(np.repeat(np.arange(CONNECTORS), wide), BATCH_STEPS)
    kinds = pa.array(np.tile(np.arange(wide), BATCH_STEPS * CONNECTORS), pa.int32())
    return pa.table(
        {
            "time": pa.array(np.repeat(at_ms.ravel(), wide) * 1000, pa.timestamp("us", "UTC")),
            "charger_id": chargers.take(pa.array(connectors, pa.int64())).cast(pa.string()),
            "connector_id": pa.array((connectors % 2 + 1).astype(np.int32)),
            "measurand": pa.DictionaryArray.from_arrays(kinds, list(MEASURANDS)).cast(pa.string()),
            "value": pa.array(values.ravel()),
            "unit": pa.DictionaryArray.from_arrays(kinds, list(UNITS)).cast(pa.string()),
        }
    )


RECORDS = (
    "CREATE TABLE records (id BIGINT, charger_id TEXT, connector_id INTEGER, "
    "started_at TIMESTAMPTZ, ended_at TIMESTAMPTZ)"
)
SESSIONS_A_DAY = 6  # Of a connector, an hour each, every four hours.


def records(end: datetime) -> str:
    """Return the statement that fills ``records`` with the sessions of the last day."""
    day = last_day(end)
    rows = [
        f"({connector * SESSIONS_A_DAY + n}, 'CP-{connector // 2:05}', {connector % 2 + 1}, "
        f"'{day + timedelta(hours=4 * n)}', '{day + timedelta(hours=4 * n + 1)}')"
        for connector in range(CONNECTORS)
        for n in range(SESSIONS_A_DAY)
    ]
    return f"INSERT INTO records VALUES {', '.join(rows)}"


def last_day(end: datetime) -> datetime:
    """Return the last day that is whole, or the first there is."""
    return max(START, end.replace(hour=0, minute=0, second=0) - timedelta(days=1))


def questions(end: datetime) -> dict[str, str]:
    where = "charger_id = 'CP-00042' AND connector_id = 1"
    power = f"SELECT time, value FROM meter_values WHERE {where} AND measurand = '{MEASURANDS[1]}'"
    day = last_day(end)
    hour = end - timedelta(hours=1)
    spelled = "TIMESTAMPTZ '{:%Y-%m-%d %H:%M:%S}+00'"
    from_day, to_day = spelled.format(day), spelled.format(day + timedelta(days=1))
    return {
        "last hour": f"SELECT * FROM meter_values WHERE {where} AND time >= "
        + spelled.format(hour),
        "day of power": f"{power} AND time >= {from_day} AND time < {to_day}",
        "records": "SELECT r.id, count(*), max(m.value) - min(m.value) FROM records r "
        "JOIN meter_values m ON m.charger_id = r.charger_id AND m.connector_id = r.connector_id "
        "AND m.time >= r.started_at AND m.time < r.ended_at "
        f"WHERE m.measurand = '{MEASURANDS[0]}' AND m.time >= {from_day} AND m.time < {to_day} "
        "GROUP BY r.id",
    }


DAILY = (
    "SELECT time_bucket('1 day', time) AS day, charger_id, connector_id, max(value) - min(value) "
    f"AS wh FROM meter_values WHERE measurand = '{MEASURANDS[0]}' "
    "GROUP BY day, charger_id, connector_id"
)
