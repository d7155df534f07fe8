"""The process that is killed: an engine whose table follows one of a PostgreSQL server.

Usage: worker.py FOLDER PORT. It prints the sum of all balances and how often they were changed,
whenever they have. Every transaction of the origin leaves the sum at 0.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tests.driver import Engine
from voltstream.core.clock import SystemClock

DEFINITIONS = """
CREATE TABLE IF NOT EXISTS accounts (id BIGINT PRIMARY KEY, balance BIGINT, turns BIGINT)
    WITH (connector = 'postgres-cdc', hostname = '127.0.0.1', port = '{port}', username = 'volt',
          database.name = 'postgres', table.name = 'accounts');
CREATE MATERIALIZED VIEW IF NOT EXISTS totals AS
    SELECT count(*) AS n, sum(balance)::BIGINT AS balance, sum(turns)::BIGINT AS turns
    FROM accounts;
"""


def main() -> None:
    engine = Engine(Path(sys.argv[1]), SystemClock())
    engine.run(DEFINITIONS.format(port=sys.argv[2]))
    told: list[tuple[object, ...]] = []
    while True:
        found = engine.run("SELECT n, balance, turns FROM totals WHERE n > 0")
        if found != told:
            told = found
            for row in found:
                os.write(1, " ".join(map(str, row)).encode() + b"\n")
        time.sleep(0.01)


if __name__ == "__main__":
    main()
