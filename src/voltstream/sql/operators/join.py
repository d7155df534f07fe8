"""Inner, left, full, semi and anti join.

Law, with both states already new: d(A x B) = dA x B + A x dB - dA x dB. An outer join adds the
padding of rows without a match: dA anti B, and for the old rows of A that some row of dB matches,
what was and what is unmatched. Semi and anti join are that rule alone, without padding.
State: both inputs, or the stored relation an input already is. Cost: O(delta * matches).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from voltstream.sql.expressions import spell
from voltstream.sql.operators.log import integrate
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import (
    Join,
    JoinKind,
    Plan,
    batch_sql,
    column_list,
    is_stored,
    join_condition,
    qualify,
)


@dataclass(frozen=True)
class _Side:
    """One input: its delta's temp name and a query of its whole content with ``_w``."""

    delta: str
    content: str
    columns: tuple[str, ...]
    keys: tuple[tuple[exp.Expression, str], ...]  # Each with the sign that compares it.


_LAWS = {
    JoinKind.INNER: "dA x B + A x dB - dA x dB",
    JoinKind.LEFT: "dA x B + A x dB - dA x dB, and the padding of left rows that gain or lose all",
    JoinKind.FULL: "dA x B + A x dB - dA x dB, and the padding of rows that gain or lose all",
    JoinKind.SEMI: "dA semi B, and the rows of A that dB gives a first or takes the last match",
    JoinKind.ANTI: "dA anti B, and the rows of A that dB gives a first or takes the last match",
}
_Condition = Callable[[str, str], str]  # ON between a row of this side and one of the other


def join_delta(writer: Writer, plan: Join, left: Stream, right: Stream) -> Stream:
    a = _side(writer, plan.left, left, tuple((key.left, key.sign) for key in plan.keys))
    b = _side(writer, plan.right, right, tuple((key.right, key.sign) for key in plan.keys))

    def from_left(row: str, other: str) -> str:
        return join_condition(plan, row, other)

    def from_right(row: str, other: str) -> str:
        return join_condition(plan, other, row)

    writer.rule(f"{plan.kind.value.lower()} join", _LAWS[plan.kind], "delta * matches")
    appending = left.append_only and right.append_only
    if plan.kind in (JoinKind.SEMI, JoinKind.ANTI):
        made = _matching(writer, a, b, from_left, matched=plan.kind is JoinKind.SEMI)
        sql = " UNION ALL ".join(f"SELECT * FROM {name}" for name in made)
        grows = appending and plan.kind is JoinKind.SEMI
        return Stream(sql, tuple(made), plan.columns, grows, False)
    made = _inner(writer, a, b, join_condition(plan))
    if plan.kind in (JoinKind.LEFT, JoinKind.FULL):
        alone = _matching(writer, a, b, from_left, matched=False)
        made += [_padded(writer, name, a, b, left=True) for name in alone]
    if plan.kind is JoinKind.FULL:
        alone = _matching(writer, b, a, from_right, matched=False)
        made += [_padded(writer, name, b, a, left=False) for name in alone]
    sql = " UNION ALL ".join(f"SELECT * FROM {name}" for name in made)
    both = appending and plan.kind is JoinKind.INNER
    if both:  # The third term only takes back what the first two counted twice.
        sql = f'SELECT {column_list(plan.columns)}, sum("_w")::INTEGER AS "_w" FROM ({sql}) '
        sql += f'GROUP BY {column_list(plan.columns)} HAVING sum("_w") <> 0'
    return Stream(sql, tuple(made), plan.columns, both, False)


def _inner(writer: Writer, a: _Side, b: _Side, on: str) -> list[str]:
    columns = f"{column_list(a.columns, 'l')}, {column_list(b.columns, 'r')}"

    def term(one: str, other: str, sign: str) -> str:
        weight = f'({sign}l."_w" * r."_w")::INTEGER AS "_w"'
        return f"SELECT {columns}, {weight} FROM {one} AS l JOIN {other} AS r ON {on}"

    return [
        writer.temp(term(a.delta, b.content, ""), (a.delta,), "join"),
        writer.temp(term(a.content, b.delta, ""), (b.delta,), "join"),
        writer.temp(term(a.delta, b.delta, "-"), (a.delta, b.delta), "join", needs_all=True),
    ]


def _matching(writer: Writer, a: _Side, b: _Side, on: _Condition, *, matched: bool) -> list[str]:
    """Return deltas of the rows of ``a`` that have a match in ``b``, or of those that have none.

    Law: new rows are decided by ``b`` as it is; old rows that a row of db matches by ``b`` as it
    was and as it is.
    """
    verb = "SEMI" if matched else "ANTI"
    operator = "semi join" if matched else "unmatched"
    rows, old_rows = column_list(a.columns, "l"), column_list(b.columns)
    direct = writer.temp(
        f'SELECT {rows}, l."_w" FROM {a.delta} AS l {verb} JOIN {b.content} AS r ON {on("l", "r")}',
        (a.delta,),
        operator,
    )
    touched = writer.temp(
        f'SELECT {rows}, l."_w" FROM {a.content} AS l SEMI JOIN {b.delta} AS d ON {on("l", "d")} '
        f'UNION ALL SELECT {rows}, -l."_w" FROM {a.delta} AS l SEMI JOIN {b.delta} AS d '
        f"ON {on('l', 'd')}",
        (b.delta,),
        operator,
    )
    same = " AND ".join(
        f"({spell(qualify(key, 'r'))}) {sign} ({spell(qualify(key, 'd'))})" for key, sign in b.keys
    )
    old = (
        f'SELECT {old_rows} FROM (SELECT {column_list(b.columns, "r")}, r."_w" FROM {b.content} '
        f"AS r SEMI JOIN {b.delta} AS d ON {same or 'TRUE'} "
        f'UNION ALL SELECT {old_rows}, -"_w" FROM {b.delta}) '
        f'GROUP BY {old_rows} HAVING sum("_w") > 0'
    )
    moved = writer.temp(
        f'SELECT {rows}, l."_w"::INTEGER AS "_w" FROM {touched} AS l {verb} JOIN {b.content} AS r '
        f"ON {on('l', 'r')} UNION ALL "
        f'SELECT {rows}, -l."_w"::INTEGER FROM {touched} AS l {verb} JOIN ({old}) AS r '
        f"ON {on('l', 'r')}",
        (touched,),
        operator,
    )
    return [direct, moved]


def _padded(writer: Writer, alone: str, a: _Side, b: _Side, *, left: bool) -> str:
    """Pad unmatched rows with NULLs that keep the other side's types."""
    nothing = f"(SELECT {column_list(b.columns)} FROM {b.delta} LIMIT 0)"
    sides = [column_list(a.columns, "l"), column_list(b.columns, "p")]
    columns = ", ".join(sides if left else reversed(sides))
    return writer.temp(
        f'SELECT {columns}, l."_w"::INTEGER AS "_w" FROM {alone} AS l '
        f"LEFT JOIN {nothing} AS p ON TRUE",
        (alone,),
        "padding",
    )


def _side(
    writer: Writer, plan: Plan, stream: Stream, keys: tuple[tuple[exp.Expression, str], ...]
) -> _Side:
    delta = writer.materialize(stream, "join input")
    if is_stored(plan):
        content = f'(SELECT *, 1 AS "_w" FROM ({batch_sql(plan)}))'
        return _Side(delta, content, stream.columns, keys)
    state = writer.state("join", f'SELECT {column_list(stream.columns)}, "_w" FROM {delta}')
    integrate(
        writer,
        state,
        delta,
        stream,
        _touched(stream.columns, [key for key, _ in keys]),
        "join state",
    )
    return _Side(delta, state, stream.columns, keys)


def _touched(columns: tuple[str, ...], keys: Sequence[exp.Expression]) -> tuple[str, ...]:
    """Return the columns whose rows are consolidated together: the key's, or all of them."""
    names = tuple(dict.fromkeys(key.name for key in keys if isinstance(key, exp.Column)))
    return names if names and all(isinstance(key, exp.Column) for key in keys) else columns
