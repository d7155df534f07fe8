"""What decoding asks of the store: an analytical SQL engine over Arrow tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pyarrow as pa


class UnreadableInput(Exception):
    """The statement failed on its data (a cast, malformed JSON); the engine itself is fine."""


class SqlDecoder(Protocol):
    """A private in-memory engine of one thread; its time zone is UTC."""

    def arrow(self, sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
        """Run one SELECT over ``tables`` (name -> rows) and return its rows in input order.

        Raises: UnreadableInput, whatever the engine calls it.
        """
