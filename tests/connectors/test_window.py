"""Batches on their way: none passes over another that failed."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from tests.connectors.memory_feed import MemoryFeed
from voltstream.connectors.window import OutstandingBatches
from voltstream.core.errors import StorageFault
from voltstream.core.ports import RawBatch, Receipt, Stopped


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
    feed.open[2].set_exception(StorageFault("the disk is gone"))  # As the one before it.
    outstanding.forget()
    outstanding.submit(RawBatch("bytes", records=[b"1"]))
    assert feed.batches[-1].after is None


def test_reading_starts_again_when_the_fate_of_every_batch_is_known() -> None:
    feed = SlowFeed()
    outstanding = OutstandingBatches(feed, threading.Event())
    for number in range(2):
        outstanding.submit(RawBatch("bytes", records=[b"%d" % number]))
    forgetting = threading.Thread(target=outstanding.forget)
    forgetting.start()
    feed.open[1].set_result(Receipt(1, 0, 2))
    forgetting.join(0.05)
    assert forgetting.is_alive()  # The place of the first is not in the store yet.
    feed.open[0].set_result(Receipt(1, 0, 1))
    forgetting.join(5)
    assert not forgetting.is_alive()


def test_who_waits_for_the_fate_of_batches_can_stop() -> None:
    stop = threading.Event()
    outstanding = OutstandingBatches(SlowFeed(), stop)
    outstanding.submit(RawBatch("bytes", records=[b"1"]))
    stop.set()
    with pytest.raises(Stopped):
        outstanding.forget()
