"""The writer: one thread per database that turns input into epochs."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar, assert_never

from voltstream.core.clock import Clock
from voltstream.core.errors import (
    AdminShutdown,
    IdleInTransactionTimeout,
    InternalError,
    QueryCanceled,
    StorageFault,
    VoltstreamError,
)
from voltstream.core.limits import TICK_INTERVAL_MS
from voltstream.core.ports import Receipt
from voltstream.runtime import absorb
from voltstream.runtime.epoch import Books, Epoch
from voltstream.runtime.options import EngineOptions
from voltstream.runtime.work import Chore, End, Exclusive, SourceRows, Statement, Work
from voltstream.store.database import Connection

_POLL_S = 0.05  # How late a timer may fire; a clock that is handed in cannot wake us.

T = TypeVar("T")
log = logging.getLogger(__name__)


class EpochLoop:
    """Runs everything that writes, in order, each as one epoch."""

    def __init__(self, books: Books, clock: Clock, options: EngineOptions) -> None:
        self._books = books
        self._clock = clock
        self._options = options
        self._changed = threading.Condition()
        self._work: deque[Work] = deque()
        self._rows: deque[SourceRows] = deque()
        self._rows_count = 0
        self._rows_since_s = 0.0
        self._decoding = 0
        self._work_last = False
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="epochs", daemon=True)
        self.after_epoch: Callable[[Epoch], None] = lambda _: None

    # --- any thread -----------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what was taken, then end."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def expect(self, batches: int) -> None:
        """Tell that batches are being decoded (or, negative, came to nothing)."""
        with self._changed:
            self._decoding += batches
            self._changed.notify_all()

    def offer_rows(self, rows: SourceRows) -> None:
        """Queue decoded rows; how many may wait is bounded by who decodes."""
        with self._changed:
            self._decoding -= 1
            if not self._rows:
                self._rows_since_s = time.monotonic()
            self._rows.append(rows)
            self._rows_count += rows.table.num_rows
            self._changed.notify_all()

    def submit(self, work: Work) -> None:
        """Queue a statement. Raises: AdminShutdown (57P01)."""
        with self._changed:
            if self._stopping:
                raise AdminShutdown("the server is shutting down")
            self._work.append(work)
            self._changed.notify_all()

    def run_statement(self, run: Callable[[Epoch], T]) -> Future[T]:
        statement = Statement(run)
        self.submit(statement)
        return statement.future

    def run_chore(self, run: Callable[[Connection], T]) -> Future[T]:
        chore = Chore(run)
        self.submit(chore)
        return chore.future

    # --- the writer thread ----------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            item = self._next()
            try:
                match item:
                    case None:
                        return
                    case Statement():
                        self._statement(item)
                    case Chore():
                        self._chore(item)
                    case Exclusive():
                        self._exclusive(item)
                    case list():
                        self._absorb(item)
                    case _:
                        assert_never(item)
            except Exception:
                log.exception("the epoch loop met a defect; it goes on")

    def _next(self) -> Work | list[SourceRows] | None:
        """Wait for the next thing to do; an empty list is a tick of the clock."""
        with self._changed:
            while True:
                ready = self._rows_ready()
                if self._work and not (ready and self._work_last):
                    self._work_last = True
                    return self._work.popleft()
                if ready:
                    self._work_last = False
                    return self._take_rows()
                if self._tick_is_due():
                    return []
                if self._stopping and not self._decoding:
                    return None
                self._changed.wait(self._patience_s())

    def _patience_s(self) -> float:
        if not self._rows:
            return _POLL_S
        waited_s = time.monotonic() - self._rows_since_s
        return max(0.001, min(_POLL_S, self._options.epoch_interval_ms / 1000 - waited_s))

    def _rows_ready(self) -> bool:
        if not self._rows:
            return False
        if self._rows_count >= self._options.epoch_rows_max or self._stopping:
            return True
        if not self._decoding and any(rows.urgent for rows in self._rows):
            return True
        waited_s = time.monotonic() - self._rows_since_s
        return waited_s * 1000 >= self._options.epoch_interval_ms

    def _take_rows(self) -> list[SourceRows]:
        taken = [self._rows.popleft()]
        count = taken[0].table.num_rows
        while self._rows:
            count += self._rows[0].table.num_rows
            if count > self._options.epoch_rows_max:
                break
            taken.append(self._rows.popleft())
        self._rows_count = sum(rows.table.num_rows for rows in self._rows)
        self._rows_since_s = time.monotonic()
        return taken

    def _tick_is_due(self) -> bool:
        now_us = self._clock.now_us()
        due_us = self._books.dataflow.next_due_us()
        if due_us is not None and self._books.row.now_us < due_us <= now_us:
            return True
        if now_us - self._books.row.now_us < TICK_INTERVAL_MS * 1000:
            return False
        programs = (entry.program for entry in self._books.catalog)
        return any(p is not None and (p.ticks or p.volatile) for p in programs)

    def _open(self) -> Epoch:
        epoch = Epoch(self._books, self._clock.now_us())
        epoch.begin()
        return epoch

    def _close(self, epoch: Epoch) -> None:
        epoch.commit()
        for action in epoch.after_commit:
            action()
        self.after_epoch(epoch)

    def _statement(self, item: Statement) -> None:
        if not item.future.set_running_or_notify_cancel():
            return
        epoch: Epoch | None = None
        try:
            epoch = self._open()
            result = item.run(epoch)
            self._close(epoch)
        except BaseException as error:
            if epoch is not None:
                epoch.rollback()
            item.future.set_exception(as_fault(error))
        else:
            item.future.set_result(result)

    def _chore(self, item: Chore) -> None:
        if not item.future.set_running_or_notify_cancel():
            return
        connection = self._books.connection
        try:
            connection.execute("BEGIN")
            try:
                result = item.run(connection)
                connection.execute("COMMIT")
            except BaseException:
                rollback(connection)
                raise
        except BaseException as error:
            item.future.set_exception(as_fault(error))
        else:
            item.future.set_result(result)

    def _exclusive(self, item: Exclusive) -> None:
        if item.abandoned:
            return
        epoch: Epoch | None = None
        try:
            epoch = self._open()
            item.started.set_result(None)
            self._serve(item, epoch)
        except BaseException as error:
            if epoch is not None:
                epoch.rollback()
            fault = as_fault(error)
            if not item.started.done():
                item.started.set_exception(fault)
            self._refuse_rest(item, fault)

    def _serve(self, item: Exclusive, epoch: Epoch) -> None:
        """Run a transaction's statements as they come. Raises what ended it early."""
        idle_until = time.monotonic() + self._options.transaction_idle_s
        while True:
            try:
                request = item.inbox.get(timeout=_POLL_S)
            except queue.Empty:
                if self._stopping:
                    raise AdminShutdown("the server is shutting down") from None
                if time.monotonic() > idle_until:
                    raise IdleInTransactionTimeout(
                        "terminating transaction due to idle-in-transaction timeout"
                    ) from None
                continue
            if isinstance(request, End):
                self._end(request, epoch)
                return
            if not request.future.set_running_or_notify_cancel():
                raise QueryCanceled("canceling statement due to user request")
            try:
                result = request.run(epoch)
            except BaseException as error:
                request.future.set_exception(as_fault(error))
                raise
            request.future.set_result(result)
            idle_until = time.monotonic() + self._options.transaction_idle_s

    def _end(self, request: End, epoch: Epoch) -> None:
        try:
            if request.commit:
                self._close(epoch)
            else:
                epoch.rollback()
        except BaseException as error:
            if request.commit:
                epoch.rollback()
            request.future.set_exception(as_fault(error))
        else:
            request.future.set_result(epoch.number)

    @staticmethod
    def _refuse_rest(item: Exclusive, fault: VoltstreamError) -> None:
        """Answer what was sent before the session could see that its transaction had ended."""
        item.ended = fault
        while not item.inbox.empty():
            item.inbox.get().future.set_exception(fault)

    def _absorb(self, group: list[SourceRows]) -> None:
        """Make an epoch of rows; on a fault, find the rows to blame and keep the others."""
        try:
            number = self._absorb_once(group)
        except VoltstreamError as fault:
            if not group:
                log.error("a timer's epoch failed: %s", fault.message)
                time.sleep(_POLL_S)
            elif isinstance(fault, StorageFault):
                for rows in group:
                    rows.future.set_exception(fault)
            else:
                for rows in group:
                    self._absorb_alone(rows)
            return
        for rows in group:
            rows.future.set_result(Receipt(rows.table.num_rows, len(rows.letters), number))

    def _absorb_once(self, group: list[SourceRows]) -> int:
        epoch: Epoch | None = None
        try:
            epoch = self._open()
            absorb.absorb(epoch, group)
            self._close(epoch)
        except BaseException as error:
            if epoch is not None:
                epoch.rollback()
            raise as_fault(error) from error
        return epoch.number

    def _absorb_alone(self, rows: SourceRows) -> None:
        """Halve a batch until each row that no view can take is a dead letter by itself."""
        taken = refused = number = 0
        pieces = [rows]
        try:
            while pieces:
                piece = pieces.pop()
                try:
                    number = self._absorb_once([piece])
                    taken += piece.table.num_rows
                    refused += len(piece.letters)
                except StorageFault:
                    raise
                except VoltstreamError as fault:
                    if piece.table.num_rows == 0:
                        raise
                    pieces.extend(absorb.halves(piece, fault, self._books.catalog, self._clock))
        except VoltstreamError as fault:
            rows.future.set_exception(fault)
        else:
            rows.future.set_result(Receipt(taken, refused, number))


def rollback(connection: Connection) -> None:
    """End a transaction that DuckDB may have ended already."""
    with suppress(VoltstreamError):
        connection.execute("ROLLBACK")


def as_fault(error: BaseException) -> VoltstreamError:
    """Return the error a client may see; a defect of ours is logged with its trace."""
    if isinstance(error, VoltstreamError):
        return error
    log.error("a statement met a defect", exc_info=error)
    return InternalError(f"internal error: {error!r}")
