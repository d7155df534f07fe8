"""Flink SQL in PyFlink's mini-cluster: the queries as a streaming job, results in memory.

Flink keeps no raw rows here and takes no checkpoints. It has no NOW() that changes, so the offline
and gap alerts are left out; the windows close by watermark, with two minutes for late rows.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pyflink.table import (  # type: ignore[import-not-found]
    EnvironmentSettings,
    TableEnvironment,
)

from bench.contenders.meter import Span, tell
from bench.feed import Feed, load_feed
from bench.processes import children, cpu_s, rss_mb

_KINDS = {
    "meter_readings": "station STRING, connector INT, session STRING, measurand STRING, "
    "`value` DOUBLE, unit STRING, context STRING, phase STRING, sampled_at TIMESTAMP_LTZ(3), "
    "WATERMARK FOR sampled_at AS sampled_at - INTERVAL '2' MINUTE",
    "session_events": "event STRING, session STRING, station STRING, connector INT, tag STRING, "
    "begin_wh BIGINT, end_wh BIGINT, reason STRING, event_at TIMESTAMP_LTZ(3)",
    "heartbeats": "station STRING, firmware STRING, region STRING, beat_at TIMESTAMP_LTZ(3)",
    "boots": "station STRING, model STRING, vendor STRING, firmware STRING, iccid STRING, "
    "imsi STRING, meter_serial STRING, booted_at TIMESTAMP_LTZ(3)",
}
_LATEST = """
SELECT session, station, connector, {value} AS v, sampled_at FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY session ORDER BY sampled_at DESC) AS n
    FROM meter_readings WHERE measurand = '{measurand}' AND context = 'Sample.Periodic'
) WHERE n = 1
"""
# View: columns of its sink, query.
_LATEST_COLUMNS = (
    "session STRING, station STRING, connector INT, v DOUBLE, sampled_at TIMESTAMP_LTZ(3)"
)
_VIEWS = {
    "last_heartbeat": (
        "station STRING, beat_at TIMESTAMP_LTZ(3)",
        "SELECT station, MAX(beat_at) AS beat_at FROM heartbeats GROUP BY station",
    ),
    "registry": (
        "station STRING, model STRING, vendor STRING, firmware STRING, booted_at TIMESTAMP_LTZ(3)",
        "SELECT station, model, vendor, firmware, booted_at FROM (SELECT *, "
        "ROW_NUMBER() OVER (PARTITION BY station ORDER BY booted_at DESC) AS n FROM boots) "
        "WHERE n = 1",
    ),
    "active_session_energy": (
        _LATEST_COLUMNS,
        _LATEST.format(value="`value`", measurand="Energy.Active.Import.Register"),
    ),
    "active_session_power": (
        _LATEST_COLUMNS,
        _LATEST.format(value="`value` / 1000.0", measurand="Power.Active.Import"),
    ),
    "session_lifecycle": (
        "session STRING, station STRING, connector INT, tag STRING, begin_wh BIGINT, "
        "end_wh BIGINT, energy_kwh DOUBLE, reason STRING",
        "SELECT b.session, b.station, b.connector, b.tag, b.begin_wh, e.end_wh, "
        "CAST((e.end_wh - b.begin_wh) / 1000.0 AS DOUBLE) AS energy_kwh, e.reason "
        "FROM (SELECT * FROM session_events WHERE event = 'START') b "
        "LEFT JOIN (SELECT * FROM session_events WHERE event = 'STOP') e "
        "ON b.session = e.session",
    ),
    "metering_aggregates_15min": (
        "station STRING, connector INT, window_start TIMESTAMP(3), window_end TIMESTAMP(3), "
        "energy_kwh DOUBLE, mean_register DOUBLE, readings BIGINT",
        "SELECT station, connector, window_start, window_end, "
        "MAX(`value`) - MIN(`value`) AS energy_kwh, AVG(`value`) AS mean_register, "
        "COUNT(*) AS readings FROM TABLE(TUMBLE((SELECT station, connector, `value`, sampled_at "
        "FROM meter_readings WHERE measurand = 'Energy.Active.Import.Register'), "
        "DESCRIPTOR(sampled_at), INTERVAL '15' MINUTES)) "
        "GROUP BY station, connector, window_start, window_end",
    ),
}
_SETTINGS = {
    "parallelism.default": "2",
    "taskmanager.numberOfTaskSlots": "2",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "1 s",
    "table.exec.mini-batch.size": "100000",
    "table.optimizer.agg-phase-strategy": "TWO_PHASE",
    "table.local-time-zone": "UTC",
    "pipeline.object-reuse": "true",
    "taskmanager.memory.managed.size": "512m",
    "taskmanager.memory.network.max": "256m",
    "taskmanager.memory.network.min": "256m",
}


def _prepare(feed: Feed) -> TableEnvironment:
    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for name, value in _SETTINGS.items():
        environment.get_config().set(name, value)
    for source, columns in _KINDS.items():
        environment.execute_sql(
            f"CREATE TABLE {source} ({columns}) WITH ('connector' = 'filesystem', "
            f"'path' = 'file://{feed.path(source)}', 'format' = 'json', "
            "'json.timestamp-format.standard' = 'ISO-8601')"
        )
    return environment


def main() -> None:
    data, _ = Path(sys.argv[1]), Path(sys.argv[2])
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-Xmx4g")
    feed = load_feed(data)
    environment = _prepare(feed)
    statements = environment.create_statement_set()
    for name, (columns, query) in _VIEWS.items():
        environment.execute_sql(f"CREATE TABLE {name} ({columns}) WITH ('connector' = 'blackhole')")
        statements.add_insert_sql(f"INSERT INTO {name} {query}")
    [java] = children()
    used = cpu_s(java)
    span = Span()
    statements.execute().wait()
    result = span.end(feed.rows)
    result["cpu_s"] = cpu_s(java) - used
    result["rss_mb"] = rss_mb(java)
    tell(result)


if __name__ == "__main__":
    main()
