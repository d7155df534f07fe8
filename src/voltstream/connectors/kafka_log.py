"""Topics as logs that several processes share: appended to durably, read from a known place."""

from __future__ import annotations

import json
import logging
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from voltstream.connectors.kafka import client_settings
from voltstream.connectors.kafka_sink import producer_settings
from voltstream.core.errors import TargetUnavailable

ANSWER_S = 10.0  # How long a broker may take to tell of its topics.
POLL_S = 0.05
# What is said of a partition that was made just now.
_LEADERLESS = frozenset({
    KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record: where it stands, and what it says. ``value`` None: its key is taken away."""

    partition: int
    offset: int
    key: bytes
    value: dict[str, Any] | None


class TopicLog:
    """The way to the brokers, for records of JSON.

    Law: records of one key are in one partition, whoever appends them.
    """

    def __init__(self, brokers: str, properties: Mapping[str, str], owner: str) -> None:
        options = {f"properties.{name}": value for name, value in properties.items()}
        options["properties.bootstrap.server"] = brokers
        self._owner = owner
        self._client = client_settings(options, None, owner)
        self._producer = Producer(producer_settings(options, None, owner))
        self._log = logging.getLogger(__name__)
        self._counts: dict[str, int] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="kafka-log", daemon=True)
        self._thread.start()

    def make(self, topics: Mapping[str, Mapping[str, str]], partitions: int) -> None:
        """Create the topics that do not exist, with their settings. Raises: TargetUnavailable.

        ``partitions`` of -1: as many as the brokers give a topic.
        """
        admin = AdminClient({**self._client, "log_level": 2}, logger=self._log)
        try:
            known = admin.list_topics(timeout=ANSWER_S).topics
            wanted = [
                NewTopic(name, partitions, config=dict(config))
                for name, config in topics.items()
                if name not in known
            ]
            for made in admin.create_topics(wanted).values() if wanted else ():
                _unless_there(made)
        except KafkaException as error:
            raise self._unavailable(error) from error

    def names(self) -> frozenset[str]:
        """Return the topics that there are. Raises: TargetUnavailable."""
        try:
            return frozenset(self._producer.list_topics(timeout=ANSWER_S).topics)
        except KafkaException as error:
            raise self._unavailable(error) from error

    def partitions(self, topic: str) -> int:
        """Return how many a topic has. Raises: TargetUnavailable."""
        if topic not in self._counts:
            try:
                told = self._producer.list_topics(topic, timeout=ANSWER_S).topics[topic]
            except KafkaException as error:
                raise self._unavailable(error) from error
            if not told.partitions:
                raise TargetUnavailable(f'{self._owner}: there is no topic "{topic}"')
            self._counts[topic] = len(told.partitions)
        return self._counts[topic]

    def append(self, topic: str, key: str, value: Mapping[str, Any]) -> Future[None]:
        """Append a record; the future is done when every in-sync replica has it.

        The future raises: TargetUnavailable (08006), also when too many records wait.
        """
        done, delivered = _delivery(self._owner)
        raw = key.encode("utf-8", "surrogatepass")
        partition = zlib.crc32(raw) % self.partitions(topic)
        text = json.dumps(value, separators=(",", ":"))
        try:
            self._producer.produce(topic, text, key=raw, partition=partition, on_delivery=delivered)
        except (BufferError, KafkaException) as error:
            done.set_exception(TargetUnavailable(f"{self._owner}: {error}"))
        return done

    def take_away(self, topic: str, partition: int, key: bytes) -> Future[None]:
        """Append that a key is gone, where its record is; like ``append``."""
        done, delivered = _delivery(self._owner)
        try:
            self._producer.produce(topic, None, key=key, partition=partition, on_delivery=delivered)
        except (BufferError, KafkaException) as error:
            done.set_exception(TargetUnavailable(f"{self._owner}: {error}"))
        return done

    def reader(self, topic: str, starts: Mapping[int, int] | None = None) -> LogReader:
        """Read a topic from these offsets, by partition; None: all of it from its end.

        Raises: TargetUnavailable (08006).
        """
        return LogReader({**self._client, "log_level": 2}, self._log, self._owner, topic,
                         self.partitions(topic), starts)  # fmt: skip

    def close(self) -> None:
        self._producer.flush(ANSWER_S)
        self._ending.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._ending.is_set():
            self._producer.poll(POLL_S)

    def _unavailable(self, error: KafkaException) -> TargetUnavailable:
        return TargetUnavailable(f"{self._owner}: {error.args[0].str()}")


class LogReader:
    """Reads partitions of a topic in order. Of one thread at a time."""

    def __init__(
        self,
        client: Mapping[str, Any],
        log: logging.Logger,
        owner: str,
        topic: str,
        partitions: int,
        starts: Mapping[int, int] | None,
    ) -> None:
        self._owner = owner
        settings = {
            **client,
            "group.id": "voltstream-log",  # The client demands one; it is never used.
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 50,
            "error_cb": lambda error: log.debug("%s: %s", owner, error),
        }
        self._consumer = Consumer(settings, logger=log)
        self._next: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        try:
            for number in range(partitions):
                low, high = self._marks(TopicPartition(topic, number))
                self._ends[number] = high
                if starts is None:
                    self._next[number] = high
                elif number in starts:
                    self._next[number] = max(low, starts[number])
        except KafkaException as error:
            self._consumer.close()
            raise TargetUnavailable(f"{owner}: {error.args[0].str()}") from error
        self._consumer.assign([
            TopicPartition(topic, number, offset or OFFSET_BEGINNING)
            for number, offset in self._next.items()
        ])  # fmt: skip

    def _marks(self, place: TopicPartition) -> tuple[int, int]:
        """Return a partition's first and next offset; one just made may have no leader yet."""
        end_s = time.monotonic() + ANSWER_S
        while True:
            try:
                low, high = self._consumer.get_watermark_offsets(place, timeout=ANSWER_S)
                return int(low), int(high)
            except KafkaException as error:
                if error.args[0].code() not in _LEADERLESS or time.monotonic() > end_s:
                    raise
            time.sleep(POLL_S)

    @property
    def has_begun(self) -> bool:
        """Tell whether all was read that was there when the reader was made."""
        return all(self._next[number] >= self._ends[number] for number in self._next)

    def take(self, count: int, wait_s: float) -> Sequence[LogRecord]:
        """Return what has come, in order by partition; a broker that is away comes back."""
        found = []
        for message in self._consumer.consume(count, wait_s):
            if message.error() is not None:
                continue
            raw, key = message.value(), message.key() or b""
            partition, offset = message.partition() or 0, message.offset() or 0
            self._next[partition] = offset + 1
            found.append(LogRecord(partition, offset, key, _document(raw)))
        return found

    def positions(self) -> dict[int, int]:
        """Return by partition the offset of the record that comes next."""
        return dict(self._next)

    def close(self) -> None:
        self._consumer.close()


def _delivery(owner: str) -> tuple[Future[None], Callable[[KafkaError | None, Message], None]]:
    """Return what will be done, and what the client calls when it is."""
    done: Future[None] = Future()

    def delivered(error: KafkaError | None, message: Message) -> None:
        del message
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(TargetUnavailable(f"{owner}: {error.str()}"))

    return done, delivered


def _document(raw: bytes | None) -> dict[str, Any] | None:
    """Return what a record says; what is no object of JSON was not written by us: nothing."""
    try:
        found = json.loads(raw) if raw else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _unless_there(made: Future[None]) -> None:
    """Wait for a topic; that somebody else made it meanwhile is fine."""
    try:
        made.result(ANSWER_S)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
