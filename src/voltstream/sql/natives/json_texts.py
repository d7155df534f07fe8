"""json as PostgreSQL's building functions write it: values as they came, no key left out.

Source: PostgreSQL 15, src/backend/utils/adt/json.c: each function has spaces of its own.
"""

from __future__ import annotations

import json
from decimal import Decimal

from voltstream.core.errors import InvalidParameter, InvalidText
from voltstream.core.native import NativeFunction
from voltstream.sql.natives.json_values import Json, number_text

_escape = json.encoder.encode_basestring


class _Pairs(list[tuple[str, Json]]):
    """An object's members in their order, a key as often as it stands there."""


_IN_ORDER = json.JSONDecoder(parse_float=Decimal, object_pairs_hook=_Pairs)


def _array(items: list[str | None], between: str) -> str:
    return "[" + between.join("null" if item is None else item for item in items) + "]"


def _object(keys: list[str | None], items: list[str | None], colon: str, margin: str) -> str:
    if len(keys) != len(items):
        raise InvalidParameter("argument list must have even number of elements")
    if not keys:
        return "{" + margin * 2 + "}"
    members = []
    for key, item in zip(keys, items, strict=True):
        if key is None:
            raise InvalidParameter("field name must not be null")
        members.append(_escape(key) + colon + ("null" if item is None else item))
    between = "," if colon == ":" else ", "
    return "{" + margin + between.join(members) + margin + "}"


def _without_nulls(text: str) -> str:
    try:
        return _dense(_IN_ORDER.decode(text))
    except (ValueError, RecursionError) as error:
        raise InvalidText("invalid input syntax for type json") from error


def _dense(value: Json) -> str:
    match value:
        case _Pairs():
            members = (f"{_escape(k)}:{_dense(item)}" for k, item in value if item is not None)
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(map(_dense, value)) + "]"
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _escape(value)
        case _:
            return number_text(value)


_T, _L = "VARCHAR", "VARCHAR[]"

NATIVES = (
    NativeFunction("_vs_json_text_array", (_L, _T), _T, _array),
    NativeFunction("_vs_json_text_object", (_L, _L, _T, _T), _T, _object),
    NativeFunction("_vs_json_text_strip", (_T,), _T, _without_nulls),
)
