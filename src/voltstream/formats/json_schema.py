"""JSON Schema: which columns it means, and which records do not keep to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import jsonschema_rs

from voltstream.core.limits import SCHEMAS_KEPT_MAX
from voltstream.core.schema import Column, Schema
from voltstream.formats.avro_types import UnusableSchema

_TEXTS = {
    "date-time": "TIMESTAMP WITH TIME ZONE",
    "date": "DATE",
    "time": "TIME",
    "uuid": "UUID",
}
_CONNECT = {  # What Kafka Connect says beside a number.
    "int8": "SMALLINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
}
_TITLES = {
    "org.apache.kafka.connect.data.Date": "DATE",
    "org.apache.kafka.connect.data.Timestamp": "TIMESTAMP WITH TIME ZONE",
    "io.debezium.time.Date": "DATE",
    "io.debezium.time.Timestamp": "TIMESTAMP",
    "io.debezium.time.MicroTimestamp": "TIMESTAMP",
    "io.debezium.time.NanoTimestamp": "TIMESTAMP",
    "io.debezium.time.ZonedTimestamp": "TIMESTAMP WITH TIME ZONE",
    "io.debezium.data.Uuid": "UUID",
    "io.debezium.data.Json": "JSON",
}
_PLAIN = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "string": "VARCHAR"}
_DEPTH_MAX = 16  # Of references that lead to references.
_REASON_CHARACTERS = 200


def columns(text: str, path: Sequence[str] = ()) -> Schema:
    """Return the columns of the object at ``path``. Raises: UnusableSchema."""
    try:
        whole = json.loads(text)
    except ValueError as error:
        raise UnusableSchema(f"no JSON schema: {error}") from error
    found = _opened(whole, whole)
    for name in path:
        found = _opened(found.get("properties", {}).get(name), whole)
    properties = found.get("properties")
    if not isinstance(properties, dict):
        raise UnusableSchema("the JSON schema describes no object with properties")
    return tuple(Column(name, _store(part, whole)) for name, part in properties.items())


def _opened(schema: Any, whole: Any, depth: int = 0) -> Mapping[str, Any]:
    """Follow references, and leave null out of what a value may be."""
    if not isinstance(schema, dict) or depth > _DEPTH_MAX:
        return {}
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        found = whole
        for step in reference[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, dict) else None
        return _opened(found, whole, depth + 1)
    for word in ("oneOf", "anyOf"):
        options = schema.get(word)
        if isinstance(options, list):
            given = [one for one in options if one != {"type": "null"}]
            return _opened(given[0], whole, depth + 1) if len(given) == 1 else {}
    return schema


def _store(schema: Any, whole: Any, depth: int = 0) -> str:
    found = _opened(schema, whole)
    title = found.get("title")
    if isinstance(title, str) and title in _TITLES:
        return _TITLES[title]
    connect = found.get("connect.type")
    if isinstance(connect, str) and connect in _CONNECT:
        return _CONNECT[connect]
    kind = found.get("type")
    if isinstance(kind, list):
        given = [one for one in kind if one != "null"]
        kind = given[0] if len(given) == 1 else None
    if kind == "string":
        return _TEXTS.get(str(found.get("format")), "VARCHAR")
    if kind == "array" and depth < _DEPTH_MAX:
        inner = _store(found.get("items"), whole, depth + 1)
        return "JSON" if inner == "JSON" else f"{inner}[]"
    return _PLAIN.get(str(kind), "JSON")


@lru_cache(maxsize=SCHEMAS_KEPT_MAX)
def _validator(text: str, imports: tuple[tuple[str, str], ...]) -> Any:
    def imported(address: str) -> Any:
        """Return what a schema refers to: what the registry has told of it, and nothing else."""
        for name, body in imports:
            if address == name or address.endswith(f"/{name}"):
                return json.loads(body)
        raise ValueError(f'it refers to "{address}", which the registry does not tell')

    try:
        return jsonschema_rs.validator_for(json.loads(text), retriever=imported)
    except (ValueError, RecursionError, jsonschema_rs.ReferencingError) as error:
        raise UnusableSchema(f"no JSON schema: {error}") from error


def faults(
    text: str, imports: tuple[tuple[str, str], ...], payloads: Sequence[bytes]
) -> list[tuple[int, str]]:
    """Return (payload, reason) of what does not keep to a schema. Raises: UnusableSchema."""
    validator = _validator(text, imports)
    found: list[tuple[int, str]] = []
    for at, payload in enumerate(payloads):
        try:
            document = json.loads(payload)
        except (ValueError, RecursionError):
            found.append((at, "not valid JSON"))
            continue
        if not validator.is_valid(document):
            error = next(iter(validator.iter_errors(document)))
            place = "/".join(str(step) for step in error.instance_path)
            reason = f"against its schema at /{place}: {error.message}"
            found.append((at, reason[:_REASON_CHARACTERS]))
    return found


def value(raw: bytes) -> Any:
    """Read JSON. Raises: ValueError."""
    return json.loads(raw)
