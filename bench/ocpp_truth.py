"""The eight views as one batch query each, and whether a contender's results equal them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from bench.feed import SOURCES, Feed

COLUMNS = {
    "heartbeats": {
        "station": "VARCHAR",
        "firmware": "VARCHAR",
        "region": "VARCHAR",
        "beat_at": "TIMESTAMPTZ",
    },
    "boots": {
        "station": "VARCHAR",
        "model": "VARCHAR",
        "vendor": "VARCHAR",
        "firmware": "VARCHAR",
        "iccid": "VARCHAR",
        "imsi": "VARCHAR",
        "meter_serial": "VARCHAR",
        "booted_at": "TIMESTAMPTZ",
    },
    "meter_readings": {
        "station": "VARCHAR",
        "connector": "INTEGER",
        "session": "VARCHAR",
        "measurand": "VARCHAR",
        "value": "DOUBLE",
        "unit": "VARCHAR",
        "context": "VARCHAR",
        "phase": "VARCHAR",
        "sampled_at": "TIMESTAMPTZ",
    },
    "session_events": {
        "event": "VARCHAR",
        "session": "VARCHAR",
        "station": "VARCHAR",
        "connector": "INTEGER",
        "tag": "VARCHAR",
        "begin_wh": "BIGINT",
        "end_wh": "BIGINT",
        "reason": "VARCHAR",
        "event_at": "TIMESTAMPTZ",
    },
}


@dataclass(frozen=True)
class View:
    """A result: its batch query ($now stands for NOW()), and how many columns are its key."""

    sql: str
    key: int


_LATEST = """
SELECT DISTINCT ON (session) session, station, connector, {value}, sampled_at
FROM meter_readings WHERE measurand = '{measurand}' AND context = 'Sample.Periodic'
ORDER BY session, sampled_at DESC
"""
VIEWS = {
    "last_heartbeat": View(
        """SELECT station, max(beat_at) AS beat_at,
               EXTRACT(EPOCH FROM ($now - max(beat_at))) / 60.0 AS silent_minutes
           FROM heartbeats GROUP BY station""",
        1,
    ),
    "registry": View(
        """SELECT DISTINCT ON (station) station, model, vendor, firmware, booted_at
           FROM boots ORDER BY station, booted_at DESC""",
        1,
    ),
    "active_session_energy": View(
        _LATEST.format(value="value AS energy_kwh", measurand="Energy.Active.Import.Register"), 1
    ),
    "active_session_power": View(
        _LATEST.format(value="value / 1000.0 AS power_kw", measurand="Power.Active.Import"), 1
    ),
    "session_lifecycle": View(
        """SELECT b.session, b.station, b.connector, b.tag, b.begin_wh, b.event_at AS begun_at,
               e.end_wh, e.event_at AS ended_at, (e.end_wh - b.begin_wh) / 1000.0 AS energy_kwh,
               e.reason
           FROM (FROM session_events WHERE event = 'START') b
           LEFT JOIN (FROM session_events WHERE event = 'STOP') e ON b.session = e.session""",
        1,
    ),
    "metering_aggregates_15min": View(
        """SELECT station, connector,
               time_bucket(INTERVAL '15 minutes', sampled_at) AS window_start,
               window_start + INTERVAL '15 minutes' AS window_end,
               max(value) - min(value) AS energy_kwh, avg(value) AS mean_register,
               count(*) AS readings
           FROM meter_readings WHERE measurand = 'Energy.Active.Import.Register'
           GROUP BY station, connector, window_start""",
        3,
    ),
    "offline_alerts": View(
        """SELECT h.station, h.beat_at, h.silent_minutes, r.model, r.firmware, $now AS alert_at
           FROM last_heartbeat h JOIN registry r ON h.station = r.station
           WHERE h.silent_minutes > 5""",
        1,
    ),
    "gap_alerts": View(
        """SELECT station, connector, window_start, window_end, readings, $now AS alert_at
           FROM metering_aggregates_15min WHERE readings < 3""",
        3,
    ),
}


def instant(feed: Feed) -> str:
    """Return NOW() of the comparison as SQL."""
    return f"make_timestamptz({feed.end_us})"


def ndjson(feed: Feed, source: str) -> str:
    """Return the table function that reads a source's file."""
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS[source].items())
    return f"read_ndjson('{feed.path(source)}', columns = {{{columns}}})"


def batch_views(connection: duckdb.DuckDBPyConnection, feed: Feed) -> None:
    """Compute every view over the tables named like the sources, each into a table."""
    for name, view in VIEWS.items():
        sql = view.sql.replace("$now", instant(feed))
        connection.execute(f"CREATE OR REPLACE TABLE {name} AS {sql}")


def differences(feed: Feed, results: Path) -> dict[str, str]:
    """Compare RESULTS/<view>.parquet with the batch queries. Returns what differs, by view."""
    truth = feed.folder / "truth.duckdb"
    if not truth.exists():
        _compute(feed, truth.with_suffix(".part"))
        truth.with_suffix(".part").rename(truth)
    found = {}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{truth}' AS truth (READ_ONLY)")
        for name, view in VIEWS.items():
            file = results / f"{name}.parquet"
            verdict = _compare(connection, name, view, file) if file.exists() else "is missing"
            if verdict:
                found[name] = verdict
    return found


def _compute(feed: Feed, truth: Path) -> None:
    truth.unlink(missing_ok=True)
    with duckdb.connect(str(truth)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for source in SOURCES:
            connection.execute(f"CREATE TEMP TABLE {source} AS FROM {ndjson(feed, source)}")
        batch_views(connection, feed)


def _compare(connection: duckdb.DuckDBPyConnection, name: str, view: View, file: Path) -> str:
    described = connection.execute(f"DESCRIBE truth.{name}").fetchall()
    columns = [(str(row[0]), str(row[1])) for row in described]
    keys, values = columns[: view.key], columns[view.key :]
    on = " AND ".join(f"t.{column} = p.{column}" for column, _ in keys)
    wrong = " OR ".join(_differs(column, kind) for column, kind in values)
    key = keys[0][0]
    [(rows, absent, extra, bad)] = connection.execute(
        f"SELECT count(t.{key}), count(*) FILTER (WHERE p.{key} IS NULL), "
        f"count(*) FILTER (WHERE t.{key} IS NULL), count(*) FILTER (WHERE t.{key} IS NOT NULL "
        f"AND p.{key} IS NOT NULL AND ({wrong})) "
        f"FROM truth.{name} t FULL JOIN read_parquet('{file}') p ON {on}"
    ).fetchall()
    if absent or extra or bad:
        return f"{absent} rows missing, {extra} too many, {bad} wrong, of {rows}"
    return ""


def _differs(column: str, kind: str) -> str:
    if kind.startswith(("DOUBLE", "DECIMAL")):  # Sums of floats depend on the order.
        apart = f"abs(t.{column}::DOUBLE - p.{column}::DOUBLE) > 1e-6"
        return f"{apart} OR (t.{column} IS NULL) <> (p.{column} IS NULL)"
    return f"t.{column} IS DISTINCT FROM p.{column}"
