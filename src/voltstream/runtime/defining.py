"""Statements that define objects: each runs in an epoch, over the names of its session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from voltstream.core.errors import InternalError
from voltstream.core.ports import Outcome
from voltstream.runtime import alter, ddl, drop, hypertables, objects, sealing, suspend
from voltstream.runtime.catalog import Catalog, Names, Scope
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.grant_ddl import change_owner, change_rights, settle
from voltstream.runtime.guard import allow_definition, allow_functions
from voltstream.runtime.permits import Permits
from voltstream.runtime.requery import requery
from voltstream.sql import statements as sql
from voltstream.sql.resolve import resolved
from voltstream.sql.role_statements import AlterDefaults, Grant, OwnedBy


def define(
    epoch: Epoch, written: sql.Parsed, scope: Scope, permits_in: Callable[[Catalog], Permits]
) -> Outcome:
    """Run a CREATE, ALTER, DROP or COMMENT, if the role may; what it makes is the role's."""
    before = epoch.catalog
    names = Names(before, epoch.connection.describe, scope)
    parsed = resolved(written, names)
    permits = permits_in(before)
    allow_definition(permits, parsed)
    allow_functions(permits, names.used)
    sealing.refuse_alteration(before, parsed)
    if isinstance(parsed, sql.CreateView) and parsed.requeries:
        outcome = requery(epoch, parsed, scope, names)
    else:
        outcome = _define(epoch, parsed, names, permits)
    settle(epoch, before, permits.role)
    return outcome


def _define(epoch: Epoch, parsed: sql.Parsed, names: Names, permits: Permits) -> Outcome:
    match parsed:
        case sql.AlterObject(verb="OWNER TO"):
            return change_owner(epoch, parsed, permits)
        case sql.CreateSource():
            return ddl.create_source(epoch, parsed)
        case sql.CreateSink():
            return ddl.create_sink(epoch, parsed, names)
        case sql.CreateTable():
            return _create_table(epoch, parsed, names)
        case sql.CreateView():
            return ddl.create_view(epoch, parsed, names)
        case sql.CreateSchema():
            return ddl.create_schema(epoch, parsed)
        case sql.CreateIndex():
            return ddl.create_index(epoch, parsed, names)
        case sql.CreateFunction():
            return objects.create_function(epoch, parsed, names)
        case sql.CreateSubscription():
            return objects.create_subscription(epoch, parsed, names)
        case sql.CreateSecret():
            return objects.create_secret(epoch, parsed)
        case sql.CreateConnection():
            return objects.create_connection(epoch, parsed)
        case Grant() | AlterDefaults() | OwnedBy():
            return change_rights(epoch, parsed, permits)
        case _:
            return _change(epoch, parsed)


def _change(epoch: Epoch, parsed: sql.Parsed) -> Outcome:
    match parsed:
        case sql.Refresh():
            return suspend.refresh(epoch, parsed)
        case sql.Drop():
            return drop.drop(epoch, parsed)
        case sql.AlterTable():
            return _alter_table(epoch, parsed)
        case sql.AlterObject():
            return alter.alter_object(epoch, parsed)
        case sql.Comment():
            return drop.comment(epoch, parsed)
        case _:
            raise InternalError(f"nothing runs {type(parsed).__name__}")


def _create_table(epoch: Epoch, parsed: sql.CreateTable, names: Names) -> Outcome:
    known = epoch.catalog.named(parsed.name)
    outcome = ddl.create_table(epoch, parsed, names)
    if known is not None:
        return outcome
    entry = epoch.catalog.require(parsed.name)
    notices = hypertables.create_with(epoch, entry, parsed.properties)
    return replace(outcome, notices=(*outcome.notices, *notices))


def _alter_table(epoch: Epoch, parsed: sql.AlterTable) -> Outcome:
    """Tell a hypertable how to lay out its chunks; the rest is a table's own."""
    layout = {k: v for k, v in parsed.options.items() if k.startswith(hypertables.PREFIXES)}
    entry = epoch.catalog.named(parsed.name)
    if not layout or entry is None:
        return alter.alter_table(epoch, parsed)
    rest = {key: value for key, value in parsed.options.items() if key not in layout}
    notices = hypertables.configure(epoch, entry, layout)
    outcome = alter.alter_table(epoch, replace(parsed, options=rest))
    return replace(outcome, notices=(*outcome.notices, *notices))
