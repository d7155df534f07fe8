"""Tables that messages change: rows come, are replaced and go, and views follow."""

from __future__ import annotations

import json

import pytest

from tests.driver import Engine, bag
from voltstream.core.errors import FeatureNotSupported, InvalidParameter
from voltstream.core.ports import RawBatch

DEBEZIUM = (
    "CREATE TABLE meters (meter BIGINT PRIMARY KEY, feeder VARCHAR, kwh NUMERIC) "
    "WITH (connector = 'none') FORMAT DEBEZIUM ENCODE JSON"
)
VIEW = (
    "CREATE MATERIALIZED VIEW by_feeder AS "
    "SELECT feeder, count(*) AS n, sum(kwh) AS kwh FROM meters GROUP BY feeder"
)


def event(op: str, before: object = None, after: object = None) -> bytes:
    return json.dumps({"payload": {"op": op, "before": before, "after": after}}).encode()


def row(meter: int, feeder: str, kwh: str = "1.5") -> dict[str, object]:
    return {"meter": meter, "feeder": feeder, "kwh": kwh}


def push(engine: Engine, *records: bytes) -> tuple[int, int]:
    batch = RawBatch("declared", b"\n".join(records))
    receipt = engine.instance.submit("volt", "meters", batch).result(20)
    return receipt.rows, receipt.dead_letters


def consistent(engine: Engine) -> bool:
    again = "SELECT feeder, count(*), sum(kwh) FROM meters GROUP BY feeder"
    return bag(engine.run("SELECT * FROM by_feeder")) == bag(engine.run(again))


def test_change_events_change_the_table_and_its_views(engine: Engine) -> None:
    engine.run(DEBEZIUM)
    engine.run(VIEW)
    assert push(engine, event("r", None, row(1, "a")), event("c", None, row(2, "a"))) == (2, 0)
    assert consistent(engine)
    # All of one batch, in its order: changed, gone, come again, moved to another key.
    events = [
        event("u", row(1, "a"), row(1, "b", "2.25")),
        event("d", row(2, "a")),
        event("c", None, row(2, "c")),
        event("d", row(2, "c")),
        event("u", row(1, "b", "2.25"), row(5, "b", "2.25")),
        event("x"),
    ]
    assert push(engine, *events)[1] == 1
    assert engine.run("SELECT meter, feeder, kwh::VARCHAR FROM meters") == [(5, "b", "2.25")]
    assert consistent(engine)
    assert push(engine, event("d", row(5, "b"))) == (1, 0)
    assert engine.run("SELECT * FROM by_feeder") == []


def test_versions_decide_between_changes_too(engine: Engine) -> None:
    engine.run(
        "CREATE TABLE meters (meter BIGINT PRIMARY KEY, feeder VARCHAR, kwh NUMERIC) "
        "ON CONFLICT DO UPDATE FULL WITH VERSION COLUMN (kwh) "
        "WITH (connector = 'none') FORMAT DEBEZIUM ENCODE JSON"
    )
    push(engine, event("c", None, row(1, "new", "9")), event("u", None, row(1, "old", "3")))
    assert engine.run("SELECT feeder FROM meters") == [("new",)]
    push(engine, event("d", row(1, "new")), event("c", None, row(1, "old", "3")))
    assert engine.run("SELECT feeder FROM meters") == [("old",)]


def test_a_key_is_needed(engine: Engine) -> None:
    columns = "(meter BIGINT) WITH (connector = 'none') FORMAT UPSERT ENCODE JSON"
    with pytest.raises(InvalidParameter, match="PRIMARY KEY"):
        engine.run(f"CREATE TABLE meters {columns}")
    with pytest.raises(FeatureNotSupported, match="not supported for a source"):
        engine.run(f"CREATE SOURCE meters {columns}")
