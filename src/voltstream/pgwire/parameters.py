"""Bound parameters, text or binary, to Python values by their type OID."""

from __future__ import annotations

import math
import re
import struct
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from voltstream.core.errors import FeatureNotSupported, InvalidText, NumericOutOfRange
from voltstream.core.types import STORE_NAMES, Kind
from voltstream.core.values import TypedFloat, TypedInteger, TypedList, TypedText
from voltstream.pgwire.faults import BadBinaryValue, BadEncoding
from voltstream.sql.styles.datetimes import date_text, offset_text, timestamp_text
from voltstream.sql.styles.intervals import clock_text

_EPOCH = datetime(2000, 1, 1)
_EPOCH_DAY = date(2000, 1, 1).toordinal()
_KIND_OF_OID = {kind.oid: kind for kind in Kind}
_ELEMENT_OF_ARRAY = {kind.array_oid: kind for kind in Kind if kind.array_oid}
# regproc, regclass, regtype, regrole, regnamespace, xid, cid: in binary they are their numbers.
_NUMBERED = frozenset({24, 2205, 2206, 4096, 4089, 28, 29})
_INTEGER_BITS = {Kind.INT2: 16, Kind.INT4: 32, Kind.INT8: 64}
_ESCAPE = re.compile(rb"\\(\\|[0-3][0-7]{2})")
_LONE_BACKSLASH = re.compile(r"^(?:[^\\]|\\(?:\\|[0-3][0-7]{2}))*\\(?!\\|[0-3][0-7]{2})")
_DAY_US = 86_400_000_000
_EPOCH_US = 10_957 * _DAY_US  # 2000-01-01 in microseconds since 1970.
_TRUE = frozenset(("t", "true", "y", "yes", "on", "1"))
_FALSE = frozenset(("f", "false", "n", "no", "off", "0"))


def decode_parameter(
    raw: bytes | None, oid: int, format_code: int, codec: str = "utf-8"
) -> object | None:
    """Return the Python value of a parameter.

    Text that is no plain date, time or interval stays a string: the engine knows more spellings.
    Raises: InvalidText (22P02), NumericOutOfRange (22003), BadBinaryValue (22P03).
    """
    if raw is None:
        return None
    if oid in _ELEMENT_OF_ARRAY:
        kind = _ELEMENT_OF_ARRAY[oid]
        if format_code:
            return typed_list(_array_from_binary(raw, codec), kind)
        return typed_list(_array_from_text(_decoded(raw, codec), kind), kind)
    kind = _KIND_OF_OID.get(oid, Kind.UNKNOWN)
    if oid in _NUMBERED and format_code:
        kind = Kind.OID
    if format_code:
        return typed(_from_binary(raw, kind, codec), kind)
    return typed(from_text(_decoded(raw, codec), kind), kind)


_TEXTS = (Kind.TEXT, Kind.VARCHAR, Kind.UNKNOWN)
_WIDTHS = (Kind.INT2, Kind.INT8, Kind.OID)


def typed(value: object, kind: Kind) -> object:
    """Return a value that tells its type, where its class alone does not."""
    match value:
        case bool():
            return value
        case int() if kind in _WIDTHS:
            return TypedInteger(value, STORE_NAMES[kind])
        case float() if kind is Kind.FLOAT4:
            return TypedFloat(value, STORE_NAMES[kind])
        case time() if value.tzinfo is not None:
            return TypedText(value.isoformat(), STORE_NAMES[Kind.TIMETZ])
        case str() if kind not in _TEXTS and kind in STORE_NAMES:
            return TypedText(value, STORE_NAMES[kind])
        case _:
            return value


def typed_list(items: list[object | None], kind: Kind) -> list[object | None]:
    """Return an array that tells its type."""
    depth, level = 1, items
    while level and isinstance(level[0], list):
        depth, level = depth + 1, level[0]
    name = STORE_NAMES.get(kind)
    if kind is Kind.NUMERIC:
        name = f"DECIMAL(38,{_scale(items)})"
    return items if name is None else TypedList(_typed_items(items, kind), name + "[]" * depth)


def _typed_items(items: list[object | None], kind: Kind) -> list[object | None]:
    return [_typed_items(i, kind) if isinstance(i, list) else typed(i, kind) for i in items]


def _scale(items: list[object | None]) -> int:
    """Return the most digits after the point of any element."""
    most = 0
    for item in items:
        if isinstance(item, list):
            most = max(most, _scale(item))
        elif isinstance(item, Decimal):
            exponent = item.as_tuple().exponent
            most = max(most, -exponent if isinstance(exponent, int) else 0)
    return most


def _decoded(raw: bytes, codec: str) -> str:
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError as error:
        wrong = " ".join(f"0x{byte:02x}" for byte in raw[error.start : error.end])
        raise BadEncoding(f'invalid byte sequence for encoding "UTF8": {wrong}') from error
    if "\0" in text:
        raise BadEncoding('invalid byte sequence for encoding "UTF8": 0x00')
    return text


def from_text(text: str, kind: Kind) -> object:
    """Return the Python value that a text spells."""
    match kind:
        case Kind.BOOL:
            return _bool(text)
        case Kind.INT2 | Kind.INT4 | Kind.INT8 | Kind.OID:
            return _integer(text, kind)
        case Kind.FLOAT4 | Kind.FLOAT8:
            return _number(text, kind, float)
        case Kind.NUMERIC:
            return _number(text, kind, Decimal)
        case Kind.BYTEA:
            return _bytea(text)
        case Kind.UUID:
            return _number(text, kind, uuid.UUID)
        case Kind.DATE:
            return _or_text(text, date.fromisoformat)
        case Kind.TIME:
            return _or_text(text, time.fromisoformat)
        case Kind.TIMESTAMP:
            return _or_text(text, lambda value: datetime.fromisoformat(value).replace(tzinfo=None))
        case Kind.TIMESTAMPTZ:
            return _or_text(text, _instant)
        case _:
            return text


def _bool(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise InvalidText(f'invalid input syntax for type boolean: "{text}"')


def _integer(text: str, kind: Kind) -> int:
    try:
        number = int(text)
    except ValueError:
        raise InvalidText(f'invalid input syntax for type {kind.pg_name}: "{text}"') from None
    bits = _INTEGER_BITS.get(kind)
    if bits and not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise NumericOutOfRange(f'value "{text}" is out of range for type {kind.pg_name}')
    return number


def _number(text: str, kind: Kind, read: Callable[[str], object]) -> object:
    try:
        return read(text.strip())
    except (ValueError, InvalidOperation):
        raise InvalidText(f'invalid input syntax for type {kind.pg_name}: "{text}"') from None


def _or_text(text: str, read: Callable[[str], object]) -> object:
    try:
        return read(text.strip())
    except ValueError:
        return text


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("needs the session's zone, which the engine applies")
    return moment


def _bytea(text: str) -> bytes:
    if not text.startswith("\\x"):
        return _from_escapes(text)
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        raise InvalidText(f'invalid hexadecimal data: "{text}"') from None


def _from_escapes(text: str) -> bytes:
    if _LONE_BACKSLASH.search(text):
        raise InvalidText("invalid input syntax for type bytea")
    return _ESCAPE.sub(
        lambda found: b"\\" if found[1] == b"\\" else bytes([int(found[1], 8)]), text.encode()
    )


# --- arrays -------------------------------------------------------------------------------------


def _array_from_text(text: str, kind: Kind) -> list[object | None]:
    items, at = _array_items(text.strip(), 0, kind)
    if at != len(text.strip()):
        raise InvalidText(f'malformed array literal: "{text}"')
    return items


def _array_items(text: str, at: int, kind: Kind) -> tuple[list[object | None], int]:
    """Read one braced list that starts at ``at``; return it and the place behind it."""
    malformed = InvalidText(f'malformed array literal: "{text}"')
    if text[at : at + 1] != "{":
        raise malformed
    items: list[object | None] = []
    at += 1
    if text[at : at + 1] == "}":
        return items, at + 1
    while True:
        if text[at : at + 1] == "{":
            inner, at = _array_items(text, at, kind)
            items.append(inner)
        else:
            word, quoted, at = _array_word(text, at)
            is_null = not quoted and word.upper() == "NULL"
            items.append(None if is_null else from_text(word, kind))
        mark = text[at : at + 1]
        at += 1
        if mark == "}":
            return items, at
        if mark != ",":
            raise malformed


def _array_word(text: str, at: int) -> tuple[str, bool, int]:
    letters: list[str] = []
    quoted = inside = False
    while at < len(text):
        letter = text[at]
        if letter == "\\" and at + 1 < len(text):
            at += 1
            letters.append(text[at])
        elif letter == '"':
            quoted, inside = True, not inside
        elif not inside and letter in ",}":
            break
        else:
            letters.append(letter)
        at += 1
    word = "".join(letters)
    return (word if quoted else word.strip()), quoted, at


def _array_from_binary(raw: bytes, codec: str) -> list[object | None]:
    try:
        dimensions, _, oid = struct.unpack_from("!iiI", raw)
        if not 0 <= dimensions <= 6:  # PostgreSQL's MAXDIM.
            raise BadBinaryValue("invalid number of dimensions")
        lengths = [struct.unpack_from("!i", raw, 12 + 8 * axis)[0] for axis in range(dimensions)]
        at = 12 + 8 * dimensions
        flat: list[object | None] = []
        while at < len(raw):
            (size,) = struct.unpack_from("!i", raw, at)
            cell = None if size < 0 else raw[at + 4 : at + 4 + size]
            flat.append(decode_parameter(cell, oid, 1, codec))
            at += 4 + max(0, size)
    except struct.error as error:
        raise BadBinaryValue("insufficient data left in message") from error
    if not lengths or math.prod(lengths) != len(flat):
        if flat:
            raise BadBinaryValue("array dimensions do not match its elements")
        return []
    return _folded(flat, lengths)


def _folded(flat: list[object | None], lengths: Sequence[int]) -> list[object | None]:
    if len(lengths) == 1:
        return flat
    step = len(flat) // lengths[0]
    return [_folded(flat[at : at + step], lengths[1:]) for at in range(0, len(flat), step)]


# --- binary -------------------------------------------------------------------------------------

_LAYOUTS = {
    Kind.BOOL: "!?", Kind.INT2: "!h", Kind.INT4: "!i", Kind.INT8: "!q", Kind.OID: "!I",
    Kind.FLOAT4: "!f", Kind.FLOAT8: "!d", Kind.DATE: "!i", Kind.TIME: "!q", Kind.TIMESTAMP: "!q",
    Kind.TIMESTAMPTZ: "!q",
}  # fmt: skip


def _from_binary(raw: bytes, kind: Kind, codec: str) -> object:
    try:
        if kind in _LAYOUTS:
            return _from_fixed(struct.unpack(_LAYOUTS[kind], raw)[0], kind)
        if kind is Kind.NUMERIC:
            return _numeric(raw)
        if kind is Kind.INTERVAL:
            return _interval(*struct.unpack("!qii", raw))
        if kind is Kind.TIMETZ:
            return _zoned_clock(*struct.unpack("!qi", raw))
        if kind is Kind.UUID:
            return uuid.UUID(bytes=raw)
    except (struct.error, ValueError) as error:
        raise BadBinaryValue(f"incorrect binary data format for type {kind.pg_name}") from error
    if kind is Kind.BYTEA:
        return raw
    if kind is Kind.JSONB:
        return _decoded(raw[1:], codec)  # Its first byte is the version of the format.
    if kind is Kind.RECORD:
        raise FeatureNotSupported("input of anonymous composite types is not implemented")
    return _decoded(raw, codec)


def _from_fixed(number: int | float, kind: Kind) -> object:
    match kind:
        case Kind.DATE:
            return _date(int(number))
        case Kind.TIME:
            return _clock(int(number))
        case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            return _timestamp(int(number), kind)
        case _:
            return number


def _date(days: int) -> object:
    if days in (2**31 - 1, -(2**31)):
        return "infinity" if days > 0 else "-infinity"
    if 0 < days + _EPOCH_DAY <= date.max.toordinal():
        return date.fromordinal(days + _EPOCH_DAY)
    return date_text(days + _EPOCH_DAY - date(1970, 1, 1).toordinal())


def _clock(micros: int) -> time | str:
    if not 0 <= micros <= _DAY_US:
        raise ValueError("time out of range")
    if micros == _DAY_US:  # The end of the day, which Python's time is not.
        return "24:00:00"
    return (_EPOCH + timedelta(microseconds=micros)).time()


def _zoned_clock(micros: int, west_s: int) -> str:
    return clock_text(micros) + offset_text(-west_s)


def _timestamp(micros: int, kind: Kind) -> object:
    if micros in (2**63 - 1, -(2**63)):
        return "infinity" if micros > 0 else "-infinity"
    try:
        moment = _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return timestamp_text(micros + _EPOCH_US, "+00" if kind is Kind.TIMESTAMPTZ else "")
    return moment.replace(tzinfo=UTC) if kind is Kind.TIMESTAMPTZ else moment


def _interval(micros: int, days: int, months: int) -> object:
    # A day has no fixed length, nor has a month: only text keeps all three.
    return f"{months} months {days} days {micros} microseconds"


def _numeric(raw: bytes) -> Decimal:
    count, weight, sign, scale = struct.unpack_from("!HhHH", raw)
    match sign:
        case 0xC000:
            return Decimal("NaN")
        case 0xD000 | 0xF000:
            return Decimal("Infinity" if sign == 0xD000 else "-Infinity")
        case _ if sign not in (0, 0x4000):
            raise BadBinaryValue('invalid sign in external "numeric" value')
    groups = struct.unpack(f"!{count}H", raw[8:])
    if any(group > 9999 for group in groups):
        raise BadBinaryValue('invalid digit in external "numeric" value')
    digits = [int(digit) for group in groups for digit in f"{group:04d}"] or [0]
    exponent = 4 * (weight + 1 - count)
    # The display scale says how many fraction digits count: cut the padding or restore zeros.
    cut = -exponent - scale
    digits = digits[:-cut] or [0] if cut > 0 else digits + [0] * -cut
    return Decimal((int(sign == 0x4000), tuple(digits), -scale))
