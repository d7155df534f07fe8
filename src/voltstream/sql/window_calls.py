"""OVER: window calls leave the expressions they stand in and become columns of a node below."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlglot import exp

from voltstream.core.errors import NotIncremental, UndefinedObject
from voltstream.sql.expressions import column, mentions_now, spell
from voltstream.sql.faults import guarded, guarded_call
from voltstream.sql.plan import Over, Plan, Project
from voltstream.sql.planning import Items, Outputs, names_in, own_nodes, replaced

_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank)


def with_definitions(query: exp.Select) -> exp.Select:
    """Return the query with each OVER name written out from its WINDOW clause."""
    clauses = query.args.get("windows") or []
    if not clauses:
        return query
    known = {clause.name: clause for clause in clauses}
    copied = query.copy()
    copied.set("windows", None)
    for node in list(copied.find_all(exp.Window)):
        name = node.alias
        if not name:
            continue
        if name not in known:
            raise UndefinedObject(f'window "{name}" does not exist')
        node.set("alias", None)
        for key in ("partition_by", "order", "spec"):
            value = known[name].args.get(key)
            if value and not node.args.get(key):
                copies = [v.copy() for v in value] if isinstance(value, list) else value.copy()
                node.set(key, copies)
    return copied


def with_windows(plan: Plan, outputs: Outputs) -> tuple[Plan, Outputs]:
    """Put the window calls of resolved expressions into nodes, one for each PARTITION BY."""
    number = 0
    while True:
        calls = [
            part
            for tree in outputs.every()
            for part in own_nodes(tree)
            if isinstance(part, exp.Window)
        ]
        if not calls:
            return plan, outputs
        if any(mentions_now(call) for call in calls):
            raise NotIncremental("NOW() in a window call")
        by = _partition(calls[0], outputs)
        texts = [spell(tree) for tree in by]
        mine = [call for call in calls if [spell(t) for t in _partition(call, outputs)] == texts]
        child, names = _input(plan, outputs, by, mine)
        made: Items = []
        known: dict[str, str] = {}
        for call in mine:
            if spell(call) in known:
                continue
            number += 1
            while f"over_{number}" in child.columns:
                number += 1
            known[spell(call)] = f"over_{number}"
            made.append((f"over_{number}", _over(call, by, names)))
        plan = Over(child, tuple(names[text] for text in texts), tuple(made))
        outputs = outputs.mapped(partial(_shown, known))


def _shown(known: dict[str, str], tree: exp.Expression) -> exp.Expression:
    """Return an expression with window calls replaced by their columns."""

    def visit(node: exp.Expression) -> exp.Expression | None:
        if isinstance(node, exp.Window) and spell(node) in known:
            return column(known[spell(node)])
        return None

    return replaced(tree, visit)


def _partition(call: exp.Expression, outputs: Outputs) -> list[exp.Expression]:
    """Return what a call partitions by; a subquery's rows never mix between outer rows."""
    found = list(call.args.get("partition_by") or [])
    return found + [key.left for key in outputs.links]


def _input(
    plan: Plan, outputs: Outputs, by: list[exp.Expression], calls: Sequence[exp.Expression]
) -> tuple[Plan, dict[str, str]]:
    """Project what is needed above, and name what is partitioned and ranked by."""
    needed = {name for tree in [*outputs.every(), *by] for name in names_in(tree)}
    items: Items = [(name, column(name)) for name in plan.columns if name in needed]
    names: dict[str, str] = {}
    sorted_by = [
        ordered.this
        for call in calls
        if isinstance(call.this, _RANKS) and call.args.get("order")
        for ordered in call.args["order"].expressions
    ]
    for tree in [*by, *sorted_by]:
        text = spell(tree)
        if isinstance(tree, exp.Column):
            names[text] = tree.name
        elif text not in names:
            name = f"part_{len(names) + 1}"
            while name in plan.columns:
                name += "_"
            names[text] = name
            items.append((name, guarded(tree)))
    return Project(plan, tuple(items)), names


def _over(call: exp.Expression, by: list[exp.Expression], names: dict[str, str]) -> exp.Expression:
    copied = call.copy()
    copied.set("partition_by", [column(names[spell(tree)]) for tree in by])
    order = copied.args.get("order")
    for ordered in order.expressions if order is not None else []:
        known = names.get(spell(ordered.this))
        if known is not None:
            ordered.set("this", column(known))
    return guarded_call(copied)
