"""Arrow columns to PostgreSQL's text output, one column at a time.

Law: for a value both can hold, the text equals what PostgreSQL 15 prints with DateStyle ISO,
IntervalStyle postgres and extra_float_digits 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from voltstream.core.types import Kind
from voltstream.pgwire.arrow import CELL, Cells, pc
from voltstream.pgwire.datetimes import (
    date_texts,
    interval_text,
    time_texts,
    timestamp_texts,
    timestamptz_texts,
)
from voltstream.pgwire.numerics import float4_text, float8_texts, is_unbounded
from voltstream.sql.natives.json_values import normal_json

_JSON = (Kind.JSON, Kind.JSONB)
_ARRAY_QUOTED = re.compile(r'[{},"\\\s]|^$|^null$', re.IGNORECASE)
_ARRAY_ESCAPED = re.compile(r'(["\\])')
_RECORD_QUOTED = re.compile(r'[(),"\\\s]|^$')


def plain(array: Cells) -> Cells:
    """Strip what only Arrow cares about: chunks, extension types and dictionaries."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array


def text_cells(array: Cells, kind: Kind = Kind.TEXT, zone: str = "UTC") -> Cells:
    """Return one large_binary value per row: the text form, or null."""
    return text_values(array, kind, zone).cast(CELL)


def text_values(array: Cells, kind: Kind = Kind.TEXT, zone: str = "UTC") -> Cells:
    """Return the text form as large_string, or large_binary for strings already encoded."""
    array = plain(array)
    data_type = array.type
    if kind in _JSON and (pa.types.is_string(data_type) or pa.types.is_large_string(data_type)):
        return _per_value(array, normal_json)
    if pa.types.is_timestamp(data_type):
        if data_type.tz is not None:
            return timestamptz_texts(array, zone)
        return timestamp_texts(array)
    if pa.types.is_time(data_type):
        return time_texts(array, "+00" if kind is Kind.TIMETZ else "")
    if pa.types.is_list(data_type) or pa.types.is_large_list(data_type):
        return _list_texts(array, kind, zone)
    if pa.types.is_struct(data_type):
        return _struct_texts(array, zone)
    for applies, encode in _ENCODERS:
        if applies(data_type):
            return encode(array)
    return array.cast(pa.large_string())


def _strings(values: Iterable[str | None]) -> Cells:
    return pa.array(values, pa.large_string())


def _per_value(array: Cells, spell: Callable[[Any], str]) -> Cells:
    return _strings(None if value is None else spell(value) for value in array.to_pylist())


def _bool_texts(array: Cells) -> Cells:
    return pc.if_else(array, "t", "f").cast(pa.large_string())


def _decimal_texts(array: Cells) -> Cells:
    texts = array.cast(pa.large_string())
    # Arrow turns scientific for small numbers, PostgreSQL's numeric never does.
    if pc.any(pc.match_substring(texts, "E")).as_py():
        texts = _per_value(array, lambda value: format(value, "f"))
    if is_unbounded(array.type):
        return pc.replace_substring_regex(texts, r"\.?0+$", "").cast(pa.large_string())
    return texts


def _bytea_texts(array: Cells) -> Cells:
    return _per_value(array, lambda value: "\\x" + value.hex())


def _interval_texts(array: Cells) -> Cells:
    return _per_value(
        array, lambda value: interval_text(value.months, value.days, value.nanoseconds // 1000)
    )


def _map_texts(array: Cells) -> Cells:
    keys, values = (_decoded(text_values(part)) for part in (array.keys, array.items))
    rows: list[str | None] = []
    start = array.offsets[0].as_py() if len(array) else 0
    for end, valid in zip(array.offsets[1:].to_pylist(), array.is_valid().to_pylist(), strict=True):
        place = slice(start - array.offsets[0].as_py(), end - array.offsets[0].as_py())
        pairs = zip(keys[place], values[place], strict=True)
        spelled = ",".join(f"{key}:{'NULL' if value is None else value}" for key, value in pairs)
        rows.append("{" + spelled + "}" if valid else None)
        start = end
    return _strings(rows)


def _null_texts(array: Cells) -> Cells:
    return pa.nulls(len(array), pa.large_string())


def _array_item(text: str | None) -> str:
    if text is None:
        return "NULL"
    if _ARRAY_QUOTED.search(text):
        return '"' + _ARRAY_ESCAPED.sub(r"\\\1", text) + '"'
    return text


def _list_texts(array: Cells, kind: Kind, zone: str) -> Cells:
    item_type = array.type.value_type
    nested = pa.types.is_list(item_type) or pa.types.is_large_list(item_type)
    # An inner array stands bare between the braces; anything else is quoted where needed.
    spell = (lambda text: text or "NULL") if nested else _array_item
    items = [spell(text) for text in _decoded(text_values(array.flatten(), kind, zone))]
    ends = np.cumsum(pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False))
    rows: list[str | None] = []
    start = 0
    for end, valid in zip(ends.tolist(), array.is_valid().to_pylist(), strict=True):
        rows.append("{" + ",".join(items[start:end]) + "}" if valid else None)
        start = end
    return _strings(rows)


def _record_field(text: str | None) -> str:
    if text is None:
        return ""
    if _RECORD_QUOTED.search(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'
    return text


def _struct_texts(array: Cells, zone: str) -> Cells:
    fields = [
        [_record_field(text) for text in _decoded(text_values(field, Kind.TEXT, zone))]
        for field in array.flatten()
    ]
    valid = array.is_valid().to_pylist()
    if not fields:
        return _strings("()" if keep else None for keep in valid)
    return _strings(
        f"({','.join(row)})" if keep else None
        for row, keep in zip(zip(*fields, strict=True), valid, strict=True)
    )


def _decoded(texts: Cells) -> list[str | None]:
    """Return Python strings of an encoded column."""
    if pa.types.is_large_string(texts.type) or pa.types.is_string(texts.type):
        return list(texts.to_pylist())
    return [None if text is None else text.decode() for text in texts.to_pylist()]


def _is_bytes(data_type: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(data_type)
        or pa.types.is_large_binary(data_type)
        or pa.types.is_fixed_size_binary(data_type)
    )


def _vector_texts(array: Cells) -> Cells:
    return _per_value(array, lambda items: "[" + ",".join(map(float4_text, items)) + "]")


_ENCODERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[Cells], Cells]], ...] = (
    (pa.types.is_boolean, _bool_texts),
    (pa.types.is_float64, float8_texts),
    (pa.types.is_floating, lambda array: _per_value(array, float4_text)),
    (pa.types.is_decimal, _decimal_texts),
    (pa.types.is_date, date_texts),
    (pa.types.is_interval, _interval_texts),
    (_is_bytes, _bytea_texts),
    (pa.types.is_map, _map_texts),
    (pa.types.is_fixed_size_list, _vector_texts),
    (pa.types.is_null, _null_texts),
)
