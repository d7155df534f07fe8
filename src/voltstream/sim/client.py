"""One simulated charger at work: a WebSocket client that knows nothing of the server's code."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from voltstream.sim.plan import Charger, Session
from voltstream.sim.script import Message, Script

_ANSWER_S = 60.0
_BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(slots=True)
class Tally:
    """What all chargers together have seen. Units: s."""

    sent: int = 0
    answered: int = 0
    refused: int = 0
    connects: int = 0
    failures: int = 0
    latencies_s: list[float] = field(default_factory=list)
    told: list[dict[str, object]] = field(default_factory=list)


class Unconnected(Exception):
    """The connection ended before an answer came."""


class Client:
    """Follows its script: waits, sends, is silent, comes back and sends what it kept."""

    def __init__(
        self,
        charger: Charger,
        script: Script,
        url: str,
        now_s: Callable[[], float],
        speed: float,
        tally: Tally,
    ) -> None:
        self._charger = charger
        self._script = script
        self._url = f"{url.rstrip('/')}/{charger.name}"
        self._now_s = now_s
        self._speed = speed
        self._tally = tally
        self._socket: ClientConnection | None = None
        self._transactions: dict[float, Any] = {}
        self._number = 0
        self._said = 0  # Messages of the script that are behind us.

    async def say_until(self, at_s: float) -> None:
        """Say what is due by an instant of the plan, for one who leads; nothing is waited for."""
        messages = self._script.messages
        while self._said < len(messages):
            message = messages[self._said]
            silence_s = self._silent_until(message.at_s)
            is_beat = message.action == "Heartbeat"
            if (message.at_s if silence_s is None or is_beat else silence_s) > at_s:
                return
            self._said += 1
            if silence_s is not None:
                await self._hang_up()
                if is_beat:
                    continue
            await self._tell(message)

    async def close(self) -> None:
        await self._hang_up()

    async def run(self) -> None:
        for message in self._script.messages:
            await self._until(message.at_s)
            silence_s = self._silent_until(message.at_s)
            if silence_s is not None:
                await self._hang_up()
                if message.action == "Heartbeat":
                    continue
                await self._until(silence_s)
            await self._tell(message)
        await self._hang_up()

    def _silent_until(self, at_s: float) -> float | None:
        for begin_s, end_s in self._script.silences:
            if begin_s <= at_s < end_s:
                return end_s
        return None

    async def _until(self, at_s: float) -> None:
        while (rest_s := (at_s - self._now_s()) / self._speed) > 0:
            await asyncio.sleep(min(rest_s, 5.0))

    async def _tell(self, message: Message) -> None:
        """Send until it is answered; what was sent keeps its id when it is sent again."""
        self._number += 1
        key = message.session.start_s if message.session is not None else -1.0
        transaction = self._transactions.get(key)
        if transaction is None and message.action in ("MeterValues", "StopTransaction"):
            transaction = -1 if message.action == "StopTransaction" else 0
        frame = [
            2,
            f"{self._number}-{int(message.at_s)}",
            message.action,
            message.make(transaction),
        ]
        text = json.dumps(frame)
        lose = message.lost_reply
        for attempt in range(100):
            try:
                answer = await self._ask(text, lose=lose)
                break
            except (Unconnected, OSError, ConnectionClosed, InvalidHandshake, TimeoutError):
                self._tally.failures += 1
                lose = False
                await self._hang_up()
                await asyncio.sleep(_BACK_OFF_S[min(attempt, len(_BACK_OFF_S) - 1)])
        else:
            return
        if message.twice:
            await self._ask(text, lose=False)
        self._learn(message, answer)

    def _learn(self, message: Message, answer: list[Any]) -> None:
        if answer[0] == 4:
            self._tally.refused += 1
            return
        session = message.session
        if session is None:
            return
        if message.action == "StartTransaction":
            self._transactions[session.start_s] = answer[2]["transactionId"]
        payload = message.make(None)
        if message.action == "StopTransaction":
            self._note(session, str(self._transactions.get(session.start_s)))
        elif payload.get("eventType") == "Ended":
            self._note(session, payload["transactionInfo"]["transactionId"])

    def _note(self, session: Session, transaction_id: str) -> None:
        """Keep the truth of a finished session, to compare records with."""
        self._tally.told.append(
            {
                "charger": self._charger.name,
                "transaction_id": transaction_id,
                "energy_wh": session.energy_wh,
                "exact": self._charger.exact(session),
                "faults": sorted(session.faults | self._charger.faults),
            }
        )

    async def _ask(self, text: str, *, lose: bool) -> list[Any]:
        """Send one CALL and wait for its answer. Raises: Unconnected, ConnectionClosed, …"""
        socket = await self._connected()
        begin_s = time.perf_counter()
        self._tally.sent += 1
        await socket.send(text)
        if lose:  # The answer is on its way when the line goes down.
            await asyncio.sleep(0.05)
            socket.transport.abort()
            raise Unconnected
        wanted = json.loads(text)[1]
        while True:
            answer = json.loads(await asyncio.wait_for(socket.recv(), _ANSWER_S))
            if answer[0] == 2:
                await socket.send(json.dumps([3, answer[1], {"status": "Accepted"}]))
            elif answer[1] == wanted:
                self._tally.answered += 1
                self._tally.latencies_s.append(time.perf_counter() - begin_s)
                return list(answer)

    async def _connected(self) -> ClientConnection:
        if self._socket is None:
            protocols = [Subprotocol(self._charger.version)]
            self._socket = await connect(
                self._url, subprotocols=protocols, compression=None, open_timeout=60,
                ping_interval=None, max_queue=16,
            )  # fmt: skip
            self._tally.connects += 1
        return self._socket

    async def _hang_up(self) -> None:
        if self._socket is not None:
            socket, self._socket = self._socket, None
            with suppress(OSError, ConnectionClosed):
                await socket.close()
