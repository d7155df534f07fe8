"""A sink whose records name their schema, which a registry keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from voltstream.connectors.framed_sink import FramedSink
from voltstream.connectors.protobuf_sink import ProtobufSink
from voltstream.core.errors import (
    FeatureNotSupported,
    InvalidParameter,
    RegistryUnavailable,
    VoltstreamError,
)
from voltstream.core.ports import (
    SchemaKind,
    Schemas,
    SinkRecord,
    SinkShape,
    SinkTarget,
    SinkUnavailable,
)
from voltstream.formats.avro_writing import AvroWriter, json_schema

_PLAIN_KEYS = ("json", "text", "bytes")


class EncodedSink(FramedSink):
    """Writes records with a schema and hands them on; what its schema cannot hold is refused.

    The schema is registered, or looked for, before the first record.
    """

    def __init__(
        self,
        name: str,
        properties: Mapping[str, str],
        shape: SinkShape,
        schemas: Schemas,
        target: SinkTarget,
    ) -> None:
        super().__init__(target)
        self._name = name
        self._schemas = schemas
        self._heads: dict[str, bytes] = {}
        self._writers: dict[str, AvroWriter] = {}
        self._kind: SchemaKind = "AVRO" if shape.encode == "AVRO" else "JSON"
        record = properties.get("message", "").strip() or name
        key = tuple(column for column in shape.columns if column.name in shape.key)
        self._keyed = bool(key) and properties.get("key.encode", "") not in _PLAIN_KEYS
        self._texts = {"value": json.dumps(json_schema(shape.columns))}
        if self._keyed:
            self._texts["key"] = json.dumps(json_schema(key))
        if self._kind == "AVRO":
            envelope = shape.form == "DEBEZIUM"
            self._writers["value"] = AvroWriter(shape.columns, record, envelope=envelope)
            if self._keyed:
                self._writers["key"] = AvroWriter(key, f"{record}Key")
            self._texts = {part: writer.text for part, writer in self._writers.items()}
        elif shape.form == "DEBEZIUM":
            hint = "Write ENCODE AVRO, or leave schema.registry out."
            raise FeatureNotSupported(
                f'sink "{name}": FORMAT DEBEZIUM ENCODE JSON has no schema', hint=hint
            )

    def _framed(self, record: SinkRecord) -> SinkRecord:
        key = record.key
        if self._keyed and key is not None:
            key = self._written("key", key)
        value = None if record.value is None else self._written("value", record.value)
        return replace(record, key=key, value=value)

    def _written(self, part: str, document: bytes) -> bytes:
        writer = self._writers.get(part)
        return self._heads[part] + (document if writer is None else writer.written(document))

    def _prepare(self) -> None:
        if self._heads:
            return
        try:
            heads = {
                part: b"\0" + self._schemas.register(
                    "key" if part == "key" else "value", self._kind, text
                ).to_bytes(4, "big")
                for part, text in self._texts.items()
            }  # fmt: skip
        except RegistryUnavailable as error:
            raise SinkUnavailable(str(error)) from error
        self._heads = heads


def encoded(
    name: str,
    properties: Mapping[str, str],
    shape: SinkShape,
    schemas: Schemas | None,
    target: SinkTarget,
) -> SinkTarget:
    """Return a target that writes as ENCODE says. Raises: InvalidParameter, FeatureNotSupported."""
    if shape.encode == "JSON" and "schema.registry" not in properties:
        return target
    try:
        if shape.encode not in ("AVRO", "JSON", "PROTOBUF"):
            hint = "Write ENCODE JSON, AVRO or PROTOBUF."
            raise FeatureNotSupported(
                f'sink "{name}" cannot write ENCODE {shape.encode}', hint=hint
            )
        if schemas is None:
            raise InvalidParameter(f'sink "{name}" needs the property "schema.registry"')
        if shape.encode == "PROTOBUF":
            return ProtobufSink(name, properties, shape, schemas, target)
        return EncodedSink(name, properties, shape, schemas, target)
    except VoltstreamError:
        target.close()
        raise
