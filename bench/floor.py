"""Floor A: what one writes by hand over DuckDB, without incremental views or exactly-once."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import csv

_FLOOR_ROWS = 100_000
_COLUMNS = {
    "station": "VARCHAR",
    "connector": "INTEGER",
    "session": "VARCHAR",
    "measurand": "VARCHAR",
    "value": "DOUBLE",
    "unit": "VARCHAR",
    "context": "VARCHAR",
    "phase": "VARCHAR",
    "sampled_at": "TIMESTAMPTZ",
}
_LATEST = """
INSERT INTO {table} SELECT {key}, max_by(value, sampled_at), max(sampled_at)
FROM batch WHERE {where} GROUP BY {key}
ON CONFLICT DO UPDATE SET value = excluded.value, sampled_at = excluded.sampled_at
WHERE excluded.sampled_at >= sampled_at
"""
_WINDOWS = """
INSERT INTO windows SELECT station, connector, time_bucket(INTERVAL '15 minutes', sampled_at) AS w,
    min(value), max(value), sum(value), count(*)
FROM batch WHERE measurand = 'Energy.Active.Import.Register' GROUP BY station, connector, w
ON CONFLICT DO UPDATE SET lowest = least(lowest, excluded.lowest),
    highest = greatest(highest, excluded.highest), total = total + excluded.total,
    readings = readings + excluded.readings
"""
_LATEST_TABLES = (
    ("energy", "session", "measurand = 'Energy.Active.Import.Register'"),
    ("power", "session", "measurand = 'Power.Active.Import'"),
    ("voltage", "session", "measurand = 'Voltage'"),
    ("seen", "station", "true"),
)


def run_floor(folder: Path, batches: list[bytes]) -> float:
    """Take the batches in; return the seconds it took, decoding included."""
    connection = duckdb.connect(str(folder / "floor.duckdb"), config={"threads": 2})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET checkpoint_threshold = '1GB'")
    columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
    connection.execute(f"CREATE TABLE raw ({columns})")
    for table, key, _ in _LATEST_TABLES:
        connection.execute(
            f"CREATE TABLE {table} ({key} VARCHAR PRIMARY KEY, value DOUBLE, "
            "sampled_at TIMESTAMPTZ)"
        )
    connection.execute(
        "CREATE TABLE windows (station VARCHAR, connector INTEGER, w TIMESTAMPTZ, lowest DOUBLE, "
        "highest DOUBLE, total DOUBLE, readings BIGINT, PRIMARY KEY (station, connector, w))"
    )
    began = time.perf_counter()
    for lines in _recut(batches):
        _take(connection, lines)
    took = time.perf_counter() - began
    connection.close()
    return took


def _recut(batches: list[bytes]) -> Iterator[pa.Table]:
    """Cut the lines as fast as is known: Arrow's reader of a file with one column."""
    held: list[pa.Table] = []
    for batch in batches:
        held.append(
            csv.read_csv(
                io.BytesIO(batch),
                read_options=csv.ReadOptions(column_names=["line"]),
                parse_options=csv.ParseOptions(delimiter="\x01", quote_char=False),
                convert_options=csv.ConvertOptions(column_types={"line": pa.string()}),
            )
        )
        whole = pa.concat_tables(held)
        while whole.num_rows >= _FLOOR_ROWS:
            yield whole.slice(0, _FLOOR_ROWS)
            whole = whole.slice(_FLOOR_ROWS)
        held = [whole]
    if held and held[0].num_rows:
        yield held[0]


def _take(connection: duckdb.DuckDBPyConnection, lines: pa.Table) -> None:
    connection.register("lines", lines)
    connection.execute("BEGIN")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE batch AS "
        f"SELECT unnest(from_json(line, '{json.dumps(_COLUMNS)}')) FROM lines"
    )
    connection.execute("INSERT INTO raw SELECT * FROM batch")
    for table, key, where in _LATEST_TABLES:
        connection.execute(_LATEST.format(table=table, key=key, where=where))
    connection.execute(_WINDOWS)
    connection.execute("COMMIT")
    connection.unregister("lines")
