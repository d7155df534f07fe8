"""Predicates over NOW(), solved for the instant at which they change.

Law: a solved predicate is a conjunction of ``lower <= NOW()`` and ``NOW() < upper`` with bounds
free of NOW(). Instants have microsecond resolution, so ``NOW() > x`` is ``x + 1 us <= NOW()``.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from voltstream.sql.expressions import is_now, mentions_now

_Comparison = type[exp.Binary]
_FLIP: dict[_Comparison, _Comparison] = {
    exp.GT: exp.LT,
    exp.LT: exp.GT,
    exp.GTE: exp.LTE,
    exp.LTE: exp.GTE,
}
_OPPOSITE: dict[_Comparison, _Comparison] = {
    exp.GT: exp.LTE,
    exp.LT: exp.GTE,
    exp.GTE: exp.LT,
    exp.LTE: exp.GT,
}
_CALENDAR = ("MONTH", "YEAR", "QUARTER", "DECADE", "CENTURY", "MON")


@dataclass(frozen=True)
class Bounds:
    """What is left of a predicate: instants to be reached, and instants to stay before."""

    lower: tuple[exp.Expression, ...] = ()
    upper: tuple[exp.Expression, ...] = ()


def solve(predicate: exp.Expression) -> Bounds | None:
    """Return the bounds of one conjunct over NOW(), or None when it cannot be inverted."""
    tree: exp.Expression = _bare(predicate)
    if isinstance(tree, exp.Not):
        inner = _bare(tree.this)
        if not isinstance(inner, exp.Binary) or type(inner) not in _OPPOSITE:
            return None
        negated = _OPPOSITE[type(inner)](this=inner.this.copy(), expression=inner.expression.copy())
        return solve(exp.Paren(this=negated))
    if isinstance(tree, exp.Between):
        low = solve(exp.GTE(this=tree.this.copy(), expression=tree.args["low"].copy()))
        high = solve(exp.LTE(this=tree.this.copy(), expression=tree.args["high"].copy()))
        if low is None or high is None:
            return None
        return Bounds(low.lower + high.lower, low.upper + high.upper)
    if not isinstance(tree, exp.Binary) or type(tree) not in _FLIP:
        return None
    comparison: _Comparison = type(tree)
    left, right = tree.this, tree.expression
    if mentions_now(right):
        if mentions_now(left):
            return None
        left, right, comparison = right, left, _FLIP[comparison]
    return _peel(_bare(left), comparison, right)


def _bare(tree: exp.Expression) -> exp.Expression:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return tree


def _peel(side: exp.Expression, comparison: _Comparison, other: exp.Expression) -> Bounds | None:
    """Undo one operation around NOW() at a time. Invariant: ``side comparison other``."""
    while not is_now(side):
        step = _undo(side, comparison, other)
        if step is None:
            return None
        side, comparison, other = step
        side = _bare(side)
    if comparison is exp.GTE:
        return Bounds(lower=(other,))
    if comparison is exp.GT:
        return Bounds(lower=(_plus_microsecond(other),))
    if comparison is exp.LT:
        return Bounds(upper=(other,))
    return Bounds(upper=(_plus_microsecond(other),))


_Step = tuple[exp.Expression, _Comparison, exp.Expression]


def _undo(side: exp.Expression, comparison: _Comparison, other: exp.Expression) -> _Step | None:
    match side:
        case exp.Sub() if mentions_now(side.this) and _is_fixed_interval(side.expression):
            return side.this, comparison, _add(other, side.expression)
        case exp.Sub() if mentions_now(side.this):  # NOW() - t > d
            return side.this, comparison, _add(side.expression, other)
        case exp.Sub():  # t - NOW() > d
            return side.expression, _FLIP[comparison], _sub(side.this, other)
        case exp.Add() if mentions_now(side.this) and _is_fixed_interval(side.expression):
            return side.this, comparison, _sub(other, side.expression)
        case exp.Anonymous() if side.name.lower() == "_vs_div":
            return _undo_division(side, comparison, other)
        case exp.Anonymous() if side.name.lower() in ("_vs_epoch", "_vs_span_epoch"):
            return side.expressions[0], comparison, _seconds(other)
        case exp.Div() if _positive(side.expression):
            return side.this, comparison, exp.Mul(this=_wrap(other), expression=side.expression)
        case exp.Mul() if _positive(side.expression):
            quotient = exp.Div(this=exp.cast(other, "DOUBLE"), expression=side.expression)
            return side.this, comparison, quotient
        case exp.Cast() if side.to.this in exp.DataType.NUMERIC_TYPES and mentions_now(side.this):
            real = side.to.this in (exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT)
            return (side.this, comparison, other) if real else None
        case _:
            return None


def _undo_division(
    side: exp.Anonymous, comparison: _Comparison, other: exp.Expression
) -> _Step | None:
    dividend, divisor = side.expressions[0], side.expressions[1]
    if not _positive(divisor):
        return None
    return dividend, comparison, exp.Mul(this=_wrap(other), expression=divisor.copy())


def _is_fixed_interval(tree: exp.Expression) -> bool:
    """Tell whether adding and subtracting it are inverse: no months or years in it."""
    bare = _bare(tree)
    if isinstance(bare, exp.Cast):
        text = bare.this.name.upper()
        return not any(word in text for word in _CALENDAR)
    if not isinstance(bare, exp.Interval):
        return False
    text = f"{bare.this.name if bare.this else ''} {bare.args.get('unit') or ''}".upper()
    return not any(word in text for word in _CALENDAR)


def _positive(tree: exp.Expression) -> bool:
    bare = _bare(tree)
    return isinstance(bare, exp.Literal) and not bare.is_string and float(bare.name) > 0


def _wrap(tree: exp.Expression) -> exp.Expression:
    return exp.Paren(this=tree.copy())


def _add(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return exp.Add(this=_wrap(left), expression=_wrap(right))


def _sub(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return exp.Sub(this=_wrap(left), expression=_wrap(right))


def _seconds(tree: exp.Expression) -> exp.Expression:
    micros = exp.Mul(this=_wrap(tree), expression=exp.Literal.number(1000000))
    return exp.Anonymous(this="to_microseconds", expressions=[exp.cast(micros, "BIGINT")])


def _plus_microsecond(tree: exp.Expression) -> exp.Expression:
    return _add(tree, exp.Interval(this=exp.Literal.string("1"), unit=exp.var("MICROSECOND")))
