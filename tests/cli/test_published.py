"""The published pipelines through psql, on a server in a process of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.cli.test_verbs import Served, run, start
from voltstream.connectors.kafka import client_settings

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"
FILES = ("ocpp_streaming.sql", "ami_streaming.sql", "cpo_timeseries.sql")
NEEDED = (
    "CREATE TABLE transformer_meter_count (transformer_id VARCHAR PRIMARY KEY, total_meters INT)"
)
published = pytest.mark.skipif(
    not SEEDS.is_dir(), reason="the published pipelines are not beside the project"
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = start(tmp_path / "data")
    yield server
    server.stop(signal.SIGTERM)
    assert server.process.stdout is not None
    server.process.stdout.close()


def connect(server: Served, database: str = "volt", user: str = "volt") -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=server.pg_port, dbname=database, user=user, autocommit=True
    )


def count_views(session: psycopg.Connection) -> object:
    row = session.execute("SELECT count(*) FROM pg_matviews").fetchone()
    assert row is not None
    return row[0]


@published
@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_psql_runs_the_files(served: Served) -> None:
    url = f"postgres://volt@127.0.0.1:{served.pg_port}/volt"
    with connect(served) as session:
        session.execute(NEEDED)
    for name in FILES:
        done = subprocess.run(
            ["psql", "-X", "-v", "ON_ERROR_STOP=1", url, "-f", str(SEEDS / name)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    with connect(served) as session:
        assert count_views(session) == 13


@published
def test_each_file_is_one_message(served: Served) -> None:
    with connect(served) as session:
        session.execute(NEEDED)
        for name in FILES:
            session.pgconn.exec_((SEEDS / name).read_bytes())
            assert session.pgconn.error_message == b""
        assert count_views(session) == 13


def test_anyone_is_let_in_as_owner_and_finds_a_database_of_their_own(served: Served) -> None:
    with connect(served, user="anyone") as session:
        session.execute("CREATE DATABASE fleet")
    with connect(served, "fleet", "someone") as session:
        session.execute("CREATE TABLE t (a INT)")
        session.execute("INSERT INTO t VALUES (7)")
        assert session.execute("SELECT a FROM t").fetchall() == [(7,)]
    with connect(served, user="anyone") as session:
        session.execute("DROP DATABASE fleet")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect(served, "fleet")


def test_a_verb_takes_a_url(served: Served) -> None:
    done = run(
        "sql", "--url", f"postgres://volt@127.0.0.1:{served.pg_port}/volt", "-c", "SELECT 6*7"
    )
    assert done.returncode == 0 and "42" in done.stdout


def test_the_override_redirects_what_a_published_file_names() -> None:
    written = {"properties.bootstrap.server": "kafka:9092", "topic": "t"}
    assert client_settings(written, None, "s")["bootstrap.servers"] == "kafka:9092"
    assert client_settings(written, "here:1", "s")["bootstrap.servers"] == "here:1"
