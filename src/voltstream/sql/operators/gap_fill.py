"""GAP_FILL: rows at the steps at which none came.

Law: a filled row depends on its neighbours in its series, and on the last values that are not
NULL before it. So a change moves only filled rows between the nearest row before it and the
nearest after it in which every carried column has a value: those are made anew.
State: the input (unless it is stored) and the filled rows. Cost: O(rows between neighbours); O(rows
of a series) where one has no neighbour within a few steps.
"""

from __future__ import annotations

from voltstream.sql.batch import filled_sql
from voltstream.sql.expressions import quote
from voltstream.sql.operators.keys import PLACE, forget, near, null_safe, place
from voltstream.sql.operators.log import expire, stamped
from voltstream.sql.operators.over import kept_rows
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import GapFill, are_stored, column_list, is_stored

_NEAR_STEPS = 64  # How far from a change its neighbours are looked for first.


def gap_fill_delta(writer: Writer, plan: GapFill, child: Stream) -> Stream:
    law = "the gaps between the neighbours of a change are filled anew"
    writer.rule("gap fill", law, "rows between neighbours of a change")
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
    spans = _spans(writer, plan, touched, rows)
    same = null_safe(by, "r", "d")
    low, high = _outermost(spans, plan, "min", "_from"), _outermost(spans, plan, "max", "_to")
    within = (
        f"(SELECT r.* FROM ({near(_from_to(rows, time, low, high), spans, by)}) AS r "
        f"JOIN {spans} AS d ON {same} "
        f"AND (d._from IS NULL OR r.{time} >= d._from) AND (d._to IS NULL OR r.{time} <= d._to))"
    )
    columns = column_list(plan.columns)
    now = writer.temp(filled_sql(plan, within), (spans,), "gap fill")
    # Rows that are stored stay, and what fills the gaps between them is taken back for ever.
    stays = is_stored(plan.child) and are_stored(plan.child, by)
    stamp = "" if stays else stamped(writer)
    state = writer.state("filled", f"SELECT {columns}{stamp} FROM {now}")
    if not stays:
        expire(writer, state, (delta,), "gap fill")
    put = ', rowid AS "' + PLACE + '"' if place(plan.columns) else ""
    kept = f"(SELECT *{put} FROM {state} WHERE {time} >= {low} AND {time} <= {high})"
    was = writer.temp(
        f"SELECT r.* FROM ({near(kept, spans, by)}) AS r JOIN {spans} AS d ON {same} "
        f"AND (d._from IS NULL OR r.{time} > d._from) AND (d._to IS NULL OR r.{time} < d._to)",
        (spans,),
        "gap fill",
    )
    forget(writer, state, was, (*by, plan.time), plan.columns, (was,), "gap fill")
    writer.run(f"INSERT INTO {state} SELECT {columns}{stamp} FROM {now}", (now,), "gap fill")
    sql = (
        f'SELECT {columns}, sum("_w")::INTEGER AS "_w" FROM ('
        f'SELECT {columns}, "_w" FROM {delta} UNION ALL SELECT {columns}, -1 FROM {was} '
        f"UNION ALL SELECT {columns}, 1 FROM {now}) "
        f'GROUP BY {columns} HAVING sum("_w") <> 0'
    )
    return Stream(sql, (delta, was, now), plan.columns, False, False)


def _spans(writer: Writer, plan: GapFill, touched: str, rows: str) -> str:
    """Find the neighbours of each touched series' change: near it first, anywhere if not there.

    Storage skips what is not near; a neighbour after the last row is looked for where none lies.
    """
    time, by = quote(plan.time), plan.series
    low = f"(SELECT min(_first) - {_NEAR_STEPS} * {plan.step} FROM {touched})"
    high = f"(SELECT max(_last) + {_NEAR_STEPS} * {plan.step} FROM {touched})"
    conditions = [f"r.{quote(c)} IS NOT NULL" for c in (plan.time, *plan.carried)]
    whole = " AND ".join(conditions)
    same = null_safe(by, "r", "d")
    mine = f"{column_list(by, 'd')}, " if by else ""
    grouped = f" GROUP BY {column_list(by, 'd')}" if by else ""

    def found(those: str, wanted: str, shown: str) -> str:
        return writer.temp(
            f"SELECT {mine}{shown}max(r.{time}) FILTER (r.{time} < d._first AND {whole}) AS _from, "
            f"min(r.{time}) FILTER (r.{time} > d._last AND {whole}) AS _to FROM {wanted} AS d "
            f"LEFT JOIN ({near(those, wanted, by)}) AS r ON {same}{grouped}",
            (touched,),
            "gap fill",
        )

    kept = "any_value(d._first) AS _first, any_value(d._last) AS _last, "
    close = found(_from_to(rows, time, low, high), touched, kept)
    before = found(
        f"(SELECT * FROM {rows} WHERE {time} < {low})",
        f"(SELECT * FROM {close} WHERE _from IS NULL)",
        "",
    )
    after = found(
        f"(SELECT * FROM {rows} WHERE {time} > {high})",
        f"(SELECT * FROM {close} WHERE _to IS NULL)",
        "",
    )
    return writer.temp(
        f"SELECT {mine}coalesce(d._from, b._from) AS _from, coalesce(d._to, a._to) AS _to "
        f"FROM {close} AS d LEFT JOIN {before} AS b ON {null_safe(by, 'b', 'd')} "
        f"LEFT JOIN {after} AS a ON {null_safe(by, 'a', 'd')}",
        (close,),
        "gap fill",
    )


def _from_to(rows: str, time: str, low: str, high: str) -> str:
    return f"(SELECT * FROM {rows} WHERE {time} >= {low} AND {time} <= {high})"


def _outermost(spans: str, plan: GapFill, verb: str, column: str) -> str:
    """Print the bound of all spans; a span without one has no end."""
    endless = "-infinity" if verb == "min" else "infinity"
    return (
        f"(SELECT {verb}(coalesce({column}, CAST('{endless}' AS {plan.time_type}))) FROM {spans})"
    )
