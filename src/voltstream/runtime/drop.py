"""DROP, ALTER and COMMENT, inside an epoch."""

from __future__ import annotations

from dataclasses import replace

from voltstream.core.errors import (
    DependentObjects,
    UndefinedColumn,
    UndefinedFunction,
    UndefinedObject,
    UndefinedSchema,
    UndefinedTable,
    WrongObjectType,
)
from voltstream.core.ports import Notice, Outcome
from voltstream.runtime import broken, entries, followers, tables
from voltstream.runtime.arrivals import drop_arrival_delta
from voltstream.runtime.catalog import Catalog, Entry, public_name, spelled
from voltstream.runtime.epoch import Epoch
from voltstream.sql.program import Program
from voltstream.sql.statements import Comment, Drop
from voltstream.store import timescale
from voltstream.store.database import quoted
from voltstream.store.ledger import remove_object, set_comment

_RELATIONS = ("table", "view", "materialized view", "source", "sink", "index")


def drop(epoch: Epoch, parsed: Drop) -> Outcome:
    tag = f"DROP {parsed.kind}"
    if parsed.kind == "SCHEMA":
        return Outcome(tag, notices=_drop_schemas(epoch, parsed))
    notices: list[Notice] = []
    for name in parsed.names:
        entry = epoch.catalog.named(name)
        kind = parsed.kind.lower()
        if entry is None:
            shown = spelled(name).removesuffix("()")
            if name.schema is not None and name.schema not in epoch.catalog.schemas:
                message = f'schema "{name.schema}" does not exist'
                if not parsed.if_exists:
                    raise UndefinedSchema(message)
            message = f'{kind} "{shown}" does not exist'
            if kind == "function":
                if not parsed.if_exists:
                    raise UndefinedFunction(f'could not find a function named "{shown}"')
                message = f"function {shown}() does not exist"
            if not parsed.if_exists:
                raise (UndefinedTable if kind in _RELATIONS else UndefinedObject)(message)
            notices.append(Notice(f"{message}, skipping"))
            continue
        if kind in ("function", "secret", "connection", "subscription") and entry.kind != kind:
            raise UndefinedObject(f'{kind} "{name.name}" does not exist')
        if entry.kind != kind:
            raise WrongObjectType(
                f'"{name.name}" is not a {kind}',
                hint=f"Use DROP {entry.kind.upper()} to remove it.",
            )
        notices.extend(_drop_tree(epoch, entry, parsed.cascade))
    return Outcome(tag, notices=tuple(notices))


def _drop_schemas(epoch: Epoch, parsed: Drop) -> tuple[Notice, ...]:
    notices: list[Notice] = []
    for name in parsed.names:
        if name.name not in epoch.catalog.schemas:
            message = f'schema "{name.name}" does not exist'
            if not parsed.if_exists:
                raise UndefinedSchema(message)
            notices.append(Notice(f"{message}, skipping"))
            continue
        inside = sorted(
            (entry for entry in epoch.catalog if entry.stored.schema == name.name),
            key=lambda entry: -entry.oid,
        )
        if inside and not parsed.cascade:
            raise dependents_fault(f"schema {name.name}", inside)
        for entry in inside:
            if epoch.catalog.get(*entry.key) is not None:
                notices.extend(_drop_tree(epoch, entry, cascade=True))
        epoch.connection.execute(f"DROP SCHEMA {quoted(name.name)}")
        epoch.catalog = epoch.catalog.without_schema(name.name)
    return tuple(notices)


def _drop_tree(epoch: Epoch, entry: Entry, cascade: bool) -> list[Notice]:
    """Drop an object, and with CASCADE all that depends on it, the youngest first."""
    fallen = sorted(_all_dependents(epoch.catalog, entry), key=lambda other: -other.oid)
    blockers = [other for other in fallen if other.kind != "index"]  # An index goes with its table.
    if blockers and not cascade:
        raise dependents_fault(f"{entry.kind} {entry.stored.name}", blockers)
    epoch.flush()
    for other in (*fallen, entry):
        _drop_one(epoch, other)
    return [
        Notice(f"drop cascades to {other.kind} {other.stored.name}") for other in reversed(blockers)
    ]


def _all_dependents(catalog: Catalog, entry: Entry) -> list[Entry]:
    found: dict[int, Entry] = {}
    waiting = [entry]
    while waiting:
        for dependent in catalog.dependents(waiting.pop().oid):
            if dependent.oid not in found:
                found[dependent.oid] = dependent
                waiting.append(dependent)
    return list(found.values())


def dependents_fault(what: str, blockers: list[Entry]) -> DependentObjects:
    return DependentObjects(
        f"cannot drop {what} because other objects depend on it",
        detail="\n".join(
            f"{other.kind} {other.stored.name} depends on {what}" for other in reversed(blockers)
        ),
        hint="Use DROP ... CASCADE to drop the dependent objects too.",
    )


def _drop_one(epoch: Epoch, entry: Entry) -> None:
    connection = epoch.connection
    name = public_name(*entry.key)
    if entry.program is not None and entry.failed is None:
        _forget_program(epoch, entry.program)
    if entry.broken:
        connection.execute(f"DROP VIEW IF EXISTS {name}")
        broken.sweep(connection, entry.oid)
    else:
        _drop_stored(epoch, entry)
    if entry.program is not None:
        for statement in entry.program.teardown:
            connection.execute(statement)
    if entry.kind in ("source", "table") and entry.relation is not None:
        if entry.relation.arrival:
            drop_arrival_delta(connection, entry.relation)
        else:
            connection.execute(f"DROP TABLE IF EXISTS temp.{entry.relation.delta}")
        epoch.forget_delta(entry.relation.delta)
    timescale.forget(connection, entry.oid)
    remove_object(connection, entry.oid)
    epoch.catalog = epoch.catalog.without(entry)


def _drop_stored(epoch: Epoch, entry: Entry) -> None:
    """Drop what an object has in the store beside its program's state."""
    connection = epoch.connection
    if entry.kind in ("source", "view", "materialized view"):
        connection.execute(f"DROP VIEW {public_name(*entry.key)}")
    if entry.kind == "source":
        connection.execute(f"DROP TABLE _vs.src_{entry.oid}")
    elif entry.kind == "table":
        _drop_table(epoch, entry)
    elif entry.kind == "index":
        connection.execute(f"DROP INDEX IF EXISTS _vs.i_{entry.oid}")
    elif entry.kind == "subscription":
        connection.execute(f"DROP TABLE {followers.log_table(entry.oid)}")


def _drop_table(epoch: Epoch, entry: Entry) -> None:
    connection = epoch.connection
    connection.execute(f"DROP VIEW {public_name(*entry.key)}")
    connection.execute(f"DROP TABLE {entries.table_store(entry.oid)}")
    for spec in tables.declared(entry).columns:
        if spec.identity is not None:
            connection.execute(f"DROP SEQUENCE {entries.sequence(entry.oid, spec.name)}")


def _forget_program(epoch: Epoch, program: Program) -> None:
    epoch.dataflow.remove(program.oid)
    epoch.on_rollback(lambda: epoch.dataflow.add(program))


def comment(epoch: Epoch, parsed: Comment) -> Outcome:
    entry = epoch.catalog.require(parsed.name)
    if parsed.column is not None:
        columns = entry.relation.columns if entry.relation is not None else ()
        hidden = parsed.column == "_row_id" and entry.kind == "table"
        if not hidden and all(column.name != parsed.column for column in columns):
            raise UndefinedColumn(
                f'column "{parsed.column}" of relation "{parsed.name.name}" does not exist'
            )
    set_comment(epoch.connection, entry.oid, parsed.column, parsed.comment)
    if parsed.column is not None:
        kept = {name: text for name, text in entry.comments.items() if name != parsed.column}
        if parsed.comment:
            kept[parsed.column] = parsed.comment
        epoch.catalog = epoch.catalog.with_entry(replace(entry, comments=kept))
    else:
        changed = with_properties(entry, dict(entry.stored.properties), parsed.comment)
        epoch.catalog = epoch.catalog.with_entry(changed)
    return Outcome("COMMENT")


def with_properties(entry: Entry, properties: dict[str, str], remark: str | None) -> Entry:
    return replace(entry, stored=replace(entry.stored, properties=properties, comment=remark))
