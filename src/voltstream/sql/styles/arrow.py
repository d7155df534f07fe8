"""Arrow as the encoders see it: one array type for every column.

Its type stubs have an overload per element type; code that serves them all cannot satisfy any.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute

Cells = Any  # A pyarrow.Array of any element type.
pc: Any = pyarrow.compute
CELL = pa.large_binary()  # 32-bit offsets overflow when one batch carries more than 2 GiB.


def _empty(kind: pa.DataType) -> Any:
    """Return an empty text. From values it would be made by way of pandas, where that is there."""
    return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(bytes(16)), pa.py_buffer(b"")])[0]


EMPTY_CELL = _empty(CELL)
EMPTY_TEXT = _empty(pa.large_string())
