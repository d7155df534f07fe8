"""Sink target: a Kafka topic, each record in it once, by transactions.

A transaction holds a batch and, as offset metadata of a consumer group of the sink's own, the
place of its last record. Who comes back from a crash asks the group what the topic has already.
The broker forgets a group that was silent for ``offsets.retention.minutes`` (7 days by default),
so a crash between a commit and its acknowledgement must not last longer than that.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from voltstream.connectors.kafka import client_settings
from voltstream.connectors.kafka_sink import DELIVERY_WAIT_S, identity, producer_settings
from voltstream.connectors.properties import required
from voltstream.core.ports import SinkRecord, SinkUnavailable

CONNECT_WAIT_S = 5.0
_LOG = logging.getLogger(__name__)
_Place = tuple[int, int]  # (epoch, ordinal)


class ExactlyOnceKafkaSink:
    """Sends records in order, in transactions; readers with ``read_committed`` see each once."""

    def __init__(
        self, name: str, properties: Mapping[str, str], bootstrap_override: str | None
    ) -> None:
        owner = f'sink "{name}"'
        self._topic = required(properties, "topic", owner)
        named = f"voltstream-{properties.get('sink.identity', name)}"
        group = client_settings(properties, bootstrap_override, owner)
        self._producing = producer_settings(properties, bootstrap_override, owner)
        self._producing.setdefault("transactional.id", named)
        self._group = {
            **{k: v for k, v in group.items() if k != "transactional.id"},
            "group.id": named,
            "enable.auto.commit": False,
            "log_level": 2,
            "logger": _LOG,
            "error_cb": lambda error: _LOG.debug("%s: %s", owner, error),
        }
        self._producer: Producer | None = None
        self._consumer: Consumer | None = None
        self._delivered: _Place | None = None
        self._stopping = threading.Event()

    def deliver(self, records: Sequence[SinkRecord]) -> None:
        try:
            producer, consumer = self._connect()
            news = [record for record in records if not self._has(record)]
            if news:
                self._send(producer, consumer, news)
        except KafkaException as error:
            # Committed or not: whoever connects next finishes it or undoes it, and asks which.
            self.close()
            raise SinkUnavailable(error.args[0].str()) from error
        except SinkUnavailable:
            self.close()
            raise

    def interrupt(self) -> None:
        self._stopping.set()

    def close(self) -> None:
        producer, self._producer = self._producer, None
        consumer, self._consumer = self._consumer, None
        if producer is not None:
            producer.purge()
        if consumer is not None:
            consumer.close()

    def _has(self, record: SinkRecord) -> bool:
        return self._delivered is not None and (record.epoch, record.ordinal) <= self._delivered

    def _connect(self) -> tuple[Producer, Consumer]:
        if self._producer is None or self._consumer is None:
            if self._stopping.is_set():
                raise SinkUnavailable("the sink is stopping")
            consumer = Consumer(self._group)
            producer = Producer(self._producing)
            # Ends what a former process left open, and shuts out one that still runs.
            producer.init_transactions(CONNECT_WAIT_S)
            self._delivered = _place(
                consumer.committed([TopicPartition(self._topic, 0)], timeout=CONNECT_WAIT_S)
            )
            self._producer, self._consumer = producer, consumer
        return self._producer, self._consumer

    def _send(self, producer: Producer, consumer: Consumer, records: Sequence[SinkRecord]) -> None:
        last = records[-1]
        producer.begin_transaction()
        for record in records:
            self._produce(producer, record)
        place = TopicPartition(
            self._topic, 0, offset=last.epoch, metadata=f"{last.epoch}/{last.ordinal}"
        )
        group = consumer.consumer_group_metadata()
        producer.send_offsets_to_transaction([place], group, DELIVERY_WAIT_S)
        producer.commit_transaction(DELIVERY_WAIT_S)
        self._delivered = (last.epoch, last.ordinal)

    def _produce(self, producer: Producer, record: SinkRecord) -> None:
        while True:
            try:
                producer.produce(
                    self._topic, value=record.value, key=record.key, headers=identity(record)
                )
            except BufferError:
                if self._stopping.is_set():
                    raise SinkUnavailable("the sink is stopping") from None
                producer.poll(0.1)  # The client's queue is full; its answers make room.
                continue
            producer.poll(0)
            return


def _place(committed: Sequence[TopicPartition]) -> _Place | None:
    """Return the place of the last record that the topic holds."""
    for one in committed:
        if one.error is not None:
            raise KafkaException(one.error)
        if one.metadata:
            epoch, _, ordinal = one.metadata.partition("/")
            return int(epoch), int(ordinal)
    return None
