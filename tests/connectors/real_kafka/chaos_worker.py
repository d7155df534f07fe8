"""The server that chaos befalls: it reads a topic and writes to two, one of them exactly once.

Usage: chaos_worker.py FOLDER BROKER. It prints the number of rows it holds when that has changed.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tests.driver import Engine
from voltstream.core.clock import SystemClock

DEFINITIONS = """
CREATE SOURCE IF NOT EXISTS reads (n BIGINT, meter INTEGER)
    INCLUDE partition AS place INCLUDE offset AS at
    WITH (connector = 'kafka', topic = 'reads', properties.bootstrap.server = '{broker}',
          properties.topic.metadata.refresh.interval.ms = '1000')
    FORMAT PLAIN ENCODE JSON;
CREATE MATERIALIZED VIEW IF NOT EXISTS by_meter AS
    SELECT meter, count(*) AS n, sum(n) AS total FROM reads GROUP BY meter;
CREATE SINK IF NOT EXISTS totals FROM by_meter
    WITH (connector = 'kafka', topic = 'totals', primary_key = 'meter',
          properties.bootstrap.server = '{broker}')
    FORMAT UPSERT ENCODE JSON;
CREATE SINK IF NOT EXISTS copies AS SELECT n FROM reads
    WITH (connector = 'kafka', topic = 'copies', exactly_once = true,
          properties.bootstrap.server = '{broker}')
    FORMAT PLAIN ENCODE JSON;
"""


def main() -> None:
    folder, broker = Path(sys.argv[1]), sys.argv[2]
    engine = Engine(folder, SystemClock())
    engine.run(DEFINITIONS.format(broker=broker))
    told: object = None
    while True:
        [(count,)] = engine.run("SELECT count(*) FROM reads")
        if count != told:
            told = count
            os.write(1, f"{count}\n".encode())
        time.sleep(0.02)


if __name__ == "__main__":
    main()
