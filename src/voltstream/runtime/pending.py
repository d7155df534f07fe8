"""How much input may be on its way between those who bring it and the epoch that takes it."""

from __future__ import annotations

import threading

from voltstream.core.limits import PENDING_BATCHES_MAX, PENDING_BYTES_MAX
from voltstream.core.packed import PackedRecords
from voltstream.core.ports import RawBatch


class Pending:
    """Counts batches and bytes; a batch alone is always let in, however large."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._batches = 0
        self._bytes = 0

    def enter(self, size: int) -> None:
        """Wait until there is room, then take it."""
        with self._changed:
            self._changed.wait_for(lambda: self._has_room(size))
            self._batches += 1
            self._bytes += size

    def leave(self, size: int) -> None:
        with self._changed:
            self._batches -= 1
            self._bytes -= size
            self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        if not self._batches:
            return True
        return self._batches < PENDING_BATCHES_MAX and self._bytes + size <= PENDING_BYTES_MAX


def size_of(batch: RawBatch) -> int:
    """Return the bytes a batch holds. Units: bytes."""
    table = batch.table.nbytes if batch.table is not None else 0
    records = batch.records
    held = records.size if isinstance(records, PackedRecords) else sum(map(len, records))
    return len(batch.payload) + held + table


def records_in(batch: RawBatch) -> int:
    """Count the records of a batch; of text, its lines."""
    if batch.table is not None:
        return batch.table.num_rows
    if batch.records:
        return len(batch.records)
    return bytes(batch.payload).count(b"\n")
