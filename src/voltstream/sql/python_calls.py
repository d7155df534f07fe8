"""Calls of Python functions: what the store calls in their place, in queries and in views.

In a query a row that raises ends the statement. In a view its call gives NULL, and the reason
stands beside it: each call becomes a column of a projection of its own, so that it is made once
and its reason can be kept as a dead letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from itertools import count
from typing import Any

from sqlglot import exp

from voltstream.core.errors import FeatureNotSupported
from voltstream.sql.expressions import column, spell
from voltstream.sql.plan import (
    Aggregate,
    Filter,
    Join,
    JoinKind,
    Key,
    Plan,
    Project,
    children,
    passthrough,
)
from voltstream.sql.rules.tree import call, text

CALL = "_vs_py_"
KEPT = "_vs_pykept_"
VOLATILE = "!"  # Ends the identity of a function that says it is volatile.

# The types that travel as they are; any other travels as text or as a document.
TRANSPORTS = {
    "boolean": "BOOLEAN", "smallint": "SMALLINT", "integer": "INTEGER", "bigint": "BIGINT",
    "float": "FLOAT", "double": "DOUBLE", "varchar": "VARCHAR", "blob": "BLOB", "date": "DATE",
    "time": "TIME", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMPTZ",
    "interval": "INTERVAL",
}  # fmt: skip
_DIRECT = {spelled: transport for transport, spelled in TRANSPORTS.items()}
_NESTED = re.compile(r"STRUCT\(|MAP\(|.*\]$", re.DOTALL)

Items = Sequence[tuple[str, exp.Expression]]


def python_body(
    identity: str, parameters: int, returns: str, *, many: bool, volatile: bool
) -> exp.Expression:
    """Return what a call of a Python function becomes, with ``$n`` for its arguments."""
    named = text(identity + (VOLATILE if volatile else ""))
    given = [exp.Parameter(this=exp.Literal.number(n + 1)) for n in range(parameters)]
    whole = f"{returns}[]" if many else returns
    made = call(CALL + _DIRECT.get(whole, "varchar"), named, *given)
    if not _NESTED.match(whole):
        return made
    escaped = whole.replace("\\", "\\\\").replace('"', '\\"')
    return call("from_json", made, text(f'"{escaped}"'))


def is_call(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.startswith(CALL)


def is_kept(tree: exp.Expression) -> bool:
    return isinstance(tree, exp.Anonymous) and tree.name.startswith(KEPT)


def called_name(tree: exp.Expression) -> str:
    """Return the name of the function that a call is of."""
    identity: str = tree.expressions[0].name
    return identity.partition(":")[0]


def refuse_volatile(tree: exp.Expression) -> None:
    """Raises: FeatureNotSupported (0A000): what changes by itself cannot be maintained."""
    for node in tree.find_all(exp.Anonymous):
        if is_call(node) and node.expressions[0].name.endswith(VOLATILE):
            name = called_name(node)
            raise FeatureNotSupported(
                f"function {name}() is volatile: a view of it cannot be kept up to date",
                hint="Declare it IMMUTABLE when equal arguments always give equal results.",
            )


def lenient(tree: exp.Expression) -> exp.Expression:
    """Return a copy in which a call that raises is NULL, and nothing tells why."""

    def visit(node: exp.Expression) -> exp.Expression:
        return _value(_kept(node)) if is_call(node) else node

    return tree.transform(visit)


def with_kept_calls(plan: Plan, items: Items) -> tuple[Plan, list[tuple[str, exp.Expression]]]:
    """Return a plan and outputs whose calls are columns of projections below them."""
    lifter = _Lifter()
    below, trees = lifter.lifted(lifter.plan(plan), [tree for _, tree in items])
    return below, [(name, tree) for (name, _), tree in zip(items, trees, strict=True)]


def _kept(node: exp.Expression) -> exp.Expression:
    copied = node.copy()
    copied.set("this", KEPT + node.name.removeprefix(CALL))
    return copied


def _value(kept: exp.Expression) -> exp.Expression:
    return call("struct_extract", kept, text("v"))


class _Lifter:
    def __init__(self) -> None:
        self._known: dict[int, Plan] = {}
        self._alive: list[Plan] = []  # Their ids must not be given to others.
        self._numbers = count(1)

    def plan(self, plan: Plan) -> Plan:
        """Return the plan with its calls lifted; a node with two parents stays one."""
        if id(plan) not in self._known:
            self._alive.append(plan)
            self._known[id(plan)] = self._changed(_with_parts(plan, self.plan))
        return self._known[id(plan)]

    def _changed(self, plan: Plan) -> Plan:
        match plan:
            case Filter(child=child, predicate=predicate) if _calls([predicate]):
                below, (tree,) = self.lifted(child, [predicate])
                return Project(Filter(below, tree), passthrough(plan.columns))
            case Project(child=child, items=items) if _calls(tree for _, tree in items):
                below, trees = self.lifted(child, [tree for _, tree in items])
                names = [name for name, _ in items]
                return Project(below, tuple(zip(names, trees, strict=True)))
            case Aggregate(child=child, calls=calls) if _calls(tree for _, tree in calls):
                below, trees = self.lifted(child, [tree for _, tree in calls])
                names = [name for name, _ in calls]
                return replace(plan, child=below, calls=tuple(zip(names, trees, strict=True)))
            case Join():
                return self._join(plan)
            case _:
                return plan

    def _join(self, plan: Join) -> Plan:
        lefts, rights = [key.left for key in plan.keys], [key.right for key in plan.keys]
        rest = None if plan.rest is None else lenient(plan.rest)
        if not _calls([*lefts, *rights]):
            return plan if rest is None else replace(plan, rest=rest)
        shown = plan.left.columns if _is_half(plan) else plan.columns
        left, lefts = self.lifted(plan.left, lefts)
        right, rights = self.lifted(plan.right, rights)
        keys = tuple(
            Key(one, other, key.null_safe)
            for key, one, other in zip(plan.keys, lefts, rights, strict=True)
        )
        return Project(Join(left, right, plan.kind, keys, rest), passthrough(shown))

    def lifted(self, plan: Plan, trees: list[exp.Expression]) -> tuple[Plan, list[exp.Expression]]:
        """Make the calls in ``trees`` columns, the inner before those that take their values."""
        while found := _calls(trees):
            ready = {spell(node): node for node in found if not _calls(node.expressions)}
            names = {written: f"_vs_py_{next(self._numbers)}" for written in ready}
            made = tuple((names[written], _kept(node)) for written, node in ready.items())
            plan = Project(plan, (*passthrough(plan.columns), *made))
            trees = [_replaced(tree, names) for tree in trees]
        return plan, trees


def _is_half(plan: Join) -> bool:
    return plan.kind in (JoinKind.SEMI, JoinKind.ANTI)


def _replaced(tree: exp.Expression, names: dict[str, str]) -> exp.Expression:
    def visit(node: exp.Expression) -> exp.Expression:
        name = names.get(spell(node)) if is_call(node) else None
        return node if name is None else _value(column(name))

    return tree.transform(visit)


def _calls(trees: Iterable[exp.Expression]) -> list[exp.Expression]:
    return [node for tree in trees for node in tree.find_all(exp.Anonymous) if is_call(node)]


def _with_parts(plan: Plan, change: Callable[[Plan], Plan]) -> Plan:
    """Return the node with every plan below it changed."""
    parts = children(plan)
    changed: dict[str, Any] = {}
    for field in fields(plan):
        value = getattr(plan, field.name)
        if any(value is part for part in parts):
            changed[field.name] = change(value)
        elif value is parts and parts:
            changed[field.name] = tuple(change(part) for part in parts)
    return replace(plan, **changed) if changed else plan
