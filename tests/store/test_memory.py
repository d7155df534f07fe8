"""How much DuckDB may hold is bounded, and what does not fit is refused without harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from voltstream.core.errors import OutOfMemory
from voltstream.store.database import Database


def test_memory_is_bounded_and_the_database_goes_on(tmp_path: Path) -> None:
    database = Database(tmp_path / "db" / "volt.duckdb", threads=1, memory_mb=64)
    try:
        writer = database.writer
        assert writer.rows("SELECT current_setting('memory_limit')") == [("64.0 MiB",)]
        with pytest.raises(OutOfMemory) as refusal:  # One value cannot go to disk.
            writer.rows("SELECT length(list(i::VARCHAR)) FROM range(5000000) AS t(i)")
        assert refusal.value.sqlstate == "53200"
        sql = "SELECT count(*) FROM (SELECT i FROM range(5000000) AS t(i) ORDER BY hash(i))"
        assert writer.rows(sql) == [(5_000_000,)]
    finally:
        database.close()
