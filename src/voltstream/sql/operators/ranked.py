"""Top-N: the first rows of each partition, by row_number, rank or dense_rank, or LIMIT.

Law: the winners of old and new rows are among the old winners and the new rows, as long as no
winner is taken away. Partitions that lose one are decided again from the kept input.
State: the winners; with retractions the input too, unless it is stored.
Cost: O(delta + winners), and O(partition) where a winner goes.
"""

from __future__ import annotations

from voltstream.sql.batch import ranked_sql
from voltstream.sql.operators.aggregate import Keyed
from voltstream.sql.operators.keys import near, null_safe
from voltstream.sql.operators.over import kept_rows, replaced
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import (
    Ranked,
    column_list,
)

_ARRIVAL = "_rid"
_RANK = "_rank"


def ranked_delta(writer: Writer, plan: Ranked, child: Stream) -> Keyed:
    law = "new rows challenge the winners; a partition that loses a winner is decided again"
    writer.rule("top", law, "delta + winners, rows of partitions that lose a winner")
    delta = writer.materialize(child, "top input", net=True)
    inner = child.columns + ((_ARRIVAL,) if child.arrival else ())
    rows = column_list(inner)
    by = plan.partition
    top = writer.state("top", f'SELECT {rows}, 1::BIGINT AS "{_RANK}" FROM {delta}')
    winners = f"SELECT {rows} FROM ({near(top, delta, by)})"
    if child.append_only:
        source = f"({winners} UNION ALL SELECT {rows} FROM {delta})"
    else:
        source = _candidates(writer, plan, child, delta, top, winners)
    ties = f'"{_ARRIVAL}"' if child.arrival else rows
    ranked = ranked_sql(plan, source, inner, ties, name=_RANK, skip=0)
    new = writer.temp(ranked, (delta,), "top")
    kept = (*inner, _RANK)
    change = replaced(writer, top, new, delta, (delta,), by, kept, "top")
    shown = column_list(child.columns)
    shown += f', "{_RANK}" AS "{plan.name}"' if plan.name is not None else ""
    # Without its rank a winner that only moved up is no change: the view's root nets it out.
    beyond = f'WHERE "{_RANK}" > {plan.skip}'
    sql = f'SELECT {shown}, "_w" FROM ({change.sql}) {beyond}'
    stream = Stream(sql, change.reads, plan.columns, False, False)
    return Keyed(f"(SELECT {shown} FROM {top} {beyond})", stream)


def _candidates(
    writer: Writer, plan: Ranked, child: Stream, delta: str, top: str, winners: str
) -> str:
    """Return the rows to be ranked: winners and new rows, or all rows where a winner went."""
    rows = column_list(child.columns)
    by = plan.partition
    kept = kept_rows(writer, plan.child, child, delta, by, (), "top input")
    gone = f'(SELECT {rows} FROM {delta} WHERE "_w" < 0)'
    lost = writer.temp(
        f"SELECT DISTINCT {column_list(by) if by else '1 AS one'} FROM "
        f"({near(top, gone, child.columns)})",
        (delta,),
        "top",
    )
    counted = (
        f'SELECT {rows}, sum("_w")::BIGINT AS "_w" FROM (SELECT {rows}, 1 AS "_w" FROM '
        f'({winners}) UNION ALL SELECT {rows}, "_w" FROM {delta}) '
        f'GROUP BY {rows} HAVING sum("_w") > 0'
    )
    merged = f'(SELECT {rows} FROM (SELECT *, unnest(range("_w")) FROM ({counted})))'
    same = null_safe(by, "c", "o")
    again = near(kept, lost, by) if by else f"SELECT c.* FROM {kept} AS c SEMI JOIN {lost} ON TRUE"
    return f"(SELECT c.* FROM {merged} AS c ANTI JOIN {lost} AS o ON {same} UNION ALL {again})"
