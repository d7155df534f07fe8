"""Who is connected and what they do: the rows of pg_stat_activity, and a session's own facts."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from voltstream.core.clock import Clock
from voltstream.core.identity import SERVER_VERSION
from voltstream.core.redaction import redacted
from voltstream.store.database import literal

_FIRST_LOCAL_ID = 1_000_000  # Sessions that no wire client stands behind are numbered from here.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks the catalogs: current_user and session_user, and whether others are shown."""

    name: str
    session_name: str
    sees_others: bool = True


@dataclass(slots=True)
class Presence:
    """One session as others see it. Units: microseconds."""

    process_id: int
    user: str
    database: str
    client: str
    started_us: int
    application: str = ""
    query: str = ""
    state: str = "idle"
    changed_us: int = 0
    transaction_us: int | None = None

    def row(self, asker: Asker) -> Mapping[str, str | None]:
        """Return it as somebody may see it: what others run is theirs and the monitors'."""
        shown = redacted(self.query)
        if not asker.sees_others and self.user != asker.session_name:
            shown = "<insufficient privilege>"
        return {
            "process_id": str(self.process_id),
            "user": self.user,
            "database": self.database,
            "application": self.application,
            "client": self.client,
            "state": self.state,
            "query": shown,
            "started": _instant(self.started_us),
            "changed": _instant(self.changed_us or self.started_us),
            "transaction": _instant(self.transaction_us) if self.transaction_us else None,
        }


def _instant(us: int) -> str:
    return (_EPOCH + timedelta(microseconds=us)).isoformat(sep=" ")


class Activity:
    """Every open session of an instance."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._presences: dict[int, Presence] = {}
        self._next_local = _FIRST_LOCAL_ID
        self.started_us = clock.now_us()

    def enter(self, process_id: int, user: str, database: str, client: str) -> Presence:
        """Add a session; ``process_id`` 0 asks for a number of its own."""
        with self._lock:
            if process_id == 0:
                process_id, self._next_local = self._next_local, self._next_local + 1
            presence = Presence(process_id, user, database, client, self._clock.now_us())
            self._presences[process_id] = presence
        return presence

    def leave(self, presence: Presence) -> None:
        with self._lock:
            self._presences.pop(presence.process_id, None)

    def note(self, presence: Presence, query: str, state: str, *, in_block: bool) -> None:
        """Tell what a session does now."""
        presence.query, presence.state = query or presence.query, state
        presence.changed_us = self._clock.now_us()
        if not in_block:
            presence.transaction_us = None
        elif presence.transaction_us is None:
            presence.transaction_us = presence.changed_us

    def rows(self, asker: Asker) -> list[Mapping[str, str | None]]:
        with self._lock:
            return [presence.row(asker) for presence in self._presences.values()]

    def count(self, user: str) -> int:
        with self._lock:
            return sum(presence.user == user for presence in self._presences.values())

    def introduction(
        self,
        presence: Presence,
        asker: Asker,
        settings: Sequence[Mapping[str, str | None]],
        shown: Mapping[str, str],
        channels: Sequence[str],
        databases: Sequence[str],
    ) -> str:
        """Return the statement that tells a connection who asks, and what the server holds."""
        facts = {
            "user": asker.name,
            "session_user": asker.session_name,
            "database": presence.database,
            "process_id": str(presence.process_id),
            "client": presence.client,
            "started": _instant(self.started_us),
            "version": SERVER_VERSION,
            "settings": {name.lower(): value for name, value in shown.items()},
            "setting_list": settings,
            "channels": channels,
            "databases": [{"name": name} for name in databases],
            "sessions": self.rows(asker),
        }
        return f"SET VARIABLE vs_session = {literal(json.dumps(facts))}"
