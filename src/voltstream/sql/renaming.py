"""The text of a definition after an object that it names was renamed or moved.

Law: only names change; everything else stays as it was typed. A relation that was read under its
own name keeps that name as its alias, as PostgreSQL writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from voltstream.sql.cursor import Cursor
from voltstream.sql.dialect import tokenize
from voltstream.sql.parse import parse_statements
from voltstream.sql.relation_names import mentions
from voltstream.sql.statements import (
    CreateIndex,
    CreateSink,
    CreateSubscription,
    CreateTable,
    CreateView,
    Parsed,
)

Named = Callable[[str | None, str], bool]
_Edit = tuple[int, int, str]  # The first and the last character that go, and what comes.
_KINDS = ("MATERIALIZED VIEW", "VIEW", "TABLE", "SOURCE", "SINK", "INDEX", "SUBSCRIPTION")


def with_own_name(definition: str, name: str) -> str:
    """Return a CREATE statement for an object of another name; its schema is not written."""
    cursor = Cursor(tokenize(definition), definition)
    cursor.accept("CREATE")
    cursor.accept("OR REPLACE")
    cursor.accept("UNIQUE")
    if not any(cursor.accept(kind) for kind in _KINDS):
        return definition
    cursor.accept("IF NOT EXISTS")
    first = cursor.token
    cursor.object_name()
    last = cursor.tokens[cursor.at - 1]
    if first is None:
        return definition
    return _edited(definition, [(first.start, last.end, spelled(name))])


def with_relation(definition: str, named: Named, schema: str, name: str) -> str:
    """Return a definition that reads a relation where it is now.

    Shape: ``named`` tells whether (schema or None, name) as written means the relation.
    """
    (parsed,) = parse_statements(definition)
    edits = [edit for tree in _queries(parsed) for edit in _in_query(tree, named, schema, name)]
    edits += _in_clauses(parsed, definition, named, schema, name)
    return _edited(definition, edits)


def spelled(name: str) -> str:
    """Write a name so that it is read as itself."""
    plain = name.isidentifier() and name == name.lower() and name.isascii()
    tokens = tokenize(name) if plain else []
    if len(tokens) == 1 and tokens[0].token_type == TokenType.VAR:
        return name
    return '"' + name.replace('"', '""') + '"'


def _queries(parsed: Parsed) -> Iterator[exp.Expression]:
    match parsed:
        case CreateView(query=query):
            yield query
        case CreateSink(query=query) | CreateTable(query=query) if query is not None:
            yield query
        case _:
            return


def _in_query(tree: exp.Expression, named: Named, schema: str, name: str) -> Iterator[_Edit]:
    for mention in mentions(tree):
        if named(mention.schema, mention.name):
            path = _path(mention.schema or "", schema, name)
            if mention.bare and name != mention.name:
                path += f" AS {spelled(mention.name)}"
            yield (mention.start, mention.end, path)


def _path(written_schema: str, schema: str, name: str) -> str:
    """Write where a relation is; without a schema where it had none and needs none."""
    if not written_schema and schema == "public":
        return spelled(name)
    return f"{spelled(schema)}.{spelled(name)}"


def _in_clauses(
    parsed: Parsed, definition: str, named: Named, schema: str, name: str
) -> Iterator[_Edit]:
    """Find names outside queries: a sink's FROM and INTO, a subscription's FROM, an index's ON."""
    wanted = {
        CreateSink: {"FROM", "INTO"},
        CreateSubscription: {"FROM"},
        CreateIndex: {"ON"},
    }.get(type(parsed), set())
    inside = isinstance(parsed, CreateSink) and parsed.query is not None
    tokens = tokenize(definition)
    for place, token in enumerate(tokens):
        word = "" if token.token_type == TokenType.IDENTIFIER else token.text.upper()
        if word not in wanted or (inside and word == "FROM"):
            continue
        yield from _after(tokens, place + 1, definition, named, schema, name)
        wanted = wanted - {word}


def _after(
    tokens: list[Token], place: int, definition: str, named: Named, schema: str, name: str
) -> Iterator[_Edit]:
    cursor = Cursor(tokens, definition)
    cursor.at = place
    first = cursor.token
    if first is None:
        return
    written = cursor.object_name()
    if named(written.schema, written.name):
        last = tokens[cursor.at - 1]
        yield (first.start, last.end, _path(written.schema or "", schema, name))


def _edited(text: str, edits: list[_Edit]) -> str:
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end + 1 :]
    return text
