"""Window functions: OVER (PARTITION BY …).

Law: a row's value depends on the rows of its partition alone, so the touched partitions are
computed again, and what they showed before is kept to be taken back: ties, which SQL leaves open,
are then decided once. State: the input (unless it is stored with the partition's columns) and the
output.
Cost: O(rows of the touched partitions).
"""

from __future__ import annotations

from voltstream.sql.batch import batch_sql
from voltstream.sql.branches import Branch, union_all
from voltstream.sql.expressions import quote, spell
from voltstream.sql.operators.aggregate import Keyed
from voltstream.sql.operators.keys import forget, held, near
from voltstream.sql.operators.log import kept_log
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import Over, Plan, are_stored, column_list, is_stored


def over_delta(writer: Writer, plan: Over, child: Stream) -> Keyed:
    law = "the touched partitions are computed again from the input"
    writer.rule("over", law, "rows of touched partitions")
    delta = writer.materialize(child, "over input", net=True)
    by = plan.partition
    rows = kept_rows(writer, plan.child, child, delta, by, by, "over input")
    calls = "".join(f", {spell(call)} AS {quote(name)}" for name, call in plan.calls)
    columns = column_list(plan.columns)
    touched = near(rows, delta, plan.partition)
    new = writer.temp(
        f"SELECT {column_list(child.columns)}{calls} FROM ({touched})", (delta,), "over"
    )
    state = writer.state("over", f"SELECT {columns} FROM {new}")
    change = replaced(writer, state, new, delta, (delta,), plan.partition, plan.columns, "over")
    return Keyed(f"(SELECT {columns} FROM {state})", change)


def kept_rows(
    writer: Writer,
    plan: Plan,
    child: Stream,
    delta: str,
    read_by: tuple[str, ...],
    settled_by: tuple[str, ...],
    operator: str,
) -> str:
    """Return a relation of an input's rows, each as often as it counts; keep it if need be.

    Shape: it is read by some columns, and settled by some, or by all, where rows go.
    """
    if is_stored(plan) and are_stored(plan, read_by):
        return f"({batch_sql(plan)})"
    columns = column_list(child.columns)
    kept = kept_log(writer, "kept", delta, child, settled_by or child.columns, operator)
    return (
        f'(SELECT {columns} FROM {kept} WHERE "_w" = 1 UNION ALL '
        f'SELECT {columns} FROM (SELECT *, unnest(range("_w")) FROM {kept} WHERE "_w" > 1))'
    )


def replaced(
    writer: Writer,
    state: str,
    new: str,
    touched: str,
    reads: tuple[str, ...],
    partition: tuple[str, ...],
    columns: tuple[str, ...],
    operator: str,
) -> Stream:
    """Put the touched partitions' new rows in the place of their old ones; return the change."""
    listed = column_list(columns)
    old = held(writer, state, touched, partition, columns, reads, operator)
    forget(writer, state, old, partition, columns, (old,), operator)
    writer.run(f"INSERT INTO {state} SELECT * FROM {new}", (new,), operator)
    both = union_all(
        [
            Branch(f'SELECT {listed}, -1 AS "_w" FROM {old}', (old,), typed=True),
            Branch(f'SELECT {listed}, 1 AS "_w" FROM {new}', (new,), typed=True),
        ]
    )
    sql = (
        f'SELECT {listed}, sum("_w")::INTEGER AS "_w" FROM ({both}) '
        f'GROUP BY {listed} HAVING sum("_w") <> 0'
    )
    return Stream(sql, (old, new), columns, False, False)
