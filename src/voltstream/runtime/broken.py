"""A definition that no longer compiles: its database opens without it, and says why.

What kept rows stays on disk. A broken view is suspended until REFRESH finds that it compiles; what
keeps no rows is tried anew at each start.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from voltstream.core.errors import VoltstreamError
from voltstream.runtime import entries
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.runtime.epoch import Books, Epoch
from voltstream.sql.statements import NoOp
from voltstream.store.database import Connection, quoted
from voltstream.store.ledger import (
    Failure,
    StoredObject,
    add_failures,
    forget_failures,
    read_failures,
)

_KEEPING = ("materialized view", "sink", "subscription")
log = logging.getLogger(__name__)


def restored(
    stored: StoredObject, catalog: Catalog, books: Books, known: Entry | None = None
) -> Entry:
    """Make the entry of an object found at start, or one that says why there is none.

    ``known`` is what a copy of the same database has in this place.
    """
    connection = books.connection
    try:
        if known is not None and known.stored == stored and _is_view(known):
            entry = known
        else:
            entry = entries.restored(stored, catalog, connection, books.functions.define)
        if entry.program is not None:
            books.dataflow.load(connection.execute, entry.program)
        return entries.with_emission(entry, connection)
    except VoltstreamError as error:
        reason = error.message
    except Exception as error:  # Whatever is wrong with one definition: the others open.
        log.exception("%s %s cannot be read", stored.kind, stored.name)
        reason = f"{type(error).__name__}: {error}"
    log.error("%s %s no longer compiles: %s", stored.kind, stored.name, reason)
    parsed = NoOp(text=stored.definition, offset=0, tag="")
    return Entry(stored, parsed, failed=reason, broken=True)


def _is_view(entry: Entry) -> bool:
    return entry.kind == "materialized view" and not entry.broken


def note(books: Books) -> None:
    """Write down what is broken, so that it stands still until it is rebuilt."""
    connection = books.connection
    found = [entry for entry in books.catalog if entry.broken]
    keeping = [entry.oid for entry in books.catalog if entry.kind in _KEEPING]
    known = read_failures(connection)
    forget_failures(connection, [one.oid for one in known if one.oid not in keeping])
    noted = {one.oid for one in known if one.oid in keeping}
    failures = []
    causes: dict[int, int] = {}
    for entry in sorted(found, key=lambda one: one.oid):
        below = [causes[oid] for oid in entry.stored.depends_on if oid in causes]
        causes[entry.oid] = below[0] if below else entry.oid
        if entry.oid not in noted:
            cause, reason = causes[entry.oid], entry.failed or ""
            failures.append(Failure(entry.oid, cause, reason, books.row.epoch))
    add_failures(connection, failures)


def mended(epoch: Epoch, entry: Entry) -> Entry:
    """Compile a broken object again and clear what it kept. Raises: why it still does not."""
    if not entry.broken:
        return replace(entry, failed=None)
    made = entries.restored(entry.stored, epoch.catalog, epoch.connection, epoch.functions.define)
    sweep(epoch.connection, entry.oid)
    return entries.with_emission(made, epoch.connection)


def sweep(connection: Connection, oid: int) -> None:
    """Drop the tables and views in which an object without a program keeps its state."""
    pattern = f"^[a-z]+_{oid}(_[0-9]+|_read)?$"
    for kind, catalog in (("VIEW", "duckdb_views()"), ("TABLE", "duckdb_tables()")):
        column = f"{kind.lower()}_name"
        for name in _names(connection, catalog, column, pattern):
            connection.execute(f"DROP {kind} IF EXISTS _vs.{quoted(name)}")


def _names(connection: Connection, catalog: str, column: str, pattern: str) -> Iterable[str]:
    rows = connection.rows(
        f"SELECT {column} FROM {catalog} WHERE schema_name = '_vs' AND database_name = "
        f"current_database() AND regexp_matches({column}, ?)",
        [pattern],
    )
    return [str(name) for (name,) in rows]
