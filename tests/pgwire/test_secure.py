"""TLS and passwords over real sockets, with the clients that people use."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.driver import begun
from tests.pgwire.test_server import serving
from voltstream.cli.certificates import self_signed
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.tls import Certificate
from voltstream.pgwire.login import Method, Policy
from voltstream.pgwire.server import PgServer
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions


@dataclass
class Secured:
    """A server that asks everybody, with ann, whose password is ``pen cil``."""

    port: int
    folder: Path
    instance: Instance

    def address(self, user: str = "ann", password: str = "pen cil", **more: str) -> str:
        parts = {
            "host": "localhost", "port": str(self.port), "dbname": "volt", "user": user,
            "password": f"'{password}'", "connect_timeout": "10", **more,
        }  # fmt: skip
        return " ".join(f"{name}={value}" for name, value in parts.items())

    @property
    def root(self) -> str:
        return str(self.folder / "server.crt")


def started(instance: Instance, folder: Path, method: Method) -> PgServer:
    certificate = Certificate(*self_signed(folder, "127.0.0.1"))
    return PgServer(instance, port=0, certificate=certificate, policy=Policy(method))


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    data = tmp_path_factory.mktemp("secured")
    made = Instance(begun(data), EngineOptions(), SystemClock(), ConnectorRegistry())
    made.start()
    session = made.open(database="volt", user="volt", options={})
    for text in (
        "CREATE TABLE t (a INT); INSERT INTO t VALUES (7)",
        "CREATE USER ann PASSWORD 'pen cil'; GRANT SELECT ON t TO ann",
        "CREATE USER late PASSWORD 'pen cil' VALID UNTIL '2020-01-01'",
        "CREATE USER bare; CREATE ROLE grp PASSWORD 'pen cil'",
    ):
        for statement in session.parse(text):
            session.execute(statement)
    session.close()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def secured(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    server = started(instance, folder, "scram-sha-256")
    with serving(server):
        yield Secured(server.port, folder, instance)


def test_verify_full_with_channel_binding(secured: Secured) -> None:
    address = secured.address(
        sslmode="verify-full", sslrootcert=secured.root, channel_binding="require"
    )
    with psycopg.connect(address) as session:
        assert session.execute("SELECT a FROM t").fetchone() == (7,)
        assert session.pgconn.ssl_in_use
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("INSERT INTO t VALUES (8)")


def test_a_large_answer_over_tls(secured: Secured) -> None:
    with psycopg.connect(secured.address(sslmode="require")) as session:
        rows = session.execute("SELECT repeat('x', 1000) FROM generate_series(1, 20000)").fetchall()
        assert len(rows) == 20_000


def test_a_password_without_tls(secured: Secured) -> None:
    with psycopg.connect(secured.address(sslmode="disable")) as session:
        assert session.execute("SELECT current_user").fetchone() == ("ann",)


def test_a_client_may_do_without_channel_binding(secured: Secured) -> None:
    with psycopg.connect(secured.address(sslmode="require", channel_binding="disable")) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    ("user", "password"),
    [("ann", "pencil"), ("nobody", "pen cil"), ("late", "pen cil"), ("bare", "pen cil")],
)
def test_what_is_wrong_is_not_told(secured: Secured, user: str, password: str) -> None:
    expected = f'password authentication failed for user "{user}"'
    with pytest.raises(psycopg.OperationalError, match=expected):
        psycopg.connect(secured.address(user, password, sslmode="disable"))


def test_a_role_that_is_no_user(secured: Secured) -> None:
    with pytest.raises(psycopg.OperationalError, match='role "grp" is not permitted to log in'):
        psycopg.connect(secured.address("grp", sslmode="require"))


def test_another_certificate_is_not_trusted(secured: Secured, tmp_path: Path) -> None:
    other, _ = self_signed(tmp_path, "127.0.0.1")
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(secured.address(sslmode="verify-full", sslrootcert=str(other)))


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_psql_over_tls(secured: Secured) -> None:
    url = (
        f"host=localhost port={secured.port} dbname=volt user=ann sslmode=verify-full "
        f"sslrootcert={secured.root} channel_binding=require"
    )
    done = subprocess.run(
        ["psql", "-X", "-At", url, "-c", "SELECT a FROM t", "-c", r"\conninfo"],
        env={**os.environ, "PGPASSWORD": "pen cil"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("7\n")
    assert "TLSv1.3" in done.stdout


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (r"\du", ["volt|Superuser, Create role, Create DB", "ann||"]),
        (r"\dg late", ["late|Password valid until 2020-01-01 00:00:00+00|"]),
        (r"\dp t", ["public|t|table|volt=arwdDxt/volt\nann=r/volt||"]),
        (r"\dn+ public", ["public|volt|"]),
        (r"\ddp", [""]),
        (r"\dt", ["public|t|table|volt"]),
        (r"\l volt", ["volt|volt|UTF8"]),
    ],
)
def test_psql_shows_who_may(secured: Secured, command: str, shown: list[str]) -> None:
    url = f"host=localhost port={secured.port} dbname=volt user=ann sslmode=require"
    done = subprocess.run(
        ["psql", "-X", "-At", url, "-c", command],
        env={**os.environ, "PGPASSWORD": "pen cil"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for line in shown:
        assert line in done.stdout, done.stdout


def test_tls_without_asking_first(secured: Secured) -> None:
    """Clients of PostgreSQL 17 may begin with TLS (sslnegotiation=direct)."""
    context = ssl.create_default_context(cafile=secured.root)
    context.set_alpn_protocols(["postgresql"])
    body = b"user\0ann\0database\0volt\0\0"
    startup = struct.pack("!ii", len(body) + 8, 3 << 16) + body
    with (
        socket.create_connection(("localhost", secured.port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as channel,
    ):
        assert channel.selected_alpn_protocol() == "postgresql"
        channel.sendall(startup)
        assert b"SCRAM-SHA-256-PLUS" in channel.recv(1000)


@pytest.mark.skipif(psycopg.pq.version() < 180000, reason="libpq is older than 18")
@pytest.mark.parametrize("options", [{"sslnegotiation": "direct"}, {"max_protocol_version": "3.2"}])
def test_what_newer_clients_ask_for(secured: Secured, options: dict[str, str]) -> None:
    address = secured.address(
        sslmode="verify-full", sslrootcert=secured.root, channel_binding="require", **options
    )
    with psycopg.connect(address) as session:
        assert session.execute("SELECT a FROM t").fetchone() == (7,)
        session.cancel_safe(timeout=10)


def test_tls_of_another_protocol_is_closed(secured: Secured) -> None:
    context = ssl.create_default_context(cafile=secured.root)
    with (
        socket.create_connection(("localhost", secured.port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as channel,
    ):
        assert channel.recv(100) == b""


def test_cancel_and_copy_over_tls(secured: Secured) -> None:
    with psycopg.connect(secured.address("ann", sslmode="require"), autocommit=True) as session:
        with session.cursor().copy("COPY t TO STDOUT") as copy:
            assert b"".join(copy) == b"7\n"
        session.cancel_safe(timeout=10)


def test_a_renewed_certificate_is_seen_by_the_next_client(
    instance: Instance, tmp_path: Path
) -> None:
    server = started(instance, tmp_path, "auto")
    with serving(server):
        secured = Secured(server.port, tmp_path, instance)
        kept = tmp_path / "kept.crt"
        kept.write_bytes((tmp_path / "server.crt").read_bytes())
        options = {"sslmode": "verify-full", "channel_binding": "require"}
        psycopg.connect(secured.address(sslrootcert=str(kept), **options)).close()
        (tmp_path / "server.crt").unlink()
        self_signed(tmp_path, "127.0.0.1")
        psycopg.connect(secured.address(sslrootcert=secured.root, **options)).close()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(secured.address(sslrootcert=str(kept), **options))


def test_asyncpg_over_tls(secured: Secured) -> None:
    asyncpg = pytest.importorskip("asyncpg")

    async def ask() -> object:
        context = ssl.create_default_context(cafile=secured.root)
        session = await asyncpg.connect(
            host="localhost", port=secured.port, user="ann", password="pen cil",
            database="volt", ssl=context,
        )  # fmt: skip
        try:
            return await session.fetchval("SELECT a FROM t")
        finally:
            await session.close()

    assert asyncio.run(ask()) == 7


def test_who_says_nothing_is_told_and_closed(secured: Secured) -> None:
    options = "'-c idle_session_timeout=200'"
    with psycopg.connect(secured.address(options=options), autocommit=True) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
        time.sleep(0.6)
        with pytest.raises(psycopg.errors.IdleSessionTimeout):
            session.execute("SELECT 1")


def test_the_first_run_asks_nobody_and_a_password_is_asked_for(
    instance: Instance, tmp_path: Path
) -> None:
    server = started(instance, tmp_path, "auto")
    with serving(server):
        address = f"host=127.0.0.1 port={server.port} dbname=volt connect_timeout=10"
        with psycopg.connect(f"{address} user=volt") as session:
            assert session.execute("SELECT current_user").fetchone() == ("volt",)
        with psycopg.connect(f"{address} user=bare") as session:
            assert session.execute("SELECT current_user").fetchone() == ("bare",)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"{address} user=ann")
