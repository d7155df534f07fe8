"""Numbers as PostgreSQL spells and packs them, a column at a time.

Source: PostgreSQL, src/backend/utils/adt/float.c and numeric.c (numeric_send).
"""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from voltstream.sql.styles.arrow import CELL, Cells, pc

_STRINGS = pa.large_string()
_PLAIN_SCALE_MAX = 15  # A fraction padded to groups of four digits then still fits 64 bits.
_FLOAT8_DIGITS = 15  # C's DBL_DIG.
_FLOAT4_DIGITS = 6  # C's FLT_DIG.
_GROUP = 10_000  # numeric.c, NBASE.
_NEGATIVE = 0x4000
NUMERIC_NAN = struct.pack("!HhHH", 0, 0, 0xC000, 0)

Integers = np.ndarray[Any, np.dtype[np.int64]]


def float8_texts(array: Cells, extra_digits: int = 1) -> Cells:
    """Spell doubles with the fewest digits that read back the same, or as few as asked for."""
    if extra_digits <= 0:
        digits = _FLOAT8_DIGITS + extra_digits
        values = (None if v is None else rounded_text(v, digits) for v in array.to_pylist())
        return pa.array(values, _STRINGS)
    texts = array.cast(_STRINGS)
    size = pc.abs(array)
    # Arrow and PostgreSQL agree on the digits, and on plain notation in this range.
    plain = pc.fill_null(
        pc.and_(pc.and_(pc.greater_equal(size, 1e-4), pc.less(size, 1e10)), array.is_valid()), True
    )
    if pc.all(plain).as_py() is not False:
        return _without_point(texts)
    odd = pc.invert(plain)
    spelled = [None if v is None else float8_text(v) for v in array.filter(odd).to_pylist()]
    return pc.replace_with_mask(_without_point(texts), odd, pa.array(spelled, _STRINGS))


def _without_point(texts: Cells) -> Cells:
    return pc.replace_substring_regex(texts, r"\.0$", "")


def float8_text(value: float) -> str:
    """Spell a double with the fewest digits that read back the same."""
    text = repr(value)
    if text.endswith(".0"):
        text = text[:-2]
    if abs(value) < 1e15 or "e" in text:
        return text
    if math.isnan(value):
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    # Python turns scientific at 1e16, PostgreSQL at 1e15 (DBL_DIG).
    sign = "-" if value < 0 else ""
    digits = text.lstrip("-").replace(".", "").rstrip("0")
    return f"{sign}{digits[0]}{'.' * (len(digits) > 1)}{digits[1:]}e+15"


def rounded_text(value: float, digits: int) -> str:
    """Spell a float with so many digits at most, as extra_float_digits below 1 asks."""
    if not math.isfinite(value):
        return float8_text(value)
    return f"{value:.{max(digits, 1)}g}"


def float4_text(value: float, extra_digits: int = 1) -> str:
    """Spell a single with the fewest digits that read back the same, or as few as asked for."""
    if extra_digits <= 0:
        return rounded_text(value, _FLOAT4_DIGITS + extra_digits)
    single = np.float32(value)
    if not np.isfinite(single):
        return float8_text(value)
    if single == 0 or 1e-4 <= abs(single) < 1e6:
        return np.format_float_positional(single, unique=True, trim="-")
    return np.format_float_scientific(single, unique=True, trim="-", exp_digits=2)


def is_unbounded(data_type: Any) -> bool:
    """Tell a NUMERIC without a scale, kept as DECIMAL(38,10), and what is computed from it.

    Zeros at the end of its values are nobody's digits. Division has 16 decimals by rule.
    """
    return bool(data_type.precision == 38 and data_type.scale >= 10 and data_type.scale != 16)


def numeric_cells(array: Cells) -> Cells:
    """Pack numerics: base-10000 digits, weight of the first, sign, display scale."""
    if not pa.types.is_decimal128(array.type):
        return _per_value(array)
    unscaled = _unscaled(array)
    scale = array.type.scale
    if unscaled is None or not 0 <= scale <= _PLAIN_SCALE_MAX:
        return _per_value(array)
    return _packed(unscaled, scale, array)


def _per_value(array: Cells) -> Cells:
    trimmed = pa.types.is_decimal(array.type) and is_unbounded(array.type)

    def packed(value: Any) -> bytes:
        return numeric_bytes(_trimmed(value) if trimmed else value)

    return pa.array((None if v is None else packed(v) for v in array.to_pylist()), CELL)


def _trimmed(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= 0:
        return value
    text = format(value, "f").rstrip("0").rstrip(".")
    return Decimal(text)


def _unscaled(array: Cells) -> Integers | None:
    """Return the numbers as integers, or None where one needs more than 64 bits."""
    words = np.frombuffer(array.buffers()[1], "<i8").reshape(-1, 2)
    words = words[array.offset : array.offset + len(array)]
    low, high = words[:, 0].copy(), words[:, 1]
    if array.null_count:
        low[~array.is_valid().to_numpy(zero_copy_only=False)] = 0
        high = np.where(array.is_valid().to_numpy(zero_copy_only=False), high, 0)
    fits = np.array_equal(high, low >> 63) and not np.any(low == np.iinfo(np.int64).min)
    return low if fits else None


def _packed(unscaled: Integers, scale: int, array: Cells) -> Cells:
    size = np.abs(unscaled)
    whole, fraction = np.divmod(size, 10**scale)
    after = -(-scale // 4)
    groups = _groups(whole, 5) + _groups(fraction * 10 ** (4 * after - scale), after)
    digits = np.stack(groups, axis=1).astype(">u2")
    held = digits != 0
    any_held = held.any(axis=1)
    first = np.where(any_held, held.argmax(axis=1), 0)
    last = np.where(any_held, digits.shape[1] - held[:, ::-1].argmax(axis=1), 0)
    shown = np.full(len(size), scale)
    if is_unbounded(array.type):
        shown = _significant(fraction, scale)
    head = np.empty((len(size), 4), ">u2")
    head[:, 0] = last - first
    head[:, 1] = np.where(any_held, 4 - first, 0).astype(">i2").view(">u2")
    head[:, 2] = np.where(unscaled < 0, _NEGATIVE, 0)
    head[:, 3] = shown
    places = np.arange(digits.shape[1])
    kept = (places >= first[:, None]) & (places < last[:, None])
    kept = np.concatenate([np.ones((len(size), 4), bool), kept], axis=1)
    data = np.concatenate([head, digits], axis=1)[kept].astype(">u2").tobytes()
    offsets = np.zeros(len(size) + 1, np.int64)
    np.cumsum(8 + 2 * (last - first), out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data)]
    cells = pa.Array.from_buffers(CELL, len(size), buffers)
    return pc.if_else(array.is_valid(), cells, None) if array.null_count else cells


def _groups(numbers: Integers, count: int) -> list[Integers]:
    """Cut numbers into so many groups of four decimal digits, the highest first."""
    found: list[Integers] = []
    for _ in range(count):
        numbers, group = np.divmod(numbers, _GROUP)
        found.append(group)
    return found[::-1]


def _significant(fraction: Integers, scale: int) -> Integers:
    """Return how many digits of each fraction come before the zeros at its end."""
    shown = np.zeros(len(fraction), np.int64)
    for digits in range(1, scale + 1):
        shown[fraction % 10 ** (scale - digits + 1) != 0] = digits
    return shown


def numeric_bytes(value: Decimal | int | float) -> bytes:
    """Pack one numeric of any size."""
    number = value if isinstance(value, Decimal) else Decimal(value)
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        return NUMERIC_NAN
    scale = max(0, -exponent)
    text = "".join(map(str, digits)) + "0" * max(0, exponent)
    whole, fraction = (text[:-scale] or "0", text[-scale:].zfill(scale)) if scale else (text, "")
    whole = whole.zfill(-(-len(whole) // 4) * 4)
    fraction = fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    joined = whole + fraction
    groups = [int(joined[at : at + 4]) for at in range(0, len(joined), 4)]
    weight = len(whole) // 4 - 1
    while groups and groups[0] == 0:
        groups.pop(0)
        weight -= 1
    while groups and groups[-1] == 0:
        groups.pop()
    if not groups:
        sign, weight = 0, 0
    head = struct.pack("!HhHH", len(groups), weight, _NEGATIVE * sign, scale)
    return head + struct.pack(f"!{len(groups)}H", *groups)
