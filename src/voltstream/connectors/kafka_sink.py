"""Sink target: a Kafka topic, through an idempotent producer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from voltstream.connectors.kafka import client_settings
from voltstream.connectors.properties import required
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import SinkRecord, SinkUnavailable

CONNECT_SLICES_S = (0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5)  # Of one wait, to look at a stop.
FLUSH_SLICE_S = 0.2
STOP_WAIT_S = 0.5  # What is cut off by a stop stays in the outbox and is sent again.
DELIVERY_WAIT_S = 10.0  # One batch of OUTBOX_DELIVER_ROWS. Passed: it stays in the outbox.
_LOG = logging.getLogger(__name__)
_OnDelivery = Callable[[KafkaError | None, Message], None]


def producer_settings(
    properties: Mapping[str, str], bootstrap_override: str | None, owner: str
) -> dict[str, Any]:
    """Return an idempotent producer's settings. Raises: InvalidParameter (22023)."""
    settings: dict[str, Any] = client_settings(properties, bootstrap_override, owner) | {
        "enable.idempotence": True,
        "acks": "all",
        "linger.ms": 5,
        "message.timeout.ms": int(DELIVERY_WAIT_S * 1000),
        "partitioner": "murmur2_random",  # The Java client's, so keys meet in one partition.
        "log_level": 2,
        "logger": _LOG,
        # Without a callback the client prints to stderr; what fails is told by deliver().
        "error_cb": lambda error: _LOG.debug("%s: %s", owner, error),
    }
    try:
        Producer(settings)
    except KafkaException as error:
        raise InvalidParameter(f"{owner}: {error.args[0].str()}") from error
    return settings


def identity(record: SinkRecord) -> list[tuple[str, str | bytes | None]]:
    """Return the headers by which a reader knows a repeated message."""
    return [("epoch", str(record.epoch)), ("ordinal", str(record.ordinal))]


class KafkaSink:
    """Sends records in order and answers when every in-sync replica has them.

    At least once: each message carries the headers ``epoch`` and ``ordinal``, by which a reader
    knows a repeated one.
    """

    def __init__(
        self, name: str, properties: Mapping[str, str], bootstrap_override: str | None
    ) -> None:
        owner = f'sink "{name}"'
        self._topic = required(properties, "topic", owner)
        self._settings = producer_settings(properties, bootstrap_override, owner)
        self._producer: Producer | None = None
        self._stopping = threading.Event()

    def deliver(self, records: Sequence[SinkRecord]) -> None:
        failures: list[KafkaError] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            del message
            if error is not None:
                failures.append(error)

        try:
            producer = self._connect()
            for record in records:
                self._produce(producer, record, delivered)
            left = self._flush(producer)
        except KafkaException as error:
            self.close()
            raise SinkUnavailable(error.args[0].str()) from error
        except SinkUnavailable:
            self.close()
            raise
        if failures or left:
            self.close()
            reason = failures[0].str() if failures else f"{left} records were not answered for"
            raise SinkUnavailable(reason)

    def interrupt(self) -> None:
        self._stopping.set()

    def close(self) -> None:
        if self._producer is not None:
            self._producer.purge()
            self._producer = None

    def _connect(self) -> Producer:
        if self._producer is None:
            producer = Producer(self._settings)
            for place, slice_s in enumerate(CONNECT_SLICES_S, 1):
                try:
                    producer.list_topics(self._topic, timeout=slice_s)
                    break
                except KafkaException:
                    if place == len(CONNECT_SLICES_S) or self._stopping.is_set():
                        raise
            self._producer = producer
        return self._producer

    def _flush(self, producer: Producer) -> int:
        """Wait for answers; on a stop, no longer than they normally take. Returns what is left."""
        wait_s = DELIVERY_WAIT_S
        began_s = time.monotonic()
        while (left := producer.flush(FLUSH_SLICE_S)) and time.monotonic() - began_s < wait_s:
            if self._stopping.is_set() and wait_s == DELIVERY_WAIT_S:
                wait_s = time.monotonic() - began_s + STOP_WAIT_S
        return left

    def _produce(self, producer: Producer, record: SinkRecord, delivered: _OnDelivery) -> None:
        headers = identity(record)
        while True:
            try:
                producer.produce(
                    self._topic,
                    value=record.value,
                    key=record.key,
                    headers=headers,
                    on_delivery=delivered,
                )
            except BufferError:
                if self._stopping.is_set():
                    raise SinkUnavailable("the sink is stopping") from None
                producer.poll(0.1)  # The client's queue is full; its answers make room.
                continue
            producer.poll(0)
            return
