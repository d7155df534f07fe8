"""SESSION: which rows of a key are less than a gap apart.

Law: a row's session begins at the first time that a chain of rows, each less than the gap after
the one before, leads back to. A change moves only sessions it lies in or within a gap of: those
are cut anew, with the rows that came and without those that went. Rows of closing sessions are
let out once, when no row in time can join them; later ones are late, as at a window's close.
State: the rows with their sessions, and a row for each session. Cost: O(rows of touched sessions).
"""

from __future__ import annotations

from voltstream.sql.batch import sessions_sql
from voltstream.sql.expressions import quote
from voltstream.sql.operators.keys import forget, held, null_safe, place
from voltstream.sql.operators.log import overdue, stamped
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.operators.window_close import advance, count_late, follow
from voltstream.sql.plan import (
    Closing,
    Session,
    column_list,
)
from voltstream.sql.watermarks import WATERMARK

_START, _END = "_start", "_end"


def session_delta(writer: Writer, plan: Session, child: Stream) -> Stream:
    law = "the sessions that a change lies in, or within a gap of, are cut anew"
    writer.rule("session", law, "rows of touched sessions")
    columns = column_list(child.columns)
    closing = plan.closing
    if closing is None:
        delta = writer.materialize(child, "session")
        mark = ""
    else:
        mark = follow(writer)
        late = f"coalesce({_at(closing.late, mark)}, {quote(plan.time)} IS NULL)"
        count_late(writer, child, late, "session")
        delta = writer.temp(
            f'SELECT {columns}, "_w" FROM ({child.sql}) WHERE NOT {late}', child.reads, "session"
        )
    key = (*plan.partition, _START)
    rows, sessions, hit = _states(writer, plan, child, delta)
    was = held(writer, rows, hit, key, child.columns, (hit,), "session")
    summed = (
        f'(SELECT {columns}, sum("_w")::INTEGER AS "_w" FROM (SELECT {columns}, "_w" FROM {was} '
        f'UNION ALL SELECT {columns}, "_w" FROM {delta}) GROUP BY {columns} '
        f'HAVING sum("_w") {"<>" if writer.ttl_us is None else ">"} 0)'
    )
    cut = sessions_sql(plan, summed, (*child.columns, "_w"), _END)
    now = writer.temp(_internal(plan, child, cut), (delta,), "session")
    forget(writer, rows, was, key, child.columns, (was,), "session")
    forget(writer, sessions, hit, key, plan.partition, (hit,), "session")
    writer.run(f"INSERT INTO {rows} SELECT * FROM {now}", (now,), "session")
    writer.run(
        f"INSERT INTO {sessions} SELECT DISTINCT {column_list((*key, _END))}{stamped(writer)} "
        f"FROM {now}",
        (now,),
        "session",
    )
    if closing is not None:
        return _over(writer, plan, child, closing, mark, delta, rows, sessions)
    shown = _shown(plan, child)
    listed = column_list(plan.columns)
    sql = (
        f'SELECT {listed}, sum("_w")::INTEGER AS "_w" FROM (SELECT {shown}, -"_w" AS "_w" '
        f'FROM {was} UNION ALL SELECT {shown}, "_w" FROM {now}) '
        f'GROUP BY {listed} HAVING sum("_w") <> 0'
    )
    return Stream(sql, (was, now), plan.columns, False, False)


def _states(writer: Writer, plan: Session, child: Stream, delta: str) -> tuple[str, str, str]:
    """Declare rows and sessions; return them, and a delta of the sessions that are touched."""
    columns, time = column_list(child.columns), quote(plan.time)
    bounds = f"{time} AS {_START}, {time} AS {_END}"
    rows = writer.state("session", f'SELECT {columns}, "_w", {bounds} FROM {delta}')
    by = column_list(plan.partition)
    comma = f"{by}, " if by else ""
    sessions = writer.state("sessions", f"SELECT {comma}{bounds}{stamped(writer)} FROM {delta}")
    if writer.ttl_us is not None and plan.closing is None:
        _expire(writer, plan, child, delta, rows, sessions, writer.ttl_us)
    listed = column_list((*plan.partition, _START), "s")
    put = place(plan.partition).replace("r.", "s.")
    same = null_safe(plan.partition, "s", "d")
    times = f"(SELECT DISTINCT {comma}{time} AS _t FROM {delta})"
    # Bounds on columns alone let storage skip rows; twice the gap, for months are not even.
    close = (
        f"s.{_END} > (SELECT min({time}) - {plan.gap} - {plan.gap} FROM {delta}) "
        f"AND s.{_START} < (SELECT max({time}) + {plan.gap} FROM {delta})"
    )
    hit = writer.temp(
        f"SELECT DISTINCT {listed}{put} FROM {sessions} AS s JOIN {times} AS d ON {same} "
        f"AND d._t < s.{_END} + {plan.gap} AND s.{_START} < d._t + {plan.gap} WHERE {close} "
        f"UNION ALL SELECT {listed}{put} FROM {sessions} AS s SEMI JOIN "
        f"(SELECT * FROM {delta} WHERE {time} IS NULL) AS d ON {same} AND s.{_START} IS NULL",
        (delta,),
        "session",
    )
    return rows, sessions, hit


def _expire(
    writer: Writer,
    plan: Session,
    child: Stream,
    delta: str,
    rows: str,
    sessions: str,
    ttl_us: int,
) -> None:
    """Let whole sessions go to which no row has come for the time to live; what they made stays."""
    key = (*plan.partition, _START)
    old, timer = overdue(writer, sessions, ttl_us)
    silent = writer.temp(
        f"SELECT {column_list(key, 'r')}{place(plan.partition)} FROM {sessions} AS r WHERE {old}",
        (delta, timer),
        "session",
    )
    gone = held(writer, rows, silent, key, child.columns, (silent,), "session")
    forget(writer, rows, gone, key, child.columns, (gone,), "session")
    forget(writer, sessions, silent, key, plan.partition, (silent,), "session")


def _internal(plan: Session, child: Stream, cut: str) -> str:
    """Name a session's bounds as the state does."""
    columns = column_list((*child.columns, "_w"))
    return f"SELECT {columns}, {quote(plan.start)} AS {_START}, {_END} FROM ({cut})"


def _shown(plan: Session, child: Stream) -> str:
    """Print the public columns of rows of the state."""
    end = f", {_END} AS {quote(plan.end)}" if plan.end is not None else ""
    return f"{column_list(child.columns)}, {_START} AS {quote(plan.start)}{end}"


def _over(
    writer: Writer,
    plan: Session,
    child: Stream,
    closing: Closing,
    mark: str,
    delta: str,
    rows: str,
    sessions: str,
) -> Stream:
    """Let out the rows of the sessions that the watermark has passed."""
    moved = tuple(f"d_{oid}" for oid in sorted(closing.sources))
    reads = tuple(dict.fromkeys((*child.reads, *moved)))
    advance(writer, mark, closing.sources, reads, "session")
    key = (*plan.partition, _START)
    ended = writer.temp(
        f"SELECT {column_list(key, 'r')}{place(plan.partition)} FROM {sessions} AS r "
        f"WHERE r.{_END} + {plan.gap} <= {_at(closing.reached, mark)}",
        reads,
        "session",
    )
    out = held(writer, rows, ended, key, child.columns, (ended,), "session")
    forget(writer, rows, out, key, child.columns, (out,), "session")
    forget(writer, sessions, ended, key, plan.partition, (ended,), "session")
    sql = f'SELECT {_shown(plan, child)}, "_w" FROM {out}'
    return Stream(sql, (out,), plan.columns, True, False)


def _at(predicate: str, mark: str) -> str:
    return predicate.replace(WATERMARK, f"(SELECT reached FROM {mark})")
