"""How the running statement of a session is stopped from another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from voltstream.core.errors import QueryCanceled
from voltstream.store.database import Connection


class Interruption:
    """What a session waits for: a reader or the writer's future, and whether it was cancelled."""

    def __init__(self, cancel: Callable[[Future[Any]], None]) -> None:
        self._cancel = cancel
        self._lock = threading.Lock()
        self._reader: Connection | None = None
        self._future: Future[Any] | None = None
        self._busy = False
        self._canceled = False  # While busy: also what the statement has yet to begin stops.

    @contextmanager
    def busy(self) -> Iterator[None]:
        with self._lock:
            self._busy, self._canceled = True, False
        try:
            yield
        finally:
            with self._lock:
                self._busy = self._canceled = False

    def check(self) -> None:
        """Raises: QueryCanceled (57014)."""
        with self._lock:
            canceled = self._canceled
        if canceled:
            raise QueryCanceled("canceling statement due to user request")

    def reading(self, reader: Connection) -> None:
        with self._lock:
            self._reader = reader
            canceled = self._canceled
        if canceled:
            reader.interrupt()

    def read(self) -> None:
        with self._lock:
            self._reader = None

    def waiting(self, future: Future[Any]) -> None:
        with self._lock:
            self._future = future
            self._reader = None
            canceled = self._canceled
        if canceled:
            self._cancel(future)

    def waited(self) -> None:
        with self._lock:
            self._future = None

    def interrupt(self) -> None:
        with self._lock:
            reader, future = self._reader, self._future
            self._canceled = self._busy
        if reader is not None:
            reader.interrupt()
        if future is not None:
            self._cancel(future)
