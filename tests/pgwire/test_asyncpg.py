"""asyncpg: binary in both directions, and types it looks up in the catalogs."""

from __future__ import annotations

import asyncio
import io
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

asyncpg: Any = pytest.importorskip("asyncpg", reason="asyncpg is not installed")

_AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
VALUES: tuple[tuple[str, object], ...] = (
    ("bool", True), ("int2", -3), ("int4", 7), ("int8", 1 << 40), ("float4", 1.5),
    ("float8", 1e300), ("float8", float("inf")), ("numeric", Decimal("12345.678")),
    ("text", "é"), ("varchar", "x"), ("uuid", uuid.UUID(int=7)), ("bytea", b"\x00\xff"),
    ("jsonb", '{"a": 1}'), ("date", date(2026, 1, 2)), ("time", time(1, 2, 3, 4)),
    ("timestamp", _AT.replace(tzinfo=None)), ("timestamptz", _AT),
    ("interval", timedelta(days=3, seconds=4, microseconds=5)), ("oid", 5),
)  # fmt: skip


def run(address: str, work: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
    pairs = dict(pair.split("=") for pair in address.split())

    async def connected() -> None:
        connection = await asyncpg.connect(
            host=pairs["host"], port=int(pairs["port"]), user=pairs["user"],
            database=pairs["dbname"], command_timeout=120,
        )  # fmt: skip
        try:
            await work(connection)
        finally:
            await connection.close()

    asyncio.run(connected())


def test_values_and_arrays_come_back(address: str) -> None:
    async def work(connection: Any) -> None:
        for kind, value in VALUES:
            assert await connection.fetchval(f"SELECT $1::{kind}", value) == value, kind
            array = await connection.fetchval(f"SELECT $1::{kind}[]", [value, None])
            assert array == [value, None], kind

    run(address, work)


def test_rows_both_ways(address: str) -> None:
    async def work(connection: Any) -> None:
        await connection.execute(
            "CREATE TABLE meters (id int PRIMARY KEY, name text, price numeric(10,2), "
            "at timestamptz, tags text[])"
        )
        rows = [(1, "a", Decimal("1.25"), _AT, ["x", "y z"]), (2, None, None, None, None)]
        assert await connection.copy_records_to_table("meters", records=rows) == "COPY 2"
        insert = "INSERT INTO meters (id, name) VALUES ($1, $2)"
        await connection.executemany(insert, [(10, "q"), (11, "r")])
        found = await connection.fetch(
            "SELECT * FROM meters WHERE id = any($1) ORDER BY id", [1, 2]
        )
        assert [tuple(row) for row in found] == rows
        out = io.BytesIO()
        text = "SELECT id, tags FROM meters ORDER BY id LIMIT 1"
        assert await connection.copy_from_query(text, output=out, format="csv") == "COPY 1"
        assert out.getvalue() == b'1,"{x,""y z""}"\n'
        async with connection.transaction():
            ids = [r["id"] async for r in connection.cursor("SELECT id FROM meters", prefetch=2)]
        assert sorted(ids) == [1, 2, 10, 11]
        with pytest.raises(asyncpg.NotNullViolationError):
            await connection.execute("INSERT INTO meters (name) VALUES ('lost')")

    run(address, work)


def test_a_record_and_a_prepared_statement(address: str) -> None:
    async def work(connection: Any) -> None:
        prepared = await connection.prepare("SELECT $1::int + 1 AS next, 'x' AS word")
        assert [one.name for one in prepared.get_parameters()] == ["int4"]
        assert [one.name for one in prepared.get_attributes()] == ["next", "word"]
        assert tuple(await prepared.fetchrow(41)) == (42, "x")
        with pytest.raises(asyncpg.UndefinedTableError):
            await connection.execute("SELECT * FROM nope")
        await connection.reset()

    run(address, work)
