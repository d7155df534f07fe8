"""Small answers that are kept until a row which they were read from changes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from voltstream.core.limits import ANSWER_BYTES_MAX, ANSWERS_MAX, ANSWERS_UNASKED_S

Rows = Sequence[tuple[Any, ...]]
_VALUE_BYTES = 48  # What a number costs as an object, about.


@dataclass(frozen=True, slots=True)
class Reading:
    """What a query reads: rows of one relation whose ``column`` is the parameter at ``place``."""

    oid: int
    delta: str
    column: str  # Quoted.
    place: int


@dataclass(slots=True, eq=False)
class Watched:
    """A column of a relation whose changes are followed, and the answers by its values.

    Law: while ``changing``, and when ``version`` has moved since a query began, its answer may be
    of before the change and is not kept.
    """

    delta: str
    column: str
    asked_s: float
    version: int = 0
    changing: bool = False
    live: bool = False
    answers: OrderedDict[Hashable, dict[Hashable, Rows]] = field(default_factory=OrderedDict)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Lets a query that is about to begin have its answer kept."""

    watched: Watched
    version: int


class Answers:
    """The answers kept of one database.

    Law: an answer is given only while no committed epoch has changed a row it was read from. Those
    of changed rows go before their epoch is committed; until it is, no new ones are kept.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[tuple[int, str], Watched] = {}
        self._count = 0
        self._in_epoch = False

    # --- readers, any thread --------------------------------------------------------------------

    def find(self, reading: Reading, plan: Hashable, values: Sequence[Hashable]) -> Rows | None:
        """Return the answer that is kept for these values."""
        with self._lock:
            watched = self._watched.get((reading.oid, reading.column))
            if watched is None:
                return None
            key = values[reading.place]
            of_key = watched.answers.get(key)
            if of_key is None:
                return None
            watched.answers.move_to_end(key)
            watched.asked_s = time.monotonic()
            return of_key.get((plan, *values))

    def ticket(self, reading: Reading) -> Ticket | None:
        """Take one before a query begins; None when its answer could not be kept."""
        with self._lock:
            watched = self._watched.get((reading.oid, reading.column))
            if watched is None:
                # What an open epoch has changed so far was not noted: it must be over first.
                watched = Watched(reading.delta, reading.column, 0.0, live=not self._in_epoch)
                self._watched[reading.oid, reading.column] = watched
            watched.asked_s = time.monotonic()
            if not watched.live or watched.changing:
                return None
            return Ticket(watched, watched.version)

    def keep(
        self, ticket: Ticket, place: int, plan: Hashable, values: Sequence[Hashable], rows: Rows
    ) -> None:
        """Keep an answer, unless it is large or what it was read from has changed meanwhile."""
        key = values[place]
        if key is None or _size(rows) + _size((values,)) > ANSWER_BYTES_MAX:
            return
        with self._lock:
            watched = ticket.watched
            if watched.changing or watched.version != ticket.version:
                return
            of_key = watched.answers.setdefault(key, {})
            self._count += (plan, *values) not in of_key
            of_key[plan, *values] = rows
            while self._count > ANSWERS_MAX:
                self._drop_oldest(watched)

    def _drop_oldest(self, filling: Watched) -> None:
        """Make room among those that are being asked for least."""
        others = (one for one in self._watched.values() if one.answers)
        oldest = min(others, key=lambda one: one.asked_s, default=filling)
        _, dropped = oldest.answers.popitem(last=False)
        self._count -= len(dropped)

    # --- the writer -----------------------------------------------------------------------------

    def epoch_begins(self) -> tuple[Watched, ...]:
        """Return what the epoch must tell the changes of."""
        with self._lock:
            self._in_epoch = True
            now_s = time.monotonic()
            for name, watched in list(self._watched.items()):
                if now_s - watched.asked_s > ANSWERS_UNASKED_S:
                    self._empty(watched)
                    del self._watched[name]
                watched.live = True
            return tuple(self._watched.values())

    def changed(self, watched: Watched, keys: Iterable[Hashable] | None) -> None:
        """Forget the answers of rows that change; ``keys`` None: of all."""
        with self._lock:
            watched.changing = True
            watched.version += 1
            if keys is None:
                self._empty(watched)
                return
            for key in keys:
                self._count -= len(watched.answers.pop(key, ()))

    def definitions_change(self) -> None:
        """Forget everything: names may come to mean something else."""
        with self._lock:
            for watched in self._watched.values():
                watched.changing = True
                self._empty(watched)

    def epoch_ended(self) -> None:
        """Keep answers again: what the epoch changed can be read, or was rolled back."""
        with self._lock:
            self._in_epoch = False
            for watched in self._watched.values():
                watched.version += watched.changing
                watched.changing = False
                watched.live = True

    def _empty(self, watched: Watched) -> None:
        self._count -= sum(map(len, watched.answers.values()))
        watched.answers.clear()
        watched.version += 1


def _size(rows: Iterable[Sequence[object]]) -> int:
    """Estimate what rows take in memory, in bytes."""
    return sum(
        _VALUE_BYTES + (len(value) if isinstance(value, str) else 0)
        for row in rows
        for value in row
    )
