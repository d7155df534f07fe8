"""Administrative functions: SELECT f(…), SELECT * FROM f(…) and CALL f(…) with nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from voltstream.core.errors import WrongObjectType
from voltstream.sql.cursor import Cursor, split_commas
from voltstream.sql.dialect import parse_expression, store_sql
from voltstream.sql.statements import Call

_PROCEDURES = frozenset({
    "add_columnstore_policy", "remove_columnstore_policy", "refresh_continuous_aggregate",
    "convert_to_columnstore", "convert_to_rowstore", "run_job",
})  # fmt: skip
_FUNCTIONS = frozenset({
    "create_hypertable", "add_dimension", "set_chunk_time_interval", "set_integer_now_func",
    "set_number_partitions", "show_chunks", "drop_chunks", "compress_chunk", "decompress_chunk",
    "add_retention_policy", "remove_retention_policy", "add_compression_policy",
    "remove_compression_policy", "add_continuous_aggregate_policy",
    "remove_continuous_aggregate_policy", "add_reorder_policy", "remove_reorder_policy",
    "add_tiering_policy", "remove_tiering_policy", "tier_chunk", "untier_chunk", "add_job",
    "alter_job", "delete_job", "enable_chunk_skipping", "disable_chunk_skipping",
    "attach_tablespace", "detach_tablespace", "replay_dead_letters",
    "voltstream_backup", "voltstream_verify", "drop_dead_letters",
})  # fmt: skip

COMMAND_PREFIX = "ocpp_"  # Commands to charge points; which there are the gateway knows.

_DIMENSIONS = frozenset({"by_range", "by_hash"})
OF_CHUNKS = frozenset({
    "compress_chunk", "decompress_chunk", "tier_chunk", "untier_chunk",
})  # fmt: skip


def lone_call(cursor: Cursor, text: str, offset: int) -> Call | None:
    """Return the call when the whole statement is one administrative call, else None.

    Raises: WrongObjectType when a procedure is selected, as PostgreSQL does.
    """
    start = cursor.at
    if not cursor.accept("SELECT"):
        return None
    starred = cursor.accept("*") and cursor.accept("FROM")
    place = cursor.token
    call = None
    if place is not None and (starred or not cursor.sees("*")):
        call = _call(cursor, text, offset)
    cursor.at = start
    if call is not None and call.function in _PROCEDURES:
        raise WrongObjectType(
            f"{call.function} is a procedure", hint="To call a procedure, use CALL.",
            position=place.start + 1 if place else None,
        )  # fmt: skip
    return call


def parse_call(cursor: Cursor, text: str, offset: int) -> Call:
    """Parse CALL f(…). Raises: SyntaxFault, FeatureNotSupported for an unknown procedure."""
    place = cursor.at
    call = _call(cursor, text, offset)
    if call is None:
        cursor.at = place
        name = cursor.object_name()
        if not cursor.sees("("):
            raise cursor.fault()
        cursor.parenthesized()
        cursor.expect_end()
        cursor.at = place
        raise cursor.unsupported(f"the procedure {name.name}")
    return call


def _call(cursor: Cursor, text: str, offset: int) -> Call | None:
    # SELECT create_hypertable(…): a name, one bracket that closes at the end, nothing after.
    if cursor.token is None or not (
        cursor.token.token_type == TokenType.IDENTIFIER or cursor.word()[:1].isalpha()
    ):
        return None
    last = 0
    while cursor.word(last + 1) == ".":
        last += 2
    if cursor.word(last) == "*":  # SELECT t.*
        return None
    name = cursor.object_name().name
    known = name in _FUNCTIONS | _PROCEDURES or name.startswith(COMMAND_PREFIX)
    if not known or not cursor.sees("("):
        return None
    whole = cursor.closing() == len(cursor.tokens) - 1
    if not whole and name not in OF_CHUNKS:
        return None
    call = _given(name, split_commas(cursor.parenthesized()), cursor.text, text, offset)
    chunks = None if whole else _chunks(cursor, text, offset)
    return call if whole else replace(call, chunks=chunks) if chunks is not None else None


def _given(name: str, parts: Sequence[Sequence[Token]], read: str, text: str, offset: int) -> Call:
    """Return a call of a function; ``read`` is what the tokens were made of."""
    positional: list[str] = []
    named: dict[str, str] = {}
    dimension: Call | None = None
    for part in parts:
        is_named = len(part) > 2 and part[1].text in ("=>", ":=")
        value = part[2:] if is_named else part
        if value and value[0].text.lower() in _DIMENSIONS and name not in _DIMENSIONS:
            inside = Cursor(value, read)
            built = inside.object_name().name
            dimension = _given(built, split_commas(inside.parenthesized()), read, text, offset)
        if is_named:
            named[part[0].text.lower()] = _argument(value, read)
        else:
            positional.append(_argument(value, read))
    return Call(
        text=text, offset=offset, function=name, arguments=tuple(positional),
        named_arguments=named, dimension=dimension,
    )  # fmt: skip


def _chunks(cursor: Cursor, text: str, offset: int) -> Call | None:
    """Read FROM show_chunks(…) alias, as in SELECT compress_chunk(c) FROM show_chunks('t') c."""
    if not cursor.accept("FROM"):
        return None
    place = cursor.at
    if cursor.object_name().name != "show_chunks" or not cursor.sees("("):
        return None
    end = cursor.closing()
    rest = Cursor(cursor.tokens[end + 1 :], cursor.text)
    if not rest.done:
        rest.accept("AS")
        rest.identifier()
        if rest.sees("("):
            rest.parenthesized()
        if rest.accept("ORDER BY"):
            rest.rest()
    if not rest.done:
        return None
    return _call(Cursor(cursor.tokens[place : end + 1], cursor.text), text, offset)


def _argument(tokens: Sequence[Token], text: str) -> str:
    tree = parse_expression(tokens, text)
    # 'meter_values'::regclass: a relation's name is all these functions want of it.
    if isinstance(tree, exp.Cast) and tree.to.sql().lower() in ("regclass", "name"):
        tree = tree.this
    return store_sql(tree)
