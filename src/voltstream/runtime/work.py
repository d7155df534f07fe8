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
    """Decoded rows of one source.

    ``urgent``: a client waits for them; ``joined``: they share the epoch of those before them.
    """

    source: int
    table: pa.Table
    letters: Sequence[Letter]
    offsets: Mapping[str, str]
    urgent: bool
    name: str = ""
    digest: str = ""
    partition: str = ""
    taken: Receipt | None = None  # What became of it when it was sent before.
    future: Future[Receipt] = field(default_factory=Future)
    joined: bool = False
    after: Sequence[Future[Receipt]] = ()  # Fails as one of these did: it tells that all are true.


@dataclass(slots=True)
class Statement:
    """A write that is an epoch of its own, or ``shared`` one with others that wait too."""

    run: Callable[[Epoch], Any]
    future: Future[Any] = field(default_factory=Future)
    shared: bool = False
    canceled: bool = False  # Asked to stop after it was taken; it is told before it runs.


@dataclass(slots=True)
class Chore:
    """A small transaction that changes no relation: no epoch."""

    run: Callable[[Connection], Any]
    future: Future[Any] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class End:
    """The end of an explicit transaction."""

    commit: bool
    future: Future[None] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Together:
    """Statements that are one epoch."""

    statements: list[Statement]


class Preempted(Exception):
    """An idle transaction gave the writer to others; its session runs it again when needed."""


@dataclass(slots=True)
class Exclusive:
    """An explicit transaction: it holds the writer from its first write on.

    ``replayable``: its session can run it again, so it may lose the writer while it is idle.
    ``idle_s``: without a statement for so long, it is rolled back.
    """

    idle_s: float
    started: Future[None] = field(default_factory=Future)
    inbox: queue.SimpleQueue[Statement | End] = field(default_factory=queue.SimpleQueue)
    replayable: bool = True
    ended: Exception | None = None  # Why it ended by itself.


Work = Statement | Chore | Exclusive
