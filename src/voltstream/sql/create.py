"""CREATE statements, word by word; the queries and expressions in them go to sqlglot."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from voltstream.core.errors import SyntaxFault
from voltstream.sql.columns import Columns, parse_columns, quoted, table_sql
from voltstream.sql.cursor import Cursor, split_commas, top_level
from voltstream.sql.dialect import parse_expression, parse_query, store_sql
from voltstream.sql.options import parse_format, parse_with
from voltstream.sql.statements import (
    CreateDatabase,
    CreateIndex,
    CreateSchema,
    CreateSink,
    CreateSource,
    CreateTable,
    CreateView,
    ObjectName,
    Parsed,
)


def qualified(name: ObjectName) -> str:
    """Return a name as the store finds it."""
    return f"{quoted(name.schema or 'public')}.{quoted(name.name)}"


def parse_create(cursor: Cursor, text: str, offset: int) -> Parsed:
    """Parse a statement whose CREATE was read. Raises: SyntaxFault, FeatureNotSupported."""
    replace = cursor.accept("OR REPLACE")
    if cursor.accept("MATERIALIZED VIEW"):
        return _view(cursor, text, offset, materialized=True, replace=replace)
    if cursor.accept("VIEW"):
        return _view(cursor, text, offset, materialized=False, replace=replace)
    if replace:
        raise cursor.unsupported(f"CREATE OR REPLACE {cursor.word()}")
    for words, parse in _KINDS:
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
    if cursor.sees("("):
        columns = parse_columns(cursor.parenthesized(), cursor.text, source=True)
    if cursor.sees("INCLUDE"):
        raise cursor.unsupported("INCLUDE")
    properties = parse_with(cursor)
    form, encode = parse_format(cursor, properties)
    cursor.expect_end(hint="WITH ( … ) comes before FORMAT … ENCODE …")
    if columns.watermark is not None:
        properties["watermark"] = columns.watermark
    return CreateSource(
        text=text, offset=offset, name=name, columns=tuple(columns.specs), properties=properties,
        format=form, encode=encode, if_not_exists=lenient,
    )  # fmt: skip


def _table(cursor: Cursor, text: str, offset: int) -> CreateTable:
    lenient = _if_not_exists(cursor)
    name = cursor.object_name()
    columns = Columns()
    if cursor.sees("("):
        columns = parse_columns(cursor.parenthesized(), cursor.text, source=False)
        if not columns.specs:
            raise cursor.unsupported("a table without columns")
    properties = parse_with(cursor)
    if cursor.sees("FORMAT") or cursor.sees("INCLUDE") or cursor.sees("APPEND ONLY"):
        raise cursor.unsupported(
            f"{cursor.word()} in CREATE TABLE", "Use CREATE SOURCE for a stream."
        )
    query: exp.Expression | None = None
    store_ddl = table_sql(qualified(name), columns)
    if cursor.accept("AS"):
        if columns.specs:
            raise cursor.unsupported("CREATE TABLE (columns) AS")
        tokens, with_data = _without_data_clause(cursor.rest())
        query = parse_query(_required(tokens, cursor), cursor.text)
        suffix = "" if with_data else " WITH NO DATA"
        store_ddl = f"CREATE TABLE {qualified(name)} AS {store_sql(query)}{suffix}"
    elif not columns.specs:
        raise cursor.fault()
    cursor.expect_end()
    _check_key(columns, cursor)
    return CreateTable(
        text=text, offset=offset, name=name, columns=tuple(columns.specs),
        primary_key=columns.primary_key, store_sql=store_ddl, properties=properties, query=query,
        if_not_exists=lenient,
    )  # fmt: skip


def _check_key(columns: Columns, cursor: Cursor) -> None:
    names = {spec.name for spec in columns.specs}
    for column in columns.primary_key:
        if column not in names:
            raise SyntaxFault(f'column "{column}" named in key does not exist',
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
    name = cursor.object_name()
    column_names = cursor.name_list() if cursor.sees("(") else ()
    properties = parse_with(cursor)
    cursor.expect("AS")
    tokens, _ = _without_data_clause(cursor.rest())  # A view is always filled: data are exact.
    emit = top_level(tokens, ("EMIT", "ON", "WINDOW", "CLOSE"))
    if emit is not None and not materialized:
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
        or_replace=replace, on_close=emit is not None, if_not_exists=lenient,
        properties=properties,
    )  # fmt: skip


def _sink(cursor: Cursor, text: str, offset: int) -> CreateSink:
    lenient = _if_not_exists(cursor)
    name = cursor.object_name()
    emit: int | None = None
    if cursor.sees("INTO"):
        raise cursor.unsupported("CREATE SINK … INTO")
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
        if_not_exists=lenient,
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


def _skip_owner(cursor: Cursor) -> None:
    cursor.accept("WITH")
    if cursor.accept("AUTHORIZATION"):
        cursor.identifier()
    while not cursor.done:  # OWNER, ENCODING, TEMPLATE: one owner, UTF-8 and no templates here.
        if cursor.word() not in ("OWNER", "ENCODING", "TEMPLATE", "LC_COLLATE", "LC_CTYPE"):
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
    keys, names = [], []
    for part in split_commas(cursor.parenthesized()):
        end = len(part)
        while end and part[end - 1].text.upper() in ("ASC", "DESC", "NULLS", "FIRST", "LAST"):
            end -= 1  # The store's index has no order.
        key = parse_expression(_required(part[:end], cursor), cursor.text)
        names.append(key.name if isinstance(key, exp.Column) else "expr")
        keys.append(store_sql(key) if isinstance(key, exp.Column) else f"({store_sql(key)})")
    if cursor.accept("INCLUDE"):
        cursor.name_list()
    if cursor.sees("WHERE"):
        raise cursor.unsupported("a partial index")
    parse_with(cursor)
    cursor.expect_end()
    name = name or ObjectName("_".join([table.name, *names, "idx"]), table.schema)
    kind = "UNIQUE INDEX" if unique else "INDEX"
    return CreateIndex(
        text=text, offset=offset, name=name, table=table, unique=unique, if_not_exists=lenient,
        store_sql=f"CREATE {kind} {quoted(name.name)} ON {qualified(table)} ({', '.join(keys)})",
    )  # fmt: skip


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
    "FUNCTION", "PROCEDURE", "TRIGGER", "TYPE", "DOMAIN", "SEQUENCE", "EXTENSION", "ROLE", "USER",
    "SUBSCRIPTION", "CONNECTION", "SECRET", "TEMP", "TEMPORARY", "UNLOGGED", "RULE", "POLICY",
    "PUBLICATION", "SERVER", "AGGREGATE", "CAST", "OPERATOR", "RECURSIVE", "FOREIGN", "GLOBAL",
    "LOCAL",
)  # fmt: skip
