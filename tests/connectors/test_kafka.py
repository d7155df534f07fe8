"""Kafka in and out, against librdkafka's own mock cluster on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import pytest
from confluent_kafka import Producer

from tests.connectors.memory_feed import MemoryFeed, eventually
from voltstream.connectors.registry import ConnectorRegistry
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
