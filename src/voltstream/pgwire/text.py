"""Arrow columns to PostgreSQL's text output, one column at a time.

Law: for a value both can hold, the text equals what PostgreSQL 15 prints with the same settings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from voltstream.core.types import Kind
from voltstream.pgwire.faults import UntranslatableCharacter
from voltstream.sql.natives.json_values import normal_json
from voltstream.sql.styles.arrow import CELL, Cells, pc
from voltstream.sql.styles.datetimes import (
    date_texts,
    time_texts,
    timestamp_texts,
    timestamptz_texts,
)
from voltstream.sql.styles.intervals import interval_text
from voltstream.sql.styles.numerics import float4_text, float8_texts, is_unbounded
from voltstream.sql.styles.style import USUAL, Style, escaped_bytes

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


def text_cells(array: Cells, kind: Kind = Kind.TEXT, style: Style = USUAL) -> Cells:
    """Return one large_binary value per row: the text form in the client's encoding, or null."""
    texts = text_values(array, kind, style)
    return texts.cast(CELL) if style.is_utf8 else encoded(texts, style)


def encoded(texts: Cells, style: Style) -> Cells:
    """Return texts in the client's encoding. Raises: UntranslatableCharacter (22P05)."""
    return pa.array(
        (None if text is None else encoded_text(text, style) for text in _decoded(texts)), CELL
    )


def encoded_text(text: str, style: Style) -> bytes:
    """Raises: UntranslatableCharacter (22P05)."""
    try:
        return text.encode(style.codec)
    except UnicodeEncodeError as error:
        raw = " ".join(f"0x{byte:02x}" for byte in text[error.start].encode())
        raise UntranslatableCharacter(
            f'character with byte sequence {raw} in encoding "UTF8" has no equivalent in '
            f'encoding "{style.encoding}"'
        ) from error


def text_values(array: Cells, kind: Kind = Kind.TEXT, style: Style = USUAL) -> Cells:
    """Return the text form as large_string, or large_binary for strings already encoded."""
    array = plain(array)
    data_type = array.type
    is_text = pa.types.is_string(data_type) or pa.types.is_large_string(data_type)
    if kind is Kind.JSONB and is_text:
        return _per_value(array, normal_json)
    if pa.types.is_timestamp(data_type):
        if data_type.tz is not None:
            return timestamptz_texts(array, style)
        return timestamp_texts(array, style)
    if pa.types.is_time(data_type):
        return time_texts(array)
    if pa.types.is_list(data_type) or pa.types.is_large_list(data_type):
        return _list_texts(array, kind, style)
    if pa.types.is_struct(data_type):
        return _struct_texts(array, style)
    for applies, encode in _ENCODERS:
        if applies(data_type):
            return encode(array, style)
    return array.cast(pa.large_string())


def _strings(values: Iterable[str | None]) -> Cells:
    return pa.array(values, pa.large_string())


def _per_value(array: Cells, spell: Callable[[Any], str]) -> Cells:
    return _strings(None if value is None else spell(value) for value in array.to_pylist())


def _bool_texts(array: Cells, _: Style) -> Cells:
    return pc.if_else(array, "t", "f").cast(pa.large_string())


def _decimal_texts(array: Cells, _: Style) -> Cells:
    texts = array.cast(pa.large_string())
    # Arrow turns scientific for small numbers, PostgreSQL's numeric never does.
    if pc.any(pc.match_substring(texts, "E")).as_py():
        texts = _per_value(array, lambda value: format(value, "f"))
    if is_unbounded(array.type):
        return pc.replace_substring_regex(texts, r"\.?0+$", "").cast(pa.large_string())
    return texts


def _bytea_texts(array: Cells, style: Style) -> Cells:
    if style.bytea == "escape":
        return _per_value(array, escaped_bytes)
    return _per_value(array, lambda value: "\\x" + value.hex())


def _interval_texts(array: Cells, style: Style) -> Cells:
    def spell(value: Any) -> str:
        return interval_text(value.months, value.days, value.nanoseconds // 1000, style.intervals)

    return _per_value(array, spell)


def _float4_texts(array: Cells, style: Style) -> Cells:
    return _per_value(array, lambda value: float4_text(value, style.float_digits))


def _map_texts(array: Cells, style: Style) -> Cells:
    keys, values = (
        _decoded(text_values(part, Kind.TEXT, style)) for part in (array.keys, array.items)
    )
    rows: list[str | None] = []
    start = array.offsets[0].as_py() if len(array) else 0
    for end, valid in zip(array.offsets[1:].to_pylist(), array.is_valid().to_pylist(), strict=True):
        place = slice(start - array.offsets[0].as_py(), end - array.offsets[0].as_py())
        pairs = zip(keys[place], values[place], strict=True)
        spelled = ",".join(f"{key}:{'NULL' if value is None else value}" for key, value in pairs)
        rows.append("{" + spelled + "}" if valid else None)
        start = end
    return _strings(rows)


def _null_texts(array: Cells, _: Style) -> Cells:
    return pa.nulls(len(array), pa.large_string())


def _array_item(text: str | None) -> str:
    if text is None:
        return "NULL"
    if _ARRAY_QUOTED.search(text):
        return '"' + _ARRAY_ESCAPED.sub(r"\\\1", text) + '"'
    return text


def _list_texts(array: Cells, kind: Kind, style: Style) -> Cells:
    item_type = array.type.value_type
    nested = pa.types.is_list(item_type) or pa.types.is_large_list(item_type)
    # An inner array stands bare between the braces; anything else is quoted where needed.
    spell = (lambda text: text or "NULL") if nested else _array_item
    items = [spell(text) for text in _decoded(text_values(array.flatten(), kind, style))]
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


def _struct_texts(array: Cells, style: Style) -> Cells:
    fields = [
        [_record_field(text) for text in _decoded(text_values(field, Kind.TEXT, style))]
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


def _vector_texts(array: Cells, _: Style) -> Cells:
    return _per_value(array, lambda items: "[" + ",".join(map(float4_text, items)) + "]")


_ENCODERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[Cells, Style], Cells]], ...] = (
    (pa.types.is_boolean, _bool_texts),
    (pa.types.is_float64, lambda array, style: float8_texts(array, style.float_digits)),
    (pa.types.is_floating, _float4_texts),
    (pa.types.is_decimal, _decimal_texts),
    (pa.types.is_date, date_texts),
    (pa.types.is_interval, _interval_texts),
    (_is_bytes, _bytea_texts),
    (pa.types.is_map, _map_texts),
    (pa.types.is_fixed_size_list, _vector_texts),
    (pa.types.is_null, _null_texts),
)
