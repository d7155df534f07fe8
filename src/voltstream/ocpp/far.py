"""Messages that other gateways took: read from their log, and made rows as if taken here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from voltstream.connectors.kafka_log import LogRecord, TopicLog
from voltstream.core.errors import VoltstreamError
from voltstream.core.limits import GATEWAY_FRAMES_TOGETHER, GATEWAY_PARTITIONS_MAX
from voltstream.ocpp.charger import Charger
from voltstream.ocpp.fleet import Fleet, Registered
from voltstream.ocpp.frames import Json
from voltstream.ocpp.gateway import Gateway
from voltstream.ocpp.link import Link, Pace
from voltstream.ocpp.recall import micros
from voltstream.ocpp.shared_topics import FRAMES, TOPICS, Given
from voltstream.ocpp.tokens import Verdict
from voltstream.ocpp.v16 import Numbers
from voltstream.ocpp.vendors import UNKNOWN_VENDOR
from voltstream.ocpp.versions import Version

AGAIN_S = 1.0  # After what could not be stored, or read.
_WAIT_S = 0.1
# Numbers of frames that were taken here are microseconds since 1970, and greater.
_FAR_BELOW = 10**15
_POSITIONS = (
    "CREATE TABLE IF NOT EXISTS charger_gateway_positions "
    "(partition INTEGER PRIMARY KEY, position BIGINT)"
)
_FRAMES_SINCE = "SELECT raw_id FROM charger_frames WHERE raw_id < {below} AND ({since})"
_CONNECTIONS_SINCE = (
    "SELECT charge_point_id, connection_id, event, received_ts FROM charger_connections "
    "WHERE received_ts >= to_timestamp({since_s})"
)
log = logging.getLogger(__name__)


def raw_id_of(record: LogRecord) -> int:
    """Return the number of a frame. Law: it grows with the place in the charger's partition."""
    return record.offset * GATEWAY_PARTITIONS_MAX + record.partition


class _Told:
    """The fleet, where a record says what the gateway decided; and its time."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.raw_id = 0
        self.said: Mapping[str, Any] = {}

    @property
    def numbers(self) -> Numbers:
        return Given(int(self.said.get("number") or 1))

    def charger(self, name: str) -> Charger:
        return self._fleet.charger(name)

    async def current(self, name: str) -> Charger:
        return await self._fleet.current(name)

    def next_id(self) -> int:
        return self.raw_id

    async def registered(self, name: str) -> Registered | None:
        return await self._fleet.registered(name)

    async def registration(self, name: str) -> str:
        return str(self.said["registration"])

    async def verdict(self, token: str | None) -> Verdict:
        status, group, cache_us = self.said.get("verdict") or ("Accepted", None, None)
        return Verdict(status, group, cache_us)

    def transfer(self, given: Json) -> str:
        return str(self.said.get("transfer") or UNKNOWN_VENDOR)

    # --- the clock of a link that hears of messages later ---------------------------------------

    def now_us(self) -> int:
        return int(self.said["at"])

    def monotonic_s(self) -> float:
        # Of the charger's own pace, which its gateway has kept.
        return self.now_us() / 1e6


class FarGateways:
    """Reads the frames of all gateways, or of its share of the partitions.

    Law: each message of the log is in the rows once, whatever is killed. How far it was read is
    stored after the rows; what lies beyond and is stored already is known by its number.
    """

    def __init__(
        self, gateway: Gateway, topics: TopicLog, partitions: int, share: tuple[int, int]
    ) -> None:
        self._gateway = gateway
        self._topics = topics
        self._partitions = partitions
        self._share = share
        self._links: dict[str, tuple[Link, _Told]] = {}
        self._stored: set[int] = set()
        self._noted: set[tuple[Any, ...]] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; what was read and not stored is read again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._read()
            except VoltstreamError as error:
                log.warning("frames of the gateways cannot be read: %s", error.message)
            await asyncio.sleep(AGAIN_S)

    async def _read(self) -> None:
        await self._gateway.prepare()
        await asyncio.to_thread(self._topics.make, TOPICS, self._partitions)
        starts = await self._known()
        reader = await asyncio.to_thread(self._topics.reader, FRAMES, starts)
        try:
            while True:
                taking = asyncio.ensure_future(
                    asyncio.to_thread(reader.take, GATEWAY_FRAMES_TOGETHER, _WAIT_S)
                )
                try:
                    records = await asyncio.shield(taking)
                except asyncio.CancelledError:
                    await taking
                    raise
                if records:
                    await self._take(records)
                    await self._remember(records)
        finally:
            await asyncio.to_thread(reader.close)

    async def _known(self) -> dict[int, int]:
        """Return where to begin, and find what lies behind that and is stored already."""
        ask = self._gateway.asker.rows
        await ask(_POSITIONS)
        count = await asyncio.to_thread(self._topics.partitions, FRAMES)
        number, of = self._share
        starts = {each: 0 for each in range(count) if each % of == number}
        for partition, position in await ask(
            "SELECT partition, position FROM charger_gateway_positions"
        ):
            if partition in starts:
                starts[partition] = position
        since = " OR ".join(
            f"(raw_id % {GATEWAY_PARTITIONS_MAX} = {each} "
            f"AND raw_id >= {position * GATEWAY_PARTITIONS_MAX})"
            for each, position in starts.items()
        )
        frames = _FRAMES_SINCE.format(below=_FAR_BELOW, since=since or "FALSE")
        self._stored = {raw_id for (raw_id,) in await ask(frames)}
        self._noted, self._links = set(), {}
        return starts

    async def _take(self, records: Sequence[LogRecord]) -> None:
        """Make rows of records: of different chargers at the same time, of one in turn."""
        by_charger: dict[bytes, list[LogRecord]] = {}
        for record in records:
            by_charger.setdefault(record.key, []).append(record)
        await asyncio.gather(*map(self._of_charger, by_charger.values()))
        self._stored.difference_update(map(raw_id_of, records))

    async def _of_charger(self, records: Sequence[LogRecord]) -> None:
        for record in records:
            said = record.value
            if said is None:
                continue
            if said["kind"] == "connection":
                await self._connection(said["row"])
            elif said["kind"] == "frame" and raw_id_of(record) not in self._stored:
                await self._frame(said, raw_id_of(record))

    async def _frame(self, said: Mapping[str, Any], raw_id: int) -> None:
        name = str(said["charger"])
        link, told = self._link(name, said)
        told.said, told.raw_id = said, raw_id
        link.conversation.accepted = bool(said["accepted"])
        if said.get("asked"):
            link.conversation.expect(*said["asked"])
        await link.take(str(said["text"]))
        while self._gateway.fleet.charger(name).stale:  # It is not stored, and must be.
            await asyncio.sleep(AGAIN_S)
            await link.take(str(said["text"]))

    def _link(self, name: str, said: Mapping[str, Any]) -> tuple[Link, _Told]:
        known = self._links.get(name)
        if known is not None and known[0].connection_id == said["connection"]:
            return known
        told = _Told(self._gateway.fleet)
        told.said = said
        link = Link(
            name,
            Version(said["version"]),
            int(said["connection"]),
            _nobody,
            told,
            self._gateway.journal,
            told,
            Pace(300, 60, 0.0),
            strict=bool(said["strict"]),
            stored=self._gateway.ledger.touch,
        )
        self._links[name] = link, told
        return link, told

    async def _connection(self, row: Mapping[str, Any]) -> None:
        """Keep what happened to a connection, once."""
        key = (row["charge_point_id"], row["connection_id"], row["event"], row["received_ts"])
        if not self._noted:
            since_s = int(row["received_ts"]) // 1_000_000 - 60
            rows = await self._gateway.asker.rows(_CONNECTIONS_SINCE.format(since_s=since_s))
            self._noted = {(*each[:3], micros(each[3])) for each in rows} | {()}
        if key not in self._noted:
            await self._gateway.journal.commit({"charger_connections": [dict(row)]})

    async def _remember(self, records: Sequence[LogRecord]) -> None:
        await self._gateway.journal.commit({})  # What nobody waited for is before it.
        following: dict[int, int] = {}
        for record in records:
            following[record.partition] = record.offset + 1
        values = ", ".join(f"({partition}, {offset})" for partition, offset in following.items())
        await self._gateway.asker.rows(
            f"INSERT INTO charger_gateway_positions VALUES {values} "
            "ON CONFLICT (partition) DO UPDATE SET position = EXCLUDED.position"
        )


async def _nobody(_: str) -> None:
    """The gateway has answered."""
