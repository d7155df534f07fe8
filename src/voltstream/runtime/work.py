"""What waits for the writer."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from voltstream.core.ports import Receipt
from voltstream.runtime.epoch import Epoch
from voltstream.store.database import Connection
from voltstream.store.ledger import Letter


@dataclass(slots=True)
class SourceRows:
    """Decoded rows of one source. ``urgent``: a client waits for them."""

    source: int
    table: pa.Table
    letters: Sequence[Letter]
    offsets: Mapping[str, str]
    urgent: bool
    future: Future[Receipt] = field(default_factory=Future)


@dataclass(slots=True)
class Statement:
    """A write that is an epoch of its own."""

    run: Callable[[Epoch], Any]
    future: Future[Any] = field(default_factory=Future)


@dataclass(slots=True)
class Chore:
    """A small transaction that changes no relation: no epoch."""

    run: Callable[[Connection], Any]
    future: Future[Any] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class End:
    """The end of an explicit transaction."""

    commit: bool
    future: Future[int] = field(default_factory=Future)


@dataclass(slots=True)
class Exclusive:
    """An explicit transaction: it holds the writer from its first write to its end."""

    started: Future[None] = field(default_factory=Future)
    inbox: queue.SimpleQueue[Statement | End] = field(default_factory=queue.SimpleQueue)
    abandoned: bool = False  # The session gave up waiting; do not start it.
    ended: BaseException | None = None  # Why it ended by itself.


Work = Statement | Chore | Exclusive
