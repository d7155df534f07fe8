"""A sink's records, which are JSON, as protocol buffers of a message that is given."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor as F

from voltstream.core.schema import Column, Schema
from voltstream.core.types import Kind
from voltstream.formats.avro_types import UnusableSchema
from voltstream.formats.avro_writing import arrow_value
from voltstream.formats.protobuf import ProtobufReader

Convert = Callable[[Any], Any]
_INTEGERS = (F.CPPTYPE_INT32, F.CPPTYPE_INT64, F.CPPTYPE_UINT32, F.CPPTYPE_UINT64)
_TIMESTAMP = "google.protobuf.Timestamp"


class ProtobufWriter:
    """Writes JSON documents of some columns. A value that its field cannot hold is a ValueError.

    Shape: a column goes to the field of its name, case aside; NULL is a field that is absent.
    """

    def __init__(self, columns: Schema, descriptors: bytes, message: str) -> None:
        """Raises: UnusableSchema where a column has no field."""
        found = ProtobufReader(descriptors, message)
        self._class = found.of
        self.frame = found.frame
        exact = {field.name: field for field in self._class.DESCRIPTOR.fields}
        known = {name.lower(): field for name, field in exact.items()} | exact
        self._fields: list[tuple[str, str, Convert]] = []
        for column in columns:
            field = known.get(column.name) or known.get(column.name.lower())
            if field is None:
                name = self._class.DESCRIPTOR.full_name
                raise UnusableSchema(f'message {name} has no field "{column.name}"')
            self._fields.append((column.name, field.name, _convert(field, column)))

    def written(self, document: bytes) -> bytes:
        value = json.loads(document, parse_float=Decimal)
        try:
            record = {
                name: convert(value[given])
                for given, name, convert in self._fields
                if value.get(given) is not None
            }
            message = json_format.ParseDict(record, self._class())
        except (json_format.ParseError, TypeError, ArithmeticError) as error:
            raise ValueError(str(error)) from error
        return bytes(message.SerializeToString(deterministic=True))


def _convert(field: Any, column: Column) -> Convert:
    """Return how a value becomes what the JSON form of protocol buffers wants of a field."""
    one = _one(field, column)
    entries = field.message_type is not None and field.message_type.GetOptions().map_entry
    if field.is_repeated and not entries:
        return lambda values: [one(value) for value in values]
    return one


def _one(field: Any, column: Column) -> Convert:
    if field.message_type is not None:
        return _instant if field.message_type.full_name == _TIMESTAMP else _plain
    if field.type == F.TYPE_BYTES:
        if column.type.kind is Kind.BYTEA and not column.type.array_depth:
            raw = arrow_value(column)
            return lambda text: base64.b64encode(raw(text)).decode()
        return lambda value: base64.b64encode(_text(value).encode()).decode()
    if field.type == F.TYPE_STRING:
        return _text
    return _integer if field.cpp_type in _INTEGERS else _plain


def _instant(text: Any) -> str:
    at = datetime.fromisoformat(text)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at.replace(tzinfo=None).isoformat() + "Z"


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case Decimal():
            return str(value)
        case _:
            return json.dumps(_plain(value))


def _integer(value: Any) -> Any:
    if isinstance(value, Decimal):
        if value != value.to_integral_value():
            raise ValueError(f"{value} is no integer")
        return int(value)
    return value


def _plain(value: Any) -> Any:
    """Return a value without decimals, which JSON does not know."""
    match value:
        case Decimal():
            return float(value)
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case _:
            return value
