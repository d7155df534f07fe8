"""Protocol buffers to Arrow columns, by the descriptors of their messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor as F
from google.protobuf.message import DecodeError

from voltstream.core.limits import SCHEMAS_KEPT_MAX
from voltstream.core.schema import Column, Schema
from voltstream.formats.avro_types import UnusableSchema

Faults = list[tuple[int, str]]
_SCALARS: Mapping[int, tuple[str, Any]] = {
    F.CPPTYPE_INT32: ("INTEGER", pa.int32()),
    F.CPPTYPE_INT64: ("BIGINT", pa.int64()),
    F.CPPTYPE_UINT32: ("BIGINT", pa.int64()),
    F.CPPTYPE_UINT64: ("DECIMAL(20,0)", pa.uint64()),
    F.CPPTYPE_DOUBLE: ("DOUBLE", pa.float64()),
    F.CPPTYPE_FLOAT: ("FLOAT", pa.float32()),
    F.CPPTYPE_BOOL: ("BOOLEAN", pa.bool_()),
}
_NOTE = "google.protobuf."
_WRAPPERS = {f"{_NOTE}{name}Value" for name in (
    "Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes",
)}  # fmt: skip
_DYNAMIC = {f"{_NOTE}{name}" for name in ("Any", "Struct", "Value", "ListValue", "FieldMask")}
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Field:
    """A field as a column. ``take`` gets its value out of a message."""

    name: str
    store: str
    arrow: Any  # pa.DataType
    take: Callable[[Any], Any]


class ProtobufReader:
    """Reads messages of one type, or of the type that each one's frame tells."""

    def __init__(self, descriptors: bytes, message: str) -> None:
        """Raises: UnusableSchema."""
        found = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
        self._pool = descriptor_pool.DescriptorPool()
        try:
            for file in found.file:
                self._pool.Add(file)  # Files come after those that they import.
            self._file = self._pool.FindFileByName(found.file[-1].name)
            self._type = self._named(message)
        except (TypeError, KeyError, IndexError) as error:
            raise UnusableSchema(f"no protocol buffer schema: {error}") from error
        self.message = self._type.full_name
        # A message is named by its place in its file, and in what it is nested in; the first of a
        # file has a short name of its own.
        path = _path(self._type)
        self._frames = [b"".join(_zigzag(number) for number in (len(path), *path))]
        if path == [0]:
            self._frames.insert(0, b"\0")
        self.frame = self._frames[0]
        self.of = self._class = message_factory.GetMessageClass(self._type)
        self._fields = [
            _field(self._pool, one, (self._type.full_name,)) for one in self._type.fields
        ]

    def _named(self, message: str) -> Any:
        types = self._file.message_types_by_name
        if not message:
            if len(types) == 1:
                return next(iter(types.values()))
            listed = ", ".join(sorted(types))
            raise UnusableSchema(f"it has several messages, and none is named: {listed}")
        try:
            return self._pool.FindMessageTypeByName(message)
        except KeyError:
            pass
        package = f"{self._file.package}." if self._file.package else ""
        try:
            return self._pool.FindMessageTypeByName(package + message)
        except KeyError:
            raise UnusableSchema(f'it has no message "{message}"') from None

    @property
    def columns(self) -> Schema:
        return tuple(Column(field.name, field.store) for field in self._fields)

    def read(self, payloads: Sequence[bytes]) -> tuple[pa.Table, list[int], Faults]:
        """Return rows, the payload that each came from, and (payload, reason) of the others."""
        parse = self._class.FromString
        messages: list[Any] = []
        places: list[int] = []
        faults: Faults = []
        for at, payload in enumerate(payloads):
            try:
                messages.append(parse(payload))
                places.append(at)
            except DecodeError:
                faults.append((at, f"not a message {self._type.full_name}"))
        columns = [
            pa.array([field.take(message) for message in messages], field.arrow)
            for field in self._fields
        ]
        return pa.table(columns, names=[field.name for field in self._fields]), places, faults

    def unframed(self, payload: bytes) -> bytes | None:
        """Leave out how a frame names the message; None where it names another."""
        for name in self._frames:
            if payload.startswith(name):
                return payload[len(name) :]
        return None

    def default(self, name: str, others: Sequence[str]) -> tuple[str, str] | None:
        del name, others
        return None  # A field that a writer did not know is read as absent.

    def value(self, payload: bytes) -> Any:
        try:
            message = self._class.FromString(payload)
        except DecodeError as error:
            raise ValueError(str(error)) from error
        return _as_dict(self._pool, message)


def _path(kind: Any) -> list[int]:
    """Return the place of a message in its file: among its neighbours, outermost first."""
    outer = kind.containing_type
    neighbours = kind.file.message_types_by_name if outer is None else outer.nested_types_by_name
    at = list(neighbours).index(kind.name)
    return [at] if outer is None else [*_path(outer), at]


def _zigzag(number: int) -> bytes:
    left = number << 1
    out = bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


def _as_dict(pool: Any, message: Any) -> Any:
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, descriptor_pool=pool
    )


def _field(pool: Any, field: Any, within: tuple[str, ...]) -> _Field:
    name = field.name
    if _is_map(field):

        def take_map(message: Any) -> Any:
            return json.dumps(_as_dict(pool, message).get(name, {}))

        return _Field(name, "JSON", pa.string(), take_map)
    store, arrow, convert = _typed(pool, field, within)
    if field.is_repeated:
        take = _taking_many(name, convert)
        return _Field(name, f"{store}[]", pa.list_(arrow), take)
    if field.has_presence:
        return _Field(name, store, arrow, _taking_present(name, convert))
    if convert is None:
        return _Field(name, store, arrow, lambda message: getattr(message, name))
    return _Field(name, store, arrow, lambda message: convert(getattr(message, name)))


def _taking_many(name: str, convert: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    if convert is None:
        return lambda message: list(getattr(message, name))
    return lambda message: [convert(one) for one in getattr(message, name)]


def _taking_present(name: str, convert: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    def take(message: Any) -> Any:
        if not message.HasField(name):
            return None
        value = getattr(message, name)
        return value if convert is None else convert(value)

    return take


def _is_map(field: Any) -> bool:
    kind = field.message_type
    return kind is not None and kind.GetOptions().map_entry


def _typed(
    pool: Any, field: Any, within: tuple[str, ...]
) -> tuple[str, Any, Callable[[Any], Any] | None]:
    if field.cpp_type in _SCALARS:
        return (*_SCALARS[field.cpp_type], None)
    if field.cpp_type == F.CPPTYPE_ENUM:
        names = {number: one.name for number, one in field.enum_type.values_by_number.items()}
        return "VARCHAR", pa.string(), lambda number: names.get(number, str(number))
    if field.cpp_type == F.CPPTYPE_STRING:
        is_bytes = field.type == F.TYPE_BYTES
        return ("BLOB", pa.binary(), None) if is_bytes else ("VARCHAR", pa.string(), None)
    return _message(pool, field.message_type, within)


def _message(
    pool: Any, kind: Any, within: tuple[str, ...]
) -> tuple[str, Any, Callable[[Any], Any] | None]:
    name = kind.full_name
    if name == f"{_NOTE}Timestamp":
        instant = pa.timestamp("us", "UTC")
        return (
            "TIMESTAMP WITH TIME ZONE",
            instant,
            lambda m: m.seconds * 10**6 + m.nanos // 1000,
        )
    if name == f"{_NOTE}Duration":
        span = pa.month_day_nano_interval()
        return "INTERVAL", span, lambda m: (0, 0, m.seconds * _NS + m.nanos)
    if name in _WRAPPERS:
        store, arrow, _ = _typed(pool, kind.fields_by_name["value"], within)
        return store, arrow, lambda m: m.value
    if name in within or name in _DYNAMIC or not kind.fields:
        return "JSON", pa.string(), lambda m: json.dumps(_as_dict(pool, m))
    parts = [_field(pool, one, (*within, name)) for one in kind.fields]
    listed = ", ".join(f'"{part.name}" {part.store}' for part in parts)
    arrow = pa.struct([(part.name, part.arrow) for part in parts])
    return f"STRUCT({listed})", arrow, lambda m: {part.name: part.take(m) for part in parts}


@lru_cache(maxsize=SCHEMAS_KEPT_MAX)
def protobuf_reader(descriptors: bytes, message: str) -> ProtobufReader:
    """Return the reader of a message; compiled once. Raises: UnusableSchema."""
    return ProtobufReader(descriptors, message)
