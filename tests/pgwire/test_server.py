"""The server around the conversation: how many it lets in, and how it stops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.pgwire.memory_session import MemorySessions
from voltstream.pgwire.login import Line, ScramLogin
from voltstream.pgwire.server import PgServer
from voltstream.pgwire.startup import Credentials


@contextmanager
def serving(server: PgServer) -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_full_server_refuses_with_53300() -> None:
    server = PgServer(MemorySessions(), port=0, connections_max=2)
    with serving(server):
        address = f"host=127.0.0.1 port={server.port} dbname=memory user=al"
        with psycopg.connect(address), psycopg.connect(address) as second:
            with pytest.raises(psycopg.OperationalError, match="too many clients") as refused:
                psycopg.connect(address)
            assert refused.value.sqlstate in (None, "53300")
            assert second.execute("SELECT 1").fetchone() == (1,)
        with psycopg.connect(address) as again:
            assert again.execute("SELECT 2").fetchone() == (2,)


def test_a_stopping_server_says_57p01() -> None:
    server = PgServer(MemorySessions(), port=0)
    with serving(server) as loop:
        address = f"host=127.0.0.1 port={server.port} dbname=memory user=al"
        connection = psycopg.connect(address, autocommit=True)
        assert connection.execute("SELECT 1").fetchone() == (1,)
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(20)
        with pytest.raises(psycopg.errors.AdminShutdown):
            connection.execute("SELECT 1")
        connection.close()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(address)


def test_strangers_are_refused_unless_the_network_is_trusted() -> None:
    credentials = Credentials("al", "memory", {})
    far = Line("203.0.113.7", near=False)
    assert isinstance(PgServer(MemorySessions(), port=0).demand(far, credentials), ScramLogin)
    near = Line("203.0.113.7", near=True)
    assert PgServer(MemorySessions(), port=0).demand(near, credentials) is None
