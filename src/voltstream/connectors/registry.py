"""Connectors by the name users write in WITH (connector = '…')."""

from __future__ import annotations

from collections.abc import Mapping

from voltstream.connectors.encoded_sink import encoded
from voltstream.connectors.files import FileSource
from voltstream.connectors.generated import GeneratedSource
from voltstream.connectors.iceberg_sink import IcebergSink
from voltstream.connectors.kafka import KafkaSource
from voltstream.connectors.kafka_exactly_once import ExactlyOnceKafkaSink
from voltstream.connectors.kafka_sink import KafkaSink
from voltstream.connectors.mqtt import MqttSource
from voltstream.connectors.object_sink import ObjectSink
from voltstream.connectors.object_source import ObjectSource
from voltstream.connectors.postgres_cdc import PostgresCdcSource
from voltstream.connectors.postgres_origin import described
from voltstream.connectors.postgres_shared import SharedPostgresSource
from voltstream.connectors.postgres_sink import PostgresSink
from voltstream.connectors.properties import required
from voltstream.connectors.rest import RestSource
from voltstream.connectors.schema_registry import schemas_of
from voltstream.connectors.sinks import BlackholeSink, FileSink
from voltstream.connectors.webhook_sink import WebhookSink
from voltstream.core.clock import Clock, SystemClock
from voltstream.core.errors import InvalidParameter
from voltstream.core.origins import OriginTable
from voltstream.core.ports import (
    ANY_SHAPE,
    Connector,
    Schemas,
    SharedSourceFeed,
    SinkShape,
    SinkTarget,
    SourceFeed,
)
from voltstream.formats.declared import truth


class ConnectorRegistry:
    """Makes connectors.

    ``bootstrap_override`` redirects every Kafka one to other brokers; ``mirror`` and
    ``gateways`` say how ``kafka-mirror`` and ``kafka-gateways`` sinks reach theirs.
    """

    def __init__(
        self,
        bootstrap_override: str | None = None,
        clock: Clock | None = None,
        mirror: Mapping[str, str] | None = None,
        gateways: Mapping[str, str] | None = None,
    ) -> None:
        self._bootstrap_override = bootstrap_override
        self._ours = {"kafka-mirror": mirror, "kafka-gateways": gateways}
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
            case "s3" | "gcs" | "azblob" | "posix_fs" | "fs":
                return ObjectSource(feed)
            case "kafka":
                return KafkaSource(feed, self._bootstrap_override)
            case "datagen":
                return GeneratedSource(feed)
            case "postgres-cdc" if isinstance(feed, SharedSourceFeed):
                return SharedPostgresSource(feed)
            case "postgres-cdc":
                return PostgresCdcSource(feed)
            case "mqtt":
                return MqttSource(feed)
            case "rest":
                return RestSource(feed)
            case other:
                known = "kafka, mqtt, postgres-cdc, rest, datagen, webhook or none"
                hint = f"Sources read from file, s3, gcs, azblob, posix_fs, {known}."
                message = f'source "{feed.source}": no connector is called "{other}"'
                raise InvalidParameter(message, hint=hint)

    def schemas(self, properties: Mapping[str, str], owner: str) -> Schemas | None:
        """Return where records' schemas are kept. Raises: InvalidParameter (22023)."""
        return schemas_of(properties, owner)

    def origin_table(self, properties: Mapping[str, str], owner: str, table: str) -> OriginTable:
        """Ask the origin of a shared source for a table. Raises: 22023, 08006, 42P01."""
        return described(properties, owner, table)

    def sink(
        self, name: str, properties: Mapping[str, str], shape: SinkShape = ANY_SHAPE
    ) -> SinkTarget:
        """Return the target of a sink. Raises: InvalidParameter (22023)."""
        match required(properties, "connector", f'sink "{name}"').lower():
            case "file":
                return FileSink(name, properties)
            case "s3" | "gcs" | "azblob" | "posix_fs" | "fs":
                return ObjectSink(name, properties, shape)
            case "blackhole" | "console":  # A server has none.
                return BlackholeSink()
            case "kafka":
                made = ExactlyOnceKafkaSink if _is_exactly_once(name, properties) else KafkaSink
                target = made(name, properties, self._bootstrap_override)
                given = {**properties, "encode": shape.encode, "format": shape.form}
                schemas = schemas_of(given, f'sink "{name}"')
                return encoded(name, properties, shape, schemas, target)
            case "kafka-mirror" | "kafka-gateways" as ours:
                brokers = self._ours[ours]
                if brokers is None:
                    setting = ours.replace("-", ".")
                    raise InvalidParameter(f'sink "{name}" needs the setting {setting}')
                return KafkaSink(name, {**properties, **brokers}, None)
            case "iceberg":
                return IcebergSink(name, properties, shape)
            case "postgres":
                return PostgresSink(name, properties)
            case "webhook" | "http":
                return WebhookSink(name, properties, self._clock)
            case other:
                known = "kafka, postgres, webhook, iceberg or blackhole"
                hint = f"Sinks write to file, s3, gcs, azblob, fs, {known}."
                message = f'sink "{name}": no connector is called "{other}"'
                raise InvalidParameter(message, hint=hint)


def _is_exactly_once(name: str, properties: Mapping[str, str]) -> bool:
    return truth(properties, "exactly_once", f'sink "{name}"') or False
