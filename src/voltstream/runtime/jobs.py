"""What happens by itself: forgetting old source rows, folding the log into the file."""

from __future__ import annotations

import logging
import threading

from voltstream.core.clock import Clock
from voltstream.core.errors import VoltstreamError
from voltstream.runtime.catalog import Catalog
from voltstream.runtime.epoch import Books
from voltstream.runtime.epoch_loop import EpochLoop
from voltstream.runtime.retention import retention_s
from voltstream.store.database import Connection

_PERIOD_S = 3_600.0

log = logging.getLogger(__name__)


def forget_old_rows(connection: Connection, catalog: Catalog, now_us: int, fallback_s: int) -> int:
    """Delete source rows past their retention. They leave no delta: views keep what they know."""
    forgotten = 0
    for entry in catalog.of_kind("source"):
        kept_s = retention_s(entry.stored.properties.get("retention"), fallback_s)
        if kept_s is not None:
            limit_us = now_us - kept_s * 1_000_000
            forgotten += max(
                0,
                connection.execute(
                    f"DELETE FROM _vs.src_{entry.oid} WHERE _at < make_timestamptz({limit_us})"
                ),
            )
    return forgotten


class Jobs:
    """The hourly round."""

    def __init__(self, books: Books, loop: EpochLoop, clock: Clock, retention_default_s: int):
        self._books = books
        self._loop = loop
        self._clock = clock
        self._retention_default_s = retention_default_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_PERIOD_S):
            try:
                self.round()
            except VoltstreamError as fault:
                log.warning("the hourly round failed: %s", fault.message)

    def round(self) -> int:
        """Do one round now. Returns how many rows were forgotten."""
        now_us = self._clock.now_us()
        return self._loop.run_chore(
            lambda connection: forget_old_rows(
                connection, self._books.catalog, now_us, self._retention_default_s
            )
        ).result()
