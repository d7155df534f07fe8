"""Reading: a query's tree to rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from voltstream.core.errors import FeatureNotSupported
from voltstream.core.ports import Outcome, RowStream
from voltstream.runtime.catalog import Catalog, Names, refuse_failed, spelled
from voltstream.runtime.entries import whole
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.pruning import opened, scanned
from voltstream.runtime.results import Held
from voltstream.sql import statements as sql
from voltstream.sql.capture import relations
from voltstream.sql.explain import explain
from voltstream.sql.lenient import lenient_query
from voltstream.sql.told import told
from voltstream.sql.translate import translate_query
from voltstream.store.database import Connection


def refuse_suspended(catalog: Catalog, tree: Any) -> None:
    """Raises: ViewSuspended (55000) when a statement reads what stands still."""
    if any(entry.failed is not None for entry in catalog):
        for schema, name in relations(tree):
            entry = catalog.get(schema, name)
            if entry is not None:
                refuse_failed(entry)


def streamed(
    reader: Connection,
    catalog: Catalog,
    tree: Any,
    parameters: Sequence[object | None],
    *,
    lenient: bool = False,
) -> RowStream:
    """Run a query on a connection of its own, which the result owns from here on.

    ``lenient`` makes what cannot be computed NULL.
    """
    refuse_suspended(catalog, tree)
    text = _readied(reader, catalog, tree, parameters, lenient=lenient)
    names = Names(catalog, reader.describe)
    return reader.stream(text, lambda columns: told(tree, names, columns))


def _readied(
    reader: Connection,
    catalog: Catalog,
    tree: Any,
    parameters: Sequence[object | None],
    *,
    lenient: bool = False,
) -> str:
    """Translate a query; what it reads of chunks is found as of the transaction that it begins."""
    tree, scans = scanned(reader, catalog, tree, parameters)
    # In a transaction a question about a type that has no answer would end the query.
    translate = lenient_query if lenient else translate_query
    text = translate(tree, Names(catalog, reader.describe), reader, parameters)
    if not scans:
        return text
    reader.execute("BEGIN")  # Which chunks there are, and their rows, are read at one instant.
    return opened(reader, text, scans)


def held(epoch: Epoch, tree: Any, parameters: Sequence[object | None]) -> Outcome:
    """Run a query inside a writing transaction; its own writes are in every view it reads."""
    epoch.flush()
    refuse_suspended(epoch.catalog, tree)
    names = Names(epoch.catalog, epoch.connection.describe)
    tree, scans = scanned(epoch.connection, epoch.catalog, tree, parameters)
    text = translate_query(tree, names, epoch.connection, parameters)
    text = opened(epoch.connection, text, scans)
    columns, rows = epoch.connection.arrow(text)
    return Outcome("SELECT", rows=Held(told(tree, names, columns), rows))


def explained(reader: Connection, catalog: Catalog, parsed: sql.Explain) -> list[str]:
    target = parsed.target
    if parsed.form == "ANALYZE":
        return _analyzed(reader, catalog, target)
    match target:
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            entry = catalog.require(target.table)
            verb = type(target).__name__
            lines = [f"{verb} on {entry.kind} {entry.stored.schema}.{entry.stored.name}"]
            readers = [e for e in catalog.dependents(entry.oid) if e.program is not None]
            return [*lines, *(f"  -> {e.kind} {e.stored.name} follows" for e in readers)]
        case sql.CreateTable(name=name) | sql.CreateSource(name=name) | sql.CreateIndex(name=name):
            kind = type(target).__name__.removeprefix("Create").lower()
            return [f"Create {kind} {spelled(name)}"]
        case sql.CreateSink(query=None, from_name=from_name) if from_name is not None:
            catalog.require(from_name)
            target = replace(target, query=whole(from_name))
        case _:
            pass
    names = Names(catalog, reader.describe)
    return explain(parsed.form, target, names, reader)


def _analyzed(reader: Connection, catalog: Catalog, target: sql.Parsed) -> list[str]:
    """Run a query; return rows and time of each of DuckDB's operators."""
    if not isinstance(target, sql.Query):
        raise FeatureNotSupported(
            "EXPLAIN ANALYZE runs a query",
            hint="EXPLAIN ANALYZE SELECT …, or EXPLAIN ANALYZE MATERIALIZED VIEW name.",
        )
    plans = reader.rows(f"EXPLAIN ANALYZE {_readied(reader, catalog, target.tree, ())}")
    return [line for _, plan in plans for line in str(plan).splitlines()]
