"""GAP_FILL: rows at the steps at which none came.

Law: a filled row depends on its neighbours in its series, and on the last values that are not
NULL before it. So a change moves only filled rows between the nearest row before it and the
nearest after it in which every carried column has a value: those are made anew.
State: the input (unless it is stored) and the filled rows. Cost: O(rows of touched series) to
find the neighbours, O(rows between them) to fill.
"""

from __future__ import annotations

from voltstream.sql.batch import filled_sql
from voltstream.sql.expressions import quote
from voltstream.sql.operators.keys import forget, near, null_safe, place
from voltstream.sql.operators.over import kept_rows
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import GapFill, column_list


def gap_fill_delta(writer: Writer, plan: GapFill, child: Stream) -> Stream:
    law = "the gaps between the neighbours of a change are filled anew"
    writer.rule("gap fill", law, "rows of touched series")
    delta = writer.materialize(child, "gap fill")
    time, by = quote(plan.time), plan.series
    rows = kept_rows(writer, plan.child, child, delta, by, by, "gap fill")
    comma = f"{column_list(by)}, " if by else ""
    tail = f" GROUP BY {column_list(by)}" if by else " HAVING count(*) > 0"
    touched = writer.temp(
        f"SELECT {comma}min({time}) AS _first, max({time}) AS _last FROM {delta} "
        f"WHERE {time} IS NOT NULL{tail}",
        (delta,),
        "gap fill",
    )
    whole = " AND ".join([f"r.{time} IS NOT NULL", *(f"r.{quote(c)} IS NOT NULL"
                                                      for c in plan.carried)])  # fmt: skip
    same = null_safe(by, "r", "d")
    mine = f"{column_list(by, 'd')}, " if by else ""
    grouped = f" GROUP BY {column_list(by, 'd')}" if by else ""
    spans = writer.temp(
        f"SELECT {mine}max(r.{time}) FILTER (r.{time} < d._first AND {whole}) AS _from, "
        f"min(r.{time}) FILTER (r.{time} > d._last AND {whole}) AS _to FROM {touched} AS d "
        f"LEFT JOIN ({near(rows, touched, by)}) AS r ON {same}{grouped}",
        (touched,),
        "gap fill",
    )
    within = (
        f"(SELECT r.* FROM ({near(rows, spans, by)}) AS r JOIN {spans} AS d ON {same} "
        f"AND (d._from IS NULL OR r.{time} >= d._from) AND (d._to IS NULL OR r.{time} <= d._to))"
    )
    columns = column_list(plan.columns)
    now = writer.temp(filled_sql(plan, within), (spans,), "gap fill")
    state = writer.state("filled", f"SELECT {columns} FROM {now}")
    shown = f"r.*{place(plan.columns)}"
    was = writer.temp(
        f"SELECT r.* FROM ({near(state, spans, by, shown)}) AS r JOIN {spans} AS d ON {same} "
        f"AND (d._from IS NULL OR r.{time} > d._from) AND (d._to IS NULL OR r.{time} < d._to)",
        (spans,),
        "gap fill",
    )
    forget(writer, state, was, (*by, plan.time), plan.columns, (was,), "gap fill")
    writer.run(f"INSERT INTO {state} SELECT {columns} FROM {now}", (now,), "gap fill")
    sql = (
        f'SELECT {columns}, sum("_w")::INTEGER AS "_w" FROM ('
        f'SELECT {columns}, "_w" FROM {delta} UNION ALL SELECT {columns}, -1 FROM {was} '
        f"UNION ALL SELECT {columns}, 1 FROM {now}) "
        f'GROUP BY {columns} HAVING sum("_w") <> 0'
    )
    return Stream(sql, (delta, was, now), plan.columns, False, False)
