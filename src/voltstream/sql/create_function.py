"""CREATE FUNCTION: in LANGUAGE SQL and in Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from voltstream.core.errors import FeatureNotSupported, InvalidFunctionDefinition
from voltstream.sql.cursor import Cursor, split_commas, top_level
from voltstream.sql.dialect import parse_expression, parse_query, tokenize
from voltstream.sql.options import parse_with
from voltstream.sql.statements import CreateFunction
from voltstream.sql.type_names import parse_type

_QUERY_WORDS = ("SELECT", "WITH", "VALUES", "(")
_LANGUAGES = ("sql", "python")
_VOLATILITY = ("IMMUTABLE", "STABLE", "VOLATILE")
_STRICTNESS = {"STRICT": True, "RETURNS NULL ON NULL INPUT": True, "CALLED ON NULL INPUT": False}
_IGNORED = ("PARALLEL SAFE", "PARALLEL RESTRICTED", "PARALLEL UNSAFE", "NOT LEAKPROOF", "LEAKPROOF",
            "SECURITY INVOKER")  # fmt: skip
_NUMBERED = ("COST", "ROWS")


@dataclass
class _Clauses:
    """What follows the parameters, in any order."""

    returns: str | None = None
    many: bool = False
    rows: list[tuple[str, str]] = field(default_factory=list)
    language: str | None = None
    written: str | None = None
    source: str = ""
    value: exp.Expression | None = None
    strict: bool = False
    volatility: str = ""
    language_at: int = 0


def parse_function(
    cursor: Cursor, text: str, offset: int, *, replace: bool = False
) -> CreateFunction:
    """Parse CREATE FUNCTION. Raises: FeatureNotSupported for other languages than SQL, Python."""
    lenient = cursor.accept("IF NOT EXISTS")
    name = cursor.object_name()
    if not cursor.sees("("):
        raise cursor.fault()
    parameters = tuple(
        parse_parameter(p, cursor.text) for p in split_commas(cursor.parenthesized())
    )
    clauses = _Clauses()
    while not cursor.done:
        _clause(cursor, clauses)
    language = (clauses.language or "sql").lower()
    if language not in _LANGUAGES:
        cursor.at = clauses.language_at
        raise cursor.unsupported(
            f"LANGUAGE {clauses.language}", "Write it in LANGUAGE SQL or LANGUAGE python."
        )
    if language == "python":
        body: exp.Expression | None = None if clauses.written is None else exp.Null()
        if clauses.returns is None:
            raise InvalidFunctionDefinition("function result type must be specified")
        if clauses.value is not None:
            raise cursor.fault(hint="A Python function has AS $$ body $$.")
    elif clauses.written is not None:
        body = _body(clauses.written, cursor, many=clauses.many)
    else:
        body = clauses.value
    if body is None:
        raise cursor.fault(hint="A function has AS 'body' or RETURN expression.")
    return CreateFunction(
        text=text, offset=offset, name=name, parameters=parameters, returns=clauses.returns,
        language=language, body=body, source=clauses.source, many=clauses.many,
        rows=tuple(clauses.rows), strict=clauses.strict, volatility=clauses.volatility,
        or_replace=replace, if_not_exists=lenient,
    )  # fmt: skip


def parse_aggregate(cursor: Cursor, text: str, offset: int) -> CreateFunction:
    """Parse CREATE AGGREGATE. Raises: FeatureNotSupported for other languages than Python."""
    start = cursor.at
    made = parse_function(cursor, text, offset)
    if made.language != "python" or made.many:
        cursor.at = start
        raise cursor.unsupported("such an aggregate", "Write it in LANGUAGE python.")
    return replace(made, aggregate=True)


def _clause(cursor: Cursor, found: _Clauses) -> None:
    for words, strict in _STRICTNESS.items():
        if cursor.accept(words):
            found.strict = strict
            return
    if cursor.accept("RETURNS"):
        _returns(cursor, found)
    elif cursor.accept("LANGUAGE"):
        found.language_at = cursor.at
        found.language = cursor.string() if cursor.at_string() else cursor.identifier()
    elif cursor.accept("AS"):
        _refuse_server(cursor)
        found.written = found.source = cursor.string()
        _refuse_server(cursor)
    elif cursor.accept("RETURN"):
        tokens = _expression(cursor)
        found.value = exp.Paren(this=parse_expression(tokens, cursor.text))
        found.source = f"select {cursor.slice_text(tokens)}"
    elif cursor.sees("USING"):
        _refuse_server(cursor)
    elif cursor.sees("WITH"):
        if parse_with(cursor):
            raise FeatureNotSupported("options of a function are not supported")
    else:
        _manner(cursor, found)


def _expression(cursor: Cursor) -> list[Token]:
    """Take an expression, up to the LANGUAGE that may follow it, as RisingWave has it."""
    start = cursor.at
    end = top_level(cursor.tokens[start:], ("LANGUAGE",))
    named = end is not None and end > 0 and start + end + 2 == len(cursor.tokens)
    cursor.at = start + end if end is not None and named else len(cursor.tokens)
    return list(cursor.tokens[start : cursor.at])


def _manner(cursor: Cursor, found: _Clauses) -> None:
    for words in _VOLATILITY:
        if cursor.accept(words):
            found.volatility = words
            return
    for words in _NUMBERED:
        if cursor.accept(words):
            cursor.advance()
            return
    if not any(cursor.accept(words) for words in _IGNORED):
        raise cursor.fault()


def _refuse_server(cursor: Cursor) -> None:
    """Raises: FeatureNotSupported for a function that runs in a server of its own."""
    if cursor.sees("USING") or (not cursor.at_string() and cursor.word(1) == "USING"):
        raise cursor.unsupported(
            "a function that runs elsewhere", "Write its body here: AS $$ def f(x): … $$."
        )


def _returns(cursor: Cursor, found: _Clauses) -> None:
    if cursor.accept("TABLE"):
        for part in split_commas(cursor.parenthesized()):
            inner = Cursor(part, cursor.text)
            found.rows.append((inner.identifier(), _whole_type(inner)))
        found.many = True
        if not found.rows:
            raise cursor.fault()
        if len(found.rows) == 1:
            found.returns = found.rows[0][1]
        else:
            fields = ", ".join(f"{_quoted(name)} {kind}" for name, kind in found.rows)
            found.returns = f"STRUCT({fields})"
        return
    found.many = cursor.accept("SETOF")
    if cursor.sees("VOID") or cursor.sees("TRIGGER") or cursor.sees("RECORD"):
        raise cursor.unsupported(f"RETURNS {cursor.word()}", "RETURNS TABLE names the columns.")
    found.returns = parse_type(cursor)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def parse_parameter(tokens: Sequence[Token], text: str) -> tuple[str, str]:
    """Read ``[name] type``; the name may be missing."""
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


def _body(body_text: str, cursor: Cursor, *, many: bool) -> exp.Expression:
    tokens = tokenize(body_text.strip().rstrip(";"))
    if not tokens:
        raise cursor.unsupported("an empty function body")
    if tokens[0].text.upper() not in _QUERY_WORDS:
        raise cursor.unsupported(f"{tokens[0].text.upper()} in a function", "A body is one SELECT.")
    query = parse_query(tokens, body_text)
    if isinstance(query, exp.Select) and not many and _is_scalar(query):
        value = query.expressions[0]
        inner = value.this if isinstance(value, exp.Alias) else value
        return exp.Paren(this=inner)
    return query


def _is_scalar(query: exp.Select) -> bool:
    """Tell ``SELECT expression`` from a query that reads something."""
    clauses = {key for key, value in query.args.items() if value}
    return clauses == {"expressions"} and len(query.expressions) == 1
