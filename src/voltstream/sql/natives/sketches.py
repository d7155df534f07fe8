"""Values of RisingWave's approx_percentile: the middle of a bucket of geometric width."""

from __future__ import annotations

import math

from voltstream.core.errors import InvalidParameter
from voltstream.core.native import NativeFunction


def bucket_value(value: float, error: float) -> float:
    """Return what a sketch with this relative error tells of a value.

    Law: buckets grow by (1 + error) / (1 - error), so that they are ``error`` off at most.
    Source: C. Masson, J. E. Rim, H. K. Lee, "DDSketch", VLDB 2019, section 2.2.
    Raises: InvalidParameter (22023) for an error outside 0 to 1.
    """
    if not 0 < error < 1:
        raise InvalidParameter("relative_error must be between 0 and 1")
    if value == 0 or not math.isfinite(value):
        return value
    base = (1 + error) / (1 - error)
    place = math.ceil(math.log(abs(value)) / math.log(base))
    return math.copysign(2 * _power(base, place) / (base + 1), value)


def _power(base: float, exponent: int) -> float:
    """Multiply by repeated squaring, whose last digits math.pow does not have."""
    left, found = abs(exponent), 1.0
    while left:
        if left & 1:
            found *= base
        left >>= 1
        base *= base
    return 1 / found if exponent < 0 else found


NATIVES = (NativeFunction("_vs_sketched", ("DOUBLE", "DOUBLE"), "DOUBLE", bucket_value),)
