"""Source: Kafka topics. Offsets live in the epoch; nothing is ever committed to the broker."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from voltstream.connectors.kafka_beside import beside, key_bytes
from voltstream.connectors.properties import choice, includes, required
from voltstream.connectors.window import OUTSTANDING_PARTS_MAX, OutstandingBatches
from voltstream.core.errors import InvalidParameter, VoltstreamError
from voltstream.core.packed import PackedRecords
from voltstream.core.ports import Encoding, RawBatch, SourceFeed, Stopped
from voltstream.formats.declared import METER_ENCODES, Encode, declared

CONSUME_MESSAGES = 20_000  # About 5 MiB of meter rows; librdkafka prefetches behind them.
CONSUME_SLICE = 500  # A call: its messages are gone before memory beside the caches is touched,
# or objects are collected. A call for 20,000 takes five times as long for each (measured).
CONSUME_WAIT_S = 0.1
FETCH_BACKOFF_MS = 20
CONNECT_WAIT_S = 3.0
CONNECT_SLICES_S = (0.2, 0.4, 0.8, 1.6)
RETRY_S_MIN, RETRY_S_MAX = 0.5, 10.0
LAG_S = 2.0  # How often the ends of the partitions are told.
PARTITIONS_REFRESH_S = 30.0  # How soon a partition that was added to a topic is noticed.
INCLUDED = ("key", "partition", "offset", "timestamp", "header", "payload")
_ENCODINGS: Mapping[Encode, Encoding] = {
    "json": "json",
    "csv": "csv",
    "bytes": "bytes",
    "avro": "framed",
    "protobuf": "framed",
    **dict.fromkeys(METER_ENCODES, "metering"),
}
_OURS = frozenset({"group.id", "enable.auto.commit", "enable.auto.offset.store"})
_LOG = logging.getLogger(__name__)


def client_settings(
    properties: Mapping[str, str], bootstrap_override: str | None, owner: str
) -> dict[str, str | int | bool]:
    """Return librdkafka's settings: every ``properties.x`` a user wrote, as ``x``."""
    prefix = "properties."
    settings: dict[str, str | int | bool] = {}
    for name, value in properties.items():
        option = name.removeprefix(prefix).lower()
        if name.startswith(prefix) and option not in _OURS:
            settings[option] = value
    written = settings.pop("bootstrap.server", None)
    servers = settings.get("bootstrap.servers") or written or bootstrap_override
    if not servers:
        raise InvalidParameter(f'{owner} needs the property "properties.bootstrap.server"')
    # The override redirects published pipelines, which name brokers of their authors.
    settings["bootstrap.servers"] = bootstrap_override or servers
    return settings


@dataclass(slots=True)
class _Part:
    """What was read of one partition."""

    number: int
    first: int | None = None  # The offset of the first message, and that behind the last.
    following: int = 0
    values: list[bytes] = field(default_factory=list)
    keys: list[bytes | None] = field(default_factory=list)
    beside: list[pa.Table] = field(default_factory=list)


class KafkaSource:
    """Reads every partition of one topic from where the last durable epoch left it."""

    def __init__(self, feed: SourceFeed, bootstrap_override: str | None) -> None:
        owner = f'source "{feed.source}"'
        self._feed = feed
        self._owner = owner
        self._topic = required(feed.properties, "topic", owner)
        layout = declared(feed.properties, owner)
        if layout.encode not in _ENCODINGS:
            hint = "Messages hold JSON, CSV, AVRO, PROTOBUF or BYTES."
            raise InvalidParameter(f"{owner} cannot read ENCODE PARQUET in messages", hint=hint)
        if layout.header:
            hint = "Each message is rows: write without_header = true, or leave it out."
            raise InvalidParameter(f"{owner} reads messages, which have no header", hint=hint)
        self._encoding = _ENCODINGS[layout.encode]
        self._changes = layout.form != "plain"  # A message without a value says something then.
        self._includes = includes(feed.properties, INCLUDED, owner)
        modes = ("earliest", "latest", "timestamp")
        self._startup = choice(feed.properties, "scan.startup.mode", modes, owner)
        self._since_ms = _since_ms(feed.properties, owner) if self._startup == "timestamp" else 0
        self._settings = {
            # Its second of waiting behind each full queue would be most of a catching up.
            "fetch.queue.backoff.ms": FETCH_BACKOFF_MS,
            **client_settings(feed.properties, bootstrap_override, owner),
            "group.id": f"voltstream-{feed.source}",  # The client demands one; it is never used.
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": False,
            "error_cb": self._on_error,
            "reconnect.backoff.ms": 500,
            "reconnect.backoff.max.ms": 10_000,
            "log_level": 2,  # Lost brokers are told by _on_error; the client repeats itself.
            "logger": _LOG,
        }
        self._connected = False
        self._state: tuple[str, str] = ("", "")
        self._stop = threading.Event()
        self._outstanding = OutstandingBatches(feed, self._stop, OUTSTANDING_PARTS_MAX)
        try:
            self._new_consumer().close()  # Refuses unknown settings now; it does not connect.
        except KafkaException as error:
            raise InvalidParameter(f"{owner}: {error.args[0].str()}") from error
        self._thread = threading.Thread(
            target=self._run, name=f"kafka-source-{feed.source}", daemon=True
        )

    def start(self) -> None:
        self._report("connecting", str(self._settings["bootstrap.servers"]))
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _new_consumer(self) -> Consumer:
        return Consumer(self._settings)

    def _run(self) -> None:
        retry_s = RETRY_S_MIN
        while not self._stop.is_set():
            consumer = self._new_consumer()
            try:
                self._outstanding.forget()
                self._assign(consumer)
                retry_s = RETRY_S_MIN
                self._report("running", self._topic)
                self._consume(consumer)
            except Stopped:
                return
            except KafkaException as error:
                self._report("disconnected", error.args[0].str())
            except VoltstreamError as error:
                _LOG.warning("%s: %s", self._owner, error)
                self._report("failed", f"{error}; trying again")
            finally:
                consumer.close()
            self._stop.wait(retry_s)
            retry_s = min(retry_s * 2, RETRY_S_MAX)

    def _assign(self, consumer: Consumer) -> None:
        stored = self._feed.offsets()
        marks = {at: self._marks_of(consumer, at) for at in self._partitions(consumer)}
        starts = {
            partition: int(stored[key])
            if (key := f"{self._topic}/{partition}") in stored
            else OFFSET_BEGINNING  # One that was added later has only news.
            for partition in marks
        }
        if not stored:
            starts = self._declared_starts(consumer, marks)
            # "latest" is a place, not a habit: it is durable, of every partition at once, before
            # the first row comes; else a restart would pass over what came meanwhile.
            places = {f"{self._topic}/{partition}": str(at) for partition, at in starts.items()}
            self._outstanding.submit(RawBatch("json", offsets=places))
            self._outstanding.settle()
        # Before the first row comes too: the watermark waits for partitions in which rows wait.
        self._feed.measure({f"{self._topic}/{at}": end for at, (_, end) in marks.items()})
        consumer.assign([TopicPartition(self._topic, at, to) for at, to in starts.items()])

    def _partitions(self, consumer: Consumer) -> list[int]:
        # Growing slices of one wait, so that stop() is not kept waiting by an absent broker.
        for slice_s in CONNECT_SLICES_S:
            if self._stop.is_set():
                raise Stopped
            try:
                topic = consumer.list_topics(self._topic, timeout=slice_s).topics[self._topic]
            except KafkaException:
                if slice_s == CONNECT_SLICES_S[-1]:
                    raise
                continue
            if topic.error is not None:
                raise KafkaException(topic.error)
            return sorted(topic.partitions)
        return []

    def _declared_starts(
        self, consumer: Consumer, marks: Mapping[int, tuple[int, int]]
    ) -> dict[int, int]:
        if self._startup != "timestamp":
            last = self._startup == "latest"
            return {partition: found[last] for partition, found in marks.items()}
        asked = [TopicPartition(self._topic, at, self._since_ms) for at in marks]
        found = consumer.offsets_for_times(asked, timeout=CONNECT_WAIT_S)
        # Where every message is older the answer is no offset but the end.
        return {
            place.partition: place.offset if place.offset >= 0 else marks[place.partition][1]
            for place in found
        }

    def _marks_of(self, consumer: Consumer, partition: int) -> tuple[int, int]:
        """Return the offsets of the first message of a partition and behind its last."""
        place = TopicPartition(self._topic, partition)
        marks = consumer.get_watermark_offsets(place, timeout=CONNECT_WAIT_S)
        if marks is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return int(marks[0]), int(marks[1])

    def _consume(self, consumer: Consumer) -> None:
        self._connected = True
        self._report("running", self._topic)
        known = len(consumer.assignment())
        checked_s = measured_s = time.monotonic()
        while not self._stop.is_set():
            found = self._gathered(consumer)
            for part in found:
                self._outstanding.submit(self._batch(part))
            if found:
                self._connected = True
                self._report("running", self._topic)
            due_s = PARTITIONS_REFRESH_S if self._connected else RETRY_S_MAX
            if time.monotonic() - measured_s > LAG_S:
                self._measure(consumer)
                measured_s = time.monotonic()
            if time.monotonic() - checked_s > due_s or not (found or self._connected):
                if len(self._partitions(consumer)) != known:
                    self._outstanding.settle()
                    return  # Assign again, the new partition included.
                self._connected = True
                self._report("running", self._topic)
                checked_s = time.monotonic()

    def _measure(self, consumer: Consumer) -> None:
        ends = {}
        for place in consumer.assignment():
            marks = consumer.get_watermark_offsets(place, cached=True)  # As the last fetch told.
            if marks[1] >= 0:
                ends[f"{place.topic}/{place.partition}"] = int(marks[1])
        self._feed.measure(ends)

    def _gathered(self, consumer: Consumer) -> list[_Part]:
        """Return what comes within the wait, by partition, of a bounded number of messages."""
        parts: dict[int, _Part] = {}
        left = self._feed.most(CONSUME_MESSAGES)
        until_s = time.monotonic() + CONSUME_WAIT_S
        while left > 0 and (wait_s := until_s - time.monotonic()) > 0:
            messages = consumer.consume(min(left, CONSUME_SLICE), wait_s)
            if not messages:
                break
            left -= len(messages)
            error = next(filter(None, map(Message.error, messages)), None)
            if error is not None:
                raise KafkaException(error)
            for partition, run in itertools.groupby(messages, Message.partition):
                place = partition or 0
                if place not in parts:
                    parts[place] = _Part(place)
                self._take(parts[place], list(run))
        return [part for _, part in sorted(parts.items())]

    def _take(self, part: _Part, run: list[Message]) -> None:
        """Keep of messages what a batch needs, for the messages themselves cost the most."""
        if part.first is None:
            part.first = run[0].offset()
        part.following = (run[-1].offset() or 0) + 1
        if self._changes:
            part.values += [message.value() or b"" for message in run]
            part.keys += [key_bytes(message) for message in run]
        else:
            found = [message.value() for message in run]
            values = [value for value in found if value is not None]
            if len(values) < len(run):
                run = [message for message in run if message.value() is not None]
            part.values += values
        if self._includes:
            part.beside.append(pa.table({kind: beside(kind, run) for kind in self._includes}))

    def _batch(self, part: _Part) -> RawBatch:
        name = f"{self._topic}/{part.number}"
        return RawBatch(
            self._encoding,
            records=part.values if self._changes else PackedRecords(part.values),
            offsets={name: str(part.following)},
            position=f"{name}@{part.first}",
            header=False,
            beside=pa.concat_tables(part.beside) if part.beside else None,
            keys=part.keys,
            partition=name,
        )

    def _on_error(self, error: KafkaError) -> None:
        # Called inside consume(). One broker of several may go without our reading less.
        if error.code() == KafkaError._ALL_BROKERS_DOWN or error.fatal():
            self._connected = False
            self._report("disconnected", error.str())

    def _report(self, state: str, detail: str) -> None:
        if self._state != (state, detail):
            self._state = (state, detail)
            self._feed.report(state, detail)


def _since_ms(properties: Mapping[str, str], owner: str) -> int:
    written = required(properties, "scan.startup.timestamp.millis", owner)
    if not written.isdecimal():
        hint = "Write milliseconds since 1970."
        message = f'{owner} cannot take "{written}" as "scan.startup.timestamp.millis"'
        raise InvalidParameter(message, hint=hint)
    return int(written)
