"""Results that are complete in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from voltstream.core.limits import RESULT_BATCH_ROWS
from voltstream.core.schema import Schema


@dataclass(frozen=True, slots=True)
class Held:
    """A table that is read in batches of the wire's size."""

    columns: Schema
    table: pa.Table

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self.table.to_batches(max_chunksize=RESULT_BATCH_ROWS)

    def close(self) -> None:
        """Nothing is held open."""
