"""Values of types that the store keeps as another: padded characters, vectors of numbers, bits.

Source: PostgreSQL 15, src/backend/utils/adt: varchar.c, int.c (int2vector), oid.c, varbit.c.
"""

from __future__ import annotations

import struct
from typing import Any

import pyarrow as pa

from voltstream.core.types import DataType, Kind
from voltstream.pgwire.faults import UndefinedBinaryOutput
from voltstream.sql.styles.arrow import CELL, Cells, pc
from voltstream.store.pg_catalog.types import built_in

_ELEMENTS = {Kind.INT2VECTOR: (21, "!ih"), Kind.OIDVECTOR: (26, "!iI")}
_TYPE_NUMBERS = {one.display: one.oid for one in built_in()}
REGISTERED = (
    Kind.REGPROC, Kind.REGPROCEDURE, Kind.REGCLASS, Kind.REGTYPE, Kind.REGNAMESPACE, Kind.REGROLE,
)  # fmt: skip


def as_shown(array: Cells, data_type: DataType) -> Cells:
    """Return values as their type shows them, where that is another form than the store's."""
    if data_type.kind is Kind.BPCHAR and data_type.precision and not data_type.array_depth:
        return pc.utf8_rpad(array.cast(pa.large_string()), data_type.precision, " ")
    is_list = pa.types.is_list(array.type) or pa.types.is_large_list(array.type)
    if data_type.kind in _ELEMENTS and is_list and not data_type.array_depth:
        texts = array.cast(pa.large_list(pa.large_string()))
        return pc.binary_join(texts, pa.scalar(" ", pa.large_string()))
    return array


def vector_cells(array: Cells, kind: Kind) -> Cells:
    """Return int2vector or oidvector in binary: an array that counts from 0."""
    oid, layout = _ELEMENTS[kind]

    def pack(value: Any) -> bytes:
        numbers = [int(n) for n in value.split()] if isinstance(value, str) else value
        items = b"".join(struct.pack(layout, struct.calcsize(layout) - 4, n) for n in numbers)
        return struct.pack("!iiIii", 1, 0, oid, len(numbers), 0) + items

    return _each(array, pack)


def bit_cells(array: Cells) -> Cells:
    """Return bits, spelled as digits, in binary: their count, and bytes filled up with zeros."""

    def pack(digits: str) -> bytes:
        size = (len(digits) + 7) // 8
        number = int(digits.ljust(size * 8, "0") or "0", 2)
        return struct.pack("!i", len(digits)) + number.to_bytes(size, "big")

    return _each(array, pack)


def char_cells(array: Cells) -> Cells:
    """Return "char" in binary: one byte, which is 0 for the empty one."""
    return _each(array, lambda text: text.encode()[:1] or b"\0")


def registered_cells(array: Cells, kind: Kind) -> Cells:
    """Return names of objects in binary: their numbers. Raises: UndefinedBinaryOutput (42883)."""

    def pack(name: str) -> bytes:
        if name == "-" or name.isdigit():
            return struct.pack("!I", int(name) if name.isdigit() else 0)
        if kind is Kind.REGTYPE and name in _TYPE_NUMBERS:
            return struct.pack("!I", _TYPE_NUMBERS[name])
        raise UndefinedBinaryOutput(
            f"no binary output function available for type {kind.pg_name}",
            hint="Ask for the column as text, or cast it to oid.",
        )

    return _each(array, pack)


def _each(array: Cells, pack: Any) -> Cells:
    return pa.array((None if v is None else pack(v) for v in array.to_pylist()), CELL)
