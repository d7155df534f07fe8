"""Columns that INCLUDE names: what came with a record and is not in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from voltstream.core.errors import InternalError
from voltstream.formats.result import Decoded
from voltstream.sql.statements import ColumnSpec, CreateSource

_TYPES: Mapping[str, Any] = {  # pa.DataType
    "BLOB": pa.binary(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
    "STRUCT(key VARCHAR, value BLOB)[]": pa.list_(
        pa.struct([("key", pa.string()), ("value", pa.binary())])
    ),
}


def included(parsed: CreateSource) -> tuple[ColumnSpec, ...]:
    return tuple(column for column in parsed.columns if column.included is not None)


def with_included(decoded: Decoded, beside: pa.Table | None, parsed: CreateSource) -> pa.Table:
    """Add the included columns to decoded rows; NULL where nothing came beside them."""
    table = decoded.table
    for column in included(parsed):
        kind = _TYPES.get(column.store_type, pa.string())
        values: Any  # Arrow arrays, chunked or not.
        if beside is None or column.included not in beside.column_names:
            values = pa.nulls(table.num_rows, kind)
        elif beside.num_rows == 1:
            values = _cast(pa.repeat(beside.column(column.included)[0], table.num_rows), kind)
        else:
            values = _cast(beside.column(column.included).take(_origins(decoded)), kind)
        table = table.append_column(column.name, values)
    return table


def _origins(decoded: Decoded) -> Any:
    if decoded.origins is None:
        raise InternalError("rows came with columns beside them and do not say which")
    return pa.array(decoded.origins, pa.int64())


def _cast(values: Any, kind: Any) -> Any:
    if values.type == kind:
        return values
    if pa.types.is_string(kind) and pa.types.is_binary(values.type):
        # A header is bytes; declared as text it is read as text, whatever is in it.
        texts = [None if v is None else v.decode(errors="replace") for v in values.to_pylist()]
        return pa.array(texts, kind)
    return values.cast(kind)
