"""Kafka in and out, against librdkafka's own mock cluster on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import pytest
from confluent_kafka import Producer

from tests.connectors.memory_feed import MemoryFeed, eventually
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import Connector, SinkRecord, SinkTarget, SinkUnavailable

PUBLISHED = {
    "connector": "kafka",
    "topic": "t",
    "properties.bootstrap.server": "kafka:9092",
    "encode": "JSON",
}
NOBODY = "127.0.0.1:9"


@pytest.fixture(scope="module")
def brokers() -> Iterator[str]:
    cluster = Producer(
        {"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1, "log_level": 2}
    )
    [broker] = cluster.list_topics(timeout=10).brokers.values()
    yield f"{broker.host}:{broker.port}"
    del cluster


def source(feed: MemoryFeed, brokers: str) -> Connector:
    connector = ConnectorRegistry(brokers).source(feed)
    assert connector is not None
    connector.start()
    return connector


def sink(brokers: str, topic: str) -> SinkTarget:
    return ConnectorRegistry(brokers).sink("k", PUBLISHED | {"topic": topic})


def feed_of(topic: str, more: Mapping[str, str] | None = None) -> MemoryFeed:
    return MemoryFeed(PUBLISHED | {"topic": topic} | dict(more or {}), {})


def test_every_record_arrives_and_a_restart_repeats_none(brokers: str) -> None:
    target = sink(brokers, "whole")
    values = [b'{"a":%d}' % number for number in range(1000)]
    target.deliver([SinkRecord(1, n, b"k%d" % n, value) for n, value in enumerate(values)])
    feed = feed_of("whole")
    connector = source(feed, brokers)
    eventually(lambda: len(feed.records()) >= len(values))
    connector.stop()
    assert sorted(feed.records()) == sorted(values)
    again = MemoryFeed(feed.properties, feed.offsets())
    connector = source(again, brokers)
    eventually(lambda: "running" in again.states)
    target.deliver([SinkRecord(2, 0, None, b'{"a":-1}')])
    eventually(lambda: bool(again.records()))
    connector.stop()
    target.close()
    assert again.records() == [b'{"a":-1}']


def test_latest_begins_at_the_end_and_keeps_the_place(brokers: str) -> None:
    target = sink(brokers, "late")
    target.deliver([SinkRecord(1, 0, b"k", b"old")])
    feed = feed_of("late", {"scan.startup.mode": "latest"})
    connector = source(feed, brokers)
    eventually(lambda: "running" in feed.states)
    connector.stop()
    assert feed.records() == []
    target.deliver([SinkRecord(1, 1, b"k", b"new")])
    again = MemoryFeed(feed.properties, feed.offsets())
    connector = source(again, brokers)
    eventually(lambda: bool(again.records()))
    connector.stop()
    target.close()
    assert again.records() == [b"new"]


def test_without_a_broker_a_source_is_disconnected_and_stops_at_once() -> None:
    feed = feed_of("t")
    connector = source(feed, NOBODY)
    eventually(lambda: "disconnected" in feed.states)
    began_s = time.monotonic()
    connector.stop()
    assert time.monotonic() - began_s < 3


def test_without_a_broker_a_sink_is_unavailable_soon() -> None:
    began_s = time.monotonic()
    with pytest.raises(SinkUnavailable):
        sink(NOBODY, "t").deliver([SinkRecord(1, 0, None, b"{}")])
    assert time.monotonic() - began_s < 8


def test_what_comes_with_a_message_stands_beside_it(brokers: str) -> None:
    target = sink(brokers, "beside")
    target.deliver([SinkRecord(7, 0, b"k", b'{"a":1}'), SinkRecord(7, 1, None, b'{"a":2}')])
    kinds = ["key", "partition", "offset", "timestamp", "header", "header:epoch", "payload"]
    feed = feed_of("beside", {"include": "\n".join(kinds)})
    connector = source(feed, brokers)
    eventually(lambda: len(feed.records()) >= 2)
    connector.stop()
    target.close()
    rows = [row for batch in feed.batches if batch.beside for row in batch.beside.to_pylist()]
    [first, second] = sorted(rows, key=lambda row: str(row["payload"]))
    assert (first["key"], second["key"]) == (b"k", None)
    assert (first["header:epoch"], first["payload"]) == (b"7", b'{"a":1}')
    assert first["header"] == [{"key": "epoch", "value": b"7"}, {"key": "ordinal", "value": b"0"}]
    assert int(first["offset"]) >= 0 <= int(first["partition"])
    assert abs(first["timestamp"].timestamp() - time.time()) < 60


def test_where_messages_change_rows_their_keys_and_tombstones_are_handed_on(brokers: str) -> None:
    target = sink(brokers, "changing")
    target.deliver([SinkRecord(1, 0, b"k", b'{"a":1}'), SinkRecord(1, 1, b"k", None)])
    plain, upsert = feed_of("changing"), feed_of("changing", {"format": "UPSERT"})
    for feed in (plain, upsert):
        connector = source(feed, brokers)
        eventually(lambda feed=feed: bool(feed.records()))  # type: ignore[misc]
        connector.stop()
    target.close()
    assert plain.records() == [b'{"a":1}']
    assert upsert.records() == [b'{"a":1}', b""]
    assert [list(batch.keys) for batch in upsert.batches] == [[b"k", b"k"]]


@pytest.mark.parametrize(
    ("properties", "encoding"),
    [({"encode": "CSV", "delimiter": "|"}, "csv"), ({"encode": "BYTES"}, "bytes")],
)
def test_messages_are_handed_on_as_declared(
    brokers: str, properties: dict[str, str], encoding: str
) -> None:
    topic = f"as_{encoding}"
    target = sink(brokers, topic)
    target.deliver([SinkRecord(1, 0, b"k", b"1|2\n3|4")])
    feed = feed_of(topic, properties)
    connector = source(feed, brokers)
    eventually(lambda: bool(feed.records()))
    connector.stop()
    target.close()
    assert [(batch.encoding, batch.header) for batch in feed.batches] == [(encoding, False)]
    assert feed.records() == [b"1|2\n3|4"]


@pytest.mark.parametrize(
    "wrong",
    [{"encode": "PARQUET"}, {"encode": "CSV", "without_header": "false"}, {"include": "file"}],
)
def test_what_messages_cannot_be_is_refused_at_once(brokers: str, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter):
        ConnectorRegistry(brokers).source(feed_of("t", wrong))


def test_an_interrupted_sink_lets_go_soon() -> None:
    target = sink(NOBODY, "t")
    began_s = time.monotonic()
    target.interrupt()
    with pytest.raises(SinkUnavailable):
        target.deliver([SinkRecord(1, 0, None, b"{}")])
    assert time.monotonic() - began_s < 1
