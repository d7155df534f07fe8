"""Who listens to what in one database, and what waits to be told.

A session's queue is bounded. What comes when it is full is lost to that session alone, and it is
told how much was; changes of one relation that wait are added up, so they never fill it.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from voltstream.core.limits import NOTIFICATIONS_MAX
from voltstream.core.ports import Notice, Notification


@dataclass(frozen=True, slots=True)
class Change:
    """Rows of a relation that came and went in one epoch, or in several that waited together."""

    epoch: int
    came: int
    gone: int

    def plus(self, later: Change) -> Change:
        return Change(later.epoch, self.came + later.came, self.gone + later.gone)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One notification in a queue; ``change`` with the relation it is of, or a ``payload``."""

    channel: str
    payload: str = ""
    process_id: int = 0
    relation: int | None = None
    change: Change | None = None


class Mailbox:
    """What one session listens to, and its queue. Calls come from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[Waiting] = deque()
        self._lost = 0
        self._wake: Callable[[], None] = lambda: None
        self.channels: Mapping[str, int | None] = {}  # The relation, where it tells of changes.

    def on_arrival(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called, on the thread that brings it, when the queue is no more empty."""
        self._wake = wake

    def put(self, item: Waiting) -> None:
        with self._lock:
            if item.change is not None and self._added(item.channel, item.change):
                return
            if len(self._queue) >= NOTIFICATIONS_MAX:
                self._lost += 1
                return
            self._queue.append(item)
            first = len(self._queue) == 1
        if first:
            self._wake()

    def _added(self, channel: str, change: Change) -> bool:
        for place, waiting in enumerate(self._queue):
            if waiting.channel == channel and waiting.change is not None:
                self._queue[place] = replace(waiting, change=waiting.change.plus(change))
                return True
        return False

    @property
    def is_empty(self) -> bool:
        return not self._queue

    def take(self, name_of: Callable[[int], str | None]) -> list[Notification | Notice]:
        """Empty the queue; ``name_of`` is asked what a relation is called, None to keep silent."""
        with self._lock:
            waiting, lost = list(self._queue), self._lost
            self._queue.clear()
            self._lost = 0
        told: list[Notification | Notice] = []
        for item in waiting:
            payload: str | None = item.payload
            if item.relation is not None and item.change is not None:
                name = name_of(item.relation)
                payload = _spelled(name, item.change) if name is not None else None
            if payload is not None:
                told.append(Notification(item.process_id, item.channel, payload))
        if lost:
            said = f"{lost} notifications were lost: the session did not take them in time"
            told.append(Notice(said, "WARNING", "01000"))
        return told


def _spelled(name: str, change: Change) -> str:
    shown = {
        "relation": name, "epoch": change.epoch, "inserted": change.came, "deleted": change.gone,
    }  # fmt: skip
    return json.dumps(shown)


class Channels:
    """The listening sessions of one database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._boxes: set[Mailbox] = set()
        self.watched: frozenset[int] = frozenset()  # Relations of whose changes somebody is told.

    def subscribe(self, box: Mailbox, channels: Mapping[str, int | None]) -> None:
        """Let a session listen to these channels and no others."""
        with self._lock:
            box.channels = channels
            if channels:
                self._boxes.add(box)
            else:
                self._boxes.discard(box)
            self.watched = frozenset(
                oid for one in self._boxes for oid in one.channels.values() if oid is not None
            )

    def notify(self, items: Iterable[tuple[str, str]], process_id: int) -> None:
        """Tell channel and payload to whoever listens."""
        with self._lock:
            boxes = list(self._boxes)
        for channel, payload in items:
            for box in boxes:
                if channel in box.channels:
                    box.put(Waiting(channel, payload, process_id))

    def tell_changes(self, changes: Mapping[int, Change]) -> None:
        """Tell what an epoch has changed, after it has become durable."""
        if not changes:
            return
        with self._lock:
            boxes = list(self._boxes)
        for box in boxes:
            for channel, oid in box.channels.items():
                if oid is not None and oid in changes:
                    box.put(Waiting(channel, relation=oid, change=changes[oid]))
