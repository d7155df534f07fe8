"""Batches on their way to durability: bounded, in order, and able to stop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace

from voltstream.core.ports import RawBatch, Receipt, SourceFeed, Stopped

OUTSTANDING_BATCHES_MAX = 4  # 4 x 32 MiB of one source, undecoded. Full: reading waits.
OUTSTANDING_PARTS_MAX = 64  # Parts of one reading, 5 MiB together: 4 x 16 partitions.
_WAIT_S = 0.1  # How often a waiting reader looks whether it shall stop.


class OutstandingBatches:
    """What one connector has submitted and not yet seen durable.

    Law: while a batch fails none behind it is taken, for its place would pass over what failed.
    """

    def __init__(
        self, feed: SourceFeed, stop: threading.Event, most: int = OUTSTANDING_BATCHES_MAX
    ) -> None:
        self._most = most
        self._feed = feed
        self._stop = stop
        self._futures: deque[Future[Receipt]] = deque()
        self._last: Future[Receipt] | None = None

    def submit(self, batch: RawBatch) -> None:
        """Hand a batch on; wait while too many are under way. Raises what became of older ones."""
        self.add(lambda: self._feed.submit(replace(batch, after=self._last)))

    def add(self, send: Callable[[], Future[Receipt]]) -> None:
        """Hand on what ``send`` does, as ``submit`` would."""
        while len(self._futures) >= self._most:
            self._settle_oldest()
        self._last = send()
        self._futures.append(self._last)

    def settle(self) -> None:
        """Wait until everything is durable."""
        while self._futures:
            self._settle_oldest()

    def are_settled(self) -> bool:
        """Tell whether everything is durable, without waiting. Raises what became of a batch."""
        while self._futures and self._futures[0].done():
            self._futures[0].result()
            self._futures.popleft()
        return not self._futures

    def forget(self) -> None:
        """Wait for the fate of each batch, whatever it is: reading starts again behind them.

        Law: what the store tells of places does not change any more, so nothing comes twice.
        """
        while self._futures:
            self._await_oldest()
            self._futures.popleft()
        self._last = None

    def _settle_oldest(self) -> None:
        self._await_oldest()
        self._futures[0].result()
        self._futures.popleft()

    def _await_oldest(self) -> None:
        while not wait((self._futures[0],), timeout=_WAIT_S).done:
            if self._stop.is_set():
                raise Stopped
