"""The process that is killed: an engine whose table follows one of a PostgreSQL server.

Usage: worker.py FOLDER PORT [shared | late]. When shared, two tables follow by one source, and
with late a third one that is made now. It prints the sum of all balances and how often they were
changed, whenever they have. Every transaction of the origin leaves the sum at 0.
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
SHARED = """
CREATE SOURCE IF NOT EXISTS pg
    WITH (connector = 'postgres-cdc', hostname = '127.0.0.1', port = '{port}', username = 'volt',
          database.name = 'postgres');
CREATE TABLE IF NOT EXISTS accounts (*) FROM pg TABLE 'public.accounts';
CREATE TABLE IF NOT EXISTS debts (*) FROM pg TABLE 'public.debts';
CREATE MATERIALIZED VIEW IF NOT EXISTS totals AS
    SELECT count(*) AS n, sum(balance)::BIGINT AS balance, sum(turns)::BIGINT AS turns
    FROM (SELECT * FROM accounts UNION ALL SELECT * FROM debts) t;
"""
LATE = "CREATE TABLE IF NOT EXISTS late (*) FROM pg TABLE 'public.accounts';"


def main() -> None:
    engine = Engine(Path(sys.argv[1]), SystemClock())
    form = sys.argv[3] if len(sys.argv) > 3 else ""
    definitions = SHARED if form else DEFINITIONS
    engine.run(definitions.format(port=sys.argv[2]))
    if form == "late":
        engine.run(LATE)
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
