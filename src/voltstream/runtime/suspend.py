"""A view whose program fails for good stands still, with all that reads it; the others go on."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from voltstream.core.errors import ViewSuspended, VoltstreamError
from voltstream.core.ports import Outcome
from voltstream.runtime import backfill, broken
from voltstream.runtime.catalog import Catalog, Entry
from voltstream.runtime.epoch import Books, Epoch
from voltstream.sql.statements import Refresh
from voltstream.store.database import Connection
from voltstream.store.ledger import Failure, add_failures, read_failures, remove_failures

log = logging.getLogger(__name__)


def suspend(books: Books, oid: int, fault: VoltstreamError) -> None:
    """Take a program out of every epoch from here on, durably. Raises: StorageFault."""
    entry = books.catalog.by_oid(oid)
    if entry is None:  # It was made in the epoch that failed, and went with it.
        books.dataflow.remove(oid)
        return
    failures = [Failure(oid, oid, fault.message, books.row.epoch)]
    reason = f'it reads "{entry.stored.name}", which is suspended'
    for other in _readers(books.catalog, entry):
        if other.failed is None:
            failures.append(Failure(other.oid, oid, reason, books.row.epoch))
    connection = books.connection
    connection.execute("BEGIN")
    try:
        add_failures(connection, failures)
        connection.execute("COMMIT")
    except VoltstreamError:
        connection.execute("ROLLBACK")
        raise
    mark(books, failures)
    log.error("%s %s is suspended: %s", entry.kind, entry.stored.name, fault.message)


def restore(books: Books) -> None:
    """Mark at a start what stood still before it."""
    mark(books, read_failures(books.connection))


def mark(books: Books, failures: Iterable[Failure]) -> None:
    for failure in failures:
        entry = books.catalog.by_oid(failure.oid)
        if entry is not None and not entry.broken:
            books.catalog = books.catalog.with_entry(replace(entry, failed=failure.reason))
            books.dataflow.remove(failure.oid)


def _readers(catalog: Catalog, entry: Entry) -> list[Entry]:
    """Return all that reads an object, directly or not, the oldest first."""
    found: dict[int, Entry] = {}
    waiting = [entry]
    while waiting:
        for other in catalog.dependents(waiting.pop().oid):
            if other.kind != "index" and other.oid not in found:
                found[other.oid] = other
                waiting.append(other)
    return sorted(found.values(), key=lambda other: other.oid)


def refresh(epoch: Epoch, parsed: Refresh) -> Outcome:
    """Rebuild a suspended view from its inputs, and what stood still because of it.

    A view that is not suspended is up to date already. Raises: ViewSuspended while an input
    stands still, and what makes the program fail again.
    """
    entry = epoch.catalog.require(parsed.name, "materialized view")
    outcome = Outcome("REFRESH MATERIALIZED VIEW")
    if entry.failed is None:
        return outcome
    causes = {failure.oid: failure.cause for failure in read_failures(epoch.connection)}
    if causes.get(entry.oid, entry.oid) != entry.oid:
        raise ViewSuspended(
            f'materialized view "{entry.stored.name}" is suspended: {entry.failed}',
            hint="REFRESH that view: what reads it is rebuilt with it.",
        )
    epoch.flush()
    healed = [entry, *(e for e in _readers(epoch.catalog, entry) if causes.get(e.oid) == entry.oid)]
    for one in healed:
        whole = broken.mended(epoch, one)
        epoch.catalog = epoch.catalog.with_entry(whole)
        _rebuild(epoch, whole)
    remove_failures(epoch.connection, entry.oid)
    return outcome


def _rebuild(epoch: Epoch, entry: Entry) -> None:
    program = entry.program
    if program is None:  # A plain view keeps nothing.
        return
    connection: Connection = epoch.connection
    for statement in program.teardown:
        connection.execute(statement)
    backfill.start(epoch, program)
    if entry.kind == "sink":  # Its target may have missed changes: it is sent everything again.
        epoch.post(entry.oid, entry.emit_sql or "")
    connection.execute(f"DELETE FROM {program.output}")
