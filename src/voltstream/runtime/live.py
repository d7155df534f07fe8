"""Changes as they become true, handed to whoever watches a relation. Nothing is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from voltstream.core.errors import WrongObjectType
from voltstream.core.limits import LIVE_CHANGE_ROWS_MAX
from voltstream.core.live import Change
from voltstream.runtime.catalog import Entry
from voltstream.runtime.entries import column_list
from voltstream.runtime.epoch import Books, Epoch
from voltstream.store.database import quoted

Tell = Callable[[Change], None]


@dataclass(frozen=True, slots=True)
class _Watched:
    """One relation that is watched. Shape: ``emitted`` is its select list over its delta."""

    delta: str
    columns: tuple[str, ...]
    emitted: str


class LiveChanges:
    """Observes the epochs of one database for those who watch."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._lock = threading.Lock()
        self._tells: Mapping[_Watched, tuple[Tell, ...]] = {}
        self._now: Mapping[_Watched, tuple[Tell, ...]] = {}
        self._seen: dict[_Watched, Change] = {}

    def watch(self, entry: Entry, tell: Tell) -> Callable[[], None]:
        """Raises: WrongObjectType (42809) for what keeps no rows of its own."""
        relation = entry.relation
        if relation is None or not relation.delta:
            raise WrongObjectType(
                f'changes of {entry.kind} "{entry.stored.name}" are not kept',
                hint="Watch a materialized view, a table or a source.",
            )
        program = entry.program
        columns = tuple(column.name for column in relation.columns)
        if program is not None and program.emit_columns:
            columns = tuple(name for name, _ in program.emit_columns)
            emitted = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in program.emit_columns)
        else:
            emitted = column_list(columns)
        watched = _Watched(relation.delta, columns, emitted)
        with self._lock:
            self._tells = {**self._tells, watched: (*self._tells.get(watched, ()), tell)}

        def end() -> None:
            with self._lock:
                left = tuple(one for one in self._tells.get(watched, ()) if one is not tell)
                others = {key: tells for key, tells in self._tells.items() if key != watched}
                self._tells = {**others, watched: left} if left else others

        return end

    # --- the writer thread ----------------------------------------------------------------------

    def begins(self) -> frozenset[str]:
        self._now, self._seen = self._tells, {}
        return frozenset(watched.delta for watched in self._now)

    def sees(self, epoch: Epoch, made: Mapping[str, int]) -> None:
        for watched in self._now:
            count = made.get(watched.delta, 0)
            if not count:
                continue
            before = self._seen.get(watched)
            known = before.rows if before is not None else ()
            rows = None
            if known is not None and count <= LIVE_CHANGE_ROWS_MAX:
                sql = f"SELECT {watched.emitted}, _w FROM {watched.delta}"
                rows = (*known, epoch.connection.arrow(sql)[1])
            self._seen[watched] = Change(epoch.number, watched.columns, rows)

    def settles(self, epoch: Epoch) -> None:
        """Add nothing."""

    def committed(self) -> None:
        for watched, change in self._seen.items():
            for tell in self._now.get(watched, ()):
                tell(change)
