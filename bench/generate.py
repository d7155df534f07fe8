"""Meter readings as a fleet sends them: 500 stations, two connectors, five measurands a minute."""

from __future__ import annotations

import json
import time

import duckdb

# One round of the fleet (500 x 2 x 5 = 5,000 rows) is one minute; the last round ends now.
_READINGS = """
SELECT to_json({{
    'station': 'CP-' || (i // 10 % 500), 'connector': (i // 5 % 2 + 1)::INTEGER,
    'session': 'S-' || (i // 5 % 1000) || '-' || (i // 300000),
    'measurand': ['Energy.Active.Import.Register', 'Power.Active.Import', 'Current.Import',
                  'Voltage', 'SoC'][(i % 5 + 1)::INTEGER],
    'value': round(CASE i % 5 WHEN 0 THEN i / 5000.0 WHEN 1 THEN 7000 + hash(i) % 4000
                   WHEN 2 THEN 16 + hash(i) % 16 WHEN 3 THEN 225 + hash(i) % 10
                   ELSE hash(i) % 100 END, 3),
    'unit': ['kWh', 'W', 'A', 'V', 'Percent'][(i % 5 + 1)::INTEGER],
    'context': 'Sample.Periodic', 'phase': 'L1',
    'sampled_at': strftime(make_timestamp({end_us} - (({rows} - 1 - i) // 5000) * 60000000),
                           '%Y-%m-%dT%H:%M:%S.%fZ')
}})::VARCHAR FROM range({first}, {last}) AS t(i)
"""
PROBE = "probe"


def meter_batches(rows: int, batch_rows: int) -> list[bytes]:
    """Return NDJSON of meter readings, ``batch_rows`` lines an item."""
    end_us = time.time_ns() // 1000
    batches = []
    with duckdb.connect(":memory:") as engine:
        for first in range(0, rows, batch_rows):
            last = min(rows, first + batch_rows)
            sql = _READINGS.format(end_us=end_us, rows=rows, first=first, last=last)
            lines = [str(line) for (line,) in engine.execute(sql).fetchall()]
            batches.append("\n".join(lines).encode() + b"\n")
    return batches


def probe(number: int) -> bytes:
    """Return one power reading of the session PROBE whose kilowatts are ``number``."""
    at = time.time_ns() // 1000
    instant = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1_000_000))
    reading = {
        "station": "CP-0",
        "connector": 1,
        "session": PROBE,
        "measurand": "Power.Active.Import",
        "value": number * 1000.0,
        "unit": "W",
        "context": "Sample.Periodic",
        "phase": "L1",
        "sampled_at": f"{instant}.{at % 1_000_000:06d}Z",
    }
    return json.dumps(reading).encode() + b"\n"
