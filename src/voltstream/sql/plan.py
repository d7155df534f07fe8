"""The logical plan: what a view means, in few operators over named columns.

Every node lists its output columns; names are unique within a node. Expressions are DuckDB
expressions over the child's columns. ``batch_sql`` is the node's meaning, the oracle of its law.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from voltstream.sql.catalog import Relation
from voltstream.sql.expressions import column, quote, spell


@dataclass(frozen=True)
class Scan:
    relation: Relation

    @property
    def columns(self) -> tuple[str, ...]:
        return self.relation.stable


@dataclass(frozen=True)
class Filter:
    child: Plan
    predicate: exp.Expression

    @property
    def columns(self) -> tuple[str, ...]:
        return self.child.columns


@dataclass(frozen=True)
class Project:
    child: Plan
    items: tuple[tuple[str, exp.Expression], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.items)


@dataclass(frozen=True)
class Union:
    children: tuple[Plan, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.children[0].columns


@dataclass(frozen=True)
class Join:
    """``keys`` pairs an expression over the left with one over the right; ``rest`` sees both."""

    left: Plan
    right: Plan
    outer: bool
    keys: tuple[tuple[exp.Expression, exp.Expression], ...]
    rest: exp.Expression | None

    @property
    def columns(self) -> tuple[str, ...]:
        return self.left.columns + self.right.columns


@dataclass(frozen=True)
class Aggregate:
    """``groups`` name columns of the child; ``calls`` are aggregate calls over the child.

    ``exact`` says that what a row adds to every call can be taken away again.
    """

    child: Plan
    groups: tuple[str, ...]
    calls: tuple[tuple[str, exp.Expression], ...]
    exact: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return self.groups + tuple(name for name, _ in self.calls)


@dataclass(frozen=True)
class SortKey:
    name: str
    descending: bool
    nulls_first: bool

    def sql(self) -> str:
        direction = "DESC" if self.descending else "ASC"
        nulls = "FIRST" if self.nulls_first else "LAST"
        return f"{quote(self.name)} {direction} NULLS {nulls}"


@dataclass(frozen=True)
class DistinctOn:
    """Keep one row for each key: the first in order, then the earliest arrival."""

    child: Plan
    keys: tuple[str, ...]
    order: tuple[SortKey, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.child.columns


@dataclass(frozen=True)
class TimeFilter:
    """Rows with every ``lower`` instant reached and no ``upper`` instant reached.

    Law: visible at now iff all(lower <= now) and all(now < upper); a NULL bound hides the row.
    """

    child: Plan
    lower: tuple[exp.Expression, ...]
    upper: tuple[exp.Expression, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.child.columns


@dataclass(frozen=True)
class WindowClose:
    """Show a group of ``child``, an aggregate, or else its row, once no row in time can come.

    ``closed`` is the predicate over the columns below and the watermark of ``sources``, which
    ``idles`` when it follows the clock while they are silent.
    """

    child: Plan
    sources: frozenset[int]
    closed: str
    idles: bool

    @property
    def columns(self) -> tuple[str, ...]:
        return self.child.columns


Plan = Scan | Filter | Project | Union | Join | Aggregate | DistinctOn | TimeFilter | WindowClose


def children(plan: Plan) -> tuple[Plan, ...]:
    match plan:
        case Scan():
            return ()
        case Union(children=parts):
            return parts
        case Join(left=left, right=right):
            return (left, right)
        case _:
            return (plan.child,)


def column_list(names: tuple[str, ...], alias: str = "") -> str:
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + quote(name) for name in names)


def batch_sql(plan: Plan) -> str:
    """Return the DuckDB query that recomputes a plan over its stored inputs."""
    match plan:
        case Scan(relation=relation):
            return f"SELECT {column_list(relation.stable)} FROM {relation.stored}"
        case Filter(child=child, predicate=predicate):
            return f"SELECT * FROM ({batch_sql(child)}) WHERE {spell(predicate)}"
        case Project(child=child, items=items):
            return f"SELECT {item_list(items)} FROM ({batch_sql(child)})"
        case Union(children=parts):
            return " UNION ALL ".join(f"SELECT * FROM ({batch_sql(part)})" for part in parts)
        case Join(left=left, right=right, outer=outer):
            kind = "LEFT JOIN" if outer else "JOIN"
            return (
                f"SELECT * FROM ({batch_sql(left)}) AS l {kind} ({batch_sql(right)}) AS r "
                f"ON {join_condition(plan)}"
            )
        case Aggregate(child=child, groups=groups, calls=calls):
            return aggregate_sql(f"({batch_sql(child)})", groups, calls)
        case DistinctOn(child=child, keys=keys):
            order = ", ".join([*(quote(k) for k in keys), *(key.sql() for key in plan.order)])
            return (
                f"SELECT DISTINCT ON ({column_list(keys)}) * FROM ({batch_sql(child)}) "
                f"ORDER BY {order}"
            )
        case TimeFilter(child=child, lower=lower, upper=upper):
            bounds = [f"({spell(b)}) <= _vs_now()" for b in lower]
            bounds += [f"({spell(b)}) > _vs_now()" for b in upper]
            return f"SELECT * FROM ({batch_sql(child)}) WHERE {' AND '.join(bounds)}"
        case WindowClose(child=child):
            return batch_sql(child)


def item_list(items: tuple[tuple[str, exp.Expression], ...]) -> str:
    return ", ".join(f"{spell(tree)} AS {quote(name)}" for name, tree in items)


def aggregate_sql(
    source: str, groups: tuple[str, ...], calls: tuple[tuple[str, exp.Expression], ...]
) -> str:
    parts = [quote(group) for group in groups]
    parts += [f"{spell(call)} AS {quote(name)}" for name, call in calls]
    tail = f" GROUP BY {column_list(groups)}" if groups else ""
    return f"SELECT {', '.join(parts)} FROM {source}{tail}"


def join_condition(join: Join, left: str = "l", right: str = "r") -> str:
    """Print the ON clause with each side's columns under its alias."""
    parts = [f"({spell(qualify(a, left))}) = ({spell(qualify(b, right))})" for a, b in join.keys]
    if join.rest is not None:
        sides = dict.fromkeys(join.left.columns, left) | dict.fromkeys(join.right.columns, right)
        parts.append(f"({spell(_qualify_by(join.rest, sides))})")
    return " AND ".join(parts) or "TRUE"


def qualify(tree: exp.Expression, alias: str) -> exp.Expression:
    """Return a copy with every column under one alias."""

    def visit(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column):
            return exp.column(node.name, table=alias, quoted=True)
        return node

    return tree.transform(visit)


def _qualify_by(tree: exp.Expression, sides: dict[str, str]) -> exp.Expression:
    def visit(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column):
            return exp.column(node.name, table=sides[node.name], quoted=True)
        return node

    return tree.transform(visit)


def append_only(plan: Plan) -> bool:
    """Tell whether a plan's delta never holds a negative weight."""
    match plan:
        case Scan(relation=relation):
            return relation.append_only
        case Filter() | Project() | Union():
            return all(append_only(part) for part in children(plan))
        case Join(outer=outer):
            return not outer and all(append_only(part) for part in children(plan))
        case TimeFilter(upper=upper, child=child):
            return not upper and append_only(child)
        case WindowClose():
            return True
        case Aggregate() | DistinctOn():
            return False


def arrival(plan: Plan) -> bool:
    """Tell whether rows carry their arrival number."""
    match plan:
        case Scan(relation=relation):
            return relation.arrival
        case Filter(child=child) | Project(child=child):
            return arrival(child)
        case _:
            return False


def relations(plan: Plan) -> tuple[Relation, ...]:
    if isinstance(plan, Scan):
        return (plan.relation,)
    found: dict[int, Relation] = {}
    for part in children(plan):
        for relation in relations(part):
            found.setdefault(relation.oid, relation)
    return tuple(found.values())


def passthrough(names: tuple[str, ...]) -> tuple[tuple[str, exp.Expression], ...]:
    return tuple((name, column(name)) for name in names)
