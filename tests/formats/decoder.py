"""A decoder for these tests: the store's engine without the store."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from voltstream.formats.port import UnreadableInput


class PlainDecoder:
    """One private in-memory DuckDB connection."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1})
        self._connection.execute("SET TimeZone = 'UTC'")

    def arrow(self, sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
        for name, table in tables.items():
            self._connection.register(name, table)
        try:
            rows: pa.Table = self._connection.sql(sql).to_arrow_table()
            return rows
        except duckdb.Error as error:
            raise UnreadableInput(str(error)) from error
        finally:
            for name in tables:
                self._connection.unregister(name)
