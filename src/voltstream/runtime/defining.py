"""Statements that define objects: each runs in an epoch, over the names of its session."""

from __future__ import annotations

from voltstream.core.errors import InternalError
from voltstream.core.ports import Outcome
from voltstream.runtime import alter, ddl, drop, objects, suspend
from voltstream.runtime.catalog import Names, Scope
from voltstream.runtime.epoch import Epoch
from voltstream.sql import statements as sql
from voltstream.sql.resolve import resolved


def define(epoch: Epoch, written: sql.Parsed, scope: Scope) -> Outcome:
    """Run a CREATE, ALTER, DROP or COMMENT."""
    names = Names(epoch.catalog, epoch.connection.describe, scope)
    parsed = resolved(written, names)
    match parsed:
        case sql.CreateSource():
            return ddl.create_source(epoch, parsed)
        case sql.CreateSink():
            return ddl.create_sink(epoch, parsed, names)
        case sql.CreateTable():
            return ddl.create_table(epoch, parsed, names)
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
        case _:
            return _change(epoch, parsed)


def _change(epoch: Epoch, parsed: sql.Parsed) -> Outcome:
    match parsed:
        case sql.Refresh():
            return suspend.refresh(epoch, parsed)
        case sql.Drop():
            return drop.drop(epoch, parsed)
        case sql.AlterTable():
            return alter.alter_table(epoch, parsed)
        case sql.AlterObject():
            return alter.alter_object(epoch, parsed)
        case sql.Comment():
            return drop.comment(epoch, parsed)
        case _:
            raise InternalError(f"nothing runs {type(parsed).__name__}")
