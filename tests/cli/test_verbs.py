"""The verbs as a person runs them: processes, ports and signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from voltstream import __version__

START_S_MAX = 60.0  # On a machine that runs the other half of the tests as well.
STOP_S_MAX = 20.0
COMMAND = [sys.executable, "-m", "voltstream"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}


def run(
    *arguments: str, stdin: str = "", timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=ENVIRONMENT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


@dataclass
class Served:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    data: Path
    pg_port: str
    http_port: str

    def sql(self, text: str) -> subprocess.CompletedProcess[str]:
        return run("sql", "--pg-port", self.pg_port, "-c", text)

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_S_MAX)


def start(data: Path, *options: str, environment: Mapping[str, str] | None = None) -> Served:
    process = subprocess.Popen(
        [
            *COMMAND,
            "serve",
            "--data",
            str(data),
            "--pg-port",
            "0",
            "--http-port",
            "0",
            "--ocpp-port",
            "0",
            *options,
        ],
        env={**ENVIRONMENT, **(environment or {})},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    deadline = time.monotonic() + START_S_MAX
    while "Ctrl-C" not in said and process.poll() is None and time.monotonic() < deadline:
        said += process.stdout.readline()
    ports = re.findall(r":(\d+)(?:/volt)?$", said, re.MULTILINE)
    assert len(ports) == 2, said
    return Served(process, data, *ports)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    server = start(tmp_path / "data")
    yield server
    if server.process.poll() is None:
        server.stop(signal.SIGTERM)
    if server.process.stdout is not None:
        server.process.stdout.close()


def test_ctrl_c_ends_without_a_word_of_trouble(tmp_path: Path) -> None:
    ports = [f"--{name}-port=0" for name in ("pg", "http", "ocpp")]
    with subprocess.Popen(
        [*COMMAND, "serve", "--data", str(tmp_path / "data"), *ports],
        env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        assert any("Ctrl-C" in line for line in server.stdout)
        server.send_signal(signal.SIGINT)
        said, trouble = server.communicate(timeout=STOP_S_MAX)
    assert (server.returncode, said, trouble) == (0, "Stopping.\n", "")


def test_version() -> None:
    assert run("version").stdout == f"voltstream {__version__}\n"


def test_rows_pushed_from_files_are_in_views_and_outlive_a_stop(
    served: Served, tmp_path: Path
) -> None:
    made = served.sql(
        "CREATE SOURCE s (a int, b varchar);"
        "CREATE MATERIALIZED VIEW v AS SELECT b, sum(a) AS total FROM s GROUP BY b"
    )
    assert made.returncode == 0, made.stderr
    lines = tmp_path / "rows.ndjson"
    lines.write_text('{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n{"a":"no"}\n')
    table = tmp_path / "rows.csv"
    table.write_text('a,b\n5,"x\ny"\n3,x\n')
    pushed = run("ingest", "s", str(lines), str(table), "--http-port", served.http_port)
    assert pushed.returncode == 0, pushed.stderr
    assert "4 rows durable" in pushed.stdout
    assert "1 records could not be decoded" in pushed.stderr
    port = ("--pg-port", served.pg_port)
    letters = run("dead-letters", "list", "s", *port).stdout.splitlines()
    assert [line.split("\t")[0] for line in letters] == ["id", "1"]
    assert run("dead-letters", "show", "1", *port).stdout.endswith('{"a":"no"}\n')
    assert run("dead-letters", "replay", "s", *port).stdout == "1 replayed; 1 of s are left.\n"
    assert run("dead-letters", "drop", "s", *port).stdout == "1 dropped; 0 of s are left.\n"
    assert run("dead-letters", "drop", "none", *port).returncode == 1
    assert served.stop(signal.SIGTERM) == 0

    again = start(served.data)
    try:
        shown = again.sql("SELECT * FROM v ORDER BY total")
        assert shown.stdout == "b\ttotal\ny\t2\nx\t4\nx\\ny\t5\n"
    finally:
        assert again.stop(signal.SIGINT) == 0
        assert again.process.stdout is not None
        again.process.stdout.close()


def test_a_data_directory_and_a_port_have_one_server(served: Served, tmp_path: Path) -> None:
    second = run(
        "serve",
        "--data",
        str(served.data),
        "--pg-port",
        "0",
        "--http-port",
        "0",
        "--ocpp-port",
        "0",
    )
    assert second.returncode == 1
    assert "in use by another process" in second.stderr
    third = run(
        "serve",
        "--data",
        str(tmp_path / "x"),
        "--pg-port",
        served.pg_port,
        "--http-port",
        "0",
        "--ocpp-port",
        "0",
    )
    assert third.returncode == 1
    assert f"port {served.pg_port} on 127.0.0.1 is in use" in third.stderr


def test_sql_points_at_the_error_and_fails(served: Served) -> None:
    failed = served.sql("SELECT 1 AS one; SELECT\n nothing")
    assert failed.returncode == 1
    assert failed.stdout == "one\n1\n"
    assert "42703" in failed.stderr


def test_without_a_server_sql_says_how_to_start_one() -> None:
    failed = run("sql", "--pg-port", "1", "-c", "SELECT 1")
    assert failed.returncode == 1
    assert "voltstream serve" in failed.stderr


def test_check_reads_a_script_without_a_server(tmp_path: Path) -> None:
    script = tmp_path / "views.sql"
    script.write_text(
        "CREATE TABLE t (a int);\nCREATE MATERIALIZED VIEW v AS SELECT sum(a) AS s FROM t;\n"
        "INSERT INTO t VALUES (1);\nSELECT nothing FROM v;\n"
    )
    checked = run("check", "--explain", "incremental", str(script))
    assert checked.returncode == 1
    assert f"{script}:2: ok" in checked.stdout
    assert f"{script}:4: failed" in checked.stdout
    assert "42703" in checked.stderr
