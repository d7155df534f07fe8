"""ClickHouse in process (chdb): raw rows in MergeTree tables, incremental materialized views.

Views append partial states per block; who reads merges them, here once in the end. The offline
and gap alerts are asked for in the end too: ClickHouse does not maintain them. Nothing is synced.
"""

from __future__ import annotations

from chdb import session  # type: ignore[import-not-found]

from bench.contenders.meter import Span, arguments, tell
from bench.feed import Feed, load_feed

_TIME = "DateTime64(6, 'UTC')"
_RAW = {
    "meter_readings": (
        "station LowCardinality(String), connector UInt8, session String, "
        "measurand LowCardinality(String), value Float64, unit LowCardinality(String), "
        "context LowCardinality(String), phase LowCardinality(Nullable(String)), "
        f"sampled_at {_TIME}",
        "station, connector, measurand, sampled_at",
    ),
    "session_events": (
        "event LowCardinality(String), session String, station String, connector UInt8, "
        "tag String, begin_wh Int64, end_wh Nullable(Int64), reason Nullable(String), "
        f"event_at {_TIME}",
        "station, connector, event_at",
    ),
    "heartbeats": (
        "station String, firmware LowCardinality(String), region LowCardinality(String), "
        f"beat_at {_TIME}",
        "station, beat_at",
    ),
    "boots": (
        "station String, model LowCardinality(String), vendor LowCardinality(String), "
        f"firmware LowCardinality(String), iccid String, imsi String, meter_serial String, "
        f"booted_at {_TIME}",
        "station, booted_at",
    ),
}
_READING = f"Tuple(String, UInt8, Float64, {_TIME})"
_ENERGY = "measurand = 'Energy.Active.Import.Register'"


def _latest(measurand: str) -> tuple[str, str, str, str]:
    return (
        f"session String, s AggregateFunction(argMax, {_READING}, {_TIME})",
        "session",
        "meter_readings",
        "SELECT session, argMaxState((CAST(station, 'String'), connector, value, sampled_at), "
        f"sampled_at) AS s FROM meter_readings WHERE measurand = '{measurand}' "
        "AND context = 'Sample.Periodic' GROUP BY session",
    )


# Table of the view: columns, key, source, what a block adds.
_VIEWS = {
    "v_energy": _latest("Energy.Active.Import.Register"),
    "v_power": _latest("Power.Active.Import"),
    "v_windows": (
        "station LowCardinality(String), connector UInt8, w DateTime('UTC'), "
        "hi SimpleAggregateFunction(max, Float64), lo SimpleAggregateFunction(min, Float64), "
        "total SimpleAggregateFunction(sum, Float64), n SimpleAggregateFunction(sum, UInt64)",
        "station, connector, w",
        "meter_readings",
        "SELECT station, connector, "
        "toStartOfInterval(toDateTime(sampled_at, 'UTC'), INTERVAL 15 MINUTE) AS w, "
        "max(value) AS hi, min(value) AS lo, sum(value) AS total, count() AS n "
        f"FROM meter_readings WHERE {_ENERGY} GROUP BY station, connector, w",
    ),
    "v_sessions": (
        "session String, station SimpleAggregateFunction(any, String), "
        "connector SimpleAggregateFunction(any, UInt8), tag SimpleAggregateFunction(any, String), "
        "begin_wh SimpleAggregateFunction(any, Int64), "
        f"begun_at SimpleAggregateFunction(max, Nullable({_TIME})), "
        "end_wh SimpleAggregateFunction(max, Nullable(Int64)), "
        f"ended_at SimpleAggregateFunction(max, Nullable({_TIME})), "
        "reason SimpleAggregateFunction(max, Nullable(String))",
        "session",
        "session_events",
        "SELECT session, any(station) AS station, any(connector) AS connector, any(tag) AS tag, "
        "any(begin_wh) AS begin_wh, maxOrNullIf(event_at, event = 'START') AS begun_at, "
        "max(end_wh) AS end_wh, maxOrNullIf(event_at, event = 'STOP') AS ended_at, "
        "max(reason) AS reason FROM session_events GROUP BY session",
    ),
    "v_beats": (
        f"station String, at SimpleAggregateFunction(max, {_TIME})",
        "station",
        "heartbeats",
        "SELECT station, max(beat_at) AS at FROM heartbeats GROUP BY station",
    ),
    "v_models": (
        f"station String, s AggregateFunction(argMax, Tuple(String, String, String), {_TIME}), "
        f"at SimpleAggregateFunction(max, {_TIME})",
        "station",
        "boots",
        "SELECT station, argMaxState((CAST(model, 'String'), CAST(vendor, 'String'), "
        "CAST(firmware, 'String')), booted_at) AS s, max(booted_at) AS at "
        "FROM boots GROUP BY station",
    ),
}
_BEATS = (
    "(SELECT station, max(v.at) AS beat_at, "
    "dateDiff('microsecond', max(v.at), $now) / 60e6 AS silent_minutes "
    "FROM v_beats AS v GROUP BY station)"
)
_MODELS = (
    "(SELECT station, argMaxMerge(s) AS m, m.1 AS model, m.2 AS vendor, m.3 AS firmware, "
    "max(v.at) AS booted_at FROM v_models AS v GROUP BY station)"
)
_WINDOWS = (
    "(SELECT station, connector, toDateTime64(v.w, 6, 'UTC') AS window_start, "
    "toDateTime64(v.w + INTERVAL 15 MINUTE, 6, 'UTC') AS window_end, max(v.hi) - min(v.lo) AS "
    "energy_kwh, sum(v.total) / sum(v.n) AS mean_register, toInt64(sum(v.n)) AS readings "
    "FROM v_windows AS v GROUP BY station, connector, v.w)"
)
_MERGED = (
    "SELECT session, x.1 AS station, x.2 AS connector, {value}, x.4 AS sampled_at "
    "FROM (SELECT session, argMaxMerge(s) AS x FROM {table} GROUP BY session)"
)
_READ = {
    "last_heartbeat": f"SELECT * FROM {_BEATS}",
    "registry": f"SELECT station, model, vendor, firmware, booted_at FROM {_MODELS}",
    "active_session_energy": _MERGED.format(value="x.3 AS energy_kwh", table="v_energy"),
    "active_session_power": _MERGED.format(value="x.3 / 1000. AS power_kw", table="v_power"),
    "session_lifecycle": "SELECT session, any(v.station) AS station, any(v.connector) AS "
    "connector, any(v.tag) AS tag, any(v.begin_wh) AS begin_wh, max(v.begun_at) AS begun_at, "
    "max(v.end_wh) AS end_wh, max(v.ended_at) AS ended_at, (end_wh - begin_wh) / 1000. AS "
    "energy_kwh, max(v.reason) AS reason FROM v_sessions AS v GROUP BY session "
    "HAVING begun_at IS NOT NULL",
    "metering_aggregates_15min": f"SELECT * FROM {_WINDOWS}",
    "offline_alerts": "SELECT h.station AS station, h.beat_at AS beat_at, "
    "h.silent_minutes AS silent_minutes, r.model AS model, r.firmware AS firmware, "
    f"$now AS alert_at FROM {_BEATS} AS h JOIN {_MODELS} AS r ON h.station = r.station "
    "WHERE h.silent_minutes > 5",
    "gap_alerts": "SELECT station, connector, window_start, window_end, readings, $now AS alert_at "
    f"FROM {_WINDOWS} WHERE readings < 3",
}


def _prepare(store: session.Session) -> None:
    store.query("CREATE DATABASE IF NOT EXISTS d ENGINE = Atomic")
    store.query("USE d")
    for source, (columns, key) in _RAW.items():
        store.query(f"CREATE TABLE {source} ({columns}) ENGINE = MergeTree ORDER BY ({key})")
    for view, (columns, key, _, select) in _VIEWS.items():
        store.query(
            f"CREATE TABLE {view} ({columns}) ENGINE = AggregatingMergeTree ORDER BY ({key})"
        )
        store.query(f"CREATE MATERIALIZED VIEW {view}_mv TO {view} AS {select}")


def _load(store: session.Session, feed: Feed, source: str, block: int) -> None:
    columns = _RAW[source][0]
    for wrapped in ("LowCardinality(Nullable(String))", "LowCardinality(String)"):
        columns = columns.replace(wrapped, wrapped.removeprefix("LowCardinality(")[:-1])
    store.query(
        f"INSERT INTO {source} SELECT * FROM file('{feed.path(source)}', 'JSONEachRow', "
        f"$x${columns}$x$) SETTINGS date_time_input_format = 'best_effort', "
        f"max_insert_block_size = {block}, min_insert_block_size_rows = {block}, "
        f"min_insert_block_size_bytes = 0, max_block_size = {block}, max_threads = 2, "
        "max_insert_threads = 1, input_format_parallel_parsing = 1"
    )


def main() -> None:
    data, out, options = arguments()
    feed = load_feed(data)
    store = session.Session(str(out / "store"))
    _prepare(store)
    now = f"fromUnixTimestamp64Micro({feed.end_us}, 'UTC')"
    span = Span()
    for source in ("session_events", "heartbeats", "boots", "meter_readings"):
        _load(store, feed, source, int(options["block"]))
    for view, sql in _READ.items():
        store.query(
            f"{sql.replace('$now', now)} INTO OUTFILE '{out / view}.parquet' FORMAT Parquet"
        )
    tell(span.end(feed.rows))
    store.close()


if __name__ == "__main__":
    main()
