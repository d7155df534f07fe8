"""ASOF join: each left row with the right row of its key that is nearest in time.

Law: a left row's match can change only if it changes itself, or a right row of its key comes or
goes that is at least as near as the match it has. Those rows are matched again, with the right
side as it is now; of right rows at one time the first by key, then by columns, counts.
State: the left rows with their matches; the right rows, unless they are stored. A left row whose
time to live is over keeps the match that it had.
Cost: O(delta + left rows between a changed right row and its successor + right rows of their keys).
"""

from __future__ import annotations

from voltstream.sql.batch import matched_sql
from voltstream.sql.branches import Branch, union_all
from voltstream.sql.expressions import spell
from voltstream.sql.operators.join import side
from voltstream.sql.operators.keys import forget, near, place
from voltstream.sql.operators.log import expire, stamped
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import AsofJoin, column_list, qualify

_NEARER = {">=": ">=", ">": ">=", "<=": "<=", "<": "<="}  # A changed row against the match.


def asof_delta(writer: Writer, plan: AsofJoin, left: Stream, right: Stream) -> Stream:
    law = "rows that change, and those a changed right row is near to, are matched again"
    writer.rule("asof join", law, "delta + right rows of touched keys")
    delta = writer.materialize(left, "asof join", net=True)
    b = side(writer, plan.right, right, tuple((key.right, key.sign) for key in plan.keys))
    mine, yours = column_list(plan.left.columns), column_list(plan.right.columns)
    found = f"{mine}, {yours}, _rt, _hit"
    shape = (
        f"SELECT {column_list(plan.left.columns, 'l')}, {column_list(plan.right.columns, 'r')}, "
        f'{spell(qualify(plan.right_time, "r"))} AS _rt, TRUE AS _hit, 1::INTEGER AS "_w" '
        f"FROM {delta} AS l, {b.delta} AS r"
    )
    state = writer.state("asof", f"SELECT *{stamped(writer)} FROM ({shape})")
    expire(writer, state, (delta, b.delta), "asof join")
    every = f"r.*{place(plan.columns)}"
    lt, rt = spell(qualify(plan.left_time, "r")), spell(qualify(plan.right_time, "d"))
    on = " AND ".join([
        *(key.sql("r", "d") for key in plan.keys),
        f"{lt} {plan.sign} {rt}",
        f"(NOT r._hit OR {rt} {_NEARER[plan.sign]} r._rt)",
    ])  # fmt: skip
    moved = f"SELECT {every} FROM {state} AS r SEMI JOIN {b.delta} AS d ON {on}"
    own = near(state, delta, plan.left.columns, every)
    touched = union_all(
        [
            Branch(moved, (b.delta,), typed=True),
            Branch(own, (delta,), typed=True),
        ]
    )
    was = writer.temp(
        f"SELECT DISTINCT * FROM ({touched})",
        (delta, b.delta),
        "asof join",
    )
    left_rows = union_all(
        [
            Branch(f'SELECT {mine}, "_w" FROM {was}', (was,), typed=True),
            Branch(f'SELECT {mine}, "_w" FROM {delta}', (delta,), typed=True),
        ]
    )
    again = writer.temp(
        f'SELECT {mine}, sum("_w")::INTEGER AS "_w" FROM ({left_rows}) '
        f'GROUP BY {mine} HAVING sum("_w") > 0',
        (was, delta),
        "asof join",
    )
    keys = " AND ".join(key.sql("l", "r") for key in plan.keys) or "TRUE"
    candidates = f"(SELECT {column_list(plan.right.columns, 'r')} FROM {b.content} AS r "
    candidates += f"SEMI JOIN {again} AS l ON {keys})"
    matched = matched_sql(plan, again, (*plan.left.columns, "_w"), candidates)
    now = writer.temp(f'SELECT {found}, "_w" FROM ({matched})', (again,), "asof join")
    forget(writer, state, was, plan.left.columns, plan.columns, (was,), "asof join")
    writer.run(f"INSERT INTO {state} SELECT *{stamped(writer)} FROM {now}", (now,), "asof join")
    kept = "" if plan.outer else " WHERE _hit"
    listed = column_list(plan.columns)
    both = union_all(
        [
            Branch(f'SELECT {listed}, -"_w" AS "_w" FROM {was}{kept}', (was,), typed=True),
            Branch(f'SELECT {listed}, "_w" FROM {now}{kept}', (now,), typed=True),
        ]
    )
    sql = (
        f'SELECT {listed}, sum("_w")::INTEGER AS "_w" FROM ({both}) '
        f'GROUP BY {listed} HAVING sum("_w") <> 0'
    )
    return Stream(sql, (was, now), plan.columns, False, False)
