"""How far window calls look ahead of their row."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp


def rows_ahead(calls: Iterable[exp.Expression]) -> int | None:
    """Return the number of later rows that the calls need; None when it is not a fixed one."""
    most = 0
    for call in calls:
        needed = _ahead(call)
        if needed is None:
            return None
        most = max(most, needed)
    return most


def _ahead(call: exp.Expression) -> int | None:
    if isinstance(call.this, exp.Lead):
        offset = call.this.args.get("offset")
        return 1 if offset is None else _number(offset)
    spec = call.args.get("spec")
    if spec is None or str(spec.args.get("end_side")).upper() != "FOLLOWING":
        return 0
    if str(spec.args.get("kind", "")).upper() != "ROWS":
        return None
    end = spec.args.get("end")
    return _number(end) if isinstance(end, exp.Expression) else None


def _number(tree: exp.Expression) -> int | None:
    literal = tree.find(exp.Literal)
    text = "" if literal is None else literal.name
    return int(text) if text.isdigit() else None
