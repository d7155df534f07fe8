"""Our SQL dialect: text to tokens, and tokens to sqlglot trees, with PostgreSQL's errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.risingwave import RisingWave
from sqlglot.errors import ErrorLevel, ParseError, TokenError
from sqlglot.generators.duckdb import DuckDBGenerator
from sqlglot.parsers.risingwave import RisingWaveParser
from sqlglot.tokenizer_core import Token, TokenType

from voltstream.core.errors import FeatureNotSupported, IndeterminateDatatype, SyntaxFault
from voltstream.sql import timelines
from voltstream.sql.bucket_gaps import fill_buckets
from voltstream.sql.qualified import without_qualifiers
from voltstream.sql.query_rules import CHECKED, refuse_bad_clauses
from voltstream.sql.streaming_words import in_known_words, mark_sessions
from voltstream.sql.trees import copied

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


# What stays a node of its own: aggregates and windows, which plans look for, and plain forms.
# Every other function keeps its name, and sql/rules says what the store makes of it.
_KEPT_FUNCTIONS = (
    "COUNT", "SUM", "AVG", "MIN", "MAX", "ARRAY_AGG", "LOGICAL_AND", "LOGICAL_OR", "BOOL_AND",
    "BOOL_OR", "BIT_AND", "BIT_OR", "BIT_XOR", "STDDEV", "STDDEV_POP", "STDDEV_SAMP", "VARIANCE",
    "VAR_POP", "VAR_SAMP", "VARIANCE_POP", "CORR", "COVAR_POP", "COVAR_SAMP", "REGR_COUNT",
    "REGR_R2", "REGR_SLOPE", "REGR_INTERCEPT", "REGR_AVGX", "REGR_AVGY", "REGR_SXX", "REGR_SXY",
    "REGR_SYY", "FIRST_VALUE", "LAST_VALUE", "NTH_VALUE", "LAG", "LEAD", "RANK", "DENSE_RANK",
    "ROW_NUMBER", "NTILE", "PERCENT_RANK", "CUME_DIST", "PERCENTILE_CONT", "PERCENTILE_DISC",
    "MODE", "GROUPING", "COALESCE", "UNNEST", "NOW", "EXISTS",
)  # fmt: skip
_AGGREGATES = (
    "jsonb_agg", "json_agg", "jsonb_object_agg", "json_object_agg", "approx_percentile",
    "approx_count_distinct", "every", "first", "last", "arg_min", "arg_max", "max_by", "min_by",
    "median", "any_value", "bool_xor", "histogram", "counter_agg", "gauge_agg", "time_weight",
    "state_agg", "compact_state_agg", "heartbeat_agg", "stats_agg", "percentile_agg", "uddsketch",
    "tdigest", "rollup",
)  # fmt: skip
_KEPT_PARSERS = (
    "CAST", "TRY_CAST", "EXTRACT", "OVERLAY", "POSITION", "SUBSTRING", "TRIM", "STRING_AGG",
)  # fmt: skip
# Functions that return rows; in a select list each row of the input is repeated for them.
SET_FUNCTIONS = frozenset({
    "generate_series", "range", "generate_subscripts", "regexp_matches", "regexp_split_to_table",
    "string_to_table", "jsonb_array_elements", "jsonb_array_elements_text", "jsonb_object_keys",
    "jsonb_each", "jsonb_each_text", "json_array_elements", "json_array_elements_text",
    "json_object_keys", "json_each", "json_each_text", "jsonb_path_query",
    "jsonb_populate_recordset", "jsonb_to_recordset", "_pg_expandarray", "aclexplode",
    *timelines.ROWS,
})  # fmt: skip


# Functions whose rows are arrays: UNNEST around them opens these too.
_ROWS_OF_ARRAYS = frozenset({"regexp_matches"})


def _aggregate_builder(name: str) -> Callable[[list[exp.Expression]], exp.Expression]:
    return lambda arguments: exp.AnonymousAggFunc(this=name, expressions=arguments)


def _correlation(arguments: list[exp.Expression]) -> exp.Expression:
    """Return corr(y, x), an aggregate, or corr(summary), which is none."""
    if len(arguments) == 2:
        return exp.Corr(this=arguments[0], expression=arguments[1])
    return exp.Anonymous(this="corr", expressions=arguments)


def _now(arguments: list[exp.Expression]) -> exp.Expression:
    """Return now(), which takes nothing; only CURRENT_TIMESTAMP has a precision."""
    if arguments:
        return exp.Anonymous(this="now", expressions=arguments)
    return exp.CurrentTimestamp()


def _operator_call(
    name: str,
) -> Callable[[RisingWaveParser, exp.Expression, exp.Expression], exp.Expression]:
    return lambda _parser, left, right: operator(name, left, right)


def operator(name: str, *operands: exp.Expression) -> exp.Anonymous:
    """Return an operator as a call; sql/rules reads it by the types of its operands."""
    return exp.Anonymous(this=f"operator {name}", expressions=list(operands))


_SPANS = frozenset({TokenType.INTERVAL})  # They have a grammar of their own.


class VoltstreamParser(RisingWaveParser):
    """RisingWave's grammar without the fall back to opaque commands."""

    # PostgreSQL takes every word behind AS as a column's name.
    RESERVED_TOKENS: ClassVar[set[TokenType]] = RisingWaveParser.RESERVED_TOKENS - {
        TokenType.SELECT
    }

    FUNCTIONS: ClassVar[dict[str, Any]] = {
        **{name: RisingWaveParser.FUNCTIONS[name] for name in _KEPT_FUNCTIONS
           if name in RisingWaveParser.FUNCTIONS},
        **{name.upper(): _aggregate_builder(name) for name in _AGGREGATES},
        "CORR": _correlation,
        "NOW": _now,
    }  # fmt: skip
    # Behind GROUP BY it is told apart before a function is looked for.
    FUNC_TOKENS: ClassVar[set[TokenType]] = {*RisingWaveParser.FUNC_TOKENS, TokenType.ROLLUP}
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        **RisingWaveParser.NO_PAREN_FUNCTION_PARSERS,
        "MAP": lambda self: self._parse_map(),
    }
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        name: RisingWaveParser.FUNCTION_PARSERS[name] for name in _KEPT_PARSERS
    }
    # x -> 'key' is jsonb's operator, never a closure: those are spelled |x| … here.
    LAMBDAS: ClassVar[dict[TokenType, Any]] = {
        token: build
        for token, build in RisingWaveParser.LAMBDAS.items()
        if token != TokenType.ARROW
    }
    JSON_OPERATORS: ClassVar[dict[TokenType, Any]] = {
        TokenType.ARROW: _operator_call("->"),
        TokenType.DARROW: _operator_call("->>"),
        TokenType.HASH_ARROW: _operator_call("#>"),
        TokenType.DHASH_ARROW: _operator_call("#>>"),
        TokenType.PLACEHOLDER: _operator_call("?"),
        TokenType.NULLSAFE_EQ: _operator_call("<=>"),
        TokenType.COLON_GT: _operator_call("<#>"),
        TokenType.NCOLON_GT: _operator_call("<+>"),
    }

    def raise_error(self, message: str, token: Token | None = None) -> None:
        raise _Located(message, token or self._curr or None)

    def _parse_as_command(self, start: Token) -> exp.Command:
        raise _Located("unsupported clause", self._curr or start)

    def _parse_map(self) -> exp.Expr | None:
        """Read MAP {key: value, …}; any other MAP is a name."""
        if not self._curr or self._curr.token_type != TokenType.L_BRACE:
            self._retreat(self._index - 1)
            return None
        self._advance()
        pairs = [] if self._match(TokenType.R_BRACE, advance=False) else self._parse_csv(self._pair)
        if not self._match(TokenType.R_BRACE):
            self.raise_error("Expected }")
        keys = exp.Array(expressions=[key for key, _ in pairs])
        values = exp.Array(expressions=[value for _, value in pairs])
        return exp.Anonymous(this="map_from_key_values", expressions=[keys, values])

    def _pair(self) -> tuple[exp.Expr | None, exp.Expr | None]:
        key = self._parse_bitwise()
        if not self._match(TokenType.COLON):
            self.raise_error("Expected :")
        return key, self._parse_disjunction()

    def _parse_unary(self) -> exp.Expr | None:
        # PostgreSQL's @ -5 is abs(-5); here the sign after it must not end the expression.
        if self._curr and self._curr.token_type == TokenType.PARAMETER and self._curr.text == "@":
            self._advance()
            return exp.Anonymous(this="operator @", expressions=[self._parse_unary()])
        return super()._parse_unary()

    def _parse_interval_span(
        self, this: exp.Expr, parse_function_unit: bool = True
    ) -> exp.Interval:
        span = super()._parse_interval_span(this, parse_function_unit)
        # sqlglot keeps only the first quantity of '1 day 02:03', and no word behind '1 day ago'.
        found = exp.INTERVAL_STRING_RE.search(this.name) if this.is_string else None
        if found and found[0] != this.name:
            return exp.Interval(this=exp.Literal.string(this.name))
        return span

    def _parse_type(
        self, parse_interval: bool = True, fallback_to_identifier: bool = False
    ) -> exp.Expr | None:
        # date '2026-01-02'::text is a cast of the date: sqlglot's would be of the constant.
        kept = self._index
        if self._curr and self._curr.token_type in self.TYPE_TOKENS - _SPANS:
            kind = self._parse_types(check_func=True, allow_identifiers=False)
            if isinstance(kind, exp.DataType) and self._match(TokenType.STRING, advance=False):
                constant = self._parse_primary()
                return self._parse_column_ops(exp.Cast(this=constant, to=kind))
            self._retreat(kept)
        return super()._parse_type(parse_interval, fallback_to_identifier)

    def _parse_lambda(self, alias: bool = False) -> exp.Expr | None:
        # RisingWave's closures: array_transform(a, |x| x + 1).
        if self._curr and self._curr.token_type == TokenType.PIPE:
            self._advance()
            names = self._parse_csv(self._parse_id_var)
            if not self._match(TokenType.PIPE):
                self.raise_error("Expected |")
            body = self._parse_disjunction()
            return exp.Lambda(this=body, expressions=names)
        return super()._parse_lambda(alias)


class Voltstream(RisingWave):
    """PostgreSQL with RisingWave's streaming words and TimescaleDB's options."""

    Parser = VoltstreamParser
    INDEX_OFFSET = 0  # Subscripts stay as written; sql/rules counts.

    class Tokenizer(RisingWave.Tokenizer):
        # Statements such as SHOW and EXPLAIN are parsed here word by word, so none of them may
        # swallow the rest of its text as one string.
        COMMANDS: ClassVar[set[TokenType]] = set()
        # Distances between vectors; the grammar has no other use for these two tokens.
        KEYWORDS: ClassVar[dict[str, TokenType]] = {
            **RisingWave.Tokenizer.KEYWORDS,
            "<#>": TokenType.COLON_GT,
            "<+>": TokenType.NCOLON_GT,
        }


class _Parameterized(Voltstream):
    """For messages with $1: sqlglot would read ``$1,$2`` as a dollar-quoted string."""

    class Tokenizer(Voltstream.Tokenizer):
        HEREDOC_STRINGS: ClassVar[list[str | tuple[str, str]]] = []
        SINGLE_TOKENS: ClassVar[dict[str, TokenType]] = {
            **Voltstream.Tokenizer.SINGLE_TOKENS,
            "$": TokenType.PARAMETER,
        }


class _StoreGenerator(DuckDBGenerator):
    def anonymous_sql(self, expression: exp.Anonymous) -> str:
        # An operator that no rule has read (in a DEFAULT, say) is written as it stood.
        if expression.name.startswith("operator "):
            left, right = (self.sql(operand) for operand in expression.expressions)
            return f"({left} {expression.name.removeprefix('operator ')} {right})"
        return str(super().anonymous_sql(expression))


class StoreDialect(DuckDB):
    """DuckDB as the store's connections set it: NULLs order as in PostgreSQL."""

    NULL_ORDERING = "nulls_are_large"

    Generator = _StoreGenerator


_DIALECT = Voltstream()
_STORE = StoreDialect()
_PARAMETERIZED = _Parameterized()


_BASES = {TokenType.HEX_STRING: ("0x", 16), TokenType.BIT_STRING: ("0b", 2)}


def _with_plain_numbers(tokens: Sequence[Token], text: str) -> Sequence[Token]:
    """Tell 0x1F, a number, from X'1F', which is bits: to the grammar they are the same token."""
    if not any(token.token_type in _BASES for token in tokens):
        return tokens
    return [_plain_number(token, text) for token in tokens]


def _plain_number(token: Token, text: str) -> Token:
    mark, base = _BASES.get(token.token_type, ("", 10))
    if not mark or text[token.start : token.start + 2].lower() != mark:
        return token
    number = str(int(token.text.removeprefix(mark), base))
    return Token(TokenType.NUMBER, number, token.line, token.col, token.start, token.end)


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


def fault_after(last: Token, text: str, hint: str | None = None) -> SyntaxFault:
    """Return the error at what follows a token: the rest of its statement, or the end."""
    end = last.end + 1
    found = re.match(r"\s*(\w+|[^\s;])", text[end:])
    if found is None:
        return SyntaxFault("syntax error at end of input", position=end + 1, hint=hint)
    message = f'syntax error at or near "{found[1]}"'
    return SyntaxFault(message, position=end + found.start(1) + 1, hint=hint)


def fold(tree: exp.Expression) -> exp.Expression:
    """Fold unquoted names to lower case, as PostgreSQL does, and forget comments."""
    for node in tree.walk():
        node.comments = None
        if isinstance(node, exp.Identifier) and not node.args.get("quoted"):
            node.set("this", node.this.lower())
    for call in list(tree.find_all(exp.Anonymous)):
        if call.name.lower() == "all" and isinstance(call.parent, exp.Binary | exp.Escape):
            call.replace(exp.All(this=exp.Paren(this=call.expressions[0])))  # Of an array.
    for exists in tree.find_all(exp.Exists):
        inner = exists.this.unnest() if isinstance(exists.this, exp.Expression) else None
        if isinstance(inner, exp.Select) and not inner.expressions:
            inner.set("expressions", [exp.Literal.number(1)])  # It has rows, and no columns.
    for constant in list(tree.find_all(exp.ParseJSON)):
        if constant.args.get("is_literal"):  # json '{}', which is a cast as any other.
            constant.replace(exp.cast(constant.this.copy(), exp.DataType.Type.JSON))
    mark_sessions(tree)
    fill_buckets(tree)
    for select in tree.find_all(exp.Select):
        timelines.open_stars(select)
        for item in select.expressions:
            _mark_rows(item)
    for empty in tree.find_all(exp.Array):
        if not empty.expressions:
            _check_cast(empty)
    return tree


def _check_cast(empty: exp.Expression) -> None:
    """Raises: IndeterminateDatatype when no cast says what an empty array or map holds."""
    what, example = "array", "ARRAY[]::integer[]"
    above = empty.parent
    while isinstance(above, exp.Paren | exp.Array | exp.Anonymous):
        if isinstance(above, exp.Anonymous):
            if above.name != "map_from_key_values":
                break
            what, example = "map", "MAP{}::map(int,int)"
        above = above.parent
    if not isinstance(above, exp.Cast):
        hint = f"Explicitly cast to the desired type, for example {example}."
        raise IndeterminateDatatype(f"cannot determine type of empty {what}", hint=hint)


def _mark_rows(tree: exp.Expression) -> None:
    """Wrap functions that return rows in UNNEST, which plans look for."""
    for node in list(tree.find_all(exp.Anonymous)):
        inside = isinstance(node.parent, exp.Explode | exp.Table)
        if isinstance(node.parent, exp.Explode) and node.name.lower() in _ROWS_OF_ARRAYS:
            node.replace(exp.Anonymous(this="array_flatten", expressions=[node.copy()]))
            continue
        if node.name.lower() in SET_FUNCTIONS and not inside and _within(node, tree):
            node.replace(exp.Explode(this=node.copy()))


def _within(node: exp.Expression, item: exp.Expression) -> bool:
    """Tell whether a node belongs to this select list, not to a query inside it."""
    above = node.parent
    while above is not None and above is not item.parent:
        if isinstance(above, exp.Select):
            return False
        above = above.parent
    return True


def _parse_tree(tokens: Sequence[Token], text: str, *, scalar: bool = False) -> exp.Expression:
    if not tokens:
        raise SyntaxFault("syntax error: an expression is missing", position=None)
    parser = VoltstreamParser(error_level=ErrorLevel.IMMEDIATE, dialect=_DIALECT)
    given = in_known_words(without_qualifiers(_with_plain_numbers(tokens, text)))
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
    if any(token.token_type in CHECKED for token in given):
        refuse_bad_clauses(tree)
    return fold(tree)


def _fault_of(error: _Located, tokens: Sequence[Token], text: str) -> SyntaxFault:
    if error.token is None:
        return fault_after(tokens[-1], text)
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
    if isinstance(tree, exp.Insert | exp.Update | exp.Delete | exp.Merge | exp.Query | exp.Values):
        return tree
    raise FeatureNotSupported(
        f"{tokens[0].text.upper()} is not supported", position=tokens[0].start + 1
    )


def parse_expression(tokens: Sequence[Token], text: str) -> exp.Expression:
    """Parse one scalar expression. Raises: SyntaxFault."""
    return _parse_tree(tokens, text, scalar=True)


def store_sql(tree: exp.Expression) -> str:
    """Print a tree as DuckDB spells it."""
    if isinstance(tree, exp.Column) and tree.args.keys() == {"this"}:
        name = tree.this
        if isinstance(name, exp.Identifier) and name.quoted:  # Most that is printed is this.
            return '"' + name.name.replace('"', '""') + '"'
    # Printing changes what it prints.
    return _STORE.generate(copied(tree), copy=False, comments=False, normalize_functions=False)
