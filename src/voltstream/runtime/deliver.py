"""Sinks: from the outbox to their targets, at least once and in order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from voltstream.core.clock import Clock
from voltstream.core.errors import VoltstreamError
from voltstream.core.limits import DEAD_LETTER_BYTES_MAX, OUTBOX_DELIVER_ROWS
from voltstream.core.ports import (
    Connectors,
    RollingTarget,
    SinkRecord,
    SinkRefused,
    SinkTarget,
    SinkUnavailable,
    Stopped,
)
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.runtime.epoch_loop import EpochLoop
from voltstream.runtime.feeds import at_once
from voltstream.runtime.outboxes import Outboxes, policy_of
from voltstream.runtime.pace import SINK_RATE, Pace, rate
from voltstream.runtime.secrets import resolved
from voltstream.store.database import Connection
from voltstream.store.ledger import (
    Letter,
    Parcel,
    acknowledge,
    add_dead_letters,
    drop_oldest,
    read_parcels,
    set_state,
)
from voltstream.store.vault import Vault

_RETRY_FIRST_S = 0.5
_RETRY_MAX_S = 15.0

log = logging.getLogger(__name__)


class Deliverer:
    """One sink's thread: reads the outbox, delivers, then forgets what arrived."""

    def __init__(
        self,
        entry: Entry,
        target: SinkTarget,
        loop: EpochLoop,
        reader: Callable[[], Connection],
        delivered: Callable[[int], None],
        pending: Callable[[], int],
        clock: Clock,
    ) -> None:
        self._entry = entry
        self._clock = clock
        self.pace = Pace(clock, rate(entry.stored.properties, SINK_RATE))
        self._target = target
        self._delivered = delivered
        self._loop = loop
        self._reader = reader
        self._rolling = target.rolling if isinstance(target, RollingTarget) else None
        self._pending = pending
        self._waiting_since_s: float | None = None
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._state = ""
        self._thread = threading.Thread(
            target=self._run, name=f"sink {entry.stored.name}", daemon=True
        )

    def start(self) -> None:
        self._wake.set()
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        self.pace.close()
        self._target.interrupt()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _run(self) -> None:
        patience_s = _RETRY_FIRST_S
        while True:
            self._wake.wait(self._patience_s())
            self._wake.clear()
            if self._stopping.is_set():
                break
            try:
                self._drain()
                patience_s = _RETRY_FIRST_S
            except Stopped:
                break
            except SinkUnavailable as reason:
                self._report("disconnected", str(reason))
                self._stopping.wait(patience_s)
                patience_s = min(patience_s * 2, _RETRY_MAX_S)
                self._wake.set()
            except VoltstreamError as fault:
                if self._stopping.is_set():
                    break
                log.error("sink %s: %s", self._entry.stored.name, fault.message)
                self._report("failed", fault.message)
                self._stopping.wait(patience_s)
                patience_s = min(patience_s * 2, _RETRY_MAX_S)
                self._wake.set()
        self._target.close()

    def _patience_s(self) -> float | None:
        """Return how long what waits may gather; None where nothing waits."""
        if self._rolling is None or self._waiting_since_s is None:
            return None
        left_s = self._waiting_since_s + self._rolling.seconds - time.monotonic()
        return max(left_s, 0.0)

    def _is_due(self) -> bool:
        """Tell whether enough has gathered for the target, or gathered long enough."""
        if self._rolling is None:
            return True
        rows = self._pending()
        if not rows:
            self._waiting_since_s = None
            return False
        if self._waiting_since_s is None:
            self._waiting_since_s = time.monotonic()
        return rows >= self._rolling.rows or self._patience_s() == 0.0

    def _drain(self) -> None:
        reader = self._reader()
        try:
            while not self._stopping.is_set():
                if not self._is_due():
                    return
                rows = OUTBOX_DELIVER_ROWS if self._rolling is None else self._rolling.rows
                most = self.pace.most(rows)
                parcels = read_parcels(reader, self._entry.oid, most)
                if not parcels:
                    return
                if self.pace.pauses:
                    self._report("paused", f"{SINK_RATE} is 0")
                self.pace.take(len(parcels))
                letters: list[Letter] = []
                try:
                    self._target.deliver([_record(parcel) for parcel in parcels])
                except SinkRefused as refusal:
                    letters = [self._letter(record, why) for record, why in refusal.refused]
                self._acknowledge(parcels[-1], letters)
                self._waiting_since_s = None
                self._report("running", "")
        finally:
            reader.close()

    def _acknowledge(self, last: Parcel, letters: Sequence[Letter]) -> None:
        def acknowledged(store: Connection) -> int:
            add_dead_letters(store, letters)
            return acknowledge(store, self._entry.oid, last)

        self._delivered(self._loop.run_chore(acknowledged).result())

    def _letter(self, record: SinkRecord, reason: str) -> Letter:
        raw = (record.value if record.value is not None else record.key) or b""
        position = f"epoch {record.epoch}:{record.ordinal}"
        kept = raw[:DEAD_LETTER_BYTES_MAX]
        return Letter(self._entry.stored.name, position, kept, reason, self._clock.now_us())

    def _report(self, state: str, detail: str) -> None:
        if state == self._state:
            return
        self._state = state
        try:
            self._loop.run_chore(lambda store: set_state(store, self._entry.oid, state, detail))
        except VoltstreamError as error:
            log.debug("a sink's state is not recorded: %s", error.message)


def _record(parcel: Parcel) -> SinkRecord:
    return SinkRecord(
        epoch=parcel.epoch,
        ordinal=parcel.ordinal,
        key=None if parcel.key is None else parcel.key.encode(),
        value=None if parcel.value is None else parcel.value.encode(),
    )


class Deliveries:
    """Every sink of one database."""

    def __init__(
        self,
        connectors: Connectors,
        loop: EpochLoop,
        reader: Callable[[], Connection],
        outboxes: Outboxes,
        clock: Clock,
        vault: Vault,
    ) -> None:
        self._vault = vault
        self._clock = clock
        self._outboxes = outboxes
        self._connectors = connectors
        self._loop = loop
        self._reader = reader
        self._running: dict[int, Deliverer] = {}
        self._lock = threading.Lock()

    def prepare(self, entry: Entry, catalog: Catalog) -> Callable[[], None]:
        """Make a sink's target. Returns what starts its delivery. Raises: InvalidParameter."""
        policy_of(entry)
        rate(entry.stored.properties, SINK_RATE)
        stored = entry.stored
        properties = resolved(stored.properties, stored.schema, catalog, self._vault)
        target = self._connectors.sink(stored.name, properties, entry.shape)

        def delivered(rows: int) -> None:
            self._outboxes.change(entry.oid, -rows)

        def pending() -> int:
            return self._outboxes.pending(entry.oid)

        def start() -> None:
            self._outboxes.open(entry)
            deliverer = Deliverer(
                entry, target, self._loop, self._reader, delivered, pending, self._clock
            )
            with self._lock:
                self._running[entry.oid] = deliverer
            deliverer.start()

        return start

    def wake(self, posted: Mapping[int, int]) -> None:
        """Tell sinks of rows that are in their outboxes now, and drop what those cannot hold."""
        for oid, rows in posted.items():
            excess = self._outboxes.change(oid, rows)
            if excess:
                self._drop_oldest(oid, excess)
        with self._lock:
            woken = [self._running[oid] for oid in posted if oid in self._running]
        for deliverer in woken:
            deliverer.wake()

    def _drop_oldest(self, oid: int, rows: int) -> None:
        self._outboxes.change(oid, -rows)  # Now, so that the next epoch does not ask again.

        def drop(store: Connection) -> None:
            dropped = drop_oldest(store, oid, rows)
            self._outboxes.change(oid, rows - dropped)  # Some may have been delivered meanwhile.
            log.warning("sink %d: its outbox was full, %d oldest rows were dropped", oid, dropped)

        self._loop.run_chore(drop)

    def keep_pace(self, catalog: Catalog) -> None:
        """Let sinks go on as fast as their properties say now."""
        with self._lock:
            running = dict(self._running)
        for oid, deliverer in running.items():
            entry = catalog.by_oid(oid)
            if entry is not None:
                deliverer.pace.change(rate(entry.stored.properties, SINK_RATE))

    def stop_missing(self, oids: set[int]) -> None:
        with self._lock:
            missing = [oid for oid in self._running if oid not in oids]
            gone = [self._running.pop(oid) for oid in missing]
        self._outboxes.forget(missing)
        for deliverer in gone:
            threading.Thread(target=deliverer.stop, daemon=True).start()

    def stop(self) -> None:
        with self._lock:
            running, self._running = list(self._running.values()), {}
        at_once([deliverer.stop for deliverer in running])
