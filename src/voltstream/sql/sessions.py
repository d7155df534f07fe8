"""Windows with SESSION frames: rows are given their sessions, and calls partition by them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlglot import exp

from voltstream.core.errors import NotIncremental
from voltstream.sql.expressions import column, mentions_now, spell
from voltstream.sql.plan import Plan, Project, Session
from voltstream.sql.planning import Items, Outputs, names_in, own_nodes, replaced
from voltstream.sql.streaming_words import is_marker, session_gap

# SQL gives these no frame: they count and look over their whole partition.
_FRAMELESS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.Ntile,
              exp.PercentRank, exp.CumeDist)  # fmt: skip


def with_sessions(
    plan: Plan, outputs: Outputs, fresh: Callable[[str], str]
) -> tuple[Plan, Outputs]:
    """Put a Session below for each kind of session that the window calls ask for."""
    while True:
        call = next((c for tree in outputs.every() for c in own_nodes(tree) if _asks(c)), None)
        if call is None:
            return plan, outputs
        if mentions_now(call):
            raise NotIncremental("NOW() in a window call")
        start = fresh("session")
        plan = _cut(plan, outputs, call, start, fresh)
        outputs = outputs.mapped(partial(_in_sessions, _kind(call), start))


def _cut(
    plan: Plan, outputs: Outputs, call: exp.Expression, start: str, fresh: Callable[[str], str]
) -> Session:
    """Return rows with the sessions that a call asks for; a computed key becomes a column."""
    own = [tree for tree in call.args["partition_by"] if not is_marker(tree)]
    own += [key.left for key in outputs.links]
    needed = {name for tree in outputs.every() for name in names_in(tree)}
    items: Items = [(name, column(name)) for name in plan.columns if name in needed]
    names: list[str] = []
    for tree in (*own, call.args["order"].expressions[0].this):
        if isinstance(tree, exp.Column):
            names.append(tree.name)
        else:
            names.append(fresh("part"))
            items.append((names[-1], tree))
    gap = session_gap(call)
    assert gap is not None
    child = Project(plan, tuple(items))
    return Session(child, tuple(names[:-1]), names[-1], f"({spell(gap)})", start)


def _asks(node: exp.Expression) -> bool:
    return isinstance(node, exp.Window) and session_gap(node) is not None


def _kind(call: exp.Expression) -> str:
    """Return what the calls over the same sessions share."""
    by = ", ".join(spell(tree) for tree in call.args["partition_by"])
    return f"{by} / {spell(call.args['order'].expressions[0].this)}"


def _in_sessions(kind: str, start: str, tree: exp.Expression) -> exp.Expression:
    """Return an expression whose calls of one kind partition by the session's start."""

    def visit(node: exp.Expression) -> exp.Expression | None:
        if not _asks(node) or _kind(node) != kind:
            return None
        copied = node.copy()
        own = [tree for tree in copied.args["partition_by"] if not is_marker(tree)]
        if isinstance(node.this, _FRAMELESS):
            copied.set("spec", None)
        else:
            own.append(column(start))
        copied.set("partition_by", own)
        return copied

    return replaced(tree, visit)
