"""Charge detail records: one for each session, corrected by new ones, sealed in a chain."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.gateway.site import Client, Site, site
from voltstream.cli.ledger import verify
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.errors import InsufficientPrivilege, InvalidParameter, UndefinedTable
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
                # A sample that was missing does: the steps are the same, their count is not.
                await event(one, "Updated", 15, 3, 2000.0)
                before, after = await records(where, "L-1")
                assert before["cdr_id"] == first["cdr_id"]
                assert (after["version"], after["supersedes"]) == (2, before["cdr_id"])
                assert after["energy_wh"] == first["energy_wh"]
                assert after["sample_count"] == 4
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


async def refused(somebody: Asker, statement: str) -> bool:
    try:
        await somebody.rows(statement)
    except InsufficientPrivilege:
        return True
    return False


@pytest.mark.parametrize("user", ["volt", "ledger_writer"])
def test_no_role_writes_a_record_by_hand(instance: Instance, user: str) -> None:
    """The owner of everything is refused as a role is that was granted everything."""

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
                "GRANT ALL ON charge_detail_records TO ledger_writer"
            )
            [[oid]] = await where.rows(
                "SELECT oid FROM pg_class WHERE relname = 'charge_detail_records'"
            )
            somebody = Asker(instance, "volt", user)
            for statement in BY_HAND:
                assert await refused(somebody, statement), statement
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
        found = Instance(tmp_path, options, SystemClock(), ConnectorRegistry(None))
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
    with duckdb.connect(str(tmp_path / "volt" / "volt.duckdb")) as file:
        file.execute(f"UPDATE _vs.src_{oid} SET energy_wh = energy_wh + 0.001 WHERE chain_no = 1")
    second = opened()
    found = asyncio.run(stored(second))
    second.stop()
    with pytest.raises(InvalidParameter, match="the chain is broken in 1 places"):
        verify(iter(found), None)
