"""CREATE FUNCTION, SUBSCRIPTION, SECRET, CONNECTION and USER."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from voltstream.sql.cursor import Cursor, split_commas
from voltstream.sql.dialect import parse_expression, parse_query, tokenize
from voltstream.sql.options import parse_with
from voltstream.sql.statements import (
    CreateConnection,
    CreateFunction,
    CreateSecret,
    CreateSubscription,
    NoOp,
    Parsed,
)
from voltstream.sql.type_names import parse_type

_QUERY_WORDS = ("SELECT", "WITH", "VALUES", "(")


def parse_function(
    cursor: Cursor, text: str, offset: int, *, replace: bool = False
) -> CreateFunction:
    """Parse CREATE FUNCTION … LANGUAGE SQL. Raises: FeatureNotSupported for other languages."""
    lenient = cursor.accept("IF NOT EXISTS")
    name = cursor.object_name()
    if not cursor.sees("("):
        raise cursor.fault()
    parameters = tuple(_parameter(p, cursor.text) for p in split_commas(cursor.parenthesized()))
    returns: str | None = None
    language = "sql"
    body: exp.Expression | None = None
    while not cursor.done:
        if cursor.accept("RETURNS"):
            if cursor.sees("TABLE") or cursor.sees("SETOF"):
                raise cursor.unsupported(
                    "a function that returns a table", "Make a view and filter it."
                )
            returns = parse_type(cursor)
        elif cursor.accept("LANGUAGE"):
            language = cursor.string() if cursor.at_string() else cursor.identifier()
            if language.lower() != "sql":
                cursor.at -= 1
                raise cursor.unsupported(f"LANGUAGE {language}", "Write it in LANGUAGE SQL.")
        elif cursor.accept("AS"):
            body = _body(cursor.string(), cursor)
        elif cursor.accept("RETURN"):
            body = exp.Paren(this=parse_expression(cursor.rest(), cursor.text))
        elif not any(cursor.accept(words) for words in _VOLATILITY):
            raise cursor.fault()
    if body is None:
        raise cursor.fault(hint="A function has AS 'body' or RETURN expression.")
    return CreateFunction(
        text=text, offset=offset, name=name, parameters=parameters, returns=returns,
        language=language.lower(), body=body, or_replace=replace, if_not_exists=lenient,
    )  # fmt: skip


_VOLATILITY = (
    "IMMUTABLE", "STABLE", "VOLATILE", "STRICT", "CALLED ON NULL INPUT", "PARALLEL SAFE",
    "RETURNS NULL ON NULL INPUT", "LEAKPROOF", "COST 1", "COST 100", "SECURITY INVOKER",
)  # fmt: skip


def _parameter(tokens: Sequence[Token], text: str) -> tuple[str, str]:
    cursor = Cursor(tokens, text)
    cursor.accept("IN")
    for words in ("OUT", "INOUT", "VARIADIC"):
        if cursor.sees(words):
            raise cursor.unsupported(f"a parameter {words}")
    if len(tokens) > 1 and _is_name(cursor):
        return cursor.identifier(), _whole_type(cursor)
    return "", _whole_type(cursor)


def _is_name(cursor: Cursor) -> bool:
    """Tell a parameter's name from a type of several words."""
    ahead = cursor.word(1)
    return ahead not in ("(", "[", "<", "PRECISION", "VARYING", "WITH", "WITHOUT", "DEFAULT", "=")


def _whole_type(cursor: Cursor) -> str:
    found = parse_type(cursor)
    if not cursor.done:
        raise cursor.unsupported("a parameter's default")
    return found


def _body(body_text: str, cursor: Cursor) -> exp.Expression:
    tokens = tokenize(body_text.strip().rstrip(";"))
    if not tokens:
        raise cursor.unsupported("an empty function body")
    if tokens[0].text.upper() not in _QUERY_WORDS:
        raise cursor.unsupported(f"{tokens[0].text.upper()} in a function", "A body is one SELECT.")
    query = parse_query(tokens, body_text)
    if isinstance(query, exp.Select) and _is_scalar(query):
        value = query.expressions[0]
        inner = value.this if isinstance(value, exp.Alias) else value
        return exp.Paren(this=inner)
    return query


def _is_scalar(query: exp.Select) -> bool:
    """Tell ``SELECT expression`` from a query that reads something."""
    clauses = {key for key, value in query.args.items() if value}
    return clauses == {"expressions"} and len(query.expressions) == 1


def _subscription(cursor: Cursor, text: str, offset: int) -> CreateSubscription:
    lenient = cursor.accept("IF NOT EXISTS")
    name = cursor.object_name()
    cursor.expect("FROM")
    source = cursor.object_name()
    return CreateSubscription(
        text=text, offset=offset, name=name, from_name=source, properties=parse_with(cursor),
        if_not_exists=lenient,
    )  # fmt: skip


def _secret(cursor: Cursor, text: str, offset: int) -> CreateSecret:
    lenient = cursor.accept("IF NOT EXISTS")
    name = cursor.object_name()
    options = parse_with(cursor)
    if options.get("backend", "meta") != "meta":
        raise cursor.unsupported("a secret kept elsewhere", "Use backend = 'meta'.")
    cursor.expect("AS")
    return CreateSecret(
        text=text, offset=offset, name=name, value=cursor.string(), if_not_exists=lenient
    )


def _connection(cursor: Cursor, text: str, offset: int) -> CreateConnection:
    lenient = cursor.accept("IF NOT EXISTS")
    name = cursor.object_name()
    return CreateConnection(
        text=text, offset=offset, name=name, properties=parse_with(cursor), if_not_exists=lenient
    )


def _user(cursor: Cursor, text: str, offset: int) -> NoOp:
    cursor.accept("IF NOT EXISTS")
    name = cursor.identifier()
    cursor.rest()
    remark = f'role "{name}" is not kept: users are those of the configuration'
    return NoOp(text=text, offset=offset, tag="CREATE ROLE", remark=remark)


KINDS: tuple[tuple[str, Callable[[Cursor, str, int], Parsed]], ...] = (
    ("FUNCTION", parse_function),
    ("SUBSCRIPTION", _subscription),
    ("SECRET", _secret),
    ("CONNECTION", _connection),
    ("USER", _user),
    ("ROLE", _user),
)
