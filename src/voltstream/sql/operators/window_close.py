"""EMIT ON WINDOW CLOSE: a group, or a row, is shown once, when no row in time can change it.

Law: the output only grows; a group's row is its aggregate over the rows that arrived before it
closed. Later rows of it are late: they are counted in ``rw_late_rows`` and stay in their source.
State: the rows of open windows, in arrival order. Cost: O(delta) and, when windows close, their
rows. Floats do not drift and every aggregate is right, for each is computed once.
"""

from __future__ import annotations

from voltstream.sql.batch import aggregate_sql
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import (
    Aggregate,
    Plan,
    WindowClose,
    column_list,
)
from voltstream.sql.watermarks import WATERMARK, least_sql


def window_close_delta(writer: Writer, plan: WindowClose, child: Stream) -> Stream:
    law = "rows of open windows are kept; a window that closes is computed once"
    writer.rule("window close", law, "delta + rows of closing windows")
    reads = tuple(dict.fromkeys((*child.reads, *(f"d_{oid}" for oid in sorted(plan.sources)))))
    columns = column_list(child.columns)
    mark = follow(writer)
    closed = f"coalesce({plan.closed.replace(WATERMARK, f'(SELECT reached FROM {mark})')}, FALSE)"
    count_late(writer, child, closed, "window close")
    rows = writer.state("open", f"SELECT {columns} FROM ({child.sql})")
    repeated = f'SELECT {columns} FROM (SELECT *, unnest(range("_w")) FROM ({child.sql}))'
    writer.run(f"INSERT INTO {rows} {repeated} WHERE NOT {closed}", child.reads, "window close")
    advance(writer, mark, plan.sources, reads, "window close")
    over = f"(SELECT {columns} FROM {rows} WHERE {closed})"
    made = writer.temp(f'SELECT *, 1 AS "_w" FROM ({_shown(plan.child, over)})', reads,
                       "window close")  # fmt: skip
    writer.run(f"DELETE FROM {rows} WHERE {closed}", (made,), "window close")
    sql = f'SELECT {column_list(plan.columns)}, "_w" FROM {made}'
    return Stream(sql, (made,), plan.columns, True, False)


def follow(writer: Writer) -> str:
    """Declare the watermark as a program has seen it; it moves at the end of each epoch."""
    mark = writer.state("wm", "SELECT NULL::TIMESTAMPTZ AS reached WHERE FALSE")
    writer.setup.append(f"INSERT INTO {mark} VALUES (NULL)")
    return mark


def advance(
    writer: Writer, mark: str, sources: frozenset[int], reads: tuple[str, ...], operator: str
) -> None:
    """Let a program see the watermark as it is now, if it has moved on."""
    sql = f"UPDATE {mark} SET reached = greatest(reached, {least_sql(sources)})"
    writer.run(sql, reads, operator)


def count_late(writer: Writer, child: Stream, late: str, operator: str) -> None:
    """Count the rows that come too late in ``rw_late_rows``."""
    writer.run(
        f"INSERT INTO _vs.late_rows SELECT {writer.oid}, sum(_w) FROM ({child.sql}) "
        f"WHERE {late} HAVING sum(_w) > 0",
        child.reads,
        operator,
    )


def _shown(plan: Plan, rows: str) -> str:
    if isinstance(plan, Aggregate):
        return aggregate_sql(rows, plan.groups, plan.calls)
    return f"SELECT {column_list(plan.columns)} FROM {rows}"
