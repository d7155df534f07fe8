"""JSON as PostgreSQL's jsonb keeps and prints it.

Shape: a value is None, bool, int, Decimal, str, list or dict. Law: objects keep one value per key
(the last), ordered by the key's length and then its bytes; numbers keep their digits.
"""

from __future__ import annotations

import json
from decimal import Decimal
from functools import lru_cache
from typing import Any

from voltstream.core.errors import InvalidText

Json = Any

_escape = json.encoder.encode_basestring


def _refuse(name: str) -> Json:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)


def read_json(text: str) -> Json:
    """Raises: InvalidText (22P02)."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise InvalidText("invalid input syntax for type json") from error


def number_text(number: int | float | Decimal) -> str:
    """Print a number without an exponent."""
    if isinstance(number, float):
        number = Decimal(repr(number))
    return format(number, "f") if isinstance(number, Decimal) else str(number)


def _ordered(value: dict[str, Json]) -> list[tuple[str, Json]]:
    return sorted(value.items(), key=lambda item: (len(item[0].encode()), item[0].encode()))


def write_json(value: Json) -> str:
    """Print a value as jsonb's text."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return _escape(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join([write_json(item) for item in value]) + "]"
    if isinstance(value, dict):
        pairs = [f"{_escape(key)}: {write_json(item)}" for key, item in _ordered(value)]
        return "{" + ", ".join(pairs) + "}"
    return number_text(value)


def pretty_json(value: Json, depth: int = 0) -> str:
    """Print a value over several lines, four spaces a level."""
    inner, outer = "    " * (depth + 1), "    " * depth
    if isinstance(value, list):
        items = [inner + pretty_json(item, depth + 1) for item in value]
        return "[\n" + ",\n".join(items) + f"\n{outer}]" if items else f"[\n{outer}]"
    if isinstance(value, dict):
        items = [
            f"{inner}{_escape(key)}: {pretty_json(item, depth + 1)}"
            for key, item in _ordered(value)
        ]
        return "{\n" + ",\n".join(items) + f"\n{outer}}}" if items else "{\n" + outer + "}"
    return write_json(value)


def json_text(value: Json) -> str | None:
    """Return what ->> returns: a string bare, null as NULL."""
    if value is None:
        return None
    return value if isinstance(value, str) else write_json(value)


def json_type(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "number"


@lru_cache(maxsize=4096)
def normal_json(text: str) -> str:
    """Return a JSON text in jsonb's form. Raises: InvalidText (22P02)."""
    return write_json(read_json(text))
