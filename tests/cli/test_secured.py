"""A server with TLS and passwords, in a process of its own, through its own verbs and psycopg."""

from __future__ import annotations

import signal
import ssl
import stat
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.cli.test_verbs import Served, run, start

PASSWORD = "correct horse"


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Served]:
    server = start(
        tmp_path / "data",
        "--tls",
        "--set",
        "auth.method=scram-sha-256",
        environment={"VOLTSTREAM_AUTH__OWNER_PASSWORD": PASSWORD},
    )
    yield server
    if server.process.poll() is None:
        server.stop(signal.SIGTERM)
    assert server.process.stdout is not None
    server.process.stdout.close()


def root(server: Served) -> str:
    return str(server.data / "tls" / "server.crt")


def url(server: Served, password: str = PASSWORD, **more: str) -> str:
    parts = {
        "host": "localhost", "port": server.pg_port, "dbname": "volt", "user": "volt",
        "password": f"'{password}'", "sslmode": "verify-full", "sslrootcert": root(server),
        "channel_binding": "require", **more,
    }  # fmt: skip
    return " ".join(f"{name}={value}" for name, value in parts.items())


def asked(server: Served, path: str, headers: dict[str, str]) -> tuple[int, str]:
    request = urllib.request.Request(f"https://localhost:{server.http_port}{path}", headers=headers)
    context = ssl.create_default_context(cafile=root(server))
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_server_that_asks_everybody(secured: Served, tmp_path: Path) -> None:
    key = secured.data / "tls" / "server.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url(secured, "wrong"))
    with psycopg.connect(url(secured), autocommit=True) as session:
        session.execute("CREATE SOURCE reads (a INT)")
        session.execute(
            "CREATE USER gate PASSWORD 'battery staple'; GRANT INSERT ON SOURCE reads TO gate"
        )
        row = session.execute("CREATE TOKEN t FOR gate ON SOURCE reads").fetchone()
        assert row is not None
        token = str(row[0])
    rows = tmp_path / "rows.ndjson"
    rows.write_text('{"a":1}\n{"a":2}\n')
    place = ["--host", "localhost", "--http-port", secured.http_port, "--tls-root", root(secured)]
    refused = run("ingest", "reads", str(rows), *place)
    assert refused.returncode == 1
    assert "log in" in refused.stderr
    pushed = run("ingest", "reads", str(rows), *place, "--token", token)
    assert pushed.returncode == 0, pushed.stderr
    told = run("sql", "--url", url(secured), "-c", "SELECT sum(a) FROM reads")
    assert told.returncode == 0, told.stderr
    assert "3" in told.stdout
    assert asked(secured, "/v1/sql?q=SELECT+1", {})[0] == 401
    owner = {"authorization": "Basic " + b64encode(f"volt:{PASSWORD}".encode()).decode()}
    status, body = asked(secured, "/v1/sql?q=SELECT+current_user", owner)
    assert (status, "volt" in body) == (200, True)
    assert asked(secured, "/healthz", {})[0] == 200
    _refuse_secrets_on_disk(secured, token)


def _refuse_secrets_on_disk(secured: Served, token: str) -> None:
    """Kill the server, so that its log is still there, and look at every file."""
    secured.process.send_signal(signal.SIGKILL)
    secured.process.wait(20)
    kept = b"".join(path.read_bytes() for path in secured.data.rglob("*") if path.is_file())
    assert b"SCRAM-SHA-256$4096:" in kept
    for secret in (PASSWORD, "battery staple", token):
        assert secret.encode() not in kept
