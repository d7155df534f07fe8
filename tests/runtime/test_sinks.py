"""The outbox: what a sink is given, once per change, and what waits while it cannot deliver."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from voltstream.core.clock import SystemClock
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import Connector, Session, SinkRecord, SinkUnavailable, SourceFeed
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions


class Collector:
    """A target that keeps what it is given, while it is open."""

    def __init__(self) -> None:
        self.records: list[SinkRecord] = []
        self.open = True

    def deliver(self, records: Sequence[SinkRecord]) -> None:
        if not self.open:
            raise SinkUnavailable("closed for the test")
        self.records.extend(records)

    def close(self) -> None:
        """Nothing is held."""


class Collecting:
    """Connectors whose every sink is one collector."""

    def __init__(self) -> None:
        self.target = Collector()

    def source(self, feed: SourceFeed) -> Connector | None:
        return None

    def sink(self, name: str, properties: Mapping[str, str]) -> Collector:
        return self.target


class Place:
    """An instance and what its sinks got."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.connectors = Collecting()
        self.start()

    def start(self) -> None:
        options = EngineOptions()
        self.instance = Instance(self.folder, options, SystemClock(), self.connectors)
        self.instance.start()
        self.session: Session = self.instance.open(database="volt", user="volt", options={})

    def run(self, sql: str) -> None:
        for statement in self.session.parse(sql):
            self.session.execute(statement)

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
