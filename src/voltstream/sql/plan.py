"""The logical plan: what a view means, in few operators over named columns.

Every node lists its output columns; names are unique within a node. Expressions are DuckDB
expressions over the child's columns. ``batch_sql`` is what a node means.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

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
class Constant:
    """Rows that never change: VALUES, or the one row of a SELECT without FROM."""

    sql: str
    columns: tuple[str, ...]


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

    @property
    def expands(self) -> bool:
        """Tell whether one row may become several, so that arrival numbers repeat."""
        return any("unnest(" in spell(tree).lower() for _, tree in self.items)


@dataclass(frozen=True)
class Union:
    children: tuple[Plan, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.children[0].columns


class JoinKind(Enum):
    """What a join keeps; semi and anti keep rows of the left side only."""

    INNER = "Inner"
    LEFT = "Left"
    FULL = "Full"
    SEMI = "Semi"
    ANTI = "Anti"


@dataclass(frozen=True)
class Key:
    """An equality between the sides of a join: an expression over each."""

    left: exp.Expression
    right: exp.Expression
    null_safe: bool = False

    def sql(self, left: str, right: str) -> str:
        one, other = spell(qualify(self.left, left)), spell(qualify(self.right, right))
        return f"({one}) {self.sign} ({other})"

    @property
    def sign(self) -> str:
        return "IS NOT DISTINCT FROM" if self.null_safe else "="


@dataclass(frozen=True)
class Join:
    """Rows match when every key is equal and ``rest``, which sees both sides, is true."""

    left: Plan
    right: Plan
    kind: JoinKind
    keys: tuple[Key, ...]
    rest: exp.Expression | None

    @property
    def columns(self) -> tuple[str, ...]:
        if self.kind in (JoinKind.SEMI, JoinKind.ANTI):
            return self.left.columns
        return self.left.columns + self.right.columns


@dataclass(frozen=True)
class AsofJoin:
    """Each row of the left side with the nearest row of the right: ``left_time sign right_time``.

    Shape: ``ties`` are the right side's columns in the order that decides between equal times.
    """

    left: Plan
    right: Plan
    keys: tuple[Key, ...]
    left_time: exp.Expression
    right_time: exp.Expression
    sign: str
    outer: bool
    ties: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.left.columns + self.right.columns


@dataclass(frozen=True)
class TemporalJoin:
    """Each row of the left side with what the right side holds when it comes, kept as it was."""

    join: Join

    @property
    def columns(self) -> tuple[str, ...]:
        return self.join.columns


class SetVerb(Enum):
    """A set operation as a rule on how often a row occurs on each side."""

    DISTINCT = "Distinct"
    INTERSECT = "Intersect"
    INTERSECT_ALL = "Intersect all"
    EXCEPT = "Except"
    EXCEPT_ALL = "Except all"


@dataclass(frozen=True)
class SetOperation:
    """``sides`` are one plan for DISTINCT and two for the others; names are the first's."""

    verb: SetVerb
    sides: tuple[Plan, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.sides[0].columns


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
class Over:
    """``calls`` are window calls over the child that all partition by the same columns."""

    child: Plan
    partition: tuple[str, ...]
    calls: tuple[tuple[str, exp.Expression], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.child.columns + tuple(name for name, _ in self.calls)


@dataclass(frozen=True)
class Ranked:
    """Rows of each partition whose rank lies in (``skip``, ``last``].

    Shape: ``function`` is row_number, rank or dense_rank; ``name`` is the column that shows the
    rank, when one does.
    """

    child: Plan
    partition: tuple[str, ...]
    order: tuple[SortKey, ...]
    function: str
    last: int
    skip: int = 0
    name: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return self.child.columns + ((self.name,) if self.name is not None else ())


@dataclass(frozen=True)
class Session:
    """Rows with the session they are in: those of a partition less than ``gap`` apart in time.

    ``start`` and ``end`` name what shows the first and the last time of a row's session; a row
    without a time is in none. ``closing`` lets rows out once, when their session is over.
    """

    child: Plan
    partition: tuple[str, ...]
    time: str
    gap: str
    start: str
    end: str | None = None
    closing: Closing | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.child.columns, self.start, *([self.end] if self.end is not None else []))


@dataclass(frozen=True)
class Closing:
    """A watermark that ends sessions: ``late`` is about a row's time, ``reached`` where it is.

    Shape: both are over WATERMARK, the least one of ``sources``.
    """

    sources: frozenset[int]
    late: str
    reached: str
    idles: bool


@dataclass(frozen=True)
class GapFill:
    """Rows of each series, and a row at every step between two neighbours in time.

    Shape: ``carried`` columns keep the last value that is not NULL, ``drawn`` ones (with their
    types) lie on the line between the neighbours; others are NULL in a filled row.
    """

    child: Plan
    time: str
    time_type: str
    step: str
    series: tuple[str, ...]
    carried: tuple[str, ...]
    drawn: tuple[tuple[str, str], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.child.columns


@dataclass(frozen=True)
class Changelog:
    """Every change of a relation as a row: its columns, what it was, and its number.

    Shape: ``key`` tells which row that goes and which that comes are one update; without one, an
    epoch that takes as many rows as it brings has changed them.
    """

    child: Plan
    key: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.child.columns, "changelog_op", "_changelog_row_id")


@dataclass(frozen=True)
class SeriesToNow:
    """``start``, and on by ``step`` up to NOW(): rows that come as the clock goes on."""

    start: exp.Expression
    step: exp.Expression
    name: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.name,)


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


Plan = (
    Scan
    | Constant
    | SeriesToNow
    | Filter
    | Project
    | Union
    | Join
    | AsofJoin
    | TemporalJoin
    | SetOperation
    | Aggregate
    | DistinctOn
    | Over
    | Ranked
    | Session
    | GapFill
    | Changelog
    | TimeFilter
    | WindowClose
)


def children(plan: Plan) -> tuple[Plan, ...]:
    match plan:
        case Scan() | Constant() | SeriesToNow():
            return ()
        case Union(children=parts) | SetOperation(sides=parts):
            return parts
        case Join(left=left, right=right) | AsofJoin(left=left, right=right):
            return (left, right)
        case TemporalJoin(join=join):
            return (join.left, join.right)
        case _:
            return (plan.child,)


def column_list(names: tuple[str, ...], alias: str = "") -> str:
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + quote(name) for name in names)


def item_list(items: tuple[tuple[str, exp.Expression], ...]) -> str:
    return ", ".join(f"{spell(tree)} AS {quote(name)}" for name, tree in items)


def join_condition(join: Join, left: str = "l", right: str = "r") -> str:
    """Print the ON clause with each side's columns under its alias."""
    parts = [key.sql(left, right) for key in join.keys]
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
        case Constant() | SeriesToNow():
            return True
        case Filter() | Project() | Union():
            return all(append_only(part) for part in children(plan))
        case Join(kind=kind):
            if kind is JoinKind.SEMI:  # A row that found its match keeps it.
                return all(append_only(part) for part in children(plan))
            return kind is JoinKind.INNER and all(append_only(part) for part in children(plan))
        case SetOperation(verb=verb, sides=sides):
            grows = verb not in (SetVerb.EXCEPT, SetVerb.EXCEPT_ALL)
            return grows and all(append_only(part) for part in sides)
        case TimeFilter(upper=upper, child=child):
            return not upper and append_only(child)
        case WindowClose() | Changelog():
            return True
        case Session(closing=closing):
            return closing is not None
        case TemporalJoin(join=join):
            return append_only(join.left)
        case Aggregate() | DistinctOn() | Over() | Ranked() | AsofJoin() | GapFill():
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
    if isinstance(plan, Constant | SeriesToNow):
        return ()
    found: dict[int, Relation] = {}
    for part in children(plan):
        for relation in relations(part):
            found.setdefault(relation.oid, relation)
    return tuple(found.values())


def is_stored(plan: Plan) -> bool:
    """Tell whether rows can be read where they are: those of a source may be forgotten."""
    if isinstance(plan, Filter | Project):
        return is_stored(plan.child)
    return isinstance(plan, Scan) and plan.relation.kind in {"table", "materialized view"}


def are_stored(plan: Plan, names: Iterable[str]) -> bool:
    """Tell whether columns are those of the stored rows: storage skips what they rule out."""
    if isinstance(plan, Filter):
        return are_stored(plan.child, names)
    if not isinstance(plan, Project):
        return True
    trees = dict(plan.items)
    found = [trees[name] for name in names]
    plain = [tree.name for tree in found if isinstance(tree, exp.Column)]
    return len(plain) == len(found) and are_stored(plan.child, plain)


def passthrough(names: tuple[str, ...]) -> tuple[tuple[str, exp.Expression], ...]:
    return tuple((name, column(name)) for name in names)
