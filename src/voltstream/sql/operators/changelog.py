"""WITH c AS changelog FROM t: every change is a row that stays.

Law: the rows of a delta, netted within the epoch, each as often as it counts: 1 for a row that
comes, 2 for one that goes, and 4 and 3 for what an update has taken and put in its place. Numbers
grow, an update's old row before its new one. State: the last number. Cost: O(delta).
"""

from __future__ import annotations

from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import Changelog, column_list


def changelog_delta(writer: Writer, plan: Changelog, child: Stream) -> Stream:
    writer.rule("changelog", "each change becomes a row", "delta")
    columns = column_list(child.columns)
    net = child.sql
    if not child.append_only:
        net = (
            f'SELECT {columns}, sum("_w")::INTEGER AS "_w" FROM ({child.sql}) GROUP BY {columns} '
            f'HAVING sum("_w") <> 0'
        )
    rid = ', "_rid"' if child.arrival else ""
    each = f'SELECT {columns}{rid}, sign("_w") AS _sign, unnest(range(abs("_w"))) FROM ({net})'
    by = f"{column_list(plan.key)}, " if plan.key else ""
    order = '"_rid"' if child.arrival else columns
    placed = (
        f"SELECT *, row_number() OVER (PARTITION BY {by}_sign ORDER BY {order}) AS _place, "
        f"sum(_sign) OVER () AS _balance FROM ({each})"
    )
    even = "TRUE" if plan.key else "_balance = 0"
    paired = f"({even} AND count(*) OVER (PARTITION BY {by}_place) = 2)"
    told = (
        f"SELECT *, CASE WHEN {paired} THEN CASE WHEN _sign < 0 THEN 4 ELSE 3 END "
        f"WHEN _sign < 0 THEN 2 ELSE 1 END::SMALLINT AS changelog_op FROM ({placed})"
    )
    counter = writer.state("changelog", "SELECT 0::BIGINT AS last")
    writer.setup.append(f"INSERT INTO {counter} VALUES (0)")
    made = writer.temp(
        f"SELECT {columns}, changelog_op, (SELECT last FROM {counter}) + row_number() OVER "
        f'(ORDER BY {by}_place, _sign) AS _changelog_row_id, 1::INTEGER AS "_w" FROM ({told})',
        child.reads,
        "changelog",
    )
    writer.run(
        f"UPDATE {counter} SET last = (SELECT max(_changelog_row_id) FROM {made})",
        (made,),
        "changelog",
    )
    sql = f'SELECT {column_list(plan.columns)}, "_w" FROM {made}'
    return Stream(sql, (made,), plan.columns, True, False)
