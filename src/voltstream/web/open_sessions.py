"""The sessions that requests have open, so that a stop can end what they run."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from weakref import WeakSet

from voltstream.core.errors import AdminShutdown, VoltstreamError
from voltstream.core.ports import Session, Sessions, Standing


class OpenSessions:
    """Sessions of the engine as routes open them. Law: after ``end`` none is opened."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._lock = threading.Lock()
        self._open: WeakSet[Session] = WeakSet()
        self._ended = False

    def standing(self, user: str) -> Standing:
        return self._sessions.standing(user)

    def open(
        self,
        *,
        database: str,
        user: str,
        options: Mapping[str, str],
        process_id: int = 0,
        client: str = "",
    ) -> Session:
        """Raises: AdminShutdown (57P01), and what the engine raises."""
        if self._ended:
            raise AdminShutdown("the server is stopping")
        session = self._sessions.open(
            database=database, user=user, options=options, process_id=process_id, client=client
        )
        with self._lock:
            self._open.add(session)
        return session

    def end(self) -> None:
        """Open no more, and interrupt what runs. Asked again it finds what had not begun yet."""
        self._ended = True
        with self._lock:
            running = list(self._open)
        for session in running:
            with suppress(VoltstreamError):  # The others still must be interrupted.
                session.interrupt()
