"""ALTER MATERIALIZED VIEW … AS: the same name over another query."""

from __future__ import annotations

from dataclasses import replace

from voltstream.core.errors import DependentObjects, UndefinedTable, WrongObjectType
from voltstream.core.ports import Outcome
from voltstream.runtime import ddl
from voltstream.runtime.catalog import Names, Scope
from voltstream.runtime.drop import described, forget
from voltstream.runtime.epoch import Epoch
from voltstream.sql.alert_options import PREFIX
from voltstream.sql.statements import CreateView
from voltstream.sql.table_ddl import written_name
from voltstream.store.database import literal
from voltstream.store.ledger import set_comment


def requery(epoch: Epoch, parsed: CreateView, scope: Scope, written: Names) -> Outcome:
    """Make a materialized view anew, filled from its new query in the same epoch.

    Shape: ``written`` knows what the statement's names were resolved to.

    Raises: UndefinedTable, WrongObjectType, DependentObjects (2BP01) when something reads it: that
    was compiled over the columns as they are.
    """
    entry = epoch.catalog.named(parsed.name)
    if entry is None:
        raise UndefinedTable(f'relation "{parsed.name.name}" does not exist')
    if entry.kind != "materialized view":
        raise WrongObjectType(f'"{entry.stored.name}" is not a materialized view')
    readers = epoch.catalog.dependents(entry.oid)
    if readers:
        raise DependentObjects(
            f"cannot alter {described(entry)} because other objects depend on it",
            detail="\n".join(f"{described(one)} depends on {described(entry)}" for one in readers),
            hint="Make the view under a new name, move what reads it, then SWAP WITH.",
        )
    epoch.flush()
    forget(epoch, entry)
    close = " EMIT ON WINDOW CLOSE" if parsed.on_close else ""
    rule = {
        name: value
        for name, value in entry.stored.properties.items()
        if name.startswith(f"{PREFIX}.")
    }
    options = ", ".join(f"{name} = {literal(value)}" for name, value in rule.items())
    told = f" WITH ({options})" if rule else ""
    name = written_name(parsed.name)
    text = f"CREATE MATERIALIZED VIEW {name}{told} AS {parsed.query_text}{close}"
    made = replace(parsed, requeries=False, or_replace=False, text=text, properties=rule)
    names = Names(epoch.catalog, epoch.connection.describe, scope)
    names.bound.update((key, oid) for key, oid in written.bound.items() if oid != entry.oid)
    outcome = ddl.create_view(epoch, made, names)
    again = epoch.catalog.require(parsed.name)
    if entry.stored.comment is not None:
        set_comment(epoch.connection, again.oid, None, entry.stored.comment)
        stored = replace(again.stored, comment=entry.stored.comment)
        epoch.catalog = epoch.catalog.with_entry(replace(again, stored=stored))
    return replace(outcome, tag="ALTER MATERIALIZED VIEW")
