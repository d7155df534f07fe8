"""Numbers, addresses and names in other writings: bytes, hexadecimal digits, parts."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal, localcontext

from voltstream.core.errors import InvalidParameter, InvalidText, NumericOutOfRange, SyntaxFault
from voltstream.core.native import NativeFunction

_ESCAPE = re.compile(
    r"\\\\|\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})|\\\+([0-9A-Fa-f]{6})|\\([0-9A-Fa-f]{4})"
)
_LIMIT = 1 << 127  # Of the store's widest integer.


def _sent(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def _received(data: bytes) -> int:
    if len(data) != 8:
        raise InvalidParameter(f"int8recv takes 8 bytes, not {len(data)}")
    return int.from_bytes(data, "big", signed=True)


def _hex_integer(text: str) -> str:
    """Read up to 64 hexadecimal digits as two's complement of 256 bits."""
    digits = text.strip().lower().removeprefix("0x")
    try:
        value = int(digits, 16)
    except ValueError as error:
        raise InvalidText(f'invalid hexadecimal number: "{text}"') from error
    if len(digits) > 64:
        raise NumericOutOfRange(f'value "{text}" is out of range for type rw_int256')
    if value >= 1 << 255:
        value -= 1 << 256
    if not -_LIMIT <= value < _LIMIT:
        raise NumericOutOfRange(f'value "{text}" is out of range for type rw_int256')
    return str(value)


def _address_number(text: str) -> int:
    try:
        return int(ipaddress.IPv4Address(text.strip()))
    except ValueError as error:
        raise InvalidText(f'invalid IPv4 address: "{text}"') from error


def _address(number: int) -> str:
    try:
        return str(ipaddress.IPv4Address(number))
    except ValueError as error:
        raise NumericOutOfRange(f"{number} is not an IPv4 address") from error


def _ascii(text: str) -> str:
    """Return a text without accents; what has no letter in ASCII is left out."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _unescaped(text: str) -> str:
    """Read the escapes of unistr: \\XXXX, \\+XXXXXX, \\uXXXX, \\UXXXXXXXX and \\\\."""

    def read(found: re.Match[str]) -> str:
        digits = next((part for part in found.groups() if part), None)
        if digits is None:
            return "\\"
        return chr(int(digits, 16))

    try:
        plain = _ESCAPE.sub(read, text)
        plain.encode()
    except (ValueError, UnicodeEncodeError) as error:
        raise InvalidParameter("invalid Unicode escape") from error
    if "\\" in _ESCAPE.sub("", text):
        raise SyntaxFault(
            "invalid Unicode escape",
            hint="Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.",
        )
    return plain


def _identifier_parts(text: str, strict: bool) -> list[str]:
    """Split a qualified name; names without quotes are folded to lower case."""
    parts: list[str] = []
    at = 0
    while True:
        at += len(text[at:]) - len(text[at:].lstrip())
        if text[at : at + 1] == '"':
            end = at + 1
            while end < len(text) and (text[end] != '"' or text[end : end + 2] == '""'):
                end += 2 if text[end] == '"' else 1
            if end >= len(text):
                raise InvalidParameter(f'string is not a valid identifier: "{text}"')
            part, at = text[at + 1 : end].replace('""', '"'), end + 1
        else:
            end = at
            while end < len(text) and (text[end].isalnum() or text[end] in "_$"):
                end += 1
            part, at = text[at:end].lower(), end
        if not part or part[0].isdigit() or part[0] == "$":
            raise InvalidParameter(f'string is not a valid identifier: "{text}"')
        parts.append(part)
        at += len(text[at:]) - len(text[at:].lstrip())
        if text[at : at + 1] != ".":
            break
        at += 1
    if strict and at < len(text):
        raise InvalidParameter(f'string is not a valid identifier: "{text}"')
    return parts


def _vector(text: str) -> list[float]:
    """Read ``[1, 2.5]``. Raises: InvalidText (22P02)."""
    inside = text.strip()
    if not inside.startswith("[") or not inside.endswith("]"):
        raise InvalidText(f'invalid input syntax for type vector: "{text}"')
    try:
        return [float(item) for item in inside[1:-1].split(",")]
    except ValueError as error:
        raise InvalidText(f'invalid input syntax for type vector: "{text}"') from error


def read_vector(text: str, size: int) -> list[float]:
    """Read a vector of a declared size. Raises: InvalidText (22P02), InvalidParameter."""
    items = _vector(text)
    if len(items) != size:
        raise InvalidParameter(f"expected {size} dimensions, not {len(items)}")
    return items


def _spread(
    count: str, total: str | None, squares: str | None, sample: bool, root: bool
) -> str | None:
    """Return the variance or deviation of integers, exact to sixteen decimals."""
    rows = int(count)
    if total is None or squares is None or rows < 1 + sample:
        return None
    with localcontext() as context:
        context.prec, context.rounding = 100, ROUND_HALF_UP
        above = rows * Decimal(squares) - Decimal(total) ** 2
        found = above / (rows * (rows - sample))
        return f"{found.sqrt() if root else found:.16f}"


_T, _B, _I = "VARCHAR", "BLOB", "BIGINT"

NATIVES = (
    NativeFunction("_vs_int8send", (_I,), _B, _sent),
    NativeFunction("_vs_int8recv", (_B,), _I, _received),
    NativeFunction("_vs_hex_integer", (_T,), _T, _hex_integer),
    NativeFunction("_vs_inet_aton", (_T,), _I, _address_number),
    NativeFunction("_vs_inet_ntoa", (_I,), _T, _address),
    NativeFunction("_vs_to_ascii", (_T,), _T, _ascii),
    NativeFunction("_vs_unistr", (_T,), _T, _unescaped),
    NativeFunction("_vs_parse_ident", (_T, "BOOLEAN"), "VARCHAR[]", _identifier_parts),
    NativeFunction("_vs_spread", (_T, _T, _T, "BOOLEAN", "BOOLEAN"), _T, _spread, nulls=True),
    NativeFunction("_vs_vector", (_T, _I), "FLOAT[]", read_vector),
)
