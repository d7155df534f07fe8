"""One real server on a free port for the tests of a module, and PostgreSQL beside it."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.connectors.real_postgres.server import NoServer, Server
from tests.driver import begun
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.pgwire.server import PgServer
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory: Path = begun(tmp_path_factory.mktemp("data"))
    instance = Instance(directory, EngineOptions(), SystemClock(), ConnectorRegistry())
    instance.start()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = PgServer(instance, port=0)
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    yield f"host=127.0.0.1 port={server.port} dbname=volt user=al"
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    instance.stop()


@pytest.fixture(scope="module")
def both(address: str) -> Iterator[tuple[Any, Any]]:
    try:
        server = Server()
        server.start()
    except (NoServer, subprocess.CalledProcessError) as error:
        pytest.skip(f"no PostgreSQL to compare with: {error}")
    try:
        with server.connect() as theirs, psycopg.connect(address, autocommit=True) as ours:
            theirs.execute("SET timezone = 'UTC'")
            yield theirs, ours
    finally:
        server.stop()
        server.remove()
