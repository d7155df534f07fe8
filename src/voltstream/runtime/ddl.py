"""CREATE statements, inside an epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from voltstream.core.errors import (
    DuplicateSchema,
    DuplicateTable,
    UndefinedSchema,
    WrongObjectType,
)
from voltstream.core.ports import Notice, Outcome
from voltstream.runtime import arrivals, entries
from voltstream.runtime.catalog import Entry, Names, public_name
from voltstream.runtime.epoch import Epoch
from voltstream.sql.capture import relations
from voltstream.sql.program import Program
from voltstream.sql.statements import (
    CreateIndex,
    CreateSchema,
    CreateSink,
    CreateSource,
    CreateTable,
    CreateView,
    ObjectName,
    Parsed,
)
from voltstream.sql.translate import translate_query
from voltstream.store.database import quoted
from voltstream.store.ledger import StoredObject, add_object, remove_object


def create_source(epoch: Epoch, parsed: CreateSource) -> Outcome:
    existing = _existing(epoch, parsed.name, parsed.if_not_exists, "CREATE SOURCE")
    if existing is not None:
        return existing
    stored = _stored(epoch, parsed.name, "source", parsed, parsed.properties)
    columns = ", ".join(f"{quoted(c.name)} {c.store_type}" for c in parsed.columns)
    connection = epoch.connection
    connection.execute(
        f"CREATE TABLE _vs.src_{stored.oid} ({columns}, _rid BIGINT, _at TIMESTAMPTZ)"
    )
    listed = entries.column_list([column.name for column in parsed.columns])
    connection.execute(
        f"CREATE VIEW {public_name(stored.schema, stored.name)} AS "
        f"SELECT {listed} FROM _vs.src_{stored.oid}"
    )
    relation = entries.source_relation(stored, connection)
    arrivals.make_arrival_delta(connection, relation, parsed)
    arrivals.start_watermark(connection, stored.oid, stored.properties)
    _register(epoch, Entry(stored, parsed, relation))
    return Outcome("CREATE SOURCE")


def create_table(epoch: Epoch, parsed: CreateTable) -> Outcome:
    existing = _existing(epoch, parsed.name, parsed.if_not_exists, "CREATE TABLE")
    if existing is not None:
        return existing
    stored = _stored(epoch, parsed.name, "table", parsed, parsed.properties)
    connection = epoch.connection
    if parsed.query is not None:
        names = Names(epoch.catalog, connection.describe)
        sql = translate_query(parsed.query, names, connection, ())
        rows = connection.execute(
            f"CREATE TABLE {public_name(stored.schema, stored.name)} AS {sql}"
        )
        tag = f"SELECT {max(rows, 0)}"
    else:
        connection.execute(parsed.store_sql)
        tag = "CREATE TABLE"
    relation = entries.table_relation(stored, parsed, connection)
    entries.make_base_delta(connection, relation)
    _register(epoch, Entry(stored, parsed, relation))
    return Outcome(tag)


def create_view(epoch: Epoch, parsed: CreateView) -> Outcome:
    tag = "CREATE MATERIALIZED VIEW" if parsed.materialized else "CREATE VIEW"
    old = epoch.catalog.named(parsed.name)
    if old is not None and parsed.or_replace and not parsed.materialized and old.kind == "view":
        return _replace_view(epoch, parsed, old)
    existing = _existing(epoch, parsed.name, parsed.if_not_exists, tag)
    if existing is not None:
        return existing
    return _materialize(epoch, parsed) if parsed.materialized else _plain_view(epoch, parsed)


def _replace_view(epoch: Epoch, parsed: CreateView, old: Entry) -> Outcome:
    dependents = epoch.catalog.dependents(old.oid)
    if dependents:
        raise WrongObjectType(
            f'cannot replace view "{old.stored.name}": {dependents[0].kind} '
            f'"{dependents[0].stored.name}" was compiled from it',
            hint="Drop what depends on it first.",
        )
    epoch.catalog = epoch.catalog.without(old)
    remove_object(epoch.connection, old.oid)
    return _plain_view(epoch, parsed)


def _plain_view(epoch: Epoch, parsed: CreateView) -> Outcome:
    stored = _stored(epoch, parsed.name, "view", parsed, parsed.properties)
    names = Names(epoch.catalog, epoch.connection.describe)
    entries.make_plain_view(stored.schema, parsed, names, epoch.connection)
    for schema, name in relations(parsed.query):
        names.find(schema, name)
    stored = replace(stored, depends_on=tuple(sorted(names.used)))
    relation = entries.view_relation(stored, parsed, epoch.connection)
    _register(epoch, Entry(stored, parsed, relation))
    return Outcome("CREATE VIEW")


def _materialize(epoch: Epoch, parsed: CreateView) -> Outcome:
    stored = _stored(epoch, parsed.name, "materialized view", parsed, parsed.properties)
    connection = epoch.connection
    epoch.flush()  # What the transaction wrote so far belongs to the backfill, not to a delta.
    names = Names(epoch.catalog, connection.describe)
    program = entries.view_program(stored.oid, parsed, names, connection)
    start(epoch, program)
    connection.execute(
        f"CREATE VIEW {public_name(stored.schema, stored.name)} AS {program.readable_sql}"
    )
    connection.execute(f"DELETE FROM {program.output}")
    stored = replace(stored, depends_on=tuple(sorted(names.used)))
    relation = entries.materialized_relation(stored, program, connection)
    _register(epoch, Entry(stored, parsed, relation, program))
    return Outcome("CREATE MATERIALIZED VIEW", notices=_notices(program))


def create_sink(epoch: Epoch, parsed: CreateSink) -> Outcome:
    existing = _existing(epoch, parsed.name, parsed.if_not_exists, "CREATE SINK")
    if existing is not None:
        return existing
    stored = _stored(epoch, parsed.name, "sink", parsed, parsed.properties)
    connection = epoch.connection
    epoch.flush()
    names = Names(epoch.catalog, connection.describe)
    program = entries.sink_program(stored.oid, parsed, names, connection)
    start(epoch, program)
    stored = replace(stored, depends_on=tuple(sorted(names.used)))
    entry = entries.with_emission(Entry(stored, parsed, None, program), connection)
    if parsed.properties.get("snapshot", "true").lower() != "false":
        epoch.post(stored.oid, entry.emit_sql or "")
    connection.execute(f"DELETE FROM {program.output}")
    _register(epoch, entry)
    notices = _notices(program)
    if parsed.format == "PLAIN" and not program.append_only:
        remark = f'sink "{parsed.name.name}" reads a changing query: deletes are not sent'
        notices = (*notices, Notice(remark, hint="FORMAT UPSERT or DEBEZIUM carries deletes."))
    return Outcome("CREATE SINK", notices=notices)


def create_schema(epoch: Epoch, parsed: CreateSchema) -> Outcome:
    if parsed.name in epoch.catalog.schemas:
        if not parsed.if_not_exists:
            raise DuplicateSchema(f'schema "{parsed.name}" already exists')
        remark = Notice(f'schema "{parsed.name}" already exists, skipping', sqlstate="42P06")
        return Outcome("CREATE SCHEMA", notices=(remark,))
    epoch.connection.execute(f"CREATE SCHEMA {quoted(parsed.name)}")
    epoch.catalog = epoch.catalog.with_schema(parsed.name)
    return Outcome("CREATE SCHEMA")


def create_index(epoch: Epoch, parsed: CreateIndex) -> Outcome:
    existing = _existing(epoch, parsed.name, parsed.if_not_exists, "CREATE INDEX")
    if existing is not None:
        return existing
    target = epoch.catalog.require(parsed.table)
    stored = _stored(epoch, parsed.name, "index", parsed, {})
    if target.kind == "table":
        # Views are read through state that the compiler lays out; there an index is a wish.
        epoch.connection.execute(parsed.store_sql)
    stored = replace(stored, depends_on=(target.oid,))
    _register(epoch, Entry(stored, parsed))
    return Outcome("CREATE INDEX")


def start(epoch: Epoch, program: Program) -> None:
    """Set a program up and fill it with all existing rows of its inputs."""
    counts: dict[str, int] = {}
    inputs = [entry for entry in epoch.catalog if _feeds(entry, program)]
    for entry in inputs:
        relation = entry.relation
        if relation is not None and relation.arrival:
            counts[relation.delta] = arrivals.show_all_rows(epoch.connection, relation)
        elif relation is not None:
            counts[relation.delta] = epoch.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {relation.delta} AS SELECT "
                f"{entries.column_list(relation.stable)}, 1::INTEGER AS _w FROM {relation.stored}"
            )
    epoch.on_rollback(lambda: epoch.dataflow.remove(program.oid))
    epoch.dataflow.create(epoch.connection.execute, program, counts)
    for entry in inputs:
        if entry.relation is None:
            continue
        if isinstance(entry.parsed, CreateSource):
            arrivals.make_arrival_delta(epoch.connection, entry.relation, entry.parsed)
        else:
            epoch.connection.execute(f"DELETE FROM {entry.relation.delta}")


def _feeds(entry: Entry, program: Program) -> bool:
    return entry.relation is not None and entry.relation.delta in program.inputs


def _existing(epoch: Epoch, name: ObjectName, if_not_exists: bool, tag: str) -> Outcome | None:
    """Refuse a taken name or a missing schema; with IF NOT EXISTS say so and go on."""
    schema = name.schema or "public"
    if schema not in epoch.catalog.schemas:
        raise UndefinedSchema(f'schema "{schema}" does not exist')
    if epoch.catalog.named(name) is None:
        return None
    message = f'relation "{name.name}" already exists'
    if not if_not_exists:
        raise DuplicateTable(message)
    return Outcome(tag, notices=(Notice(f"{message}, skipping", sqlstate="42P07"),))


def _stored(
    epoch: Epoch, name: ObjectName, kind: str, parsed: Parsed, properties: Mapping[str, str]
) -> StoredObject:
    return StoredObject(
        oid=epoch.take_oid(),
        schema=name.schema or "public",
        name=name.name,
        kind=kind,
        definition=parsed.text,
        properties=dict(properties),
    )


def _register(epoch: Epoch, entry: Entry) -> None:
    add_object(epoch.connection, entry.stored)
    epoch.catalog = epoch.catalog.with_entry(entry)


def _notices(program: Program) -> tuple[Notice, ...]:
    return tuple(Notice(text) for text in program.notices)
