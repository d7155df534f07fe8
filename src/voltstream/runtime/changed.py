"""Rows that a connector changes: upserts and deletes of a table by its key, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from voltstream.formats.result import ALL, GONE, KEPT
from voltstream.runtime import tables
from voltstream.runtime.catalog import Entry
from voltstream.runtime.entries import column_list
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.partition_marks import PARTITION
from voltstream.store.database import literal, quoted

_LENT = "_changed_rows"
_PLACE = "_place"
_MARKS = (GONE, ALL, KEPT)


def keep_changed(epoch: Epoch, entry: Entry, table: pa.Table) -> None:
    """Apply changes. Law: the table is as if each had been applied alone, in their order."""
    if ALL not in table.column_names:
        _keep_run(epoch, entry, table)
        return
    for run in _runs(table, tables.declared(entry).primary_key):
        if run.column(ALL)[0].as_py():
            _empty(epoch, entry)
        elif run.column(KEPT).null_count < len(run):
            _keep_run(epoch, entry, _completed(epoch, entry, run))
        else:
            _keep_run(epoch, entry, run)


def _runs(table: pa.Table, key: tuple[str, ...]) -> Iterator[pa.Table]:
    """Cut changes before what depends on those before it.

    That is what empties the table, and a row with columns that stay as an earlier change of it
    left them.
    """
    everything = table.column(ALL).to_pylist()
    kept = table.column(KEPT).to_pylist()
    if not any(everything) and not any(kept):
        yield table
        return
    keys = list(zip(*(table.column(name).to_pylist() for name in key), strict=True))
    first, seen = 0, set[tuple[Any, ...]]()
    for at, one in enumerate(keys):
        alone = everything[at] or (at > 0 and everything[at - 1])
        if at > first and (alone or (kept[at] and one in seen)):
            yield table.slice(first, at - first)
            first, seen = at, set()
        seen.add(one)
    yield table.slice(first)


def _keep_run(epoch: Epoch, entry: Entry, table: pa.Table) -> None:
    if not len(table):
        return
    declared = tables.declared(entry)
    gone: Any = table.column(GONE)
    if not pc.any(gone).as_py():
        tables.keep_arrived(epoch, entry, _bare(table))
    elif declared.on_conflict == "OVERWRITE" and not declared.version_columns:
        _apply(epoch, entry, _last_of_each(table, declared.primary_key))
    else:  # What a row keeps of the one before it depends on the order.
        turns = np.flatnonzero(np.diff(gone.to_numpy().astype(np.int8))) + 1
        bounds = [0, *turns.tolist(), len(table)]
        for first, end in pairwise(bounds):
            _apply(epoch, entry, table.slice(first, end - first))


def _bare(table: pa.Table) -> pa.Table:
    return table.drop_columns([mark for mark in _MARKS if mark in table.column_names])


def _last_of_each(table: pa.Table, key: tuple[str, ...]) -> pa.Table:
    places = pa.array(np.arange(len(table)))
    keyed = table.select(list(key)).append_column(_PLACE, places)
    last: Any = keyed.group_by(list(key)).aggregate([(_PLACE, "max")]).column(f"{_PLACE}_max")
    return table.take(last.combine_chunks().sort())


def _apply(epoch: Epoch, entry: Entry, table: pa.Table) -> None:
    """Apply changes of different rows, or changes that all come or all go."""
    gone: Any = table.column(GONE)
    declared = tables.declared(entry)
    went = table.filter(gone).select(list(declared.primary_key))
    came = _bare(table.filter(pc.invert(gone)))
    if len(went):
        epoch.connection.lend(_LENT, went)
        try:
            rows = f"SELECT {_keys(entry)} FROM {_LENT}"
            tables.take_out(epoch, entry, rows, declared.primary_key)
        finally:
            epoch.connection.take_back(_LENT)
    if len(came):
        tables.keep_arrived(epoch, entry, came)


def _keys(entry: Entry) -> str:
    declared = tables.declared(entry)
    types = {spec.name: spec.store_type for spec in declared.columns}
    return ", ".join(
        f"CAST({quoted(name)} AS {types[name]}) AS {quoted(name)}" for name in declared.primary_key
    )


def _empty(epoch: Epoch, entry: Entry) -> None:
    key = tables.declared(entry).primary_key
    rows = f"SELECT {column_list(key)} FROM {tables.target(entry).stored}"
    tables.take_out(epoch, entry, rows, key)


def _completed(epoch: Epoch, entry: Entry, run: pa.Table) -> pa.Table:
    """Fill the columns that keep their values from the rows that are stored."""
    match = " AND ".join(
        f"t.{quoted(name)} = f.{quoted(name)}" for name in tables.declared(entry).primary_key
    )
    columns = ", ".join(
        f"CASE WHEN list_contains(f.{KEPT}, {literal(name)}) THEN t.{quoted(name)} "
        f"ELSE f.{quoted(name)} END AS {quoted(name)}"
        for name in _bare(run).column_names
        if name != PARTITION
    )
    if PARTITION in run.column_names:
        columns += f", f.{PARTITION}"
    connection = epoch.connection
    places = pa.array(np.arange(len(run)))
    connection.lend(_LENT, run.append_column(_PLACE, places))
    try:
        stored = tables.target(entry).stored
        _, found = connection.arrow(
            f"SELECT {columns}, f.{GONE} FROM {_LENT} f LEFT JOIN {stored} t ON {match} "
            f"ORDER BY f.{_PLACE}"
        )
    finally:
        connection.take_back(_LENT)
    return found
