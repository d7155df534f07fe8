"""Arrow columns to PostgreSQL's binary output.

Source: the *send functions of PostgreSQL's src/backend/utils/adt.
"""

from __future__ import annotations

import itertools
import re
import struct
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from voltstream.core.errors import InternalError
from voltstream.core.types import DataType, Kind
from voltstream.pgwire.declared import (
    REGISTERED,
    as_shown,
    bit_cells,
    char_cells,
    registered_cells,
    vector_cells,
)
from voltstream.pgwire.text import encoded, plain, text_cells, text_values
from voltstream.sql.styles.arrow import CELL, EMPTY_CELL, Cells, pc
from voltstream.sql.styles.numerics import numeric_cells
from voltstream.sql.styles.style import USUAL, Style

_TIMETZ = re.compile(r"(\d+):(\d+):(\d+)(?:\.(\d+))?([+-])(\d+)(?::(\d+))?(?::(\d+))?")
_EPOCH_DAYS = 10_957  # 2000-01-01, PostgreSQL's zero, in days since 1970-01-01.
_EPOCH_US = _EPOCH_DAYS * 86_400_000_000
_INFINITY = 2**63 - 1

_INTEGERS = {Kind.INT2: ">i2", Kind.INT4: ">i4", Kind.INT8: ">i8", Kind.OID: ">u4", Kind.XID: ">u4"}
_FLOATS = {Kind.FLOAT4: ">f4", Kind.FLOAT8: ">f8"}


def binary_cells(array: Cells, data_type: DataType, style: Style = USUAL) -> Cells:
    """Return one large_binary value per row: the binary form, or null."""
    array = plain(array)
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), CELL)
    array = as_shown(array, data_type) if data_type.kind is Kind.BPCHAR else array
    if data_type.array_depth:
        return _arrays(array, data_type, style)
    kind = data_type.kind
    if kind in _INTEGERS:
        return _fixed(array, _INTEGERS[kind], 0)
    if kind in _FLOATS:
        return _fixed(array, _FLOATS[kind], 0.0)
    if kind is Kind.RECORD:
        return _records(array, data_type, style)
    if kind in (Kind.INT2VECTOR, Kind.OIDVECTOR):
        return vector_cells(array, kind)
    if kind in REGISTERED:
        return registered_cells(array, kind)
    encode = _ENCODERS.get(kind)
    return encode(array) if encode else _texts(array, kind, style)


def _texts(array: Cells, kind: Kind, style: Style) -> Cells:
    """Spell what has no binary form of its own, by no setting but the client's encoding."""
    texts = text_values(array, kind)
    return texts.cast(CELL) if style.is_utf8 else encoded(texts, style)


def _per_value(array: Cells, pack: Callable[[Any], bytes]) -> Cells:
    return _cells(None if value is None else pack(value) for value in array.to_pylist())


def _cells(values: Iterable[bytes | None]) -> Cells:
    return pa.array(values, CELL)


def big_endian(numbers: np.ndarray[Any, Any], layout: str, valid: Cells | None = None) -> Cells:
    """Return numbers as large_binary values of their fixed network form."""
    width = np.dtype(layout).itemsize
    data = pa.py_buffer(numbers.astype(layout).tobytes())
    offsets = pa.py_buffer(
        np.arange(0, (len(numbers) + 1) * width, width, dtype=np.int64).tobytes()
    )
    cells = pa.Array.from_buffers(CELL, len(numbers), [None, offsets, data])
    return cells if valid is None else pc.if_else(valid, cells, None)


def _fixed(array: Cells, layout: str, filler: float) -> Cells:
    numbers = pc.fill_null(array, filler).to_numpy(zero_copy_only=False)
    return big_endian(numbers, layout, array.is_valid() if array.null_count else None)


def _bools(array: Cells) -> Cells:
    return _fixed(array.cast(pa.uint8()), ">u1", 0)


def _dates(array: Cells) -> Cells:
    days = pc.fill_null(array.cast(pa.date32()).cast(pa.int32()), 0).to_numpy().astype(np.int64)
    infinite = np.abs(days) == 2**31 - 1
    # PostgreSQL's -infinity is the smallest integer, the store's is the one above it.
    bounds = np.where(days > 0, 2**31 - 1, -(2**31))
    return big_endian(np.where(infinite, bounds, days - _EPOCH_DAYS), ">i4", array.is_valid())


def _timestamps(array: Cells) -> Cells:
    unit = pa.timestamp("us", array.type.tz)
    micros = pc.fill_null(array.cast(unit, safe=False).cast(pa.int64()), 0).to_numpy()
    infinite = np.abs(micros) == _INFINITY
    bounds = np.where(micros > 0, _INFINITY, -_INFINITY - 1)
    shifted = np.where(infinite, 0, micros) - _EPOCH_US
    return big_endian(np.where(infinite, bounds, shifted), ">i8", array.is_valid())


def _times(array: Cells) -> Cells:
    return _fixed(array.cast(pa.time64("us")).cast(pa.int64()), ">i8", 0)


def _timetzs(array: Cells) -> Cells:
    return _per_value(array, _timetz_bytes)  # It is text here: Arrow has no such type.


def _timetz_bytes(text: str) -> bytes:
    found = _TIMETZ.fullmatch(text)
    if found is None:
        raise InternalError(f"not a time with a zone: {text}")
    hours, minutes, seconds, fraction, sign, *zone = found.groups()
    micros = (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1_000_000
    micros += int((fraction or "").ljust(6, "0"))
    east_s = sum(int(part or 0) * size for part, size in zip(zone, (3600, 60, 1), strict=True))
    return struct.pack("!qi", micros, east_s if sign == "-" else -east_s)


def _interval_bytes(value: Any) -> bytes:
    return struct.pack("!qii", value.nanoseconds // 1000, value.days, value.months)


def _uuids(array: Cells) -> Cells:
    if pa.types.is_fixed_size_binary(array.type):
        return array.cast(pa.binary()).cast(CELL)
    return _per_value(array, lambda value: uuid.UUID(value).bytes)


def _byteas(array: Cells) -> Cells:
    if pa.types.is_fixed_size_binary(array.type):
        array = array.cast(pa.binary())
    return array.cast(CELL)


def _jsonbs(array: Cells) -> Cells:
    version = pa.scalar(b"\x01", CELL)
    return pc.binary_join_element_wise(version, text_cells(array, Kind.JSONB), EMPTY_CELL)


def _records(array: Cells, data_type: DataType, style: Style) -> Cells:
    """Pack records: how many fields, and of each its type and value."""
    if not pa.types.is_struct(array.type) or not array.type.num_fields:
        return text_cells(array)
    types = [_field_type(field) for field in data_type.fields]
    fields = [
        binary_cells(field, kind, style).to_pylist()
        for field, kind in zip(array.flatten(), types, strict=True)
    ]
    head = struct.pack("!i", len(fields))
    rows = zip(*fields, strict=True)
    packed = (
        head + b"".join(_item(kind.oid, cell) for kind, cell in zip(types, row, strict=True))
        for row in rows
    )
    valid = array.is_valid().to_pylist()
    return _cells(cell if keep else None for cell, keep in zip(packed, valid, strict=True))


def _field_type(found: DataType) -> DataType:
    """Return the type of a field: the store has one of strings, which is text here."""
    return replace(found, kind=Kind.TEXT) if found.kind is Kind.VARCHAR else found


def _item(oid: int, cell: bytes | None) -> bytes:
    head = struct.pack("!I", oid)
    return head + (b"\xff\xff\xff\xff" if cell is None else struct.pack("!i", len(cell)) + cell)


def _arrays(array: Cells, data_type: DataType, style: Style) -> Cells:
    """Pack arrays: dimensions, a flag for nulls, the element OID, the elements row by row."""
    element = replace(data_type, array_depth=0)
    lengths: list[list[int]] = []
    level = array
    while pa.types.is_list(level.type) or pa.types.is_large_list(level.type):
        lengths.append(pc.fill_null(pc.list_value_length(level), 0).to_pylist())
        level = level.flatten()
    ends = [[0, *itertools.accumulate(sizes)] for sizes in lengths]
    cells = binary_cells(level, element, style).to_pylist()

    def packed(row: int) -> bytes:
        shape: list[int] = []
        start, end = row, row + 1
        for sizes, bounds in zip(lengths, ends, strict=True):
            shape.append(sizes[start] if start < end else 0)
            start, end = bounds[start], bounds[end]
        return _array_bytes(cells[start:end], shape, element.oid)

    valid = array.is_valid().to_pylist()
    return _cells(packed(row) if keep else None for row, keep in enumerate(valid))


def _array_bytes(cells: Sequence[bytes | None], shape: Sequence[int], oid: int) -> bytes:
    dimensions = shape if cells else ()
    head = struct.pack("!iiI", len(dimensions), int(None in cells), oid)
    sides = b"".join(struct.pack("!ii", length, 1) for length in dimensions)
    body = b"".join(
        b"\xff\xff\xff\xff" if cell is None else struct.pack("!i", len(cell)) + cell
        for cell in cells
    )
    return head + sides + body


_ENCODERS: dict[Kind, Callable[[Cells], Cells]] = {
    Kind.BOOL: _bools,
    Kind.NUMERIC: numeric_cells,
    Kind.DATE: _dates,
    Kind.TIME: _times,
    Kind.TIMETZ: _timetzs,
    Kind.TIMESTAMP: _timestamps,
    Kind.TIMESTAMPTZ: _timestamps,
    Kind.INTERVAL: lambda array: _per_value(array, _interval_bytes),
    Kind.UUID: _uuids,
    Kind.BYTEA: _byteas,
    Kind.JSONB: _jsonbs,
    Kind.BIT: bit_cells,
    Kind.VARBIT: bit_cells,
    Kind.CHAR: char_cells,
}
