"""The operators and functions of jsonb."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from voltstream.core.errors import InvalidParameter, InvalidText
from voltstream.core.native import NativeFunction
from voltstream.sql.natives.json_values import (
    Json,
    json_text,
    json_type,
    normal_json,
    pretty_json,
    read_json,
    write_json,
)

_CONTAINERS = (list, dict)


def _step(value: Json, key: str) -> tuple[bool, Json]:
    """Go one step down. Returns: whether there is something, and what."""
    if isinstance(value, dict):
        return key in value, value.get(key)
    if isinstance(value, list):
        try:
            index = int(key)
        except ValueError:
            return False, None
        if -len(value) <= index < len(value):
            return True, value[index]
    return False, None


def _walk(value: Json, path: list[str | None]) -> tuple[bool, Json]:
    for key in path:
        if key is None:
            return False, None
        found, value = _step(value, key)
        if not found:
            return False, None
    return True, value


def _at_path(text: str, path: list[str | None]) -> str | None:
    found, value = _walk(read_json(text), path)
    return write_json(value) if found else None


def _text_at_path(text: str, path: list[str | None]) -> str | None:
    found, value = _walk(read_json(text), path)
    return json_text(value) if found else None


def contains(left: Json, right: Json, *, top: bool = True) -> bool:
    """Tell whether ``left @> right``."""
    if isinstance(left, dict) and isinstance(right, dict):
        return all(
            key in left and contains(left[key], item, top=False) for key, item in right.items()
        )
    if isinstance(left, list) and isinstance(right, list):
        return all(any(contains(mine, item, top=False) for mine in left) for item in right)
    if top and isinstance(left, list) and not isinstance(right, _CONTAINERS):
        return any(same(mine, right) for mine in left)
    return same(left, right)


def same(left: Json, right: Json) -> bool:
    """Tell whether two values are equal; 1 and true are not."""
    return json_type(left) == json_type(right) and bool(left == right)


def _contains(left: str, right: str) -> bool:
    return contains(read_json(left), read_json(right))


def _has(value: Json, key: str) -> bool:
    if isinstance(value, dict):
        return key in value
    return (
        key in [i for i in value if isinstance(i, str)] if isinstance(value, list) else value == key
    )


def _has_key(text: str, key: str) -> bool:
    return _has(read_json(text), key)


def _has_any(text: str, keys: list[str | None]) -> bool:
    value = read_json(text)
    return any(_has(value, key) for key in keys if key is not None)


def _has_all(text: str, keys: list[str | None]) -> bool:
    value = read_json(text)
    return all(_has(value, key) for key in keys if key is not None)


def _concat(left: str, right: str) -> str:
    a, b = read_json(left), read_json(right)
    if isinstance(a, dict) and isinstance(b, dict):
        return write_json({**a, **b})
    if isinstance(a, dict) != isinstance(b, dict) and not (
        isinstance(a, list) or isinstance(b, list)
    ):
        raise InvalidParameter("invalid concatenation of jsonb objects")
    return write_json((a if isinstance(a, list) else [a]) + (b if isinstance(b, list) else [b]))


def _without_keys(text: str, keys: list[str | None]) -> str:
    value = read_json(text)
    drop = {key for key in keys if key is not None}
    if isinstance(value, dict):
        return write_json({key: item for key, item in value.items() if key not in drop})
    if isinstance(value, list):
        return write_json([i for i in value if not (isinstance(i, str) and i in drop)])
    raise InvalidParameter("cannot delete from scalar")


def _without_index(text: str, index: int) -> str:
    value = read_json(text)
    if isinstance(value, dict):
        raise InvalidParameter("cannot delete from object using integer index")
    if not isinstance(value, list):
        raise InvalidParameter("cannot delete from scalar")
    if -len(value) <= index < len(value):
        del value[index]
    return write_json(value)


def _without_path(text: str, path: list[str | None]) -> str:
    value = read_json(text)
    if not isinstance(value, _CONTAINERS):
        raise InvalidParameter("cannot delete path in scalar")
    parent_found, parent = _walk(value, path[:-1])
    if path and parent_found and path[-1] is not None and _step(parent, path[-1])[0]:
        del parent[int(path[-1]) if isinstance(parent, list) else path[-1]]
    return write_json(value)


def _assigned(text: str, path: list[str | None], new: str, create: bool) -> str:
    value, item = read_json(text), read_json(new)
    if not isinstance(value, _CONTAINERS):
        raise InvalidParameter("cannot set path in scalar")
    if not path:
        return write_json(value)
    found, parent = _walk(value, path[:-1])
    key = path[-1]
    if key is None:
        raise InvalidParameter(f"path element at position {len(path)} is null")
    if found and isinstance(parent, dict) and (create or key in parent):
        parent[key] = item
    elif found and isinstance(parent, list):
        index = _index(key, len(path))
        if -len(parent) <= index < len(parent):
            parent[index] = item
        elif create:
            parent.insert(0 if index < 0 else len(parent), item)
    return write_json(value)


def _index(key: str, position: int) -> int:
    try:
        return int(key)
    except ValueError as error:
        message = f'path element at position {position} is not an integer: "{key}"'
        raise InvalidText(message) from error


def _inserted(text: str, path: list[str | None], new: str, after: bool) -> str:
    value, item = read_json(text), read_json(new)
    found, parent = _walk(value, path[:-1])
    key = path[-1] if path else None
    if key is None or not found:
        return write_json(value)
    if isinstance(parent, dict):
        if key in parent:
            raise InvalidParameter("cannot replace existing key")
        parent[key] = item
    elif isinstance(parent, list):
        index = _index(key, len(path))
        if index < 0:
            index = max(index + len(parent), -1)
        parent.insert(min(max(index + (1 if after else 0), 0), len(parent)), item)
    return write_json(value)


def _stripped(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _stripped(item) for key, item in value.items() if item is not None}
    return [_stripped(item) for item in value] if isinstance(value, list) else value


def _strip_nulls(text: str) -> str:
    return write_json(_stripped(read_json(text)))


def _array_length(text: str) -> int:
    value = read_json(text)
    if isinstance(value, list):
        return len(value)
    kind = "a non-array" if isinstance(value, dict) else "a scalar"
    raise InvalidParameter(f"cannot get array length of {kind}")


def _elements(text: str) -> list[Json]:
    value = read_json(text)
    if isinstance(value, list):
        return value
    kind = "an object" if isinstance(value, dict) else "a scalar"
    raise InvalidParameter(f"cannot extract elements from {kind}")


def _object(text: str, function: str) -> dict[str, Json]:
    value = read_json(text)
    if isinstance(value, dict):
        return value
    kind = "an array" if isinstance(value, list) else "a scalar"
    raise InvalidParameter(f"cannot call {function} on {kind}")


def _keys(text: str) -> list[str]:
    # jsonb keeps its keys in order.
    return sorted(_object(text, "jsonb_object_keys"), key=lambda k: (len(k.encode()), k.encode()))


def _pairs(text: str) -> list[list[str | None]]:
    value = _object(text, "jsonb_each")
    order = sorted(value, key=lambda k: (len(k.encode()), k.encode()))
    return [[key, write_json(value[key])] for key in order]


def _text_pairs(text: str) -> list[list[str | None]]:
    value = _object(text, "jsonb_each_text")
    order = sorted(value, key=lambda k: (len(k.encode()), k.encode()))
    return [[key, json_text(value[key])] for key in order]


def _built_array(items: list[str | None]) -> str:
    return write_json([None if item is None else read_json(item) for item in items])


def _built_object(keys: list[str | None], items: list[str | None]) -> str:
    if len(keys) != len(items):
        raise InvalidParameter("argument list must have even number of elements")
    result: dict[str, Json] = {}
    for key, item in zip(keys, items, strict=True):
        if key is None:
            raise InvalidParameter("field name must not be null")
        result[key] = None if item is None else read_json(item)
    return write_json(result)


def _scalar(text: str, wanted: str, name: str) -> Json:
    value = read_json(text)
    kind = json_type(value)
    if kind == wanted:
        return value
    raise InvalidParameter(f"cannot cast jsonb {kind} to type {name}")


def _number(text: str, name: str) -> str:
    value = _scalar(text, "number", name)
    if name in ("smallint", "integer", "bigint"):
        return str(round(value)) if not isinstance(value, Decimal) else str(_half_up(value))
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _half_up(value: Decimal) -> int:
    return int(value.to_integral_value(rounding="ROUND_HALF_UP"))


def _boolean(text: str) -> bool:
    value: bool = _scalar(text, "boolean", "boolean")
    return value


def _is_json(text: str, kind: str) -> bool:
    try:
        found = json_type(read_json(text))
    except InvalidText:
        return False
    if kind == "SCALAR":
        return found not in ("array", "object")
    return not kind or kind == "VALUE" or found == kind.lower()


def _sort_key(text: str) -> str:
    """Return a text whose order is jsonb's: object > array > boolean > number > string > null."""
    value = read_json(text)
    rank = {"null": 0, "string": 1, "number": 2, "boolean": 3, "array": 4, "object": 5}
    kind = json_type(value)
    if kind == "number":
        return f"2{int(Fraction(value) * 10**12) + 10**50:060}"
    if isinstance(value, _CONTAINERS):
        return f"{rank[kind]}{len(value):010}{write_json(value)}"
    return f"{rank[kind]}{write_json(value)}"


def _texts(text: str) -> list[str | None]:
    return [json_text(item) for item in _elements(text)]


def _element_texts(text: str) -> list[str]:
    return [write_json(item) for item in _elements(text)]


def _json_type(text: str) -> str:
    return json_type(read_json(text))


def _pretty(text: str) -> str:
    return pretty_json(read_json(text))


def _field_text(text: str, key: str) -> str | None:
    """Return an object's member as text, for records populated from JSON."""
    value: Any = read_json(text)
    return json_text(value.get(key)) if isinstance(value, dict) else None


def _checked_json(text: str) -> str:
    """Return a JSON text as it is. Raises: InvalidText (22P02)."""
    normal_json(text)
    return text


_T, _L = "VARCHAR", "VARCHAR[]"

NATIVES = (
    NativeFunction("_vs_json_kept", (_T,), _T, _checked_json),
    NativeFunction("_vs_json_normal", (_T,), _T, normal_json),
    NativeFunction("_vs_json_at", (_T, _L), _T, _at_path),
    NativeFunction("_vs_json_text_at", (_T, _L), _T, _text_at_path),
    NativeFunction("_vs_json_contains", (_T, _T), "BOOLEAN", _contains),
    NativeFunction("_vs_json_has", (_T, _T), "BOOLEAN", _has_key),
    NativeFunction("_vs_json_has_any", (_T, _L), "BOOLEAN", _has_any),
    NativeFunction("_vs_json_has_all", (_T, _L), "BOOLEAN", _has_all),
    NativeFunction("_vs_json_concat", (_T, _T), _T, _concat),
    NativeFunction("_vs_json_without", (_T, _L), _T, _without_keys),
    NativeFunction("_vs_json_without_index", (_T, "BIGINT"), _T, _without_index),
    NativeFunction("_vs_json_without_path", (_T, _L), _T, _without_path),
    NativeFunction("_vs_json_set", (_T, _L, _T, "BOOLEAN"), _T, _assigned),
    NativeFunction("_vs_json_insert", (_T, _L, _T, "BOOLEAN"), _T, _inserted),
    NativeFunction("_vs_json_strip", (_T,), _T, _strip_nulls),
    NativeFunction("_vs_json_length", (_T,), "INTEGER", _array_length),
    NativeFunction("_vs_json_elements", (_T,), _L, _element_texts),
    NativeFunction("_vs_json_texts", (_T,), _L, _texts),
    NativeFunction("_vs_json_keys", (_T,), _L, _keys),
    NativeFunction("_vs_json_pairs", (_T,), "VARCHAR[][]", _pairs),
    NativeFunction("_vs_json_text_pairs", (_T,), "VARCHAR[][]", _text_pairs),
    NativeFunction("_vs_json_array", (_L,), _T, _built_array),
    NativeFunction("_vs_json_object", (_L, _L), _T, _built_object),
    NativeFunction("_vs_json_number", (_T, _T), _T, _number),
    NativeFunction("_vs_json_boolean", (_T,), "BOOLEAN", _boolean),
    NativeFunction("_vs_is_json", (_T, _T), "BOOLEAN", _is_json),
    NativeFunction("_vs_json_key", (_T,), _T, _sort_key),
    NativeFunction("_vs_json_type", (_T,), _T, _json_type),
    NativeFunction("_vs_json_pretty", (_T,), _T, _pretty),
    NativeFunction("_vs_json_field", (_T, _T), _T, _field_text),
)
