"""A table whose connector brings columns beside the records is altered, and opens again."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.driver import Engine
from voltstream.core.clock import SystemClock
from voltstream.core.ports import RawBatch


def bring(engine: Engine, record: bytes) -> None:
    beside = pa.table(
        {"key": pa.array([b"x"], pa.binary()), "partition": ["7"], "header:trace": [b"h"]}
    )
    batch = RawBatch("json", records=[record], beside=beside, keys=[b"x"])
    engine.instance.submit("volt", "s", batch).result(10)


@pytest.mark.parametrize("form", ["PLAIN", "UPSERT"])
def test_what_is_included_outlasts_a_change_and_a_restart(tmp_path: Path, form: str) -> None:
    engine = Engine(tmp_path / "data", SystemClock())
    engine.run(
        "CREATE TABLE s (a INT) INCLUDE KEY AS k INCLUDE partition "
        "INCLUDE header 'trace' VARCHAR AS trace WITH (connector = 'webhook') "
        f"FORMAT {form} ENCODE JSON"
    )
    engine.run("ALTER TABLE s ADD COLUMN b INT")
    bring(engine, b'{"a": 1, "b": 2}')
    written = engine.run("SHOW CREATE TABLE s")
    first = (1, 2, b"x", "7", "h")
    assert engine.run("SELECT * FROM s") == [first]
    engine.close()
    engine = Engine(tmp_path / "data", SystemClock())
    assert engine.run("SHOW CREATE TABLE s") == written
    bring(engine, b'{"a": 3, "b": 4}')
    second = (3, 4, b"x", "7", "h")
    assert engine.run("SELECT * FROM s ORDER BY a") == (
        [second] if form == "UPSERT" else [first, second]
    )
    engine.close()
