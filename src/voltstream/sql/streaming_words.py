"""Words of streaming SQL that the grammar does not know, written in words that it knows.

``SESSION WITH GAP g`` becomes a frame of the kind SESSION, and then a full frame over a partition
that a marker cuts into sessions: a tree that has its types like any other.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from voltstream.core.errors import InvalidParameter

SESSION_GAP = "_vs_session_gap"
_KNOWN = frozenset({"session"})


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
            case _:
                kept.append(tokens[at])
                at += 1
    return kept


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


def is_marker(tree: exp.Expression) -> bool:
    return isinstance(tree, exp.Anonymous) and tree.name == SESSION_GAP
