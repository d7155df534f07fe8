"""Exchanges of the wire protocol as text: what a client sends, and what it is answered.

Shape: a line `> Query "SELECT 1"` is a message of the client, `< CommandComplete "SELECT 1"` one of
the server. Messages without an answer between them are sent together. `2>` and `2<` are a second
connection. Texts are as in JSON, other bytes as x'00ff'. `Raw` sends bytes as they are, and `Wait`
sends nothing and shows what comes meanwhile. `# login: …` says how the clients prove who they are.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"""(?:([\w.]+)=)?("(?:[^"\\]|\\.)*"|x'[0-9a-f]*'|\[[^\]]*\]|[^\s,]+)""")
Value = str | bytes | int | None | list["Value"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a client, read from its line."""

    name: str
    values: tuple[Value, ...]
    named: dict[str, Value]

    def octets(self, place: int) -> bytes:
        value = self.values[place]
        return value if isinstance(value, bytes) else str(value).encode()

    def number(self, place: int) -> int:
        return int(str(self.values[place]))

    def listed(self, name: str) -> list[Value]:
        found = self.named.get(name, [])
        return found if isinstance(found, list) else [found]


def _value(text: str) -> Value:
    if text.startswith('"'):
        return str(json.loads(text))
    if text.startswith("x'"):
        return bytes.fromhex(text[2:-1])
    if text.startswith("["):
        return [_value(found[2]) for found in _TOKEN.finditer(text[1:-1])]
    if text == "null":
        return None
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def read_message(line: str) -> Message:
    name, _, rest = line.partition(" ")
    values: list[Value] = []
    named: dict[str, Value] = {}
    for found in _TOKEN.finditer(rest):
        if found[1]:
            named[found[1]] = _value(found[2])
        else:
            values.append(_value(found[2]))
    return Message(name, tuple(values), named)


# --- what clients send --------------------------------------------------------------------------


def _framed(tag: str, body: bytes = b"") -> bytes:
    return tag.encode() + struct.pack("!i", len(body) + 4) + body


def _untagged(body: bytes) -> bytes:
    return struct.pack("!i", len(body) + 4) + body


def _texts(*parts: bytes) -> bytes:
    return b"".join(part + b"\0" for part in parts)


def _startup(message: Message) -> bytes:
    major, minor = str(message.values[0]).split(".")
    pairs = b"".join(_texts(k.encode(), str(v).encode()) for k, v in message.named.items())
    return _untagged(struct.pack("!HH", int(major), int(minor)) + pairs + b"\0")


def _parse(message: Message) -> bytes:
    oids = [message.number(place) for place in range(2, len(message.values))]
    types = struct.pack(f"!H{len(oids)}I", len(oids), *oids)
    return _framed("P", _texts(message.octets(0), message.octets(1)) + types)


def _int16s(values: Sequence[Value]) -> bytes:
    return struct.pack(f"!H{len(values)}h", len(values), *(int(str(v)) for v in values))


def _cell(value: Value) -> bytes:
    if value is None:
        return struct.pack("!i", -1)
    raw = value if isinstance(value, bytes) else str(value).encode()
    return struct.pack("!i", len(raw)) + raw


def _bind(message: Message) -> bytes:
    values = message.listed("values")
    body = _texts(message.octets(0), message.octets(1)) + _int16s(message.listed("formats"))
    body += struct.pack("!H", len(values)) + b"".join(map(_cell, values))
    return _framed("B", body + _int16s(message.listed("results")))


def _sasl_initial(message: Message) -> bytes:
    return _framed("p", _texts(message.octets(0)) + _cell(message.octets(1)))


FRONTEND: dict[str, Callable[[Message], bytes]] = {
    "StartupMessage": _startup,
    "SSLRequest": lambda m: _untagged(struct.pack("!HH", 1234, 5679)),
    "GSSENCRequest": lambda m: _untagged(struct.pack("!HH", 1234, 5680)),
    "CancelRequest": lambda m: _untagged(
        struct.pack("!HHi", 1234, 5678, m.number(0)) + m.octets(1)
    ),
    "Query": lambda m: _framed("Q", _texts(m.octets(0))),
    "Parse": _parse,
    "Bind": _bind,
    "Describe": lambda m: _framed("D", m.octets(0) + _texts(m.octets(1))),
    "Execute": lambda m: _framed("E", _texts(m.octets(0)) + struct.pack("!i", m.number(1))),
    "Close": lambda m: _framed("C", m.octets(0) + _texts(m.octets(1))),
    "Flush": lambda m: _framed("H"),
    "Sync": lambda m: _framed("S"),
    "Terminate": lambda m: _framed("X"),
    "CopyData": lambda m: _framed("d", m.octets(0)),
    "CopyDone": lambda m: _framed("c"),
    "CopyFail": lambda m: _framed("f", _texts(m.octets(0))),
    "PasswordMessage": lambda m: _framed("p", _texts(m.octets(0))),
    "SASLInitialResponse": _sasl_initial,
    "SASLResponse": lambda m: _framed("p", m.octets(0)),
    "FunctionCall": lambda m: _framed("F", struct.pack("!IHHH", m.number(0), 0, 0, 0)),
    "Raw": lambda m: m.octets(0),
    "Wait": lambda m: b"",
}

# --- what the server answers --------------------------------------------------------------------

_AUTHENTICATION = {
    0: "AuthenticationOk", 3: "AuthenticationCleartextPassword", 10: "AuthenticationSASL",
    11: "AuthenticationSASLContinue", 12: "AuthenticationSASLFinal",
}  # fmt: skip
BACKEND = {
    "1": "ParseComplete", "2": "BindComplete", "3": "CloseComplete", "A": "NotificationResponse",
    "C": "CommandComplete", "D": "DataRow", "E": "ErrorResponse", "G": "CopyInResponse",
    "H": "CopyOutResponse", "I": "EmptyQueryResponse", "K": "BackendKeyData", "N": "NoticeResponse",
    "R": "Authentication", "S": "ParameterStatus", "T": "RowDescription", "Z": "ReadyForQuery",
    "c": "CopyDone", "d": "CopyData", "n": "NoData", "s": "PortalSuspended",
    "t": "ParameterDescription", "v": "NegotiateProtocolVersion",
}  # fmt: skip


def _spelled(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return f"x'{raw.hex()}'"
    if any(letter < " " and letter not in "\t\n" for letter in text):
        return f"x'{raw.hex()}'"
    return json.dumps(text, ensure_ascii=False)


def _strings(body: bytes) -> str:
    return " ".join(_spelled(part) for part in body.removesuffix(b"\0").split(b"\0"))


def _told_fields(body: bytes) -> str:
    return " ".join(f"{chr(part[0])}={_spelled(part[1:])}" for part in body.split(b"\0") if part)


def _columns(body: bytes) -> str:
    (count,) = struct.unpack_from("!H", body)
    at, found = 2, []
    for _ in range(count):
        end = body.index(b"\0", at)
        name = body[at:end]
        _, _, oid, size, modifier, code = struct.unpack_from("!IhIhih", body, end + 1)
        found.append(f"{_spelled(name)}:type={oid},size={size},mod={modifier},format={code}")
        at = end + 19
    return " ".join(found)


def _row(body: bytes) -> str:
    (count,) = struct.unpack_from("!H", body)
    at, found = 2, []
    for _ in range(count):
        (size,) = struct.unpack_from("!i", body, at)
        found.append("null" if size < 0 else _spelled(body[at + 4 : at + 4 + size]))
        at += 4 + max(0, size)
    return " ".join(found)


def _authentication(body: bytes) -> str:
    (kind,) = struct.unpack_from("!i", body)
    rest = _strings(body[4:]) if body[4:] else ""
    return f"{_AUTHENTICATION[kind]} {rest}".rstrip()


def _copy_columns(body: bytes) -> str:
    binary, count = struct.unpack_from("!bH", body)
    codes = struct.unpack_from(f"!{count}H", body, 3)
    return f"{binary} [{', '.join(map(str, codes))}]"


_BODIES: dict[str, Callable[[bytes], str]] = {
    "A": lambda b: f"{struct.unpack_from('!i', b)[0]} {_strings(b[4:])}",
    "C": _strings, "D": _row, "E": _told_fields, "G": _copy_columns, "H": _copy_columns,
    "K": lambda b: f"{struct.unpack_from('!i', b)[0]} x'{b[4:].hex()}'", "N": _told_fields,
    "S": _strings, "T": _columns, "Z": lambda b: b.decode(), "d": _spelled,
    "t": lambda b: " ".join(map(str, struct.unpack_from(f"!{len(b) // 4}I", b, 2))),
    "v": lambda b: f"{b[1]}.{b[3]} {_strings(b[8:])}",
}  # fmt: skip


def read_answer(data: bytes) -> Iterator[str]:
    """Yield each message of an answer as its line."""
    if data in (b"S", b"N"):  # To SSLRequest and GSSENCRequest: one byte, no message.
        yield f"{data.decode()} (one byte)"
        return
    while data:
        tag, (size,) = chr(data[0]), struct.unpack_from("!i", data, 1)
        body, data = data[5 : size + 1], data[size + 1 :]
        if tag == "R":
            yield _authentication(body)
        else:
            detail = _BODIES[tag](body) if tag in _BODIES else ""
            yield f"{BACKEND[tag]} {detail}".rstrip()
