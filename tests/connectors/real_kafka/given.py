"""A Kafka broker for tests, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.connectors.real_kafka.broker import Broker, NoBroker
from tests.connectors.real_kafka.guarded import GuardedBroker

_Kind = TypeVar("_Kind", bound=Broker)


@contextmanager
def kafka(folder: Path) -> Iterator[Broker]:
    """Give a broker that keeps its log in a folder; tests are skipped where none can be had."""
    with _running(folder, Broker) as broker:
        yield broker


@contextmanager
def guarded_kafka(folder: Path) -> Iterator[GuardedBroker]:
    """Give one with a guarded door beside."""
    with _running(folder, GuardedBroker) as broker:
        yield broker


@contextmanager
def _running(folder: Path, kind: type[_Kind]) -> Iterator[_Kind]:
    folder.mkdir(exist_ok=True)
    try:
        broker = kind(folder)
        broker.start()
    except NoBroker as reason:
        pytest.skip(str(reason))
    try:
        yield broker
    finally:
        broker.stop()
