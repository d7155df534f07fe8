"""NOTIFY reaches clients that wait, as psql, psycopg and asyncpg show it."""

from __future__ import annotations

import asyncio
import json
import select
import shutil
import subprocess
from typing import Any

import psycopg
import pytest


def test_psycopg_is_told_while_it_waits(address: str) -> None:
    with (
        psycopg.connect(address, autocommit=True) as listener,
        psycopg.connect(address, autocommit=True) as teller,
    ):
        listener.execute("LISTEN news")
        teller.execute("SELECT pg_notify(%s, %s)", ("news", "first"))
        with teller.transaction():
            teller.execute("NOTIFY news, 'second'")
        found = [(n.channel, n.payload, n.pid) for n in listener.notifies(timeout=20, stop_after=2)]
        pid = teller.info.backend_pid
        assert found == [("news", "first", pid), ("news", "second", pid)]


def test_psycopg_is_told_of_changes_of_a_view(address: str) -> None:
    with (
        psycopg.connect(address, autocommit=True) as listener,
        psycopg.connect(address, autocommit=True) as teller,
    ):
        teller.execute("CREATE TABLE noted (a INT)")
        teller.execute("CREATE MATERIALIZED VIEW noted_sum AS SELECT sum(a) AS s FROM noted")
        listener.execute('LISTEN "changes of noted_sum"')
        teller.execute("INSERT INTO noted VALUES (1), (2)")
        [one] = list(listener.notifies(timeout=20, stop_after=1))
        assert one.channel == "changes of noted_sum"
        told = json.loads(one.payload)
        assert (told["relation"], told["inserted"], told["deleted"]) == ("public.noted_sum", 1, 1)


def test_nothing_is_told_inside_a_transaction(address: str) -> None:
    with (
        psycopg.connect(address, autocommit=True) as listener,
        psycopg.connect(address, autocommit=True) as teller,
    ):
        listener.execute("LISTEN news")
        found: list[str] = []
        listener.add_notify_handler(lambda n: found.append(n.payload))
        with listener.transaction():
            teller.execute("NOTIFY news, 'later'")
            listener.execute("SELECT 1")
            assert found == []
        listener.execute("SELECT 1")
        assert found == ["later"]


def test_asyncpg_has_its_listeners_called(address: str) -> None:
    asyncpg: Any = pytest.importorskip("asyncpg", reason="asyncpg is not installed")
    pairs = dict(pair.split("=") for pair in address.split())

    async def work() -> None:
        connection = await asyncpg.connect(
            host=pairs["host"], port=int(pairs["port"]), user=pairs["user"],
            database=pairs["dbname"],
        )  # fmt: skip
        told: asyncio.Queue[tuple[int, str, str]] = asyncio.Queue()

        def hear(_: object, pid: int, channel: str, payload: str) -> None:
            told.put_nowait((pid, channel, payload))

        await connection.add_listener("news", hear)
        await connection.execute("SELECT pg_notify($1, $2)", "news", "own")
        assert (await asyncio.wait_for(told.get(), 20))[1:] == ("news", "own")
        with psycopg.connect(address, autocommit=True) as teller:
            teller.execute("NOTIFY news, 'from afar'")
            heard = await asyncio.wait_for(told.get(), 20)
            assert heard == (teller.info.backend_pid, "news", "from afar")
        await connection.remove_listener("news", hear)
        assert await connection.fetch("SELECT pg_listening_channels()") == []
        await connection.close()

    asyncio.run(work())


def test_psql_prints_what_it_is_told(address: str) -> None:
    psql = shutil.which("psql")
    if psql is None:
        pytest.skip("psql is not installed")
    script = "LISTEN news;\nNOTIFY news, 'own';\nNOTIFY news;\n"
    ran = subprocess.run(
        [psql, address, "-X", "-q"], input=script, capture_output=True, text=True, check=True
    )
    said = 'Asynchronous notification "news"'
    assert [line.partition(" received")[0] for line in ran.stdout.splitlines()] == [
        f'{said} with payload "own"',
        said,
    ]


def test_who_is_idle_in_a_transaction_is_told_and_let_go(address: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET idle_in_transaction_session_timeout = '50ms'")
        connection.execute("BEGIN")
        assert select.select([connection.fileno()], [], [], 20)[0]
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            connection.execute("SELECT 1")
        assert connection.closed
