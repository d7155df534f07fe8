"""A sink whose records are protocol buffers of a message that a registry, or a file, describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from voltstream.core.errors import FeatureNotSupported, VoltstreamError
from voltstream.core.ports import (
    Schemas,
    SinkRecord,
    SinkRefused,
    SinkShape,
    SinkTarget,
    SinkUnavailable,
)
from voltstream.formats.avro_types import UnusableSchema
from voltstream.formats.protobuf_writing import ProtobufWriter


class ProtobufSink:
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
        self._name = name
        self._message = properties.get("message", "").strip()
        self._columns = shape.columns
        self._schemas = schemas
        self._target = target
        self._made: tuple[bytes, ProtobufWriter] | None = None

    def deliver(self, records: Sequence[SinkRecord]) -> None:
        head, writer = self._writer()
        written: list[SinkRecord] = []
        refused: list[tuple[SinkRecord, str]] = []
        for record in records:
            try:
                value = None if record.value is None else head + writer.written(record.value)
            except ValueError as error:
                refused.append((record, f"its message cannot hold it: {error}"))
                continue
            written.append(replace(record, value=value))
        if written:
            self._target.deliver(written)
        if refused:
            raise SinkRefused(refused)

    def interrupt(self) -> None:
        self._target.interrupt()

    def close(self) -> None:
        self._target.close()

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
