"""One connected charge point: its messages in order, each stored before it is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from voltstream.core.clock import Clock
from voltstream.core.errors import VoltstreamError
from voltstream.core.limits import (
    OCPP_BURST,
    OCPP_EARLY_RATE_PER_S,
    OCPP_RATE_PER_S,
)
from voltstream.ocpp import dispatch, frames
from voltstream.ocpp.archive import content_key, frame_row
from voltstream.ocpp.calling import Calling
from voltstream.ocpp.charger import Charger
from voltstream.ocpp.commands import redacted
from voltstream.ocpp.conversation import (
    Conversation,
    Ignored,
    Refusal,
    Repeat,
    Request,
    Response,
)
from voltstream.ocpp.draft import Draft, Row
from voltstream.ocpp.fleet import Registered
from voltstream.ocpp.frames import Json, document
from voltstream.ocpp.journal import Journal
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.tokens import Verdict
from voltstream.ocpp.v16 import Numbers
from voltstream.ocpp.versions import Version

_EARLY_BURST = 10


class Bucket:
    """A token bucket: how long to wait before the next message is read."""

    def __init__(self, now_s: float, *, accepted: bool) -> None:
        # Who was accepted before comes back with a queue.
        self._level = float(OCPP_BURST if accepted else _EARLY_BURST)
        self._at_s = now_s

    def delay_s(self, now_s: float, *, accepted: bool) -> float:
        """Take one message out."""
        rate = OCPP_RATE_PER_S if accepted else OCPP_EARLY_RATE_PER_S
        most = OCPP_BURST if accepted else _EARLY_BURST
        self._level = min(most, self._level + (now_s - self._at_s) * rate) - 1
        self._at_s = now_s
        return max(0.0, -self._level / rate)


@dataclass(frozen=True, slots=True)
class Pace:
    """What a charger is told at its boot, and how long it may take to answer. Units: s."""

    heartbeat_s: int
    retry_s: int
    call_s: float


class Known(Protocol):
    """What a link must know: of its charger, who is registered, and which tokens may charge."""

    @property
    def numbers(self) -> Numbers: ...

    def charger(self, name: str) -> Charger: ...

    async def current(self, name: str) -> Charger: ...

    def next_id(self) -> int: ...

    async def registered(self, name: str) -> Registered | None: ...

    async def registration(self, name: str) -> str: ...

    async def verdict(self, token: str | None) -> Verdict: ...

    def transfer(self, given: Json) -> str: ...


class Link:
    """Everything between one socket and the rows."""

    def __init__(
        self,
        name: str,
        version: Version,
        connection_id: int,
        send: Callable[[str], Awaitable[None]],
        fleet: Known,
        journal: Journal,
        clock: Clock,
        pace: Pace,
        *,
        strict: bool,
        stored: Callable[[Draft], None],
    ) -> None:
        self.name = name
        self.version = version
        self.connection_id = connection_id
        charger = fleet.charger(name)
        charger.clock.connected()
        accepted = charger.registration == "Accepted"
        self.conversation = Conversation(version, strict=strict, accepted=accepted)
        self._send = send
        self._fleet = fleet
        self._journal = journal
        self._clock = clock
        self._pace = pace
        self._bucket = Bucket(clock.monotonic_s(), accepted=accepted)
        self._stored_now = stored
        self._calling = Calling(self.conversation, send, pace.call_s)

    async def take(self, text: str) -> None:
        """Store and answer one message. Law: the answer goes out after its rows are durable."""
        received_us = self._clock.now_us()
        event = self.conversation.receive(text, received_us)
        match event:
            case Request():
                await self._request(event, text, received_us)
            case Refusal(message_id, action, code, _, reply):
                row = self._frame(text, received_us, message_id, action, reply, code)
                self._journal.put({"charger_frames": [row]})
                await self._send(reply)
            case Repeat(message_id, reply):
                flags = Quality.DUPLICATE
                row = self._frame(text, received_us, message_id, None, reply, flags=flags)
                self._journal.put({"charger_frames": [row]})
                await self._send(reply)
            case Response():
                row = self._frame(text, received_us, event.message_id, event.action)
                self._journal.put({"charger_frames": [row]})
                self._calling.answered(event)
                if event.reply is not None:
                    await self._send(event.reply)
            case Ignored(reason):
                row = self._frame(text, received_us, None, None, error_code=f"ignored: {reason}")
                self._journal.put({"charger_frames": [row]})
        delay_s = self._bucket.delay_s(
            self._clock.monotonic_s(), accepted=self.conversation.accepted
        )
        if delay_s:
            await asyncio.sleep(delay_s)

    def _frame(
        self,
        text: str,
        received_us: int,
        message_id: str | None,
        action: str | None,
        reply: str | None = None,
        error_code: str | None = None,
        *,
        raw_id: int | None = None,
        key: str | None = None,
        flags: Quality = Quality.OK,
        direction: str = "in",
    ) -> Row:
        return frame_row(
            raw_id=self._fleet.next_id() if raw_id is None else raw_id,
            charger=self.name,
            connection_id=self.connection_id,
            version=self.version,
            text=text,
            received_us=received_us,
            direction=direction,
            message_id=message_id,
            action=action,
            reply=reply,
            error_code=error_code,
            key=key,
            flags=flags,
        )

    # --- messages of the charger ----------------------------------------------------------------

    async def _request(self, request: Request, text: str, received_us: int) -> None:
        try:
            reply = await self._stored(request, text, received_us)
        except VoltstreamError as error:
            # What is in memory may be ahead of what is stored; the charger sends again.
            self._fleet.charger(self.name).stale = True
            reply = self.conversation.fail(request, error.message)
        if not request.silent:
            await self._send(reply)

    async def _stored(self, request: Request, text: str, received_us: int) -> str:
        charger = await self._fleet.current(self.name)
        action, payload = request.action, request.payload
        key = content_key(action, payload)
        if key is not None and key in charger.recent:
            answer = json.loads(charger.recent[key])
            flags = request.flags | Quality.DUPLICATE
            reply = self.conversation.answer(request, text, answer)
            row = self._frame(text, received_us, request.message_id, action, reply, flags=flags)
            self._journal.put({"charger_frames": [row]})
            return reply
        token = dispatch.token_in(self.version, action, payload)
        verdict = await self._fleet.verdict(token)
        if action == "BootNotification":
            charger.registration = await self._fleet.registration(self.name)
            known = await self._fleet.registered(self.name)
            if known is not None and known.power_w:
                charger.power_w = known.power_w
        draft = Draft(
            charger=charger,
            version=self.version,
            action=action,
            payload=payload,
            received_us=received_us,
            raw_id=self._fleet.next_id(),
            flags=request.flags,
            verdict=verdict,
            heartbeat_s=self._pace.heartbeat_s,
            retry_s=self._pace.retry_s,
        )
        if action == "DataTransfer":
            draft.transfer = self._fleet.transfer(payload)
        answer = dispatch.handle(draft, self._fleet.numbers)
        reply = self.conversation.answer(request, text, answer)
        frame = self._frame(
            text,
            received_us,
            request.message_id,
            action,
            None if request.silent else document(answer),
            raw_id=draft.raw_id,
            key=key,
            flags=draft.flags,
        )
        try:
            await self._journal.commit({"charger_frames": [frame], **draft.rows})
        except VoltstreamError:
            self.conversation.forget(request)
            raise
        self._stored_now(draft)
        if key is not None:
            charger.remember(key, document(answer))
        if action == "BootNotification":
            self.conversation.accepted = charger.registration == "Accepted"
        return reply

    # --- commands to the charger ----------------------------------------------------------------

    async def call(self, message_id: str, action: str, payload: Mapping[str, Any]) -> Json:
        """Send a command and return the answer. Raises: Unanswered, CommandRefused."""
        text = frames.call(message_id, action, redacted(payload))
        now_us = self._clock.now_us()
        row = self._frame(text, now_us, message_id, action, direction="out")
        self._journal.put({"charger_frames": [row]})
        return await self._calling.call(message_id, action, payload)

    def closed(self) -> None:
        """Let go of who waits for an answer that cannot come any more."""
        self._calling.closed()
