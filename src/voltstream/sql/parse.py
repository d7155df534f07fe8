"""A message's text to its statements: the front of the compiler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from voltstream.core.errors import FeatureNotSupported
from voltstream.sql.alter import parse_comment, parse_drop, parse_truncate
from voltstream.sql.altering import parse_alter
from voltstream.sql.calls import lone_call, parse_call
from voltstream.sql.channels import parse_listen, parse_notify, parse_unlisten
from voltstream.sql.chunk_queries import with_chunk_calls
from voltstream.sql.copying import parse_copy
from voltstream.sql.create import parse_create
from voltstream.sql.cursor import Cursor
from voltstream.sql.cursors import parse_close, parse_declare, parse_fetch
from voltstream.sql.dialect import parse_dml, parse_query, syntax_fault, tokenize
from voltstream.sql.effects import with_effects
from voltstream.sql.grants import parse_grant, parse_reassign, parse_revoke
from voltstream.sql.preparing import parse_deallocate, parse_execute, parse_prepare
from voltstream.sql.settings import (
    parse_begin,
    parse_commit,
    parse_discard,
    parse_refresh,
    parse_release,
    parse_reset,
    parse_rollback,
    parse_savepoint,
    parse_set,
    parse_show,
)
from voltstream.sql.statements import (
    CreateIndex,
    CreateSink,
    CreateSource,
    CreateTable,
    CreateView,
    Delete,
    Describe,
    Explain,
    Insert,
    Merge,
    NoOp,
    ObjectName,
    Parsed,
    Prepare,
    Query,
    Update,
    Use,
)


def parse_statements(text: str) -> list[Parsed]:
    """Split and parse a message; comments and empty statements give nothing.

    Raises: SyntaxFault and FeatureNotSupported, positions counted from 1 in the whole message.
    """
    found: list[Parsed] = []
    tokens: list[Token] = []
    for token in tokenize(text):
        if token.token_type == TokenType.SEMICOLON:
            if tokens:
                found.append(_parse_one(tokens, text))
            tokens = []
        else:
            tokens.append(token)
    if tokens:
        found.append(_parse_one(tokens, text))
    return found


def _parse_one(tokens: list[Token], text: str) -> Parsed:
    _refuse_trailing_commas(tokens, text)
    offset = tokens[0].start
    own_text = text[offset : tokens[-1].end + 1]
    cursor = Cursor(tokens, text)
    word = cursor.word()
    if word in _QUERY_WORDS or word == "(":
        call = lone_call(cursor, own_text, offset)
        return call or _query(parse_query(tokens, text), own_text, offset)
    if word == "WITH":
        return _tree_statement(parse_dml(tokens, text), own_text, offset)
    if word in _DML_WORDS:
        return _tree_statement(parse_dml(tokens, text), own_text, offset)
    for words, parse in _STATEMENTS:
        if cursor.accept(words):
            statement = parse(cursor, own_text, offset)
            cursor.expect_end()
            return statement
    for words, tag in _NO_OPS:
        if cursor.accept(words):
            return NoOp(text=own_text, offset=offset, tag=tag)
    for words, tag, remark in _WITHOUT_EFFECT:
        if cursor.accept(words):
            return NoOp(text=own_text, offset=offset, tag=tag, remark=remark)
    if word in _REFUSED:
        raise cursor.unsupported(word)
    raise cursor.fault()


# sqlglot forgives a comma before these; PostgreSQL does not, and a lost column must not pass.
_AFTER_LIST = frozenset({TokenType.FROM, TokenType.R_PAREN, TokenType.WHERE, TokenType.GROUP_BY,
                         TokenType.ORDER_BY, TokenType.HAVING})  # fmt: skip


def _refuse_trailing_commas(tokens: list[Token], text: str) -> None:
    depth = 0
    declaring = tokens[0].token_type == TokenType.CREATE and "AS" not in {
        token.text.upper() for token in tokens
    }
    for comma, after in pairwise(tokens):
        depth += (comma.token_type == TokenType.L_PAREN) - (comma.token_type == TokenType.R_PAREN)
        if comma.token_type != TokenType.COMMA or after.token_type not in _AFTER_LIST:
            continue
        if declaring and depth == 1 and after.token_type == TokenType.R_PAREN:
            continue  # The columns of a table may end with one, as RisingWave has it.
        raise syntax_fault(after, text)


def _prepare(cursor: Cursor, text: str, offset: int) -> Prepare:
    def parse_rest(cursor: Cursor) -> Parsed:
        if cursor.done:
            raise cursor.fault()
        return _parse_one(cursor.rest(), cursor.text)

    return parse_prepare(cursor, text, offset, parse_rest)


def _tree_statement(tree: exp.Expression, text: str, offset: int) -> Parsed:
    """Return the statement of a query or a change of rows.

    Raises: FeatureNotSupported (0A000) where WITH changes rows.
    """
    for each in tree.find_all(exp.CTE):
        if isinstance(each.this, exp.Insert | exp.Update | exp.Delete | exp.Merge):
            raise FeatureNotSupported(
                f"{each.this.key.upper()} in WITH is not supported",
                hint="Make it a statement of its own, with RETURNING, in the same transaction.",
            )
    returning = bool(tree.args.get("returning"))
    match tree:
        case exp.Insert():
            target, columns = tree.this, ()
            if isinstance(target, exp.Schema):
                columns = tuple(column.name for column in target.expressions)
                target = target.this
            name = _target(target)
            return Insert(
                text=text, offset=offset, table=name, columns=columns, tree=tree,
                returning=returning,
            )  # fmt: skip
        case exp.Update():
            name = _target(tree.this)
            return Update(text=text, offset=offset, table=name, tree=tree, returning=returning)
        case exp.Delete():
            name = _target(tree.this)
            return Delete(text=text, offset=offset, table=name, tree=tree, returning=returning)
        case exp.Merge():
            name = _target(tree.this)
            return Merge(text=text, offset=offset, table=name, tree=tree, returning=returning)
        case _:
            return _query(tree, text, offset)


def _query(tree: exp.Expression, text: str, offset: int) -> Parsed:
    """Return a query, or SELECT … INTO t, which makes a table as CREATE TABLE t AS does."""
    into = tree.args.get("into")
    if into is None:
        return with_chunk_calls(with_effects(Query(text=text, offset=offset, tree=tree)))
    if into.args.get("temporary"):
        raise FeatureNotSupported("a temporary table is not supported")
    query = tree.copy()
    query.set("into", None)
    return CreateTable(
        text=text, offset=offset, name=_target(into.this), columns=(), primary_key=(),
        properties={}, query=query,
    )  # fmt: skip


def _target(table: exp.Expression) -> ObjectName:
    if not isinstance(table, exp.Table):
        raise FeatureNotSupported("the target of the statement is not a table")
    return ObjectName(table.name, table.db or None, table.catalog or None)


def _use(cursor: Cursor, text: str, offset: int) -> Use:
    return Use(text=text, offset=offset, database=cursor.identifier())


def _describe(cursor: Cursor, text: str, offset: int) -> Describe:
    return Describe(text=text, offset=offset, name=cursor.object_name())


_EXPLAIN_FORMS = ("AST", "PLAN", "INCREMENTAL", "DUCKDB")
_EXPLAIN_IGNORED = ("VERBOSE", "TRACE", "LOGICAL", "PHYSICAL", "DISTSQL", "COSTS", "BACKFILL")


def _explain(cursor: Cursor, text: str, offset: int) -> Parsed:
    form, as_json = "PLAN", False
    maintained: tuple[str, ...] = _MAINTAINED
    if cursor.accept("("):
        while not cursor.accept(")"):
            word = cursor.word()
            if word in _EXPLAIN_FORMS:
                form = word
            elif word in ("ANALYZE", "ANALYSE"):
                form = "ANALYZE"
            elif word == "FORMAT":
                cursor.advance()
                if cursor.word() not in ("TEXT", "JSON"):
                    raise cursor.unsupported(f"FORMAT {cursor.word()}", "Use TEXT or JSON.")
                as_json = cursor.word() == "JSON"
            elif word == "DURATION_SECS":  # What is told was counted since the start.
                cursor.advance()
                maintained = (*_MAINTAINED, "TABLE", "INDEX")
            elif word not in (*_EXPLAIN_IGNORED, ",", "TRUE", "FALSE", "ON", "OFF"):
                raise cursor.fault(hint=f"EXPLAIN takes {', '.join(_EXPLAIN_FORMS)}.")
            cursor.advance()
    cursor.accept("VERBOSE")
    if cursor.accept("ANALYZE"):
        form = "ANALYZE"
        if cursor.accept("( DURATION_SECS"):
            cursor.advance()
            cursor.expect(")")
            maintained = (*_MAINTAINED, "TABLE", "INDEX")
    if cursor.done:
        raise cursor.fault()
    place = cursor.at
    if form == "ANALYZE" and any(cursor.accept(kind) for kind in maintained):
        return _costs(cursor.object_name(), offset)
    target = _parse_one(cursor.rest(), cursor.text)
    if not isinstance(target, _EXPLAINED):
        cursor.at = place
        raise cursor.unsupported(f"EXPLAIN {cursor.word()}")
    return Explain(text=text, offset=offset, form=form, as_json=as_json, target=target)


_MAINTAINED = ("MATERIALIZED VIEW", "SINK")
_COSTS = (
    "SELECT operator, epochs, statements, round(seconds * 1000 / greatest(epochs, 1), 3) AS "
    "ms_per_epoch, rows_in, rows_out, rows_scanned, scanned_per_delta_row "
    "FROM rw_catalog.rw_operator_costs WHERE name = {} ORDER BY seconds DESC"
)


def _costs(name: ObjectName, offset: int) -> Parsed:
    """Return what a view has cost since the start as a query."""
    quoted = "'" + name.name.replace("'", "''") + "'"
    [query] = parse_statements(_COSTS.format(quoted))
    return replace(query, offset=offset)


_EXPLAINED = (
    Query, Insert, Update, Delete, Merge, CreateView, CreateSink, CreateTable, CreateSource,
    CreateIndex,
)  # fmt: skip
_QUERY_WORDS = ("SELECT", "VALUES", "TABLE")
_DML_WORDS = ("INSERT", "UPDATE", "DELETE", "MERGE")
_STATEMENTS: tuple[tuple[str, Callable[[Cursor, str, int], Parsed]], ...] = (
    ("CREATE", parse_create),
    ("DROP", parse_drop),
    ("ALTER", parse_alter),
    ("TRUNCATE", parse_truncate),
    ("COMMENT ON", parse_comment),
    ("COPY", parse_copy),
    ("CALL", parse_call),
    ("SHOW", parse_show),
    ("DESCRIBE", _describe),
    ("DESC", _describe),
    ("EXPLAIN", _explain),
    ("SET", parse_set),
    ("USE", _use),
    ("RESET", parse_reset),
    ("BEGIN", parse_begin),
    ("START TRANSACTION", parse_begin),
    ("COMMIT", parse_commit),
    ("END", parse_commit),
    ("ROLLBACK", parse_rollback),
    ("ABORT", parse_rollback),
    ("SAVEPOINT", parse_savepoint),
    ("RELEASE", parse_release),
    ("REFRESH MATERIALIZED VIEW", parse_refresh),
    ("DECLARE", parse_declare),
    ("FETCH", parse_fetch),
    ("CLOSE", parse_close),
    ("PREPARE", _prepare),
    ("EXECUTE", parse_execute),
    ("DEALLOCATE", parse_deallocate),
    ("GRANT", parse_grant),
    ("REVOKE", parse_revoke),
    ("REASSIGN OWNED", parse_reassign),
    ("DISCARD", parse_discard),
    ("LISTEN", parse_listen),
    ("UNLISTEN", parse_unlisten),
    ("NOTIFY", parse_notify),
)
_NO_OPS: tuple[tuple[str, str], ...] = (
    ("FLUSH", "FLUSH"),
    ("WAIT", "WAIT"),
    ("ANALYZE", "ANALYZE"),
    ("VACUUM", "VACUUM"),
    ("CHECKPOINT", "CHECKPOINT"),
    ("RECOVER", "RECOVER"),
    ("LOCK TABLE", "LOCK TABLE"),
)
_WITHOUT_EFFECT: tuple[tuple[str, str, str], ...] = (
    ("CANCEL JOBS", "CANCEL JOBS", "no job runs in the background: views are filled at once"),
    ("CANCEL JOB", "CANCEL JOB", "no job runs in the background: views are filled at once"),
    ("KILL", "KILL", "use pg_cancel_backend or the client's cancel request"),
)
_REFUSED = (
    "ANALYSE", "CLUSTER", "DO", "IMPORT", "LOCK",
    "MOVE", "REFRESH", "REINDEX", "SECURITY",
)  # fmt: skip
