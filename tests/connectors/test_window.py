"""Batches on their way: none passes over another that failed."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from tests.connectors.memory_feed import MemoryFeed
from voltstream.connectors.window import OutstandingBatches
from voltstream.core.errors import StorageFault
from voltstream.core.ports import RawBatch, Receipt


class SlowFeed(MemoryFeed):
    """Keeps what it is given open until the test says what became of it."""

    def __init__(self) -> None:
        super().__init__({}, {})
        self.open: list[Future[Receipt]] = []

    def submit(self, batch: RawBatch) -> Future[Receipt]:
        super().submit(batch)
        self.open.append(Future())
        return self.open[-1]


def test_each_batch_names_the_one_before_it_until_reading_starts_again() -> None:
    feed = SlowFeed()
    outstanding = OutstandingBatches(feed, threading.Event())
    for number in range(3):
        outstanding.submit(RawBatch("bytes", records=[b"%d" % number]))
    assert [batch.after for batch in feed.batches] == [None, *feed.open[:2]]
    feed.open[0].set_result(Receipt(1, 0, 1))
    feed.open[1].set_exception(StorageFault("the disk is gone"))
    with pytest.raises(StorageFault):
        outstanding.settle()
    outstanding.forget()
    outstanding.submit(RawBatch("bytes", records=[b"1"]))
    assert feed.batches[-1].after is None
