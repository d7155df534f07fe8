"""A data directory without a server: asked over the wire, while nothing comes in and goes out."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from voltstream.cli.address import DATABASE, USER, connect
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.errors import InvalidParameter
from voltstream.core.origins import OriginTable
from voltstream.core.passwords import parsed_verifier, stored_password
from voltstream.core.ports import (
    ANY_SHAPE,
    Connector,
    Schemas,
    Session,
    SinkShape,
    SinkTarget,
    SinkUnavailable,
    SourceFeed,
    Standing,
)
from voltstream.pgwire.login import Policy
from voltstream.pgwire.server import PgServer
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions
from voltstream.runtime.roles import OWNER_OID

START_S = 10


class _Closed:
    """A target that takes nothing: what waits for it stays in its outbox."""

    def deliver(self, records: object) -> None:
        raise SinkUnavailable("the database is open for reading only")

    def interrupt(self) -> None:
        return

    def close(self) -> None:
        return


class _Still:
    """Connectors none of which runs: no offset moves, and nothing is delivered."""

    def __init__(self) -> None:
        self._registry = ConnectorRegistry()

    def source(self, feed: SourceFeed) -> Connector | None:
        del feed
        return None

    def schemas(self, properties: Mapping[str, str], owner: str) -> Schemas | None:
        return self._registry.schemas(properties, owner)

    def origin_table(self, properties: Mapping[str, str], owner: str, table: str) -> OriginTable:
        return self._registry.origin_table(properties, owner, table)

    def sink(
        self, name: str, properties: Mapping[str, str], shape: SinkShape = ANY_SHAPE
    ) -> SinkTarget:
        del name, properties, shape
        return _Closed()


class _Guarded:
    """The sessions of an instance, for who knows a password made for this once."""

    def __init__(self, instance: Instance, password: str) -> None:
        self._instance = instance
        verifier = parsed_verifier(stored_password(password))
        if verifier is None:
            raise InvalidParameter("a password could not be made")
        self._standing = Standing(verifier, has_password=True, any_password=True)

    def standing(self, user: str) -> Standing:
        del user
        return self._standing

    def open(
        self, *, database: str, user: str, options: Mapping[str, str], process_id: int = 0,
        client: str = "",
    ) -> Session:  # fmt: skip
        owner = self._instance.roles().by_oid[OWNER_OID].name if user == USER else user
        return self._instance.open(
            database=database, user=owner, options=options, process_id=process_id, client=client
        )


@contextmanager
def resting(data: Path) -> Iterator[str]:
    """Open a directory that no server has open, and give a URL at which it is asked.

    Law: sources do not run, sinks deliver nothing, so that offsets and outboxes stay as they are.
    Raises: StorageFault while a server has it, InvalidParameter when it holds no database.
    """
    if not (data / DATABASE / "volt.duckdb").exists():
        raise InvalidParameter(f'"{data}" is not a data directory of voltstream')
    instance = Instance(data, EngineOptions(), SystemClock(), _Still())
    instance.start()
    password = secrets.token_urlsafe(24)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="resting", daemon=True)
    thread.start()
    server = PgServer(_Guarded(instance, password), port=0, policy=Policy("scram-sha-256"))
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(START_S)
        yield f"postgresql://{USER}:{password}@127.0.0.1:{server.port}/{DATABASE}"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(START_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        instance.stop()


@contextmanager
def opened(
    data: Path | None, url: str | None, host: str, pg_port: int
) -> Iterator[psycopg.Connection]:
    """Connect to a server, or to a data directory when one is named."""
    if data is None:
        with connect(url, host, pg_port) as connection:
            yield connection
        return
    with resting(data) as own, connect(own, host, pg_port) as connection:
        yield connection
