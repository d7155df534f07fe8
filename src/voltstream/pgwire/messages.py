"""Messages of PostgreSQL's frontend/backend protocol 3.0.

Source: PostgreSQL manual, chapter "Message Formats". Frontend messages are dataclasses made by
the parser; backend messages are functions that return their bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voltstream.core.errors import VoltstreamError
from voltstream.core.ports import Notice, Notification
from voltstream.core.schema import Schema
from voltstream.core.types import DataType, Kind
from voltstream.pgwire.wire_types import column_type

# --- frontend -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SslRequest:
    """Asks for TLS before startup."""


@dataclass(frozen=True, slots=True)
class GssRequest:
    """Asks for GSSAPI encryption before startup."""


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Asks, on a connection of its own, to stop another session's statement."""

    process_id: int
    secret: bytes


@dataclass(frozen=True, slots=True)
class Startup:
    """Opens a session. ``minor`` is the protocol's minor version (3.minor)."""

    minor: int
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Query:
    text: str


@dataclass(frozen=True, slots=True)
class Parse:
    name: str
    text: str
    parameter_oids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Bind:
    """Binds a statement's parameters into a portal. Formats: 0 text, 1 binary."""

    portal: str
    statement: str
    parameter_formats: tuple[int, ...] = ()
    parameters: tuple[bytes | None, ...] = ()
    result_formats: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Describe:
    """``kind`` is "S" for a statement and "P" for a portal."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Execute:
    """Runs a portal. ``rows_max`` of 0 means all rows."""

    portal: str
    rows_max: int = 0


@dataclass(frozen=True, slots=True)
class Close:
    """``kind`` is "S" for a statement and "P" for a portal."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Flush:
    pass


@dataclass(frozen=True, slots=True)
class Sync:
    pass


@dataclass(frozen=True, slots=True)
class Terminate:
    pass


@dataclass(frozen=True, slots=True)
class CopyData:
    data: bytes


@dataclass(frozen=True, slots=True)
class CopyDone:
    pass


@dataclass(frozen=True, slots=True)
class CopyFail:
    reason: str


@dataclass(frozen=True, slots=True)
class Password:
    """A password or SASL answer; its shape depends on what was asked."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """The obsolete fast path; it is parsed only to be refused."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message of a known type and length whose body is none of that type."""

    tag: str
    error: VoltstreamError = field(compare=False)


FrontendMessage = (
    SslRequest | GssRequest | CancelRequest | Startup | Query | Parse | Bind | Describe
    | Execute | Close | Flush | Sync | Terminate | CopyData | CopyDone | CopyFail | Password
    | FunctionCall | Malformed
)  # fmt: skip

# --- backend ------------------------------------------------------------------------------------

_FIXED_SIZES = {
    Kind.BOOL: 1, Kind.INT2: 2, Kind.INT4: 4, Kind.INT8: 8, Kind.FLOAT4: 4, Kind.FLOAT8: 8,
    Kind.UUID: 16, Kind.DATE: 4, Kind.TIME: 8, Kind.TIMETZ: 12, Kind.TIMESTAMP: 8,
    Kind.TIMESTAMPTZ: 8, Kind.INTERVAL: 16, Kind.OID: 4,
    Kind.CHAR: 1, Kind.NAME: 64, Kind.XID: 4, Kind.REGPROC: 4, Kind.REGPROCEDURE: 4,
    Kind.REGCLASS: 4, Kind.REGTYPE: 4, Kind.REGNAMESPACE: 4, Kind.REGROLE: 4, Kind.ACLITEM: 12,
}  # fmt: skip


def message(tag: bytes, body: bytes = b"") -> bytes:
    """Frame a backend message: tag, length that counts itself, body."""
    return tag + struct.pack("!i", len(body) + 4) + body


def _text(value: str, codec: str = "utf-8") -> bytes:
    # A NUL would end the field early and shift everything after it.
    return value.replace("\0", "").encode(codec, "replace") + b"\0"


AUTHENTICATION_OK = message(b"R", struct.pack("!i", 0))
PARSE_COMPLETE = message(b"1")
BIND_COMPLETE = message(b"2")
CLOSE_COMPLETE = message(b"3")
NO_DATA = message(b"n")
EMPTY_QUERY = message(b"I")
PORTAL_SUSPENDED = message(b"s")
COPY_DONE = message(b"c")


def negotiate_version(minor: int, unknown_options: Sequence[str]) -> bytes:
    """Offer a lower minor version and name the protocol options not understood."""
    names = b"".join(_text(name) for name in unknown_options)
    return message(b"v", struct.pack("!ii", (3 << 16) | minor, len(unknown_options)) + names)


def backend_key(process_id: int, secret: bytes) -> bytes:
    """Give the client the key of its cancel requests."""
    return message(b"K", struct.pack("!i", process_id) + secret)


def parameter_status(name: str, value: str) -> bytes:
    """Report a setting."""
    return message(b"S", _text(name) + _text(value))


def ready(status: str) -> bytes:
    """Say that the next query may come. ``status``: I, T or E."""
    return message(b"Z", status.encode())


def command_complete(tag: str) -> bytes:
    """End a statement's answer."""
    return message(b"C", _text(tag))


_COUNTED_VERBS = frozenset(("SELECT", "UPDATE", "DELETE", "COPY", "FETCH"))


def counted(verb: str, row_count: int) -> str:
    """Return a command tag with its row count, as PostgreSQL spells it ("INSERT 0 3")."""
    if verb == "INSERT":
        return f"INSERT 0 {row_count}"
    return f"{verb} {row_count}" if verb in _COUNTED_VERBS else verb


def parameter_description(oids: Sequence[int]) -> bytes:
    """Tell a prepared statement's parameter types."""
    return message(b"t", struct.pack(f"!H{len(oids)}I", len(oids), *oids))


def _type_modifier(data_type: DataType) -> int:
    """Return PostgreSQL's typmod: numeric.c, varchar.c and varbit.c say what each type keeps."""
    if data_type.precision is None:
        return -1
    if data_type.kind in (Kind.BPCHAR, Kind.VARCHAR):
        return data_type.precision + 4
    if data_type.kind in (Kind.BIT, Kind.VARBIT):
        return data_type.precision
    if data_type.kind is not Kind.NUMERIC:
        return -1
    return ((data_type.precision << 16) | (data_type.scale or 0)) + 4


def row_description(columns: Schema, formats: Sequence[int], codec: str = "utf-8") -> bytes:
    """Describe the columns of the rows to come."""
    fields = [struct.pack("!H", len(columns))]
    for column, format_code in zip(columns, formats, strict=True):
        data_type = column_type(column)
        size = -1 if data_type.array_depth else _FIXED_SIZES.get(data_type.kind, -1)
        numbers = (0, 0, data_type.oid, size, _type_modifier(data_type), format_code)
        fields.append(_text(column.name, codec) + struct.pack("!IhIhih", *numbers))
    return message(b"T", b"".join(fields))


def copy_response(tag: bytes, column_count: int, *, binary: bool) -> bytes:
    """Open a COPY: ``tag`` is G (in) or H (out)."""
    formats = [int(binary)] * column_count
    return message(tag, struct.pack(f"!bH{column_count}H", int(binary), column_count, *formats))


def error_response(error: VoltstreamError, severity: str = "ERROR", codec: str = "utf-8") -> bytes:
    """Tell an error with all its fields. ``severity``: ERROR or FATAL."""
    fields = [("S", severity), ("V", severity), ("C", error.sqlstate), ("M", error.message)]
    if error.detail:
        fields.append(("D", error.detail))
    if error.hint:
        fields.append(("H", error.hint))
    if error.position is not None:
        fields.append(("P", str(error.position)))
    return _fields(b"E", fields, codec)


def notice_response(notice: Notice, codec: str = "utf-8") -> bytes:
    """Tell a remark."""
    fields = [
        ("S", notice.severity), ("V", notice.severity),
        ("C", notice.sqlstate), ("M", notice.message),
    ]  # fmt: skip
    if notice.detail:
        fields.append(("D", notice.detail))
    if notice.hint:
        fields.append(("H", notice.hint))
    return _fields(b"N", fields, codec)


def notification_response(told: Notification, codec: str = "utf-8") -> bytes:
    """Tell what was said on a channel."""
    body = struct.pack("!i", told.process_id) + _text(told.channel, codec)
    body += _text(told.payload, codec)
    return message(b"A", body)


def _fields(tag: bytes, fields: Sequence[tuple[str, str]], codec: str) -> bytes:
    body = b"".join(code.encode() + _text(value, codec) for code, value in fields)
    return message(tag, body + b"\0")
