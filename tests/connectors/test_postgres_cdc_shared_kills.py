"""Tables that share a source whose reader is killed: each transaction is there once, and whole."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.connectors.memory_feed import eventually
from tests.connectors.real_postgres.server import Server
from tests.connectors.test_postgres_cdc_kills import read_until
from tests.driver import Engine
from voltstream.core.clock import SystemClock

ACCOUNTS = 500  # In each of two tables.
TRANSFERS = 250  # Transactions of a round, of a change in each table.


def transfer(origin: psycopg.Connection[tuple[object, ...]], chance: random.Random) -> None:
    amount = chance.randint(1, 99)
    with origin.transaction():
        for table, change in (("accounts", amount), ("debts", -amount)):
            origin.execute(
                f"UPDATE {table} SET balance = balance + %s, turns = turns + 1 WHERE id = %s",
                [change, chance.randrange(ACCOUNTS)],
            )


def seen_first(worker: subprocess.Popen[bytes]) -> None:
    """Wait until both tables are copied."""
    assert worker.stdout is not None
    for line in worker.stdout:
        if int(line.split()[0]) == 2 * ACCOUNTS:
            return
    raise AssertionError("the worker ended")


@pytest.mark.timeout(180)
def test_kills_neither_lose_nor_double_nor_part(server: Server, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.connectors.real_postgres.worker"]
    command += [str(tmp_path / "data"), str(server.port)]
    chance = random.Random(11)
    with server.connect() as origin:
        for table in ("accounts", "debts"):
            origin.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY, balance INT, turns INT)")
            rows = f"SELECT i, 0, 0 FROM generate_series(0, {ACCOUNTS - 1}) i"
            origin.execute(f"INSERT INTO {table} {rows}")
    done = 0
    for form in ("shared", "late", "late"):
        worker = subprocess.Popen([*command, form], stdout=subprocess.PIPE)
        try:
            if not done:
                seen_first(worker)
            with server.connect() as origin:
                for _ in range(TRANSFERS):
                    transfer(origin, chance)
                done += 2 * TRANSFERS
            read_until(worker, done - chance.randint(1, TRANSFERS))
        finally:
            worker.kill()
            worker.communicate()
    engine = Engine(tmp_path / "data", SystemClock())
    try:
        with server.connect() as origin:
            for ours, theirs in (
                ("accounts", "accounts"),
                ("debts", "debts"),
                ("late", "accounts"),
            ):
                right = origin.execute(f"SELECT * FROM {theirs} ORDER BY id").fetchall()
                found = f"SELECT * FROM {ours} ORDER BY id"
                eventually(lambda: engine.run(found) == right, 60)  # noqa: B023
        assert engine.run("SELECT * FROM totals") == [(2 * ACCOUNTS, 0, done)]
    finally:
        engine.close()
        with server.connect() as origin:
            origin.execute("DROP TABLE accounts, debts")
            origin.execute("DROP PUBLICATION rw_publication")
            slots = "FROM pg_replication_slots WHERE NOT active"
            gone = f"SELECT count(*) {slots}"
            eventually(lambda: origin.execute(gone).fetchone() == (1,), 30)
            origin.execute(f"SELECT pg_drop_replication_slot(slot_name) {slots}")
