"""CREATE statements, inside an epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import uuid4

from voltstream.core.errors import (
    DuplicateColumn,
    DuplicateSchema,
    DuplicateTable,
    FeatureNotSupported,
    InternalError,
    InvalidTableDefinition,
    SyntaxFault,
    UndefinedColumn,
    UndefinedSchema,
    WrongObjectType,
)
from voltstream.core.ports import Notice, Outcome
from voltstream.core.schema import Schema
from voltstream.runtime import (
    arrivals,
    backfill,
    entries,
    expiry,
    followers,
    origins,
    sealing,
)
from voltstream.runtime.alert_rules import check_rule
from voltstream.runtime.catalog import Catalog, Entry, Names, public_name
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.likeness import with_likes
from voltstream.runtime.retention import check_retention
from voltstream.runtime.secrets import named_objects
from voltstream.sql.capture import relations
from voltstream.sql.columns import columns_in
from voltstream.sql.program import Program
from voltstream.sql.statements import (
    ColumnSpec,
    CreateIndex,
    CreateSchema,
    CreateSink,
    CreateSource,
    CreateTable,
    CreateView,
    ObjectName,
    Parsed,
)
from voltstream.sql.table_ddl import declared_type, definition, stored_ddl
from voltstream.sql.translate import translate_query
from voltstream.store.database import quoted
from voltstream.store.ledger import StoredObject, add_object, remove_object


def create_source(epoch: Epoch, parsed: CreateSource) -> Outcome:
    known = existing(epoch, parsed.name, parsed.if_not_exists, "CREATE SOURCE")
    if known is not None:
        return known
    check_retention(parsed.properties)
    properties = {k: v for k, v in parsed.properties.items() if k != "watermark"}
    properties |= arrivals.followed(parsed.properties.get("watermark"), parsed.columns)
    stored = new_stored(epoch, parsed.name, "source", parsed, properties)
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
    relation = entries.source_relation(stored, parsed, connection)
    if "watermark" in parsed.properties:
        mark = parsed.properties["watermark"]
        arrivals.check_mark(connection, mark, parsed.columns, relation.stored)
    arrivals.make_arrival_delta(connection, relation, parsed)
    arrivals.start_watermark(connection, stored.oid, stored.properties)
    register(epoch, Entry(stored, parsed, relation))
    return Outcome("CREATE SOURCE")


def create_table(epoch: Epoch, parsed: CreateTable, names: Names) -> Outcome:
    tag = "CREATE TABLE" if parsed.query is None else "CREATE TABLE AS"
    known = existing(epoch, parsed.name, parsed.if_not_exists, tag)
    if known is not None:
        return known
    parsed = with_likes(parsed, epoch.catalog)
    _check_table(parsed)
    connection = epoch.connection
    query = parsed.query
    sql = ""
    if query is not None:
        sql = translate_query(query, names, connection, ())
        parsed = _with_query_columns(parsed, connection.describe(sql))
        parsed = replace(parsed, text=definition(parsed), query=None, offset=0)
    properties = {**parsed.properties, **arrivals.followed(parsed.watermark, parsed.columns)}
    properties |= expiry.properties_of(parsed)
    stored = new_stored(epoch, parsed.name, "table", parsed, properties)
    if parsed.origin is not None:
        stored = origins.bound(stored, parsed, parsed.origin, names, epoch.catalog)
    table = entries.table_store(stored.oid)
    connection.execute(stored_ddl(table, parsed))
    for spec in parsed.columns:
        if spec.identity is not None:
            connection.execute(f"CREATE SEQUENCE {entries.sequence(stored.oid, spec.name)}")
    if query is not None and parsed.with_data:
        rows = connection.execute(f"INSERT INTO {table} {sql}")
        tag = f"SELECT {max(rows, 0)}"
    relation = entries.table_relation(stored, parsed, connection)
    entries.make_table_view(stored, relation, connection)
    entries.make_base_delta(connection, relation)
    arrivals.start_watermark(connection, stored.oid, stored.properties)
    if parsed.watermark is not None:
        arrivals.check_mark(connection, parsed.watermark, parsed.columns, table)
    expiry.make_mark(connection, stored.oid, stored.properties, table)
    register(epoch, Entry(stored, parsed, relation))
    return Outcome(tag)


# Names of PostgreSQL's system columns: tools ask for them by name.
_SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})


def _refuse_system_names(names: Iterable[str]) -> None:
    for name in names:
        if name in _SYSTEM_COLUMNS:
            raise DuplicateColumn(f'column name "{name}" conflicts with a system column name')


def _check_table(parsed: CreateTable) -> None:
    _refuse_system_names(spec.name for spec in parsed.columns)
    if parsed.append_only and parsed.primary_key and parsed.on_conflict != "IGNORE":
        raise FeatureNotSupported(
            "an append-only table with a primary key must ignore conflicts",
            hint="Add ON CONFLICT DO NOTHING, or leave out APPEND ONLY.",
        )
    if parsed.on_conflict != "OVERWRITE" and not parsed.primary_key:
        raise InvalidTableDefinition(
            "ON CONFLICT needs a primary key", hint="Declare a PRIMARY KEY."
        )
    known = {spec.name: spec for spec in parsed.columns}
    for name in parsed.version_columns:
        if name not in known:
            raise UndefinedColumn(f'column "{name}" named as version does not exist')
    for spec in parsed.columns:
        if spec.generated_text is None:
            continue
        others = {o.name for o in parsed.columns if o.generated_text is not None}
        for name in columns_in(spec.generated_text):
            if name not in known:
                raise UndefinedColumn(f'column "{name}" does not exist')
            if name in others:
                raise InvalidTableDefinition(
                    f'cannot use generated column "{name}" in column generation expression',
                    detail="A generated column cannot reference another generated column.",
                )


def _with_query_columns(parsed: CreateTable, columns: Schema) -> CreateTable:
    """Give CREATE TABLE … AS the columns of its query."""
    names = parsed.column_names
    if len(names) > len(columns):
        raise SyntaxFault("too many column names were specified")
    specs: list[ColumnSpec] = []
    for index, column in enumerate(columns):
        name = names[index] if index < len(names) else column.name
        if any(spec.name == name for spec in specs):
            raise DuplicateColumn(
                f'column "{name}" specified more than once', hint="Name the columns with AS."
            )
        kind = column.store_type if column.store_type != '"NULL"' else "VARCHAR"
        specs.append(ColumnSpec(name, kind, declared=declared_type(kind)))
    return replace(parsed, columns=tuple(specs), column_names=())


def create_view(epoch: Epoch, parsed: CreateView, names: Names) -> Outcome:
    tag = "CREATE MATERIALIZED VIEW" if parsed.materialized else "CREATE VIEW"
    old = epoch.catalog.named(parsed.name)
    if old is not None and parsed.or_replace and not parsed.materialized and old.kind == "view":
        return _replace_view(epoch, parsed, old, names)
    known = existing(epoch, parsed.name, parsed.if_not_exists, tag)
    if known is not None:
        return known
    if parsed.materialized:
        return _materialize(epoch, parsed, names)
    return _plain_view(epoch, parsed, names)


def _replace_view(epoch: Epoch, parsed: CreateView, old: Entry, names: Names) -> Outcome:
    dependents = epoch.catalog.dependents(old.oid)
    if dependents:
        raise WrongObjectType(
            f'cannot replace view "{old.stored.name}": {dependents[0].kind} '
            f'"{dependents[0].stored.name}" was compiled from it',
            hint="Drop what depends on it first.",
        )
    epoch.catalog = epoch.catalog.without(old)
    remove_object(epoch.connection, old.oid)
    return _plain_view(epoch, parsed, names)


def _plain_view(epoch: Epoch, parsed: CreateView, names: Names) -> Outcome:
    stored = new_stored(epoch, parsed.name, "view", parsed, parsed.properties)
    entries.make_plain_view(stored.schema, parsed, names, epoch.connection)
    for schema, name in relations(parsed.query):
        names.find(schema, name)
    stored = bound(stored, names)
    relation = entries.view_relation(stored, parsed, names, epoch.connection)
    _refuse_system_names(column.name for column in relation.columns)
    register(epoch, Entry(stored, parsed, relation))
    return Outcome("CREATE VIEW")


def bound(stored: StoredObject, names: Names) -> StoredObject:
    """Note what a definition reads, and what its names meant when it was made."""
    depends_on = tuple(sorted({*stored.depends_on, *names.used}))
    return replace(stored, depends_on=depends_on, bindings=names.bindings())


def _materialize(epoch: Epoch, parsed: CreateView, names: Names) -> Outcome:
    stored = new_stored(epoch, parsed.name, "materialized view", parsed, parsed.properties)
    connection = epoch.connection
    epoch.flush()  # What the transaction wrote so far belongs to the backfill, not to a delta.
    program = entries.view_program(stored.oid, parsed, names, connection)
    backfill.start(epoch, program, kept=False)
    connection.execute(
        f"CREATE VIEW {public_name(stored.schema, stored.name)} AS {program.readable_sql}"
    )
    connection.execute(f"DELETE FROM {program.output}")
    stored = bound(stored, names)
    relation = entries.materialized_relation(stored, parsed, program, names, connection)
    _refuse_system_names(column.name for column in relation.columns)
    entry = Entry(stored, parsed, relation, program)
    register(epoch, entry)
    check_rule(entry, epoch.catalog, connection)
    return Outcome("CREATE MATERIALIZED VIEW", notices=_notices(program))


def create_sink(epoch: Epoch, parsed: CreateSink, names: Names) -> Outcome:
    known = existing(epoch, parsed.name, parsed.if_not_exists, "CREATE SINK")
    if known is not None:
        return known
    # What the target knows the sink by, whatever it is called here.
    properties = {**parsed.properties, "sink.identity": uuid4().hex}
    stored = new_stored(epoch, parsed.name, "sink", parsed, properties)
    connection = epoch.connection
    epoch.flush()
    program = entries.sink_program(stored.oid, parsed, names, connection)
    backfill.start(epoch, program)
    stored = bound(stored, names)
    snapshot = parsed.properties.get("snapshot", "true").lower() != "false"
    notices = _notices(program)
    if parsed.into is not None:
        _start_into(epoch, Entry(stored, parsed, None, program), parsed.into, snapshot)
        return Outcome("CREATE SINK", notices=notices)
    entry = entries.with_emission(Entry(stored, parsed, None, program), connection)
    if snapshot:
        epoch.post(stored.oid, entry.emit_sql or "")
    connection.execute(f"DELETE FROM {program.output}")
    register(epoch, entry)
    if parsed.format == "PLAIN" and not program.append_only:
        remark = f'sink "{parsed.name.name}" reads a changing query: deletes are not sent'
        notices = (*notices, Notice(remark, hint="FORMAT UPSERT or DEBEZIUM carries deletes."))
    return Outcome("CREATE SINK", notices=notices)


def _start_into(epoch: Epoch, entry: Entry, into: ObjectName, snapshot: bool) -> None:
    """Let a sink's rows go into a table: those that exist now, and from here on every change."""
    table = epoch.catalog.require(into, "table")
    sealing.refuse(table)
    if table.oid in entry.stored.depends_on or _reads(epoch.catalog, entry, table.oid):
        raise FeatureNotSupported(
            f'sink "{entry.stored.name}" would feed table "{into.name}" from itself',
            hint="Write into a table of its own.",
        )
    program = entry.program
    if program is None:
        raise InternalError("a sink has no program")
    followers.mapping(entry, table)
    stored = replace(entry.stored, depends_on=(*entry.stored.depends_on, table.oid))
    entry = followers.attached(replace(entry, stored=stored), lambda _: None)
    if snapshot and entry.follow is not None:
        entry.follow(epoch)
    epoch.connection.execute(f"DELETE FROM {program.output}")
    register(epoch, entry)
    epoch.flush()


def _reads(catalog: Catalog, entry: Entry, oid: int) -> bool:
    """Tell whether an object reads a table, through views and through sinks into tables."""
    waiting, seen = list(entry.stored.depends_on), set[int]()
    while waiting:
        one = waiting.pop()
        if one == oid:
            return True
        known = catalog.by_oid(one)
        if known is None or one in seen:
            continue
        seen.add(one)
        waiting.extend(known.stored.depends_on)
        for sink in catalog.of_kind("sink"):  # A table reads what feeds it.
            if isinstance(sink.parsed, CreateSink) and sink.parsed.into is not None:
                fed = catalog.named(sink.parsed.into)
                if fed is not None and fed.oid == one:
                    waiting.extend(oid for oid in sink.stored.depends_on if oid != one)
    return False


def create_schema(epoch: Epoch, parsed: CreateSchema) -> Outcome:
    if parsed.name in epoch.catalog.schemas:
        if not parsed.if_not_exists:
            raise DuplicateSchema(f'schema "{parsed.name}" already exists')
        remark = Notice(f'schema "{parsed.name}" already exists, skipping', sqlstate="42P06")
        return Outcome("CREATE SCHEMA", notices=(remark,))
    epoch.connection.execute(f"CREATE SCHEMA {quoted(parsed.name)}")
    epoch.catalog = epoch.catalog.with_schema(parsed.name)
    return Outcome("CREATE SCHEMA")


def create_index(epoch: Epoch, parsed: CreateIndex, names: Names) -> Outcome:
    known = existing(epoch, parsed.name, parsed.if_not_exists, "CREATE INDEX")
    if known is not None:
        return known
    target = epoch.catalog.require(parsed.table, "table", "materialized view", "source")
    columns = {column.name for column in target.relation.columns} if target.relation else set()
    for name in (*parsed.columns, *parsed.include):
        if name not in columns:
            raise UndefinedColumn(f'column "{name}" does not exist')
    spread = parsed.distributed
    if spread != tuple(key for key, _ in parsed.keys)[: len(spread)]:
        raise InvalidTableDefinition("the columns of DISTRIBUTED BY must begin the index's keys")
    stored = new_stored(epoch, parsed.name, "index", parsed, {})
    notices: tuple[Notice, ...] = ()
    if parsed.unique and target.kind == "table" and parsed.columns:
        sealing.refuse(target)
        index = quoted(f"i_{stored.oid}")
        listed = entries.column_list(parsed.columns)
        table = entries.table_store(target.oid)
        epoch.connection.execute(f"CREATE UNIQUE INDEX {index} ON {table} ({listed})")
    stored = replace(stored, depends_on=(target.oid,), bindings=names.bindings())
    register(epoch, Entry(stored, parsed))
    return Outcome("CREATE INDEX", notices=notices)


def existing(epoch: Epoch, name: ObjectName, if_not_exists: bool, tag: str) -> Outcome | None:
    """Refuse a taken name or a missing schema; with IF NOT EXISTS say so and go on."""
    schema = name.schema or "public"
    if schema not in epoch.catalog.schemas:
        raise UndefinedSchema(f'schema "{schema}" does not exist')
    if epoch.catalog.named(name) is None:
        refuse_near_name(epoch.catalog, schema, name.name)
        return None
    message = f'relation "{name.name}" already exists'
    if not if_not_exists:
        raise DuplicateTable(message)
    return Outcome(tag, notices=(Notice(f"{message}, skipping", sqlstate="42P07"),))


def refuse_near_name(catalog: Catalog, schema: str, name: str) -> None:
    """Raises: FeatureNotSupported when another name differs in case only: the store has one."""
    for other_schema, other in catalog.entries:
        if other_schema == schema and other != name and other.lower() == name.lower():
            raise FeatureNotSupported(
                f'"{name}" and "{other}" differ in upper and lower case only',
                hint="Choose another name, or another schema.",
            )


def new_stored(
    epoch: Epoch, name: ObjectName, kind: str, parsed: Parsed, properties: Mapping[str, str]
) -> StoredObject:
    schema = name.schema or "public"
    return StoredObject(
        oid=epoch.take_oid(),
        schema=schema,
        name=name.name,
        kind=kind,
        definition=parsed.text,
        properties=dict(properties),
        depends_on=named_objects(properties, schema, epoch.catalog),
    )


def register(epoch: Epoch, entry: Entry) -> None:
    add_object(epoch.connection, entry.stored)
    epoch.catalog = epoch.catalog.with_entry(entry)


def _notices(program: Program) -> tuple[Notice, ...]:
    return tuple(Notice(text) for text in program.notices)
