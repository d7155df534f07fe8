"""The writer: one thread per database that turns input into epochs."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar, assert_never

import pyarrow as pa

from voltstream.core.clock import Clock
from voltstream.core.errors import (
    AdminShutdown,
    IdleInTransactionTimeout,
    InternalError,
    QueryCanceled,
    StatementTooComplex,
    VoltstreamError,
)
from voltstream.core.limits import (
    TICK_INTERVAL_MS,
)
from voltstream.core.ports import Receipt
from voltstream.runtime import absorb
from voltstream.runtime.epoch import Books, Epoch
from voltstream.runtime.options import EngineOptions
from voltstream.runtime.poison import Blame, EpochFailed, ViewRefusesTooMuch, sifted
from voltstream.runtime.suspend import suspend
from voltstream.runtime.waiting import POLL_S, Waiting
from voltstream.runtime.work import (
    Chore,
    End,
    Exclusive,
    Preempted,
    SourceRows,
    Statement,
    Together,
)
from voltstream.store.database import Connection

_TICK_PAUSE_S_MAX = 5.0

T = TypeVar("T")
log = logging.getLogger(__name__)


class EpochLoop:
    """Runs everything that writes, in order, each as one epoch."""

    def __init__(self, books: Books, clock: Clock, options: EngineOptions) -> None:
        self._books = books
        self._clock = clock
        self._options = options
        self._waiting = Waiting(options, self._tick_is_due)
        self.expect = self._waiting.expect
        self.offer_rows = self._waiting.offer_rows
        self.submit = self._waiting.submit
        self._tick_pause_s = 0.0
        self._tick_not_before_s = 0.0
        self._interrupting = threading.Lock()
        self._taken: list[Statement] = []
        self._current: Statement | None = None
        self._thread = threading.Thread(target=self._run, name="epochs", daemon=True)
        self.after_epoch: Callable[[Epoch], None] = lambda _: None

    # --- any thread -----------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what was taken, then end."""
        self._waiting.stop()
        if self._thread.is_alive():
            self._thread.join()

    def run_statement(self, run: Callable[[Epoch], T], *, shared: bool = False) -> Future[T]:
        """Queue a write; ``shared``: it may be one epoch with others of its kind that wait."""
        statement = Statement(run, shared=shared)
        self.submit(statement)
        return statement.future

    def interrupt(self, future: Future[Any]) -> None:
        """Stop the statement of this future, whether it waits or runs; others do not notice."""
        if future.cancel():
            return
        with self._interrupting:
            for statement in self._taken:
                if statement.future is future:
                    statement.canceled = True
            if self._current is not None and self._current.future is future:
                self._books.connection.interrupt()

    def run_chore(self, run: Callable[[Connection], T]) -> Future[T]:
        chore = Chore(run)
        self.submit(chore)
        return chore.future

    # --- the writer thread ----------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            item = self._waiting.next()
            try:
                match item:
                    case None:
                        return
                    case Together(statements=statements):
                        self._statements(statements)
                    case Chore():
                        self._chore(item)
                    case Exclusive():
                        self._exclusive(item)
                    case list():
                        self._absorb(item)
                    case _:
                        assert_never(item)
            except Exception:  # A defect of ours: one lost answer is better than no writer.
                log.exception("the epoch loop met a defect; it goes on")

    def _tick_is_due(self) -> bool:
        if time.monotonic() < self._tick_not_before_s:
            return False
        now_us = self._clock.now_us()
        due_us = self._books.dataflow.next_due_us()
        if due_us is not None and self._books.row.now_us < due_us <= now_us:
            return True
        if now_us - self._books.row.now_us < TICK_INTERVAL_MS * 1000:
            return False
        programs = (entry.program for entry in self._books.catalog)
        return any(p is not None and (p.ticks or p.volatile) for p in programs)

    # --- epochs ---------------------------------------------------------------------------------

    @contextmanager
    def _epoch(self, *, keep: bool = True, careful: bool = False) -> Iterator[Epoch]:
        """Commit what the body does (or, without ``keep``, only try it). Raises: EpochFailed.

        An epoch that is not ``careful`` may fail where it need not, and is to be begun ``again``.
        """
        dataflow = self._books.dataflow
        dataflow.running_oid = None
        dataflow.careful = careful
        before = dataflow.before()
        epoch = Epoch(self._books, self._clock.now_us())
        try:
            epoch.begin()
            yield epoch
            if not keep:
                epoch.flush()
                raise _Undone
            epoch.commit()
        except Exception as error:  # A defect too: whoever waits must hear of it.
            program = dataflow.running_oid
            self._settle()
            epoch.rollback()
            dataflow.restore(before)
            if isinstance(error, _Undone):
                return
            blame = Blame(as_fault(error), program)
            again = not blame.is_passing and dataflow.distrusts()
            raise EpochFailed(blame, again=again) from error
        for action in epoch.after_commit:
            action()
        self.after_epoch(epoch)

    @contextmanager
    def _interruptible(self, statement: Statement) -> Iterator[None]:
        """Let ``interrupt`` stop this statement, and no other one."""
        with self._interrupting:
            if statement.canceled:
                raise QueryCanceled("canceling statement due to user request")
            self._current = statement
        try:
            yield
        finally:
            self._settle()

    def _settle(self) -> None:
        with self._interrupting:
            self._current = None
            self._books.connection.resume()

    def _mended(self, blame: Blame) -> bool:
        """Suspend the view that stands in the way of every epoch; tell whether there was one."""
        if blame.is_passing or blame.program is None:
            return False
        if blame.is_data:
            try:
                self._epoch_without_input()  # A timer's own failure shows here.
            except EpochFailed as again:
                if again.blame.is_passing or again.blame.program is None:
                    return False
                blame = again.blame
            else:
                return False
        try:
            self._suspend(blame)
        except EpochFailed:
            return False
        return True

    def _epoch_without_input(self) -> None:
        """Raises: EpochFailed."""
        with self._epoch(careful=True) as epoch:
            epoch.flush()

    def _suspend(self, blame: Blame) -> None:
        """Raises: EpochFailed when the disk does not take it."""
        if blame.program is None:
            return
        try:
            suspend(self._books, blame.program, blame.fault)
        except VoltstreamError as fault:
            raise EpochFailed(Blame(fault, None)) from fault

    # --- statements -----------------------------------------------------------------------------

    def _statements(self, group: list[Statement]) -> None:
        """Make one epoch of statements that wait together; when one fails, one of each."""
        with self._interrupting:
            self._taken = group
        if len(group) == 1 or not self._together(group):
            for item in group:
                if _begins(item):
                    self._statement(item)
        with self._interrupting:
            self._taken = []

    def _together(self, group: list[Statement]) -> bool:
        done = []
        try:
            with self._epoch() as epoch:
                for item in group:
                    if _begins(item):
                        with self._interruptible(item):
                            done.append((item, item.run(epoch)))
        except EpochFailed:
            return False  # Nothing of it happened; alone, each fails or not by itself.
        for item, result in done:
            item.future.set_result(result)
        return True

    def _statement(self, item: Statement) -> None:
        while True:
            try:
                with self._interruptible(item), self._epoch() as epoch:
                    result = item.run(epoch)
            except EpochFailed as failed:
                if failed.again or self._mended(failed.blame):
                    continue
                item.future.set_exception(self._named(failed.blame))
            except QueryCanceled as canceled:  # Before it began.
                item.future.set_exception(canceled)
            else:
                item.future.set_result(result)
            return

    def _named(self, blame: Blame) -> VoltstreamError:
        """Tell which view could not take the change."""
        fault = blame.fault
        entry = self._books.catalog.by_oid(blame.program) if blame.program is not None else None
        if entry is not None and fault.detail is None and not blame.is_passing:
            fault.detail = f'{entry.kind} "{entry.stored.name}" cannot take in this change.'
        return fault

    def _chore(self, item: Chore) -> None:
        if not item.future.set_running_or_notify_cancel():
            return
        connection = self._books.connection
        try:
            connection.execute("BEGIN")
            try:
                result = item.run(connection)
                connection.execute("COMMIT")
            except Exception:
                rollback(connection)
                raise
        except Exception as error:  # A defect too: whoever waits must hear of it.
            item.future.set_exception(as_fault(error))
        else:
            item.future.set_result(result)

    # --- transactions ---------------------------------------------------------------------------

    def _exclusive(self, item: Exclusive) -> None:
        if not item.started.set_running_or_notify_cancel():
            return
        end: End | None = None
        try:
            with self._epoch(careful=True) as epoch:
                item.started.set_result(None)
                end = self._serve(item, epoch)
                if end is None or not end.commit:
                    raise _Undone
        except EpochFailed as failed:
            fault = self._named(failed.blame)
            if not failed.blame.is_data:
                self._mended(failed.blame)
            if not item.started.done():
                item.started.set_exception(fault)
            self._part(item, end, fault)
        else:
            self._part(item, end, _why_left(end))

    @staticmethod
    def _part(item: Exclusive, end: End | None, reason: Exception | None) -> None:
        """Answer whoever waits, also for what was sent before the end could be seen."""
        item.ended = reason
        if end is not None:
            if reason is None or not end.commit:
                end.future.set_result(None)
            else:
                end.future.set_exception(reason)
        while reason is not None and not item.inbox.empty():
            item.inbox.get().future.set_exception(reason)

    def _serve(self, item: Exclusive, epoch: Epoch) -> End | None:
        """Run a transaction's statements as they come; None when it must make way for others.

        Raises: what ended it early.
        """
        idle_since_s = time.monotonic()
        while True:
            try:
                request = item.inbox.get(timeout=POLL_S)
            except queue.Empty:
                if self._must_yield(item, time.monotonic() - idle_since_s):
                    return None
                continue
            if isinstance(request, End):
                return request
            if not request.future.set_running_or_notify_cancel():
                raise QueryCanceled("canceling statement due to user request")
            with self._interrupting:
                self._taken = [request]
            try:
                with self._interruptible(request):
                    result = request.run(epoch)
            except Exception as error:  # A defect too: whoever waits must hear of it.
                request.future.set_exception(as_fault(error))
                raise
            request.future.set_result(result)
            idle_since_s = time.monotonic()

    def _must_yield(self, item: Exclusive, idle_s: float) -> bool:
        """Tell whether others should have the writer. Raises: 57P01, 25P03."""
        if self._waiting.stopping:
            raise AdminShutdown("the server is shutting down")
        if idle_s > item.idle_s:
            raise IdleInTransactionTimeout(
                "terminating transaction due to idle-in-transaction timeout"
            )
        if not item.replayable or idle_s < self._options.transaction_yield_s:
            return False
        return self._waiting.others()

    # --- rows of sources ------------------------------------------------------------------------

    def _absorb(self, group: list[SourceRows]) -> None:
        """Make an epoch of rows; on a fault, find the rows to blame and keep the others."""
        if group:
            group = [rows for rows in group if not _follows_failure(rows)]
            if not group:
                return
        try:
            number = self._absorb_once(group)
        except EpochFailed as failed:
            if not group:
                self._tick_failed(failed.blame)
            elif failed.blame.is_passing:
                for rows in group:
                    rows.future.set_exception(failed.blame.fault)
            else:
                for rows in group:
                    self._absorb_alone(rows)
            return
        self._tick_pause_s = 0.0
        for rows in group:
            rows.future.set_result(_receipt(rows, number))

    def _absorb_once(self, group: list[SourceRows]) -> int:
        while True:
            try:
                with self._epoch() as epoch:
                    absorb.absorb(epoch, group)
            except EpochFailed as failed:
                if not failed.again:
                    raise
            else:
                return epoch.number

    def _tick_failed(self, blame: Blame) -> None:
        if self._mended(blame):
            return
        # Nobody to suspend: try again, but do not keep the writer busy with it.
        self._tick_pause_s = min(_TICK_PAUSE_S_MAX, max(POLL_S, self._tick_pause_s * 2))
        self._tick_not_before_s = time.monotonic() + self._tick_pause_s
        log.error("a timer's epoch failed: %s", blame.fault.message)

    def _absorb_alone(self, rows: SourceRows) -> None:
        """Take in one batch: without its bad rows, or without a view that cannot go on."""
        if _follows_failure(rows):
            return
        try:
            taken, number = self._cleaned(rows)
            while number is None:
                taken, number = self._cleaned(rows)
        except EpochFailed as failed:
            rows.future.set_exception(failed.blame.fault)
        else:
            rows.future.set_result(_receipt(taken, number))

    def _cleaned(self, rows: SourceRows) -> tuple[SourceRows, int | None]:
        """Commit a batch, without bad rows if it must be; no number: something was suspended.

        Law: rows, dead letters and offsets are one epoch, so a kill leaves all of them or none.
        Raises: EpochFailed.
        """
        try:
            return rows, self._absorb_once([rows])
        except EpochFailed as failed:
            blame = failed.blame
            if self._mended(blame):
                return rows, None
            if not blame.is_data or not rows.table.num_rows:
                raise
        try:
            clean = self._sifted(rows, blame)
            return clean, self._absorb_once([clean])
        except ViewRefusesTooMuch as refusal:
            self._suspend(refusal.blame)
        except EpochFailed as failed:  # Each row passes alone, all of them together do not.
            if failed.blame.is_passing or failed.blame.program is None:
                raise
            self._suspend(failed.blame)
        return rows, None

    def _sifted(self, rows: SourceRows, blame: Blame) -> SourceRows:
        entry = self._books.catalog.by_oid(rows.source)
        name = entry.stored.name if entry is not None else str(rows.source)

        def trial(piece: pa.Table) -> Blame | None:
            tried = replace(rows, table=piece, letters=(), offsets={})
            try:
                with self._epoch(keep=False, careful=True) as epoch:
                    absorb.absorb(epoch, [tried])
            except EpochFailed as failed:
                return failed.blame
            return None

        return sifted(rows, blame, trial, name, self._clock.now_us())


def _follows_failure(rows: SourceRows) -> bool:
    """Fail rows as those before them did: their offsets would pass over what was not taken."""
    ended = (one for one in rows.after if one.done())
    fault = next((error for one in ended if (error := one.exception())), None)
    if fault is not None:
        rows.future.set_exception(fault)
    return fault is not None


def _receipt(rows: SourceRows, number: int) -> Receipt:
    return rows.taken or Receipt(rows.table.num_rows, len(rows.letters), number)


class _Undone(Exception):
    """The epoch shall leave nothing: a trial, a ROLLBACK, or others had to have the writer."""


def _begins(item: Statement) -> bool:
    """Tell whether a statement is still wanted; from then on only ``interrupt`` stops it."""
    future = item.future
    if future.cancelled():
        return False
    return future.running() or future.set_running_or_notify_cancel()


def _why_left(end: End | None) -> Preempted | None:
    return Preempted() if end is None else None


def rollback(connection: Connection) -> None:
    """End a transaction that DuckDB may have ended already."""
    with suppress(VoltstreamError):
        connection.execute("ROLLBACK")


def as_fault(error: BaseException) -> VoltstreamError:
    """Return the error a client may see; a defect of ours is logged with its trace."""
    if isinstance(error, VoltstreamError):
        return error
    if isinstance(error, RecursionError):
        return StatementTooComplex("stack depth limit exceeded")
    log.error("a statement met a defect", exc_info=error)
    return InternalError(f"internal error: {error!r}")
