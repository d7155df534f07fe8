"""What one writes by hand over DuckDB: mode=upsert (floor A) or mode=append (floor B).

A: one transaction per 100,000 rows, raw rows, results by INSERT … ON CONFLICT that sets value and
time only. B: partial results appended per row group, no index, merged once at the end.
Neither has views one can add, retractions, timers or exactly-once; NOW() is asked at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa
from pyarrow import csv

from bench.contenders.meter import Span, arguments, tell
from bench.feed import SOURCES, Feed, FeedReader, load_feed
from bench.ocpp_truth import COLUMNS, VIEWS, instant

_ENERGY = "measurand = 'Energy.Active.Import.Register'"
_PERIODIC = "context = 'Sample.Periodic'"


@dataclass(frozen=True)
class Kept:
    """A maintained result: its table, what a batch adds, how two of its rows become one."""

    source: str
    name: str
    columns: str
    key: str
    batch: str
    conflict: str  # SET … of ON CONFLICT.
    merge: str  # Select list over rows of the table itself, grouped by the key.


def _latest(name: str, measurand: str) -> Kept:
    return Kept(
        "meter_readings",
        name,
        "session VARCHAR, station VARCHAR, connector INTEGER, value DOUBLE, sampled_at TIMESTAMPTZ",
        "session",
        "SELECT session, arg_max(station, sampled_at), arg_max(connector, sampled_at), "
        "arg_max(value, sampled_at), max(sampled_at) FROM batch "
        f"WHERE measurand = '{measurand}' AND {_PERIODIC} GROUP BY session",
        "value = excluded.value, sampled_at = excluded.sampled_at "
        f"WHERE excluded.sampled_at >= {name}.sampled_at",
        "session, arg_max(station, sampled_at) AS station, arg_max(connector, sampled_at) AS "
        "connector, arg_max(value, sampled_at) AS value, max(sampled_at) AS sampled_at",
    )


KEPT = (
    _latest("energy", "Energy.Active.Import.Register"),
    _latest("power", "Power.Active.Import"),
    Kept(
        "meter_readings",
        "windows",
        "station VARCHAR, connector INTEGER, w TIMESTAMPTZ, lo DOUBLE, hi DOUBLE, total DOUBLE, "
        "n BIGINT",
        "station, connector, w",
        "SELECT station, connector, time_bucket(INTERVAL '15 minutes', sampled_at) AS w, "
        f"min(value), max(value), sum(value), count(*) FROM batch WHERE {_ENERGY} "
        "GROUP BY station, connector, w",
        "lo = least(windows.lo, excluded.lo), hi = greatest(windows.hi, excluded.hi), "
        "total = windows.total + excluded.total, n = windows.n + excluded.n",
        "station, connector, w, min(lo) AS lo, max(hi) AS hi, sum(total) AS total, "
        "sum(n)::BIGINT AS n",
    ),
    Kept(
        "session_events",
        "sessions",
        "session VARCHAR, station VARCHAR, connector INTEGER, tag VARCHAR, begin_wh BIGINT, "
        "begun_at TIMESTAMPTZ, end_wh BIGINT, ended_at TIMESTAMPTZ, reason VARCHAR",
        "session",
        "SELECT session, any_value(station), any_value(connector), any_value(tag), "
        "any_value(begin_wh), max(event_at) FILTER (WHERE event = 'START'), max(end_wh), "
        "max(event_at) FILTER (WHERE event = 'STOP'), max(reason) FROM batch GROUP BY session",
        "begun_at = coalesce(sessions.begun_at, excluded.begun_at), "
        "end_wh = coalesce(excluded.end_wh, sessions.end_wh), "
        "ended_at = coalesce(excluded.ended_at, sessions.ended_at), "
        "reason = coalesce(excluded.reason, sessions.reason)",
        "session, any_value(station) AS station, any_value(connector) AS connector, "
        "any_value(tag) AS tag, any_value(begin_wh) AS begin_wh, max(begun_at) AS begun_at, "
        "max(end_wh) AS end_wh, max(ended_at) AS ended_at, max(reason) AS reason",
    ),
    Kept(
        "heartbeats",
        "beats",
        "station VARCHAR, beat_at TIMESTAMPTZ",
        "station",
        "SELECT station, max(beat_at) FROM batch GROUP BY station",
        "beat_at = greatest(beats.beat_at, excluded.beat_at)",
        "station, max(beat_at) AS beat_at",
    ),
    Kept(
        "boots",
        "models",
        "station VARCHAR, boot STRUCT(model VARCHAR, vendor VARCHAR, firmware VARCHAR), "
        "booted_at TIMESTAMPTZ",
        "station",
        "SELECT station, arg_max({model: model, vendor: vendor, firmware: firmware}, booted_at), "
        "max(booted_at) FROM batch GROUP BY station",
        "boot = excluded.boot, booted_at = excluded.booted_at "
        "WHERE excluded.booted_at >= models.booted_at",
        "station, arg_max(boot, booted_at) AS boot, max(booted_at) AS booted_at",
    ),
)
# What is read of them in the end, in the shape of the views.
READ = {
    "last_heartbeat": "SELECT station, beat_at, EXTRACT(EPOCH FROM ($now - beat_at)) / 60.0 AS "
    "silent_minutes FROM beats",
    "registry": "SELECT station, boot.model AS model, boot.vendor AS vendor, boot.firmware AS "
    "firmware, booted_at FROM models",
    "active_session_energy": "SELECT session, station, connector, value AS energy_kwh, sampled_at "
    "FROM energy",
    "active_session_power": "SELECT session, station, connector, value / 1000.0 AS power_kw, "
    "sampled_at FROM power",
    "session_lifecycle": "SELECT *, (end_wh - begin_wh) / 1000.0 AS energy_kwh FROM sessions "
    "WHERE begun_at IS NOT NULL",
    "metering_aggregates_15min": "SELECT station, connector, w AS window_start, "
    "w + INTERVAL '15 minutes' AS window_end, hi - lo AS energy_kwh, total / n AS mean_register, "
    "n AS readings FROM windows",
    "offline_alerts": "SELECT station, beat_at, EXTRACT(EPOCH FROM ($now - beat_at)) / 60.0 AS "
    "silent_minutes, boot.model AS model, boot.firmware AS firmware, $now AS alert_at "
    "FROM beats JOIN models USING (station) WHERE silent_minutes > 5",
    "gap_alerts": "SELECT station, connector, w AS window_start, w + INTERVAL '15 minutes' AS "
    "window_end, n AS readings, $now AS alert_at FROM windows WHERE n < 3",
}


class Floor:
    """The loop's database."""

    def __init__(self, path: str, *, append: bool) -> None:
        self._append = append
        self.connection = duckdb.connect(path, config={"threads": 2})
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute("SET preserve_insertion_order = false")
        if append:
            self.connection.execute("SET checkpoint_threshold = '1GB'")
        for source, columns in COLUMNS.items():
            listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            self.connection.execute(f"CREATE TABLE {source} ({listed})")
        for kept in KEPT:
            key = "" if append else f", PRIMARY KEY ({kept.key})"
            self.connection.execute(f"CREATE TABLE {kept.name} ({kept.columns}{key})")

    def take(self, batches: dict[str, pa.Table]) -> None:
        """Apply lines of some sources in one transaction."""
        run = self.connection.execute
        run("BEGIN")
        for source, lines in batches.items():
            self.connection.register("lines", lines)
            run(
                "CREATE OR REPLACE TEMP TABLE batch AS SELECT "
                f"unnest(from_json(line, '{json.dumps(COLUMNS[source])}')) FROM lines"
            )
            run(f"INSERT INTO {source} FROM batch")
            for kept in KEPT:
                if kept.source == source:
                    conflict = "" if self._append else f" ON CONFLICT DO UPDATE SET {kept.conflict}"
                    run(f"INSERT INTO {kept.name} {kept.batch}{conflict}")
            self.connection.unregister("lines")
        run("COMMIT")

    def merge(self) -> None:
        """Fold the partial results: what a reader would have to do each time."""
        for kept in KEPT:
            self.connection.execute(
                f"CREATE OR REPLACE TABLE {kept.name} AS SELECT {kept.merge} FROM {kept.name} "
                f"GROUP BY {kept.key}"
            )


def lines_of(payload: memoryview | bytes) -> pa.Table:
    """Cut lines as fast as is known: Arrow's reader of a file with one column."""
    return csv.read_csv(
        pa.BufferReader(pa.py_buffer(payload)),  # type: ignore[arg-type]  # Stubs know files only.
        read_options=csv.ReadOptions(column_names=["line"]),
        parse_options=csv.ParseOptions(delimiter="\x01", quote_char=False),
        convert_options=csv.ConvertOptions(column_types={"line": pa.string()}),
    )


def _batches(feed: Feed, rows: int) -> Iterator[dict[str, pa.Table]]:
    """Yield the feed in batches of so many meter rows, the other sources with them."""
    reader = FeedReader(feed)
    held: pa.Table | None = None
    rest: dict[str, list[pa.Table]] = {}
    for number in range(len(feed.slices)):
        for source in SOURCES[:-1]:
            if payload := reader.read(number, source):
                rest.setdefault(source, []).append(lines_of(payload))
        more = lines_of(reader.read(number, "meter_readings"))
        held = more if held is None else pa.concat_tables([held, more])
        while held.num_rows >= rows or number == len(feed.slices) - 1:
            if held.num_rows == 0 and not rest:
                return
            others = {source: pa.concat_tables(tables) for source, tables in rest.items()}
            rest = {}
            yield {**others, "meter_readings": held.slice(0, rows)}
            held = held.slice(rows)


def main() -> None:
    data, out, options = arguments()
    feed = load_feed(data)
    append = options["mode"] == "append"
    floor = Floor(str(out / "floor.duckdb"), append=append)
    span = Span()
    for batch in _batches(feed, 122_880 if append else 100_000):
        floor.take(batch)
    if append:
        floor.merge()
    for view in VIEWS:
        sql = READ[view].replace("$now", instant(feed))
        floor.connection.execute(f"COPY ({sql}) TO '{out / view}.parquet'")
    result = span.end(feed.rows)
    floor.connection.close()
    result["file_mb"] = (out / "floor.duckdb").stat().st_size / 2**20
    tell(result)


if __name__ == "__main__":
    main()
