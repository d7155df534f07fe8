"""Iceberg tables: a catalog in SQLite, files in a directory and in moto's S3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import urllib3
from moto.server import ThreadedMotoServer

from tests.connectors.memory_feed import eventually
from tests.driver import Engine
from voltstream.connectors.iceberg_sink import IcebergSink
from voltstream.core.clock import SystemClock
from voltstream.core.errors import FeatureNotSupported, InvalidParameter
from voltstream.core.ports import SinkRecord, SinkRefused, SinkShape, SinkUnavailable
from voltstream.core.schema import Column

pyiceberg = pytest.importorskip("pyiceberg.catalog", reason="pyiceberg is not installed")
SHAPE = SinkShape((
    Column("n", "SMALLINT"), Column("kwh", "DECIMAL(10,3)"),
    Column("at", "TIMESTAMP WITH TIME ZONE"), Column("phases", "DOUBLE[]"),
    Column("tags", "JSON"),
))  # fmt: skip


def properties(folder: Path, **more: str) -> dict[str, str]:
    return {
        "connector": "iceberg", "catalog.type": "sql", "catalog.uri": f"sqlite:///{folder}/c.db",
        "warehouse.path": f"file://{folder}/lake", "database.name": "grid", "table.name": "reads",
        "create_table_if_not_exists": "true", "sink.identity": "me", **more,
    }  # fmt: skip


def records(first: int, last: int) -> list[SinkRecord]:
    value = '{"n":%d,"kwh":%d.125,"at":"2026-01-01T00:00:00Z","phases":[1.5,null],"tags":{"a":[1]}}'
    return [SinkRecord(n // 4, n % 4, None, (value % (n, n)).encode()) for n in range(first, last)]


def table(given: dict[str, str]) -> Any:
    names = {"catalog.uri": "uri", "warehouse.path": "warehouse", "s3.endpoint": "s3.endpoint",
             "s3.access.key": "s3.access-key-id", "s3.secret.key": "s3.secret-access-key",
             "s3.region": "s3.region"}  # fmt: skip
    options = {known: given[written] for written, known in names.items() if written in given}
    return pyiceberg.load_catalog("voltstream", type="sql", **options).load_table("grid.reads")


def test_rows_are_appended_once_whoever_comes_back(tmp_path: Path) -> None:
    given = properties(tmp_path)
    IcebergSink("k", given, SHAPE).deliver(records(0, 6))
    again = IcebergSink("k", given, SHAPE)
    again.deliver(records(0, 10))  # The same ones, cut otherwise.
    again.deliver(records(10, 12))
    again.deliver(records(10, 12))
    found = table(given)
    rows = found.scan().to_arrow().sort_by("n").to_pylist()
    assert [row["n"] for row in rows] == list(range(12))
    assert rows[11] == {
        "n": 11, "kwh": Decimal("11.125"), "at": datetime(2026, 1, 1, tzinfo=UTC),
        "phases": [1.5, None], "tags": '{"a": [1]}',
    }  # fmt: skip
    summaries = [one.summary.additional_properties for one in found.snapshots()]
    assert [one["voltstream.place"] for one in summaries] == ["1/1", "2/1", "2/3"]
    files = [task.file.file_path.removeprefix("file://") for task in found.scan().plan_files()]
    assert sum(pq.read_metadata(file).num_rows for file in files) == 12


def test_a_commit_that_nobody_answered_for_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = properties(tmp_path)
    sink = IcebergSink("k", given, SHAPE)
    sink.deliver(records(0, 2))
    from pyiceberg.catalog.sql import SqlCatalog

    commit = SqlCatalog.commit_table

    def lost(*arguments: Any) -> Any:
        commit(*arguments)
        raise OSError("the answer was lost")

    monkeypatch.setattr(SqlCatalog, "commit_table", lost)
    with pytest.raises(SinkUnavailable, match="the answer was lost"):
        sink.deliver(records(2, 4))
    monkeypatch.undo()
    sink.deliver(records(2, 5))
    assert sorted(table(given).scan().to_arrow()["n"].to_pylist()) == list(range(5))


def test_what_does_not_fit_is_a_dead_letter(tmp_path: Path) -> None:
    given = properties(tmp_path)
    wrong = SinkRecord(1, 0, None, b'{"n":99999}')
    with pytest.raises(SinkRefused) as refusal:
        IcebergSink("k", given, SHAPE).deliver([*records(0, 2), wrong])
    assert [record for record, _ in refusal.value.refused] == [wrong]
    assert table(given).scan().to_arrow().num_rows == 2
    other = SinkShape((Column("m", "BIGINT"),))
    with pytest.raises(SinkUnavailable, match='the table has no column "m"'):
        IcebergSink("k", given, other).deliver([SinkRecord(2, 0, None, b'{"m":1}')])


def test_a_sink_says_what_it_cannot(tmp_path: Path) -> None:
    given = properties(tmp_path)
    with pytest.raises(FeatureNotSupported, match="cannot write FORMAT UPSERT"):
        IcebergSink("k", given, SinkShape(form="UPSERT"))
    for wrong in ("catalog.uri", "table.name"):
        with pytest.raises(InvalidParameter, match=wrong):
            IcebergSink("k", {k: v for k, v in given.items() if k != wrong}, SHAPE)
    absent = {k: v for k, v in given.items() if k != "create_table_if_not_exists"}
    (tmp_path / "lake").mkdir()
    with pytest.raises(SinkUnavailable, match="NoSuchTableError"):
        IcebergSink("k", absent, SHAPE).deliver(records(0, 1))


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_a_view_goes_into_a_table_of_a_bucket(tmp_path: Path, endpoint: str) -> None:
    urllib3.request("PUT", f"{endpoint}/lake", retries=False)
    given = properties(tmp_path, **{
        "warehouse.path": "s3://lake/warehouse", "s3.endpoint": endpoint, "s3.region": "us-east-1",
        "s3.access.key": "a", "s3.secret.key": "b", "rollover_seconds": "0.2",
    })  # fmt: skip
    written = ", ".join(f"{k} = '{v}'" for k, v in given.items() if k != "sink.identity")
    engine = Engine(tmp_path / "data", SystemClock())
    try:
        engine.run("CREATE TABLE t (n INT, kwh NUMERIC(10,3))")
        engine.run("INSERT INTO t VALUES (1, 1.5)")
        engine.run(f"CREATE SINK k FROM t WITH ({written}) FORMAT PLAIN ENCODE PARQUET")
        engine.run("INSERT INTO t VALUES (2, 2.5), (3, NULL)")
        eventually(lambda: engine.run("SELECT pending FROM rw_sinks") == [(0,)], 60)
    finally:
        engine.close()
    rows = table(given).scan().to_arrow().sort_by("n").to_pylist()
    assert rows == [
        {"n": 1, "kwh": Decimal("1.500")}, {"n": 2, "kwh": Decimal("2.500")},
        {"n": 3, "kwh": None},
    ]  # fmt: skip
