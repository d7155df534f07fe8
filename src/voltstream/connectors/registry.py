"""Connectors by the name users write in WITH (connector = '…')."""

from __future__ import annotations

from collections.abc import Mapping

from voltstream.connectors.files import FileSource
from voltstream.connectors.generated import GeneratedSource
from voltstream.connectors.kafka import KafkaSource
from voltstream.connectors.kafka_exactly_once import ExactlyOnceKafkaSink
from voltstream.connectors.kafka_sink import KafkaSink
from voltstream.connectors.mqtt import MqttSource
from voltstream.connectors.postgres_cdc import PostgresCdcSource
from voltstream.connectors.postgres_sink import PostgresSink
from voltstream.connectors.properties import required
from voltstream.connectors.rest import RestSource
from voltstream.connectors.sinks import BlackholeSink, FileSink
from voltstream.connectors.webhook_sink import WebhookSink
from voltstream.core.clock import Clock, SystemClock
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import Connector, SinkTarget, SourceFeed
from voltstream.formats.declared import truth


class ConnectorRegistry:
    """Makes connectors.

    ``bootstrap_override`` redirects every Kafka one to other brokers; ``mirror`` says how
    ``kafka-mirror`` sinks reach theirs.
    """

    def __init__(
        self,
        bootstrap_override: str | None = None,
        clock: Clock | None = None,
        mirror: Mapping[str, str] | None = None,
    ) -> None:
        self._bootstrap_override = bootstrap_override
        self._mirror = mirror
        self._clock = clock or SystemClock()

    def source(self, feed: SourceFeed) -> Connector | None:
        """Return the connector of a source; None when it only takes pushed rows.

        Raises: InvalidParameter (22023).
        """
        match feed.properties.get("connector", "none").lower():
            case "none" | "webhook":
                return None
            case "file":
                return FileSource(feed)
            case "kafka":
                return KafkaSource(feed, self._bootstrap_override)
            case "datagen":
                return GeneratedSource(feed)
            case "postgres-cdc":
                return PostgresCdcSource(feed)
            case "mqtt":
                return MqttSource(feed)
            case "rest":
                return RestSource(feed)
            case other:
                known = "file, kafka, mqtt, postgres-cdc, rest, datagen, webhook or none"
                hint = f"Sources read from {known}."
                message = f'source "{feed.source}": no connector is called "{other}"'
                raise InvalidParameter(message, hint=hint)

    def sink(self, name: str, properties: Mapping[str, str]) -> SinkTarget:
        """Return the target of a sink. Raises: InvalidParameter (22023)."""
        match required(properties, "connector", f'sink "{name}"').lower():
            case "file":
                return FileSink(name, properties)
            case "blackhole" | "console":  # A server has none.
                return BlackholeSink()
            case "kafka":
                made = ExactlyOnceKafkaSink if _is_exactly_once(name, properties) else KafkaSink
                return made(name, properties, self._bootstrap_override)
            case "kafka-mirror":
                if self._mirror is None:
                    raise InvalidParameter(f'sink "{name}" needs the setting kafka.mirror')
                return KafkaSink(name, {**properties, **self._mirror}, None)
            case "postgres":
                return PostgresSink(name, properties)
            case "webhook" | "http":
                return WebhookSink(name, properties, self._clock)
            case other:
                hint = "Sinks write to file, kafka, postgres, webhook or blackhole."
                message = f'sink "{name}": no connector is called "{other}"'
                raise InvalidParameter(message, hint=hint)


def _is_exactly_once(name: str, properties: Mapping[str, str]) -> bool:
    return truth(properties, "exactly_once", f'sink "{name}"') or False
