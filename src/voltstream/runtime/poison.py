"""Rows that no epoch can take: found by trial, kept as dead letters; and whom to blame else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pyarrow as pa

from voltstream.core.errors import (
    AdminShutdown,
    OutOfMemory,
    QueryCanceled,
    SerializationFailure,
    StorageFault,
    VoltstreamError,
)
from voltstream.core.limits import DEAD_LETTER_BYTES_MAX, POISON_ROWS_MAX
from voltstream.runtime.work import SourceRows
from voltstream.store.ledger import Letter

# The world's fault, not a row's or a view's: the same epoch may well succeed later.
_PASSING = (StorageFault, QueryCanceled, AdminShutdown, OutOfMemory, SerializationFailure)
_DATA_CLASSES = ("22", "23")  # SQLSTATE classes: data exception, integrity violation.


@dataclass(frozen=True, slots=True)
class Blame:
    """Why an epoch failed, and whose program was running (its object id) if one was."""

    fault: VoltstreamError
    program: int | None

    @property
    def is_passing(self) -> bool:
        return isinstance(self.fault, _PASSING)

    @property
    def is_data(self) -> bool:
        return self.fault.sqlstate.startswith(_DATA_CLASSES)


class EpochFailed(Exception):
    """An epoch was rolled back; ``again``: it may go well now. Never leaves the writer thread."""

    def __init__(self, blame: Blame, *, again: bool = False) -> None:
        super().__init__(blame.fault.message)
        self.blame = blame
        self.again = again


class ViewRefusesTooMuch(Exception):
    """One program fails on more rows of a batch than a few: it, not the rows, is at fault."""

    def __init__(self, blame: Blame) -> None:
        super().__init__(blame.fault.message)
        self.blame = blame


Trial = Callable[[pa.Table], Blame | None]


@dataclass(slots=True)
class _Sieve:
    good: list[pa.Table] = field(default_factory=list)
    bad: list[tuple[pa.Table, VoltstreamError]] = field(default_factory=list)
    blamed: Counter[int | None] = field(default_factory=Counter)


def sifted(rows: SourceRows, first: Blame, trial: Trial, name: str, at_us: int) -> SourceRows:
    """Return the batch without the rows that fail, which become dead letters of the same epoch.

    Law: nothing is committed on the way, so rows, letters and offsets become true together.
    Where no program can be blamed and a few bad rows are known, pieces are given up whole:
    POISON_ROWS_MAX bounds the trials. Raises: EpochFailed (storage), ViewRefusesTooMuch.
    """
    sieve = _Sieve()
    waiting = _halves(rows.table, first, sieve)
    while waiting:
        piece = waiting.pop()
        blame = trial(piece)
        if blame is None:
            sieve.good.append(piece)
        elif blame.is_passing:
            raise EpochFailed(blame)
        else:
            waiting.extend(_halves(piece, blame, sieve))
    kept = pa.concat_tables(sieve.good) if sieve.good else rows.table.slice(0, 0)
    letters = [
        Letter(
            name,
            "",
            json.dumps(row, default=str).encode()[:DEAD_LETTER_BYTES_MAX],
            fault.message,
            at_us,
        )
        for piece, fault in sieve.bad
        for row in piece.to_pylist()
    ]
    return replace(rows, table=kept, letters=[*rows.letters, *letters])


def _halves(piece: pa.Table, blame: Blame, sieve: _Sieve) -> list[pa.Table]:
    """Split what failed, the later half first; a single row is bad."""
    if piece.num_rows > 1 and len(sieve.bad) < POISON_ROWS_MAX:
        middle = piece.num_rows // 2
        return [piece.slice(middle), piece.slice(0, middle)]
    sieve.bad.append((piece, blame.fault))
    sieve.blamed[blame.program] += 1
    if blame.program is not None and sieve.blamed[blame.program] >= POISON_ROWS_MAX:
        raise ViewRefusesTooMuch(blame)
    return []
