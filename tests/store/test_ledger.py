"""What the ledger is told it tells again, in another process's words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from voltstream.store import ledger
from voltstream.store.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "volt.duckdb", threads=1)
    ledger.prepare(opened.writer)
    yield opened
    opened.close()


def test_the_epoch_survives(database: Database) -> None:
    assert ledger.read_epoch(database.writer).epoch == 0
    row = ledger.EpochRow(7, 1_700_000_000_000_001, 11, 13)
    ledger.write_epoch(database.writer, row)
    ledger.prepare(database.writer)
    assert ledger.read_epoch(database.writer) == row


def test_objects_come_back_in_order_of_creation(database: Database) -> None:
    store = database.writer
    store.execute("SET VARIABLE vs_now = make_timestamptz(0)")
    first = ledger.StoredObject(5, "public", "s", "source", "CREATE …", {"connector": "x"})
    second = ledger.StoredObject(9, "public", "v", "view", "CREATE …", depends_on=(5,))
    ledger.add_object(store, second)
    ledger.add_object(store, first)
    assert ledger.read_objects(store) == [first, second]
    ledger.set_comment(store, 5, None, "remark")
    ledger.remove_object(store, 9)
    (kept,) = ledger.read_objects(store)
    assert kept.comment == "remark"


def test_offsets_replace_each_other(database: Database) -> None:
    ledger.save_offsets(database.writer, 1, {"0": "5", "1": "6"})
    ledger.save_offsets(database.writer, 1, {"0": "7"})
    ledger.save_offsets(database.writer, 2, {"0": "1"})
    assert ledger.read_offsets(database.writer, 1) == {"0": "7", "1": "6"}


def test_acknowledged_parcels_are_forgotten(database: Database) -> None:
    store = database.writer
    store.execute("INSERT INTO _vs.outbox SELECT 1, 1 + i // 3, i % 3, NULL, i::VARCHAR "
                  "FROM range(9) t(i)")  # fmt: skip
    parcels = ledger.read_parcels(store, 1, 5)
    assert [parcel.value for parcel in parcels] == ["0", "1", "2", "3", "4"]
    ledger.acknowledge(store, 1, parcels[-1])
    assert [parcel.value for parcel in ledger.read_parcels(store, 1, 9)] == ["5", "6", "7", "8"]
