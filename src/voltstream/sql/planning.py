"""What the parts of the planner share: a planned query, and what they ask of the planner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sqlglot import exp

from voltstream.sql.catalog import CatalogReader, TypeOracle
from voltstream.sql.expressions import column, mentions_now, spell
from voltstream.sql.plan import Key, Plan
from voltstream.sql.scope import Correlation, Scope
from voltstream.sql.trees import shallow

Items = list[tuple[str, exp.Expression]]


@dataclass(frozen=True)
class Planned:
    """A plan and what each public column means over the plan's columns, NOW() included.

    Shape: ``links`` pair a subquery's expression (left) with the outer row's (right); ``single``
    says that at most one row belongs to each outer row; ``absent`` gives the public columns of an
    aggregate without GROUP BY where no row came: over columns that are then NULL.
    """

    plan: Plan
    items: Items
    links: tuple[Key, ...] = ()
    single: bool = False
    absent: Items | None = None
    conditions: tuple[exp.Expression, ...] = ()  # over both, for a semi or anti join to check
    repeated: str | None = None  # a name that several public columns were given


class Planning(Protocol):
    """The planner, as its parts see it."""

    catalog: CatalogReader
    oracle: TypeOracle

    def plan(self, query: exp.Expression, outer: Correlation | None = None) -> Planned: ...

    def plan_view(self, query: exp.Expression) -> Planned: ...

    def fresh(self, wish: str) -> str: ...

    def expression(
        self, tree: exp.Expression, plan: Plan, scope: Scope
    ) -> tuple[exp.Expression, Plan]: ...


class Carrier:
    """Collects the columns a node must carry: stable outputs, what NOW() needs, keys, order."""

    def __init__(self, items: Items) -> None:
        self.stable: Items = []
        self.taken: set[str] = set()
        self._public: Items = []
        for name, tree in items:
            if mentions_now(tree):
                self._public.append((name, replaced(tree, self._carried)))
            else:
                self._public.append((name, column(self.name(tree, name))))

    def _carried(self, node: exp.Expression) -> exp.Expression | None:
        return column(self.name(node, node.name)) if isinstance(node, exp.Column) else None

    def name(self, tree: exp.Expression, wish: str) -> str:
        """Return the name under which an expression is carried, adding it when new."""
        text = spell(tree)
        for name, known in self.stable:
            if spell(known) == text:
                return name
        name, number = wish, 1
        while name in self.taken:
            number += 1
            name = f"{wish}_{number}"
        self.taken.add(name)
        self.stable.append((name, tree))
        return name

    def same(self, name: str) -> bool:
        """Tell whether a carried name is just that column."""
        return any(n == name and spell(t) == spell(column(name)) for n, t in self.stable)

    def public(self) -> Items:
        return self._public


@dataclass
class Outputs:
    """The expressions of a SELECT on their way up: public ones, then what sorts and filters."""

    items: Items
    order: list[tuple[exp.Expression, bool, bool]] = field(default_factory=list)
    qualify: exp.Expression | None = None
    links: list[Key] = field(default_factory=list)

    def every(self) -> list[exp.Expression]:
        trees = [tree for _, tree in self.items] + [tree for tree, _, _ in self.order]
        trees += [self.qualify] if self.qualify is not None else []
        return trees + [key.left for key in self.links]

    def mapped(self, change: Callable[[exp.Expression], exp.Expression]) -> Outputs:
        return Outputs(
            [(name, change(tree)) for name, tree in self.items],
            [(change(tree), descending, first) for tree, descending, first in self.order],
            change(self.qualify) if self.qualify is not None else None,
            [Key(change(key.left), key.right, key.null_safe) for key in self.links],
        )


def replaced(
    tree: exp.Expression, change: Callable[[exp.Expression], exp.Expression | None]
) -> exp.Expression:
    """Return a copy in which ``change`` replaced what it did not answer with None."""
    found = change(tree)
    if found is not None:
        return found
    made = shallow(tree)
    for key, value in tree.args.items():
        if isinstance(value, exp.Expression):
            made.set(key, replaced(value, change))
        elif isinstance(value, list):
            made.set(
                key,
                [replaced(v, change) if isinstance(v, exp.Expression) else v for v in value],
            )
        else:
            made.args[key] = value
    return made


def conjuncts(tree: exp.Expression) -> list[exp.Expression]:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    if isinstance(tree, exp.And):
        return conjuncts(tree.this) + conjuncts(tree.expression)
    return [tree]


def names_in(tree: exp.Expression) -> set[str]:
    return {node.name for node in tree.find_all(exp.Column)}


def own_nodes(tree: exp.Expression) -> Iterator[exp.Expression]:
    """Walk an expression, not into the queries inside it."""
    yield tree
    if isinstance(tree, exp.Query):
        return
    for value in tree.args.values():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, exp.Expression):
                yield from own_nodes(child)


def renamed(tree: exp.Expression, names: dict[str, str]) -> exp.Expression:
    """Return a copy with columns renamed."""

    def visit(node: exp.Expression) -> exp.Expression | None:
        if isinstance(node, exp.Column):
            return column(names.get(node.name, node.name))
        return None

    return replaced(tree, visit)


def substituted(tree: exp.Expression, values: Mapping[str, exp.Expression]) -> exp.Expression:
    """Return a copy with columns replaced by expressions."""

    def visit(node: exp.Expression) -> exp.Expression | None:
        if isinstance(node, exp.Column) and node.name in values:
            value = values[node.name].copy()
            return value if isinstance(value, exp.Column) else exp.Paren(this=value)
        return None

    return replaced(tree, visit)
