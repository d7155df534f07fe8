"""Queries that call functions of chunks among other things: SELECT count(compress_chunk(c)) FROM …

A function of one chunk answers the chunk's name, which is its argument, alter_job the job's number,
and delete_job nothing; so a query's answer is known before its calls are made, and what they change
changes nothing in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from voltstream.core.errors import FeatureNotSupported, UndefinedFunction
from voltstream.sql.calls import OF_CHUNKS
from voltstream.sql.dialect import parse_query, store_sql, tokenize
from voltstream.sql.statements import Call, Query

_OF_ROWS = OF_CHUNKS | {"alter_job", "delete_job"}
_OF_TABLES = frozenset({"show_chunks", "drop_chunks"})  # They return chunks; drop_chunks drops.


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkQuery(Query):
    """A query with calls of functions of chunks."""


@dataclass(frozen=True, slots=True)
class RowCalls:
    """Calls of one function: ``arguments`` is a query for what each is given, ``names`` how."""

    function: str
    names: tuple[str | None, ...]
    arguments: Query


def with_chunk_calls(query: Query) -> Query:
    """Return the query as one with calls, if it has any."""
    if type(query) is not Query or next(_found(query.tree, _OF_ROWS | _OF_TABLES), None) is None:
        return query
    return ChunkQuery(text=query.text, offset=query.offset, tree=query.tree)


def opened(parsed: ChunkQuery, answer: Callable[[Call], Sequence[str]]) -> ChunkQuery:
    """Put the chunks that functions of tables return in the places of their calls."""
    tree = parsed.tree.copy()
    for node in list(_found(tree, _OF_TABLES)):
        _replace_set(node, answer(_call(parsed, node)))
    return ChunkQuery(text=parsed.text, offset=parsed.offset, tree=tree)


def split(parsed: ChunkQuery) -> tuple[Query, list[RowCalls]]:
    """Return the query with chunks in the places of calls, and the calls.

    Raises: FeatureNotSupported (0A000) where a call stands outside of select lists.
    """
    tree = parsed.tree.copy()
    found: list[tuple[exp.Select, str, bool, list[tuple[str | None, exp.Expression]]]] = []
    for node in list(_found(tree, _OF_ROWS)):
        name, select = node.name.lower(), node.find_ancestor(exp.Select)
        if not isinstance(select, exp.Select) or not node.expressions:
            raise UndefinedFunction(f"function {name}() does not exist")
        if not any(one is node for item in select.expressions for one in item.walk()):
            raise FeatureNotSupported(
                f"{name}() is supported in a select list only",
                hint="SELECT compress_chunk(c) FROM show_chunks('t') AS c WHERE …",
            )
        given = [_named(part) for part in node.expressions]
        summed = node.find_ancestor(exp.AggFunc, exp.Select) is not select
        found.append((select, name, summed, given))
        answer = _answer(name, given[0][1].copy())
        bare = any(item is node for item in select.expressions)
        node.replace(exp.alias_(answer, name, quoted=True) if bare else answer)
    calls = [
        RowCalls(
            name,
            tuple(key for key, _ in given),
            _arguments(parsed, select, [value for _, value in given], summed=summed),
        )
        for select, name, summed, given in found
    ]
    return Query(text=parsed.text, offset=parsed.offset, tree=tree), calls


def _answer(name: str, first: exp.Expression) -> exp.Expression:
    match name:
        case "alter_job":
            return exp.cast(first, "INTEGER")
        case "delete_job":
            return exp.cast(exp.Literal.string(""), "TEXT")
        case _:
            return exp.cast(first, "TEXT")


def row_call(parsed: ChunkQuery, calls: RowCalls, given: Sequence[object]) -> Call:
    """Return the call for one row."""
    texts = [
        (name, _spelled(value))
        for name, value in zip(calls.names, given[-len(calls.names) :], strict=True)
    ]
    return Call(
        text=parsed.text, offset=parsed.offset, function=calls.function,
        arguments=tuple(text for name, text in texts if name is None),
        named_arguments={name: text for name, text in texts if name is not None},
    )  # fmt: skip


def _spelled(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case bool() | int():
            return str(value)
        case tuple() if len(value) == 3:  # An interval: months, days and nanoseconds.
            months, days, ns = value
            return f"INTERVAL '{months} months {days} days {ns // 1000} microseconds'"
        case _:
            return "'" + str(value).replace("'", "''") + "'"


def _found(tree: exp.Expression, names: frozenset[str]) -> Iterator[exp.Anonymous]:
    for node in tree.find_all(exp.Anonymous):
        if node.name.lower() in names:
            yield node


def _call(parsed: ChunkQuery, node: exp.Anonymous) -> Call:
    given = [_named(part) for part in node.expressions]
    return Call(
        text=parsed.text, offset=parsed.offset, function=node.name.lower(),
        arguments=tuple(store_sql(value) for name, value in given if name is None),
        named_arguments={name: store_sql(value) for name, value in given if name is not None},
    )  # fmt: skip


def _named(part: exp.Expression) -> tuple[str | None, exp.Expression]:
    """Return an argument and its name; of a regclass, the text that names a relation."""
    name = None
    if isinstance(part, exp.Kwarg | exp.PropertyEQ):
        name, part = part.this.name.lower(), part.expression
    is_name = isinstance(part, exp.Cast) and part.to.sql().lower() in ("regclass", "name")
    return name, part.this if is_name else part


def _replace_set(node: exp.Anonymous, names: Sequence[str]) -> None:
    listed = ", ".join(_spelled(name) for name in names)
    array = f"CAST(ARRAY[{listed}] AS TEXT[])"
    if not isinstance(node.parent, exp.Table):
        node.replace(_query_of(f"SELECT unnest({array})").expressions[0].unalias())
        return
    table = node.parent
    alias = table.alias or node.name.lower()
    rows = _query_of(f"SELECT * FROM (SELECT unnest({array}) AS {alias}) AS {alias}")
    source = rows.args["from_"].this
    if table.args.get("alias") is not None:
        source.set("alias", table.args["alias"].copy())
    table.replace(source)


def _query_of(text: str) -> exp.Expression:
    return parse_query(tokenize(text), text)


def _arguments(
    parsed: ChunkQuery, select: exp.Select, given: Sequence[exp.Expression], *, summed: bool
) -> Query:
    """Return a query whose last columns are the arguments of a call, a row for each time."""
    asked = select.copy()
    outputs = [exp.alias_(one.copy(), f"_given_{n}", quoted=True) for n, one in enumerate(given)]
    if summed:
        for clause in ("group", "having", "order", "limit", "offset", "distinct"):
            asked.set(clause, None)
        asked.set("expressions", outputs)
    else:
        asked.set("expressions", [*asked.expressions, *outputs])
    return Query(text=parsed.text, offset=parsed.offset, tree=asked)
