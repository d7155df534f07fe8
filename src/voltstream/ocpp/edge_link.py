"""One charger at a gateway without a database: each message is in the log before it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from voltstream.core.clock import Clock
from voltstream.core.errors import VoltstreamError
from voltstream.ocpp import dispatch
from voltstream.ocpp.calling import Calling
from voltstream.ocpp.charger import Charger
from voltstream.ocpp.conversation import Conversation, Event, Refusal, Repeat, Request, Response
from voltstream.ocpp.draft import Draft
from voltstream.ocpp.frames import Json
from voltstream.ocpp.link import Bucket, Pace
from voltstream.ocpp.registry import Registry
from voltstream.ocpp.shared_topics import Given, transaction_number
from voltstream.ocpp.tokens import Verdict
from voltstream.ocpp.vendors import UNKNOWN_VENDOR
from voltstream.ocpp.versions import Version

Append = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class EdgeLink:
    """A connection whose messages are answered from what they say and the registry alone.

    Law: nothing is remembered of a charger between two connections, so that it may come to any
    gateway; whoever reads the log knows repeats.
    """

    def __init__(
        self,
        name: str,
        version: Version,
        connection_id: int,
        send: Callable[[str], Awaitable[None]],
        append: Append,
        registry: Registry,
        clock: Clock,
        pace: Pace,
        *,
        strict: bool,
    ) -> None:
        self.name = name
        self.version = version
        self.connection_id = connection_id
        # Set when the log says that this gateway has the charger; False: somebody has it since.
        self.owned: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        accepted = registry.registration(name) == "Accepted"
        self.conversation = Conversation(version, strict=strict, accepted=accepted)
        self._strict = strict
        self._send = send
        self._append = append
        self._registry = registry
        self._clock = clock
        self._pace = pace
        self._bucket = Bucket(clock.monotonic_s(), accepted=accepted)
        self._calling = Calling(self.conversation, send, pace.call_s)
        self._asked: tuple[str, str] | None = None

    async def take(self, text: str) -> None:
        """Log and answer one message. Law: the answer goes out after every replica has it."""
        record: dict[str, Any] = {
            "kind": "frame",
            "charger": self.name,
            "version": self.version.value,
            "connection": self.connection_id,
            "at": self._clock.now_us(),
            "text": text,
            "accepted": self.conversation.accepted,
            "strict": self._strict,
            "registration": self._registry.registration(self.name),
            "asked": self._asked,
        }
        event = self.conversation.receive(text, int(record["at"]))
        reply = self._reply(event, text, record)
        try:
            await self._append(self.name, record)
        except VoltstreamError as error:
            if isinstance(event, Request):
                # The charger sends it again.
                self.conversation.forget(event)
                reply = None if event.silent else self.conversation.fail(event, error.message)
            elif isinstance(event, Repeat):
                reply = None  # It asks again; its answer is still known.
        if isinstance(event, Response):
            self._asked = None
            self._calling.answered(event)
        if isinstance(event, Request) and event.action == "BootNotification":
            self.conversation.accepted = record["registration"] == "Accepted"
        if reply is not None:
            await self._send(reply)
        delay_s = self._bucket.delay_s(
            self._clock.monotonic_s(), accepted=self.conversation.accepted
        )
        if delay_s:
            await asyncio.sleep(delay_s)

    def _reply(self, event: Event, text: str, record: dict[str, Any]) -> str | None:
        """Return what to send, and put into the record what was decided on the way."""
        match event:
            case Request():
                return self._decided(event, text, record)
            case Refusal() | Repeat() | Response():
                return event.reply
            case _:
                return None

    def _decided(self, request: Request, text: str, record: dict[str, Any]) -> str | None:
        action, payload = request.action, request.payload
        verdict = self._registry.verdict(dispatch.token_in(self.version, action, payload))
        number = transaction_number(self.name, payload)
        record["verdict"] = [verdict.status, verdict.group_id, verdict.cache_us]
        if action == "StartTransaction":
            record["number"] = number
        if action == "DataTransfer":
            record["transfer"] = self._registry.vendors.status(payload)
        answer = self._answer(request, verdict, number, record)
        reply = self.conversation.answer(request, text, answer)
        return None if request.silent else reply

    def _answer(
        self, request: Request, verdict: Verdict, number: int, record: Mapping[str, Any]
    ) -> Json:
        """Ask the rules with a charger that nothing is known of; its rows are made elsewhere."""
        nobody = Charger(self.name)
        nobody.registration = str(record["registration"])
        draft = Draft(
            charger=nobody,
            version=self.version,
            action=request.action,
            payload=request.payload,
            received_us=int(record["at"]),
            raw_id=0,
            flags=request.flags,
            verdict=verdict,
            heartbeat_s=self._pace.heartbeat_s,
            retry_s=self._pace.retry_s,
            transfer=str(record.get("transfer") or UNKNOWN_VENDOR),
        )
        return dispatch.handle(draft, Given(number))

    async def call(self, message_id: str, action: str, payload: Mapping[str, Any]) -> Json:
        """Send a command and return the answer. Raises: Unanswered, CommandRefused."""
        self._asked = (message_id, action)
        return await self._calling.call(message_id, action, payload)

    def closed(self) -> None:
        """Let go of who waits for an answer that cannot come any more."""
        self._calling.closed()
        if not self.owned.done():
            self.owned.set_result(False)
