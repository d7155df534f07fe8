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
EMPTY_CELL: Any = pa.scalar(b"", CELL)
EMPTY_TEXT: Any = pa.scalar("", pa.large_string())
