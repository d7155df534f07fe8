"""Interval joins: which rows of a join can meet no row in time any more.

With ``l.at BETWEEN r.at - a AND r.at + b``, and watermarks on both columns, a left row can only
meet right rows up to ``l.at + a``: when the right side's watermark has passed that, it can go.
Law: the result is the join of all rows that are not late. Only an inner join of rows that only
come forgets: a match that was forgotten must not be missed by padding, nor by a deletion.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from voltstream.sql.expressions import quote, spell
from voltstream.sql.plan import Join, JoinKind, append_only, is_stored
from voltstream.sql.temporal import is_fixed_interval
from voltstream.sql.watermarks import WATERMARK, Mark, Marks, least_sql, marks

_SMALLER = (exp.LT, exp.LTE)
_LARGER = (exp.GT, exp.GTE)


@dataclass(frozen=True)
class Forgotten:
    """Predicates over a side's columns: its rows that can go. None where all stay."""

    left: str | None = None
    right: str | None = None

    def __bool__(self) -> bool:
        return self.left is not None or self.right is not None


@dataclass(frozen=True)
class _Moved:
    """A column and the intervals added to it."""

    name: str
    added: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()


def forgotten(join: Join) -> Forgotten:
    """Return what a join may forget of each input that it keeps."""
    appending = append_only(join.left) and append_only(join.right)
    if join.kind is not JoinKind.INNER or not appending:
        return Forgotten()
    left, right = marks(join.left), marks(join.right)
    if not left or not right:
        return Forgotten()
    gone: dict[str, list[str]] = {"left": [], "right": []}
    for key in join.keys:
        _by_key(key.left, key.right, left, right, gone)
    for part in _parts(join.rest):
        _by_bound(part, left, right, gone)
    return Forgotten(
        None if is_stored(join.left) else _any(gone["left"]),
        None if is_stored(join.right) else _any(gone["right"]),
    )


def _any(predicates: list[str]) -> str | None:
    return " OR ".join(f"({one})" for one in dict.fromkeys(predicates)) or None


def _parts(rest: exp.Expression | None) -> list[exp.Expression]:
    """Return the comparisons of a condition, out of brackets and of what guards them."""
    if rest is None:
        return []
    match rest:
        case exp.Paren():
            return _parts(rest.this)
        case exp.And():
            return _parts(rest.this) + _parts(rest.expression)
        case exp.Anonymous() if rest.name.upper() == "TRY":
            return _parts(rest.expressions[0])
        case exp.Between():
            low = exp.GTE(this=rest.this.copy(), expression=rest.args["low"].copy())
            high = exp.LTE(this=rest.this.copy(), expression=rest.args["high"].copy())
            return [low, high]
        case _:
            return [rest]


def _by_key(
    one: exp.Expression,
    other: exp.Expression,
    left: Marks,
    right: Marks,
    gone: dict[str, list[str]],
) -> None:
    """A row can go when no row in time can have its value on the other side any more."""
    if not isinstance(one, exp.Column) or not isinstance(other, exp.Column):
        return
    if one.name in left and other.name in right:
        gone["left"].append(_closed(right[other.name], other.name, one.name))
        gone["right"].append(_closed(left[one.name], one.name, other.name))


def _closed(mark: Mark, theirs: str, own: str) -> str:
    closed = mark.closed.replace(quote(theirs), quote(own))
    return closed.replace(WATERMARK, least_sql(mark.sources))


def _by_bound(part: exp.Expression, left: Marks, right: Marks, gone: dict[str, list[str]]) -> None:
    if isinstance(part, _SMALLER):
        small, large = _moved(part.this), _moved(part.expression)
    elif isinstance(part, _LARGER):
        small, large = _moved(part.expression), _moved(part.this)
    else:
        return
    if small is None or large is None:
        return
    if small.name in left and large.name in right:
        _bounded("right", large, small, left[small.name], gone)
    elif small.name in right and large.name in left:
        _bounded("left", large, small, right[small.name], gone)


def _bounded(
    side: str, large: _Moved, small: _Moved, mark: Mark, gone: dict[str, list[str]]
) -> None:
    """What is smaller than a row's value, and still to come, is not below its watermark."""
    if not _plain(mark, small.name):
        return
    reached = spell(mark.reached).replace(WATERMARK, least_sql(mark.sources))
    added = [f" + {one}" for one in (*large.added, *small.taken)]
    taken = [f" - {one}" for one in (*large.taken, *small.added)]
    # The moved bound is on the watermark's side, so that storage can skip rows by the column.
    bound = f"({reached})" + "".join(f" - {one[3:]}" for one in added)
    bound += "".join(f" + {one[3:]}" for one in taken)
    gone[side].append(f"{quote(large.name)} < {bound}")


def _plain(mark: Mark, name: str) -> bool:
    """Tell whether a value in time is never below what the column is at the watermark."""
    shown = f"{quote(name)} < "
    return mark.closed in (shown + WATERMARK, f"{shown}({spell(mark.reached)})")


def _moved(tree: exp.Expression) -> _Moved | None:
    """Read a column with fixed intervals added and taken; None for anything else."""
    match tree:
        case exp.Paren():
            return _moved(tree.this)
        case exp.Column():
            return _Moved(tree.name)
        case exp.Add() | exp.Sub() if is_fixed_interval(tree.expression):
            below = _moved(tree.this)
            if below is None:
                return None
            text = f"({spell(tree.expression)})"
            if isinstance(tree, exp.Add):
                return _Moved(below.name, (*below.added, text), below.taken)
            return _Moved(below.name, below.added, (*below.taken, text))
        case _:
            return None
