"""A gateway without a database: one of several, each of which may take any charger."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from websockets.asyncio.server import ServerConnection

from voltstream.connectors.kafka_log import LogReader, LogRecord, TopicLog
from voltstream.core.clock import Clock
from voltstream.core.errors import TargetUnavailable, VoltstreamError
from voltstream.core.gateway_status import GatewayStatus
from voltstream.ocpp.calling import CommandRefused, Unanswered
from voltstream.ocpp.commands import message, redacted
from voltstream.ocpp.doors import REPLACED, Doors, GatewayOptions
from voltstream.ocpp.draft import Row
from voltstream.ocpp.edge_link import EdgeLink
from voltstream.ocpp.fleet import Registered
from voltstream.ocpp.frames import document
from voltstream.ocpp.link import Pace
from voltstream.ocpp.registry import PUBLISHED, Registry
from voltstream.ocpp.shared_topics import CONTROL, FRAMES, REPLIES, TOPICS, claim
from voltstream.ocpp.vendors import Vendors
from voltstream.ocpp.versions import Version

CLAIM_S = 20.0  # How long a charger waits until the log says that it is ours.
BEGIN_S = 120.0  # How long a start may take to read who is registered.
SILENT_S = 5.0  # Records that wait for longer make a gateway not ready: others are tried first.
_TAKE = 1_000
_WAIT_S = 0.2
log = logging.getLogger(__name__)


class EdgeGateway(Doors[EdgeLink]):
    """Doors before a log that all gateways share.

    Law: of all gateways exactly one has a charger at each place of the control topic: the one
    whose claim is the last before it. It alone runs the commands that stand there.
    """

    def __init__(
        self, topics: TopicLog, clock: Clock, options: GatewayOptions, partitions: int
    ) -> None:
        super().__init__(clock, options)
        self.identity = str(uuid.uuid4())
        self._topics = topics
        self._partitions = partitions
        self._registry = Registry(
            clock,
            unknown_chargers=options.unknown_chargers,
            unknown_tokens=options.unknown_tokens,
            vendors=Vendors(options.data_transfer),
        )
        self._last_id = 0
        self._readers: dict[str, LogReader] = {}
        self._reading: list[asyncio.Task[None]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._open = False
        self._appended = self._failed = self._waiting = self._commands = 0
        self._trouble = ""
        self._heard_s = clock.monotonic_s()

    def status(self) -> GatewayStatus:
        """Tell how this gateway is."""
        trouble = self._trouble if self._open else "the gateway is not open"
        silent_s = self._clock.monotonic_s() - self._heard_s
        if not trouble and self._waiting and silent_s > SILENT_S:
            trouble = f"the brokers have not answered for {silent_s:.0f} s"
        return GatewayStatus(
            not trouble, trouble, len(self.links), self._appended, self._failed, self._waiting,
            self._commands,
        )  # fmt: skip

    async def start(self, listening: socket.socket) -> None:
        """Read who is registered, then take connections. Raises: TargetUnavailable."""
        await asyncio.to_thread(self._begin)
        for topic, reader in self._readers.items():
            self._reading.append(asyncio.create_task(self._read_on(topic, reader)))
        await self.open(listening)
        self._open = True

    def _begin(self) -> None:
        self._topics.make(TOPICS, self._partitions)
        for topic in (FRAMES, REPLIES):
            self._topics.partitions(topic)
        self._readers[CONTROL] = self._topics.reader(CONTROL)
        end_s = time.monotonic() + BEGIN_S
        for topic in PUBLISHED:
            all_of_it = dict.fromkeys(range(self._topics.partitions(topic)), 0)
            reader = self._readers[topic] = self._topics.reader(topic, all_of_it)
            while not reader.has_begun:
                if time.monotonic() > end_s:
                    raise TargetUnavailable(f"{topic} could not be read in {BEGIN_S:.0f} s")
                for record in reader.take(_TAKE, _WAIT_S):
                    self._registry.take(topic, record.key, record.value)

    async def stop(self) -> None:
        """Tell everybody that we go (1001), and end. What was answered is in the log."""
        self._open = False
        await self.close()
        for task in (*self._reading, *self._running):
            task.cancel()
        await asyncio.gather(*self._reading, *self._running, return_exceptions=True)
        for reader in self._readers.values():
            await asyncio.to_thread(reader.close)

    async def _read_on(self, topic: str, reader: LogReader) -> None:
        while True:
            # Cancelled, the call still ends before the reader is closed.
            taking = asyncio.ensure_future(asyncio.to_thread(reader.take, _TAKE, _WAIT_S))
            try:
                records: Sequence[LogRecord] = await asyncio.shield(taking)
            except asyncio.CancelledError:
                await taking
                raise
            for record in records:
                if topic == CONTROL:
                    self._control(record)
                else:
                    self._registry.take(topic, record.key, record.value)

    # --- who has which charger ------------------------------------------------------------------

    def _control(self, record: LogRecord) -> None:
        name = record.key.decode("utf-8", "surrogatepass")
        held, said = self.links.get(name), record.value
        if held is None or said is None:
            return
        link, socket_ = held
        if said["kind"] == "claim":
            if (said["gateway"], said["connection"]) == (self.identity, link.connection_id):
                if not link.owned.done():
                    link.owned.set_result(True)
            elif link.owned.done():  # Otherwise ours is still to come, and is the later one.
                del self.links[name]
                link.closed()
                self._spawn(socket_.close(REPLACED, "connected elsewhere"))
        elif said["kind"] == "command" and link.owned.done() and link.owned.result():
            self._spawn(self._command(link, said))

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def welcome(self, link: EdgeLink) -> bool:
        """Claim a charger, and wait until the log says that it is ours."""
        try:
            await self._append(CONTROL, link.name, claim(self.identity, link.connection_id))
            return await asyncio.wait_for(link.owned, CLAIM_S)
        except (TargetUnavailable, TimeoutError) as error:
            log.error("a charge point could not be claimed: %s", error)
            return False

    async def _append(self, topic: str, name: str, record: Mapping[str, Any]) -> None:
        if not self._waiting:
            self._heard_s = self._clock.monotonic_s()
        self._waiting += 1
        try:
            await asyncio.wrap_future(self._topics.append(topic, name, record))
        except TargetUnavailable as error:
            self._failed += 1
            self._trouble = error.message
            raise
        finally:
            self._waiting -= 1
        self._appended += 1
        self._heard_s = self._clock.monotonic_s()
        self._trouble = ""

    # --- connections ----------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Everything was read before the doors opened."""

    async def registered(self, name: str) -> Registered | None:
        return self._registry.registered(name)

    def link(self, name: str, version: Version, socket_: ServerConnection) -> EdgeLink:
        options = self._options

        async def append(key: str, record: Mapping[str, Any]) -> None:
            await self._append(FRAMES, key, record)

        self._last_id = max(self._last_id + 1, self._clock.now_us())
        return EdgeLink(
            name,
            version,
            self._last_id,
            socket_.send,
            append,
            self._registry,
            self._clock,
            Pace(options.heartbeat_s, options.retry_s, options.call_s),
            strict=options.strict,
        )

    def note(self, row: Row) -> None:
        record = {"kind": "connection", "row": row}
        self._topics.append(FRAMES, str(row["charge_point_id"]), record)

    # --- commands -------------------------------------------------------------------------------

    async def _command(self, link: EdgeLink, said: Mapping[str, Any]) -> None:
        """Run one command, and say what comes of it; one that nobody waits for is not run."""
        if self._clock.now_us() > int(said["until"]):
            return
        self._commands += 1

        async def tell(state: str, **what: Any) -> None:
            told = {"kind": "reply", "id": said["id"], "state": state, **what}
            await self._append(REPLIES, link.name, told)

        try:
            action, payload = message(link.version, said["function"], said["given"], said["number"])
        except VoltstreamError as error:
            await tell("impossible", reply=error.message)
            return
        kept = {"action": action, "payload": document(redacted(payload))}
        await tell("sent", **kept)
        try:
            answer = await link.call(said["id"], action, payload)
        except CommandRefused as refused:
            await tell("refused", status=refused.code, reply=refused.detail, **kept)
        except Unanswered as unanswered:
            await tell("unanswered", reply=str(unanswered), **kept)
        else:
            status = answer.get("status")
            known = status if isinstance(status, str) else None
            await tell("answered", status=known, reply=document(answer), **kept)
