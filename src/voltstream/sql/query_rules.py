"""What a query may not say although its grammar lets it."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from voltstream.core.errors import FeatureNotSupported, NumericOutOfRange

# A tree is looked through only for what these words began: rows of an INSERT are many.
CHECKED = frozenset({
    TokenType.UNION, TokenType.INTERSECT, TokenType.EXCEPT, TokenType.LIMIT, TokenType.OFFSET,
})  # fmt: skip
_BIGINT_MAX = 2**63 - 1


def refuse_bad_clauses(tree: exp.Expression) -> None:
    """Raises: FeatureNotSupported (0A000), NumericOutOfRange (22003)."""
    for node in tree.find_all(exp.SetOperation, exp.Limit, exp.Offset):
        if isinstance(node, exp.SetOperation):
            _refuse_order(node)
        else:
            _refuse_count(node.expression)


def _refuse_order(query: exp.SetOperation) -> None:
    order = query.args.get("order")
    for ordered in order.expressions if order is not None else []:
        key = ordered.this
        if isinstance(key, exp.Collate):
            key = key.this
        if not isinstance(key, exp.Column | exp.Literal | exp.Placeholder | exp.Parameter):
            raise FeatureNotSupported(
                "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
                detail="Only result column names can be used, not expressions or functions.",
                hint="Add the expression/function to every SELECT, or move the UNION into a FROM "
                "clause.",
            )


def _refuse_count(count: exp.Expression | None) -> None:
    whole = isinstance(count, exp.Literal) and not count.is_string and count.name.isdigit()
    if whole and count is not None and int(count.name) > _BIGINT_MAX:
        raise NumericOutOfRange("bigint out of range")
