"""A decoder for these tests: the store's own engine."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from voltstream.core.errors import VoltstreamError
from voltstream.formats.port import UnreadableInput
from voltstream.store.database import MemoryEngine


class PlainDecoder:
    """The engine that decodes in the product, and its faults as formats know them."""

    def __init__(self) -> None:
        self._engine = MemoryEngine()

    def arrow(self, sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
        try:
            return self._engine.arrow(sql, tables)
        except VoltstreamError as error:
            raise UnreadableInput(error.message) from error
