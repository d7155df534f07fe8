"""Reading: a query's tree to rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voltstream.core.ports import Outcome, RowStream
from voltstream.runtime.catalog import Catalog, Names, refuse_failed
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.results import Held
from voltstream.sql.capture import relations
from voltstream.sql.explain import explain
from voltstream.sql.statements import Explain
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
    reader: Connection, catalog: Catalog, tree: Any, parameters: Sequence[object | None]
) -> RowStream:
    """Run a query on a connection of its own, which the result owns from here on."""
    refuse_suspended(catalog, tree)
    names = Names(catalog, reader.describe)
    return reader.stream(translate_query(tree, names, reader, parameters))


def held(epoch: Epoch, tree: Any, parameters: Sequence[object | None]) -> Outcome:
    """Run a query inside a writing transaction; its own writes are in every view it reads."""
    epoch.flush()
    refuse_suspended(epoch.catalog, tree)
    names = Names(epoch.catalog, epoch.connection.describe)
    sql = translate_query(tree, names, epoch.connection, parameters)
    return Outcome("SELECT", rows=Held(*epoch.connection.arrow(sql)))


def explained(reader: Connection, catalog: Catalog, parsed: Explain) -> list[str]:
    names = Names(catalog, reader.describe)
    return explain(parsed.form, parsed.target, names, reader)
