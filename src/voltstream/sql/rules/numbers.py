"""Numbers: arithmetic with PostgreSQL's types, rounding, powers and angles."""

from __future__ import annotations

import math
from decimal import Decimal

from sqlglot import exp

from voltstream.core.errors import NumericOutOfRange
from voltstream.core.types import DataType, Kind
from voltstream.sql.natives.number_patterns import decimals
from voltstream.sql.rules.tree import (
    EXACT,
    FLOATS,
    INTEGERS,
    Call,
    Rule,
    TypeOf,
    bare,
    call,
    cast,
    is_null,
    literal_scale,
    number,
    paren,
    renamed,
    string_of,
)

_SCALE_MAX = 38
_PRODUCT_SCALE = 20
_UNBOUNDED_SCALE = 10
_QUOTIENT_SCALE = 16
_WORD_DIGITS = 18
_INTEGER_DIGITS = {Kind.INT2: 5, Kind.INT4: 10, Kind.INT8: 19}


def _whole(tree: exp.Expression) -> int | None:
    inner = bare(tree)
    negative = isinstance(inner, exp.Neg)
    if negative:
        inner = bare(inner.this)
    if isinstance(inner, exp.Literal) and not inner.is_string and inner.name.isdigit():
        return -int(inner.name) if negative else int(inner.name)
    return None


def literal(node: exp.Literal) -> exp.Expression | None:
    """Return a number with an exponent, or with more digits than the store reads, as numeric."""
    digits = node.name
    if "e" not in digits.lower() and ("." not in digits or len(digits) <= _SCALE_MAX):
        return None
    scale = literal_scale(digits)
    if scale is None and math.isfinite(float(digits)) and (float(digits) or not Decimal(digits)):
        return cast(exp.Literal.string(digits), "DOUBLE")
    if scale is None:
        raise NumericOutOfRange(f'value "{digits}" is out of range for type numeric')
    return cast(exp.Literal.string(digits), f"DECIMAL(38,{scale})")


def widened(found: Call) -> list[exp.Expression] | None:
    """Return the operands of integer arithmetic with constants as integer, as PostgreSQL has it.

    Law: in the store a constant takes the width of the other side, and smallint + 1 overflows.
    """
    kinds = found.kind(0), found.kind(1)
    if Kind.INT2 not in kinds or not set(kinds) <= INTEGERS:
        return None
    if _whole(found[0]) is None and _whole(found[1]) is None:
        return None
    return [cast(a, "INTEGER") if _whole(a) is not None else paren(a) for a in (found[0], found[1])]


def divisible(found: Call) -> Call:
    """Return the operands of a quotient of a smallint and a constant, which is an integer."""
    wider = widened(found)
    return found if wider is None else Call(found.name, found.node, wider, found.type_of)


def product(found: Call) -> exp.Expression | None:
    """Return a product of numerics whose scales together would not fit, or None."""
    left, right = found.type(0), found.type(1)
    if left.kind is not Kind.NUMERIC or right.kind is not Kind.NUMERIC:
        return None
    total = (left.scale or 0) + (right.scale or 0)
    if total <= _PRODUCT_SCALE:
        return None
    half = _PRODUCT_SCALE // 2
    narrow = [
        cast(tree, f"DECIMAL(38,{half})") if (kind.scale or 0) > half else paren(tree)
        for tree, kind in zip(found.arguments, (left, right), strict=True)
    ]
    return exp.Mul(this=narrow[0], expression=narrow[1])


def roomy(found: Call) -> Call:
    """Return factors whose product has room.

    Law: the store multiplies numbers of up to 18 digits in a word, and refuses longer results.
    """
    left, right = (_digits(found[index], found.type(index)) for index in (0, 1))
    exact = Kind.NUMERIC in (found.kind(0), found.kind(1)) and left and right
    if not exact or max(left, right) > _WORD_DIGITS or left + right <= _WORD_DIGITS:
        return found
    wide = cast(paren(found[0]), f"DECIMAL(38,{_fraction_digits(found[0], found.type(0))})")
    return Call(found.name, found.node, [wide, found[1]], found.type_of)


def _digits(tree: exp.Expression, kind: DataType) -> int:
    """Return how many digits an exact number may have, 0 for any other."""
    if kind.array_depth or kind.kind not in _INTEGER_DIGITS.keys() | {Kind.NUMERIC}:
        return 0
    spelled = _spelled(tree)
    if spelled is not None:
        return max(1, sum(each.isdigit() for each in spelled))
    return _INTEGER_DIGITS.get(kind.kind) or kind.precision or _SCALE_MAX


def _fraction_digits(tree: exp.Expression, kind: DataType) -> int:
    spelled = _spelled(tree)
    return len(spelled.partition(".")[2]) if spelled is not None else kind.scale or 0


def _spelled(tree: exp.Expression) -> str | None:
    """Return a number as it is written, without its sign."""
    inner = bare(tree)
    if isinstance(inner, exp.Neg):
        inner = bare(inner.this)
    return inner.name if isinstance(inner, exp.Literal) and not inner.is_string else None


def levelled(items: list[exp.Expression], type_of: TypeOf) -> list[exp.Expression]:
    """Return values that share a column, exact numbers of several scales as unbounded ones.

    Law: the store would pad each to the longest scale; a numeric without a scale is not padded.
    """
    types = [type_of(item) for item in items]
    numbers_only = [found for found in types if found.kind is not Kind.UNKNOWN]
    scales = {found.scale or 0 for found in numbers_only}
    if len(scales) < 2 or not all(_exact(found) for found in numbers_only):
        return items
    if max(scales) > _UNBOUNDED_SCALE:
        return items
    return [
        cast(item, f"DECIMAL(38,{_UNBOUNDED_SCALE})") if _exact(found) else item
        for item, found in zip(items, types, strict=True)
    ]


def _exact(found: DataType) -> bool:
    return found.kind in EXACT and not found.array_depth


def _round(found: Call) -> exp.Expression:
    kind = found.type(0)
    if kind.kind is Kind.FLOAT4 and len(found) == 1:
        return call("round_even", cast(found[0], "DOUBLE"), number(0))
    if is_null(found[0]):
        return cast(found[0], "DOUBLE")
    if string_of(found[0]) is not None:
        return call("round_even", cast(found[0], "DOUBLE"), number(0))
    if len(found) == 1:
        if kind.kind in FLOATS:
            return call("round_even", found[0], number(0))
        return found[0] if kind.kind in INTEGERS else call("round", found[0])
    digits = _whole(found[1])
    if not _exact(kind):
        return call("round", found[0], found[1])
    source = found[0] if kind.kind is Kind.NUMERIC else cast(found[0], "DECIMAL(38,0)")
    if digits is None:
        scale = kind.scale or 0
        if kind.kind is not Kind.NUMERIC or not scale:
            return source
        return call("_vs_round", cast(source, "DECIMAL(38,10)"), found[1])
    if digits < 0:
        return cast(call("_vs_round_left", source, number(10**-digits)), "DECIMAL(38,0)")
    if digits > min(kind.scale or 0, _SCALE_MAX):
        return cast(source, f"DECIMAL(38,{min(digits, _PRODUCT_SCALE)})")
    return cast(call("round", source, number(digits)), f"DECIMAL(38,{digits})")


def _trunc(found: Call) -> exp.Expression:
    kind = found.type(0)
    if len(found) == 1:
        return found[0] if kind.kind in INTEGERS else call("trunc", found[0])
    digits = _whole(found[1])
    if digits is None or not _exact(kind):
        return call("_vs_trunc", cast(found[0], "DECIMAL(38,10)"), found[1])
    if digits < 0:
        return cast(call("_vs_trunc_left", found[0], number(10**-digits)), "DECIMAL(38,0)")
    if digits >= (kind.scale or 0):
        return cast(found[0], f"DECIMAL(38,{digits})")
    return cast(call("_vs_trunc", found[0], number(digits)), f"DECIMAL(38,{digits})")


def _whole_of(name: str) -> Rule:
    def rule(found: Call) -> exp.Expression:
        kind = found.kind(0)
        if kind in INTEGERS:
            return cast(found[0], "DOUBLE")
        return call(name, found[0])

    return rule


def power(found: Call) -> exp.Expression:
    """Rule of power and ^: numeric for numerics, double precision otherwise."""
    if _all_exact(found) and Kind.NUMERIC in (found.kind(0), found.kind(1)):
        return _exactly("power", found.arguments)
    return call("_vs_power", cast(found[0], "DOUBLE"), cast(found[1], "DOUBLE"))


def _all_exact(found: Call) -> bool:
    return not any(found.kind(i) in FLOATS for i in range(len(found)))


def _exactly(name: str, numbers: list[exp.Expression]) -> exp.Expression:
    """Return a function of numerics that is computed in digits; it has the scale of a quotient."""
    spelled = [
        cast(cast(tree, "DECIMAL") if is_null(tree) else tree, "VARCHAR") for tree in numbers
    ]
    return cast(call(f"_vs_numeric_{name}", *spelled), f"DECIMAL(38,{_QUOTIENT_SCALE})")


def _checked(name: str) -> Rule:
    """Return a rule of numerics, and of doubles by a macro that refuses what is undefined."""

    def rule(found: Call) -> exp.Expression:
        if found.kind(0) is Kind.NUMERIC:
            return _exactly(name, found.arguments)
        return call(f"_vs_{name}", *(cast(argument, "DOUBLE") for argument in found.arguments))

    return rule


def _log(found: Call) -> exp.Expression:
    if len(found) == 1:
        return _checked("log10")(found)
    if _all_exact(found):
        return _exactly("log", found.arguments)
    quotient = exp.Div(this=_ln(found[1]), expression=_ln(found[0]))
    return exp.Paren(this=quotient)


def _ln(tree: exp.Expression) -> exp.Expression:
    return call("_vs_ln", cast(tree, "DOUBLE"))


def _mod(found: Call) -> exp.Expression:
    return exp.Paren(this=exp.Mod(this=paren(found[0]), expression=paren(found[1])))


def _div(found: Call) -> exp.Expression:
    return call("_vs_quotient", cast(found[0], "DECIMAL(38,10)"), cast(found[1], "DECIMAL(38,10)"))


def _width_bucket(found: Call) -> exp.Expression:
    if len(found) == 2:
        return call("_vs_width_bucket_of", found[0], found[1])
    low_to_high = [cast(argument, "DOUBLE") for argument in found.arguments[:3]]
    return call("_vs_width_bucket", *low_to_high, found[3])


def _scale(found: Call) -> exp.Expression:
    printed = call("_vs_numeric_text", found[0])
    if not (found.type(0).scale or 0) >= _PRODUCT_SCALE // 2:
        return number(found.type(0).scale or 0)
    return call("_vs_digits_after", printed)


def _min_scale(found: Call) -> exp.Expression:
    return call("_vs_digits_after", call("_vs_numeric_text", found[0]))


def _trim_scale(found: Call) -> exp.Expression:
    return cast(found[0], "DECIMAL(38,10)")


def _abs(found: Call) -> exp.Expression:
    return call("abs", found[0])


def _sign(found: Call) -> exp.Expression:
    target = "DECIMAL(38,0)" if found.kind(0) is Kind.NUMERIC else "DOUBLE"
    return cast(call("sign", found[0]), target)


def _double(name: str) -> Rule:
    return lambda found: call(name, *(cast(argument, "DOUBLE") for argument in found.arguments))


def _degrees(function: str) -> Rule:
    return lambda found: call(f"_vs_{function}", cast(found[0], "DOUBLE"))


def shift(found: Call) -> exp.Expression:
    """Rule of << and >>: within the width of the left side; bits keep their count."""
    if found.kind(0) is Kind.VARBIT:
        return found.node
    types = {Kind.INT2: "SMALLINT", Kind.INT4: "INTEGER"}
    name = "_vs_shift_left" if found.name == "<<" else "_vs_shift_right"
    shifted = call(name, cast(found[0], "BIGINT"), cast(found[1], "INTEGER"))
    target = types.get(found.kind(0))
    return cast(shifted, target) if target else shifted


def bits(found: Call) -> exp.Expression:
    """Rule of # on integers."""
    return call("xor", *found.arguments)


def _integer_result(name: str) -> Rule:
    return lambda found: cast(call(name, *found.arguments), _wider(found))


def _wider(found: Call) -> str:
    return "BIGINT" if any(found.kind(i) is Kind.INT8 for i in range(len(found))) else "INTEGER"


def _to_number(found: Call) -> exp.Expression:
    """Rule of to_number: it has as many decimals as its template."""
    template = string_of(found[1])
    scale = _UNBOUNDED_SCALE if template is None else decimals(template)
    return cast(call("_vs_to_number", *found.arguments), f"DECIMAL(38,{scale})")


CALLS: dict[str, Rule] = {
    "round": _round, "trunc": _trunc, "truncate": _trunc, "ceil": _whole_of("ceil"),
    "ceiling": _whole_of("ceil"), "floor": _whole_of("floor"), "power": power, "pow": power,
    "sqrt": _checked("sqrt"), "cbrt": _double("_vs_cbrt"), "ln": _checked("ln"),
    "log10": _checked("log10"), "log": _log, "exp": _checked("exp"), "mod": _mod,
    "div": _div, "width_bucket": _width_bucket, "scale": _scale, "min_scale": _min_scale,
    "trim_scale": _trim_scale, "abs": _abs, "operator @": _abs, "sign": _sign,
    "degrees": _double("degrees"),
    "radians": _double("radians"), "sin": _double("sin"), "cos": _double("cos"),
    "tan": _double("tan"), "asin": _double("_vs_asin"), "acos": _double("_vs_acos"),
    "atan": _double("atan"), "atan2": _double("atan2"), "sinh": _double("sinh"),
    "cosh": _double("cosh"), "tanh": _double("tanh"), "asinh": _double("asinh"),
    "acosh": _double("acosh"), "atanh": _double("atanh"), "cot": _double("cot"),
    "coth": _double("_vs_coth"), "sind": _degrees("sind"), "cosd": _degrees("cosd"),
    "tand": _degrees("tand"), "cotd": _degrees("cotd"), "asind": _degrees("asind"),
    "acosd": _degrees("acosd"), "atand": _degrees("atand"), "atan2d": _double("_vs_atan2d"),
    "gamma": _double("_vs_gamma"), "lgamma": _double("_vs_lgamma"), "pi": renamed("pi"),
    "gcd": _integer_result("gcd"), "lcm": _integer_result("lcm"),
    "factorial": renamed("factorial"), "to_number": _to_number,
}  # fmt: skip
