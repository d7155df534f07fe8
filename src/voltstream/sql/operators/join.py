"""Inner and left join.

Law, with both states already new: d(A x B) = dA x B + A x dB - dA x dB. A left join adds the
padding of unmatched left rows: dA anti B, and for the keys of dB what was and what is unmatched.
State: both inputs, or the stored relation an input already is. Cost: O(delta * matches).
"""

from __future__ import annotations

from dataclasses import dataclass

from voltstream.sql.expressions import spell
from voltstream.sql.operators.stream import Stream, Writer, integrate
from voltstream.sql.plan import (
    Filter,
    Join,
    Plan,
    Project,
    Scan,
    batch_sql,
    column_list,
    join_condition,
    qualify,
)


@dataclass(frozen=True)
class _Side:
    """One input: its delta's temp name and a query of its whole content with ``_w``."""

    delta: str
    content: str
    columns: tuple[str, ...]


def join_delta(writer: Writer, plan: Join, left: Stream, right: Stream) -> Stream:
    if plan.outer:
        law = "dA x B + A x dB - dA x dB, and the padding of the touched keys' left rows"
        writer.rule("left join", law, "delta * matches")
    else:
        writer.rule("inner join", "dA x B + A x dB - dA x dB", "delta * matches")
    a = _side(writer, plan.left, left, tuple(_key_columns(plan, 0)))
    b = _side(writer, plan.right, right, tuple(_key_columns(plan, 1)))
    on = join_condition(plan)
    columns = f"{column_list(a.columns, 'l')}, {column_list(b.columns, 'r')}"

    def term(one: str, other: str, sign: str) -> str:
        weight = f'({sign}l."_w" * r."_w")::INTEGER AS "_w"'
        return f"SELECT {columns}, {weight} FROM {one} AS l JOIN {other} AS r ON {on}"

    made = [
        writer.temp(term(a.delta, b.content, ""), (a.delta,), "join"),
        writer.temp(term(a.content, b.delta, ""), (b.delta,), "join"),
        writer.temp(term(a.delta, b.delta, "-"), (a.delta, b.delta), "join", needs_all=True),
    ]
    if plan.outer:
        made += _padding(writer, plan, a, b, on)
    both = left.append_only and right.append_only and not plan.outer
    sql = " UNION ALL ".join(f"SELECT * FROM {name}" for name in made)
    if both:  # The third term only takes back what the first two counted twice.
        sql = f'SELECT {column_list(plan.columns)}, sum("_w")::INTEGER AS "_w" FROM ({sql}) '
        sql += f'GROUP BY {column_list(plan.columns)} HAVING sum("_w") <> 0'
    return Stream(sql, tuple(made), plan.columns, both, False)


def _padding(writer: Writer, plan: Join, a: _Side, b: _Side, on: str) -> list[str]:
    left = column_list(a.columns, "l")
    right = column_list(b.columns)
    weight = '"_w"::INTEGER AS "_w"'

    def padded(rows: str, sign: str) -> str:
        """Pad rows with NULLs that keep the right side's types."""
        nothing = f"(SELECT {right} FROM {b.delta} LIMIT 0)"
        return (
            f"SELECT {left}, {column_list(b.columns, 'p')}, {sign}l.{weight} FROM ({rows}) AS l "
            f"LEFT JOIN {nothing} AS p ON TRUE"
        )

    direct = writer.temp(
        padded(f"SELECT l.* FROM {a.delta} AS l ANTI JOIN {b.content} AS r ON {on}", ""),
        (a.delta,),
        "left join",
    )
    keys_a = [spell(qualify(x, "l")) for x, _ in plan.keys]
    keys_b = [spell(qualify(y, "d")) for _, y in plan.keys]
    keys_r = [spell(qualify(y, "r")) for _, y in plan.keys]
    touched = " AND ".join(f"({x}) = ({y})" for x, y in zip(keys_a, keys_b, strict=True))
    same = " AND ".join(f"({x}) = ({y})" for x, y in zip(keys_r, keys_b, strict=True))
    old_left = writer.temp(
        f'SELECT {left}, l."_w" FROM {a.content} AS l SEMI JOIN {b.delta} AS d ON {touched} '
        f'UNION ALL SELECT {left}, -l."_w" FROM {a.delta} AS l SEMI JOIN {b.delta} AS d '
        f"ON {touched}",
        (b.delta,),
        "left join",
    )
    old_right = (
        f'SELECT {right} FROM (SELECT {column_list(b.columns, "r")}, r."_w" FROM {b.content} AS r '
        f'SEMI JOIN {b.delta} AS d ON {same} UNION ALL SELECT {right}, -"_w" FROM {b.delta}) '
        f'GROUP BY {right} HAVING sum("_w") > 0'
    )
    now_alone = f"SELECT l.* FROM {old_left} AS l ANTI JOIN {b.content} AS r ON {on}"
    was_alone = f"SELECT l.* FROM {old_left} AS l ANTI JOIN ({old_right}) AS r ON {on}"
    moved = writer.temp(
        f"{padded(now_alone, '')} UNION ALL {padded(was_alone, '-')}", (old_left,), "left join"
    )
    return [direct, moved]


def _side(writer: Writer, plan: Plan, stream: Stream, keys: tuple[str, ...]) -> _Side:
    delta = writer.materialize(stream, "join input")
    if _is_stored(plan):
        content = f'(SELECT *, 1 AS "_w" FROM ({batch_sql(plan)}))'
        return _Side(delta, content, stream.columns)
    state = writer.state("join", f'SELECT {column_list(stream.columns)}, "_w" FROM {delta}')
    integrate(writer, state, delta, stream, keys, "join state")
    return _Side(delta, state, stream.columns)


def _is_stored(plan: Plan) -> bool:
    """Tell whether the input can be read where it is: rows of a source may be forgotten."""
    if isinstance(plan, Filter | Project):
        return _is_stored(plan.child)
    return isinstance(plan, Scan) and plan.relation.kind in {"table", "materialized view"}


def _key_columns(plan: Join, side: int) -> list[str]:
    """Return the columns whose rows are consolidated together: the key's, or all of them."""
    trees = [pair[side] for pair in plan.keys]
    names = [tree.name for tree in trees if hasattr(tree, "name") and tree.key == "column"]
    whole = plan.left.columns if side == 0 else plan.right.columns
    return names if len(names) == len(trees) and names else list(whole)
