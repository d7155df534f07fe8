"""DROP, ALTER and COMMENT, inside an epoch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from voltstream.core.errors import (
    DependentObjects,
    UndefinedColumn,
    UndefinedObject,
    UndefinedSchema,
    UndefinedTable,
    WrongObjectType,
)
from voltstream.core.ports import Notice, Outcome
from voltstream.runtime import broken, entries, expiry, followers, sealing, tables
from voltstream.runtime.arrivals import drop_arrival_delta
from voltstream.runtime.catalog import Catalog, Entry, public_name, spelled
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.show import type_name
from voltstream.sql.overloads import function_label, function_shown, missing_function
from voltstream.sql.program import Program
from voltstream.sql.statements import Comment, CreateFunction, Drop
from voltstream.sql.table_ddl import plain_name
from voltstream.store import timescale
from voltstream.store.database import quoted
from voltstream.store.ledger import remove_object, set_comment

_DETAIL_LINES_MAX = 100  # As PostgreSQL: the rest is counted.
_FOLLOWING = ("index", "subscription")  # These go with their table without a word.
_RELATIONS = ("table", "view", "materialized view", "source", "sink", "index")


def drop(epoch: Epoch, parsed: Drop) -> Outcome:
    tag = f"DROP {parsed.kind}"
    if parsed.kind == "SCHEMA":
        return Outcome(tag, notices=_drop_schemas(epoch, parsed))
    notices: list[Notice] = []
    targets: list[Entry] = []
    for name in parsed.names:
        entry = epoch.catalog.named(name)
        kind = parsed.kind.lower()
        if entry is None:
            shown = function_label(spelled(name)) if kind == "function" else spelled(name)
            if name.schema is not None and name.schema not in epoch.catalog.schemas:
                message = f'schema "{name.schema}" does not exist'
                if not parsed.if_exists:
                    raise UndefinedSchema(message)
            message = f'{kind} "{shown}" does not exist'
            if kind == "function":
                if not parsed.if_exists:
                    raise missing_function(name.name)
                message = f"function {function_shown(name.name)} does not exist"
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
        targets.append(entry)
    named = {entry.oid for entry in targets}
    fallen: list[Entry] = []
    for entry in targets:
        if epoch.catalog.by_oid(entry.oid) is not None:
            fallen += _drop_tree(epoch, entry, parsed.cascade, named)
    return Outcome(tag, notices=(*notices, *cascaded(fallen)))


def _drop_schemas(epoch: Epoch, parsed: Drop) -> tuple[Notice, ...]:
    notices: list[Notice] = []
    fallen: list[Entry] = []
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
        for entry in reversed(inside):
            if epoch.catalog.get(*entry.key) is not None:
                fallen += [entry, *_drop_tree(epoch, entry, cascade=True)]
        epoch.connection.execute(f"DROP SCHEMA {quoted(name.name)}")
        epoch.catalog = epoch.catalog.without_schema(name.name)
    return (*notices, *cascaded(fallen))


def _drop_tree(
    epoch: Epoch, entry: Entry, cascade: bool, named: Collection[int] = ()
) -> list[Entry]:
    """Drop an object, and with CASCADE all that depends on it; return the latter, oldest first.

    What is ``named`` to be dropped too neither stands in the way nor is told.
    """
    fallen = sorted(_all_dependents(epoch.catalog, entry), key=lambda other: -other.oid)
    for one in (*fallen, entry):
        sealing.refuse(one)
    blockers = [one for one in fallen if one.kind not in _FOLLOWING and one.oid not in named]
    if blockers and not cascade and _is_only_called(entry, blockers):
        _forget_called(epoch, entry, fallen)
        return []
    if blockers and not cascade:
        raise dependents_fault(described(entry), blockers, epoch.catalog)
    epoch.flush()
    for other in (*fallen, entry):
        forget(epoch, other)
    return list(reversed(blockers))


def _is_only_called(entry: Entry, dependents: Collection[Entry]) -> bool:
    """Tell a function that others call: a body is looked through again when it is called."""
    return entry.kind == "function" and all(one.kind == "function" for one in dependents)


def _forget_called(epoch: Epoch, entry: Entry, callers: Sequence[Entry]) -> None:
    """Drop a function; what calls it stays, and says at its next call what it lacks."""
    epoch.flush()
    forget(epoch, entry)
    for caller in sorted(callers, key=lambda one: one.oid):
        kept = tuple(oid for oid in caller.stored.depends_on if oid != entry.oid)
        stored = replace(caller.stored, depends_on=kept)
        made = entries.restored(stored, epoch.catalog, epoch.connection, epoch.functions.define)
        epoch.catalog = epoch.catalog.with_entry(made)


def described(entry: Entry) -> str:
    """Name an object as PostgreSQL does in details: its kind, then where it is and what it is."""
    schema, name = entry.key
    where = "" if schema == "public" else f"{plain_name(schema)}."
    if isinstance(entry.parsed, CreateFunction):
        types = ",".join(type_name(kind) for _, kind in entry.parsed.parameters)
        return f"function {where}{plain_name(entry.parsed.name.name)}({types})"
    return f"{entry.kind} {where}{plain_name(name)}"


def cascaded(fallen: list[Entry]) -> tuple[Notice, ...]:
    """Tell what CASCADE has dropped as well: one object in the notice, more in its detail."""
    lines = [f"drop cascades to {described(one)}" for one in fallen]
    if len(lines) < 2:
        return tuple(Notice(line) for line in lines)
    shown = lines[:_DETAIL_LINES_MAX]
    if len(lines) > len(shown):
        shown.append(f"and {len(lines) - len(shown)} other objects (see server log for list)")
    message = f"drop cascades to {len(lines)} other objects"
    return (Notice(message, detail="\n".join(shown)),)


def _all_dependents(catalog: Catalog, entry: Entry) -> list[Entry]:
    found: dict[int, Entry] = {}
    waiting = [entry]
    while waiting:
        for dependent in catalog.dependents(waiting.pop().oid):
            if dependent.oid not in found:
                found[dependent.oid] = dependent
                waiting.append(dependent)
    return list(found.values())


def dependents_fault(
    what: str, blockers: list[Entry], catalog: Catalog | None = None
) -> DependentObjects:
    """Return the refusal to drop ``what``; with the catalog each line names the nearest reason."""
    near = {one.oid for one in blockers}
    lines = []
    for other in reversed(blockers):
        reason = what
        if catalog is not None:
            below = max((oid for oid in other.stored.depends_on if oid in near), default=None)
            found = catalog.by_oid(below) if below is not None else None
            reason = described(found) if found is not None else what
        lines.append(f"{described(other)} depends on {reason}")
    return DependentObjects(
        f"cannot drop {what} because other objects depend on it",
        detail="\n".join(lines),
        hint="Use DROP ... CASCADE to drop the dependent objects too.",
    )


def forget(epoch: Epoch, entry: Entry) -> None:
    """Drop one object that nothing depends on."""
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
    expiry.drop_mark(connection, entry.oid)
    for spec in tables.declared(entry).columns:
        if spec.identity is not None:
            connection.execute(f"DROP SEQUENCE {entries.sequence(entry.oid, spec.name)}")


def _forget_program(epoch: Epoch, program: Program) -> None:
    epoch.dataflow.remove(program.oid)
    epoch.on_rollback(lambda: epoch.dataflow.add(program))


_COMMENTED = {"TABLE": ("table", "source"), "SOURCE": ("source", "table")}


def comment(epoch: Epoch, parsed: Comment) -> Outcome:
    """Keep a remark. Raises: WrongObjectType (42809), UndefinedTable and its like."""
    entry = _commented(epoch, parsed)
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


def _commented(epoch: Epoch, parsed: Comment) -> Entry:
    kind = parsed.kind.lower()
    entry = epoch.catalog.named(parsed.name)
    if entry is None and kind == "function":
        raise missing_function(parsed.name.name)
    if entry is None:
        raise UndefinedTable(f'relation "{spelled(parsed.name)}" does not exist')
    wanted = _COMMENTED.get(parsed.kind, (kind,))
    if parsed.column is None and entry.kind not in wanted:
        raise WrongObjectType(f'"{parsed.name.name}" is not {_article(kind)} {kind}')
    return entry


def _article(kind: str) -> str:
    return "an" if kind[0] in "aeiou" else "a"


def with_properties(entry: Entry, properties: dict[str, str], remark: str | None) -> Entry:
    return replace(entry, stored=replace(entry.stored, properties=properties, comment=remark))
