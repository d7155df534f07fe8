"""What foreign keys name, found anew each time, and followed when it gets another name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from voltstream.runtime.catalog import Catalog, Entry
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.tables import declared
from voltstream.sql.statements import CreateTable, ObjectName, Reference
from voltstream.sql.table_ddl import definition
from voltstream.store.ledger import set_definition


def referred(entry: Entry, one: Reference, catalog: Catalog) -> Entry | None:
    """Return the table that a foreign key names, None while there is none.

    Law: a name without a schema is looked for beside the table itself, then where all look.
    """
    found = None
    if one.table.schema is None:
        found = catalog.get(entry.stored.schema, one.table.name)
    found = found or catalog.named(one.table)
    return found if found is not None and isinstance(found.parsed, CreateTable) else None


def with_column_renamed(
    entry: Entry, catalog: Catalog, old: str, new: str
) -> tuple[Reference, ...]:
    """Return a table's own foreign keys after one of its columns got another name."""

    def renamed(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(new if name == old else name for name in names)

    return tuple(
        replace(
            one,
            columns=renamed(one.columns),
            targets=renamed(one.targets) if _means(entry, one, catalog, entry) else one.targets,
        )
        for one in declared(entry).references
    )


def follow_column(epoch: Epoch, entry: Entry, old: str, new: str) -> None:
    """Let the foreign keys of other tables name a column as it is called now."""
    for other in _tables(epoch.catalog):
        if other.oid == entry.oid:
            continue
        _keep(
            epoch,
            other,
            tuple(
                replace(one, targets=tuple(new if name == old else name for name in one.targets))
                if _means(other, one, epoch.catalog, entry)
                else one
                for one in declared(other).references
            ),
        )


def follow_table(epoch: Epoch, before: Catalog, moved: Entry) -> None:
    """Let foreign keys name a table as it is called now; ``before`` is the catalog of before."""
    name = ObjectName(moved.stored.name, moved.stored.schema)
    for other in _tables(before):
        now = epoch.catalog.by_oid(other.oid)
        if now is None:
            continue
        references = tuple(
            replace(one, table=name) if _means(other, one, before, moved) else one
            for one in declared(other).references
        )
        _keep(epoch, now, references)


def _tables(catalog: Catalog) -> Iterable[Entry]:
    for entry in catalog.of_kind("table"):
        if isinstance(entry.parsed, CreateTable) and entry.parsed.references:
            yield entry


def _means(entry: Entry, one: Reference, catalog: Catalog, target: Entry) -> bool:
    found = referred(entry, one, catalog)
    return found is not None and found.oid == target.oid


def _keep(epoch: Epoch, entry: Entry, references: tuple[Reference, ...]) -> None:
    table = declared(entry)
    if references == table.references:
        return
    table = replace(table, references=references)
    text = definition(table)
    stored = replace(entry.stored, definition=text)
    set_definition(epoch.connection, stored)
    changed = replace(entry, stored=stored, parsed=replace(table, text=text))
    epoch.catalog = epoch.catalog.with_entry(changed)
