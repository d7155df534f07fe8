"""Temporal join: FOR SYSTEM_TIME AS OF PROCTIME().

Law: a left row is joined once, when it comes, with what the right side holds at the end of its
epoch; later changes of the right side touch nothing. A left row that goes takes back what it was
joined with; of equal rows the one that came first.
State: none over rows that only come; otherwise what each left row was joined with. The right side
is kept unless it is stored. Cost: O(delta * matches).
"""

from __future__ import annotations

from voltstream.sql.operators.join import side
from voltstream.sql.operators.keys import forget, near, null_safe, place
from voltstream.sql.operators.log import expire, stamped
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import JoinKind, TemporalJoin, column_list, join_condition


def temporal_delta(writer: Writer, plan: TemporalJoin, left: Stream, right: Stream) -> Stream:
    law = "left rows are joined once, with the right side as it is when they come"
    writer.rule("temporal join", law, "delta * matches")
    join = plan.join
    delta = writer.materialize(left, "temporal join")
    b = side(writer, join.right, right, tuple((key.right, key.sign) for key in join.keys))
    content = f'(SELECT {column_list(b.columns)}, "_w" AS _n, TRUE AS _hit FROM {b.content})'
    outer = join.kind is JoinKind.LEFT
    mine, yours = column_list(join.left.columns, "l"), column_list(b.columns, "r")
    on = join_condition(join)
    if left.append_only:
        made = writer.temp(
            f'SELECT {mine}, {yours}, (l."_w" * coalesce(r._n, 1))::INTEGER AS "_w" '
            f"FROM {delta} AS l {join.kind.value.upper()} JOIN {content} AS r ON {on}",
            (delta,),
            "temporal join",
        )
        sql = f'SELECT {column_list(plan.columns)}, "_w" FROM {made}'
        return Stream(sql, (made,), plan.columns, True, False)
    columns = join.left.columns
    listed = column_list(columns)
    changed = writer.temp(
        f'SELECT {listed}, sum("_w")::INTEGER AS "_w" FROM {delta} GROUP BY {listed} '
        f'HAVING sum("_w") <> 0',
        (delta,),
        "temporal join",
    )
    memo = writer.state(
        "memo",
        f'SELECT {mine}, {yours}, 1::BIGINT AS _copy, _hit, _n AS "_w"{stamped(writer)} '
        f"FROM {delta} AS l, {content} AS r",
    )
    expire(writer, memo, (delta,), "temporal join")
    lost = f'(SELECT * FROM {changed} WHERE "_w" < 0)'
    every = f"r.*{place(plan.columns)}"
    gone = writer.temp(
        f"SELECT m.* EXCLUDE (_place) FROM (SELECT *, dense_rank() OVER (PARTITION BY {listed} "
        f"ORDER BY _copy) AS _place FROM ({near(memo, lost, columns, every)})) AS m "
        f'JOIN {lost} AS c ON {null_safe(columns, "m", "c")} AND m._place <= -c."_w"',
        (changed,),
        "temporal join",
    )
    born = writer.temp(
        f"SELECT {mine}, {yours}, l._copy, coalesce(r._hit, FALSE) AS _hit, "
        f'coalesce(r._n, 1)::INTEGER AS "_w" FROM (SELECT {listed}, row_number() OVER () + '
        f"(SELECT coalesce(max(_copy), 0) FROM {memo}) AS _copy FROM "
        f'(SELECT {listed}, unnest(range("_w")) FROM {changed} WHERE "_w" > 0)) AS l '
        f"LEFT JOIN {content} AS r ON {on}",
        (changed,),
        "temporal join",
    )
    forget(writer, memo, gone, ("_copy",), plan.columns, (gone,), "temporal join")
    writer.run(
        f"INSERT INTO {memo} SELECT *{stamped(writer)} FROM {born}", (born,), "temporal join"
    )
    kept = "" if outer else " WHERE _hit"
    shown = column_list(plan.columns)
    sql = (
        f'SELECT {shown}, sum("_w")::INTEGER AS "_w" FROM (SELECT {shown}, -"_w" AS "_w" '
        f'FROM {gone}{kept} UNION ALL SELECT {shown}, "_w" FROM {born}{kept}) '
        f'GROUP BY {shown} HAVING sum("_w") <> 0'
    )
    return Stream(sql, (gone, born), plan.columns, False, False)
