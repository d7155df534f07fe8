"""Parts of a json text as they were written.

Law: json keeps its text, so its operators return a part of it with its own spaces, digits and
order of keys; of a key that stands there twice, the last one counts.
Source: PostgreSQL 15's manual, section 8.14 "JSON Types".
"""

from __future__ import annotations

import json
import re

from voltstream.core.errors import InvalidParameter, InvalidText
from voltstream.core.native import NativeFunction

_BLANK = re.compile(r"[ \t\n\r]*")
_INDEX = re.compile(r"\s*[+-]?\d+")
_DECODER = json.JSONDecoder()
_Member = tuple[str, str]


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found is not None else at


def _members(text: str) -> list[_Member]:
    """Return an object's keys, and their values as written."""
    found: list[_Member] = []
    at = _skip(text, 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, start)
        found.append((key, text[start:end]))
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _items(text: str) -> list[str]:
    """Return an array's elements as written."""
    found: list[str] = []
    at = _skip(text, 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        found.append(text[at:end])
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _checked(text: str) -> str:
    try:
        _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise InvalidText("invalid input syntax for type json") from error
    return text.strip(" \t\n\r")


def _member(text: str, key: str) -> str | None:
    if not text.startswith("{"):
        return None
    return next((value for name, value in reversed(_members(text)) if name == key), None)


def _item(text: str, index: int) -> str | None:
    if not text.startswith("["):
        return None
    items = _items(text)
    return items[index] if -len(items) <= index < len(items) else None


def _at_key(text: str, key: str) -> str | None:
    return _member(_checked(text), key)


def _at_index(text: str, index: int) -> str | None:
    return _item(_checked(text), index)


def _at_path(text: str, path: list[str | None]) -> str | None:
    found: str | None = _checked(text)
    for step in path:
        if found is None or step is None:
            return None
        if found.startswith("["):
            found = _item(found, int(step)) if _INDEX.fullmatch(step) else None
        else:
            found = _member(found, step)
    return found


def _as_text(text: str) -> str | None:
    """Return what ->> makes of a part: a string bare, null as NULL."""
    if text.startswith('"'):
        return str(_DECODER.decode(text))
    return None if text == "null" else text


def _kind(text: str) -> str:
    return {"{": "an object", "[": "an array"}.get(text[:1], "a scalar")


def _elements(text: str) -> list[str]:
    whole = _checked(text)
    if not whole.startswith("["):
        raise InvalidParameter(f"cannot call json_array_elements on {_kind(whole)}")
    return _items(whole)


def _element_texts(text: str) -> list[str | None]:
    return [_as_text(item) for item in _elements(text)]


def _object(text: str, function: str) -> list[_Member]:
    whole = _checked(text)
    if not whole.startswith("{"):
        raise InvalidParameter(f"cannot call {function} on {_kind(whole)}")
    return _members(whole)


def _keys(text: str) -> list[str]:
    return [key for key, _ in _object(text, "json_object_keys")]


def _pairs(text: str) -> list[list[str | None]]:
    return [[key, value] for key, value in _object(text, "json_each")]


def _text_pairs(text: str) -> list[list[str | None]]:
    return [[key, _as_text(value)] for key, value in _object(text, "json_each_text")]


_T, _L, _P = "VARCHAR", "VARCHAR[]", "VARCHAR[][]"

NATIVES = (
    NativeFunction("_vs_json_source_member", (_T, _T), _T, _at_key),
    NativeFunction("_vs_json_source_item", (_T, "BIGINT"), _T, _at_index),
    NativeFunction("_vs_json_source_at", (_T, _L), _T, _at_path),
    NativeFunction("_vs_json_source_text", (_T,), _T, _as_text),
    NativeFunction("_vs_json_source_elements", (_T,), _L, _elements),
    NativeFunction("_vs_json_source_texts", (_T,), _L, _element_texts),
    NativeFunction("_vs_json_source_keys", (_T,), _L, _keys),
    NativeFunction("_vs_json_source_pairs", (_T,), _P, _pairs),
    NativeFunction("_vs_json_source_text_pairs", (_T,), _P, _text_pairs),
)
