"""ALTER, inside an epoch. Rows of a table are where its name does not matter: a rename is cheap."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from voltstream.core.errors import (
    DependentObjects,
    DuplicateColumn,
    DuplicateSchema,
    DuplicateTable,
    FeatureNotSupported,
    InternalError,
    InvalidTableDefinition,
    NotNullViolation,
    UndefinedColumn,
    UndefinedSchema,
    UndefinedTable,
    WrongObjectType,
)
from voltstream.core.ports import Notice, Outcome
from voltstream.runtime import column_rights, compaction, entries, followers, tables
from voltstream.runtime.alert_rules import check_rule
from voltstream.runtime.alter_source import alter as alter_source
from voltstream.runtime.alter_source import check_watermark, limit_rate
from voltstream.runtime.arrivals import restart_watermark
from voltstream.runtime.catalog import Entry, Names, bound_scope, public_name, spelled
from voltstream.runtime.ddl import refuse_near_name
from voltstream.runtime.drop import dependents_fault, with_properties
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.expiry import EXPIRES
from voltstream.runtime.grant_ddl import rename_schema
from voltstream.runtime.objects import change_secret
from voltstream.runtime.pace import check_rates
from voltstream.runtime.references import follow_column, follow_table, with_column_renamed
from voltstream.runtime.renaming import renamed_itself, rewrite_readers
from voltstream.runtime.retention import check_retention
from voltstream.runtime.role_store import save_rights
from voltstream.runtime.thawing import EVER
from voltstream.sql.capture import mentions_column
from voltstream.sql.changes import Compiling
from voltstream.sql.columns import columns_in
from voltstream.sql.dialect import parse_expression, tokenize
from voltstream.sql.resolve import resolved
from voltstream.sql.statements import (
    AlterObject,
    AlterTable,
    ColumnAction,
    ColumnSpec,
    CreateIndex,
    CreateSink,
    CreateTable,
    CreateView,
    ObjectName,
)
from voltstream.sql.table_ddl import definition, stored_ddl
from voltstream.sql.watermarks import declared as watermark_parts
from voltstream.store import hypertable
from voltstream.store.database import quoted
from voltstream.store.ledger import set_definition, set_properties


def alter_table(epoch: Epoch, parsed: AlterTable) -> Outcome:
    """Change columns or options of a table."""
    entry = epoch.catalog.named(parsed.name)
    if entry is None and parsed.if_exists:
        return _skipped(parsed.name)
    entry = epoch.catalog.require(parsed.name)
    if parsed.actions:
        if entry.kind != "table":
            entry = alter_source(epoch, entry, parsed.actions)
            epoch.catalog = epoch.catalog.with_entry(entry)
            remake_readers(epoch, entry)
            return Outcome("ALTER SOURCE")
        epoch.flush()
        parted = hypertable.find(epoch.connection, entry.oid)
        if parted is not None:  # A file's columns are what they are: its rows become hot.
            epoch.touch(entry.oid, EVER)
            compaction.decompress_all(epoch.connection, parted)
            _refuse_dimension(parted.column, parsed.actions)
        for action in parsed.actions:
            entry = _act(epoch, entry, action)
        _keep(epoch, entry)
    if parsed.options:
        if entry.kind != "table":
            check_retention(parsed.options)
        properties = {**entry.stored.properties, **parsed.options}
        check_rates(properties)
        set_properties(epoch.connection, entry.oid, properties)
        entry = with_properties(entry, properties, entry.stored.comment)
        check_rule(entry, epoch.catalog.with_entry(entry), epoch.connection)
    epoch.catalog = epoch.catalog.with_entry(entry)
    return Outcome("ALTER TABLE")


def _refuse_dimension(column: str, actions: Sequence[ColumnAction]) -> None:
    """Raises: FeatureNotSupported for what would leave rows without a chunk."""
    for action in actions:
        if action.column == column and action.verb in ("DROP", "RENAME", "TYPE", "DROP NOT NULL"):
            raise FeatureNotSupported(
                f'cannot change column "{column}": it is the dimension of a hypertable',
                hint="Make a new hypertable and insert the rows into it.",
            )


def _skipped(name: ObjectName) -> Outcome:
    remark = Notice(f'relation "{spelled(name)}" does not exist, skipping')
    return Outcome("ALTER TABLE", notices=(remark,))


def _act(epoch: Epoch, entry: Entry, action: ColumnAction) -> Entry:
    table = tables.declared(entry)
    known = next((spec for spec in table.columns if spec.name == action.column), None)
    name = entry.stored.name
    if action.verb == "ADD":
        if known is not None:
            if action.lenient:
                return entry
            raise DuplicateColumn(f'column "{action.column}" of relation "{name}" already exists')
        return _add(epoch, entry, action)
    if known is None:
        if action.lenient:
            return entry
        raise UndefinedColumn(f'column "{action.column}" of relation "{name}" does not exist')
    match action.verb:
        case "DROP":
            return _drop(epoch, entry, known)
        case "RENAME":
            return _rename_column(epoch, entry, known, action.text or "")
        case "SET DEFAULT" | "DROP DEFAULT":
            return _respecified(entry, replace(known, default_text=action.text), known.name)
        case "SET NOT NULL" | "DROP NOT NULL":
            return _set_not_null(epoch, entry, known, action.verb == "SET NOT NULL")
        case "WATERMARK":
            if action.ttl is not tables.declared(entry).ttl:
                raise FeatureNotSupported(
                    "toggling WITH TTL is not supported", hint="Say WITH TTL as the table does."
                )
            return _set_watermark(epoch, entry, action.text or "")
        case _:
            return _retype(epoch, entry, known, action)


def _set_watermark(epoch: Epoch, entry: Entry, text: str) -> Entry:
    """Let a watermark follow another expression from here on; it never goes back.

    Raises: InvalidTableDefinition (42P16) where the table has none over the column.
    """
    table, connection = tables.declared(entry), epoch.connection
    check_watermark(epoch, entry, text, entries.table_store(entry.oid))
    properties = dict(entry.stored.properties)
    properties |= {key: text for key in ("watermark", EXPIRES) if key in properties}
    set_properties(connection, entry.oid, properties)
    restart_watermark(connection, entry.oid, properties)
    altered = replace(table, watermark=text, properties=properties)
    written = definition(altered)
    stored = replace(entry.stored, definition=written)
    changed = replace(entry, stored=stored, parsed=replace(altered, text=written))
    return with_properties(changed, properties, entry.stored.comment)


def _respecified(entry: Entry, spec: ColumnSpec, old: str) -> Entry:
    """Return the entry with one column's declaration changed."""
    table = tables.declared(entry)
    columns = tuple(spec if known.name == old else known for known in table.columns)
    return replace(entry, parsed=replace(table, columns=columns))


def _keep(epoch: Epoch, entry: Entry) -> None:
    table = tables.declared(entry)
    set_definition(epoch.connection, replace(entry.stored, definition=definition(table)))


def _refreshed(epoch: Epoch, entry: Entry, table: CreateTable) -> Entry:
    """Make what hangs on a table's columns again: its name's view, its delta, its views."""
    relation = entries.table_relation(entry.stored, table, epoch.connection)
    entries.make_table_view(entry.stored, relation, epoch.connection)
    entries.make_base_delta(epoch.connection, relation)
    epoch.forget_delta(relation.delta)
    stored = replace(entry.stored, definition=definition(table))
    changed = replace(entry, stored=stored, parsed=replace(table, text=definition(table)))
    changed = replace(changed, relation=relation)
    epoch.catalog = epoch.catalog.with_entry(changed)
    remake_readers(epoch, changed)
    return changed


def _add(epoch: Epoch, entry: Entry, action: ColumnAction) -> Entry:
    table, spec = tables.declared(entry), action.spec
    if spec is None:
        raise InvalidTableDefinition("ADD COLUMN has no column")
    connection = epoch.connection
    store = entries.table_store(entry.oid)
    rows = connection.rows(f"SELECT count(*) FROM {store}")[0][0]
    if spec.not_null and rows and spec.default_text is None and spec.identity is None:
        raise NotNullViolation(
            f'column "{spec.name}" of relation "{entry.stored.name}" contains null values',
            hint="Give it a DEFAULT.",
        )
    if spec.identity is not None:
        connection.execute(f"CREATE SEQUENCE {entries.sequence(entry.oid, spec.name)}")
    # INCLUDE's columns stand behind the declared ones: so they do when the table is read again.
    columns = sorted((*table.columns, spec), key=lambda column: column.included is not None)
    changed = replace(table, columns=tuple(columns))
    value = _first_value(epoch, entry, spec)
    if spec.not_null or columns[-1] is not spec:
        first = f"CAST({value or 'NULL'} AS {spec.store_type})"
        _make_again(epoch, entry, changed, spec.name, first)
        return _refreshed(epoch, entry, changed)
    connection.execute(f"ALTER TABLE {store} ADD COLUMN {quoted(spec.name)} {spec.store_type}")
    if rows and value is not None:
        connection.execute(
            f"UPDATE {store} SET {quoted(spec.name)} = CAST({value} AS {spec.store_type})"
        )
    return _refreshed(epoch, entry, changed)


def _make_again(epoch: Epoch, entry: Entry, table: CreateTable, new: str, value: str) -> None:
    """Store a table anew with one more column.

    The store takes NOT NULL only with the table itself, or apart from the change of its rows; and
    it has its columns in the order in which it got them.
    """
    store = entries.table_store(entry.oid)
    names = [spec.name for spec in table.columns]
    listed = ", ".join(f"{value} AS {quoted(n)}" if n == new else quoted(n) for n in names)
    statements = (
        f"CREATE OR REPLACE TEMP TABLE _moving AS SELECT {listed} FROM {store}",
        f"DROP TABLE {store}",
        stored_ddl(store, table),
        f"INSERT INTO {store} ({entries.column_list(names)}) "
        f"SELECT {entries.column_list(names)} FROM _moving",
        "DROP TABLE temp._moving",
    )
    with_indexes(epoch, entry, "; ".join(statements))


def _first_value(epoch: Epoch, entry: Entry, spec: ColumnSpec) -> str | None:
    """Return what existing rows get in a new column, in the store's SQL."""
    if spec.identity is not None:
        return f"nextval('{entries.sequence(entry.oid, spec.name)}')"
    text = spec.generated_text or spec.default_text
    if text is None:
        return None
    connection = epoch.connection
    compiling = Compiling(Names(epoch.catalog, connection.describe), connection)
    tree = parse_expression(tokenize(text), text)
    return compiling.items([tree], entries.table_store(entry.oid))[0]


def _drop(epoch: Epoch, entry: Entry, spec: ColumnSpec) -> Entry:
    table = tables.declared(entry)
    if spec.name in table.primary_key:
        raise FeatureNotSupported(
            f'cannot drop column "{spec.name}": it is part of the primary key',
            hint="Make the table anew with the key you want.",
        )
    if len(table.columns) == 1:
        raise InvalidTableDefinition("a table must have a column")
    for other in table.columns:
        if other.generated_text is not None and spec.name in columns_in(other.generated_text):
            raise DependentObjects(
                f'cannot drop column "{spec.name}" because column "{other.name}" depends on it'
            )
    if any(spec.name in columns_in(check.text) for check in table.checks):
        raise DependentObjects(f'cannot drop column "{spec.name}": a CHECK reads it')
    if spec.name in table.version_columns:
        raise DependentObjects(f'cannot drop column "{spec.name}": it decides between versions')
    _refuse_watermark(table, spec.name, "drop")
    _refuse_readers(epoch, entry, spec.name, "drop")
    store = entries.table_store(entry.oid)
    with_indexes(epoch, entry, f"ALTER TABLE {store} DROP COLUMN {quoted(spec.name)}")
    kept = tuple(known for known in table.columns if known.name != spec.name)
    unique = tuple(names for names in table.unique if spec.name not in names)
    references = tuple(one for one in table.references if spec.name not in one.columns)
    table = replace(table, columns=kept, unique=unique, references=references)
    return _refreshed(epoch, entry, table)


def _refuse_watermark(table: CreateTable, column: str, verb: str) -> None:
    if table.watermark is None:
        return
    name, expression = watermark_parts(table.watermark)
    if column == name or column in columns_in(expression):
        raise DependentObjects(f'cannot {verb} column "{column}": the watermark reads it')


def _refuse_readers(epoch: Epoch, entry: Entry, column: str, verb: str) -> None:
    """Raises: DependentObjects when what was compiled from the table reads the column."""
    readers = [
        other
        for other in epoch.catalog.dependents(entry.oid)
        if _may_read(other, column, entry.stored.name)
    ]
    if readers:
        fault = dependents_fault(f"column {column} of table {entry.stored.name}", readers)
        fault.message = fault.message.replace("cannot drop", f"cannot {verb}")
        fault.hint = "Drop what depends on it first."
        raise fault


def _may_read(other: Entry, column: str, table: str) -> bool:
    match other.parsed:
        case CreateIndex() as index:
            return column in (*index.columns, *index.include, *index.distributed)
        case CreateView(query=query):
            return mentions_column(query, column)
        case CreateSink(query=query) if query is not None:
            return mentions_column(query, column)
        case _:
            return True


def with_indexes(epoch: Epoch, entry: Entry, ddl: str) -> None:
    """Run the store's DDL with the unique indexes out of its way."""
    connection = epoch.connection
    unique = [
        other
        for other in epoch.catalog.dependents(entry.oid)
        if isinstance(other.parsed, CreateIndex) and other.parsed.unique and other.parsed.columns
    ]
    for other in unique:
        connection.execute(f"DROP INDEX _vs.i_{other.oid}")
    connection.execute(ddl)
    for other in unique:
        if isinstance(other.parsed, CreateIndex):
            listed = entries.column_list(other.parsed.columns)
            store = entries.table_store(entry.oid)
            connection.execute(f"CREATE UNIQUE INDEX i_{other.oid} ON {store} ({listed})")


def _rename_column(epoch: Epoch, entry: Entry, spec: ColumnSpec, new: str) -> Entry:
    table = tables.declared(entry)
    if any(known.name == new for known in table.columns):
        raise DuplicateColumn(f'column "{new}" of relation "{entry.stored.name}" already exists')
    if any(
        spec.name in columns_in(text)
        for text in (
            *(check.text for check in table.checks),
            *(known.generated_text or "1" for known in table.columns),
        )
    ):
        raise DependentObjects(f'cannot rename column "{spec.name}": an expression reads it')
    _refuse_watermark(table, spec.name, "rename")
    _refuse_readers(epoch, entry, spec.name, "rename")
    if spec.identity is not None:
        raise FeatureNotSupported(f'cannot rename identity column "{spec.name}"')
    store = entries.table_store(entry.oid)
    with_indexes(
        epoch, entry, f"ALTER TABLE {store} RENAME COLUMN {quoted(spec.name)} TO {quoted(new)}"
    )

    def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if name == spec.name else name for name in names)

    columns = tuple(
        replace(known, name=new) if known.name == spec.name else known for known in table.columns
    )
    changed = replace(
        table,
        columns=columns,
        primary_key=renamed(table.primary_key),
        unique=tuple(renamed(names) for names in table.unique),
        version_columns=renamed(table.version_columns),
        references=with_column_renamed(entry, epoch.catalog, spec.name, new),
    )
    follow_column(epoch, entry, spec.name, new)
    save_rights(epoch, column_rights.renamed(epoch.catalog.rights, entry.oid, spec.name, new))
    return _refreshed(epoch, entry, changed)


def _set_not_null(epoch: Epoch, entry: Entry, spec: ColumnSpec, strict: bool) -> Entry:
    store = entries.table_store(entry.oid)
    column = quoted(spec.name)
    found = epoch.connection.rows(f"SELECT 1 FROM {store} WHERE {column} IS NULL LIMIT 1")
    if strict and found:
        raise NotNullViolation(
            f'column "{spec.name}" of relation "{entry.stored.name}" contains null values'
        )
    verb = "SET" if strict else "DROP"
    with_indexes(epoch, entry, f"ALTER TABLE {store} ALTER COLUMN {column} {verb} NOT NULL")
    changed = _respecified(entry, replace(spec, not_null=strict), spec.name)
    return _refreshed(epoch, entry, tables.declared(changed))


def _retype(epoch: Epoch, entry: Entry, spec: ColumnSpec, action: ColumnAction) -> Entry:
    wanted = action.spec
    if wanted is None:
        raise InvalidTableDefinition("ALTER COLUMN TYPE has no type")
    _refuse_watermark(tables.declared(entry), spec.name, "alter type of")
    _refuse_readers(epoch, entry, spec.name, "alter type of")
    if spec.name in tables.declared(entry).primary_key:
        raise FeatureNotSupported(
            f'cannot alter type of column "{spec.name}": it is part of the primary key'
        )
    using = ""
    if action.text is not None:
        connection = epoch.connection
        compiling = Compiling(Names(epoch.catalog, connection.describe), connection)
        tree = parse_expression(tokenize(action.text), action.text)
        using = f" USING {compiling.items([tree], entries.table_store(entry.oid))[0]}"
    store = entries.table_store(entry.oid)
    with_indexes(
        epoch,
        entry,
        f"ALTER TABLE {store} ALTER COLUMN {quoted(spec.name)} TYPE {wanted.store_type}{using}",
    )
    respecified = replace(spec, store_type=wanted.store_type, declared=wanted.declared)
    changed = _respecified(entry, respecified, spec.name)
    return _refreshed(epoch, entry, tables.declared(changed))


def remake_readers(epoch: Epoch, entry: Entry) -> None:
    """Let what reads an object know its new name and columns; plain views are made again."""
    for other in epoch.catalog.dependents(entry.oid):
        scope = bound_scope(other.stored.bindings)
        names = Names(epoch.catalog, epoch.connection.describe, scope)
        parsed = entries.placed(resolved(entries.reparse(other.stored), names), other.stored)
        again = replace(other, parsed=parsed)
        if isinstance(parsed, CreateView) and other.kind == "view":
            plain = Names(epoch.catalog, epoch.connection.describe)
            entries.make_plain_view(other.stored.schema, parsed, plain, epoch.connection)
            relation = entries.view_relation(other.stored, parsed, plain, epoch.connection)
            again = replace(again, relation=relation)
        again = followers.attached(again, lambda one: epoch.catalog.named(one.from_name))
        epoch.catalog = epoch.catalog.with_entry(again)
        if other.kind == "view":
            remake_readers(epoch, again)


# --- names --------------------------------------------------------------------------------------


def alter_object(epoch: Epoch, parsed: AlterObject) -> Outcome:
    """Rename or move an object; what belongs to a cluster is accepted with a NOTICE."""
    tag = f"ALTER {parsed.kind}"
    if parsed.kind in ("SCHEMA", "DATABASE"):
        return _alter_schema(epoch, parsed, tag)
    entry = epoch.catalog.named(parsed.name)
    if entry is None and parsed.if_exists:
        return replace(_skipped(parsed.name), tag=tag)
    entry = epoch.catalog.require(parsed.name)
    if entry.kind != parsed.kind.lower() and not (
        parsed.kind == "TABLE" and entry.kind in ("view", "materialized view", "index")
    ):
        raise WrongObjectType(f'"{entry.stored.name}" is not a {parsed.kind.lower()}')
    match parsed.verb:
        case "RENAME TO":
            _, opened, types = entry.stored.name.partition("(")
            new = parsed.value + opened + types if entry.kind == "function" else parsed.value
            _move(epoch, entry, entry.stored.schema, new)
        case "SET SCHEMA":
            if parsed.value not in epoch.catalog.schemas:
                raise UndefinedSchema(f'schema "{parsed.value}" does not exist')
            _move(epoch, entry, parsed.value, entry.stored.name)
        case "SWAP WITH":
            _swap(epoch, entry, parsed.value)
        case "AS":
            change_secret(epoch, entry, parsed.value)
        case "SOURCE_RATE_LIMIT" | "SINK_RATE_LIMIT":
            limit_rate(epoch, entry, parsed)
        case _:
            remark = f"{tag} … {parsed.value} has no effect: there is one process"
            return Outcome(tag, notices=(Notice(remark),))
    return Outcome(tag)


def _alter_schema(epoch: Epoch, parsed: AlterObject, tag: str) -> Outcome:
    name = parsed.name.name
    if parsed.verb == "IGNORED":
        remark = f"{tag} … {parsed.value} has no effect: there is one process"
        return Outcome(tag, notices=(Notice(remark),))
    if parsed.kind == "DATABASE":
        raise FeatureNotSupported(f"{tag} … {parsed.verb} is not supported")
    if name not in epoch.catalog.schemas:
        raise UndefinedSchema(f'schema "{name}" does not exist')
    if parsed.verb != "RENAME TO":
        raise FeatureNotSupported(f"{tag} … {parsed.verb} is not supported")
    if parsed.value in epoch.catalog.schemas:
        raise DuplicateSchema(f'schema "{parsed.value}" already exists')
    epoch.connection.execute(f"CREATE SCHEMA {quoted(parsed.value)}")
    epoch.catalog = epoch.catalog.with_schema(parsed.value)
    inside = sorted((e for e in epoch.catalog if e.stored.schema == name), key=lambda e: e.oid)
    for entry in inside:  # What moved before may have rewritten it.
        _move(epoch, _as_it_is(epoch, entry), parsed.value, entry.stored.name)
    epoch.connection.execute(f"DROP SCHEMA {quoted(name)}")
    epoch.catalog = epoch.catalog.without_schema(name)
    rename_schema(epoch, name, parsed.value)
    return Outcome(tag)


def _swap(epoch: Epoch, entry: Entry, other_name: str) -> None:
    schema, _, name = other_name.rpartition(".")
    other = epoch.catalog.get(schema or entry.stored.schema, name)
    if other is None:
        raise UndefinedTable(f'relation "{name}" does not exist')
    if other.kind != entry.kind:
        raise WrongObjectType(f'"{name}" is not a {entry.kind}')
    aside = f"_swapped_{entry.oid}"
    first, second = entry.key, other.key
    _move(epoch, entry, first[0], aside)
    _move(epoch, _as_it_is(epoch, other), *first)
    _move(epoch, _as_it_is(epoch, entry), *second)


def _as_it_is(epoch: Epoch, entry: Entry) -> Entry:
    return epoch.catalog.by_oid(entry.oid) or entry


_VIEW = re.compile(r'CREATE VIEW (?:"(?:[^"]|"")*"|[^\s".(]|\.)+', re.IGNORECASE)
_READ = ("table", "source", "view", "materialized view")


def _move(epoch: Epoch, entry: Entry, schema: str, name: str) -> None:
    """Give an object another name. Raises: DuplicateTable."""
    if (schema, name) == entry.key:
        return
    if epoch.catalog.get(schema, name) is not None:
        raise DuplicateTable(f'relation "{name}" already exists')
    refuse_near_name(epoch.catalog.without(entry), schema, name)
    epoch.flush()
    connection = epoch.connection
    stored = replace(entry.stored, schema=schema, name=name)
    parsed = entries.placed(entry.parsed, stored)
    relation = entry.relation
    if relation is not None:
        relation = replace(relation, schema=schema, name=name)
        if entry.kind == "view":
            relation = replace(relation, stored=public_name(schema, name))
    if isinstance(parsed, CreateTable):
        stored = replace(stored, definition=definition(parsed))
        parsed = replace(parsed, text=stored.definition)
    else:
        stored = renamed_itself(stored)
    moved = replace(entry, stored=stored, parsed=parsed, relation=relation)
    before = epoch.catalog
    epoch.catalog = before.without(entry).with_entry(moved)
    if entry.kind in _READ:
        sql = connection.rows(
            "SELECT sql FROM duckdb_views() WHERE schema_name = ? AND view_name = ?",
            list(entry.key),
        )
        connection.execute(f"DROP VIEW {public_name(*entry.key)}")
        found = _VIEW.match(str(sql[0][0]))
        if found is None:
            raise InternalError(f'the view behind "{entry.stored.name}" cannot be read')
        rest = str(sql[0][0])[found.end() :].rstrip().rstrip(";")
        connection.execute(f"CREATE VIEW {public_name(schema, name)} {rest}")
    set_definition(connection, stored)
    follow_table(epoch, before, moved)
    rewrite_readers(epoch, moved)
    remake_readers(epoch, moved)
