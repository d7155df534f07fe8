"""Functions written in Python, made known to a DuckDB database."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from voltstream.core.errors import VoltstreamError
from voltstream.core.native import BatchFunction, NativeFunction

_ARROW: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "BLOB": pa.binary(),
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "INTERVAL": pa.month_day_nano_interval(),
    "VARCHAR[]": pa.list_(pa.string()),
    "FLOAT[]": pa.list_(pa.float32()),
    "VARCHAR[][]": pa.list_(pa.list_(pa.string())),
}


class NativeFault(Exception):
    """Carries an error with its SQLSTATE through DuckDB, which keeps only the text."""

    def __init__(self, error: VoltstreamError) -> None:
        super().__init__(f"[{error.sqlstate}] {error.message}")


def register(connection: duckdb.DuckDBPyConnection, natives: Sequence[NativeFunction]) -> None:
    """Make the functions known to every connection of the database."""
    for native in natives:
        connection.create_function(
            native.name,
            _by_column(native),
            list(native.arguments),
            native.result,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )


def register_batched(
    connection: duckdb.DuckDBPyConnection, functions: Sequence[BatchFunction]
) -> None:
    """Make functions of any number of columns known to every connection of the database."""
    for function in functions:
        connection.create_function(
            function.name,
            _by_batch(function.compute),
            None,
            function.result,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )


def _by_batch(
    compute: Callable[[Sequence[pa.Array[Any]]], pa.Array[Any]],
) -> Callable[..., pa.Array[Any]]:
    def columns(*arguments: pa.ChunkedArray[Any]) -> pa.Array[Any]:
        try:
            return compute([argument.combine_chunks() for argument in arguments])
        except VoltstreamError as error:
            raise NativeFault(error) from error

    # DuckDB reads the signature, and would evaluate what annotates it.
    any_number = inspect.Parameter("arguments", inspect.Parameter.VAR_POSITIONAL)
    setattr(columns, "__signature__", inspect.Signature([any_number]))  # noqa: B010
    return columns


def _by_column(native: NativeFunction) -> Callable[..., pa.Array[Any]]:
    result = _ARROW[native.result]
    compute, strict = native.compute, not native.nulls

    def one(*values: Any) -> Any:
        if strict and None in values:
            return None
        return compute(*values)

    def column(*arguments: pa.Array[Any]) -> pa.Array[Any]:
        try:
            rows = zip(*(argument.to_pylist() for argument in arguments), strict=True)
            return pa.array([one(*row) for row in rows], result)
        except VoltstreamError as error:
            raise NativeFault(error) from error

    # DuckDB counts the parameters of what it is given.
    names = [
        inspect.Parameter(f"a{i}", inspect.Parameter.POSITIONAL_ONLY)
        for i in range(len(native.arguments))
    ]
    setattr(column, "__signature__", inspect.Signature(names))  # noqa: B010
    return column
