"""DuckDB macros that give PostgreSQL's results where DuckDB's own functions differ."""

from __future__ import annotations

from voltstream.core.native import NativeFunction
from voltstream.sql import macros, summaries
from voltstream.sql.natives import (
    ciphers,
    conversions,
    datetimes,
    exact,
    intervals,
    json_source,
    json_texts,
    jsonb,
    jsonpath,
    number_patterns,
    patterns,
    regex,
    sketches,
    texts,
    vnodes,
)

NATIVES: tuple[NativeFunction, ...] = (
    *ciphers.NATIVES,
    *sketches.NATIVES,
    *texts.NATIVES,
    *regex.NATIVES,
    *intervals.NATIVES,
    *datetimes.NATIVES,
    *exact.NATIVES,
    *patterns.NATIVES,
    *number_patterns.NATIVES,
    *jsonb.NATIVES,
    *json_source.NATIVES,
    *json_texts.NATIVES,
    *jsonpath.NATIVES,
    *conversions.NATIVES,
    *vnodes.NATIVES,
)

NUMERIC_SCALE = 16  # PostgreSQL's minimum of significant digits in a division.

_UNIT = "0." + "0" * (NUMERIC_SCALE - 1) + "1"

# pg_div(n, d): n and d are integers already scaled so that n / d has 16 decimals; the quotient is
# rounded half away from zero, as numeric division is, and division by zero raises.
MACROS: tuple[str, ...] = (
    "CREATE OR REPLACE MACRO main._vs_unscale(a, k) AS "
    "CAST(trunc(a) AS HUGEINT) * k + CAST((a - trunc(a)) * k AS HUGEINT)",
    "CREATE OR REPLACE MACRO main._vs_div_int(n, d) AS "
    "((abs(n) + abs(d) // 2) // abs(d)) * CAST(sign(n) * sign(d) AS HUGEINT)",
    "CREATE OR REPLACE MACRO main._vs_div(a, b, ka, kb, fn, fd) AS "
    "CAST(_vs_div_int(_vs_unscale(a, ka) * fn, _vs_unscale(b, kb) * fd) AS DECIMAL(38,0))"
    f" * CAST({_UNIT} AS DECIMAL({NUMERIC_SCALE},{NUMERIC_SCALE}))",
    "CREATE OR REPLACE MACRO main._vs_epoch(x) AS "
    "CAST(epoch_us(x) AS DECIMAL(32,0)) * CAST(0.000001 AS DECIMAL(6,6))",
    *macros.MACROS,
    *summaries.MACROS,
)


def division_factors(scale_a: int, scale_b: int) -> tuple[int, int, int, int]:
    """Return (ka, kb, fn, fd) of ``pg_div``: 10^scale of each side, then what levels them."""
    shift = NUMERIC_SCALE + scale_b - scale_a
    return 10**scale_a, 10**scale_b, 10 ** max(shift, 0), 10 ** max(-shift, 0)
