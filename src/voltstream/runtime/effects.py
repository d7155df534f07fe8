"""Runs a query whose select list acts on the session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from voltstream.core.errors import InternalError
from voltstream.core.ports import Outcome
from voltstream.core.schema import Column, Schema
from voltstream.runtime.results import Held
from voltstream.sql.effects import EffectQuery

# Takes a call's arguments as texts, and returns its value.
Effect = Callable[[Sequence[str | None]], str]


def effect_columns(parsed: EffectQuery, columns: Schema) -> Schema:
    """Return what the client sees: a text where the query gives arguments."""
    places = dict(parsed.effects)
    return tuple(
        Column(column.name, "VARCHAR") if place in places else column
        for place, column in enumerate(columns)
    )


def run_effects(parsed: EffectQuery, outcome: Outcome, effects: Mapping[str, Effect]) -> Outcome:
    """Call the functions row by row, and give the rows with their values."""
    rows = outcome.rows
    if rows is None:
        raise InternalError("a query gave no rows")
    columns = effect_columns(parsed, rows.columns)
    try:
        tables = [_applied(batch, parsed, effects) for batch in rows.batches()]
    finally:
        rows.close()
    arrays = [
        pa.chunked_array([table[place] for table in tables])
        if tables
        else pa.array([], pa.string())
        for place in range(len(columns))
    ]
    table = pa.table(arrays, names=[str(place) for place in range(len(columns))])
    return Outcome("SELECT", rows=Held(columns, table))


def _applied(
    batch: pa.RecordBatch, parsed: EffectQuery, effects: Mapping[str, Effect]
) -> list[pa.Array[Any]]:
    arguments = [(name, batch.column(place).to_pylist()) for place, name in parsed.effects]
    values: list[list[str]] = [[] for _ in arguments]
    for row in range(batch.num_rows):
        for made, (name, texts) in zip(values, arguments, strict=True):
            made.append(effects[name](texts[row] or ()))
    arrays = list(batch.columns)
    for (place, _), made in zip(parsed.effects, values, strict=True):
        arrays[place] = pa.array(made, pa.string())
    return arrays
