"""Watermarks: which columns of a plan say that no earlier row will come in time.

A source's ``WATERMARK FOR ts AS ts - INTERVAL '5 seconds'`` promises that rows before the
watermark, the greatest such value so far, are late. What is computed from ``ts`` by a function
that never decreases keeps that promise, so windows of ``ts`` close when the watermark passes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sqlglot import exp, parse_one

from voltstream.core.errors import FeatureNotSupported
from voltstream.sql.catalog import Watermarked
from voltstream.sql.expressions import column, quote, spell
from voltstream.sql.frames import rows_ahead
from voltstream.sql.plan import (
    Aggregate,
    Filter,
    Join,
    Over,
    Plan,
    Project,
    Ranked,
    Scan,
    TemporalJoin,
    TimeFilter,
    Union,
    WindowClose,
    append_only,
    children,
    passthrough,
)

_DECLARED = re.compile(r'\s*(?:"((?:[^"]|"")+)"|(\w+))\s+AS\s+(.+)', re.I | re.S)
_MONOTONE = {"time_bucket", "date_bin", "date_trunc", "_vs_trunc_instant"}
_NAME = "_watermark"
_AHEAD = "_ahead"
WATERMARK = quote(_NAME)  # Stands for the watermark where a predicate compares with it.


@dataclass(frozen=True)
class Mark:
    """A column bound to watermarks.

    ``sources`` are the oids of their relations, the least counts. ``closed`` is the predicate,
    over the column and WATERMARK, that no row in time can have this value any more.
    ``reached`` is what the column would be for a row exactly at the watermark.
    """

    sources: frozenset[int]
    closed: str
    reached: exp.Expression
    idles: bool = False


Marks = dict[str, Mark]


def close_windows(plan: Plan) -> Plan:
    """Return a plan that shows a group, or a row, only when no row in time can change it.

    Raises: FeatureNotSupported (0A000) when nothing of the query follows a watermark.
    """
    if isinstance(plan, Filter | Project) and _over_groups(plan.child):
        return replace(plan, child=close_windows(plan.child))
    if isinstance(plan, Over | Ranked):
        child = plan.child
        inner = close_windows(child) if _over_groups(child) else _closing(child, plan.partition)
        return _close_partitions(plan, inner, marks(inner))
    return _closing(plan, ())


def _closing(plan: Plan, preferred: tuple[str, ...]) -> WindowClose:
    if isinstance(plan, Aggregate):
        below, names = plan.child, plan.groups
    else:
        below, names = plan, preferred + plan.columns
    found = marks(below)
    chosen = next((found[name] for name in names if name in found), None)
    if chosen is None or not append_only(below):
        raise FeatureNotSupported(
            "EMIT ON WINDOW CLOSE needs a column with a watermark among the group keys"
            if isinstance(plan, Aggregate)
            else "EMIT ON WINDOW CLOSE needs rows that only grow, with a watermark column",
            hint="Declare WATERMARK FOR column AS column - INTERVAL '…' in the source.",
        )
    return WindowClose(plan, chosen.sources, chosen.closed, chosen.idles)


def _close_partitions(plan: Over | Ranked, child: Plan, found: Marks) -> Plan:
    """Return a plan whose window calls read closed rows, and show those whose frame is whole.

    Law: a partition by a watermark column closes as a whole; in one ordered by it, no row comes
    before another that is closed already, and a row waits for the rows its frames look ahead to.
    """
    if any(name in found for name in plan.partition):
        return replace(plan, child=child)
    if isinstance(plan, Ranked):
        if plan.order and plan.order[0].name in found and not plan.order[0].descending:
            return replace(plan, child=child)
        raise _unordered()
    orders = [call.args.get("order") for _, call in plan.calls]
    if any(order is None or not _rises(order.expressions[0], found) for order in orders):
        raise _unordered()
    ahead = rows_ahead(call for _, call in plan.calls)
    if ahead is None:
        raise _unordered("EMIT ON WINDOW CLOSE needs frames that end at a number of rows")
    if not ahead:
        return replace(plan, child=child)
    first = plan.calls[0][1]
    later = exp.Lead(this=exp.true(), offset=exp.Literal.number(ahead))
    call = exp.Window(
        this=later,
        partition_by=[tree.copy() for tree in first.args.get("partition_by") or []],
        order=first.args["order"].copy(),
        over="OVER",
    )
    over = replace(plan, child=child, calls=(*plan.calls, (_AHEAD, call)))
    known = exp.Not(this=exp.Is(this=column(_AHEAD), expression=exp.Null()))
    return Project(Filter(over, known), passthrough(plan.columns))


def _rises(ordered: exp.Expression, found: Marks) -> bool:
    key = ordered.this
    return isinstance(key, exp.Column) and key.name in found and not ordered.args.get("desc")


def _unordered(message: str = "") -> FeatureNotSupported:
    return FeatureNotSupported(
        message or "EMIT ON WINDOW CLOSE needs window functions over a watermark column",
        hint="PARTITION BY or ORDER BY the watermark column, ascending.",
    )


def closes(plan: Plan) -> bool:
    """Tell whether rows of a plan wait for a watermark."""
    return isinstance(plan, WindowClose) or any(closes(part) for part in children(plan))


def _over_groups(plan: Plan) -> bool:
    return isinstance(plan, Aggregate | Over | Ranked) or (
        isinstance(plan, Filter | Project) and _over_groups(plan.child)
    )


def declared(text: str) -> tuple[str, str]:
    """Return the column and the expression of ``column AS expression``."""
    found = _DECLARED.fullmatch(text)
    if found is None:
        return text.strip(), text.strip()
    name = found[1].replace('""', '"') if found[1] else found[2].lower()
    return name, found[3].strip()


def marks(plan: Plan) -> Marks:
    """Return the columns of a plan that follow watermarks."""
    match plan:
        case Scan(relation=relation):
            return {
                w.column: Mark(w.sources, w.closed, _tree(w.reached), w.idles)
                for w in relation.watermarks
            }
        case Filter(child=child) | TimeFilter(child=child) | WindowClose(child=child):
            return marks(child)
        case Project(child=child, items=items):
            return _projected(marks(child), items)
        case Join(left=left, right=right):
            return {**marks(left), **marks(right)}
        case TemporalJoin(join=join):
            return marks(join.left)
        case Union(children=children):
            return _met([marks(child) for child in children])
        case Aggregate(child=child, groups=groups):
            below = marks(child)
            return {name: below[name] for name in groups if name in below}
        case Over(child=child) | Ranked(child=child) if closes(child):
            return marks(child)
        case _:
            return {}


def source_watermark(oid: int, text: str, *, idles: bool) -> Watermarked:
    """Return what WATERMARK FOR promises of a relation's column."""
    name, _ = declared(text)
    return Watermarked(name, frozenset({oid}), f"{quote(name)} < {WATERMARK}", WATERMARK, idles)


def passed_on(plan: Plan) -> tuple[Watermarked, ...]:
    """Return what the rows of a plan promise to those who read them."""
    return tuple(
        Watermarked(name, mark.sources, mark.closed, spell(mark.reached), mark.idles)
        for name, mark in marks(plan).items()
    )


def _projected(below: Marks, items: tuple[tuple[str, exp.Expression], ...]) -> Marks:
    found: Marks = {}
    for name, item in items:
        tree = _opened(item)
        names = {node.name for node in tree.find_all(exp.Column)}
        if len(names) != 1 or not names <= below.keys():
            continue
        mark = below[next(iter(names))]
        if isinstance(tree, exp.Column):
            found[name] = replace(mark, closed=mark.closed.replace(quote(tree.name), quote(name)))
        elif _is_window_end(tree):
            plain = replace(mark, reached=column(_NAME))
            found[name] = replace(plain, closed=f"{quote(name)} <= {WATERMARK}")
            start, size = tree.this, spell(tree.expression)
            if start.name in found:
                closed = f"{quote(start.name)} + {size} <= {WATERMARK}"
                found[start.name] = replace(plain, closed=closed)
        elif isinstance(item, exp.Var):  # The start of a window whose size comes with its end.
            found[name] = replace(mark, closed="FALSE", reached=column(_NAME))
        elif _never_decreases(tree):
            reached = tree.transform(lambda node, m=mark: _at(node, m))
            closed = f"{quote(name)} < ({spell(reached)})"
            found[name] = replace(mark, closed=closed, reached=reached)
    return found


def _at(node: exp.Expression, mark: Mark) -> exp.Expression:
    return mark.reached.copy() if isinstance(node, exp.Column) else node


def _opened(item: exp.Expression) -> exp.Expression:
    """Return a window function's DuckDB text as a tree again, and of TRY(x) what is tried."""
    if isinstance(item, exp.Var):
        return _tree(item.name)
    if isinstance(item, exp.Anonymous) and item.name == "TRY":
        tried: exp.Expression = item.expressions[0]
        return tried
    return item


def _tree(text: str) -> exp.Expression:
    tree = parse_one(text, read="duckdb")
    assert isinstance(tree, exp.Expression)
    return tree


def _is_window_end(tree: exp.Expression) -> bool:
    return (
        isinstance(tree, exp.Add)
        and isinstance(tree.this, exp.Column)
        and tree.this.name == "window_start"
        and isinstance(tree.expression, exp.Var)
    )


def _never_decreases(tree: exp.Expression) -> bool:
    match tree:
        case exp.Column():
            return True
        case exp.Paren():
            return _never_decreases(tree.this)
        case exp.Cast():
            return tree.to.is_type(*exp.DataType.TEMPORAL_TYPES) and _never_decreases(tree.this)
        case exp.Add() | exp.Sub():
            return _never_decreases(tree.this) and tree.expression.find(exp.Column) is None
        case exp.TimestampTrunc() | exp.DateTrunc() | exp.DateBin():
            return tree.find(exp.Unnest) is None
        case exp.Anonymous():
            return tree.name.lower() in _MONOTONE
        case _:
            return False


def _met(branches: list[Marks]) -> Marks:
    """Return what holds in every branch of a union: the least watermark counts."""
    first = branches[0]
    return {
        name: replace(
            mark,
            sources=frozenset().union(*(branch[name].sources for branch in branches)),
            idles=any(branch[name].idles for branch in branches),
        )
        for name, mark in first.items()
        if all(name in other and other[name].closed == mark.closed for other in branches)
    }


def least_sql(sources: frozenset[int]) -> str:
    """Print the least watermark of some relations; NULL while one of them has none."""
    oids = ", ".join(str(oid) for oid in sorted(sources))
    return (
        f"(SELECT CASE WHEN count(reached) = {len(sources)} THEN min(reached) END "
        f"FROM _vs.watermarks_now WHERE oid IN ({oids}))"
    )
