"""A source that keeps in memory what its connector brings."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from voltstream.core.ports import RawBatch, Receipt
from voltstream.core.types import DataType


class MemoryFeed:
    """Makes every batch durable at once."""

    def __init__(self, properties: Mapping[str, str], offsets: Mapping[str, str]) -> None:
        self.source = "s"
        self.properties = properties
        self.columns: Mapping[str, DataType] = {}
        self.batches: list[RawBatch] = []
        self.states: list[str] = []
        self.ends: dict[str, int] = {}
        self._offsets = dict(offsets)

    def offsets(self) -> Mapping[str, str]:
        return dict(self._offsets)

    def most(self, records: int) -> int:
        return records

    def submit(self, batch: RawBatch) -> Future[Receipt]:
        if batch.records or batch.payload or batch.table is not None:  # Else it is only a place.
            self.batches.append(batch)
        self._offsets.update(batch.offsets)
        future: Future[Receipt] = Future()
        future.set_result(Receipt(rows=0, dead_letters=0, epoch=1))
        return future

    def report(self, state: str, detail: str = "") -> None:
        del detail
        self.states.append(state)

    def measure(self, ends: Mapping[str, int]) -> None:
        self.ends = dict(ends)

    def records(self) -> list[bytes]:
        return [bytes(record) for batch in self.batches for record in batch.records]

    def payload(self) -> bytes:
        return b"".join(bytes(batch.payload) for batch in self.batches)


def eventually(true: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait until a condition holds; fail when it never does."""
    end_s = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end_s, "it never came true"
        time.sleep(0.02)
