"""A serving node's tables and views over what a cluster publishes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from tests.driver import Engine
from voltstream.core.clock import ManualClock
from voltstream.core.ports import RawBatch
from voltstream.deploy.script import Field, Output
from voltstream.deploy.serving import serving_script

LAST = Output(
    "public.last_heartbeat", "last_heartbeat", "v.last_heartbeat",
    (Field("charge_point_id", "character varying"),
     Field("heartbeat_ts", "timestamp with time zone")),
    ("charge_point_id",),
    shown=(
        ("charge_point_id", "charge_point_id"),
        ("minutes", "EXTRACT(EPOCH FROM (NOW() - heartbeat_ts)) / 60.0"),
    ),
)  # fmt: skip
BAG = Output(
    "grid.Loads", "Loads", "v.loads",
    (Field("_key", "character varying"), Field("kw", "double precision"),
     Field("_copies", "bigint")),
    ("_key",), copies="_copies",
)  # fmt: skip
PLAIN = Output("public.totals", "totals", "v.totals", (Field("n", "integer"),), ("n",))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Engine]:
    clock = ManualClock(1_780_315_200_000_000)
    engine = Engine(tmp_path, clock)
    for text in serving_script((LAST, BAG, PLAIN), {}):
        # Rows are pushed here as the connector brings them from a topic.
        engine.run(text.replace("connector = 'kafka'", "connector = 'none'"))
    yield engine
    engine.close()


def push(engine: Engine, table: str, *records: tuple[object, object]) -> None:
    keys = pa.table({"key": pa.array([json.dumps(key).encode() for key, _ in records])})
    values = [b"" if value is None else json.dumps(value).encode() for _, value in records]
    batch = RawBatch("json", records=values, keys=keys.column(0).to_pylist())
    engine.instance.submit("volt", table, batch).result(20)


def test_rows_come_change_and_go_as_the_cluster_says(node: Engine) -> None:
    push(node, "totals", ({"n": 1}, {"n": 1}), ({"n": 2}, {"n": 2}))
    push(node, "totals", ({"n": 1}, None))
    assert node.run("SELECT * FROM totals") == [(2,)]


def test_what_shows_now_shows_it_at_the_reading(node: Engine) -> None:
    row = {"charge_point_id": "A", "heartbeat_ts": "2026-06-01T11:58:30Z"}
    push(node, "last_heartbeat__rows", ({"charge_point_id": "A"}, row))
    assert node.run("SELECT charge_point_id, minutes::FLOAT FROM last_heartbeat") == [("A", 1.5)]


def test_equal_rows_are_shown_as_often_as_they_occur(node: Engine) -> None:
    row = {"_key": "x", "kw": 1.5, "_copies": 3}
    push(node, "grid.Loads__rows", ({"_key": "x"}, row))
    assert node.run('SELECT * FROM grid."Loads"') == [(1.5,)] * 3
