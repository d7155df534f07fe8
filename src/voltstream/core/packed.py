"""Records that lie one behind another in one buffer: as many as there are, a few objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa


class PackedRecords(Sequence[bytes]):
    """A sequence of records over an Arrow array, which costs nothing to count or to measure."""

    __slots__ = ("array", "offsets")

    def __init__(self, records: Sequence[bytes]) -> None:
        #: Where each record begins, and behind them the end of the last.
        self.offsets = np.zeros(len(records) + 1, np.int64)
        lengths = np.fromiter(map(len, records), np.int64, count=len(records))
        np.cumsum(lengths, out=self.offsets[1:])
        buffers = [None, pa.py_buffer(self.offsets.data), pa.py_buffer(b"".join(records))]
        kind: Any = pa.large_binary()
        self.array: pa.Array[Any] = pa.Array.from_buffers(kind, len(records), buffers)

    @property
    def size(self) -> int:
        """Return the bytes of all records."""
        return int(self.offsets[-1])

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...

    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [item for item in self.array[index].to_pylist() if item is not None]
        return bytes(self.array[index].as_buffer())


def packed(records: Sequence[bytes]) -> PackedRecords:
    """Return records as they are when they are packed, else packed."""
    return records if isinstance(records, PackedRecords) else PackedRecords(records)
