"""EMIT ON WINDOW CLOSE over sessions: a session's rows are let out together, once it is over.

Law: a session is over when the watermark has reached its last time and a gap; what is above it
must see whole sessions, so that its output only grows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from voltstream.core.errors import FeatureNotSupported
from voltstream.sql.expressions import spell
from voltstream.sql.frames import rows_ahead
from voltstream.sql.plan import (
    Aggregate,
    Closing,
    Filter,
    Over,
    Plan,
    Project,
    Session,
    append_only,
    children,
)
from voltstream.sql.watermarks import marks


@dataclass(frozen=True)
class _Names:
    """Under which names a closed session's start, partition and time are seen, if they are."""

    start: str | None
    partition: tuple[str | None, ...]
    time: str | None

    def renamed(self, items: tuple[tuple[str, exp.Expression], ...]) -> _Names:
        shown = {tree.name: name for name, tree in items if isinstance(tree, exp.Column)}
        by = tuple(shown.get(name) if name is not None else None for name in self.partition)
        return _Names(shown.get(self.start or ""), by, shown.get(self.time or ""))

    def whole(self, keys: tuple[str, ...]) -> bool:
        """Tell whether rows with equal keys are of one session."""
        return self.start in keys and all(name in keys for name in self.partition)


def has_sessions(plan: Plan) -> bool:
    return isinstance(plan, Session) or any(has_sessions(part) for part in children(plan))


def close_sessions(plan: Plan) -> Plan:
    """Return a plan whose sessions are let out when they are over.

    Raises: FeatureNotSupported (0A000) when something above mixes sessions.
    """
    return _closed(plan)[0]


def _closed(plan: Plan) -> tuple[Plan, _Names]:
    match plan:
        case Session():
            return _closing(plan)
        case Filter(child=child):
            below, names = _closed(child)
            return replace(plan, child=below), names
        case Project(child=child, items=items):
            below, names = _closed(child)
            return replace(plan, child=below), names.renamed(items)
        case Aggregate(child=child, groups=groups):
            below, names = _closed(child)
            if names.whole(groups):
                return replace(plan, child=below), names
        case Over(child=child, partition=partition):
            below, names = _closed(child)
            if names.whole(partition) or _follows(plan, names):
                return replace(plan, child=below), names
        case _:
            pass
    raise FeatureNotSupported(
        "EMIT ON WINDOW CLOSE over sessions needs whole sessions",
        hint="GROUP BY the session's key, window_start and window_end, or PARTITION BY the key.",
    )


def _follows(plan: Over, names: _Names) -> bool:
    """Tell whether the calls look back only, along the time in which a key's sessions close."""
    if not all(name in plan.partition for name in names.partition):
        return False
    for _, call in plan.calls:
        order = call.args.get("order")
        first = order.expressions[0] if order is not None else None
        if first is None or first.args.get("desc") or first.this.name != names.time:
            return False
    return rows_ahead(call for _, call in plan.calls) == 0


def _closing(plan: Session) -> tuple[Session, _Names]:
    mark = marks(plan.child).get(plan.time)
    if mark is None or not append_only(plan.child):
        raise FeatureNotSupported(
            "EMIT ON WINDOW CLOSE needs sessions over a watermark column of rows that only grow",
            hint="Declare WATERMARK FOR column AS column - INTERVAL '…' in the source.",
        )
    closing = Closing(mark.sources, mark.closed, spell(mark.reached), mark.idles)
    return replace(plan, closing=closing), _Names(plan.start, plan.partition, plan.time)
