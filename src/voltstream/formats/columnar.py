"""Arrow tables to rows of a schema, matched by name."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from voltstream.core.schema import Column, Schema
from voltstream.core.types import Kind
from voltstream.formats.casts import structural, typed_select
from voltstream.formats.documents import split_faults
from voltstream.formats.port import SqlDecoder, UnreadableInput
from voltstream.formats.result import Decoded, dead_letter

# Types that both sides spell alike; of others the engine knows the rules.
_ARROW: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
}


def read(
    given: pa.Table, position: str, schema: Schema, decoder: SqlDecoder, now_us: int
) -> Decoded:
    """Cast by column name, case aside; columns the schema lacks are left out, missing ones NULL."""
    table, reasons = cast(given, schema, decoder)
    letters = [
        dead_letter(position, index + 1, _row(given, index), reason, now_us)
        for index, reason in reasons
    ]
    return Decoded(table, letters)


def cast(
    given: pa.Table, schema: Schema, decoder: SqlDecoder
) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Return the rows of ``schema`` that can be read, and (index, reason) of the others."""
    ready = typed_alike(matched(given, schema), schema)
    if ready is not None:
        return ready, []
    numbered = matched(given, schema).append_column("n", pa.array(np.arange(len(given))))
    table = _in_one_call(numbered, schema, decoder)
    if table is not None:
        return table, []
    rows = decoder.arrow(_careful_sql(schema, numbered), {"given": numbered})
    return split_faults(rows, schema)


def typed_alike(matched: pa.Table, schema: Schema) -> pa.Table | None:
    """Return columns that are of the schema's types already, without asking the engine.

    Law: what is returned is what the engine's CAST gives; None where that is not certain.
    """
    columns: list[Any] = []
    for given, wanted in zip(matched.columns, schema, strict=True):
        target = _ARROW.get(wanted.store_type)
        if target is None or (wanted.not_null and given.null_count):
            return None
        if given.type == target:
            columns.append(given)
        elif given.null_count == len(given):
            nulls: Any = pa.nulls
            columns.append(nulls(len(given), target))
        elif (given.type, target) == (pa.int64(), pa.int32()):
            try:
                columns.append(given.cast(target))
            except pa.ArrowInvalid:  # Out of range: the engine says which row it is.
                return None
        else:
            return None
    return pa.table(columns, names=[column.name for column in schema])


def matched(given: pa.Table, schema: Schema) -> pa.Table:
    places = {name.lower(): place for place, name in reversed(list(enumerate(given.column_names)))}
    exact = {name: place for place, name in reversed(list(enumerate(given.column_names)))}
    columns: list[Any] = []  # Arrow arrays, chunked or not.
    for column in schema:
        place = exact.get(column.name, places.get(column.name.lower()))
        columns.append(pa.nulls(len(given), pa.string()) if place is None else given.column(place))
    return pa.table(columns, names=[f"g{index}" for index in range(len(schema))])


def _in_one_call(numbered: pa.Table, schema: Schema, decoder: SqlDecoder) -> pa.Table | None:
    casts = (f"CAST(g{index} AS {column.store_type})" for index, column in enumerate(schema))
    try:
        table = decoder.arrow(f"SELECT {', '.join(casts)} FROM given", {"given": numbered})
    except UnreadableInput:
        return None
    for column, required in zip(table.columns, schema, strict=True):
        if required.not_null and column.null_count:
            return None
    return table.rename_columns([column.name for column in schema])


def _careful_sql(schema: Schema, numbered: pa.Table) -> str:
    texts = "".join(
        f", {_text(f'g{index}', column, numbered.schema.field(index).type)} AS t{index}"
        for index, column in enumerate(schema)
    )
    return typed_select(f"SELECT n, CAST(NULL AS VARCHAR) AS verdict{texts} FROM given", schema)


def _text(given: str, column: Column, kind: Any) -> str:  # kind: pa.DataType
    if structural(column) and not pa.types.is_string(kind):
        return f"CAST(to_json({given}) AS VARCHAR)"
    if column.type.kind is Kind.BYTEA and pa.types.is_binary(kind):
        return f"'\\x' || hex({given})"
    return f"CAST({given} AS VARCHAR)"


def _row(given: pa.Table, index: int) -> bytes:
    """Return a row as JSON, for people to read."""
    [row] = given.slice(index, 1).to_pylist()
    return json.dumps(row, default=str).encode()
