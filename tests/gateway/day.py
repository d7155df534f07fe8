"""A day of simulated chargers through everything of the gateway but its sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from voltstream.cli.chargers import gateway_ddl
from voltstream.core.clock import ManualClock
from voltstream.ocpp.doors import GatewayOptions
from voltstream.ocpp.gateway import Gateway
from voltstream.ocpp.link import Link, Pace
from voltstream.ocpp.versions import Version
from voltstream.runtime.instance import Instance
from voltstream.sim.plan import Charger, Session
from voltstream.sim.script import Message, Writer

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
BEGIN_S = BEGIN.timestamp()
DC_SAMPLE_S, AC_SAMPLE_S = 1200.0, 5400.0  # A few a session: many would add nothing.


@dataclass(slots=True)
class Told:
    """What was made of one true session: the id that the server knows it by."""

    charger: Charger
    session: Session
    transaction_id: str | None = None


class Player:
    """One charger that says all it has to say, at its own times, as fast as it is answered."""

    def __init__(self, gateway: Gateway, charger: Charger, end_s: float) -> None:
        self._gateway = gateway
        self._charger = charger
        sample_s = DC_SAMPLE_S if charger.is_dc else AC_SAMPLE_S
        writer = Writer(charger, BEGIN_S, sample_s=sample_s, heartbeat_s=86_400, end_s=end_s)
        self._script = writer.script()
        self._clock = ManualClock(round(BEGIN_S * 1e6))
        self._answers: list[list[Any]] = []
        self._number = 0
        self._now_s = 0.0
        self._link = self._connected()
        self.told = {one.start_s: Told(charger, one) for one in charger.sessions}

    def _connected(self) -> Link:
        gateway = self._gateway

        async def send(text: str) -> None:
            self._answers.append(json.loads(text))

        return Link(
            self._charger.name, Version(self._charger.version), gateway.fleet.next_id(), send,
            gateway.fleet, gateway.journal, self._clock, Pace(300, 60, 30.0), strict=False,
            stored=gateway.ledger.touch,
        )  # fmt: skip

    async def play(self, until_s: float) -> None:
        """Say what is due before an instant and was not said yet."""
        for message in self._script.messages[self._number :]:
            if message.at_s >= until_s:
                return
            self._number += 1
            ends = [end for begin, end in self._script.silences if begin <= message.at_s < end]
            if ends and message.action == "Heartbeat":
                continue
            self._now_s = max([message.at_s, *ends, self._now_s])
            self._clock.set(datetime.fromtimestamp(BEGIN_S + self._now_s, UTC))
            await self._say(message)

    async def _say(self, message: Message) -> None:
        known = self.told.get(message.session.start_s) if message.session is not None else None
        number = known.transaction_id if known is not None else None
        payload = message.make(int(number) if number and number.isdigit() else number or 0)
        text = json.dumps([2, f"{self._number}", message.action, payload])
        await self._link.take(text)
        if message.lost_reply:  # The line went down with the answer on it.
            self._link.closed()
            self._link = self._connected()
            await self._link.take(text)
        if message.twice:
            await self._link.take(text)
        answer = self._answers.pop()
        assert answer[0] == 3, (self._charger.name, text, answer)
        self._answers.clear()
        if known is not None:
            info = payload.get("transactionInfo", {})
            found = answer[2].get("transactionId") or info.get("transactionId")
            known.transaction_id = str(found) if found else known.transaction_id


@asynccontextmanager
async def gateway_at(
    instance: Instance, clock: ManualClock, **options: Any
) -> AsyncIterator[Gateway]:
    """Yield a gateway without a port: its fleet, journal and ledger."""
    gateway = Gateway(instance, instance, clock, GatewayOptions(**options), gateway_ddl())
    gateway.journal.start()
    await gateway.prepare()
    try:
        yield gateway
    finally:
        await gateway.stop()


async def play(players: Iterable[Player], until_s: float) -> None:
    await asyncio.gather(*(player.play(until_s) for player in players))
