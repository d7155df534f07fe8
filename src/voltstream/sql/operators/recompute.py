"""Everything else that DuckDB can run: recompute the query and keep the difference.

Law: d = Q(inputs now) - what the view holds, as bags. Cost: O(inputs) in each epoch that changes
one of them; EXPLAIN and a NOTICE say so. With NOW() in it, at each timer tick too.
"""

from __future__ import annotations

from voltstream.core.schema import Schema
from voltstream.sql.operators.log import integrate
from voltstream.sql.operators.stream import NOW_SQL, Stream, Writer
from voltstream.sql.plan import column_list


def recompute_delta(
    writer: Writer, query_sql: str, columns: Schema, inputs: tuple[str, ...], output: str
) -> str:
    """Write the statements of a recomputed view; return the table that holds it."""
    law = "the whole query is computed again and compared with what is kept"
    writer.rule("recompute", law, "inputs")
    names = tuple(column.name for column in columns)
    listed = column_list(names)
    sql = query_sql.replace("_vs_now()", NOW_SQL)
    state = f"_vs.mv_{writer.oid}_{writer.number()}"
    writer.setup.append(
        f'CREATE TABLE {state} AS SELECT *, 1 AS "_w" FROM ({sql}) AS q({listed}) LIMIT 0'
    )
    writer.teardown.append(f"DROP TABLE IF EXISTS {state}")
    writer.states.append(state)
    difference = (
        f'SELECT {listed}, sum("_w")::INTEGER AS "_w" FROM (SELECT {listed}, 1 AS "_w" FROM '
        f'({sql}) AS q({listed}) UNION ALL SELECT {listed}, -"_w" FROM {state}) '
        f'GROUP BY {listed} HAVING sum("_w") <> 0'
    )
    made = writer.temp(difference, inputs, "recompute", name=output)
    stream = Stream(f'SELECT {listed}, "_w" FROM {made}', (made,), names, False, False)
    integrate(writer, state, made, stream, names, "recompute")
    return state
