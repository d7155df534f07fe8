"""Rows that a connector changes: upserts and deletes of a table by its key, in their order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from voltstream.formats.changing import GONE
from voltstream.runtime import tables
from voltstream.runtime.catalog import Entry
from voltstream.runtime.entries import column_list
from voltstream.runtime.epoch import Epoch

_LENT = "_gone_rows"
_PLACE = "_place"


def keep_changed(epoch: Epoch, entry: Entry, table: pa.Table) -> None:
    """Apply changes. Law: the table is as if each had been applied alone, in their order."""
    declared = tables.declared(entry)
    if not pc.any(table.column(GONE)).as_py():
        tables.keep_arrived(epoch, entry, table.drop_columns([GONE]))
        return
    if declared.on_conflict == "OVERWRITE" and not declared.version_columns:
        _apply(epoch, entry, _last_of_each(table, declared.primary_key))
        return
    gone = table.column(GONE).to_numpy()  # What a row keeps of the one before depends on it.
    turns = np.flatnonzero(np.diff(gone.astype(np.int8))) + 1
    for first, end in zip([0, *turns], [*turns, len(table)], strict=True):
        _apply(epoch, entry, table.slice(int(first), int(end - first)))


def _last_of_each(table: pa.Table, key: tuple[str, ...]) -> pa.Table:
    places = pa.array(np.arange(len(table)))
    keyed = table.select(list(key)).append_column(_PLACE, places)
    last = keyed.group_by(list(key)).aggregate([(_PLACE, "max")]).column(f"{_PLACE}_max")
    return table.take(last.combine_chunks().sort())


def _apply(epoch: Epoch, entry: Entry, table: pa.Table) -> None:
    """Apply changes of different rows, or changes that all come or all go."""
    gone = table.column(GONE)
    came = table.filter(pc.invert(gone)).drop_columns([GONE])
    key = tables.declared(entry).primary_key
    went = table.filter(gone).select(list(key))
    if len(went):
        columns = {spec.name: spec.store_type for spec in tables.declared(entry).columns}
        casts = ", ".join(
            f"CAST({column_list([k])} AS {columns[k]}) AS {column_list([k])}" for k in key
        )
        epoch.connection.lend(_LENT, went)
        try:
            tables.take_out(epoch, entry, f"SELECT {casts} FROM {_LENT}", key)
        finally:
            epoch.connection.take_back(_LENT)
    if len(came):
        tables.keep_arrived(epoch, entry, came)
