"""Results that are complete in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from voltstream.core.limits import RESULT_BATCH_ROWS
from voltstream.core.ports import Outcome
from voltstream.core.schema import Column, Schema


@dataclass(frozen=True, slots=True)
class Held:
    """A table that is read in batches of the wire's size."""

    columns: Schema
    table: pa.Table

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self.table.to_batches(max_chunksize=RESULT_BATCH_ROWS)

    def close(self) -> None:
        """Nothing is held open."""


def told(name: str, texts: Sequence[str]) -> Outcome:
    """Return an answer of one column of text."""
    rows = Held((Column(name, "VARCHAR"),), pa.table({name: pa.array(texts, pa.string())}))
    return Outcome("SELECT", rows=rows)


def told_number(name: str, number: int) -> Outcome:
    rows = Held((Column(name, "INTEGER"),), pa.table({name: pa.array([number], pa.int32())}))
    return Outcome("SELECT", rows=rows)
