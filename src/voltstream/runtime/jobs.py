"""What happens by itself: policies and jobs when they are due, old source rows, old files."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

from voltstream.core.clock import Clock
from voltstream.core.errors import VoltstreamError
from voltstream.core.limits import CHUNK_LINGER_S, PUSH_KEYS_KEPT_S
from voltstream.runtime import compaction, policies, tiering
from voltstream.runtime.catalog import Catalog
from voltstream.runtime.epoch import Books, Watched
from voltstream.runtime.epoch_loop import EpochLoop
from voltstream.runtime.retention import retention_s
from voltstream.store import hypertable, timescale
from voltstream.store.chunk import remove
from voltstream.store.database import Connection
from voltstream.store.pushes import forget_pushes
from voltstream.store.timescale import Job

_PERIOD_S = 3_600.0
_LOOK_S = 5.0  # How late a job may start.
_ATTEMPTS = 3  # Of one chunk while rows still come into it; then it waits for its next turn.

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
    """The thread of everything periodic. It waits for the writer like any client."""

    def __init__(
        self,
        books: Books,
        loop: EpochLoop,
        clock: Clock,
        retention_default_s: int,
        reader: Callable[[], Connection],
    ):
        self._books = books
        self._loop = loop
        self._clock = clock
        self._retention_default_s = retention_default_s
        self._reader = reader
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self._round_at_us = 0
        self.quiet = threading.RLock()  # Who holds it reads chunk files that must stay.

    def start(self) -> None:
        self._round_at_us = self._clock.now_us() + int(_PERIOD_S * 1_000_000)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            try:
                self.run_due()
                if self._clock.now_us() >= self._round_at_us:
                    self._round_at_us = self._clock.now_us() + int(_PERIOD_S * 1_000_000)
                    self.round()
            except VoltstreamError as fault:
                log.warning("the periodic work failed: %s", fault.message)

    def round(self) -> int:
        """Forget what is old. Returns how many rows of sources were forgotten."""
        now_us = self._clock.now_us()
        with self.quiet:
            self._sweep(now_us)
        before_us = now_us - PUSH_KEYS_KEPT_S * 1_000_000
        self._loop.run_chore(lambda writer: forget_pushes(writer, before_us)).result()
        return self._loop.run_chore(
            lambda connection: forget_old_rows(
                connection, self._books.catalog, now_us, self._retention_default_s
            )
        ).result()

    def _sweep(self, now_us: int) -> None:
        self._loop.run_chore(
            lambda writer: policies.sweep_garbage(writer, now_us, CHUNK_LINGER_S * 1_000_000)
        ).result()

    # --- jobs -----------------------------------------------------------------------------------

    def run_due(self) -> int:
        """Run every job whose time has come. Returns how many."""
        reader = self._reader()
        try:
            condition = f"scheduled AND next_us <= {self._clock.now_us()}"
            due = timescale.jobs(reader, condition)
        finally:
            reader.close()
        for job in due:
            if self._stopping.is_set():
                break
            self._run_job(job)
        self._move_queued()
        return len(due)

    def _move_queued(self) -> None:
        """Move the chunks that wait for the remote store."""
        reader = self._reader()
        try:
            waiting = tiering.queued(reader)
        finally:
            reader.close()
        for table, chunk in waiting:
            if self._stopping.is_set():
                return
            due = policies.Due(table, chunk)
            reader = self._reader()
            try:
                if compaction.has_work(reader, table, chunk) and not self.compress_aside(due):
                    continue
                tiering.move(table, chunk, reader, self._chore)
            finally:
                reader.close()

    def _run_job(self, job: Job) -> None:
        started_us = self._clock.now_us()
        fault = ("", "")
        try:
            if job.proc == "policy_compression":
                self._compress_due(job)
            else:
                self._loop.run_statement(lambda epoch: policies.run(epoch, job)).result()
        except VoltstreamError as error:
            log.warning("job %s failed: %s", job.id, error.message)
            fault = (error.message, error.sqlstate)
        finished_us = self._clock.now_us()
        pause_us = job.retry_us if fault[0] else job.every_us

        def note(writer: Connection) -> None:
            timescale.add_run(writer, job.id, started_us, finished_us, fault)
            writer.execute(
                f"UPDATE _vs.jobs SET next_us = {finished_us + pause_us} WHERE id = {job.id}"
            )

        self._loop.run_chore(note).result()

    def _compress_due(self, job: Job) -> None:
        """Write the chunks whose turn has come, beside the writer."""
        reader = self._reader()
        try:
            due = policies.due_chunks(reader, job)
            if due:
                table = due[0].table
                chunks = compaction.with_work(reader, table, [one.chunk for one in due])
                due = [policies.Due(table, chunk) for chunk in chunks]
        finally:
            reader.close()
        for one in due:
            for _ in range(_ATTEMPTS):
                if self._stopping.is_set() or self.compress_aside(one):
                    break

    def compress_aside(self, due: policies.Due) -> bool:
        """Write a chunk from a snapshot while epochs go on. Returns whether it was taken."""
        oid = due.table.oid
        reader = self._reader()
        done: compaction.Written | None = None
        try:
            # The snapshot is taken between two epochs; what changes after it is noted.
            self._chore(lambda _: self._watch(reader, due))
            table = hypertable.find(reader, oid)
            if table is None:
                return True
            written = done = compaction.written(reader, table, due.chunk)
            return self._chore(lambda writer: self._take(writer, table, written))
        except VoltstreamError:
            if done is not None:
                remove(done.paths(self._books.connection.folder))
            raise
        finally:
            reader.close()
            self._chore(lambda _: self._books.watched.pop(oid, None) is not None)

    def _chore(self, run: Callable[[Connection], bool]) -> bool:
        waiting: Future[bool] = self._loop.run_chore(run)
        return waiting.result()

    def _watch(self, reader: Connection, due: policies.Due) -> bool:
        reader.execute("BEGIN")
        reader.rows(f"SELECT 1 FROM {due.table.hot} LIMIT 1")
        self._books.watched[due.table.oid] = Watched(due.chunk.low, due.chunk.high)
        return True

    def _take(
        self, writer: Connection, table: hypertable.Hypertable, done: compaction.Written
    ) -> bool:
        watched = self._books.watched.get(table.oid)
        if watched is None or watched.changed:
            remove(done.paths(writer.folder))
            return False
        compaction.register(writer, table, done)
        return True
