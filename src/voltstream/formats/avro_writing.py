"""A sink's records, which are JSON, as Avro and as JSON of a schema."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal
from typing import Any

from fastavro import parse_schema, schemaless_writer

from voltstream.core.schema import Column, Schema
from voltstream.core.types import DataType, Kind

Convert = Callable[[Any], Any]
_NAME = re.compile(r"[^A-Za-z0-9_]")
_NUMERIC = (38, 16)  # Precision and scale of a numeric that declares none.
_AVRO: Mapping[Kind, Any] = {
    Kind.BOOL: "boolean",
    Kind.INT2: "int",
    Kind.INT4: "int",
    Kind.INT8: "long",
    Kind.FLOAT4: "float",
    Kind.FLOAT8: "double",
    Kind.BYTEA: "bytes",
    Kind.DATE: {"type": "int", "logicalType": "date"},
    Kind.TIME: {"type": "long", "logicalType": "time-micros"},
    Kind.TIMESTAMP: {"type": "long", "logicalType": "local-timestamp-micros"},
    Kind.TIMESTAMPTZ: {"type": "long", "logicalType": "timestamp-micros"},
    Kind.UUID: {"type": "string", "logicalType": "uuid"},
}
_JSON: Mapping[Kind, Any] = {
    Kind.BOOL: {"type": "boolean"},
    Kind.INT2: {"type": "integer"},
    Kind.INT4: {"type": "integer"},
    Kind.INT8: {"type": "integer"},
    Kind.FLOAT4: {"type": "number"},
    Kind.FLOAT8: {"type": "number"},
    Kind.NUMERIC: {"type": "number"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.TIME: {"type": "string", "format": "time"},
    Kind.TIMESTAMPTZ: {"type": "string", "format": "date-time"},
    Kind.UUID: {"type": "string", "format": "uuid"},
}
_WIDE = Context(prec=80)  # A numeric has up to 38 digits; what is wider its schema refuses.
_ESCAPE = re.compile(r"\\x([0-9A-F]{2})")


def avro_schema(columns: Schema, name: str) -> dict[str, Any]:
    """Return the record of some columns, each of which may be null."""
    fields = [
        {"name": _named(column.name), "type": ["null", _avro_type(column.type)], "default": None}
        for column in columns
    ]
    return {"type": "record", "name": _named(name), "fields": fields}


def avro_envelope(columns: Schema, name: str) -> dict[str, Any]:
    """Return the record of a change event: the images of a row, and what was done."""
    image = avro_schema(columns, "Value")
    return {
        "type": "record",
        "name": _named(name),
        "fields": [
            {"name": "before", "type": ["null", image], "default": None},
            {"name": "after", "type": ["null", "Value"], "default": None},
            {"name": "op", "type": "string"},
        ],
    }


def json_schema(columns: Schema) -> dict[str, Any]:
    """Return the JSON schema of some columns, each of which may be null."""
    properties = {c.name: {"oneOf": [{"type": "null"}, _json_type(c.type)]} for c in columns}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _named(name: str) -> str:
    """Return a name as Avro has them: letters, digits and underscores."""
    spelled = _NAME.sub("_", name)
    return spelled if spelled and not spelled[0].isdigit() else f"_{spelled}"


def _avro_type(kind: DataType) -> Any:
    if kind.array_depth:
        inner = DataType(kind.kind, kind.array_depth - 1, kind.precision, kind.scale)
        return {"type": "array", "items": ["null", _avro_type(inner)]}
    if kind.kind is Kind.NUMERIC:
        precision, scale = _digits(kind)
        return {
            "type": "bytes",
            "logicalType": "decimal",
            "precision": precision,
            "scale": scale,
        }
    return _AVRO.get(kind.kind, "string")


def _digits(kind: DataType) -> tuple[int, int]:
    return kind.precision or _NUMERIC[0], _NUMERIC[1] if kind.scale is None else kind.scale


def _json_type(kind: DataType) -> Any:
    if kind.array_depth:
        inner = DataType(kind.kind, kind.array_depth - 1, kind.precision, kind.scale)
        return {"type": "array", "items": {"oneOf": [{"type": "null"}, _json_type(inner)]}}
    if kind.kind in (Kind.JSON, Kind.JSONB, Kind.RECORD):
        return {}
    return _JSON.get(kind.kind, {"type": "string"})


class AvroWriter:
    """Writes JSON documents of some columns. A value that its type cannot hold is a ValueError."""

    def __init__(self, columns: Schema, name: str, *, envelope: bool = False) -> None:
        made = avro_envelope(columns, name) if envelope else avro_schema(columns, name)
        self.text = json.dumps(made)
        self._schema = parse_schema(made)
        self._envelope = envelope
        self._fields = [(c.name, _named(c.name), _convert(c.type)) for c in columns]

    def written(self, document: bytes) -> bytes:
        value = json.loads(document, parse_float=Decimal)
        out = io.BytesIO()
        try:
            record: Any
            if self._envelope:
                images = {part: self._record(value[part]) for part in ("before", "after")}
                record = {**images, "op": value["op"]}
            else:
                record = self._record(value)
            schemaless_writer(out, self._schema, record)
        except (TypeError, OverflowError, ArithmeticError, KeyError) as error:
            raise ValueError(str(error)) from error
        return out.getvalue()

    def _record(self, value: Any) -> dict[str, Any] | None:
        if value is None:
            return None
        return {
            name: None if value.get(given) is None else convert(value[given])
            for given, name, convert in self._fields
        }


def arrow_value(column: Column) -> Convert:
    """Return how a value of a JSON document becomes a Python value of its column's type."""
    return _convert(column.type)


def _convert(kind: DataType) -> Convert:
    if kind.array_depth:
        inner = _convert(DataType(kind.kind, kind.array_depth - 1, kind.precision, kind.scale))
        return lambda values: [None if one is None else inner(one) for one in values]
    match kind.kind:
        case Kind.NUMERIC:
            scale = Decimal(1).scaleb(-_digits(kind)[1])
            return lambda value: Decimal(value).quantize(scale, context=_WIDE)
        case Kind.FLOAT4 | Kind.FLOAT8:
            return float
        case Kind.INT2 | Kind.INT4 | Kind.INT8:
            return int
        case Kind.BOOL:
            return bool
        case Kind.BYTEA:
            return _bytes
        case Kind.DATE:
            return date.fromisoformat
        case Kind.TIME:
            return time.fromisoformat
        case Kind.TIMESTAMP:
            return lambda text: datetime.fromisoformat(text).replace(tzinfo=None)
        case Kind.TIMESTAMPTZ:
            return lambda text: datetime.fromisoformat(text).astimezone(UTC)
        case _:
            return _text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=_exact)


def _exact(value: Any) -> Any:
    return int(value) if value == value.to_integral_value() else float(value)


def _bytes(text: str) -> bytes:
    """Read bytes as the store writes them as text: what is not printable as ``\\xFF``."""
    parts = _ESCAPE.split(text)
    return b"".join(
        part.encode() if at % 2 == 0 else bytes.fromhex(part) for at, part in enumerate(parts)
    )
