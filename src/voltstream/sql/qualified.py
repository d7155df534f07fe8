"""Words that say what is so anyway: pg_catalog.lower(x), x OPERATOR(pg_catalog.~) y.

What they say is the default here, so they are taken away before the grammar sees them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

# The grammar reads these as types, but not arrays of them.
_OID_TYPES = frozenset(
    ("oid", "regclass", "regtype", "regproc", "regprocedure", "regnamespace", "regrole")
)
_ODD = _OID_TYPES | {"pg_catalog", "varying"}


def without_qualifiers(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens without pg_catalog before functions, types, operators and collations."""
    if not any(token.text.lower() in _ODD for token in tokens):
        return list(tokens)
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        words = [token.text.lower() for token in tokens[at : at + 6]]
        match words:
            case ["operator", "(", "pg_catalog", ".", _, ")", *_]:
                kept.append(tokens[at + 4])
                at += 6
            case ["collate", "pg_catalog", ".", "default", *_]:
                at += 4
            case ["pg_catalog", ".", _, "(", *_]:
                at += 2
            case ["pg_catalog", ".", *_] if kept and _opens_type(kept[-1]):
                at += 2
            case ["bit", "varying", *_] if kept and _opens_type(kept[-1]):
                kept.append(_named(tokens[at], "varbit"))
                at += 2
            case [name, "[", "]", *_] if name in _OID_TYPES:
                kept.append(_plain_number(tokens[at]))
                at += 1
            case _:
                kept.append(tokens[at])
                at += 1
    return kept


def _plain_number(token: Token) -> Token:
    return Token(TokenType.UINT, "uint", token.line, token.col, token.start, token.end)


def _named(token: Token, word: str) -> Token:
    return Token(TokenType.VAR, word, token.line, token.col, token.start, token.end)


def _opens_type(token: Token) -> bool:
    return token.token_type == TokenType.DCOLON or token.text.lower() == "as"
