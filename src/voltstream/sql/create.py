"""CREATE statements, word by word; the queries and expressions in them go to sqlglot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from voltstream.core.errors import UndefinedColumn
from voltstream.sql.columns import Columns, parse_columns
from voltstream.sql.create_function import parse_function
from voltstream.sql.create_more import KINDS
from voltstream.sql.cursor import Cursor, split_commas, top_level
from voltstream.sql.dialect import parse_expression, parse_query
from voltstream.sql.include import Inclusion, add_included, parse_includes
from voltstream.sql.options import check_view_options, parse_format, parse_with
from voltstream.sql.shared_sources import CDC, check_origin, parse_origin, shared_columns
from voltstream.sql.source_text import leaves_to_schema
from voltstream.sql.statements import (
    CreateDatabase,
    CreateIndex,
    CreateSchema,
    CreateSink,
    CreateSource,
    CreateTable,
    CreateView,
    ObjectName,
    Origin,
    Parsed,
)


def parse_create(cursor: Cursor, text: str, offset: int) -> Parsed:
    """Parse a statement whose CREATE was read. Raises: SyntaxFault, FeatureNotSupported."""
    replace = cursor.accept("OR REPLACE")
    if cursor.accept("MATERIALIZED VIEW"):
        return _view(cursor, text, offset, materialized=True, replace=replace)
    if cursor.accept("VIEW"):
        return _view(cursor, text, offset, materialized=False, replace=replace)
    if replace:
        if not cursor.sees("FUNCTION"):
            raise cursor.unsupported(f"CREATE OR REPLACE {cursor.word()}")
        cursor.advance()
        return parse_function(cursor, text, offset, replace=True)
    temporary = cursor.accept("TEMPORARY") or cursor.accept("TEMP")
    if temporary and not cursor.sees("SOURCE"):
        raise cursor.unsupported("a temporary object", "Make it in a schema and drop the schema.")
    for words, parse in (*_KINDS, *KINDS):
        if cursor.accept(words):
            return parse(cursor, text, offset)
    if cursor.word() in _KNOWN_ELSEWHERE:
        raise cursor.unsupported(f"CREATE {cursor.word()}")
    raise cursor.fault(hint="CREATE takes SOURCE, TABLE, MATERIALIZED VIEW, VIEW, SINK, INDEX, "
                       "SCHEMA or DATABASE.")  # fmt: skip


def _if_not_exists(cursor: Cursor) -> bool:
    return cursor.accept("IF NOT EXISTS")


def _source(cursor: Cursor, text: str, offset: int) -> CreateSource:
    lenient = _if_not_exists(cursor)
    name = cursor.object_name()
    columns = Columns()
    listed = cursor.sees("(")
    if listed:
        columns = parse_columns(cursor.parenthesized(), cursor.text, source=True)
    inclusions = parse_includes(cursor)
    properties = parse_with(cursor)
    shared = not listed and properties.get("connector", "").lower() == CDC
    if shared:
        columns = shared_columns()
    form, encode = parse_format(cursor, properties)
    inclusions += parse_includes(cursor)
    add_included(columns, inclusions, properties.get("connector", "none").lower())
    cursor.expect_end(hint="WITH ( … ) comes before FORMAT … ENCODE …")
    if columns.watermark is not None:
        properties["watermark"] = columns.watermark
    inferred = leaves_to_schema(columns, encode, properties)
    return CreateSource(
        text=text, offset=offset, name=name, columns=tuple(columns.specs), properties=properties,
        format=form, encode=encode, if_not_exists=lenient, inferred=inferred, shared=shared,
    )  # fmt: skip


def _table(cursor: Cursor, text: str, offset: int) -> CreateTable:
    lenient = _if_not_exists(cursor)
    name = cursor.object_name()
    columns, names = _table_columns(cursor)
    clauses = _table_clauses(cursor)
    add_included(columns, clauses.inclusions, clauses.properties.get("connector", "none").lower())
    query: exp.Expression | None = None
    query_text, with_data = "", True
    if cursor.accept("AS"):
        if columns.specs:
            raise cursor.unsupported("column types in CREATE TABLE … AS", "Cast in the query.")
        tokens, with_data = _without_data_clause(cursor.rest())
        query = parse_query(_required(tokens, cursor), cursor.text)
        query_text = cursor.slice_text(tokens)
    elif names:
        raise cursor.fault(hint="A column is declared with its type.")
    elif clauses.origin is not None:
        check_origin(columns, clauses.properties, cursor)
        clauses.properties["connector"] = CDC
    elif not columns.specs and not columns.likes and "connector" not in clauses.properties:
        raise cursor.unsupported("a table without columns")
    cursor.expect_end()
    if clauses.format == "UPSERT" and not columns.primary_key:
        columns.primary_key = tuple(c.name for c in columns.specs if c.included == "key")
    inferred = leaves_to_schema(columns, clauses.encode, clauses.properties)
    inferred = inferred or (clauses.origin is not None and columns.starred)
    if not columns.likes and not inferred:  # Else only the catalog or a schema knows every column.
        _check_key(columns, cursor)
    return CreateTable(
        text=text, offset=offset, name=name, columns=tuple(columns.specs),
        primary_key=columns.primary_key, properties=clauses.properties,
        unique=tuple(columns.unique), checks=tuple(columns.checks), likes=tuple(columns.likes),
        references=tuple(columns.references),
        query=query,
        query_text=query_text, column_names=names, with_data=with_data,
        append_only=clauses.append_only or clauses.properties.get("appendonly") == "true",
        on_conflict=clauses.on_conflict,
        version_columns=clauses.version_columns, watermark=columns.watermark,
        ttl=columns.ttl, format=clauses.format, encode=clauses.encode,
        if_not_exists=lenient, inferred=inferred, origin=clauses.origin,
    )  # fmt: skip


def _table_columns(cursor: Cursor) -> tuple[Columns, tuple[str, ...]]:
    """Read declared columns, or the bare names that CREATE TABLE (a, b) AS gives."""
    if not cursor.sees("("):
        return Columns(), ()
    tokens = cursor.parenthesized()
    parts = split_commas(tokens)
    if parts and all(len(part) == 1 and part[0].text != "*" for part in parts):
        return Columns(), tuple(Cursor(part, cursor.text).identifier() for part in parts)
    return parse_columns(tokens, cursor.text, source=False), ()


@dataclass(slots=True)
class _Clauses:
    """What may follow a table's columns, in any order."""

    properties: dict[str, str] = field(default_factory=dict)
    inclusions: list[Inclusion] = field(default_factory=list)
    append_only: bool = False
    on_conflict: str = "OVERWRITE"
    version_columns: tuple[str, ...] = ()
    format: str = "PLAIN"
    encode: str = "JSON"
    origin: Origin | None = None


def _table_clauses(cursor: Cursor) -> _Clauses:
    clauses = _Clauses()
    while not cursor.done and not cursor.sees("AS"):
        if cursor.accept("APPEND ONLY"):
            clauses.append_only = True
        elif cursor.accept("ON CONFLICT"):
            clauses.on_conflict = _conflict(cursor)
        elif cursor.accept("WITH VERSION COLUMN"):
            clauses.version_columns = cursor.name_list()
        elif cursor.word() == "WITH" and cursor.word(1) == "(":
            clauses.properties.update(parse_with(cursor))
        elif cursor.sees("FORMAT") or cursor.sees("ROW FORMAT"):
            clauses.format, clauses.encode = parse_format(cursor, clauses.properties)
        elif cursor.sees("INCLUDE"):
            clauses.inclusions += parse_includes(cursor)
        elif cursor.accept("ENGINE"):
            cursor.accept("=")
            if cursor.identifier().lower() != "hummock":
                raise cursor.unsupported("ENGINE", "A sink writes to other engines.")
        elif cursor.accept("FROM"):
            clauses.origin = parse_origin(cursor)
        else:
            raise cursor.fault()
    return clauses


def _conflict(cursor: Cursor) -> str:
    for words, behaviour in _CONFLICTS:
        if cursor.accept(words):
            return behaviour
    raise cursor.fault(hint="ON CONFLICT takes OVERWRITE, IGNORE or DO UPDATE IF NOT NULL.")


_CONFLICTS = (
    ("OVERWRITE", "OVERWRITE"),
    ("DO UPDATE FULL", "OVERWRITE"),
    ("DO UPDATE IF NOT NULL", "IF NOT NULL"),
    ("IGNORE", "IGNORE"),
    ("DO NOTHING", "IGNORE"),
)


def _check_key(columns: Columns, cursor: Cursor) -> None:
    names = {spec.name for spec in columns.specs}
    for column in (*columns.primary_key, *(name for names_ in columns.unique for name in names_)):
        if column not in names:
            raise UndefinedColumn(f'column "{column}" named in key does not exist',
                                  position=cursor.tokens[0].start + 1)  # fmt: skip


def _required(tokens: list[Token], cursor: Cursor) -> list[Token]:
    if not tokens:
        raise cursor.fault()
    return tokens


def _without_data_clause(tokens: list[Token]) -> tuple[list[Token], bool]:
    words = [token.text.upper() for token in tokens[-3:]]
    if words == ["WITH", "NO", "DATA"]:
        return tokens[:-3], False
    if words[1:] == ["WITH", "DATA"]:
        return tokens[:-2], True
    return tokens, True


def _view(
    cursor: Cursor, text: str, offset: int, *, materialized: bool, replace: bool
) -> CreateView:
    lenient = _if_not_exists(cursor)
    return view_after_name(
        cursor, text, offset, cursor.object_name(),
        materialized=materialized, replace=replace, lenient=lenient,
    )  # fmt: skip


def view_after_name(
    cursor: Cursor, text: str, offset: int, name: ObjectName,
    *, materialized: bool, replace: bool, lenient: bool = False, requeries: bool = False,
) -> CreateView:  # fmt: skip
    """Parse what makes a view, its name read."""
    column_names = cursor.name_list() if cursor.sees("(") else ()
    properties = parse_with(cursor)
    early = cursor.accept("EMIT ON WINDOW CLOSE")  # Where the clause stands is the writer's choice.
    properties.update({} if properties else parse_with(cursor))
    if materialized:
        check_view_options(properties)
    cursor.expect("AS")
    tokens, _ = _without_data_clause(cursor.rest())  # A view is always filled: data are exact.
    emit = top_level(tokens, ("EMIT", "ON", "WINDOW", "CLOSE"))
    on_close = early or emit is not None
    if on_close and not materialized:
        raise cursor.unsupported("EMIT ON WINDOW CLOSE of a plain view")
    tokens = tokens if emit is None else tokens[:emit]
    query = parse_query(_required(tokens, cursor), cursor.text)
    continuous = any(
        properties.get(f"{prefix}.continuous", "false").lower() == "true"
        for prefix in ("timescaledb", "tsdb")
    )
    return CreateView(
        text=text, offset=offset, name=name, query=query, query_text=cursor.slice_text(tokens),
        column_names=column_names, materialized=materialized, continuous=continuous,
        or_replace=replace, on_close=on_close, if_not_exists=lenient, requeries=requeries,
        properties=properties,
    )  # fmt: skip


def _sink(cursor: Cursor, text: str, offset: int) -> CreateSink:
    lenient = _if_not_exists(cursor)
    name = cursor.object_name()
    emit: int | None = None
    into: ObjectName | None = None
    into_columns: tuple[str, ...] = ()
    if cursor.accept("INTO"):
        into = cursor.object_name()
        into_columns = cursor.name_list() if cursor.sees("(") else ()
    query: exp.Expression | None = None
    from_name: ObjectName | None = None
    if cursor.accept("FROM"):
        if cursor.sees("("):
            query = parse_query(_required(cursor.parenthesized(), cursor), cursor.text)
        else:
            from_name = cursor.object_name()
    else:
        cursor.expect("AS", hint="A sink takes FROM name, FROM (query) or AS query.")
        # The query has no bracket around it: it ends where the last WITH ( … ) begins.
        left = cursor.tokens[cursor.at :]
        end = top_level(left, ("WITH", "("))
        end = len(left) if end is None else end
        emit = top_level(left[:end], ("EMIT", "ON", "WINDOW", "CLOSE"))
        query = parse_query(_required(list(left[: emit or end]), cursor), cursor.text)
        cursor.at += end
    properties = parse_with(cursor)
    form, encode = parse_format(cursor, properties)
    cursor.expect_end(hint="WITH ( … ) comes before FORMAT … ENCODE …")
    return CreateSink(
        text=text, offset=offset, name=name, query=query, from_name=from_name,
        properties=properties, format=form, encode=encode, on_close=emit is not None,
        if_not_exists=lenient, into=into, into_columns=into_columns,
    )  # fmt: skip


def _schema(cursor: Cursor, text: str, offset: int) -> CreateSchema:
    lenient = _if_not_exists(cursor)
    name = cursor.identifier()
    _skip_owner(cursor)
    return CreateSchema(text=text, offset=offset, name=name, if_not_exists=lenient)


def _database(cursor: Cursor, text: str, offset: int) -> CreateDatabase:
    lenient = _if_not_exists(cursor)
    name = cursor.identifier()
    _skip_owner(cursor)
    return CreateDatabase(text=text, offset=offset, name=name, if_not_exists=lenient)


_DATABASE_OPTIONS = (
    "OWNER", "ENCODING", "TEMPLATE", "LC_COLLATE", "LC_CTYPE", "RESOURCE_GROUP",
    "BARRIER_INTERVAL_MS", "CHECKPOINT_FREQUENCY",
)  # fmt: skip


def _skip_owner(cursor: Cursor) -> None:
    cursor.accept("WITH")
    if cursor.accept("AUTHORIZATION"):
        cursor.identifier()
    while not cursor.done:  # One owner, UTF-8 and one process here.
        if cursor.word() not in _DATABASE_OPTIONS:
            raise cursor.fault()
        cursor.advance()
        cursor.accept("=")
        cursor.advance()


def _index(cursor: Cursor, text: str, offset: int, *, unique: bool = False) -> CreateIndex:
    cursor.accept("CONCURRENTLY")
    lenient = _if_not_exists(cursor)
    name = None if cursor.sees("ON") else cursor.object_name()
    cursor.expect("ON")
    cursor.accept("ONLY")
    table = cursor.object_name()
    if cursor.accept("USING"):
        cursor.identifier()
    if not cursor.sees("("):
        raise cursor.fault()
    keys: list[tuple[str, str]] = []
    names: list[str] = []
    for part in split_commas(cursor.parenthesized()):
        end = len(part)
        while end and part[end - 1].text.upper() in ("ASC", "DESC", "NULLS", "FIRST", "LAST"):
            end -= 1
        order = "DESC" if any(token.text.upper() == "DESC" for token in part[end:]) else "ASC"
        shown, named = _index_key(_required(part[:end], cursor), cursor)
        names.append(shown if named else "expr")
        keys.append((shown, order))
    include = cursor.name_list() if cursor.accept("INCLUDE") else ()
    distributed: tuple[str, ...] = ()
    if cursor.accept("DISTRIBUTED BY"):
        parts = split_commas(cursor.parenthesized())
        distributed = tuple(_index_key(part, cursor)[0] for part in parts)
    if cursor.sees("WHERE"):
        raise cursor.unsupported("a partial index", "Index a materialized view of those rows.")
    parse_with(cursor)
    cursor.expect_end()
    name = name or ObjectName("_".join([table.name, *names, "idx"]), table.schema)
    return CreateIndex(
        text=text, offset=offset, name=name, table=table, unique=unique, if_not_exists=lenient,
        keys=tuple(keys), columns=tuple(n for n in names if n != "expr"), include=include,
        distributed=distributed,
    )  # fmt: skip


def _index_key(tokens: list[Token], cursor: Cursor) -> tuple[str, bool]:
    """Return a column's name, or an expression's text, and whether it is a column."""
    key = parse_expression(tokens, cursor.text)
    named = isinstance(key, exp.Column)
    return (key.name if named else cursor.slice_text(tokens)), named


def _unique_index(cursor: Cursor, text: str, offset: int) -> CreateIndex:
    return _index(cursor, text, offset, unique=True)


_KINDS: tuple[tuple[str, Callable[[Cursor, str, int], Parsed]], ...] = (
    ("SOURCE", _source),
    ("TABLE", _table),
    ("SINK", _sink),
    ("SCHEMA", _schema),
    ("DATABASE", _database),
    ("UNIQUE INDEX", _unique_index),
    ("INDEX", _index),
)
_KNOWN_ELSEWHERE = (
    "PROCEDURE", "TRIGGER", "TYPE", "DOMAIN", "SEQUENCE", "EXTENSION", "UNLOGGED", "RULE", "POLICY",
    "PUBLICATION", "SERVER", "CAST", "OPERATOR", "RECURSIVE", "FOREIGN", "GLOBAL",
    "LOCAL",
)  # fmt: skip
