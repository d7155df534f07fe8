"""OCPP-J framing: text to one frame, and frames to text.

Source: OCPP-J 1.6 section 4; OCPP 2.0.1 and 2.1 part 4, section 4.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voltstream.core.limits import (
    OCPP_DEPTH_MAX,
    OCPP_MESSAGE_ID_CHARACTERS_MAX,
    OCPP_STRING_CHARACTERS_MAX,
    OCPP_TOKENS_MAX,
)
from voltstream.ocpp.codes import Fault
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.versions import Version

CALL, CALLRESULT, CALLERROR, CALLRESULTERROR, SEND = 2, 3, 4, 5, 6
ANONYMOUS = "-1"
_LENGTHS = {CALL: 4, CALLRESULT: 3, CALLERROR: 5, CALLRESULTERROR: 5, SEND: 4}
_BEGINNING = re.compile(r'\s*\[\s*[26]\s*,\s*"([^"\\\x00-\x1f]{1,255})"')
_KEYS = re.compile(r'"\s*:')  # Every key ends so; a text may, escaped, look the same.
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that can be read. Shape: ``action`` is empty but for CALL and SEND."""

    kind: int
    message_id: str
    action: str
    payload: Any
    flags: Quality = Quality.OK


@dataclass(frozen=True, slots=True)
class Malformed:
    """Text that is no frame. ``answered``: False when the other side must not be answered."""

    fault: Fault
    message_id: str
    detail: str
    answered: bool = True


class _Unreadable(ValueError):
    """JSON by Python's parser, and not by the standard or our limits."""


def parse(text: str, version: Version) -> Frame | Malformed:
    """Read one message. Law: never raises, whatever the text."""
    try:
        return _framed(*_read(text), version)
    except (ValueError, RecursionError) as error:
        known = isinstance(error, json.JSONDecodeError | _Unreadable)
        detail = str(error) if known else "a value is too long or nested too deep"
        return Malformed(Fault.NOT_READABLE, _identity(text), detail)


def _read(text: str) -> tuple[Any, Quality]:
    flags = Quality.OK
    content = _DECODER.decode(text)
    if _survey(content) != len(_KEYS.findall(text)):
        # More keys are written than are left, or a text looks like one: now pair by pair.
        content, flags = _careful(text)
    if "\\u" in text or "\x00" in text:
        content, changed = _writable(content)
        flags |= Quality.COERCED if changed else Quality.OK
    return content, flags


def _no_constant(name: str) -> Any:
    raise _Unreadable(f"{name} is not JSON")


# Made once: json.loads and json.dumps with options make one for every call.
_DECODER = json.JSONDecoder(parse_constant=_no_constant)
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _careful(text: str) -> tuple[Any, Quality]:
    """Read a document whose objects may name a key twice. Raises: _Unreadable."""
    flags = Quality.OK

    def once(pairs: list[tuple[str, Any]]) -> Json:
        nonlocal flags
        found = dict(pairs)
        if len(found) != len(pairs):
            for key, value in pairs:
                if found[key] != value:
                    raise _Unreadable("an object names a key twice")
            flags |= Quality.COERCED
        return found

    content = json.loads(text, object_pairs_hook=once, parse_constant=_no_constant)
    return content, flags


def _survey(content: Any) -> int:
    """Walk a document without recursion; return how many keys its objects have.

    Raises: _Unreadable beyond a limit.
    """
    tokens = keys = 0
    level: list[Any] = [content]
    for _ in range(OCPP_DEPTH_MAX + 1):
        deeper: list[Any] = []
        for value in level:
            if isinstance(value, str):
                if len(value) > OCPP_STRING_CHARACTERS_MAX:
                    raise _Unreadable("a string is too long")
            elif isinstance(value, dict):
                keys += len(value)
                deeper.extend(value.values())
            elif isinstance(value, list):
                deeper.extend(value)
        tokens += len(level)
        if tokens > OCPP_TOKENS_MAX:
            raise _Unreadable("the message has too many values")
        if not deeper:
            return keys
        level = deeper
    raise _Unreadable("the message is nested too deep")


def _writable(value: Any) -> tuple[Any, bool]:
    """Replace what no UTF-8 text can hold; tell whether anything was."""
    if isinstance(value, str):
        clean = _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", value)
        return clean, clean != value
    if isinstance(value, list):
        parts = [_writable(part) for part in value]
        return [part for part, _ in parts], any(changed for _, changed in parts)
    if isinstance(value, dict):
        fields = {_writable(key)[0]: _writable(part) for key, part in value.items()}
        changed = fields.keys() != value.keys() or any(one for _, one in fields.values())
        return {key: part for key, (part, _) in fields.items()}, changed
    return value, False


def _identity(text: str) -> str:
    """Return the message id of a text that is no JSON, when it begins as a CALL does."""
    found = _BEGINNING.match(text)
    return found[1] if found and not _UNWRITABLE.search(found[1]) else ANONYMOUS


def _framed(content: Any, flags: Quality, version: Version) -> Frame | Malformed:
    if not isinstance(content, list) or len(content) < 3:
        return Malformed(Fault.NOT_A_FRAME, _second(content), "a message is an array of 3 to 5")
    kind = content[0]
    known = {2, 3, 4} if version is not Version.V21 else {2, 3, 4, 5, 6}
    if isinstance(kind, bool) or not isinstance(kind, int) or kind not in known:
        return Malformed(Fault.UNKNOWN_TYPE, _second(content), "no such message type")
    answered = kind == CALL
    message_id = content[1]
    limit = 255 if version is Version.V16 else OCPP_MESSAGE_ID_CHARACTERS_MAX
    if not isinstance(message_id, str) or len(message_id) > limit:
        detail = f"a message id is a string of at most {limit} characters"
        return Malformed(Fault.BAD_MESSAGE_ID, ANONYMOUS, detail, answered)
    if not message_id and version is not Version.V16:
        return Malformed(Fault.BAD_MESSAGE_ID, ANONYMOUS, "the message id is empty", answered)
    # Chargers leave out the details of a CALLERROR; nothing depends on them.
    if len(content) != _LENGTHS[kind] and not (kind == CALLERROR and len(content) == 4):
        detail = f"a message of this type has {_LENGTHS[kind]} elements"
        return Malformed(Fault.NOT_A_FRAME, message_id, detail, answered)
    if kind in (CALLERROR, CALLRESULTERROR):
        error = {"code": str(content[2])[:64], "description": str(content[3])[:255]}
        return Frame(kind, message_id, "", error, flags)
    if kind == CALLRESULT:
        return Frame(kind, message_id, "", content[2], flags)
    action = content[2]
    if not isinstance(action, str):
        return Malformed(Fault.NOT_A_FRAME, message_id, "the action is not a string", answered)
    payload = {} if content[3] is None else content[3]
    if not isinstance(payload, dict):
        return Malformed(Fault.BAD_PAYLOAD, message_id, "the payload is not an object", answered)
    return Frame(kind, message_id, action, payload, flags)


def _second(content: Any) -> str:
    """Return the message id of something that is no frame, when it has one."""
    if isinstance(content, list) and len(content) > 1:
        second = content[1]
        if isinstance(second, str) and 0 < len(second) <= OCPP_MESSAGE_ID_CHARACTERS_MAX:
            return second
    return ANONYMOUS


def call(message_id: str, action: str, payload: Mapping[str, Any]) -> str:
    return _text([CALL, message_id, action, payload])


def result(message_id: str, payload: Mapping[str, Any]) -> str:
    return _text([CALLRESULT, message_id, payload])


def error(message_id: str, code: str, description: str) -> str:
    return _text([CALLERROR, message_id, code, description[:255], {}])


def result_error(message_id: str, code: str, description: str) -> str:
    return _text([CALLRESULTERROR, message_id, code, description[:255], {}])


def _text(parts: list[Any]) -> str:
    return _ENCODER.encode(parts)


def document(value: Any) -> str:
    """Spell a part of a message as JSON; 1e400, which Python reads as infinite, as null."""
    try:
        return _ENCODER.encode(value)
    except ValueError:
        return _ENCODER.encode(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(part) for part in value]
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return value
