"""A session's transaction: nothing until its first write, then the writer until its end."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

from voltstream.core.errors import (
    FailedTransaction,
    ObjectInUse,
    QueryCanceled,
    VoltstreamError,
)
from voltstream.runtime.catalog import Catalog
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.epoch_loop import EpochLoop
from voltstream.runtime.work import End, Exclusive, Statement

_POLL_S = 0.2  # How often a waiting session looks whether its transaction was ended for it.

T = TypeVar("T")


def waited(future: Future[T], timeout_s: float | None = None) -> T:
    """Return a future's result. Raises: QueryCanceled when it was cancelled, ObjectInUse."""
    try:
        return future.result(timeout_s)
    except CancelledError:
        raise QueryCanceled("canceling statement due to user request") from None


class Transaction:
    """An open transaction block, or the implicit one of a message."""

    def __init__(self, loop: EpochLoop, wait_s: float, *, explicit: bool) -> None:
        self._loop = loop
        self._wait_s = wait_s
        self._work: Exclusive | None = None
        self.explicit = explicit
        self.failed = False
        self.catalog: Catalog | None = None  # What its own statements made; None before a write.

    @property
    def holds_writer(self) -> bool:
        return self._work is not None

    def run(self, run: Callable[[Epoch], T], watch: Callable[[Future[T]], None]) -> T:
        """Run one statement on the writer. ``watch`` learns the future, to cancel it."""
        work = self._work or self._acquire()

        def noted(epoch: Epoch) -> T:
            result = run(epoch)
            self.catalog = epoch.catalog
            return result

        future: Future[T] = Future()
        watch(future)
        self._check(work)
        work.inbox.put(Statement(noted, future))
        return self._result(work, future)

    def _acquire(self) -> Exclusive:
        work = Exclusive()
        self._loop.submit(work)
        try:
            work.started.result(self._wait_s)
        except FutureTimeout:
            work.abandoned = True
            raise ObjectInUse(
                "another transaction holds the writer",
                hint="Transactions that write run one after the other; commit the other one.",
            ) from None
        self._work = work
        return work

    @staticmethod
    def _check(work: Exclusive) -> None:
        if isinstance(work.ended, VoltstreamError):
            raise work.ended

    def _result(self, work: Exclusive, future: Future[T]) -> T:
        while True:
            try:
                return waited(future, _POLL_S)
            except FutureTimeout:
                if work.ended is not None and not future.done():
                    self._check(work)

    def fail(self) -> None:
        """Undo everything; only the end of the block is accepted from here on."""
        self.end(commit=False)
        self.failed = True

    def end(self, *, commit: bool) -> None:
        """Raises: what made the commit fail; then nothing of the transaction happened."""
        work, self._work, self.catalog = self._work, None, None
        if self.failed and commit:
            raise FailedTransaction("current transaction is aborted")
        if work is None:
            return
        if work.ended is not None:
            if commit:
                self._check(work)
            return
        request = End(commit)
        work.inbox.put(request)
        try:
            self._result(work, request.future)
        except VoltstreamError:
            if commit:
                raise
