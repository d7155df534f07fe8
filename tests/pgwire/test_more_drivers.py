"""psycopg2, pg8000, ODBC, node's postgres, and PgBouncer in between, against a real server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.pgwire.test_drivers import HERE, TOOLS, ran

DRIVERS = TOOLS / "drivers" / "bin" / "python"
BOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@pytest.fixture
def place(address: str) -> tuple[str, str, str]:
    found = conninfo_to_dict(address)
    return str(found["host"]), str(found["port"]), str(found["dbname"])


@pytest.mark.skipif(not DRIVERS.exists(), reason="psycopg2 and pg8000 are not installed")
@pytest.mark.parametrize("driver", ["psycopg2", "pg8000"])
def test_driver(place: tuple[str, str, str], driver: str) -> None:
    assert ran(DRIVERS, HERE / "drivers.py", driver, *place).splitlines()[-1] == "done"


def _has_odbc() -> bool:
    if shutil.which("odbcinst") is None or not DRIVERS.exists():
        return False
    told = subprocess.run(["odbcinst", "-q", "-d"], capture_output=True, text=True, check=False)
    return "PostgreSQL Unicode" in told.stdout


@pytest.mark.skipif(not _has_odbc(), reason="odbc-postgresql is not installed")
def test_odbc(place: tuple[str, str, str]) -> None:
    assert ran(DRIVERS, HERE / "drivers.py", "odbc", *place).splitlines()[-1] == "done"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(
    not (TOOLS / "node" / "node_modules" / "postgres").exists(),
    reason="node's postgres is not installed",
)
def test_nodes_postgres(place: tuple[str, str, str]) -> None:
    host, port, database = place
    modules = TOOLS / "node" / "node_modules"
    url = f"postgres://al@{host}:{port}/{database}"
    told = ran("node", HERE / "postgres.cjs", url, NODE_PATH=str(modules))
    assert told.splitlines()[-1] == "done"


@pytest.fixture
def pooled(place: tuple[str, str, str], tmp_path: Path) -> Iterator[str]:
    if BOUNCER is None:
        pytest.skip("pgbouncer is not installed")
    host, port, database = place
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = free.getsockname()[1]
    settings = [
        "[databases]",
        f"{database} = host={host} port={port} dbname={database} user=al",
        "[pgbouncer]",
        "listen_addr = 127.0.0.1",
        f"listen_port = {own}",
        "unix_socket_dir =",
        "auth_type = any",
        "pool_mode = transaction",
        "server_reset_query = DISCARD ALL",
        "server_reset_query_always = 1",
        "default_pool_size = 2",
        *(["user = nobody"] if os.getuid() == 0 else []),
    ]
    (tmp_path / "pool.ini").write_text("\n".join(settings) + "\n")
    running = subprocess.Popen([BOUNCER, tmp_path / "pool.ini"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", own)) == 0:
                    break
            time.sleep(0.05)
        yield f"host=127.0.0.1 port={own} dbname={database} user=al"
    finally:
        running.terminate()
        running.wait(10)


def test_pgbouncer_lends_sessions_by_transaction(pooled: str) -> None:
    with (
        psycopg.connect(pooled, autocommit=True) as one,
        psycopg.connect(pooled, autocommit=True) as two,
        psycopg.connect(pooled, autocommit=True) as three,
    ):
        clients = (one, two, three)
        one.execute("CREATE TABLE pooled (id int PRIMARY KEY, kw int)")
        for turn in range(4):
            for number, client in enumerate(clients):
                with client.transaction():
                    client.execute("INSERT INTO pooled VALUES (%s, %s)", (turn * 3 + number, turn))
                    found = client.execute("SELECT kw FROM pooled WHERE id = %s", (turn * 3,))
                    assert found.fetchone() == (turn,)
        assert two.execute("SELECT count(*) FROM pooled").fetchone() == (12,)
        for setting in ("SET search_path = elsewhere", "PREPARE kept AS SELECT 1"):
            one.execute(setting.encode())
        for client in clients:  # Whoever gets that session finds nothing of it.
            assert client.execute("SHOW search_path").fetchone() == ('"$user", public',)
            with pytest.raises(psycopg.errors.InvalidSqlStatementName):
                client.execute("EXECUTE kept")
