"""Commands to one connected charge point: one is open at a time, the others wait in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from voltstream.core.limits import OCPP_COMMANDS_MAX
from voltstream.ocpp.conversation import Conversation, Response
from voltstream.ocpp.frames import Json, document


class Unanswered(Exception):
    """The charge point did not answer a command in time, or went away."""


class CommandRefused(Exception):
    """The charge point answered with a CALLERROR. Shape: its code and what came with it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


class Calling:
    """The CALLs of ours on one connection. Units: ``call_s``, how long an answer may take."""

    def __init__(
        self, conversation: Conversation, send: Callable[[str], Awaitable[None]], call_s: float
    ) -> None:
        self._conversation = conversation
        self._send = send
        self._call_s = call_s
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._answer: asyncio.Future[Response] | None = None

    async def call(self, message_id: str, action: str, payload: Mapping[str, Any]) -> Json:
        """Send a command and return the answer. Raises: Unanswered, CommandRefused."""
        if self._waiting >= OCPP_COMMANDS_MAX:
            raise Unanswered("too many commands wait for this charge point")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._call(message_id, action, payload)
        finally:
            self._waiting -= 1

    async def _call(self, message_id: str, action: str, payload: Mapping[str, Any]) -> Json:
        text = self._conversation.issue(message_id, action, payload)
        if action in ("TriggerMessage", "ExtendedTriggerMessage"):
            self._conversation.triggered.add(str(payload.get("requestedMessage")))
        self._answer = asyncio.get_running_loop().create_future()
        try:
            await self._send(text)
            response = await asyncio.wait_for(self._answer, self._call_s)
        except TimeoutError as error:
            raise Unanswered("no answer in time") from error
        finally:
            self._conversation.give_up()
            self._answer = None
        if response.error is not None:
            raise CommandRefused(response.error, document(response.payload))
        return response.payload

    def answered(self, response: Response) -> None:
        """Hand an answer to who waits for it."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(response)

    def closed(self) -> None:
        """Let go of who waits for an answer that cannot come any more."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Unanswered("the charge point went away"))
