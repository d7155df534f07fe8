"""Functions that return rows, as lists that UNNEST opens."""

from __future__ import annotations

from sqlglot import exp

from voltstream.core.errors import InvalidParameter
from voltstream.core.types import Kind
from voltstream.sql.rules import casts
from voltstream.sql.rules.tree import Call, Rule, call, cast, number, string_of

_MOMENTS = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})


def _series(found: Call) -> exp.Expression:
    """Rule of generate_series: numbers by a step, moments by an interval; a step of 0 fails."""
    kinds = {found.kind(i) for i in range(min(len(found), 2))}
    if kinds & _MOMENTS or _is_span(found):
        wanted = "TIMESTAMPTZ" if Kind.TIMESTAMPTZ in kinds else "TIMESTAMP"
        ends = [casts.rewritten(cast(a, wanted), found.type_of) for a in found.arguments[:2]]
        step = found[2]
        if string_of(step) is not None:
            step = casts.rewritten(cast(step, "INTERVAL"), found.type_of)
        return call(_listed(found), *ends, step)
    if Kind.NUMERIC in kinds or (len(found) > 2 and found.kind(2) is Kind.NUMERIC):
        scale = max((found.type(i).scale or 0) for i in range(len(found)))
        parts = [cast(a, f"DECIMAL(38,{scale})") for a in found.arguments]
        step = parts[2] if len(parts) > 2 else cast(number(1), f"DECIMAL(38,{scale})")
        return call("_vs_numeric_series", parts[0], parts[1], step)
    if _is_zero(found):
        raise InvalidParameter("step size cannot equal zero")
    wide = Kind.INT8 in kinds
    listed = call(_listed(found), *found.arguments)
    return listed if wide else cast(listed, "INTEGER[]")


def _listed(found: Call) -> str:
    return "range" if found.name == "range" else "generate_series"


def _is_span(found: Call) -> bool:
    return len(found) > 2 and found.kind(2) is Kind.INTERVAL


def _is_zero(found: Call) -> bool:
    return len(found) > 2 and found[2] == exp.Literal.number(0)


CALLS: dict[str, Rule] = {"generate_series": _series, "range": _series}
