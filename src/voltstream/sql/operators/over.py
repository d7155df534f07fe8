"""Window functions: OVER (PARTITION BY …).

Law: a row's value depends on the rows of its partition alone, so the touched partitions are
computed again, and what they showed before is kept to be taken back: ties, which SQL leaves open,
are then decided once. State: the input (unless it is stored) and the output.
Cost: O(rows of the touched partitions).
"""

from __future__ import annotations

from voltstream.sql.expressions import quote, spell
from voltstream.sql.operators.aggregate import Keyed
from voltstream.sql.operators.stream import Stream, Writer, integrate, null_safe
from voltstream.sql.plan import Over, Plan, batch_sql, column_list, is_stored


def over_delta(writer: Writer, plan: Over, child: Stream) -> Keyed:
    law = "the touched partitions are computed again from the input"
    writer.rule("over", law, "rows of touched partitions")
    delta = writer.materialize(child, "over input")
    rows = kept_rows(writer, plan.child, child, delta, plan.partition, "over input")
    calls = "".join(f", {spell(call)} AS {quote(name)}" for name, call in plan.calls)
    columns = column_list(plan.columns)
    touched = f"(SELECT DISTINCT {column_list(plan.partition)} FROM {delta})"
    new = writer.temp(
        f"SELECT {column_list(child.columns)}{calls} FROM {near(rows, touched, plan.partition)}",
        (delta,),
        "over",
    )
    state = writer.state("over", f"SELECT {columns} FROM {new}")
    change = replaced(writer, state, new, touched, (delta,), plan.partition, plan.columns, "over")
    return Keyed(f"(SELECT {columns} FROM {state})", change)


def kept_rows(
    writer: Writer,
    plan: Plan,
    child: Stream,
    delta: str,
    partition: tuple[str, ...],
    operator: str,
) -> str:
    """Return a relation of an input's rows, each as often as it counts; keep it if need be."""
    if is_stored(plan):
        return f"({batch_sql(plan)})"
    columns = column_list(child.columns)
    kept = writer.state("kept", f'SELECT {columns}, "_w" FROM {delta}')
    integrate(writer, kept, delta, child, partition or child.columns, operator)
    return (
        f'(SELECT {columns} FROM {kept} WHERE "_w" = 1 UNION ALL '
        f'SELECT {columns} FROM (SELECT *, unnest(range("_w")) FROM {kept} WHERE "_w" > 1))'
    )


def near(rows: str, touched: str, partition: tuple[str, ...]) -> str:
    """Print the rows that lie in the touched partitions."""
    if not partition:
        return rows
    same = null_safe(partition, "k", "d")
    return f"(SELECT k.* FROM {rows} AS k SEMI JOIN {touched} AS d ON {same})"


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
    old = writer.temp(f"SELECT s.* FROM {near(state, touched, partition)} AS s", reads, operator)
    match = null_safe(partition, "s", "o")
    if partition:
        gone = f"(SELECT DISTINCT {column_list(partition)} FROM {old})"
        writer.run(f"DELETE FROM {state} AS s USING {gone} AS o WHERE {match}", (old,), operator)
    else:
        writer.run(f"DELETE FROM {state}", (old,), operator)
    writer.run(f"INSERT INTO {state} SELECT * FROM {new}", (new,), operator)
    sql = (
        f'SELECT {listed}, sum("_w")::INTEGER AS "_w" FROM (SELECT {listed}, -1 AS "_w" FROM {old} '
        f'UNION ALL SELECT {listed}, 1 FROM {new}) GROUP BY {listed} HAVING sum("_w") <> 0'
    )
    return Stream(sql, (old, new), columns, False, False)
