"""A Kafka broker for tests, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.connectors.real_kafka.broker import Broker, NoBroker


@contextmanager
def kafka(folder: Path) -> Iterator[Broker]:
    """Give a broker that keeps its log in a folder; tests are skipped where none can be had."""
    try:
        broker = Broker(folder)
        broker.start()
    except NoBroker as reason:
        pytest.skip(str(reason))
    try:
        yield broker
    finally:
        broker.stop()
