"""Commands to chargers of other gateways: through the topic that says who has which."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from voltstream.connectors.kafka_log import LogReader, TopicLog
from voltstream.core.clock import Clock
from voltstream.core.errors import VoltstreamError
from voltstream.ocpp.shared_topics import COMMAND_SLACK_S, CONTROL, REPLIES, TOPICS

AGAIN_S = 1.0
_TAKE = 1_000
_WAIT_S = 0.2
_ENDS = frozenset({"answered", "refused", "unanswered", "impossible"})
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FarReply:
    """What a gateway says of a command: first that it was sent, then what came of it."""

    state: str
    action: str
    payload: str
    status: str | None
    reply: str | None


class FarCommands:
    """Asks all gateways; the one that has the charger acts. Units: ``call_s``, for an answer."""

    def __init__(self, topics: TopicLog, clock: Clock, call_s: float, partitions: int) -> None:
        self._topics = topics
        self._clock = clock
        self._call_s = call_s
        self._partitions = partitions
        self._waiting: dict[str, asyncio.Queue[FarReply]] = {}
        self._listening = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run(
        self,
        command_id: str,
        charger: str,
        function: str,
        given: Mapping[str, str | None],
        number: int,
    ) -> AsyncIterator[FarReply]:
        """Yield what is said of a command until its end; nothing when no gateway has the charger.

        Raises: TargetUnavailable (08006).
        """
        await asyncio.wait_for(self._listening.wait(), self._call_s)
        replies = self._waiting[command_id] = asyncio.Queue()
        try:
            record = {
                "kind": "command",
                "id": command_id,
                "function": function,
                "given": dict(given),
                "number": number,
                "until": self._clock.now_us() + int(COMMAND_SLACK_S * 1e6),
            }
            await asyncio.wrap_future(self._topics.append(CONTROL, charger, record))
            wait_s, last = COMMAND_SLACK_S, None
            while last is None or last.state not in _ENDS:
                try:
                    last = await asyncio.wait_for(replies.get(), wait_s)
                except TimeoutError:
                    if last is None:
                        return
                    # Its gateway was lost; whether the charger acted cannot be known.
                    reply = "the gateway of the charge point went away"
                    last = FarReply("unanswered", last.action, last.payload, None, reply)
                yield last
                wait_s = self._call_s + COMMAND_SLACK_S
        finally:
            del self._waiting[command_id]

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._topics.make, TOPICS, self._partitions)
                await asyncio.to_thread(self._topics.partitions, CONTROL)
                reader = await asyncio.to_thread(self._topics.reader, REPLIES)
            except VoltstreamError as error:
                log.warning("gateways cannot be asked: %s", error.message)
                await asyncio.sleep(AGAIN_S)
                continue
            self._listening.set()
            await self._listen(reader)

    async def _listen(self, reader: LogReader) -> None:
        try:
            while True:
                taking = asyncio.ensure_future(asyncio.to_thread(reader.take, _TAKE, _WAIT_S))
                try:
                    records = await asyncio.shield(taking)
                except asyncio.CancelledError:
                    await taking
                    raise
                for record in records:
                    if record.value is not None:
                        self._hand_on(record.value)
        finally:
            await asyncio.to_thread(reader.close)

    def _hand_on(self, said: Mapping[str, Any]) -> None:
        waiting = self._waiting.get(str(said.get("id")))
        if waiting is not None:
            waiting.put_nowait(
                FarReply(
                    str(said["state"]),
                    str(said.get("action") or ""),
                    str(said.get("payload") or ""),
                    said.get("status"),
                    said.get("reply"),
                )
            )
