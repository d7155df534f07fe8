"""What decoding gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from voltstream.core.limits import DEAD_LETTER_BYTES_MAX

# Columns beside those of the schema, where records change rows:
GONE = "_gone"  # Whether the row takes the one of its key away.
ALL = "_all"  # Whether it takes every row away.
KEPT = "_kept"  # The columns that keep what they hold: an update did not tell them.
Integers = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that could not be read. Shape: ``position`` is ``<where>:<record, from 1>``."""

    position: str
    raw: bytes
    reason: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """The readable rows, exactly the schema's columns in order, and the unreadable records.

    Shape: ``origins`` gives the record that each row came from, from 0; None where the batch
    brought nothing beside its records.
    """

    table: pa.Table
    dead_letters: Sequence[DeadLetter] = ()
    origins: Integers | None = None


def dead_letter(position: str, number: int, raw: bytes, reason: str, at_us: int) -> DeadLetter:
    """Make a dead letter that keeps a bounded part of the record."""
    kept = bytes(raw[:DEAD_LETTER_BYTES_MAX])
    return DeadLetter(f"{position}:{number}", kept, reason, at_us)
