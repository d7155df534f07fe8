"""A rewrite: operators carry and keep only the columns that somebody above them reads.

Law: batch_sql(Project(pruned(plan, items), items)) has the rows of batch_sql(Project(plan, items)).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlglot import exp

from voltstream.sql.plan import (
    Aggregate,
    AsofJoin,
    Changelog,
    Constant,
    DistinctOn,
    Filter,
    GapFill,
    Join,
    Over,
    Plan,
    Project,
    Ranked,
    Scan,
    SeriesToNow,
    Session,
    SetOperation,
    TemporalJoin,
    TimeFilter,
    Union,
    WindowClose,
    arrival,
    children,
    is_stored,
    passthrough,
)
from voltstream.sql.planning import names_in

Needed = frozenset[str]


def pruned(plan: Plan, items: Iterable[tuple[str, exp.Expression]]) -> Plan:
    """Drop what the outputs ``items`` do not need; a node with two parents stays whole and one."""
    return _Pruner(plan).prune(plan, _named(tree for _, tree in items))


class _Pruner:
    def __init__(self, plan: Plan) -> None:
        self._parents: dict[int, int] = {}
        self._shared: dict[int, Plan] = {}
        self._count(plan)

    def _count(self, plan: Plan) -> None:
        self._parents[id(plan)] = self._parents.get(id(plan), 0) + 1
        if self._parents[id(plan)] == 1:
            for part in children(plan):
                self._count(part)

    def prune(self, plan: Plan, needed: Needed) -> Plan:
        """Return a plan that has at least the needed columns, in their order."""
        if self._parents[id(plan)] == 1:
            return self._pruned(plan, needed)
        if id(plan) not in self._shared:
            self._shared[id(plan)] = self._pruned(plan, frozenset(plan.columns))
        return self._shared[id(plan)]

    def _exactly(self, plan: Plan, needed: Needed) -> Plan:
        """Return a plan that has the needed columns alone, and one in any case."""
        kept = tuple(name for name in plan.columns if name in needed) or plan.columns[:1]
        made = self.prune(plan, frozenset(kept))
        return made if made.columns == kept else Project(made, passthrough(kept))

    def _pruned(self, plan: Plan, needed: Needed) -> Plan:
        match plan:
            case Scan() | Constant() | SeriesToNow():
                return plan
            case Filter(child=child, predicate=predicate):
                return replace(plan, child=self.prune(child, needed | names_in(predicate)))
            case Project(child=child, items=items):
                kept = items
                if not plan.expands:  # An item that makes rows of one is needed for their number.
                    kept = tuple(each for each in items if each[0] in needed) or items[:1]
                below = self.prune(child, _named(tree for _, tree in kept))
                return Project(below, kept)
            case Join():
                return self._join(plan, needed)
            case TemporalJoin(join=join):
                return TemporalJoin(self._join(join, needed))
            case AsofJoin(left=left):  # All columns of the right side decide between equal times.
                read = needed | _named((plan.left_time, *(key.left for key in plan.keys)))
                below = self._side(left, read)
                return replace(plan, left=below, right=self._whole(plan.right))
            case Aggregate(child=child, groups=groups, calls=calls):
                read = frozenset(groups) | _named(call for _, call in calls)
                return replace(plan, child=self._exactly(child, read))
            case Over(child=child, partition=partition, calls=calls):
                read = frozenset(partition) | _named(call for _, call in calls)
                return replace(plan, child=self._exactly(child, needed | read))
            case Session(child=child, partition=partition, time=time):
                read = needed | {*partition, time}
                return replace(plan, child=self._exactly(child, read))
            case TimeFilter(child=child, lower=lower, upper=upper):
                read = needed | _named((*lower, *upper))
                return replace(plan, child=self._exactly(child, read))
            case DistinctOn(child=child, keys=keys, order=order):
                read = needed | set(keys) | {key.name for key in order}
                return self._of_first(plan, child, read)
            case Ranked(child=child, partition=partition, order=order):
                read = needed | set(partition) | {key.name for key in order}
                return self._of_first(plan, child, read)
            case Union(children=parts):
                return self._union(plan, parts, needed)
            case SetOperation(sides=sides):
                return replace(plan, sides=tuple(self._whole(side) for side in sides))
            case WindowClose(child=child) | GapFill(child=child) | Changelog(child=child):
                return replace(plan, child=self._whole(child))

    def _whole(self, plan: Plan) -> Plan:
        return self.prune(plan, frozenset(plan.columns))

    def _of_first(self, plan: DistinctOn | Ranked, child: Plan, read: Needed) -> Plan:
        """Keep all columns where they decide between rows that the order leaves equal."""
        if not arrival(child):
            return replace(plan, child=self._whole(child))
        return replace(plan, child=self._exactly(child, read))

    def _union(self, plan: Union, parts: Sequence[Plan], needed: Needed) -> Plan:
        """Branches match by place, so each keeps the same places."""
        places = [place for place, name in enumerate(plan.columns) if name in needed] or [0]
        kept = [frozenset(part.columns[place] for place in places) for part in parts]
        return Union(tuple(map(self._exactly, parts, kept)))

    def _join(self, plan: Join, needed: Needed) -> Join:
        read = needed | (names_in(plan.rest) if plan.rest is not None else frozenset())
        left = read | _named(key.left for key in plan.keys)
        right = read | _named(key.right for key in plan.keys)
        return replace(plan, left=self._side(plan.left, left), right=self._side(plan.right, right))

    def _side(self, plan: Plan, read: Needed) -> Plan:
        """Leave a stored relation as it is: its delta is there, and nothing is kept of it."""
        return plan if isinstance(plan, Scan) and is_stored(plan) else self._exactly(plan, read)


def _named(trees: Iterable[exp.Expression]) -> Needed:
    return frozenset(name for tree in trees for name in names_in(tree))
