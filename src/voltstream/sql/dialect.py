"""Our SQL dialect: text to tokens, and tokens to sqlglot trees, with PostgreSQL's errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.risingwave import RisingWave
from sqlglot.errors import ErrorLevel, ParseError, TokenError
from sqlglot.parsers.risingwave import RisingWaveParser
from sqlglot.tokenizer_core import Token, TokenType

from voltstream.core.errors import FeatureNotSupported, SyntaxFault
from voltstream.sql.qualified import without_qualifiers

# A whole string, quoted name or comment, or (last group) one that is opened and never closed.
_QUOTED = re.compile(
    r"--[^\n]*|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(\$[A-Za-z_]*\$).*?\1|/\*.*?\*/|('|\"|/\*)",
    re.DOTALL,
)
_UNTERMINATED = {
    "'": "unterminated quoted string",
    '"': "unterminated quoted identifier",
    "/*": "unterminated /* comment",
}


class _Located(ParseError):
    """A parse error that knows its token."""

    def __init__(self, message: str, token: Token | None) -> None:
        super().__init__(message, [{"description": message}])
        self.token = token


class VoltstreamParser(RisingWaveParser):
    """RisingWave's grammar without the fall back to opaque commands."""

    # Other systems' GAP_FILL has named arguments; here it is a call like any other.
    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {
        name: make for name, make in RisingWaveParser.FUNCTIONS.items() if name != "GAP_FILL"
    }
    FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
        name: make for name, make in RisingWaveParser.FUNCTION_PARSERS.items() if name != "GAP_FILL"
    }

    def raise_error(self, message: str, token: Token | None = None) -> None:
        raise _Located(message, token or self._curr or None)

    def _parse_as_command(self, start: Token) -> exp.Command:
        raise _Located("unsupported clause", self._curr or start)


class Voltstream(RisingWave):
    """PostgreSQL with RisingWave's streaming words and TimescaleDB's options."""

    Parser = VoltstreamParser

    class Tokenizer(RisingWave.Tokenizer):
        # Statements such as SHOW and EXPLAIN are parsed here word by word, so none of them may
        # swallow the rest of its text as one string.
        COMMANDS: ClassVar[set[TokenType]] = set()


class _Parameterized(Voltstream):
    """For messages with $1: sqlglot would read ``$1,$2`` as a dollar-quoted string."""

    class Tokenizer(Voltstream.Tokenizer):
        HEREDOC_STRINGS: ClassVar[list[str | tuple[str, str]]] = []
        SINGLE_TOKENS: ClassVar[dict[str, TokenType]] = {
            **Voltstream.Tokenizer.SINGLE_TOKENS,
            "$": TokenType.PARAMETER,
        }


class StoreDialect(DuckDB):
    """DuckDB as the store's connections set it: NULLs order as in PostgreSQL."""

    NULL_ORDERING = "nulls_are_large"


_DIALECT = Voltstream()
_STORE = StoreDialect()
_PARAMETERIZED = _Parameterized()


def _has_parameters(text: str) -> bool:
    return "$" in text and re.search(r"\$[0-9]", _QUOTED.sub(" ", text)) is not None


def tokenize(text: str) -> list[Token]:
    """Cut a message into tokens; comments are dropped. Raises: SyntaxFault."""
    try:
        dialect = _PARAMETERIZED if _has_parameters(text) else _DIALECT
        return list(dialect.tokenize(text))
    except TokenError as error:
        for found in _QUOTED.finditer(text):
            if found[2]:
                message = f'{_UNTERMINATED[found[2]]} at or near "{text[found.start() :]}"'
                raise SyntaxFault(message, position=found.start() + 1) from error
        raise SyntaxFault("syntax error in the message's text", position=1) from error


def syntax_fault(token: Token | None, text: str, hint: str | None = None) -> SyntaxFault:
    """Return PostgreSQL's syntax error at a token; None means the end of the statement."""
    if token is None:
        return SyntaxFault("syntax error at end of input", position=len(text) + 1, hint=hint)
    word = text[token.start : token.end + 1]
    message = f'syntax error at or near "{word}"'
    return SyntaxFault(message, position=token.start + 1, hint=hint)


def fold(tree: exp.Expression) -> exp.Expression:
    """Fold unquoted names to lower case, as PostgreSQL does, and forget comments."""
    for node in tree.walk():
        node.comments = None
        if isinstance(node, exp.Identifier) and not node.args.get("quoted"):
            node.set("this", node.this.lower())
    return tree


def _parse_tree(tokens: Sequence[Token], text: str, *, scalar: bool = False) -> exp.Expression:
    if not tokens:
        raise SyntaxFault("syntax error: an expression is missing", position=None)
    parser = VoltstreamParser(error_level=ErrorLevel.IMMEDIATE, dialect=_DIALECT)
    given = without_qualifiers(tokens)
    try:
        found = (
            parser.parse_into(exp.Condition, given, text) if scalar else parser.parse(given, text)
        )
    except _Located as error:
        raise _fault_of(error, tokens, text) from error
    except ParseError as error:
        cause = error.__cause__ or error.__context__
        if isinstance(cause, _Located):
            raise _fault_of(cause, tokens, text) from error
        raise syntax_fault(given[-1], text) from error
    tree = found[0] if found else None
    if not isinstance(tree, exp.Expression):
        raise syntax_fault(tokens[0], text)
    return fold(tree)


def _fault_of(error: _Located, tokens: Sequence[Token], text: str) -> SyntaxFault:
    if error.token is None:
        end = tokens[-1].end + 1
        rest = text[end:].lstrip()
        if rest and not rest.startswith(";"):  # The tree is a part of its statement.
            last = tokens[-1]
            return SyntaxFault(f'syntax error after "{last.text}"', position=last.start + 1)
        return SyntaxFault("syntax error at end of input", position=end + 1)
    return syntax_fault(error.token, text)


def parse_query(tokens: Sequence[Token], text: str) -> exp.Expression:
    """Parse a SELECT, VALUES, WITH or TABLE. Raises: SyntaxFault, FeatureNotSupported."""
    tree = _parse_tree(tokens, text)
    if isinstance(tree, exp.Subquery) and not tree.alias:
        return tree
    if isinstance(tree, exp.Query | exp.Values):
        return tree
    raise syntax_fault(tokens[0], text)


def parse_dml(tokens: Sequence[Token], text: str) -> exp.Expression:
    """Parse an INSERT, UPDATE or DELETE, or a query. Raises: SyntaxFault, FeatureNotSupported."""
    tree = _parse_tree(tokens, text)
    if isinstance(tree, exp.Insert | exp.Update | exp.Delete | exp.Query | exp.Values):
        return tree
    raise FeatureNotSupported(
        f"{tokens[0].text.upper()} is not supported", position=tokens[0].start + 1
    )


def parse_expression(tokens: Sequence[Token], text: str) -> exp.Expression:
    """Parse one scalar expression. Raises: SyntaxFault."""
    return _parse_tree(tokens, text, scalar=True)


def store_sql(tree: exp.Expression) -> str:
    """Print a tree as DuckDB spells it."""
    return tree.sql(dialect=_STORE, comments=False, normalize_functions=False)
