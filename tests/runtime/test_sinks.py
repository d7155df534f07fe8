"""The outbox: what a sink is given, once per change, and what waits while it cannot deliver."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.driver import begun
from voltstream.core.clock import SystemClock
from voltstream.core.errors import AdminShutdown, InvalidParameter, LimitExceeded
from voltstream.core.origins import OriginTable
from voltstream.core.ports import (
    ANY_SHAPE,
    Connector,
    RawBatch,
    Receipt,
    Session,
    SinkRecord,
    SinkShape,
    SinkUnavailable,
    SourceFeed,
)
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions

ROWS_MAX = 20


class Collector:
    """A target that keeps what it is given, while it is open."""

    def __init__(self) -> None:
        self.records: list[SinkRecord] = []
        self.open = True

    def deliver(self, records: Sequence[SinkRecord]) -> None:
        if not self.open:
            raise SinkUnavailable("closed for the test")
        self.records.extend(records)

    def interrupt(self) -> None:
        """It never waits."""

    def close(self) -> None:
        """Nothing is held."""


class Collecting:
    """Connectors whose every sink is one collector."""

    def __init__(self) -> None:
        self.target = Collector()

    def source(self, feed: SourceFeed) -> Connector | None:
        return None

    def schemas(self, properties: Mapping[str, str], owner: str) -> None:
        del properties, owner

    def origin_table(self, properties: Mapping[str, str], owner: str, table: str) -> OriginTable:
        raise NotImplementedError(owner, properties, table)

    def sink(
        self, name: str, properties: Mapping[str, str], shape: SinkShape = ANY_SHAPE
    ) -> Collector:
        return self.target


class Place:
    """An instance and what its sinks got."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.connectors = Collecting()
        self.start()

    def start(self) -> None:
        options = EngineOptions(outbox_rows_max=ROWS_MAX, writer_wait_s=0.3)
        self.instance = Instance(begun(self.folder), options, SystemClock(), self.connectors)
        self.instance.start()
        self.session: Session = self.instance.open(database="volt", user="volt", options={})

    def run(self, sql: str) -> list[tuple[object, ...]]:
        rows: list[tuple[object, ...]] = []
        for statement in self.session.parse(sql):
            outcome = self.session.execute(statement)
            if outcome.rows is None:
                continue
            for batch in outcome.rows.batches():
                rows.extend(zip(*(c.to_pylist() for c in batch.columns), strict=True))
            outcome.rows.close()
        return rows

    def push(self, source: str, count: int) -> Future[Receipt]:
        lines = b"".join(b'{"n":%d}\n' % n for n in range(count))
        return self.instance.submit("volt", source, RawBatch("ndjson", lines))

    def expect(self, count: int) -> list[SinkRecord]:
        records = self.connectors.target.records
        wait_until(lambda: len(records) >= count)
        assert len(records) == count
        return records


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "data")
    made.run("CREATE TABLE t (k INTEGER PRIMARY KEY, v INTEGER); INSERT INTO t VALUES (1, 1)")
    yield made
    made.instance.stop()


def values(records: Sequence[SinkRecord]) -> list[object]:
    return [None if record.value is None else json.loads(record.value) for record in records]


def test_plain_sends_new_versions_and_what_was_there(place: Place) -> None:
    place.run("CREATE SINK k FROM t WITH (connector = 'x') FORMAT PLAIN ENCODE JSON")
    assert values(place.expect(1)) == [{"k": 1, "v": 1}]
    place.run("UPDATE t SET v = 2; DELETE FROM t; INSERT INTO t VALUES (2, 2), (3, 3)")
    records = place.expect(4)
    assert sorted(map(str, values(records[2:]))) == ["{'k': 2, 'v': 2}", "{'k': 3, 'v': 3}"]
    assert values(records[1:2]) == [{"k": 1, "v": 2}]
    identities = [(record.epoch, record.ordinal) for record in records]
    assert identities == sorted(set(identities))


def test_upsert_carries_deletes(place: Place) -> None:
    place.run("CREATE SINK k FROM t WITH (connector = 'x', primary_key = 'k') "
              "FORMAT UPSERT ENCODE JSON")  # fmt: skip
    place.expect(1)
    place.run("UPDATE t SET v = 2; DELETE FROM t")
    records = place.expect(3)
    assert [record.key for record in records] == [b'{"k":1}'] * 3
    assert values(records) == [{"k": 1, "v": 1}, {"k": 1, "v": 2}, None]


def test_debezium_carries_both_versions(place: Place) -> None:
    place.run("CREATE SINK k FROM t WITH (connector = 'x', primary_key = 'k', snapshot = 'false') "
              "FORMAT DEBEZIUM ENCODE JSON")  # fmt: skip
    place.run("UPDATE t SET v = 2; DELETE FROM t")
    assert values(place.expect(2)) == [
        {"before": {"k": 1, "v": 1}, "after": {"k": 1, "v": 2}, "op": "u"},
        {"before": {"k": 1, "v": 2}, "after": None, "op": "d"},
    ]


def test_a_key_is_needed(place: Place) -> None:
    with pytest.raises(InvalidParameter):
        place.run("CREATE SINK k FROM t WITH (connector = 'x') FORMAT UPSERT ENCODE JSON")


def test_what_cannot_be_delivered_waits_also_over_a_restart(place: Place) -> None:
    place.connectors.target.open = False
    place.run("CREATE SINK k FROM t WITH (connector = 'x'); INSERT INTO t VALUES (2, 2)")
    place.instance.stop()
    place.start()
    place.run("INSERT INTO t VALUES (3, 3)")
    assert place.connectors.target.records == []
    place.connectors.target.open = True
    assert sorted(map(str, values(place.expect(3)))) == [
        "{'k': 1, 'v': 1}",
        "{'k': 2, 'v': 2}",
        "{'k': 3, 'v': 3}",
    ]


def test_a_rolled_back_change_is_not_sent(place: Place) -> None:
    place.run("CREATE SINK k FROM t WITH (connector = 'x', snapshot = 'false')")
    place.run("BEGIN; INSERT INTO t VALUES (8, 8); ROLLBACK; INSERT INTO t VALUES (9, 9)")
    assert values(place.expect(1)) == [{"k": 9, "v": 9}]


FILL = f"INSERT INTO t SELECT k, k FROM generate_series(100, {100 + ROWS_MAX}) AS s(k)"


def test_a_full_outbox_holds_back_what_feeds_it_alone(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    target = place.connectors.target
    target.open = False
    place.run("CREATE TABLE other (a INTEGER); CREATE SOURCE s (n INTEGER); CREATE VIEW w AS "
              "SELECT n FROM s; CREATE MATERIALIZED VIEW v AS SELECT n FROM w; "
              "CREATE SINK k FROM t WITH (connector = 'x', snapshot = 'false'); "
              "CREATE SINK l FROM v WITH (connector = 'x')")  # fmt: skip
    place.run(FILL)
    with pytest.raises(LimitExceeded):
        place.run("DELETE FROM t WHERE k = 1")
    with pytest.raises(LimitExceeded):
        place.run("MERGE INTO t USING (VALUES (7)) AS n (k) ON t.k = n.k "
                  "WHEN NOT MATCHED THEN INSERT (k, v) VALUES (n.k, n.k)")  # fmt: skip
    with pytest.raises(LimitExceeded):
        place.run("BEGIN; INSERT INTO t VALUES (7, 7)")
    place.run("ROLLBACK; INSERT INTO other VALUES (1)")
    place.push("s", ROWS_MAX).result(10)
    waiting = ThreadPoolExecutor().submit(lambda: place.push("s", 1).result(10).rows)
    time.sleep(0.2)
    assert not waiting.done()
    assert "undelivered rows: what feeds it waits" in caplog.text
    target.open = True
    assert waiting.result(20) == 1
    place.run("DELETE FROM t WHERE k = 1")
    place.expect(2 * ROWS_MAX + 2)
    assert place.run("SELECT name, pending, dropped FROM rw_sinks ORDER BY name") == [
        ("k", 0, 0),
        ("l", 0, 0),
    ]


def test_a_full_outbox_is_full_after_a_restart_and_does_not_hold_the_end_up(place: Place) -> None:
    place.connectors.target.open = False
    place.run("CREATE SOURCE s (n INTEGER); CREATE SINK k FROM s WITH (connector = 'x')")
    place.push("s", ROWS_MAX).result(10)
    place.instance.stop()
    place.start()
    waiting = ThreadPoolExecutor().submit(lambda: place.push("s", 1).result(10))
    time.sleep(0.2)
    assert not waiting.done()
    place.instance.stop()
    assert isinstance(waiting.exception(5), AdminShutdown)
    place.start()
    place.run("DROP SINK k")
    assert place.push("s", 1).result(10).rows == 1


def test_a_sink_may_drop_its_oldest_rows_and_says_how_many(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    target = place.connectors.target
    target.open = False
    place.run("CREATE SOURCE s (n INTEGER); CREATE SINK k FROM s WITH (connector = 'x', "
              "outbox_policy = 'drop_oldest')")  # fmt: skip
    for _ in range(3):
        place.push("s", ROWS_MAX).result(10)
    counts = "SELECT pending, dropped FROM rw_sinks"
    wait_until(lambda: place.run(counts) == [(ROWS_MAX, 2 * ROWS_MAX)])
    assert place.run(counts) == [(ROWS_MAX, 2 * ROWS_MAX)]
    assert "oldest rows were dropped" in caplog.text
    target.open = True
    assert [v["n"] for v in values(place.expect(ROWS_MAX)) if isinstance(v, dict)] == list(
        range(ROWS_MAX)
    )


def test_a_policy_that_is_not_known_is_refused(place: Place) -> None:
    with pytest.raises(InvalidParameter):
        place.run("CREATE SINK k FROM t WITH (connector = 'x', outbox_policy = 'perhaps')")
