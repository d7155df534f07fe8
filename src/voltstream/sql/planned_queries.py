"""Queries that run once and ask for what the store has no words for: planned, then printed.

Law: such a query means what the view of the same text shows, by the same plan.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from voltstream.core.errors import FeatureNotSupported, NotIncremental
from voltstream.sql.batch import batch_sql
from voltstream.sql.catalog import CatalogReader, TypeOracle
from voltstream.sql.expressions import output_name, spell
from voltstream.sql.plan import (
    item_list,
)
from voltstream.sql.planner import Planner
from voltstream.sql.planning import Planned
from voltstream.sql.streaming_words import is_marker

_INSTANT = "CAST(getvariable('vs_now') AS TIMESTAMPTZ)"
_TABLE_FUNCTIONS = frozenset({"SESSION", "GAP_FILL"})


def planned(
    tree: exp.Expression, catalog: CatalogReader, oracle: TypeOracle, *, stable_now: bool
) -> exp.Expression:
    """Return a tree whose SELECTs the store understands. Raises: FeatureNotSupported (0A000)."""
    while True:
        select = next(_odd(tree), None)
        if select is None:
            return tree
        query = _with_its_names(select)
        found = _printed(query, catalog, oracle, stable_now=stable_now)
        if query is tree:
            return found
        query.replace(found)


def _odd(tree: exp.Expression) -> Iterator[exp.Select]:
    """Find the SELECTs that need a plan, innermost first."""
    for select in reversed(list(tree.find_all(exp.Select))):
        if _needs_plan(select):
            yield select


def _needs_plan(select: exp.Select) -> bool:
    for node in select.walk(prune=lambda n: n is not select and isinstance(n, exp.Select)):
        if isinstance(node, exp.Anonymous) and is_marker(node):
            return True
        if isinstance(node, exp.Join) and (node.method or "").upper() == "ASOF":
            return node.args.get("on") is not None
        called = node.this if isinstance(node, exp.Table) else None
        if isinstance(called, exp.Anonymous) and called.name.upper() in _TABLE_FUNCTIONS:
            return True
    return False


def _with_its_names(select: exp.Select) -> exp.Expression:
    """Return the query around a SELECT in which every WITH that it may read is defined."""
    used = {table.name for table in select.find_all(exp.Table) if not table.db}
    found: exp.Expression = select
    above = select.parent
    while above is not None:
        clause = above.args.get("with_") or above.args.get("with")
        if clause is not None and any(cte.alias in used for cte in clause.expressions):
            assert isinstance(above, exp.Expression)
            found = above
        above = above.parent
    return found


def _printed(
    query: exp.Expression, catalog: CatalogReader, oracle: TypeOracle, *, stable_now: bool
) -> exp.Expression:
    order = query.args.get("order")
    try:
        plan = Planner(catalog, oracle).plan(query.copy())
    except NotIncremental as reason:
        raise FeatureNotSupported(f"this query cannot be run: {reason.message}") from reason
    text = f"SELECT {item_list(tuple(plan.items))} FROM ({batch_sql(plan.plan)})"
    if not stable_now:
        text = text.replace("_vs_now()", _INSTANT)
    rows = exp.Table(this=exp.Var(this=f"({text})"), alias=exp.TableAlias(
        this=exp.to_identifier("planned")))  # fmt: skip
    found = exp.Select(expressions=[exp.Star()], from_=exp.From(this=rows))
    if order is not None:
        found.set("order", exp.Order(expressions=[
            _by_output(ordered, query, plan) for ordered in order.expressions]))  # fmt: skip
    return found


def _by_output(ordered: exp.Expression, query: exp.Expression, plan: Planned) -> exp.Expression:
    """Return a sort key by the output column that it names, or that is computed alike."""
    tree, names = ordered.this, [name for name, _ in plan.items]
    place: int | None = None
    if isinstance(tree, exp.Literal) and not tree.is_string:
        place = int(tree.name) - 1
    elif isinstance(tree, exp.Column) and tree.name in names:
        place = names.index(tree.name)
    elif isinstance(query, exp.Select):
        texts = [spell(item.unalias()) for item in query.expressions]
        shown = [output_name(item) for item in query.expressions]
        if spell(tree) in texts and len(shown) == len(names):
            place = texts.index(spell(tree))
    if place is None or not 0 <= place < len(names):
        raise FeatureNotSupported(
            "ORDER BY something that is not selected, over sessions or gaps",
            hint="Select it, or order in a query around this one.",
        )
    copied = ordered.copy()
    copied.set("this", exp.column(names[place], quoted=True))
    return copied
