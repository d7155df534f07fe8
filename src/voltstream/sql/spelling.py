"""One spelling of a definition: as SHOW CREATE prints it, however it was typed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

from voltstream.core.errors import VoltstreamError
from voltstream.sql.dialect import tokenize

_WORDS = frozenset({
    "ALL", "AND", "ANY", "APPEND", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "CLOSE",
    "CONFLICT", "CREATE", "CROSS", "CURRENT", "DEFAULT", "DESC", "DISTINCT", "DISTRIBUTED",
    "DO", "ELSE", "EMIT", "ENCODE", "END", "EXCEPT", "EXISTS", "FALSE", "FILTER", "FIRST",
    "FOLLOWING", "FOR", "FORMAT", "FROM", "FULL", "GENERATED", "ALWAYS", "GROUP", "HAVING",
    "IGNORE", "ILIKE", "IN", "INCLUDE", "INDEX", "INNER", "INTERSECT", "INTERVAL", "INTO", "IS",
    "JOIN", "KEY", "LAST", "LATERAL", "LEFT", "LIKE", "LIMIT", "MATERIALIZED", "NATURAL", "NOT",
    "NOTHING", "NULL", "NULLS", "OFFSET", "ON", "ONLY", "OR", "ORDER", "OUTER", "OVER",
    "OVERWRITE", "PARTITION", "PRECEDING", "PRIMARY", "RANGE", "RECURSIVE", "RIGHT", "ROW",
    "ROWS", "SELECT", "SINK", "SOURCE", "TABLE", "THEN", "TRUE", "UNBOUNDED", "UNION", "UPDATE",
    "USING", "VALUES", "VIEW", "WATERMARK", "WHEN", "WHERE", "WINDOW", "WITH", "WITHIN",
    "WITHOUT", "ZONE",
})  # fmt: skip
# Words that begin something, so that they are no column even after a comma or a bracket.
_OPENING = frozenset({
    "CASE", "CAST", "DISTINCT", "EXISTS", "INTERVAL", "LATERAL", "NOT", "NULL", "ORDER",
    "PARTITION", "PRIMARY", "SELECT", "VALUES", "WATERMARK", "WHERE", "WITH",
})  # fmt: skip
_TYPES = {
    "BIGINT": "BIGINT", "BOOL": "BOOLEAN", "BOOLEAN": "BOOLEAN", "BYTEA": "BYTEA", "DATE": "DATE",
    "CHARACTER VARYING": "CHARACTER VARYING", "DECIMAL": "NUMERIC", "DOUBLE": "DOUBLE",
    "DOUBLE PRECISION": "DOUBLE", "FLOAT": "FLOAT", "FLOAT4": "REAL", "FLOAT8": "DOUBLE",
    "INT": "INT", "INT2": "SMALLINT", "INT4": "INT", "INT8": "BIGINT", "INTEGER": "INT",
    "INTERVAL": "INTERVAL", "JSONB": "JSONB", "MAP": "MAP", "NUMERIC": "NUMERIC", "REAL": "REAL",
    "SMALLINT": "SMALLINT", "STRING": "CHARACTER VARYING", "STRUCT": "STRUCT", "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMP", "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
    "VARCHAR": "CHARACTER VARYING",
}  # fmt: skip
_QUOTED = frozenset({TokenType.STRING, TokenType.IDENTIFIER, TokenType.NUMBER,
                     TokenType.HEREDOC_STRING, TokenType.BYTE_STRING})  # fmt: skip
_CLOSING = frozenset({",", ")", "]", ".", ";", "::"})
_TIGHT = frozenset({"(", "[", ".", "::"})
_CALLED = frozenset({"INCLUDE", "CAST", "EXISTS"})  # No space before their bracket.
# A minus behind one of these is a sign.
_SIGNED = _WORDS | {"(", ",", "=", "<", ">", "<=", ">=", "<>", "!=", "+", "-", "*", "/"}
_DEFINED = frozenset({"TABLE", "SOURCE", "VIEW"})


def canonical(definition: str) -> str:
    """Spell keywords and types in capitals with single spaces; names and values stay as typed."""
    try:
        tokens = _without_condition(tokenize(definition))
    except VoltstreamError:
        return definition
    spelled: list[str] = []
    parts: list[str] = []
    angles = 0
    for place, token in enumerate(tokens):
        word = _spelled(tokens, place, definition, spelled)
        angle = (word == "<" and spelled[-1:] in (["STRUCT"], ["MAP"])) or (word == ">" and angles)
        angles += (1 if word == "<" else -1) if angle else 0
        before = spelled[-1] if spelled else ""
        opened = before == "<" and angles and not angle
        if parts and not (angle or opened or not _apart(before, word, spelled, token)):
            parts.append(" ")
        parts.append(word)
        spelled.append(word)
    return "".join(parts)


def _without_condition(tokens: Sequence[Token]) -> list[Token]:
    """Leave out OR REPLACE and IF NOT EXISTS: what is shown exists."""
    if [token.text.upper() for token in tokens[1:3]] == ["OR", "REPLACE"]:
        tokens = [tokens[0], *tokens[3:]]
    words = [token.text.upper() for token in tokens[:8]]
    for place in range(len(words) - 2):
        if words[place : place + 3] == ["IF", "NOT", "EXISTS"]:
            return [*tokens[:place], *tokens[place + 3 :]]
    return list(tokens)


def _spelled(tokens: Sequence[Token], place: int, text: str, before: Sequence[str]) -> str:
    token = tokens[place]
    raw = text[token.start : token.end + 1]
    if token.token_type in _QUOTED or not raw[:1].isalpha():
        return raw
    word = " ".join(raw.upper().split())
    last = before[-1].rpartition(" ")[2] if before else ""
    if last in ("WITH", "WITHOUT") and word in ("TIME", "TIME ZONE"):
        return word
    named = last not in ("", ",", "(", ".") and last not in _WORDS and last[-1:].isalnum()
    if word in _TYPES and (named or last == "::" or last[-1:] == '"' or _in_map(before)):
        return _TYPES[word]
    if last == "." or (
        last in (",", "(", "SELECT", "BY") and word.partition(" ")[0] not in _OPENING
    ):
        return raw
    return word if all(part in _WORDS for part in word.split()) else raw


def _apart(before: str, word: str, spelled: Sequence[str], token: Token) -> bool:
    """Tell whether a space stands between two words."""
    if word in _CLOSING or before in _TIGHT or (word == "[" and before):
        return False
    if before == "-" and (spelled[-2:-1] or ["("])[0].rpartition(" ")[2] in _SIGNED:
        return False
    before = before.rpartition(" ")[2]
    if token.token_type != TokenType.L_PAREN:
        return True
    if before in _CALLED or spelled[-2:] == ["DISTRIBUTED", "BY"]:
        return False
    introduces = _is_name_of_definition(spelled)
    return introduces or before in _WORDS or not (before[-1:].isalnum() or before[-1:] in '_")]')


def _is_name_of_definition(spelled: Sequence[str]) -> bool:
    """Tell whether the last words are CREATE TABLE, SOURCE or VIEW and a name."""
    place = len(spelled) - 1
    while place >= 2 and spelled[place - 1] == ".":
        place -= 2
    return "(" not in spelled and place >= 1 and spelled[place - 1] in _DEFINED


def _in_map(spelled: Sequence[str]) -> bool:
    """Tell whether the innermost open bracket is that of MAP (key, value)."""
    depth = 0
    for place in range(len(spelled) - 1, 0, -1):
        depth += (spelled[place] == ")") - (spelled[place] == "(")
        if depth < 0:
            return spelled[place - 1] == "MAP"
    return False
