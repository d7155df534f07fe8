"""A sink's records, which are JSON, as the rows of a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from voltstream.core.schema import Column, Schema
from voltstream.core.types import DataType, Kind
from voltstream.formats.avro_writing import arrow_value

_ARROW: Mapping[Kind, Any] = {
    Kind.BOOL: pa.bool_(),
    Kind.INT2: pa.int16(),
    Kind.INT4: pa.int32(),
    Kind.INT8: pa.int64(),
    Kind.FLOAT4: pa.float32(),
    Kind.FLOAT8: pa.float64(),
    Kind.BYTEA: pa.binary(),
    Kind.DATE: pa.date32(),
    Kind.TIME: pa.time64("us"),
    Kind.TIMESTAMP: pa.timestamp("us"),
    Kind.TIMESTAMPTZ: pa.timestamp("us", "UTC"),
}
_WIDEST = (38, 16)
_FAULTS = (ValueError, TypeError, OverflowError, ArithmeticError, AttributeError, pa.ArrowException)


def arrow_schema(columns: Schema) -> pa.Schema:
    """Return what rows of some columns are in Arrow; JSON and structures are texts."""
    return pa.schema([(column.name, _arrow(column.type)) for column in columns])


def _arrow(kind: DataType) -> Any:
    if kind.array_depth:
        inner = DataType(kind.kind, kind.array_depth - 1, kind.precision, kind.scale)
        return pa.list_(_arrow(inner))
    if kind.kind is Kind.NUMERIC:
        scale = _WIDEST[1] if kind.scale is None else kind.scale
        return pa.decimal128(kind.precision or _WIDEST[0], scale)
    return _ARROW.get(kind.kind, pa.string())


def arrow_rows(
    columns: Schema, documents: Sequence[bytes]
) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Return the rows that documents are, and (document, reason) of those that are none."""
    parsed = [json.loads(document, parse_float=Decimal) for document in documents]
    try:
        return _table(columns, parsed), []
    except _FAULTS:
        pass
    good: list[Any] = []
    faults: list[tuple[int, str]] = []
    for at, one in enumerate(parsed):
        try:
            _table(columns, [one])
            good.append(one)
        except _FAULTS as error:
            faults.append((at, f"a value does not fit its column: {error}"))
    return _table(columns, good), faults


def _table(columns: Schema, parsed: Sequence[Mapping[str, Any]]) -> pa.Table:
    arrays = [_column(column, parsed) for column in columns]
    return pa.table(arrays, schema=arrow_schema(columns))


def _column(column: Column, parsed: Sequence[Mapping[str, Any]]) -> Any:
    convert, name = arrow_value(column), column.name
    values = [
        None if (value := document.get(name)) is None else convert(value) for document in parsed
    ]
    return pa.array(values, _arrow(column.type))


def csv_rows(columns: Schema, documents: Sequence[bytes]) -> bytes:
    """Return documents as CSV with a header; NULL is nothing between the commas."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    for document in documents:
        # Numbers stay as they are spelled.
        parsed = json.loads(document, parse_float=str, parse_int=str)
        writer.writerow([_cell(parsed.get(column.name)) for column in columns])
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case _:
            return json.dumps(value)
