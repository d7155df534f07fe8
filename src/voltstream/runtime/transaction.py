"""A session's transaction: nothing until its first write, then the writer until its end.

DuckDB has no savepoints, and an idle client must not keep everybody from writing. Both are met by
one means: the statements of a block are kept and can be run again, and what the client was told
must come out the same. So a block is one epoch at the place of its last run.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any, TypeVar

from voltstream.core.errors import (
    FailedTransaction,
    IdleInTransactionTimeout,
    InvalidSavepoint,
    LimitExceeded,
    LockNotAvailable,
    ObjectInUse,
    QueryCanceled,
    SerializationFailure,
    VoltstreamError,
)
from voltstream.core.limits import (
    RESULT_BATCH_ROWS,
    TRANSACTION_BYTES_MAX,
    TRANSACTION_STATEMENTS_MAX,
)
from voltstream.core.ports import Outcome
from voltstream.runtime.catalog import Catalog
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.epoch_loop import EpochLoop
from voltstream.runtime.results import Held
from voltstream.runtime.work import End, Exclusive, Preempted, Statement

_POLL_S = 0.2  # How often a waiting session looks whether its transaction was ended for it.

T = TypeVar("T")
Run = Callable[[Epoch], Any]
Watch = Callable[[Future[Any]], None]


def waited(future: Future[T], timeout_s: float | None = None) -> T:
    """Return a future's result. Raises: QueryCanceled when it was cancelled."""
    try:
        return future.result(timeout_s)
    except CancelledError:
        raise QueryCanceled("canceling statement due to user request") from None


@dataclass(frozen=True, slots=True)
class _Kept:
    run: Run
    answer: object


class _Replay:
    """The statements of a block so far, with what their client was told, and its savepoints."""

    def __init__(self) -> None:
        self.statements: list[_Kept] = []
        self.complete = True
        self._size = 0
        self._marks: list[tuple[str, int]] = []

    @property
    def has_savepoints(self) -> bool:
        return bool(self._marks)

    def keep(self, run: Run, result: object, size: int) -> None:
        if not self.complete:
            return
        self._size += size
        self.statements.append(_Kept(run, _told(result)))
        if (
            len(self.statements) > TRANSACTION_STATEMENTS_MAX
            or self._size > TRANSACTION_BYTES_MAX
            or self.statements[-1].answer is None
        ):
            self.complete = False
            self.statements.clear()

    def mark(self, name: str) -> None:
        self._marks.append((name, len(self.statements)))

    def release(self, name: str) -> None:
        del self._marks[self._find(name) :]

    def cut(self, name: str) -> bool:
        """Forget what came after a savepoint. Returns whether there was anything."""
        place = self._find(name)
        if not self.complete:
            raise LimitExceeded(
                "the transaction has grown too large to go back to a savepoint",
                hint="ROLLBACK it; the limits are TRANSACTION_STATEMENTS_MAX and _BYTES_MAX.",
            )
        length = self._marks[place][1]
        later = len(self.statements) > length
        del self._marks[place + 1 :], self.statements[length:]
        return later

    def _find(self, name: str) -> int:
        for place in reversed(range(len(self._marks))):
            if self._marks[place][0] == name:
                return place
        raise InvalidSavepoint(f'savepoint "{name}" does not exist')


def _told(result: object) -> object | None:
    """Return what a client learned, rows in any order; None when it is too much to keep."""
    if not isinstance(result, Outcome):
        return ""
    rows = result.rows
    if not isinstance(rows, Held):
        return result.tag
    if rows.table.num_rows > RESULT_BATCH_ROWS:
        return None
    return result.tag, Counter(repr(row) for row in rows.table.to_pylist())


class Transaction:
    """An open transaction block, or the implicit one of a message."""

    def __init__(
        self,
        loop: EpochLoop,
        wait_s: float,
        idle_s: float,
        lock_s: Callable[[], float],
        *,
        explicit: bool,
    ) -> None:
        self._loop = loop
        self._wait_s = wait_s
        self._idle_s = idle_s
        self._lock_s = lock_s  # lock_timeout as it is now; 0 for none.
        self._work: Exclusive | None = None
        self._replay = _Replay()
        self._active_s = time.monotonic()
        self.explicit = explicit
        self.validated = False  # Whether reads are kept too, and must come out the same.
        self.read_only = False
        self.failed = False
        self.catalog: Catalog | None = None  # What its own statements made; None before a write.

    @property
    def holds_writer(self) -> bool:
        """Tell whether it has written: from then on it must read its own writes."""
        return self._work is not None or bool(self._replay.statements)

    def run(
        self, run: Callable[[Epoch], T], watch: Watch, *, keep: bool = True, size: int = 0
    ) -> T:
        """Run one statement on the writer. ``watch`` learns the future, to cancel it."""
        while True:
            try:
                work = self._attached(watch)
                result = self._asked(work, run, watch)
            except Preempted:
                continue
            if keep:
                self._replay.keep(run, result, size)
                work.replayable = self._replay.complete
            self._active_s = time.monotonic()
            return result

    # --- savepoints -----------------------------------------------------------------------------

    def savepoint(self, name: str) -> None:
        self._replay.mark(name)

    def release(self, name: str) -> None:
        """Raises: InvalidSavepoint (3B001)."""
        self._replay.release(name)

    def rollback_to(self, name: str, watch: Watch) -> None:
        """Go back: by running again what came before. Raises: 3B001, 54000, 40001."""
        later = self._replay.cut(name)
        if not later and not self.failed:
            return
        self._detach()
        self.failed = False
        while self._replay.statements:
            try:
                self._attached(watch)
                return
            except Preempted:
                continue

    # --- ends -----------------------------------------------------------------------------------

    def fail(self) -> None:
        """Undo everything; only the end of the block, or a savepoint, is accepted from here on."""
        self._detach()
        self.failed = True

    def end(self, *, commit: bool, watch: Watch) -> None:
        """Raises: what made the commit fail; then nothing of the transaction happened."""
        if not commit:
            self._detach()
            return
        if self.failed:
            raise FailedTransaction("current transaction is aborted")
        while self.holds_writer:
            try:
                work = self._attached(watch)
                request = End(commit=True)
                work.inbox.put(request)
                self._result(work, request.future)
                return
            except Preempted:
                continue

    def _detach(self) -> None:
        """Let go of the writer; nothing written since then remains."""
        work, self._work, self.catalog = self._work, None, None
        if work is None or work.ended is not None:
            return
        request = End(commit=False)
        work.inbox.put(request)
        try:
            self._result(work, request.future)
        except (VoltstreamError, Preempted):
            return  # It had ended by itself, which leaves as little.

    # --- the writer -----------------------------------------------------------------------------

    def _attached(self, watch: Watch) -> Exclusive:
        """Return the writer's side, with everything that was done so far."""
        work = self._work
        if work is not None and isinstance(work.ended, VoltstreamError):
            raise work.ended
        if work is not None and work.ended is None:
            return work
        if self._replay.statements and time.monotonic() - self._active_s > self._idle_s:
            raise IdleInTransactionTimeout(
                "terminating transaction due to idle-in-transaction timeout"
            )
        self._work = work = self._acquire(watch)
        for kept in self._replay.statements:
            try:
                same = _told(self._asked(work, kept.run, watch)) == kept.answer
            except QueryCanceled:
                raise
            except VoltstreamError as fault:
                raise _conflict(fault.message) from fault
            if not same:
                raise _conflict("a statement's answer has changed")
        work.replayable = self._replay.complete
        return work

    def _acquire(self, watch: Watch) -> Exclusive:
        work = Exclusive(self._idle_s)
        watch(work.started)
        self._loop.submit(work)
        lock_s = self._lock_s()
        try:
            waited(work.started, min(lock_s or self._wait_s, self._wait_s))
        except FutureTimeout:
            if work.started.cancel():
                if 0 < lock_s < self._wait_s:
                    raise LockNotAvailable("canceling statement due to lock timeout") from None
                raise ObjectInUse(
                    "another transaction holds the writer",
                    hint="Transactions that write run one after the other; commit the other one.",
                ) from None
            waited(work.started)
        return work

    def _asked(self, work: Exclusive, run: Callable[[Epoch], T], watch: Watch) -> T:
        def noted(epoch: Epoch) -> T:
            result = run(epoch)
            self.catalog = epoch.catalog
            return result

        future: Future[T] = Future()
        watch(future)
        work.inbox.put(Statement(noted, future))
        return self._result(work, future)

    @staticmethod
    def _result(work: Exclusive, future: Future[T]) -> T:
        while True:
            try:
                return waited(future, _POLL_S)
            except FutureTimeout:
                if work.ended is not None and not future.done():
                    raise work.ended from None


def _conflict(detail: str) -> SerializationFailure:
    return SerializationFailure(
        "could not serialize access due to concurrent update",
        detail=f"The block was run again after others had written: {detail}.",
        hint="Run the transaction again.",
    )
