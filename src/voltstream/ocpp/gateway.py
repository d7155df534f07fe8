"""The gateway of this server: what chargers send becomes rows of its database."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence

from websockets.asyncio.server import ServerConnection

from voltstream.core.clock import Clock
from voltstream.core.errors import VoltstreamError
from voltstream.core.ports import JointIngest, Sessions
from voltstream.ocpp.asking import Asker
from voltstream.ocpp.doors import Doors, GatewayOptions
from voltstream.ocpp.draft import Row
from voltstream.ocpp.fleet import Fleet, Registered
from voltstream.ocpp.journal import Journal
from voltstream.ocpp.ledger import Ledger
from voltstream.ocpp.link import Link, Pace
from voltstream.ocpp.vendors import Vendors
from voltstream.ocpp.versions import Version

log = logging.getLogger(__name__)


class Gateway(Doors[Link]):
    """Doors before a database: rows are durable there before a message is answered."""

    def __init__(
        self,
        ingest: JointIngest,
        sessions: Sessions,
        clock: Clock,
        options: GatewayOptions,
        ddl: Sequence[str],
    ) -> None:
        super().__init__(clock, options)
        self.asker = Asker(sessions, options.database, options.user)
        self.journal = Journal(ingest, options.database)
        self.fleet = Fleet(
            self.asker,
            clock,
            ddl,
            unknown_chargers=options.unknown_chargers,
            unknown_tokens=options.unknown_tokens,
            vendors=Vendors(options.data_transfer),
        )
        self.ledger = Ledger(
            self.asker,
            self.fleet,
            self.journal,
            clock,
            settle_s=options.settle_s,
            settle_gaps_s=options.settle_gaps_s,
            settle_offline_s=options.settle_offline_s,
        )
        self._preparing: asyncio.Task[None] | None = None
        self._resuming: asyncio.Task[None] | None = None

    async def start(self, listening: socket.socket) -> None:
        """Begin to take connections."""
        self.journal.start()
        self._resuming = asyncio.create_task(self.resume())
        await self.open(listening)

    async def prepare(self) -> None:
        """Make the relations and recall what they hold, once. Raises: VoltstreamError.

        A handshake that takes too long for it is cut off; the work goes on for the next one.
        """
        if self.fleet.ready:
            return
        if self._preparing is None or self._preparing.done():
            self._preparing = asyncio.create_task(self._prepare())
            self._preparing.add_done_callback(_heard)
        await asyncio.shield(self._preparing)

    async def _prepare(self) -> None:
        await self.fleet.prepare()
        await self.ledger.start()

    async def resume(self) -> None:
        """Go on with records of charge where there are any; a new server makes nothing yet."""
        known = "SELECT 1 FROM pg_class WHERE relname = 'charge_detail_records'"
        try:
            if await self.asker.rows(known):
                await self.prepare()
        except VoltstreamError as error:
            log.error("the gateway cannot read what it stored: %s", error.message)

    async def stop(self) -> None:
        """Tell everybody that we go (1001), store what was taken, and end."""
        await self.close()
        if self._resuming is not None:
            await self._resuming
        if self._preparing is not None:
            await asyncio.gather(self._preparing, return_exceptions=True)
        await self.ledger.stop()
        await self.journal.stop()
        await asyncio.to_thread(self.asker.close)

    async def registered(self, name: str) -> Registered | None:
        return await self.fleet.registered(name)

    def link(self, name: str, version: Version, socket_: ServerConnection) -> Link:
        options = self._options
        return Link(
            name,
            version,
            self.fleet.next_id(),
            socket_.send,
            self.fleet,
            self.journal,
            self._clock,
            Pace(options.heartbeat_s, options.retry_s, options.call_s),
            strict=options.strict,
            stored=self.ledger.touch,
        )

    async def welcome(self, link: Link) -> bool:
        """Take everybody: who came last is known here at once."""
        del link
        return True

    def note(self, row: Row) -> None:
        self.journal.put({"charger_connections": [row]})


def _heard(task: asyncio.Task[None]) -> None:
    """Take note of an error that nobody may wait for any more."""
    if not task.cancelled():
        task.exception()
