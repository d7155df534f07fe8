"""Which views are continuous aggregates: an aggregate by time_bucket over one hypertable."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import exp

from voltstream.sql.plan import Aggregate, Filter, Plan, Project, Scan
from voltstream.sql.targets.render import BoundQuery
from voltstream.sql.targets.words import Tree, interval_span
from voltstream.sql.windows import WINDOW

_DAY_US = 86_400_000_000


def bucket_width(made: BoundQuery, hypertables: Collection[int]) -> int | None:
    """Return the width of a continuous aggregate's buckets in microseconds; None for others.

    Shape: ``hypertables`` are the oids of what has chunks in the target.
    """
    if made.volatile:
        return None
    plan: Plan = made.plan
    while isinstance(plan, Project):
        plan = plan.child
    if not isinstance(plan, Aggregate) or any(t.find(exp.Distinct) for _, t in plan.calls):
        return None
    below: Plan = plan.child
    widths: list[int] = []
    while isinstance(below, Filter | Project):
        if isinstance(below, Project):
            widths += [w for _, tree in below.items if (w := _width(tree)) is not None]
        below = below.child
    if not isinstance(below, Scan) or below.relation.oid not in hypertables:
        return None
    return widths[0] if len(set(widths)) == 1 else None


def _width(tree: Tree) -> int | None:
    """Return the width of a bucket that an expression puts its row in."""
    window = tree.meta.get(WINDOW)
    if window is not None:
        read = exp.maybe_parse(window[2], dialect="duckdb").unnest()
        return _micros(read) if window[0] == "TUMBLE" and len(window) == 3 else None
    for node in tree.find_all(exp.Anonymous):
        if node.name.lower() == "time_bucket":
            return _micros(node.expressions[0])
    return None


def _micros(tree: Tree) -> int | None:
    if not isinstance(tree, exp.Interval):
        return None
    span = interval_span(tree)
    return None if span.months else span.days * _DAY_US + span.us
