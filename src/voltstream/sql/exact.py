"""A rewrite: which sums can be undone.

Adding and taking away integers and numerics leaves no trace, so groups of such sums and of counts
follow retractions by merging. Floats would drift: their groups are computed again.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from sqlglot import exp

from voltstream.core.types import Kind, from_store
from voltstream.sql.batch import batch_sql
from voltstream.sql.catalog import TypeOracle
from voltstream.sql.expressions import INTEGERS, spell
from voltstream.sql.plan import (
    Aggregate,
    Plan,
    children,
)

_EXACT = INTEGERS | {Kind.NUMERIC}


def with_exact_sums(plan: Plan, oracle: TypeOracle) -> Plan:
    """Mark the aggregates whose every call can be undone; a node with two parents stays one."""
    return _marked(plan, oracle, {})


def _marked(plan: Plan, oracle: TypeOracle, known: dict[int, Plan]) -> Plan:
    if id(plan) not in known:
        known[id(plan)] = _marked_anew(plan, oracle, known)
    return known[id(plan)]


def _marked_anew(plan: Plan, oracle: TypeOracle, known: dict[int, Plan]) -> Plan:
    parts = children(plan)
    changed: dict[str, Any] = {}
    for field in fields(plan):
        value = getattr(plan, field.name)
        if any(value is part for part in parts):
            changed[field.name] = _marked(value, oracle, known)
        elif value is parts:
            changed[field.name] = tuple(_marked(part, oracle, known) for part in parts)
    plan = replace(plan, **changed)
    if isinstance(plan, Aggregate) and plan.calls and _all_exact(plan, oracle):
        return replace(plan, exact=True)
    return plan


def _all_exact(plan: Aggregate, oracle: TypeOracle) -> bool:
    sums = []
    for _, call in plan.calls:
        inner = call.this if isinstance(call, exp.Cast) else call
        inner = inner.this if isinstance(inner, exp.Filter) else inner
        if isinstance(inner.this, exp.Distinct) or not isinstance(inner, exp.Count | exp.Sum):
            return False
        if isinstance(inner, exp.Sum):
            sums.append(spell(inner.this))
    if not sums:
        return True
    columns = oracle.describe(f"SELECT {', '.join(sums)} FROM ({batch_sql(plan.child)})")
    return all(from_store(column.store_type).kind in _EXACT for column in columns)
