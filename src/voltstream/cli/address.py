"""Where a server is: a URL, or a host and a port with the defaults of `serve`."""

from __future__ import annotations

from typing import Annotated

import psycopg
import typer
from psycopg.conninfo import conninfo_to_dict

from voltstream.core.errors import InvalidParameter, VoltstreamError

DATABASE = "volt"
USER = "volt"
CONNECT_TIMEOUT_S = 10

UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Server as postgres://user@host:port/database.", metavar="URL"),
]
HostOption = Annotated[str, typer.Option("--host", help="Address of the server.")]
PgPortOption = Annotated[int, typer.Option("--pg-port", help="PostgreSQL port of the server.")]
HttpPortOption = Annotated[int, typer.Option("--http-port", help="HTTP port of the server.")]


class ServerUnreachable(VoltstreamError):
    """No server answers there."""

    sqlstate = "08001"


def connect(url: str | None, host: str, pg_port: int) -> psycopg.Connection:
    """Open a connection that runs each statement by itself. Raises: ServerUnreachable."""
    conninfo = url or f"host={host} port={pg_port} dbname={DATABASE} user={USER}"
    try:
        return psycopg.connect(
            conninfo,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="voltstream sql",
        )
    except psycopg.OperationalError as error:
        raise ServerUnreachable(
            f"cannot connect: {_first_line(error)}",
            hint="Start a server with: voltstream serve",
        ) from error


def parts_of(url: str | None, host: str) -> tuple[str, str]:
    """Return host and database that a URL names. Raises: InvalidParameter."""
    if url is None:
        return host, DATABASE
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise InvalidParameter(f"cannot read the URL: {_first_line(error)}") from error
    return str(parts.get("host") or host), str(parts.get("dbname") or DATABASE)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason was given"])[0]
