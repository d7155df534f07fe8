"""Avro's types: which columns they are, and how their values come into Arrow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa

Schema = Any  # Avro's JSON: a name, a list (union) or an object.
Convert = Callable[[Any], Any]
_JSON = ("JSON", pa.string())
_PRIMITIVES: Mapping[str, tuple[str, Any]] = {
    "null": ("VARCHAR", pa.string()),
    "boolean": ("BOOLEAN", pa.bool_()),
    "int": ("INTEGER", pa.int32()),
    "long": ("BIGINT", pa.int64()),
    "float": ("FLOAT", pa.float32()),
    "double": ("DOUBLE", pa.float64()),
    "bytes": ("BLOB", pa.binary()),
    "string": ("VARCHAR", pa.string()),
}
_INSTANT, _LOCAL = "TIMESTAMP WITH TIME ZONE", "TIMESTAMP"
# Logical types over numbers: the numbers themselves go into Arrow, which knows their units.
_LOGICAL: Mapping[str, tuple[str, Any]] = {
    "date": ("DATE", pa.date32()),
    "time-millis": ("TIME", pa.time32("ms")),
    "time-micros": ("TIME", pa.time64("us")),
    "time-nanos": ("TIME", pa.time64("ns")),
    "timestamp-millis": (_INSTANT, pa.timestamp("ms", "UTC")),
    "timestamp-micros": (_INSTANT, pa.timestamp("us", "UTC")),
    "timestamp-nanos": (_INSTANT, pa.timestamp("ns", "UTC")),
    "local-timestamp-millis": (_LOCAL, pa.timestamp("ms")),
    "local-timestamp-micros": (_LOCAL, pa.timestamp("us")),
    "local-timestamp-nanos": (_LOCAL, pa.timestamp("ns")),
    "uuid": ("UUID", pa.string()),
    "zoned": (_INSTANT, pa.string()),
    "json": _JSON,
}
# What change data capture says of a number or text. Source: Debezium's documentation, "Temporal
# types" and "Data type mappings".
_NAMED: Mapping[str, str] = {
    "io.debezium.time.Date": "date",
    "io.debezium.time.Time": "time-millis",
    "io.debezium.time.MicroTime": "time-micros",
    "io.debezium.time.NanoTime": "time-nanos",
    "io.debezium.time.Timestamp": "local-timestamp-millis",
    "io.debezium.time.MicroTimestamp": "local-timestamp-micros",
    "io.debezium.time.NanoTimestamp": "local-timestamp-nanos",
    "io.debezium.time.ZonedTimestamp": "zoned",
    "io.debezium.data.Uuid": "uuid",
    "io.debezium.data.Json": "json",
    "org.apache.kafka.connect.data.Date": "date",
    "org.apache.kafka.connect.data.Time": "time-millis",
    "org.apache.kafka.connect.data.Timestamp": "timestamp-millis",
}
_CARRIED = {"int", "long", "string"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION_BYTES, _UUID_BYTES = 12, 16


class UnusableSchema(Exception):
    """A schema that is none, or that says something that cannot be read; the message says what."""


@dataclass(frozen=True, slots=True)
class AvroType:
    """What a value becomes. ``convert`` is None where Arrow takes the value as it is."""

    store: str
    arrow: Any  # pa.DataType
    convert: Convert | None = None


def logical(schema: Schema) -> str | None:
    """Return what an object says its numbers, texts or bytes mean."""
    named = schema.get("connect.name")
    if isinstance(schema.get("type"), str) and schema["type"] in _CARRIED and named in _NAMED:
        return _NAMED[named]
    found = schema.get("logicalType")
    return found if isinstance(found, str) else None


def branches(schema: Schema) -> list[Schema]:
    """Return what a value may be beside null."""
    if not isinstance(schema, list):
        return [schema]
    return [branch for branch in schema if branch not in ("null", {"type": "null"})]


def typed(schema: Schema, names: Mapping[str, Schema]) -> AvroType:
    """Return the type of a value. A union of several types and a map are JSON."""
    options = branches(schema)
    if not options:
        return AvroType(*_PRIMITIVES["null"])
    if len(options) > 1:
        return AvroType(*_JSON, _as_json(names, schema))
    schema = options[0]
    if isinstance(schema, str):
        if schema in _PRIMITIVES:
            return AvroType(*_PRIMITIVES[schema])
        return typed(_named(schema, names), names)
    kind = schema.get("type")
    if isinstance(kind, (dict, list)):
        return typed(kind, names)
    if kind == "record":
        return _struct(schema, names)
    if kind == "array":
        item = typed(schema["items"], names)
        convert = item.convert
        many = None if convert is None else lambda values: [_given(convert, v) for v in values]
        return AvroType(f"{item.store}[]", pa.list_(item.arrow), many)
    if kind == "map":
        return AvroType(*_JSON, _as_json(names, schema))
    if kind == "enum":
        return AvroType("VARCHAR", pa.string())
    return _scalar(schema, kind)


def _scalar(schema: Schema, kind: str) -> AvroType:
    meaning = logical(schema)
    if meaning == "decimal":
        precision, scale = int(schema["precision"]), int(schema.get("scale", 0))
        if precision > 38:
            return AvroType(f"DECIMAL(38,{min(scale, 38)})", pa.string(), str)
        return AvroType(f"DECIMAL({precision},{scale})", pa.decimal128(precision, scale))
    if kind == "fixed":
        if meaning == "uuid" and schema["size"] == _UUID_BYTES:
            return AvroType("UUID", pa.string(), lambda raw: str(UUID(bytes=raw)))
        if meaning == "duration" and schema["size"] == _DURATION_BYTES:
            return AvroType("INTERVAL", pa.month_day_nano_interval(), _duration)
        return AvroType("BLOB", pa.binary())
    if meaning is not None and meaning in _LOGICAL:
        return AvroType(*_LOGICAL[meaning])
    if kind not in _PRIMITIVES:
        raise UnusableSchema(f'there is no type "{kind}"')
    return AvroType(*_PRIMITIVES[kind])


def _struct(schema: Schema, names: Mapping[str, Schema]) -> AvroType:
    if schema.get("connect.name") == "io.debezium.data.VariableScaleDecimal":
        return AvroType("DECIMAL(38,16)", pa.string(), _variable_scale)
    fields = schema["fields"]
    if not fields:
        return AvroType(*_JSON, _as_json(names, schema))
    parts = {one["name"]: typed(one["type"], names) for one in fields}
    listed = ", ".join(f"{_quoted(field)} {part.store}" for field, part in parts.items())
    arrow = pa.struct([(field, part.arrow) for field, part in parts.items()])
    converts = [(field, part.convert) for field, part in parts.items() if part.convert]
    if not converts:
        return AvroType(f"STRUCT({listed})", arrow)

    def convert(value: Any) -> Any:
        return {**value, **{field: _given(do, value[field]) for field, do in converts}}

    return AvroType(f"STRUCT({listed})", arrow, convert)


def _given(convert: Convert, value: Any) -> Any:
    return None if value is None else convert(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _named(name: str, names: Mapping[str, Schema]) -> Schema:
    if name not in names:
        raise UnusableSchema(f'there is no type "{name}"')
    return names[name]


def _duration(raw: bytes) -> tuple[int, int, int]:
    months, days, millis = (int.from_bytes(raw[at : at + 4], "little") for at in (0, 4, 8))
    return months, days, millis * 1_000_000


def _variable_scale(value: Any) -> str:
    return str(Decimal(int.from_bytes(value["value"], "big", signed=True)).scaleb(-value["scale"]))


# --- values as JSON -----------------------------------------------------------------------------


def _as_json(names: Mapping[str, Schema], schema: Schema) -> Convert:
    return lambda value: json.dumps(plain(value, schema, names))


def plain(value: Any, schema: Schema, names: Mapping[str, Schema]) -> Any:
    """Return a value as JSON holds it: instants are RFC 3339, exact numbers and bytes texts."""
    if value is None:
        return None
    for option in branches(schema):
        found = names.get(option, option) if isinstance(option, str) else option
        if isinstance(found, str):
            if _fits(value, found):
                return _bare(value)
            continue
        kind = found["type"]
        if kind == "record" and isinstance(value, dict):
            fields = {one["name"]: one["type"] for one in found["fields"]}
            if value.keys() == fields.keys():
                return {name: plain(value[name], fields[name], names) for name in fields}
        elif kind == "map" and isinstance(value, dict):
            return {key: plain(one, found["values"], names) for key, one in value.items()}
        elif kind == "array" and isinstance(value, list):
            return [plain(one, found["items"], names) for one in value]
        elif isinstance(kind, (dict, list)):
            return plain(value, kind, names)
        elif isinstance(value, int) and kind in ("int", "long"):
            return _instant(value, logical(found))
        elif not isinstance(value, (dict, list)) and _fits(value, kind):
            return _bare(value)
    return _bare(value)


def _fits(value: Any, kind: str) -> bool:
    match value:
        case bool():
            return kind == "boolean"
        case int():
            return kind in ("int", "long")
        case float():
            return kind in ("float", "double")
        case str():
            return kind in ("string", "enum")
        case _:
            return kind in ("bytes", "fixed")


def _bare(value: Any) -> Any:
    match value:
        case Decimal():
            return str(value)
        case bytes():
            return "\\x" + value.hex()
        case _:
            return value


def _instant(value: int, meaning: str | None) -> Any:
    if meaning == "date":
        return (date(1970, 1, 1) + timedelta(days=value)).isoformat()
    unit = (meaning or "").rpartition("-")[2]
    per_unit = {"millis": 1_000, "micros": 1}.get(unit)
    if per_unit is None:
        return value
    moment = _EPOCH + timedelta(microseconds=value * per_unit)
    if (meaning or "").startswith("time-"):
        return time.isoformat(moment.time())
    local = (meaning or "").startswith("local")
    return (moment.replace(tzinfo=None) if local else moment).isoformat()
