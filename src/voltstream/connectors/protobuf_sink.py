"""A sink whose records are protocol buffers of a message that a registry, or a file, describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from voltstream.connectors.framed_sink import FramedSink
from voltstream.core.errors import FeatureNotSupported, VoltstreamError
from voltstream.core.ports import (
    Schemas,
    SinkRecord,
    SinkShape,
    SinkTarget,
    SinkUnavailable,
)
from voltstream.formats.avro_types import UnusableSchema
from voltstream.formats.protobuf_writing import ProtobufWriter


class ProtobufSink(FramedSink):
    """Writes values as messages, keys as they are; what a message cannot hold is refused.

    The schema is asked for before the first record: it is written by whoever reads the topic.
    """

    def __init__(
        self,
        name: str,
        properties: Mapping[str, str],
        shape: SinkShape,
        schemas: Schemas,
        target: SinkTarget,
    ) -> None:
        if shape.form not in ("PLAIN", "UPSERT"):
            hint = "Write FORMAT PLAIN or UPSERT, or ENCODE JSON or AVRO."
            message = f'sink "{name}" cannot write FORMAT {shape.form} ENCODE PROTOBUF'
            raise FeatureNotSupported(message, hint=hint)
        super().__init__(target)
        self._name = name
        self._message = properties.get("message", "").strip()
        self._columns = shape.columns
        self._schemas = schemas
        self._made: tuple[bytes, ProtobufWriter] | None = None

    def _prepare(self) -> None:
        self._writer()

    def _framed(self, record: SinkRecord) -> SinkRecord:
        if record.value is None:
            return record
        head, writer = self._writer()
        return replace(record, value=head + writer.written(record.value))

    def _writer(self) -> tuple[bytes, ProtobufWriter]:
        """Raises: SinkUnavailable while there is no schema that has all columns."""
        if self._made is None:
            try:
                found = self._schemas.newest()
                writer = ProtobufWriter(self._columns, found.value.descriptors, self._message)
            except (VoltstreamError, UnusableSchema) as error:
                raise SinkUnavailable(f'sink "{self._name}": {error}') from error
            numbers = [number for number, one in found.by_id.items() if one is found.value]
            head = b"\0" + numbers[0].to_bytes(4, "big") + writer.frame if numbers else b""
            self._made = head, writer
        return self._made
