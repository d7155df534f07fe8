"""Casts to text in a style that a session has set: DateStyle, IntervalStyle and their like.

Law: a view is defined in the usual style, whoever defines it; what is asked once follows the
session that asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import pyarrow as pa

from voltstream.core.native import BatchFunction
from voltstream.core.ports import Spelling
from voltstream.core.types import Kind
from voltstream.sql.styles.arrow import Cells
from voltstream.sql.styles.datetimes import date_texts, timestamp_texts, timestamptz_texts
from voltstream.sql.styles.intervals import interval_text
from voltstream.sql.styles.numerics import float4_text, float8_texts
from voltstream.sql.styles.style import Style, escaped_bytes, style_of

USUAL_SPELLING = Spelling()
# How values are written in the statement that is being translated.
text_style: ContextVar[Spelling] = ContextVar("text_style", default=USUAL_SPELLING)


@lru_cache(64)
def cast_spelling(asked: Spelling) -> Spelling:
    """Return what of a session's settings casts depend on; more digits than needed say nothing."""
    digits = asked.extra_float_digits
    usual = asked.datestyle.startswith("ISO")
    return Spelling(
        # In ISO style the store writes zones itself.
        timezone=USUAL_SPELLING.timezone if usual else asked.timezone,
        datestyle=USUAL_SPELLING.datestyle if usual else asked.datestyle,
        intervalstyle=asked.intervalstyle,
        bytea_output=asked.bytea_output,
        extra_float_digits=digits if int(digits) <= 0 else USUAL_SPELLING.extra_float_digits,
    )


def needs_style(kind: Kind) -> str | None:
    """Return the style to write values of a type in, as one word; None is PostgreSQL's usual."""
    asked = text_style.get()
    if asked is USUAL_SPELLING or asked == USUAL_SPELLING:
        return None
    match kind:
        case Kind.DATE | Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            differs = asked.datestyle != USUAL_SPELLING.datestyle
        case Kind.INTERVAL:
            differs = asked.intervalstyle != USUAL_SPELLING.intervalstyle
        case Kind.BYTEA:
            differs = asked.bytea_output != USUAL_SPELLING.bytea_output
        case Kind.FLOAT4 | Kind.FLOAT8:
            differs = asked.extra_float_digits != USUAL_SPELLING.extra_float_digits
        case _:
            differs = False
    return "|".join(asked) if differs else None


def _styled(arguments: Sequence[pa.Array[Any]]) -> pa.Array[Any]:
    words, values = arguments
    if not len(values):
        return pa.array([], pa.string())
    style = style_of(Spelling(*words[0].as_py().split("|")))
    texts: pa.Array[Any] = _texts(values, style).cast(pa.string())
    return texts


def _texts(values: Cells, style: Style) -> Cells:
    kind = values.type
    if pa.types.is_timestamp(kind):
        texts = timestamptz_texts if kind.tz is not None else timestamp_texts
        return texts(values, style)
    if pa.types.is_date(kind):
        return date_texts(values, style)
    if pa.types.is_float64(kind):
        return float8_texts(values, style.float_digits)
    spelled = [None if v is None else _one(v, style) for v in values.to_pylist()]
    return pa.array(spelled, pa.large_string())


def _one(value: Any, style: Style) -> str:
    match value:
        case bytes():
            return escaped_bytes(value)
        case float():
            return float4_text(value, style.float_digits)
        case _:
            micros = value.nanoseconds // 1000
            return interval_text(value.months, value.days, micros, style.intervals)


BATCHED = (BatchFunction("_vs_styled_text", "VARCHAR", _styled),)
