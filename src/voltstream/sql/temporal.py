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
    if isinstance(tree, exp.Or):
        return _either([branch for branch in tree.flatten() if isinstance(branch, exp.Expression)])
    if isinstance(tree, exp.EQ):
        tree = exp.Between(this=tree.this, low=tree.expression, high=tree.expression)
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


# --- OR ---------------------------------------------------------------------------------------

_NEVER, _ALWAYS = "TIMESTAMPTZ 'infinity'", "TIMESTAMPTZ '-infinity'"


def _either(branches: list[exp.Expression]) -> Bounds | None:
    """Solve branches of which one must hold, where their times make one stretch of time.

    One branch over NOW() does, and so do several that all only begin, or all only end.
    """
    still = [branch for branch in branches if not mentions_now(branch)]
    begins: list[exp.Expression] = []
    ends: list[exp.Expression] = []
    timed = [branch for branch in branches if mentions_now(branch)]
    for branch in timed:
        found = _stretch(branch)
        if found is None:
            return None
        if found[0] is not None:
            begins.append(found[0])
        if found[1] is not None:
            ends.append(found[1])
    if len(timed) > 1 and begins and ends:
        return None
    lower = [_held(still, _call("least", begins), _ALWAYS)] if begins else []
    upper = [_held(still, _call("greatest", ends), _NEVER)] if ends else []
    return Bounds(tuple(lower), tuple(upper))


def _stretch(
    branch: exp.Expression,
) -> tuple[exp.Expression | None, exp.Expression | None] | None:
    """Return when a conjunction begins and ends to hold; never and always where it cannot."""
    lower: tuple[exp.Expression, ...] = ()
    upper: tuple[exp.Expression, ...] = ()
    others: list[exp.Expression] = []
    tree = _bare(branch)
    for part in tree.flatten() if isinstance(tree, exp.And) else [tree]:
        assert isinstance(part, exp.Expression)
        solved = solve(part) if mentions_now(part) else Bounds()
        if solved is None:
            return None
        others += [] if mentions_now(part) else [part]
        lower, upper = lower + solved.lower, upper + solved.upper
    # A bound that is NULL lets nothing through; the other branches may.
    known = [exp.Not(this=exp.Is(this=_wrap(b), expression=exp.Null())) for b in (*lower, *upper)]
    begin = _call("greatest", list(lower)) if lower else None
    end = _call("least", list(upper)) if upper else None
    conditions = [*others, *known]
    return (
        _held(conditions, exp.Var(this=_NEVER), begin, every=True) if begin is not None else None,
        _held(conditions, exp.Var(this=_ALWAYS), end, every=True) if end is not None else None,
    )


def _held(
    conditions: list[exp.Expression],
    otherwise: exp.Expression,
    value: exp.Expression | str,
    *,
    every: bool = False,
) -> exp.Expression:
    """Return a value where any condition (or every one) holds, and something else elsewhere."""
    if not conditions:
        return otherwise
    held: exp.Expression = _wrap(conditions[0])
    for other in conditions[1:]:
        pair = {"this": held, "expression": _wrap(other)}
        held = exp.And(**pair) if every else exp.Or(**pair)
    shown = exp.Var(this=value) if isinstance(value, str) else value
    return exp.Case(ifs=[exp.If(this=held, true=shown)], default=otherwise)


def _call(name: str, bounds: list[exp.Expression]) -> exp.Expression:
    instants = [exp.cast(_wrap(bound), "TIMESTAMPTZ") for bound in bounds]
    return exp.Anonymous(this=name, expressions=instants) if len(instants) > 1 else instants[0]


# --- one comparison ---------------------------------------------------------------------------


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
        case exp.Sub() if mentions_now(side.this) and is_fixed_interval(side.expression):
            return side.this, comparison, _add(other, side.expression)
        case exp.Sub() if mentions_now(side.this) and _is_interval(side.expression):
            return None  # Months end early: NOW() less a month may go back as NOW() goes on.
        case exp.Sub() if mentions_now(side.this):  # NOW() - t > d
            return side.this, comparison, _add(side.expression, other)
        case exp.Sub():  # t - NOW() > d
            return side.expression, _FLIP[comparison], _sub(side.this, other)
        case exp.Add() if mentions_now(side.this) and is_fixed_interval(side.expression):
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
        case exp.Cast() if side.to.is_type("timestamp", "timestamptz"):
            return side.this, comparison, other
        case exp.Cast() if side.to.is_type("date"):
            return _undo_step(side.this, "day", comparison, other)
        case exp.Anonymous() if side.name.lower() in _CUTS and _unit(side) is not None:
            return _undo_step(side.expressions[1], str(_unit(side)), comparison, other)
        case exp.Cast() if side.to.this in exp.DataType.NUMERIC_TYPES and mentions_now(side.this):
            real = side.to.this in (exp.DataType.Type.DOUBLE, exp.DataType.Type.FLOAT)
            return (side.this, comparison, other) if real else None
        case _:
            return None


_CUTS = ("date_trunc", "_vs_trunc_instant")
_STEPS = {
    "second": "1 second", "minute": "1 minute", "hour": "1 hour", "day": "1 day",
    "week": "7 days", "month": "1 month", "quarter": "3 months", "year": "1 year",
}  # fmt: skip


def _unit(call: exp.Anonymous) -> str | None:
    """Return the unit that date_trunc cuts to, where its steps are known."""
    unit = call.expressions[0]
    known = isinstance(unit, exp.Literal) and unit.name in _STEPS and len(call.expressions) == 2
    return unit.name if known else None


def _undo_step(
    side: exp.Expression, unit: str, comparison: _Comparison, other: exp.Expression
) -> _Step:
    """Undo a function that moves in steps: it reaches a value at the first step not before it."""
    moment = exp.cast(_wrap(other), "TIMESTAMP")
    cut = exp.Anonymous(this="date_trunc", expressions=[exp.Literal.string(unit), moment])
    following = exp.Add(this=cut, expression=exp.cast(exp.Literal.string(_STEPS[unit]), "INTERVAL"))
    if comparison in (exp.GT, exp.LTE):
        return side, exp.GTE if comparison is exp.GT else exp.LT, following
    same = exp.EQ(this=cut.copy(), expression=moment.copy())
    reached = exp.Case(ifs=[exp.If(this=same, true=moment.copy())], default=following)
    return side, comparison, exp.Paren(this=reached)


def _undo_division(
    side: exp.Anonymous, comparison: _Comparison, other: exp.Expression
) -> _Step | None:
    dividend, divisor = side.expressions[0], side.expressions[1]
    if not _positive(divisor):
        return None
    return dividend, comparison, exp.Mul(this=_wrap(other), expression=divisor.copy())


def _is_interval(tree: exp.Expression) -> bool:
    bare = _bare(tree)
    return isinstance(bare, exp.Interval) or (
        isinstance(bare, exp.Cast) and bare.to.is_type("interval")
    )


def is_fixed_interval(tree: exp.Expression) -> bool:
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
