"""Functions, subscriptions, secrets and connections: small objects of the catalog."""

from __future__ import annotations

from dataclasses import replace

from voltstream.core.errors import (
    DependentObjects,
    DuplicateFunction,
    InvalidFunctionDefinition,
    VoltstreamError,
    WrongObjectType,
)
from voltstream.core.ports import Notice, Outcome
from voltstream.runtime import backfill, entries, followers
from voltstream.runtime.catalog import DEFAULT_SCHEMA, Entry, Names, bare_name
from voltstream.runtime.ddl import bound, existing, new_stored, register
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.python_functions import check_source
from voltstream.runtime.retention import check_retention
from voltstream.sql.inline import SqlFunction, sample_call
from voltstream.sql.overloads import function_key
from voltstream.sql.resolve import resolved_tree
from voltstream.sql.statements import (
    CreateConnection,
    CreateFunction,
    CreateSecret,
    CreateSubscription,
    ObjectName,
)
from voltstream.sql.translate import translate_query
from voltstream.store.database import quoted
from voltstream.store.ledger import remove_object, set_definition


def create_function(epoch: Epoch, parsed: CreateFunction, names: Names) -> Outcome:
    """Keep a function. Raises: DuplicateFunction, and what its body lacks."""
    name = parsed.name.name
    types = [kind for _, kind in parsed.parameters]
    key = ObjectName(function_key(name, types), parsed.name.schema)
    known = epoch.catalog.one_function(key.schema or DEFAULT_SCHEMA, key.name)
    if known is not None:
        if parsed.if_not_exists:
            remark = Notice(f'function "{name}" already exists, skipping', sqlstate="42723")
            return Outcome("CREATE FUNCTION", notices=(remark,))
        if not parsed.or_replace:
            raise DuplicateFunction(f'function "{name}" already exists with same argument types')
        _forget(epoch, known)
    if parsed.language == "python":
        parts = ("create_state", "accumulate", "finish") if parsed.aggregate else (name,)
        check_source(name, parsed.source, parts)
    parsed = replace(parsed, body=resolved_tree(parsed.body, names))
    stored = new_stored(epoch, key, "function", parsed, {})
    entry = entries.function_entry(stored, parsed, epoch.functions.define)
    _try_out(epoch, entry.function, names)
    register(epoch, replace(entry, stored=bound(stored, names)))
    return Outcome("CREATE AGGREGATE" if parsed.aggregate else "CREATE FUNCTION")


def _forget(epoch: Epoch, entry: Entry) -> None:
    dependents = epoch.catalog.dependents(entry.oid)
    if dependents:
        raise DependentObjects(
            f'cannot replace function "{bare_name(entry)}": {dependents[0].kind} '
            f'"{dependents[0].stored.name}" was compiled from it',
            hint="Drop what depends on it first.",
        )
    epoch.catalog = epoch.catalog.without(entry)
    remove_object(epoch.connection, entry.oid)


def _try_out(epoch: Epoch, function: SqlFunction | None, names: Names) -> None:
    """Bind the body over NULLs of the parameters' types. Raises: what is wrong with it."""
    if function is None:
        return
    call = sample_call(function)
    try:
        epoch.connection.describe(translate_query(call, names, epoch.connection, ()))
    except VoltstreamError as error:
        if function.many and "_rows" in error.message:
            raise InvalidFunctionDefinition(
                "return type mismatch in function declared to return record",
                detail="The statement returns another number of columns.",
            ) from error
        error.position = None  # It would count in the body's own text.
        raise


def create_subscription(epoch: Epoch, parsed: CreateSubscription, names: Names) -> Outcome:
    """Keep the changes of a table or view from here on, for cursors to read."""
    known = existing(epoch, parsed.name, parsed.if_not_exists, "CREATE SUBSCRIPTION")
    if known is not None:
        return known
    check_retention(parsed.properties)
    epoch.catalog.require(parsed.from_name, "table", "materialized view", "source")
    stored = new_stored(epoch, parsed.name, "subscription", parsed, parsed.properties)
    connection = epoch.connection
    epoch.flush()
    program = entries.subscription_program(stored.oid, parsed, names, connection)
    backfill.start(epoch, program)
    connection.execute(f"DELETE FROM {program.output}")
    followers.make_log(epoch, program)
    entry = Entry(bound(stored, names), parsed, None, program)
    register(epoch, followers.attached(entry, lambda one: epoch.catalog.named(one.from_name)))
    return Outcome("CREATE SUBSCRIPTION")


def create_secret(epoch: Epoch, parsed: CreateSecret) -> Outcome:
    known = existing(epoch, parsed.name, parsed.if_not_exists, "CREATE SECRET")
    if known is not None:
        return known
    parsed = _sealed(epoch, parsed)
    register(epoch, Entry(new_stored(epoch, parsed.name, "secret", parsed, {}), parsed))
    return Outcome("CREATE SECRET")


def change_secret(epoch: Epoch, entry: Entry, value: str) -> None:
    """Give a secret another value: connectors take it when they start the next time."""
    if not isinstance(entry.parsed, CreateSecret):
        raise WrongObjectType(f'"{entry.stored.name}" is not a secret')
    parsed = _sealed(epoch, replace(entry.parsed, value=value))
    stored = replace(entry.stored, definition=parsed.text)
    set_definition(epoch.connection, stored)
    epoch.catalog = epoch.catalog.with_entry(replace(entry, stored=stored, parsed=parsed))


def _sealed(epoch: Epoch, parsed: CreateSecret) -> CreateSecret:
    sealed, name = epoch.vault.seal(parsed.value), parsed.name
    text = f"CREATE SECRET {quoted(name.schema or 'public')}.{quoted(name.name)} AS '{sealed}'"
    return replace(parsed, value=sealed, text=text, offset=0)


def create_connection(epoch: Epoch, parsed: CreateConnection) -> Outcome:
    known = existing(epoch, parsed.name, parsed.if_not_exists, "CREATE CONNECTION")
    if known is not None:
        return known
    stored = new_stored(epoch, parsed.name, "connection", parsed, parsed.properties)
    register(epoch, Entry(stored, parsed))
    return Outcome("CREATE CONNECTION")
