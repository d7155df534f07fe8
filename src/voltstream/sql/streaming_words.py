"""Words of streaming SQL that the grammar does not know, written in words that it knows.

``SESSION WITH GAP g`` becomes a frame of the kind SESSION, and then a full frame over a partition
that a marker cuts into sessions: a tree that has its types like any other. ``WITH c AS changelog
FROM t`` becomes a query over a function of the table. ``AGGREGATE:f(x)``, a function of arrays as
an aggregate, becomes the function of an array_agg.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from voltstream.core.errors import InvalidParameter, SyntaxFault

SESSION_GAP = "_vs_session_gap"
CHANGELOG = "_vs_changelog"
CHANGELOG_ROW_ID = "_changelog_row_id"
_KNOWN = frozenset({"session", "changelog", "aggregate", "broadcast"})


def in_known_words(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens with streaming clauses spelled so that the grammar reads them."""
    if not any(token.text.lower() in _KNOWN for token in tokens):
        return list(tokens)
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        words = [token.text.lower() for token in tokens[at : at + 3]]
        match words:
            case ["session", "with", "gap"]:
                kept.append(_as(tokens[at], TokenType.RANGE, "SESSION"))
                at += 3
            case ["session", "(", *_] if tokens[at].token_type != TokenType.IDENTIFIER:
                kept.append(_as(tokens[at], TokenType.VAR, "session"))
                at += 1
            case ["as", "changelog", "from"]:
                kept.append(tokens[at])
                at = _changelog(tokens, at + 1, kept)
            case ["broadcast", "join" | "inner" | "left", _] if _is_hint(tokens, at):
                at += 1  # How the rows travel between nodes; here there is one.
            case ["aggregate", ":", _]:
                at = _wrapped(tokens, at + 2, kept)
            case _:
                kept.append(tokens[at])
                at += 1
    return kept


def _is_hint(tokens: Sequence[Token], at: int) -> bool:
    """Tell BROADCAST before a join from a table's alias, by whose name columns are asked for."""
    word = tokens[at].text.lower()
    named = any(
        token.text.lower() == word and after.token_type == TokenType.DOT
        for token, after in pairwise(tokens)
    )
    return at > 0 and tokens[at - 1].token_type != TokenType.ALIAS and not named


def _changelog(tokens: Sequence[Token], at: int, kept: list[Token]) -> int:
    """Write CHANGELOG FROM t as a query over a function of t; return where it ends."""
    word, end = tokens[at], at + 3
    while end + 1 < len(tokens) and tokens[end].token_type == TokenType.DOT:
        end += 2
    before: tuple[tuple[TokenType, str], ...] = (
        (TokenType.L_PAREN, "("), (TokenType.SELECT, "SELECT"), (TokenType.STAR, "*"),
        (TokenType.COMMA, ","), (TokenType.VAR, CHANGELOG_ROW_ID), (TokenType.FROM, "FROM"),
        (TokenType.VAR, CHANGELOG), (TokenType.L_PAREN, "("),
    )  # fmt: skip
    kept += [_as(word, kind, text) for kind, text in before]
    kept += tokens[at + 2 : end]
    kept += [_as(word, TokenType.R_PAREN, ")")] * 2
    return end


def _wrapped(tokens: Sequence[Token], at: int, kept: list[Token]) -> int:
    """Write f(x …) [FILTER (…)] as f(array_agg(x …) [FILTER (…)]); return where it ends."""
    name, opened = tokens[at], at + 1
    if opened == len(tokens) or tokens[opened].token_type != TokenType.L_PAREN:
        raise SyntaxFault("AGGREGATE: takes a call of a function", position=name.start + 1)
    end = _closed(tokens, opened)
    if end + 1 < len(tokens) and tokens[end].text.lower() == "filter":
        end = _closed(tokens, end + 1)
    kept += [name, _as(name, TokenType.L_PAREN, "("), _as(name, TokenType.VAR, "array_agg")]
    kept += in_known_words(tokens[opened:end])
    kept.append(_as(name, TokenType.R_PAREN, ")"))
    return end


def _closed(tokens: Sequence[Token], opened: int) -> int:
    """Return the place behind the bracket that closes one."""
    depth = 0
    for at in range(opened, len(tokens)):
        kind = tokens[at].token_type
        depth += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        if not depth:
            return at + 1
    return len(tokens)


def _as(token: Token, kind: TokenType, text: str) -> Token:
    return Token(kind, text, token.line, token.col, token.start, token.end)


def mark_sessions(tree: exp.Expression) -> None:
    """Write SESSION frames as markers. Raises: InvalidParameter (22023) without one sort key."""
    for window in list(tree.find_all(exp.Window)):
        spec = window.args.get("spec")
        if spec is None or spec.args.get("kind") != "SESSION":
            continue
        order = window.args.get("order")
        if order is None or len(order.expressions) != 1:
            raise InvalidParameter(
                "a SESSION frame needs exactly one ORDER BY column",
                hint="OVER (PARTITION BY k ORDER BY at SESSION WITH GAP INTERVAL '5 minutes')",
            )
        gap = spec.args.get("start")
        if not isinstance(gap, exp.Expression):
            raise InvalidParameter("a SESSION frame needs a gap")
        marker = exp.Anonymous(this=SESSION_GAP, expressions=[as_interval(gap)])
        window.set("partition_by", [*(window.args.get("partition_by") or []), marker])
        window.set(
            "spec",
            exp.WindowSpec(
                kind="ROWS", start="UNBOUNDED", start_side="PRECEDING",
                end="UNBOUNDED", end_side="FOLLOWING",
            ),
        )  # fmt: skip


def as_interval(tree: exp.Expression) -> exp.Expression:
    """Return a bare string as the interval that it spells."""
    if isinstance(tree, exp.Literal) and tree.is_string:
        return exp.Interval(this=tree.copy())
    return tree


def session_gap(window: exp.Expression) -> exp.Expression | None:
    """Return the gap of a window call's sessions, or None when its frame is an ordinary one."""
    for tree in window.args.get("partition_by") or []:
        if is_marker(tree):
            gap: exp.Expression = tree.expressions[0]
            return gap
    return None


def reads_changelog(tree: exp.Expression) -> bool:
    return any(node.name == CHANGELOG for node in tree.find_all(exp.Anonymous))


def is_marker(tree: exp.Expression) -> bool:
    return isinstance(tree, exp.Anonymous) and tree.name == SESSION_GAP
