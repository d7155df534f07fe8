"""From a statement to a catalog entry: the same road at CREATE and after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from voltstream.core.errors import InternalError
from voltstream.core.schema import Schema
from voltstream.runtime import arrivals, emission
from voltstream.runtime.catalog import Catalog, Entry, Names, Scope, bound_scope, public_name
from voltstream.runtime.python_functions import Define
from voltstream.sql.catalog import Relation, Watermarked
from voltstream.sql.compiler import compile_sink, compile_view
from voltstream.sql.groups import group_columns
from voltstream.sql.inline import SqlFunction
from voltstream.sql.overloads import function_label
from voltstream.sql.parse import parse_statements
from voltstream.sql.program import Program
from voltstream.sql.python_calls import python_body
from voltstream.sql.resolve import resolved
from voltstream.sql.state_ttl import state_ttl_us
from voltstream.sql.statements import (
    CreateFunction,
    CreateIndex,
    CreateSink,
    CreateSource,
    CreateSubscription,
    CreateTable,
    CreateView,
    ObjectName,
    Parsed,
    Query,
)
from voltstream.sql.told import declared_columns, told
from voltstream.sql.translate import translate_query
from voltstream.sql.watermarks import source_watermark
from voltstream.store import hypertable
from voltstream.store.database import Connection, quoted
from voltstream.store.ledger import StoredObject


def delta_name(oid: int) -> str:
    return f"d_{oid}"


def names_of(columns: Schema) -> tuple[str, ...]:
    return tuple(column.name for column in columns)


def column_list(columns: Sequence[str]) -> str:
    return ", ".join(quoted(column) for column in columns)


def reparse(stored: StoredObject) -> Parsed:
    """Read a stored definition again; it was accepted once."""
    found = parse_statements(stored.definition)
    if len(found) != 1:
        raise InternalError(f'the stored definition of "{stored.name}" is not one statement')
    return found[0]


def source_relation(stored: StoredObject, parsed: CreateSource, connection: Connection) -> Relation:
    columns = connection.describe(f"SELECT * FROM {public_name(stored.schema, stored.name)}")
    columns = declared_columns(parsed.columns, columns)
    return Relation(
        oid=stored.oid,
        schema=stored.schema,
        name=stored.name,
        kind="source",
        columns=columns,
        stored=source_store(stored.oid),
        delta=delta_name(stored.oid),
        append_only=True,
        arrival=True,
        stable=names_of(columns),
        watermarks=_watermarks(stored),
    )


def _watermarks(stored: StoredObject) -> tuple[Watermarked, ...]:
    text = stored.properties.get("watermark")
    idles = arrivals.IDLE_TIMEOUT in stored.properties
    return (source_watermark(stored.oid, text, idles=idles),) if text else ()


def source_store(oid: int) -> str:
    """Return where a source's rows are."""
    return f"_vs.src_{oid}"


def table_store(oid: int) -> str:
    """Return where a table's rows are: its public name is a view, so that it can change."""
    return f"_vs.t_{oid}"


def sequence(oid: int, column: str) -> str:
    """Return the sequence behind a serial or identity column."""
    return f"_vs.{quoted(f'seq_{oid}_{column}')}".replace("'", "_")


def make_table_view(stored: StoredObject, relation: Relation, connection: Connection) -> None:
    """Make the name under which queries find a table."""
    connection.execute(
        f"CREATE OR REPLACE VIEW {public_name(stored.schema, stored.name)} AS "
        f"SELECT {column_list(relation.stable)} FROM {relation.stored}"
    )


def table_relation(stored: StoredObject, parsed: CreateTable, connection: Connection) -> Relation:
    name = table_store(stored.oid)
    columns = declared_columns(parsed.columns, connection.describe(f"SELECT * FROM {name}"))
    parted = hypertable.find(connection, stored.oid)
    if parted is not None:
        hypertable.make_views(connection, parted)
        name = f"_vs.h_{stored.oid}"
    return Relation(
        oid=stored.oid,
        schema=stored.schema,
        name=stored.name,
        kind="table",
        columns=columns,
        stored=name,
        delta=delta_name(stored.oid),
        append_only=parsed.append_only,
        key=parsed.primary_key,
        stable=names_of(columns),
        watermarks=_watermarks(stored),
    )


def materialized_relation(
    stored: StoredObject,
    parsed: CreateView,
    program: Program,
    names: Names,
    connection: Connection,
) -> Relation:
    groups = () if parsed.column_names else group_columns(parsed.query)
    columns = connection.describe(f"SELECT * FROM {public_name(stored.schema, stored.name)}")
    columns = told(parsed.query, names, columns)
    return Relation(
        oid=stored.oid,
        schema=stored.schema,
        name=stored.name,
        kind="materialized view",
        columns=columns,
        stored=f"_vs.mv_{stored.oid}_read",
        delta=delta_name(stored.oid),
        append_only=program.append_only,
        groups=groups if set(groups) <= set(program.columns) else (),
        stable=program.columns,
        volatile=program.volatile,
        watermarks=program.watermarks,
    )


def view_relation(
    stored: StoredObject, parsed: CreateView, names: Names, connection: Connection
) -> Relation:
    name = public_name(stored.schema, stored.name)
    columns = told(parsed.query, names, connection.describe(f"SELECT * FROM {name}"))
    return Relation(
        oid=stored.oid,
        schema=stored.schema,
        name=stored.name,
        kind="view",
        columns=columns,
        stored=name,
        delta="",
        append_only=False,
        stable=names_of(columns),
        view_query=parsed.query,
    )


def view_program(oid: int, parsed: CreateView, names: Names, connection: Connection) -> Program:
    return compile_view(
        parsed.name.name,
        oid,
        parsed.query,
        parsed.column_names,
        names,
        connection,
        parsed.query_text,
        on_close=parsed.on_close,
        ttl_us=state_ttl_us(parsed.properties),
    )


def sink_program(oid: int, parsed: CreateSink, names: Names, connection: Connection) -> Program:
    query = parsed.query
    if query is None:
        if parsed.from_name is None:
            raise InternalError("a sink has neither a query nor a relation")
        query = whole(parsed.from_name)
    name = parsed.name.name
    return compile_sink(name, oid, query, names, connection, on_close=parsed.on_close)


def whole(name: ObjectName) -> Any:
    """Return ``SELECT *`` of a relation."""
    source = public_name(name.schema or "public", name.name)
    statement = parse_statements(f"SELECT * FROM {source}")[0]
    if not isinstance(statement, Query):
        raise InternalError("a SELECT was not read as a query")
    return statement.tree


def make_plain_view(schema: str, parsed: CreateView, names: Names, connection: Connection) -> None:
    """Create the DuckDB view behind a plain view, so that its columns are known."""
    sql = translate_query(parsed.query, names, connection, ())
    columns = f" ({column_list(parsed.column_names)})" if parsed.column_names else ""
    connection.execute(
        f"CREATE OR REPLACE VIEW {public_name(schema, parsed.name.name)}{columns} AS {sql}"
    )


def make_base_delta(connection: Connection, relation: Relation) -> None:
    """Create the empty temp delta of a table."""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {relation.delta} AS SELECT "
        f"{column_list(relation.stable)}, 1::INTEGER AS _w FROM {table_store(relation.oid)} LIMIT 0"
    )


def restored(
    stored: StoredObject, catalog: Catalog, connection: Connection, define: Define
) -> Entry:
    """Make the entry of an object found at start. Its tables exist; its temp tables do not."""
    scope = bound_scope(stored.bindings)
    written = Names(catalog, connection.describe, scope)
    parsed = placed(resolved(reparse(stored), written), stored)
    names = Names(catalog, connection.describe, Scope(path=(), pins=scope.pins))
    match parsed:
        case CreateSource():
            relation = source_relation(stored, parsed, connection)
            arrivals.make_arrival_delta(connection, relation, parsed)
            return Entry(stored, parsed, relation)
        case CreateTable():
            relation = table_relation(stored, parsed, connection)
            make_base_delta(connection, relation)
            return Entry(stored, parsed, relation)
        case CreateView(materialized=True):
            program = view_program(stored.oid, parsed, names, connection)
            relation = materialized_relation(stored, parsed, program, names, connection)
            return Entry(stored, parsed, relation, program)
        case CreateView():
            return Entry(stored, parsed, view_relation(stored, parsed, names, connection))
        case CreateSink():
            program = sink_program(stored.oid, parsed, names, connection)
            return Entry(stored, parsed, None, program)
        case CreateSubscription():
            program = subscription_program(stored.oid, parsed, names, connection)
            return Entry(stored, parsed, None, program)
        case CreateFunction():
            return function_entry(stored, parsed, define)
        case _:
            return Entry(stored, parsed)


def subscription_program(
    oid: int, parsed: CreateSubscription, names: Names, connection: Connection
) -> Program:
    query = whole(parsed.from_name)
    return compile_sink(parsed.name.name, oid, query, names, connection)


def placed(parsed: Parsed, stored: StoredObject) -> Parsed:
    """Return a stored definition under the name its object has by now."""
    match parsed:
        case (
            CreateTable()
            | CreateSource()
            | CreateView()
            | CreateSink()
            | CreateFunction()
            | CreateIndex()
            | CreateSubscription()
        ):
            name = function_label(stored.name) if stored.kind == "function" else stored.name
            return replace(parsed, name=ObjectName(name, stored.schema))
        case _:
            return parsed


def function_entry(stored: StoredObject, parsed: CreateFunction, define: Define) -> Entry:
    """Make the entry of a function; what runs in Python is made known by ``define``."""
    body, strict = parsed.body, parsed.strict
    if parsed.language == "python":
        strict = False  # Its process sees to it.
        body = python_body(
            define(parsed),
            1 if parsed.aggregate else len(parsed.parameters),
            parsed.returns or "VARCHAR",
            many=parsed.many,
            volatile=parsed.volatility == "VOLATILE",
        )
    function = SqlFunction(
        parsed.name.name, parsed.parameters, parsed.returns, body,
        many=parsed.many, rows=parsed.rows, strict=strict, aggregate=parsed.aggregate,
    )  # fmt: skip
    return Entry(stored, parsed, function=function)


def with_emission(entry: Entry, connection: Connection) -> Entry:
    """Complete a sink once its temp delta exists."""
    if not isinstance(entry.parsed, CreateSink) or entry.program is None:
        return entry
    if entry.parsed.into is not None:
        return entry
    sql, shape = emission.emit_sql(entry.program, entry.parsed, connection)
    return replace(entry, emit_sql=sql, shape=shape)
