"""Source: MQTT topics. A message is acknowledged when its epoch is durable.

At least once: the broker keeps what was not acknowledged, for a session of the source's own, and
sends it again; what was durable and not yet acknowledged when the server was killed comes twice.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from voltstream.connectors.properties import choice, includes, required
from voltstream.core.errors import InvalidParameter, VoltstreamError
from voltstream.core.limits import MQTT_UNACKNOWLEDGED_MAX
from voltstream.core.ports import Encoding, RawBatch, Receipt, SourceFeed, Stopped
from voltstream.formats.declared import METER_ENCODES, Encode, declared

BATCH_S = 0.1  # Messages of so long are one batch.
BATCH_MESSAGES = 5_000
SESSION_S = 7 * 86_400  # How long the broker keeps messages for a server that is away.
RETRY_S_MAX = 10
_ENCODINGS: Mapping[Encode, Encoding] = {
    "json": "json",
    "csv": "csv",
    "bytes": "bytes",
    "avro": "framed",
    "protobuf": "framed",
    **dict.fromkeys(METER_ENCODES, "metering"),
}
_QOS = {"at_most_once": 0, "at_least_once": 1, "exactly_once": 2, "0": 0, "1": 1, "2": 2}
_SCHEMES = {"mqtt": 1883, "tcp": 1883, "mqtts": 8883, "ssl": 8883}
_PROPERTIES: Any = Properties  # The library leaves it without types.
_LOG = logging.getLogger(__name__)


class MqttSource:
    """Subscribes to a topic or pattern.

    Shape: properties ``url``, ``topic``, ``qos``, ``username``, ``password``, ``client_id`` and
    ``tls.ca``; ``INCLUDE partition`` is the message's topic.
    """

    def __init__(self, feed: SourceFeed) -> None:
        owner = f'source "{feed.source}"'
        given = feed.properties
        self._feed = feed
        self._owner = owner
        self._topic = required(given, "topic", owner)
        written = required(given, "url", owner)
        address = urlsplit(written if "://" in written else f"tcp://{written}")
        if address.scheme not in _SCHEMES or not address.hostname:
            hint = f"It begins with one of: {', '.join(_SCHEMES)}."
            raise InvalidParameter(f'{owner} cannot take "{written}" as "url"', hint=hint)
        self._host = address.hostname
        self._port = address.port or _SCHEMES[address.scheme]
        self._qos = _QOS[choice(given, "qos", ("at_least_once", *_QOS), owner)]
        layout = declared(given, owner)
        if layout.encode not in _ENCODINGS:
            raise InvalidParameter(f"{owner} cannot read ENCODE {layout.encode.upper()}")
        self._encoding = _ENCODINGS[layout.encode]
        self._includes = includes(given, ("partition", "payload"), owner)
        self._client = self._made(given, tls=address.scheme in ("mqtts", "ssl"))
        self._arrived: queue.Queue[MQTTMessage] = queue.Queue(MQTT_UNACKNOWLEDGED_MAX)
        self._sent: deque[tuple[Future[Receipt], list[MQTTMessage]]] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{feed.source}", daemon=True)

    def start(self) -> None:
        self._feed.report("connecting", f"{self._host}:{self._port}")
        asked = _PROPERTIES(PacketTypes.CONNECT)
        asked.SessionExpiryInterval = SESSION_S
        asked.ReceiveMaximum = MQTT_UNACKNOWLEDGED_MAX
        self._client.connect_async(self._host, self._port, clean_start=False, properties=asked)
        self._client.loop_start()
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _made(self, given: Mapping[str, str], *, tls: bool) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=given.get("client_id", f"voltstream-{self._feed.source}"),
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        client.reconnect_delay_set(1, RETRY_S_MAX)
        if "username" in given:
            client.username_pw_set(given["username"], given.get("password"))
        if tls:
            try:
                client.tls_set(ca_certs=given.get("tls.ca"))
            except OSError as error:
                raise InvalidParameter(f'{self._owner}: cannot use "tls.ca": {error}') from error
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        client.on_message = self._on_message
        return client

    # --- called by the client's thread ------------------------------------------------------------

    def _on_connect(
        self, client: Client, data: Any, flags: Any, code: ReasonCode, properties: Any
    ) -> None:
        del data, flags, properties
        if code.is_failure:
            self._feed.report("disconnected", str(code))
            return
        client.subscribe(self._topic, qos=self._qos)
        self._feed.report("running", self._topic)

    def _on_connect_fail(self, client: Client, data: Any) -> None:
        del client, data
        self._feed.report("disconnected", f"{self._host}:{self._port} does not answer")

    def _on_message(self, client: Client, data: Any, message: MQTTMessage) -> None:
        del client, data
        while not self._stop.is_set():
            try:
                self._arrived.put(message, timeout=BATCH_S)
            except queue.Full:  # Of messages that need no acknowledgement: the socket waits.
                continue
            return

    def _on_disconnect(
        self, client: Client, data: Any, flags: Any, code: ReasonCode, properties: Any
    ) -> None:
        del client, data, flags, properties
        if not self._stop.is_set():
            self._feed.report("disconnected", str(code))

    # --- from messages to epochs ------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                messages = self._collected()
                if messages:
                    self._sent.append((self._feed.submit(self._batch(messages)), messages))
                self._acknowledge()
            except Stopped:
                return
            except VoltstreamError as error:
                _LOG.warning("%s: %s", self._owner, error)
                self._feed.report("failed", f"{error.message}; trying again")
                self._again()

    def _collected(self) -> list[MQTTMessage]:
        """Return what came within a moment. The broker sends no more than it may."""
        messages: list[MQTTMessage] = []
        end_s = time.monotonic() + BATCH_S
        while len(messages) < BATCH_MESSAGES:
            try:
                messages.append(self._arrived.get(timeout=max(end_s - time.monotonic(), 0.001)))
            except queue.Empty:
                break
        return messages

    def _batch(self, messages: list[MQTTMessage]) -> RawBatch:
        beside = None
        if self._includes:
            columns: dict[str, Any] = {
                "partition": pa.array([message.topic for message in messages], pa.string()),
                "payload": pa.array([message.payload for message in messages], pa.binary()),
            }
            beside = pa.table({kind: columns[kind] for kind in self._includes})
        return RawBatch(
            self._encoding,
            records=[bytes(message.payload) for message in messages],
            position=messages[0].topic,
            header=False,
            beside=beside,
        )

    def _acknowledge(self) -> None:
        """Acknowledge what is durable, in its order. Raises what became of a batch."""
        while self._sent and self._sent[0][0].done():
            future, messages = self._sent[0]
            future.result()
            self._sent.popleft()
            for message in messages:
                if self._client.ack(message.mid, message.qos) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    return  # Not connected: the broker sends them again.

    def _again(self) -> None:
        """Let the broker send again what was not acknowledged."""
        self._sent.clear()
        if not self._stop.wait(1.0):
            self._client.reconnect()
