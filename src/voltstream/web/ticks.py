"""Changes of watched relations, gathered into events that all clients share.

A client has no queue: it is a place in the events that are kept, and begins anew when it falls
behind them.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from voltstream.core.limits import (
    LIVE_CHANGE_ROWS_MAX,
    LIVE_SPELLED_BYTES_MAX,
    LIVE_TICK_MS,
    LIVE_TICKS_KEPT,
)
from voltstream.core.live import Change, Live
from voltstream.web.values import plain

_KEPT_S = LIVE_TICKS_KEPT * LIVE_TICK_MS / 1000


@dataclass(frozen=True, slots=True)
class Place:
    """One relation of one database."""

    database: str
    schema: str
    name: str

    @property
    def shown(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True, slots=True)
class Tick:
    """The changes of a quarter of a second.

    Shape: ``text`` is None where they are too many, or where nobody asked for rows.
    """

    first: int
    last: int
    changes: tuple[Change, ...]
    text: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All rows of a relation after an epoch, as an event tells them."""

    epoch: int
    text: str
    made_s: float


@dataclass(slots=True)
class Feed:
    """What is known of one relation since it is watched."""

    place: Place
    end: Callable[[], None] = lambda: None
    waiting: list[Change] = field(default_factory=list)
    ticks: deque[Tick] = field(default_factory=deque)
    whole_after: int | None = None  # Every change of later epochs is here; None: nobody asked yet.
    newest: int = 0  # The latest epoch that anybody was told of.
    clients: int = 0
    readers: int = 0  # Clients that want rows, not only to know that they changed.
    left_s: float = 0.0
    snapshot: Snapshot | None = None  # Shared by all who need one within a second.
    making: asyncio.Lock = field(default_factory=asyncio.Lock)

    def since(self, epoch: int) -> list[Tick] | None:
        """Return what came after an epoch; None where that is no longer known."""
        if self.whole_after is None or not self.whole_after <= epoch <= self.newest:
            return None
        return [_later(self.place, tick, epoch) for tick in self.ticks if tick.last > epoch]

    def begin(self, epoch: int) -> None:
        """Note that somebody has all rows as of an epoch."""
        if self.whole_after is None:
            self.whole_after = epoch
        self.newest = max(self.newest, epoch)

    def leads_to_now(self, epoch: int) -> bool:
        """Say whether changes tell all that came after an epoch."""
        ticks = self.since(epoch)
        return ticks is not None and all(tick.text is not None for tick in ticks)

    def add(self, tick: Tick) -> None:
        self.newest = max(self.newest, tick.last)
        self.ticks.append(tick)
        if len(self.ticks) > LIVE_TICKS_KEPT:
            self.whole_after = max(self.whole_after or 0, self.ticks.popleft().last)


def _later(place: Place, tick: Tick, epoch: int) -> Tick:
    """Return the part of a tick that comes after an epoch."""
    if tick.first > epoch or tick.text is None:
        return tick
    return ticked(place, [change for change in tick.changes if change.epoch > epoch])


def ticked(place: Place, changes: Iterable[Change], *, is_read: bool = True) -> Tick:
    """Gather changes; rows that came and went in them are left out."""
    told = tuple(changes)
    if not is_read:
        return Tick(told[0].epoch, told[-1].epoch, (), None)
    return Tick(told[0].epoch, told[-1].epoch, told, _text(place, told))


def _text(place: Place, changes: tuple[Change, ...]) -> str | None:
    weights: dict[str, int] = {}
    for change in changes:
        if change.rows is None or len(weights) > LIVE_CHANGE_ROWS_MAX:
            return None
        for table in change.rows:
            columns = [column.to_pylist() for column in table.columns]
            for *row, weight in zip(*columns, strict=True):
                key = json.dumps([plain(value) for value in row])
                weights[key] = weights.get(key, 0) + int(weight)
    gone = [key for key, weight in weights.items() for _ in range(-weight)]
    come = [key for key, weight in weights.items() for _ in range(weight)]
    head = json.dumps(
        {"view": place.shown, "epoch": changes[-1].epoch, "columns": list(changes[-1].columns)}
    )
    return f'{head[:-1]}, "delete": [{", ".join(gone)}], "insert": [{", ".join(come)}]}}'


class Hub:
    """Every feed, and the task that makes their events. Used on one event loop."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._lock = threading.Lock()
        self._feeds: dict[Place, Feed] = {}
        self._task: asyncio.Task[None] | None = None
        self._ticked = asyncio.Event()
        self.count = 0  # Of ticks that had something to tell.
        self.closed = False
        self.clients = 0
        self._spelled: dict[tuple[str, str, str], bytes] = {}
        self._spelled_bytes = 0

    def spelled(self, told: str, name: str, text: str) -> bytes:
        """Return an event as it is sent: clients that watch the same views are sent the same bytes.

        Shape: ``told`` is its id. What was spelled is kept until the next tick.
        """
        key = (told, name, text)
        found = self._spelled.get(key)
        if found is None:
            found = f"id: {told}\nevent: {name}\ndata: {text}\n\n".encode()
            if self._spelled_bytes + len(found) <= LIVE_SPELLED_BYTES_MAX:
                self._spelled[key] = found
                self._spelled_bytes += len(found)
        return found

    def join(self, place: Place, *, reads: bool = True) -> Feed:
        """Watch a relation; without ``reads`` only that it changes.

        Raises: UndefinedTable (42P01), WrongObjectType (42809).
        """
        feed = self._feeds.get(place)
        if feed is None:
            feed = Feed(place)

            def tell(change: Change) -> None:
                with self._lock:
                    feed.waiting.append(change)

            feed.end = self._live.watch(place.database, place.schema, place.name, tell)
            self._feeds[place] = feed
        feed.clients += 1
        feed.readers += reads
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        return feed

    def leave(self, feed: Feed, *, reads: bool = True) -> None:
        feed.clients -= 1
        feed.readers -= reads
        feed.left_s = time.monotonic()

    async def wait(self, count: int, patience_s: float) -> bool:
        """Wait for a tick after ``count``. Returns False when there was none for so long."""
        if self.count == count and not self.closed:
            try:
                await asyncio.wait_for(self._ticked.wait(), patience_s)
            except TimeoutError:
                return False
        return True

    def close(self) -> None:
        """Let every stream end."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        self._ticked.set()
        self._ticked = asyncio.Event()

    async def _run(self) -> None:
        try:
            while self._feeds and not self.closed:
                await asyncio.sleep(LIVE_TICK_MS / 1000)
                await self._tick()
        finally:
            for feed in self._feeds.values():
                feed.end()
            self._feeds.clear()

    async def _tick(self) -> None:
        changed = False
        for feed in list(self._feeds.values()):
            with self._lock:
                waiting, feed.waiting = feed.waiting, []
            if waiting:
                is_read = feed.readers > 0
                making = asyncio.to_thread(ticked, feed.place, waiting, is_read=is_read)
                feed.add(await making)
                changed = True
            if not feed.clients and time.monotonic() - feed.left_s > _KEPT_S:
                feed.end()
                self._feeds.pop(feed.place, None)
        if changed:
            self._spelled.clear()
            self._spelled_bytes = 0
            self.count += 1
            self._wake()
