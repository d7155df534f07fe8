"""Values of SQL as JSON has them, and of JSON as SQL takes them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from voltstream.core.errors import InvalidParameter
from voltstream.core.types import STORE_NAMES, Kind
from voltstream.core.values import TypedInteger, TypedList, TypedText

_KIND_OF_OID = {kind.oid: kind for kind in STORE_NAMES}
_ELEMENT_OF_ARRAY = {kind.array_oid: kind for kind in STORE_NAMES if kind.array_oid}
_TEXTS = (Kind.TEXT, Kind.VARCHAR)


def plain(value: object) -> object:
    """Return a value as JSON has it; what JSON lacks becomes text."""
    match value:
        case float():
            return value if math.isfinite(value) else str(value)
        case None | bool() | int() | str():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | timedelta():
            return str(value)
        case bytes():
            return "\\x" + value.hex()
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return str(value)


def parameter(value: object, oid: int) -> object | None:
    """Return a JSON value as the parameter that a statement takes.

    Raises: InvalidParameter (22023) for what JSON has and SQL has not.
    """
    element = _ELEMENT_OF_ARRAY.get(oid)
    if element is not None and isinstance(value, list):
        return _array(value, element)
    kind = _KIND_OF_OID.get(oid)
    match value:
        case None | bool():
            return value
        case int():
            if not -(2**63) <= value < 2**63:
                return Decimal(value)
            return TypedInteger(value, "BIGINT") if kind in (None, Kind.INT8) else value
        case Decimal():
            return float(value) if kind in (Kind.FLOAT4, Kind.FLOAT8) else value
        case float():
            return value if kind in (Kind.FLOAT4, Kind.FLOAT8) else Decimal(str(value))
        case str():
            return value if kind is None or kind in _TEXTS else TypedText(value, STORE_NAMES[kind])
        case dict() | list():
            return TypedText(json.dumps(value, default=float), "JSON")
        case _:
            raise InvalidParameter("a parameter is a text, a number, a truth value, null or JSON")


def _array(items: list[object], element: Kind) -> TypedList:
    depth, level = 1, items
    while level and isinstance(level[0], list):
        depth, level = depth + 1, level[0]
    values = [
        parameter(i, element.array_oid if isinstance(i, list) else element.oid) for i in items
    ]
    return TypedList(values, STORE_NAMES[element] + "[]" * depth)


def parameters(values: Sequence[object], oids: Sequence[int]) -> list[object | None]:
    """Raises: InvalidParameter (22023) when there are more or fewer than the statement has."""
    if len(values) != len(oids):
        raise InvalidParameter(f"the statement has {len(oids)} parameters, {len(values)} are given")
    return [parameter(value, oid) for value, oid in zip(values, oids, strict=True)]
