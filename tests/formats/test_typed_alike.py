"""Arrow columns that are typed already skip the engine, and must be what it would have given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from voltstream.core.schema import Column
from voltstream.formats import columnar
from voltstream.formats.port import SqlDecoder
from voltstream.runtime.ingest import Decoder

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
STAMP = pa.timestamp("us", "UTC")


@pytest.fixture(scope="module")
def decoder() -> Iterator[SqlDecoder]:
    found = Decoder()
    yield found
    found.close()


@pytest.mark.parametrize(
    ("values", "given", "store_type", "skips"),
    [
        (["a", None, "ü\U0001f600"], pa.string(), "VARCHAR", True),
        ([1, None, -(2**63)], pa.int64(), "BIGINT", True),
        ([1, None, 2**31 - 1], pa.int64(), "INTEGER", True),
        ([1, None, 2**31], pa.int64(), "INTEGER", False),
        ([1.5, None, float("nan")], pa.float64(), "DOUBLE", True),
        ([True, None, False], pa.bool_(), "BOOLEAN", True),
        ([NOON, None, NOON], STAMP, "TIMESTAMP WITH TIME ZONE", True),
        ([None, None, None], pa.null(), "DOUBLE", True),
        ([None, None, None], pa.null(), "DECIMAL(18,3)", False),
        ([1, 2, 3], pa.int64(), "DOUBLE", False),
        (["1", "2", "3"], pa.string(), "BIGINT", False),
    ],
)
def test_what_skips_the_engine_is_what_it_gives(
    decoder: SqlDecoder, values: list[Any], given: pa.DataType, store_type: str, skips: bool
) -> None:
    table = pa.table({"x": pa.array(values, given)})
    schema = (Column("x", store_type, False), Column("absent", "VARCHAR", False))
    alike = columnar.typed_alike(columnar.matched(table, schema), schema)
    assert (alike is not None) is skips
    asked = decoder.arrow(
        f"SELECT TRY_CAST(x AS {store_type}) AS x, CAST(NULL AS VARCHAR) AS absent FROM given",
        {"given": table},
    )
    if alike is not None:
        assert alike.schema.equals(asked.schema)
        assert str(alike.to_pylist()) == str(asked.to_pylist())


def test_a_null_where_none_may_be_goes_the_careful_way(decoder: SqlDecoder) -> None:
    schema = (Column("x", "BIGINT", True),)
    table = pa.table({"x": pa.array([1, None])})
    assert columnar.typed_alike(columnar.matched(table, schema), schema) is None
    found = columnar.read(table, "here", schema, decoder, 0)
    assert (len(found.table), len(found.dead_letters)) == (1, 1)
