"""What waits for the writer, in the order in which it is taken."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from voltstream.core.errors import AdminShutdown
from voltstream.core.limits import EPOCH_BYTES_MAX, EPOCHS_TOGETHER_MAX, SHARED_STATEMENTS_MAX
from voltstream.runtime.options import EngineOptions
from voltstream.runtime.work import Chore, Exclusive, SourceRows, Statement, Together, Work

POLL_S = 0.05  # How late a timer may fire; a clock that is handed in cannot wake us.


class Waiting:
    """Statements and rows that wait. Offered by any thread, taken by the writer."""

    def __init__(self, options: EngineOptions, tick_is_due: Callable[[], bool]) -> None:
        self._options = options
        self._tick_is_due = tick_is_due
        self._changed = threading.Condition()
        self._work: deque[Work] = deque()
        self._rows: deque[SourceRows] = deque()
        self._rows_count = 0
        self._rows_since_s = 0.0
        self._decoding = 0
        self._work_last = False
        self.stopping = False

    def stop(self) -> None:
        with self._changed:
            self.stopping = True
            self._changed.notify_all()

    def expect(self, batches: int) -> None:
        """Tell that batches are being decoded (or, negative, came to nothing)."""
        with self._changed:
            self._decoding += batches
            self._changed.notify_all()

    def offer_rows(self, *batch: SourceRows) -> None:
        """Queue one batch, decoded; how many may wait is bounded by who decodes."""
        with self._changed:
            self._decoding -= 1
            if not self._rows:
                self._rows_since_s = time.monotonic()
            self._rows.extend(batch)
            self._rows_count += sum(rows.table.num_rows for rows in batch)
            self._changed.notify_all()

    def submit(self, work: Work) -> None:
        """Queue a statement. Raises: AdminShutdown (57P01)."""
        with self._changed:
            if self.stopping:
                raise AdminShutdown("the server is shutting down")
            self._work.append(work)
            self._changed.notify_all()

    def others(self) -> bool:
        """Tell whether something waits that could run now."""
        with self._changed:
            return bool(self._work) or self._rows_ready() or self._tick_is_due()

    # --- the writer thread ----------------------------------------------------------------------

    def next(self) -> Together | Chore | Exclusive | list[SourceRows] | None:
        """Wait for the next thing to do; an empty list is a tick of the clock."""
        with self._changed:
            while True:
                ready = self._rows_ready()
                if self._work and not (ready and self._work_last):
                    self._work_last = True
                    return self._take_work()
                if ready:
                    self._work_last = False
                    return self._take_rows()
                if self._tick_is_due():
                    return []
                if self.stopping and not self._decoding:
                    return None
                self._changed.wait(self._patience_s())

    def _take_work(self) -> Together | Chore | Exclusive:
        """Take the next statement, and those right behind it that may share its epoch."""
        item = self._work.popleft()
        if not isinstance(item, Statement):
            return item
        taken = [item]
        while item.shared and self._work and len(taken) < SHARED_STATEMENTS_MAX:
            follower = self._work[0]
            if not isinstance(follower, Statement) or not follower.shared:
                break
            taken.append(follower)
            self._work.popleft()
        return Together(taken)

    def _patience_s(self) -> float:
        if not self._rows:
            return POLL_S
        waited_s = time.monotonic() - self._rows_since_s
        return max(0.001, min(POLL_S, self._options.epoch_interval_ms / 1000 - waited_s))

    def _rows_ready(self) -> bool:
        if not self._rows:
            return False
        if self._rows_count >= self._options.epoch_rows_max or self.stopping:
            return True
        if not self._decoding and any(rows.urgent for rows in self._rows):
            return True
        waited_s = time.monotonic() - self._rows_since_s
        return waited_s * 1000 >= self._options.epoch_interval_ms

    def _take_rows(self) -> list[SourceRows]:
        """Take what waits, for the more rows an epoch has, the less each costs; up to a bound."""
        taken: list[SourceRows] = []
        rows_left = self._options.epoch_rows_max * EPOCHS_TOGETHER_MAX
        bytes_left = EPOCH_BYTES_MAX
        while self._rows and (self._rows[0].joined or (rows_left > 0 and bytes_left > 0)):
            table = self._rows[0].table
            taken.append(self._rows.popleft())
            rows_left -= table.num_rows
            bytes_left -= table.nbytes
        self._rows_count = sum(rows.table.num_rows for rows in self._rows)
        self._rows_since_s = time.monotonic()
        return taken
