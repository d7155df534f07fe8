"""Texts and bytes: formatting, arrays as text, encodings and digests."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import math
import re
import zlib

from voltstream.core.errors import InternalError, InvalidParameter, InvalidText, VoltstreamError
from voltstream.core.native import NativeFunction

_ARRAY_QUOTED = re.compile(r'[{},"\\\s]|^$|^null$', re.IGNORECASE)
_ARRAY_ESCAPED = re.compile(r'(["\\])')
_RECORD_QUOTED = re.compile(r'[(),"\\\s]|^$')
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_$]*")
_FORMAT = re.compile(r"%(?:(\d+)\$)?(-)?(\*(?:(\d+)\$)?|\d+)?(.?)", re.DOTALL)
_WORDS = frozenset(
    [
        "select",
        "from",
        "where",
        "group",
        "order",
        "by",
        "table",
        "user",
        "all",
        "and",
        "or",
        "not",
        "null",
    ]
)


def float_text(value: float) -> str:
    """Spell a double with the fewest digits that read back the same."""
    if math.isnan(value):
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    text = repr(value)
    if text.endswith(".0"):
        text = text[:-2]
    if abs(value) < 1e15 or "e" in text:
        return text
    # Python turns scientific at 1e16, PostgreSQL at 1e15 (DBL_DIG).
    sign = "-" if value < 0 else ""
    digits = text.lstrip("-").replace(".", "").rstrip("0")
    return f"{sign}{digits[0]}{'.' * (len(digits) > 1)}{digits[1:]}e+15"


def array_item(text: str | None) -> str:
    """Quote one element of an array's text where it must be."""
    if text is None:
        return "NULL"
    if _ARRAY_QUOTED.search(text):
        return '"' + _ARRAY_ESCAPED.sub(r"\\\1", text) + '"'
    return text


def _array_text(items: list[str | None]) -> str:
    return "{" + ",".join(map(array_item, items)) + "}"


def _nested_text(items: list[str | None]) -> str:
    return "{" + ",".join("NULL" if item is None else item for item in items) + "}"


def _record_text(fields: list[str | None]) -> str:
    return "(" + ",".join(map(_record_field, fields)) + ")"


def _record_field(text: str | None) -> str:
    if text is None:
        return ""
    if _RECORD_QUOTED.search(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'
    return text


def array_items(text: str) -> list[str | None]:
    """Cut an array's text into its elements; an inner array stays text.

    Raises: InvalidText (22P02).
    """
    body = text.strip()
    if not (body.startswith("{") and body.endswith("}")):
        raise InvalidText(f'malformed array literal: "{text}"')
    items: list[str | None] = []
    current: list[str] = []
    quoted = was_quoted = False
    depth = 0
    inside = body[1:-1]
    at = 0
    while at < len(inside):
        char = inside[at]
        if char == "\\" and at + 1 < len(inside):
            current.append(inside[at : at + 2] if depth else inside[at + 1])
            at += 2
            continue
        if char == '"':
            quoted = not quoted
            was_quoted = was_quoted or not depth
            if depth:
                current.append(char)
        elif quoted:
            current.append(char)
        elif char == "," and not depth:
            items.append(_item(current, was_quoted, text))
            current, was_quoted = [], False
        else:
            depth += (char == "{") - (char == "}")
            if not (was_quoted and char.isspace()):
                current.append(char)
        at += 1
    if quoted or depth:
        raise InvalidText(f'malformed array literal: "{text}"')
    if inside.strip() or items:
        items.append(_item(current, was_quoted, text))
    return items


def _item(chars: list[str], quoted: bool, text: str) -> str | None:
    item = "".join(chars)
    if quoted:
        return item
    item = item.strip()
    if not item:
        raise InvalidText(f'malformed array literal: "{text}"')
    return None if item.lower() == "null" else item


def _record_items(text: str) -> list[str | None]:
    body = text.strip()
    if not (body.startswith("(") and body.endswith(")")):
        raise InvalidText(f'malformed record literal: "{text}"')
    items: list[str | None] = []
    current: list[str] = []
    quoted = seen = False
    inside, at = body[1:-1], 0
    while at < len(inside):
        char = inside[at]
        if char == '"':
            if quoted and inside[at + 1 : at + 2] == '"':
                current.append('"')
                at += 1
            else:
                quoted, seen = not quoted, True
        elif char == "\\" and at + 1 < len(inside):
            at += 1
            current.append(inside[at])
        elif char == "," and not quoted:
            items.append("".join(current) if current or seen else None)
            current, seen = [], False
        else:
            current.append(char)
        at += 1
    items.append("".join(current) if current or seen else None)
    return items


def quote_identifier(name: str) -> str:
    if _IDENTIFIER.fullmatch(name) and name not in _WORDS:
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    quoted = "'" + text.replace("'", "''").replace("\\", "\\\\") + "'"
    return f"E{quoted}" if "\\" in text else quoted


def _format(template: str | None, arguments: list[str | None] | None) -> str | None:
    if template is None:
        return None
    values = arguments or []
    state = [0]

    def take(position: str | None) -> str | None:
        if position is not None:
            state[0] = int(position) - 1
            if state[0] < 0:
                raise InvalidParameter(
                    "format specifies argument 0, but arguments are numbered from 1"
                )
        if state[0] >= len(values):
            raise InvalidParameter("too few arguments for format()")
        state[0] += 1
        return values[state[0] - 1]

    def spell(found: re.Match[str]) -> str:
        kind = found[5]
        if kind == "%":
            return "%"
        if kind not in ("s", "I", "L"):
            if not kind:
                raise InvalidParameter("unterminated format() type specifier")
            raise InvalidParameter(f'unrecognized format() type specifier "{kind}"')
        left, width = bool(found[2]), 0
        if found[3]:
            width = int((take(found[4]) or "0") if found[3].startswith("*") else found[3])
        value = take(found[1])
        if kind == "I":
            if value is None:
                raise InvalidParameter("null values cannot be formatted as an SQL identifier")
            text = quote_identifier(value)
        elif kind == "L":
            text = "NULL" if value is None else quote_literal(value)
        else:
            text = value or ""
        return text.ljust(abs(width)) if left or width < 0 else text.rjust(width)

    return _FORMAT.sub(spell, template)


def _initcap(text: str) -> str:
    out: list[str] = []
    start = True
    for char in text:
        out.append(char.upper() if start else char.lower())
        start = not char.isalnum()
    return "".join(out)


def _encode(data: bytes, form: str) -> str:
    match form.lower():
        case "hex":
            return data.hex()
        case "base64":
            text = base64.b64encode(data).decode()
            return "\n".join(text[i : i + 76] for i in range(0, len(text), 76))
        case "escape":
            return "".join(
                "\\\\" if byte == 92 else chr(byte) if 0 < byte < 128 else f"\\{byte:03o}"
                for byte in data
            )
        case _:
            raise InvalidParameter(f'unrecognized encoding: "{form}"')


def _decode(text: str, form: str) -> bytes:
    try:
        match form.lower():
            case "hex":
                return bytes.fromhex(text)
            case "base64":
                return base64.b64decode("".join(text.split()), validate=True)
            case "escape":
                return bytes_of_escapes(text)
            case _:
                raise InvalidParameter(f'unrecognized encoding: "{form}"')
    except (ValueError, binascii.Error) as error:
        raise InvalidParameter(f"invalid {form} data") from error


def bytes_of_escapes(text: str) -> bytes:
    r"""Read bytea's escape form: \\ and \ooo."""
    out = bytearray()
    at = 0
    while at < len(text):
        if text[at] != "\\":
            out += text[at].encode()
            at += 1
        elif text[at + 1 : at + 2] == "\\":
            out.append(92)
            at += 2
        else:
            digits = text[at + 1 : at + 4]
            if not re.fullmatch(r"[0-3][0-7]{2}", digits):
                raise InvalidText("invalid input syntax for type bytea")
            out.append(int(digits, 8))
            at += 4
    return bytes(out)


def bytes_of_text(text: str) -> bytes:
    r"""Read bytea's text: \x and hex digits, or the escape form."""
    if not text.startswith("\\x"):
        return bytes_of_escapes(text)
    try:
        return bytes.fromhex(text[2:])
    except ValueError as error:
        raise InvalidText(f"invalid hexadecimal data in {text!r}") from error


def _digest(data: bytes, name: str) -> bytes:
    return hashlib.new(name, data).digest()


def _hmac(secret: str, payload: bytes, name: str) -> bytes:
    if name not in ("sha1", "sha256"):
        raise InvalidParameter(f"invalid parameter: {name}")
    return hmac.new(secret.encode(), payload, name).digest()


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _convert_from(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except (LookupError, UnicodeDecodeError) as error:
        raise InvalidParameter(f'invalid byte sequence for encoding "{encoding}"') from error


def _convert_to(text: str, encoding: str) -> bytes:
    return text.encode(encoding)


def _byte(data: bytes, offset: int) -> int:
    if not 0 <= offset < len(data):
        raise InvalidParameter(f"index {offset} out of valid range, 0..{len(data) - 1}")
    return data[offset]


def _with_byte(data: bytes, offset: int, value: int) -> bytes:
    _byte(data, offset)
    return data[:offset] + bytes([value & 255]) + data[offset + 1 :]


def _bit(data: bytes, offset: int) -> int:
    if not 0 <= offset < len(data) * 8:
        raise InvalidParameter(f"index {offset} out of valid range, 0..{len(data) * 8 - 1}")
    return data[offset // 8] >> (offset % 8) & 1


def _with_bit(data: bytes, offset: int, value: int) -> bytes:
    _bit(data, offset)
    if value not in (0, 1):
        raise InvalidParameter("new bit must be 0 or 1")
    byte = data[offset // 8]
    mask = 1 << (offset % 8)
    return _with_byte(data, offset // 8, byte | mask if value else byte & ~mask)


def _bit_count(data: bytes) -> int:
    return sum(byte.bit_count() for byte in data)


def _split(text: str | None, mark: str | None, null: str | None) -> list[str | None] | None:
    if text is None:
        return None
    if mark is None:
        pieces = list(text)
    elif not text:
        pieces = []
    else:
        pieces = text.split(mark) if mark else [text]
    return [None if piece == null else piece for piece in pieces]


def _cube_root(value: float) -> float:
    root = math.cbrt(value)
    whole = round(root) if math.isfinite(root) else 0
    return float(whole) if whole**3 == value else root


def _failed(sqlstate: str, message: str) -> str:
    for kind in VoltstreamError.__subclasses__():
        if kind.sqlstate == sqlstate:
            raise kind(message)
    raise InternalError(message)


_T, _L, _B, _I = "VARCHAR", "VARCHAR[]", "BLOB", "BIGINT"

NATIVES = (
    NativeFunction("_vs_float_text", ("DOUBLE",), _T, float_text),
    NativeFunction("_vs_cbrt", ("DOUBLE",), "DOUBLE", _cube_root),
    NativeFunction("_vs_array_text", (_L,), _T, _array_text),
    NativeFunction("_vs_nested_text", (_L,), _T, _nested_text),
    NativeFunction("_vs_record_text", (_L,), _T, _record_text),
    NativeFunction("_vs_array_items", (_T,), _L, array_items),
    NativeFunction("_vs_record_items", (_T,), _L, _record_items),
    NativeFunction("_vs_format", (_T, _L), _T, _format, nulls=True),
    NativeFunction("_vs_casefold", (_T,), _T, str.casefold),
    NativeFunction("_vs_initcap", (_T,), _T, _initcap),
    NativeFunction("_vs_quote_literal", (_T,), _T, quote_literal),
    NativeFunction("_vs_quote_ident", (_T,), _T, quote_identifier),
    NativeFunction("_vs_encode", (_B, _T), _T, _encode),
    NativeFunction("_vs_decode", (_T, _T), _B, _decode),
    NativeFunction("_vs_bytea", (_T,), _B, bytes_of_text),
    NativeFunction("_vs_digest", (_B, _T), _B, _digest),
    NativeFunction("_vs_hmac", (_T, _B, _T), _B, _hmac),
    NativeFunction("_vs_crc32", (_B,), _I, zlib.crc32),
    NativeFunction("_vs_crc32c", (_B,), _I, _crc32c),
    NativeFunction("_vs_convert_from", (_B, _T), _T, _convert_from),
    NativeFunction("_vs_convert_to", (_T, _T), _B, _convert_to),
    NativeFunction("_vs_get_byte", (_B, _I), "INTEGER", _byte),
    NativeFunction("_vs_set_byte", (_B, _I, _I), _B, _with_byte),
    NativeFunction("_vs_get_bit", (_B, _I), "INTEGER", _bit),
    NativeFunction("_vs_set_bit", (_B, _I, _I), _B, _with_bit),
    NativeFunction("_vs_bit_count", (_B,), _I, _bit_count),
    NativeFunction("_vs_split", (_T, _T, _T), _L, _split, nulls=True),
    NativeFunction("_vs_fail", (_T, _T), _T, _failed),
)
