"""Frontend bytes to frontend messages: incremental, bounded, without I/O."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from voltstream.core.errors import (
    FeatureNotSupported,
    InvalidParameter,
    ProtocolViolation,
    VoltstreamError,
)
from voltstream.core.limits import LOGIN_BYTES_MAX, STARTUP_BYTES_MAX
from voltstream.pgwire import messages as m

CANCEL_KEY_BYTES_MAX = 256  # PostgreSQL's own bound, since protocol 3.2.
_CANCEL_CODE = (1234 << 16) | 5678
_SSL_CODE = (1234 << 16) | 5679
_GSS_CODE = (1234 << 16) | 5680


class _Fields:
    """A cursor over one message body."""

    def __init__(self, body: bytes, codec: str = "utf-8") -> None:
        self._body = body
        self._codec = codec
        self._at = 0

    def integer(self, layout: str) -> int:
        size = struct.calcsize(layout)
        if self._at + size > len(self._body):
            raise ProtocolViolation("insufficient data left in message")
        (value,) = struct.unpack_from(layout, self._body, self._at)
        self._at += size
        return int(value)

    def int16s(self) -> tuple[int, ...]:
        return tuple(self.integer("!h") for _ in range(self.integer("!H")))

    def uint32s(self) -> tuple[int, ...]:
        return tuple(self.integer("!I") for _ in range(self.integer("!H")))

    def text(self) -> str:
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise ProtocolViolation("invalid string in message")
        raw = self._body[self._at : end]
        self._at = end + 1
        try:
            return raw.decode(self._codec)
        except UnicodeDecodeError as error:
            raise ProtocolViolation('invalid byte sequence for encoding "UTF8"') from error

    def octets(self, size: int) -> bytes:
        if size < 0 or self._at + size > len(self._body):
            raise ProtocolViolation("insufficient data left in message")
        self._at += size
        return self._body[self._at - size : self._at]

    def rest(self) -> bytes:
        return self.octets(len(self._body) - self._at)

    def end(self) -> None:
        if self._at != len(self._body):
            raise ProtocolViolation("invalid message format")


class FrontendParser:
    """Incremental parser of what a client sends, from its first startup packet on."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._in_startup = True
        self.codec = "utf-8"  # Python's name of what texts are in.
        self.bytes_max = LOGIN_BYTES_MAX  # Of one message: raised for who has come in.

    @property
    def is_empty(self) -> bool:
        return not self._buffer

    def feed(self, data: bytes) -> Iterator[m.FrontendMessage]:
        """Yield every message `data` completes. Raises: ProtocolViolation (08P01)."""
        self._buffer += data
        while (parsed := self._next_message()) is not None:
            yield parsed

    def _next_message(self) -> m.FrontendMessage | None:
        if self._in_startup:
            body = self._cut(0, STARTUP_BYTES_MAX)
            return None if body is None else self._startup(_Fields(body))
        if not self._buffer:
            return None
        tag = chr(self._buffer[0])
        if tag not in _READERS:
            raise ProtocolViolation(f"invalid frontend message type {self._buffer[0]}")
        body = self._cut(1, self.bytes_max)
        if body is None:
            return None
        fields = _Fields(body, self.codec)
        try:
            parsed = _READERS[tag](fields)
            fields.end()
        except VoltstreamError as error:
            return m.Malformed(tag, error)  # Where the next message begins is known all the same.
        return parsed

    def _cut(self, start: int, size_max: int) -> bytes | None:
        """Take one whole body whose length stands at ``start``; None while it is incomplete."""
        if len(self._buffer) < start + 4:
            return None
        (size,) = struct.unpack_from("!i", self._buffer, start)
        if size < 4 or size > size_max:
            raise ProtocolViolation("invalid message length")
        if len(self._buffer) < start + size:
            return None
        body = bytes(self._buffer[start + 4 : start + size])
        del self._buffer[: start + size]
        return body

    def _startup(self, fields: _Fields) -> m.FrontendMessage:
        code = fields.integer("!I")
        if code == _CANCEL_CODE:
            process_id, secret = fields.integer("!i"), fields.rest()
            if not 4 <= len(secret) <= CANCEL_KEY_BYTES_MAX:
                raise ProtocolViolation("invalid length of cancel request packet")
            return m.CancelRequest(process_id, secret)
        if code in (_SSL_CODE, _GSS_CODE):
            fields.end()
            return m.SslRequest() if code == _SSL_CODE else m.GssRequest()
        major, minor = code >> 16, code & 0xFFFF
        if major != 3:
            raise FeatureNotSupported(
                f"unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.2"
            )
        parameters: dict[str, str] = {}
        while name := fields.text():
            parameters[name] = fields.text()
        fields.end()
        self._in_startup = False
        return m.Startup(minor, parameters)


def _parse(fields: _Fields) -> m.Parse:
    return m.Parse(fields.text(), fields.text(), fields.uint32s())


def _bind(fields: _Fields) -> m.Bind:
    portal, statement = fields.text(), fields.text()
    formats = fields.int16s()
    parameters: list[bytes | None] = []
    for _ in range(fields.integer("!H")):
        size = fields.integer("!i")
        parameters.append(None if size == -1 else fields.octets(size))
    result_formats = fields.int16s()
    if any(code not in (0, 1) for code in formats + result_formats):
        wrong = next(code for code in formats + result_formats if code not in (0, 1))
        raise InvalidParameter(f"unsupported format code: {wrong}")
    if len(formats) > 1 and len(formats) != len(parameters):
        raise ProtocolViolation(
            f"bind message has {len(formats)} parameter formats but {len(parameters)} parameters"
        )
    return m.Bind(portal, statement, formats, tuple(parameters), result_formats)


def _target_kind(fields: _Fields) -> str:
    kind = chr(fields.octets(1)[0])
    if kind not in "SP":
        raise ProtocolViolation("invalid message subtype")
    return kind


def _function_call(fields: _Fields) -> m.FunctionCall:
    fields.rest()
    return m.FunctionCall()


_READERS: dict[str, Callable[[_Fields], m.FrontendMessage]] = {
    "Q": lambda fields: m.Query(fields.text()),
    "P": _parse,
    "B": _bind,
    "D": lambda fields: m.Describe(_target_kind(fields), fields.text()),
    "E": lambda fields: m.Execute(fields.text(), max(0, fields.integer("!i"))),
    "C": lambda fields: m.Close(_target_kind(fields), fields.text()),
    "H": lambda fields: m.Flush(),
    "S": lambda fields: m.Sync(),
    "X": lambda fields: m.Terminate(),
    "d": lambda fields: m.CopyData(fields.rest()),
    "c": lambda fields: m.CopyDone(),
    "f": lambda fields: m.CopyFail(fields.text()),
    "p": lambda fields: m.Password(fields.rest()),
    "F": _function_call,
}
