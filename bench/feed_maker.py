"""A fleet's messages, made once and kept: same arguments, same bytes.

10,000 charging stations with two connectors, a quarter of them busy, one sample of five measurands
a minute, one sample in 200 late by 5 to 90 s; besides session events, heartbeats and boots.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb

from bench.feed import SLICE_ROWS, SOURCES, Feed, cache_folder, load_feed

_STATIONS = 10_000
_START = "2026-03-01 22:30:00+00"
_VERSION = 1  # Counts up when the bytes change.

_WORLD = """
SET TimeZone = 'UTC';
CREATE MACRO mix(a, b) AS
    (((a * 7919 + b * 104729 + 13) * 48271 % 2147483647) * 69621 % 2147483647)::BIGINT;
CREATE MACRO iso(ms) AS strftime(make_timestamp(ms * 1000), '%Y-%m-%dT%H:%M:%S.%gZ');
CREATE MACRO station(c) AS 'CP-' || lpad((c // 2 + 1)::VARCHAR, 5, '0');
CREATE MACRO session(c, k) AS 'TX-' || (1000000 + c * 100 + k);
CREATE TABLE fleet AS SELECT c, 20 + mix(c, 1) % 51 AS busy, mix(c, 2) % 100000 AS phase,
    mix(c, 3) % 60000 AS offset_ms, (c // 2) % 10 < 3 AS dc,
    CASE WHEN (c // 2) % 10 < 3 THEN [50.0, 120.0, 150.0][1 + mix(c, 4) % 3]
         ELSE [3.7, 7.4, 11.0, 22.0][1 + mix(c, 4) % 4] END AS kw,
    500 + mix(c, 5) % 89500 AS register FROM range($connectors) AS t(c);
CREATE TABLE busy AS SELECT *, c * 100000 + m AS id,
    $start + m * 60000 + offset_ms + mix(c * 100000 + m, 6) % 900 AS at_ms
FROM (SELECT *, (m + phase) // (4 * busy) - phase // (4 * busy) AS k, (m + phase) % (4 * busy) AS i
      FROM fleet, range($minutes) AS t(m)) WHERE i < busy;
CREATE TABLE sample AS SELECT *, row_number() OVER (ORDER BY arrives, c) - 1 AS n FROM (
    SELECT *, at_ms + CASE WHEN mix(id, 7) % 200 = 0 THEN 5000 + mix(id, 8) % 85000
                           ELSE 50 + mix(id, 8) % 950 END AS arrives FROM busy
) ORDER BY arrives, c LIMIT $samples;
"""
_SAMPLE = """
SELECT arrives, replace(replace(
    head || 'Energy.Active.Import.Register","value":'
 || printf('%.3f', register + (k * busy + i) * kw / 60) || ',"unit":"kWh' || tail || 'null' || last
 || head || 'Power.Active.Import","value":' || printf('%.1f', power)
 || ',"unit":"W' || tail || 'null' || last
 || head || 'Current.Import","value":' || printf('%.1f', power / volt)
 || ',"unit":"A' || tail || 'PH' || last
 || head || 'Voltage","value":' || printf('%.1f', volt) || ',"unit":"V' || tail || 'PH' || last
 || head || 'SoC","value":' || least(100, 10 + i * 90 // busy)
 || '.0,"unit":"Percent' || tail || 'null' || last,
    'PH', CASE WHEN dc THEN 'null' ELSE '"L1"' END), 'CTX',
    CASE i WHEN 0 THEN 'Transaction.Begin' WHEN busy - 1 THEN 'Transaction.End'
           ELSE 'Sample.Periodic' END) AS line
FROM (SELECT *,
    '{"station":"' || station(c) || '","connector":' || (c % 2 + 1) || ',"session":"'
        || session(c, k) || '","measurand":"' AS head, '","context":"CTX","phase":' AS tail,
    ',"sampled_at":"' || iso(at_ms) || '"}' || chr(10) AS last,
    CASE i WHEN 0 THEN 0 ELSE round(kw * (900 + mix(id, 9) % 100) / 10) * 10 END AS power,
    CASE WHEN dc THEN 400 ELSE 230 END + (mix(id, 10) % 60 - 30) / 10.0 AS volt
      FROM sample) ORDER BY n
"""
_EVENTS = """
SELECT arrives, '{"event":"' || event || '","session":"' || session(c, k) || '","station":"'
    || station(c) || '","connector":' || (c % 2 + 1) || ',"tag":"TAG'
    || mix(c * 1000 + k, 11) % 40000 || '","begin_wh":' || begin_wh || ',"end_wh":'
    || coalesce(end_wh::VARCHAR, 'null')
    || ',"reason":' || coalesce('"' || reason || '"', 'null') || ',"event_at":"' || iso(at_ms)
    || '"}' || chr(10) AS line
FROM (
    SELECT c, k, 'START' AS event, min(at_ms) AS at_ms, min(at_ms) + 20 AS arrives,
        ((any_value(register) + k * any_value(busy) * any_value(kw) / 60) * 1000)::BIGINT
            AS begin_wh, NULL::BIGINT AS end_wh, NULL AS reason
    FROM busy GROUP BY c, k
    UNION ALL
    SELECT c, k, 'STOP', at_ms + 5000, at_ms + 5300,
        ((register + k * busy * kw / 60) * 1000)::BIGINT,
        ((register + (k * busy + i) * kw / 60) * 1000)::BIGINT,
        ['EVDisconnected', 'Remote', 'Local'][1 + mix(c, k) % 3]
    FROM busy WHERE i = busy - 1
) ORDER BY arrives, c, event
"""
# One station in 500 falls silent half way: there is something to alert about.
_BEATS = """
SELECT at_ms + 30 AS arrives, '{"station":"' || station(s * 2) || '","firmware":"1.' || s % 7 || '.'
    || s % 3 || '","region":"R' || lpad((s % 12)::VARCHAR, 2, '0') || '","beat_at":"' || iso(at_ms)
    || '"}' || chr(10) AS line
FROM (SELECT s, j, $start + j * 300000 + mix(s, 12) % 300000 + mix(s * 1000 + j, 13) % 2000 AS at_ms
      FROM range($connectors // 2) AS t(s), range($minutes // 5 + 1) AS u(j)
      WHERE s % 500 <> 7 OR j < $minutes // 10) ORDER BY arrives, s
"""
_BOOTS = """
SELECT at_ms + 10 AS arrives, '{"station":"' || station(s * 2) || '","model":"M' || s % 9
    || '","vendor":"V' || s % 4 || '","firmware":"1.' || s % 7 || '.' || s % 3 || '","iccid":"8944'
    || mix(s, 14) || '","imsi":"2620' || mix(s, 15) || '","meter_serial":"MS' || s
    || '","booted_at":"' || iso(at_ms) || '"}' || chr(10) AS line
FROM (SELECT s, $start + mix(s, 16) % 60000 + j * 3600000 AS at_ms
      FROM range($connectors // 2) AS t(s), range(1 + $minutes // 60) AS u(j)
      WHERE j = 0 OR mix(s, j) % 100 = 0) ORDER BY arrives, s
"""


def ocpp_feed(rows: int) -> Feed:
    """Return the feed of so many meter rows; made on first use."""
    folder = cache_folder() / f"ocpp-{rows}-v{_VERSION}"
    if not (folder / "feed.json").exists():
        print(f"making {rows:,} meter rows once, in {folder}", flush=True)
        unfinished = folder.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        _make(unfinished, rows)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    return load_feed(folder)


def _make(folder: Path, rows: int) -> None:
    connectors = 2 * _STATIONS
    with duckdb.connect() as engine:
        start_ms = engine.execute(f"SELECT epoch_ms(TIMESTAMPTZ '{_START}')").fetchall()[0][0]
        values = {
            "connectors": connectors,
            "samples": rows // 5,
            "start": start_ms,
            "minutes": rows // 5 * 4 * 11 // 10 // connectors + 4,
        }

        def told(sql: str) -> str:
            for name, value in values.items():
                sql = sql.replace(f"${name}", f"{value}::BIGINT")
            return sql

        engine.execute(told(_WORLD))
        engine.execute(f"CREATE TABLE meter_readings AS {told(_SAMPLE)}")
        for name, sql in (("session_events", _EVENTS), ("heartbeats", _BEATS), ("boots", _BOOTS)):
            engine.execute(f"CREATE TABLE {name} AS {told(sql)}")
        _write(engine, folder, rows, start_ms)


def _write(engine: duckdb.DuckDBPyConnection, folder: Path, rows: int, start_ms: int) -> None:
    """Write every source, cut where the meter readings fill a slice."""
    per_slice = SLICE_ROWS // 5
    ends_ms = [
        int(end)
        for (end,) in engine.execute(
            f"SELECT max(arrives) FROM (SELECT arrives, rowid // {per_slice} AS s "
            "FROM meter_readings) GROUP BY s ORDER BY s"
        ).fetchall()
    ]
    slices: list[dict[str, tuple[int, int]]] = [{} for _ in ends_ms]
    for source in SOURCES:
        with (folder / f"{source}.ndjson").open("wb") as file:
            for number, end_ms in enumerate(ends_ms):
                first = file.tell()
                if source == "meter_readings":
                    where = f"rowid // {per_slice} = {number}"
                else:
                    after = ends_ms[number - 1] if number else 0
                    where = f"arrives > {after} AND arrives <= {end_ms}"
                found = engine.sql(f"SELECT line FROM {source} WHERE {where} ORDER BY rowid")
                file.write("".join(found.to_arrow_table()["line"].to_pylist()).encode())
                slices[number][source] = (first, file.tell())
    noted = {
        "rows": rows,
        "start_us": start_ms * 1000,
        "end_us": ends_ms[-1] * 1000,
        "slices": slices,
        "slice_end_us": [end * 1000 for end in ends_ms],
    }
    (folder / "feed.json").write_text(json.dumps(noted))
