"""A thread that reads one PostgreSQL server's log, and comes back after every fault."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from typing import Any

import psycopg

from voltstream.connectors.postgres_origin import PostgresOrigin, reason
from voltstream.connectors.window import OutstandingBatches
from voltstream.core.errors import VoltstreamError
from voltstream.core.ports import SourceFeed, Stopped

BATCH_S = 0.2  # A batch that is not full goes on after so long.
CONFIRM_S = 5.0
LAG_S = 2.0
RETRY_S_MIN, RETRY_S_MAX = 0.5, 10.0
_LOG = logging.getLogger(__name__)


class PostgresReader(ABC):
    """What every reader does around its reading, which is ``_read``."""

    def __init__(self, feed: SourceFeed, origin: PostgresOrigin, owner: str, most: int) -> None:
        self._source = feed
        self._origin = origin
        self._owner = owner
        self._stop = threading.Event()
        self._outstanding = OutstandingBatches(feed, self._stop, most)
        self._state = ("", "")
        self._retry_s = RETRY_S_MIN
        self._thread = threading.Thread(target=self._run, name=f"cdc-{feed.source}", daemon=True)

    def start(self) -> None:
        self._report("connecting", self._origin.host)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    @abstractmethod
    def _read(self, replication: psycopg.Connection[Any]) -> None:
        """Read until a fault. Raises: Stopped, psycopg.Error, VoltstreamError."""

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._outstanding.forget()
                with self._origin.connected(replication=True) as replication:
                    self._read(replication)
            except Stopped:
                return
            except psycopg.Error as error:
                self._report("disconnected", reason(error))
            except VoltstreamError as error:
                _LOG.warning("%s: %s", self._owner, error)
                self._report("failed", f"{error}; trying again")
            self._stop.wait(self._retry_s)
            self._retry_s = min(self._retry_s * 2, RETRY_S_MAX)

    def _stop_if_asked(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def _report(self, state: str, detail: str) -> None:
        if self._state != (state, detail):
            self._state = (state, detail)
            self._source.report(state, detail)
