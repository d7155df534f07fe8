"""One connection's protocol: text in, what it means and what to send out. No I/O, no clock."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voltstream.core.limits import (
    OCPP_REPLIES_KEPT,
    OCPP_REPLY_KEPT_S,
    OCPP_TIME_REPLY_KEPT_S,
)
from voltstream.ocpp import frames, schemas
from voltstream.ocpp.codes import Fault, code
from voltstream.ocpp.frames import Frame, Json, Malformed
from voltstream.ocpp.instants import US_PER_S
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.validation import Refused, check
from voltstream.ocpp.versions import Version

_TELLS_TIME = frozenset({"BootNotification", "Heartbeat"})  # A charger sets its clock by these.


@dataclass(frozen=True, slots=True)
class Request:
    """A CALL, or with ``silent`` a SEND, that is to be stored and (but for a SEND) answered."""

    message_id: str
    action: str
    payload: Json
    flags: Quality
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that was answered with an error; ``reply`` is what to send."""

    message_id: str
    action: str
    code: str
    detail: str
    reply: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """A message that was answered before; ``reply`` is the same answer."""

    message_id: str
    reply: str


@dataclass(frozen=True, slots=True)
class Response:
    """What the charge point answers to our CALL. ``error`` is a code, or None.

    ``reply`` is what 2.1 wants to be told when the answer is not one.
    """

    message_id: str
    action: str
    payload: Json
    error: str | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that the version says to pass over."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer that was given. Units: microseconds UTC; later the same id is another message."""

    digest: bytes
    text: str
    until_us: int


Event = Request | Refusal | Repeat | Response | Ignored


class Conversation:
    """The state of one connection.

    Law: every text gives one event; at most one CALL of ours is open; a message id that comes
    again with the same content gives the same answer.
    """

    def __init__(self, version: Version, *, strict: bool, accepted: bool) -> None:
        self.version = version
        self.accepted = accepted
        self.triggered: set[str] = set()  # Actions we asked for while it is pending.
        self._strict = strict
        self._replies: OrderedDict[str, _Reply] = OrderedDict()
        self._open: tuple[str, str] | None = None
        self._now_us = 0

    def receive(self, text: str, now_us: int = 0) -> Event:
        """Take one message that came at this instant."""
        self._now_us = now_us
        frame = frames.parse(text, self.version)
        if isinstance(frame, Malformed):
            return self._malformed(frame)
        match frame.kind:
            case frames.CALL:
                return self._call(frame, text)
            case frames.SEND:
                return self._send(frame)
            case frames.CALLRESULT | frames.CALLERROR:
                return self._response(frame)
            case _:
                return Ignored("an error about an answer of ours")

    def answer(self, request: Request, text: str, payload: Mapping[str, Any]) -> str:
        """Return the CALLRESULT, and remember it for the same message coming again."""
        reply = frames.result(request.message_id, payload)
        kept_s = OCPP_TIME_REPLY_KEPT_S if request.action in _TELLS_TIME else OCPP_REPLY_KEPT_S
        until_us = self._now_us + kept_s * US_PER_S
        self._replies[request.message_id] = _Reply(_digest(text), reply, until_us)
        if len(self._replies) > OCPP_REPLIES_KEPT:
            self._replies.popitem(last=False)
        return reply

    def fail(self, request: Request, detail: str) -> str:
        """Return the CALLERROR of a message that could not be stored: it may come again."""
        name = code(self.version, Fault.INTERNAL)
        return frames.error(request.message_id, str(name), detail)

    def forget(self, request: Request) -> None:
        """Take back an answer that must not be given: its message could not be stored."""
        self._replies.pop(request.message_id, None)

    @property
    def busy(self) -> bool:
        """Tell whether a CALL of ours waits for its answer."""
        return self._open is not None

    def issue(self, message_id: str, action: str, payload: Mapping[str, Any]) -> str:
        """Return a CALL of ours. Raises: RuntimeError while another one is open."""
        if self._open is not None:
            raise RuntimeError("one CALL at a time")
        self._open = (message_id, action)
        return frames.call(message_id, action, payload)

    def expect(self, message_id: str, action: str) -> None:
        """Take note of a CALL that somebody else has sent on this connection."""
        self._open = (message_id, action)

    def give_up(self) -> None:
        """Forget the open CALL: its time is over."""
        self._open = None

    def _malformed(self, found: Malformed) -> Event:
        anonymous = found.message_id == frames.ANONYMOUS
        name = code(self.version, found.fault, anonymous=anonymous)
        if name is None or not found.answered:
            return Ignored(found.detail)
        reply = frames.error(found.message_id, name, found.detail)
        return Refusal(found.message_id, "", name, found.detail, reply)

    def _refuse(self, frame: Frame, fault: Fault, detail: str = "") -> Refusal:
        name = str(code(self.version, fault))
        detail = detail or fault.value
        reply = frames.error(frame.message_id, name, detail)
        return Refusal(frame.message_id, frame.action, name, detail, reply)

    def _call(self, frame: Frame, text: str) -> Event:
        known = self._replies.get(frame.message_id)
        if known is not None and self._now_us <= known.until_us:
            if known.digest == _digest(text):
                return Repeat(frame.message_id, known.text)
            # 1.6 says nothing of ids that come again, and old stations count from 1 anew.
            if self.version is not Version.V16:
                return self._refuse(frame, Fault.REUSED_ID)
        if frame.action not in schemas.FROM_CHARGER[self.version]:
            known_action = frame.action in schemas.actions(self.version)
            return self._refuse(frame, Fault.NOT_FOR_US if known_action else Fault.UNKNOWN_ACTION)
        if not self._may_speak(frame.action):
            return self._refuse(frame, Fault.NOT_ACCEPTED)
        schema = schemas.request(self.version, frame.action)
        checked = check(frame.payload, schema, strict=self._strict)
        if isinstance(checked, Refused):
            return self._refuse(frame, checked.fault, checked.detail)
        self.triggered.discard(frame.action)
        flags = frame.flags | checked.flags
        return Request(frame.message_id, frame.action, checked.payload, flags)

    def _may_speak(self, action: str) -> bool:
        return self.accepted or action == "BootNotification" or action in self.triggered

    def _send(self, frame: Frame) -> Event:
        """A SEND is never answered, whatever is wrong with it (2.1 part 4, 4.2.5)."""
        if frame.action not in schemas.SENT or not self.accepted:
            return Ignored(f"a SEND that is not taken: {frame.action[:50]}")
        schema = schemas.request(self.version, frame.action)
        # The example in part 4 has an ISO time and no base time, which its schema refuses.
        checked = check(frame.payload | _stream_defaults(frame.payload), schema, strict=False)
        if isinstance(checked, Refused):
            return Ignored(checked.detail)
        given = frame.payload if isinstance(frame.payload.get("data"), list) else checked.payload
        flags = frame.flags | checked.flags
        return Request(frame.message_id, frame.action, given, flags, silent=True)

    def _response(self, frame: Frame) -> Event:
        if self._open is None or self._open[0] != frame.message_id:
            return Ignored("an answer to nothing that is open")
        message_id, action = self._open
        self._open = None
        if frame.kind == frames.CALLERROR:
            return Response(message_id, action, frame.payload, error=frame.payload["code"])
        payload = {} if frame.payload is None else frame.payload
        if isinstance(payload, dict):
            checked = check(payload, schemas.response(self.version, action), strict=False)
            if not isinstance(checked, Refused):
                return Response(message_id, action, checked.payload)
            detail, fault = checked.detail, checked.fault
        else:
            payload, detail, fault = {}, "the payload is not an object", Fault.BAD_PAYLOAD
        name = str(code(self.version, fault))
        reply = None
        if self.version is Version.V21:
            reply = frames.result_error(message_id, name, detail)
        return Response(message_id, action, payload, error=name, reply=reply)


def _stream_defaults(payload: Json) -> Json:
    absent = {"basetime": "1970-01-01T00:00:00Z", "pending": 0}
    return {key: value for key, value in absent.items() if key not in payload}


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
