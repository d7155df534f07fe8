"""Roots, powers and logarithms of numerics, digit by digit: a double has too few.

Units: results have sixteen decimals, as quotients have. Law: the last digit is rounded half up from
digits that are all known, as PostgreSQL's are.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException, Overflow

from voltstream.core.errors import InvalidLogarithm, InvalidPower, NumericOutOfRange
from voltstream.core.native import NativeFunction

# Of 22 digits before the point and 16 behind it all are known, and some more to round by.
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_PLACES = Decimal(1).scaleb(-16)
_MOST = Decimal(10) ** 22


def _stored(compute: Callable[[], Decimal]) -> str:
    """Raises: NumericOutOfRange (22003) where a numeric has no room for the result."""
    try:
        found = compute()
        if abs(found) < _MOST:
            return f"{found.quantize(_PLACES, context=_EXACT):f}"
    except Overflow:
        pass
    except DecimalException as error:
        raise NumericOutOfRange("value overflows numeric format") from error
    raise NumericOutOfRange("value overflows numeric format")


def _root(text: str) -> str:
    value = Decimal(text)
    if value < 0:
        raise InvalidPower("cannot take square root of a negative number")
    return _stored(lambda: _EXACT.sqrt(value))


def _exponential(text: str) -> str:
    return _stored(lambda: _EXACT.exp(Decimal(text)))


def _positive(text: str) -> Decimal:
    value = Decimal(text)
    if value == 0:
        raise InvalidLogarithm("cannot take logarithm of zero")
    if value < 0:
        raise InvalidLogarithm("cannot take logarithm of a negative number")
    return value


def _natural(text: str) -> str:
    return _stored(lambda: _EXACT.ln(_positive(text)))


def _decimal_logarithm(text: str) -> str:
    return _stored(lambda: _EXACT.log10(_positive(text)))


def _logarithm(base: str, text: str) -> str:
    above, below = _EXACT.ln(_positive(text)), _EXACT.ln(_positive(base))
    if not below:
        raise NumericOutOfRange("value overflows numeric format")
    return _stored(lambda: _EXACT.divide(above, below))


def _raised(base: str, power: str) -> str:
    value, exponent = Decimal(base), Decimal(power)
    whole = exponent == exponent.to_integral_value()
    if value == 0 and exponent < 0:
        raise InvalidPower("zero raised to a negative power is undefined")
    if value < 0 and not whole:
        raise InvalidPower(
            "a negative number raised to a non-integer power yields a complex result"
        )
    if exponent == 0:
        return _stored(lambda: Decimal(1))  # 0 to the power of 0 is 1, too.
    return _stored(lambda: _EXACT.power(value, exponent))


_T = "VARCHAR"

NATIVES = (
    NativeFunction("_vs_numeric_sqrt", (_T,), _T, _root),
    NativeFunction("_vs_numeric_exp", (_T,), _T, _exponential),
    NativeFunction("_vs_numeric_ln", (_T,), _T, _natural),
    NativeFunction("_vs_numeric_log10", (_T,), _T, _decimal_logarithm),
    NativeFunction("_vs_numeric_log", (_T, _T), _T, _logarithm),
    NativeFunction("_vs_numeric_power", (_T, _T), _T, _raised),
)
