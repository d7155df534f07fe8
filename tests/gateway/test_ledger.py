"""Charge detail records: one for each session, corrected by new ones, sealed in a chain."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.driver import begun
from tests.gateway.site import Client, Site, site
from voltstream.cli.ledger import verify
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.errors import (
    InsufficientPrivilege,
    InvalidParameter,
    UndefinedTable,
    VoltstreamError,
)
from voltstream.core.ports import RawBatch
from voltstream.ocpp import chain
from voltstream.ocpp.asking import Asker
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions

SETTLE = {"settle_s": 0.0, "settle_gaps_s": 3600.0}


def stamp(minute: int) -> str:
    return f"2026-06-01T12:{minute:02}:00Z"


async def event(
    client: Client, kind: str, minute: int, number: int, wh: float, tx: str = "tx"
) -> None:
    context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind)
    value: dict[str, Any] = {"value": wh} | ({"context": context} if context else {})
    answer = await client.call(
        "TransactionEvent", eventType=kind, timestamp=stamp(minute), seqNo=number,
        triggerReason="Authorized", evse={"id": 1, "connectorId": 1},
        transactionInfo={"transactionId": tx, "chargingState": "Charging"},
        idToken={"idToken": "TAG", "type": "ISO14443"},
        meterValue=[{"timestamp": stamp(minute), "sampledValue": [value]}],
    )  # fmt: skip
    assert answer == {"idTokenInfo": {"status": "Accepted"}}


async def records(where: Site, charger: str) -> list[dict[str, Any]]:
    await where.gateway.ledger.issue()
    columns = ", ".join(chain.COLUMNS)
    rows = await where.rows(
        f"SELECT {columns} FROM charge_detail_records WHERE charge_point_id = '{charger}' "
        "ORDER BY chain_no"
    )
    return [dict(zip(chain.COLUMNS, row, strict=True)) for row in rows]


async def whole_chain(where: Site) -> list[dict[str, Any]]:
    rows = await where.rows(
        f"SELECT {', '.join(chain.COLUMNS)} FROM charge_detail_records ORDER BY chain_no"
    )
    return [dict(zip(chain.COLUMNS, row, strict=True)) for row in rows]


def test_a_session_gets_one_record_and_late_rows_supersede_it(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance, **SETTLE) as where:
            await where.rows(
                "INSERT INTO charge_points (charge_point_id, site, registered_at, tariff_id, "
                "currency) VALUES ('L-1', 'depot', NOW(), 'T-1', 'CHF')"
            )
            async with where.client("L-1", "ocpp2.0.1") as one:
                await event(one, "Started", 0, 0, 1000.0)
                await event(one, "Updated", 10, 1, 1900.5)
                assert await records(where, "L-1") == []
                await event(one, "Ended", 20, 2, 2100.25)
                [first] = await records(where, "L-1")
                assert first["energy_wh"] == Decimal("1100.250")
                assert first["energy_basis"] == "BOUNDARY"
                assert first["outcome"] == "MATCHED"
                assert first["completeness"] == "COMPLETE"
                assert first["duration_s"] == Decimal("1200.000")
                assert first["charging_s"] == Decimal("1200.000")
                assert (first["id_tag"], first["id_token_type"]) == ("TAG", "ISO14443")
                assert (first["version"], first["supersedes"]) == (1, None)
                assert len(first["frame_hashes"].split(",")) == 2
                # The same again changes nothing.
                await event(one, "Ended", 20, 2, 2100.25)
                assert len(await records(where, "L-1")) == 1
                # A sample that was missing does: the steps are the same, their count is not. A
                # tariff that was changed meanwhile is for other sessions.
                await where.rows("UPDATE charge_points SET tariff_id = 'T-2'")
                await event(one, "Updated", 15, 3, 2000.0)
                before, after = await records(where, "L-1")
                assert before["cdr_id"] == first["cdr_id"]
                assert (after["version"], after["supersedes"]) == (2, before["cdr_id"])
                assert after["energy_wh"] == first["energy_wh"]
                assert after["sample_count"] == 4
                assert [
                    (one["site"], one["tariff_id"], one["currency"]) for one in (before, after)
                ] == [("depot", "T-1", "CHF")] * 2
            assert list(chain.breaks(await whole_chain(where))) == []

    asyncio.run(work())


def test_records_are_issued_after_a_restart_and_continue_the_chain(instance: Instance) -> None:
    async def work() -> None:
        async with site(instance, settle_s=3600.0) as where:
            async with where.client("L-2", "ocpp2.1") as one:
                await event(one, "Started", 0, 0, 10.0)
                await event(one, "Ended", 5, 1, 20.0)
            assert await records(where, "L-2") == []
        async with site(instance, **SETTLE) as where:
            await where.gateway.resume()
            await asyncio.sleep(0)
            [record] = await records(where, "L-2")
            assert record["energy_wh"] == Decimal("10.000")
            assert list(chain.breaks(await whole_chain(where))) == []
        async with site(instance, **SETTLE) as where:
            await where.gateway.resume()
            assert len(await records(where, "L-2")) == 1

    asyncio.run(work())


def test_gaps_wait_and_are_told(instance: Instance) -> None:
    async def work() -> None:
        async with (
            site(instance, **SETTLE) as where,
            where.client("L-3", "ocpp2.0.1") as one,
        ):
            await event(one, "Started", 0, 0, 10.0)
            await event(one, "Ended", 5, 3, 20.0)
            assert await records(where, "L-3") == []
            where.gateway.ledger.hasten()
            [record] = await records(where, "L-3")
            assert record["completeness"] == "GAPS"

    asyncio.run(work())


def test_any_changed_byte_is_found(instance: Instance) -> None:
    async def work() -> None:
        async with (
            site(instance, **SETTLE) as where,
            where.client("L-4", "ocpp2.0.1") as one,
        ):
            for number in range(3):
                await event(one, "Started", 0, 0, 10.0, tx=f"t{number}")
                await event(one, "Ended", 5, 1, 20.0 + number, tx=f"t{number}")
            await records(where, "L-4")
            rows = await whole_chain(where)
            assert list(chain.breaks(rows)) == []
            for place in range(len(rows)):
                for name in chain.COLUMNS:
                    changed = [dict(row) for row in rows]
                    changed[place][name] = altered(changed[place][name])
                    assert list(chain.breaks(changed)), name
            assert list(chain.breaks(rows[:1] + rows[2:]))
            assert list(chain.breaks(rows[1:]))
            assert list(chain.breaks([rows[1], rows[0], *rows[2:]]))

    asyncio.run(work())


def altered(value: Any) -> Any:
    match value:
        case None:
            return "x"
        case str():
            return value + " "
        case Decimal():
            return value + Decimal("0.001")
        case int():
            return value + 1
        case _:
            return value.replace(microsecond=(value.microsecond + 1) % 1_000_000)


BY_HAND = (
    "INSERT INTO charge_detail_records (chain_no, hash) VALUES (1, 'forged')",
    "INSERT INTO charge_detail_records SELECT * FROM charge_detail_records",
    "DELETE FROM charge_detail_records",
    "UPDATE charge_detail_records SET energy_wh = 0",
    "TRUNCATE charge_detail_records",
    "COPY charge_detail_records FROM STDIN",
    "DROP SOURCE charge_detail_records CASCADE",
    "DROP SCHEMA public CASCADE",
    "ALTER SOURCE charge_detail_records RENAME TO aside",
    "ALTER SOURCE charge_detail_records SET SCHEMA other",
    "ALTER SOURCE charge_detail_records ADD COLUMN note VARCHAR",
    "ALTER SOURCE charge_detail_records SET (retention = '1 second')",
    "ALTER SOURCE charge_detail_records SET (sealed = 'false')",
    "ALTER SCHEMA public RENAME TO aside",
)


# What else one could think of: it is refused as something that does not exist, or as the others.
ROUNDABOUT = (
    "INSERT INTO charge_detail_records (chain_no) VALUES (1) ON CONFLICT DO NOTHING",
    "MERGE INTO charge_detail_records AS r USING (SELECT 1 AS one) AS o ON r.chain_no = o.one "
    "WHEN MATCHED THEN DELETE",
    "WITH gone AS (DELETE FROM charge_detail_records RETURNING *) SELECT * FROM gone",
    "CREATE SINK forged INTO charge_detail_records FROM current_charge_detail_records",
    "CREATE OR REPLACE VIEW charge_detail_records AS SELECT 1 AS chain_no",
    "CREATE TABLE charge_detail_records (chain_no BIGINT)",
    "DROP TABLE charge_detail_records",
    "DROP SOURCE IF EXISTS charge_detail_records",
    "ALTER SOURCE charge_detail_records DROP COLUMN hash",
    "ALTER SOURCE charge_detail_records RENAME COLUMN hash TO old_hash",
    "ALTER SOURCE charge_detail_records ALTER COLUMN energy_wh TYPE VARCHAR",
    "ALTER TABLE charge_detail_records RENAME TO aside",
    "TRUNCATE TABLE charge_detail_records CASCADE",
    "DROP OWNED BY volt",
)


async def refused(somebody: Asker, statement: str) -> bool:
    try:
        await somebody.rows(statement)
    except InsufficientPrivilege:
        return True
    return False


async def failed(somebody: Asker, statement: str) -> bool:
    try:
        await somebody.rows(statement)
    except VoltstreamError:
        return True
    return False


@pytest.mark.parametrize("user", ["volt", "ledger_writer", "ledger_boss"])
def test_no_role_writes_a_record_by_hand(instance: Instance, user: str) -> None:
    """Who made it all is refused, another superuser, and a role that owns it."""

    async def work() -> None:
        async with (
            site(instance, **SETTLE) as where,
            where.client("L-5", "ocpp2.0.1") as one,
        ):
            await event(one, "Started", 0, 0, 10.0, tx=user)
            await event(one, "Ended", 5, 1, 20.0, tx=user)
            before = await records(where, "L-5")
            await where.rows(
                "CREATE SCHEMA IF NOT EXISTS other; CREATE USER IF NOT EXISTS ledger_writer; "
                "GRANT ALL ON charge_detail_records TO ledger_writer; "
                "CREATE USER IF NOT EXISTS ledger_boss SUPERUSER; "
                "ALTER SOURCE charge_detail_records OWNER TO ledger_writer"
            )
            [[oid]] = await where.rows(
                "SELECT oid FROM pg_class WHERE relname = 'charge_detail_records'"
            )
            somebody = Asker(instance, "volt", user)
            for statement in BY_HAND:
                assert await refused(somebody, statement), statement
            for statement in ROUNDABOUT:
                assert await failed(somebody, statement), statement
            with pytest.raises((UndefinedTable, InsufficientPrivilege)):  # The rows themselves.
                await somebody.rows(f"DELETE FROM _vs.src_{oid}")
            somebody.close()
            with pytest.raises(InsufficientPrivilege):
                instance.submit(
                    "volt", "charge_detail_records", RawBatch("ndjson", b'{"chain_no": 9}')
                )
            assert before and await records(where, "L-5") == before
            assert list(chain.breaks(await whole_chain(where))) == []

    asyncio.run(work())


def test_verify_finds_what_was_changed_on_the_disk(tmp_path: Path) -> None:
    """Who has the file can change it; the chain tells, whichever column it was."""
    options = EngineOptions(epoch_interval_ms=10)

    def opened() -> Instance:
        found = Instance(begun(tmp_path), options, SystemClock(), ConnectorRegistry(None))
        found.start()
        return found

    async def charged(instance: Instance) -> int:
        async with site(instance, **SETTLE) as where, where.client("L-6", "ocpp2.0.1") as one:
            for number in range(2):
                await event(one, "Started", 0, 0, 10.0, tx=f"t{number}")
                await event(one, "Ended", 5, 1, 20.0, tx=f"t{number}")
            assert len(await records(where, "L-6")) == 2
            [[oid]] = await where.rows(
                "SELECT oid FROM pg_class WHERE relname = 'charge_detail_records'"
            )
            return int(oid)

    async def stored(instance: Instance) -> list[dict[str, Any]]:
        async with site(instance, settle_s=3600.0) as where:
            return await whole_chain(where)

    first = opened()
    oid = asyncio.run(charged(first))
    first.stop()
    path = tmp_path / "volt" / "volt.duckdb"
    every_column_on_the_disk(path, oid)
    bytes_of_the_file(path, oid, tmp_path / "copy.duckdb")
    with duckdb.connect(str(path)) as file:
        file.execute(f"UPDATE _vs.src_{oid} SET energy_wh = energy_wh + 0.001 WHERE chain_no = 1")
    second = opened()
    found = asyncio.run(stored(second))
    second.stop()
    with pytest.raises(InvalidParameter, match="the chain is broken in 1 places"):
        verify(iter(found), None)


def rows_of(file: duckdb.DuckDBPyConnection, oid: int) -> list[dict[str, Any]]:
    columns = ", ".join(chain.COLUMNS)
    found = file.sql(f"SELECT {columns} FROM _vs.src_{oid} ORDER BY chain_no")
    rows: list[dict[str, Any]] = found.to_arrow_table().to_pylist()
    return rows


def every_column_on_the_disk(path: Path, oid: int) -> None:
    """Change each column of a stored record, by as little as its type allows, or make it NULL."""
    with duckdb.connect(str(path)) as file:
        file.execute("SET TimeZone = 'UTC'")
        assert list(chain.breaks(rows_of(file, oid))) == []
        for name in chain.COLUMNS:
            value = rows_of(file, oid)[1][name]
            for other in [altered(value) if value is not None else 1, None]:
                if other == value:
                    continue
                file.execute("BEGIN")
                file.execute(f"UPDATE _vs.src_{oid} SET {name} = ? WHERE chain_no = 2", [other])
                if name == "chain_no" and other is None:
                    file.execute(f"DELETE FROM _vs.src_{oid} WHERE chain_no IS NULL")
                changed = rows_of(file, oid)
                found = list(chain.breaks(changed)) or len(changed) < 2
                file.execute("ROLLBACK")
                assert found, (name, other)


def bytes_of_the_file(path: Path, oid: int, copy: Path) -> None:
    """Flip bytes anywhere: the records are read as they were, or not at all, or verify tells."""
    whole = path.read_bytes()
    with duckdb.connect(str(path), read_only=True) as file:
        file.execute("SET TimeZone = 'UTC'")
        before = rows_of(file, oid)
    chance = random.Random(11)
    outcomes = Counter[str]()
    for _ in range(60):
        changed = bytearray(whole)
        changed[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        copy.write_bytes(changed)
        try:
            with duckdb.connect(str(copy), read_only=True) as file:
                file.execute("SET TimeZone = 'UTC'")
                after = rows_of(file, oid)
        except duckdb.Error:
            outcomes["unreadable"] += 1
            continue
        assert after == before or list(chain.breaks(after))
        outcomes["untouched" if after == before else "told"] += 1
    assert outcomes["unreadable"]
