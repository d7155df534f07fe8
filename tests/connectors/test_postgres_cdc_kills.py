"""A followed table whose reader and whose origin are killed: each transaction is there once."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.connectors.memory_feed import eventually
from tests.connectors.real_postgres.server import Server
from tests.driver import Engine
from voltstream.core.clock import SystemClock

ACCOUNTS = 2_000
ROUNDS = 4
TRANSFERS = 400  # Transactions of a round, of two changes, or of two rows that come or go.


def transfer(origin: psycopg.Connection[tuple[object, ...]], chance: random.Random) -> None:
    one, other = chance.sample(range(ACCOUNTS), 2)
    amount = chance.randint(1, 99)
    with origin.transaction():
        for at, change in ((one, amount), (other, -amount)):
            origin.execute(
                "INSERT INTO accounts AS a VALUES (%s, %s, 1) ON CONFLICT (id) DO UPDATE "
                "SET balance = a.balance + %s, turns = a.turns + 1",
                [at, change, change],
            )


def read_until(worker: subprocess.Popen[bytes], turns: int) -> None:
    """Read what a worker sees until it has seen so much. Law: no transaction is seen in part."""
    assert worker.stdout is not None
    for line in worker.stdout:
        _, balance, seen = map(int, line.split())
        assert balance == 0, "a transaction was seen in part"
        if seen >= turns:
            return
    raise AssertionError("the worker ended")


@pytest.mark.timeout(180)
def test_kills_on_both_sides_lose_and_double_nothing(server: Server, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.connectors.real_postgres.worker"]
    command += [str(tmp_path / "data"), str(server.port)]
    chance = random.Random(7)
    with server.connect() as origin:
        origin.execute(
            "CREATE TABLE accounts (id BIGINT PRIMARY KEY, balance BIGINT, turns BIGINT)"
        )
        origin.execute(
            f"INSERT INTO accounts SELECT i, 0, 0 FROM generate_series(0, {ACCOUNTS - 1}) i"
        )
    done = 0
    for number in range(ROUNDS):
        worker = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            with server.connect() as origin:
                for _ in range(TRANSFERS):
                    transfer(origin, chance)
                done += 2 * TRANSFERS
            # Killed in the middle of what it takes, at a place that chance chooses.
            read_until(worker, done - chance.randint(1, 2 * TRANSFERS - 1))
            if number == 1:
                server.stop("immediate")
                server.start()
        finally:
            worker.kill()
            worker.communicate()
    engine = Engine(tmp_path / "data", SystemClock())
    try:
        everything = "SELECT id, balance, turns FROM accounts ORDER BY id"
        with server.connect() as origin:
            right = origin.execute(everything).fetchall()
            eventually(lambda: engine.run(everything) == right, 60)
        totals = (len(right), 0, done)
        assert engine.run("SELECT * FROM totals") == [totals]
    finally:
        engine.close()
        with server.connect() as origin:
            origin.execute("DROP TABLE accounts")
            origin.execute("DROP PUBLICATION rw_publication")
            slots = "FROM pg_replication_slots WHERE NOT active"
            gone = f"SELECT count(*) {slots}"
            eventually(lambda: origin.execute(gone).fetchone() == (1,), 30)
            origin.execute(f"SELECT pg_drop_replication_slot(slot_name) {slots}")
