"""Joins in time: ASOF JOIN, and FOR SYSTEM_TIME AS OF PROCTIME()."""

from __future__ import annotations

from sqlglot import exp

from voltstream.core.errors import FeatureNotSupported
from voltstream.sql.expressions import spell
from voltstream.sql.plan import (
    AsofJoin,
    Filter,
    Join,
    JoinKind,
    Key,
    Plan,
    Project,
    Scan,
    TemporalJoin,
)
from voltstream.sql.pushdown import equality, join_of, within

_SIGNS: dict[type[exp.Expression], str] = {
    exp.GTE: ">=",
    exp.GT: ">",
    exp.LTE: "<=",
    exp.LT: "<",
}
_MIRRORED = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}


def asof_join(draft: Join, side: str, kind: str, parts: list[exp.Expression]) -> AsofJoin:
    """Return an ASOF join of both sides. Raises: FeatureNotSupported (0A000)."""
    if side not in {"", "LEFT"} or kind not in {"", "INNER", "OUTER"}:
        raise FeatureNotSupported(f"ASOF {side or kind} JOIN is not supported", hint="Use LEFT.")
    keys: list[Key] = []
    times: list[tuple[exp.Expression, str, exp.Expression]] = []
    for part in parts:
        key, time = equality(part, draft.left, draft.right), _time(part, draft)
        if key is not None and not key.null_safe:
            keys.append(key)
        elif time is not None:
            times.append(time)
        else:
            raise FeatureNotSupported(
                f"an ASOF join cannot be on {spell(part)}", hint="Filter in a subquery or in WHERE."
            )
    if len(times) != 1:
        raise FeatureNotSupported(
            "an ASOF join needs exactly one inequality between its sides",
            hint="ON l.key = r.key AND l.at >= r.at",
        )
    left_time, sign, right_time = times[0]
    return AsofJoin(
        draft.left, draft.right, tuple(keys), left_time, right_time, sign, side == "LEFT",
        _ties(draft.right),
    )  # fmt: skip


def _time(part: exp.Expression, draft: Join) -> tuple[exp.Expression, str, exp.Expression] | None:
    sign = _SIGNS.get(type(part))
    if sign is None:
        return None
    one, other = part.this, part.expression
    if within(one, draft.left) and within(other, draft.right):
        return one, sign, other
    if within(one, draft.right) and within(other, draft.left):
        return other, _MIRRORED[sign], one
    return None


def _ties(plan: Plan) -> tuple[str, ...]:
    """Return the columns of a plan, those of its table's key first."""
    node, names = plan, {name: name for name in plan.columns}
    while isinstance(node, Filter | Project):
        if isinstance(node, Project):
            below = {n: t.name for n, t in node.items if isinstance(t, exp.Column)}
            names = {shown: below[name] for shown, name in names.items() if name in below}
        node = node.child
    keyed = node.relation.key if isinstance(node, Scan) else ()
    shown = {name: public for public, name in names.items()}
    first = [shown[name] for name in keyed if name in shown]
    return (*first, *(name for name in plan.columns if name not in first))


def temporal_join(
    draft: Join, side: str, kind: str, version: exp.Expression, parts: list[exp.Expression]
) -> TemporalJoin:
    """Return a join with the right side as of the time of processing.

    Raises: FeatureNotSupported (0A000) for other times and kinds.
    """
    if not _is_proctime(version.expression):
        raise FeatureNotSupported(
            "a join is as of the time of processing only", hint="FOR SYSTEM_TIME AS OF PROCTIME()"
        )
    if side not in {"", "LEFT"} or kind not in {"", "INNER", "OUTER"}:
        raise FeatureNotSupported(
            f"{side or kind} JOIN FOR SYSTEM_TIME AS OF PROCTIME() is not supported",
            hint="Use JOIN or LEFT JOIN, the changing rows on the left.",
        )
    join = join_of(draft.left, draft.right, JoinKind.LEFT if side else JoinKind.INNER, parts)
    return TemporalJoin(join)


def _is_proctime(tree: exp.Expression) -> bool:
    return isinstance(tree, exp.CurrentTimestamp) or (
        isinstance(tree, exp.Anonymous) and tree.name.lower() in {"proctime", "now"}
    )
