"""How full each sink's outbox is, and who waits while one is full."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Literal

from voltstream.core.errors import AdminShutdown, InvalidParameter, LimitExceeded
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.sql.statements import (
    CopyFrom,
    Delete,
    Insert,
    Merge,
    ObjectName,
    Parsed,
    Truncate,
    Update,
)

Policy = Literal["block", "drop_oldest"]
_POLICIES: Mapping[str, Policy] = {"block": "block", "drop_oldest": "drop_oldest"}
_LOOK_S = 0.5  # A waiter looks again at least so often: a sink may be dropped meanwhile.

log = logging.getLogger(__name__)


def policy_of(entry: Entry) -> Policy:
    """Return what a sink does when its outbox is full. Raises: InvalidParameter (22023)."""
    written = entry.stored.properties.get("outbox_policy", "block").lower()
    policy = _POLICIES.get(written)
    if policy is not None:
        return policy
    raise InvalidParameter(
        f'sink "{entry.stored.name}" cannot take "{written}" as "outbox_policy"',
        hint=f"Use one of: {', '.join(_POLICIES)}.",
    )


class Outboxes:
    """Undelivered rows of every sink of one database.

    Law: a row is never left out without being counted. With the policy ``block`` whoever would
    add rows waits until a tenth of the outbox is free again.
    """

    def __init__(self, rows_max: int, pending: Mapping[int, int]) -> None:
        self._rows_max = rows_max
        self._pending = dict(pending)
        self._policies: dict[int, Policy] = {}
        self._names: dict[int, str] = {}
        self._full: frozenset[int] = frozenset()
        self._closing = False
        self._room = threading.Condition()

    def open(self, entry: Entry) -> None:
        with self._room:
            self._policies[entry.oid] = policy_of(entry)
            self._names[entry.oid] = entry.stored.name
            self._look(entry.oid)

    def forget(self, sinks: Iterable[int]) -> None:
        with self._room:
            for sink in sinks:
                for known in (self._pending, self._policies, self._names):
                    known.pop(sink, None)
                self._look(sink)

    def pending(self, sink: int) -> int:
        """Return how many undelivered rows a sink has."""
        with self._room:
            return self._pending.get(sink, 0)

    def change(self, sink: int, rows: int) -> int:
        """Count rows that came or went. Returns how many must be dropped, by the sink's policy."""
        with self._room:
            self._pending[sink] = max(self._pending.get(sink, 0) + rows, 0)
            self._look(sink)
            excess = self._pending[sink] - self._rows_max
            return max(excess, 0) if self._policies.get(sink) == "drop_oldest" else 0

    def _look(self, sink: int) -> None:
        pending = self._pending.get(sink, 0)
        was_full = sink in self._full
        bound = self._rows_max * 0.9 if was_full else self._rows_max
        is_full = pending >= bound and self._policies.get(sink) == "block"
        if is_full and not was_full:
            name = self._names[sink]
            log.warning('sink "%s" has %d undelivered rows: what feeds it waits', name, pending)
            self._full |= {sink}
        elif was_full and not is_full:
            self._full -= {sink}
            self._room.notify_all()

    def close(self) -> None:
        """Let every waiter go."""
        with self._room:
            self._closing = True
            self._room.notify_all()

    def admit(self, oid: int, catalog: Catalog, patience_s: float | None) -> None:
        """Wait while an outbox that an object's rows would reach is full.

        ``patience_s`` is None for a connector, which waits for as long as it takes.
        Raises: LimitExceeded (54000) when patience ends, AdminShutdown.
        """
        if not self._full:  # Read without the lock: every row passes here.
            return
        end_s = None if patience_s is None else time.monotonic() + patience_s
        with self._room:
            while (sink := self._reached(oid, catalog)) is not None:
                if self._closing:
                    raise AdminShutdown("the server is shutting down")
                if end_s is not None and time.monotonic() >= end_s:
                    raise LimitExceeded(
                        f'sink "{self._names[sink]}" has {self._pending[sink]} undelivered rows',
                        hint="Bring its target back, drop it, or let it have "
                        "outbox_policy = 'drop_oldest'.",
                    )
                self._room.wait(_LOOK_S)

    def _reached(self, oid: int, catalog: Catalog) -> int | None:
        """Return a full sink that reads an object, through views or not."""
        for sink in self._full:
            waiting, seen = [sink], set[int]()
            while waiting:
                one = waiting.pop()
                if one == oid:
                    return sink
                entry = catalog.by_oid(one)
                if entry is not None and one not in seen:
                    seen.add(one)
                    waiting.extend(entry.stored.depends_on)
        return None


def changed_tables(parsed: Parsed) -> tuple[ObjectName, ...]:
    """Return the tables or sources whose rows a statement changes."""
    match parsed:
        case Insert(table=table) | Update(table=table) | Delete(table=table):
            return (table,)
        case Merge(table=table) | CopyFrom(table=table):
            return (table,)
        case Truncate(tables=tables):
            return tables
        case _:
            return ()
