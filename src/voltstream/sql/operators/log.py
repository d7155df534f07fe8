"""A log: the rows of a stream, kept, each once with its multiplicity."""

from __future__ import annotations

from voltstream.sql.operators.keys import forget, near
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import column_list


def integrate(
    writer: Writer,
    state: str,
    delta: str,
    stream: Stream,
    touched: tuple[str, ...],
    operator: str,
) -> None:
    """Append a delta to a log; when it retracts, consolidate the touched keys at once.

    Law: after each epoch the log holds every row once with its positive multiplicity.
    """
    columns = column_list(stream.columns)
    append = f'INSERT INTO {state} SELECT {columns}, "_w" FROM {delta}'
    if stream.append_only:
        writer.run(append, (delta,), operator)
        return
    shown = f'{column_list(stream.columns, "r")}, r."_w"'
    settled = writer.temp(
        f'SELECT {columns}, sum("_w")::INTEGER AS "_w" FROM ('
        f"{near(state, delta, touched, shown)} "
        f'UNION ALL SELECT {columns}, "_w" FROM {delta}) '
        f'GROUP BY {columns} HAVING sum("_w") <> 0',
        (delta,),
        operator,
        retractions_only=True,
    )
    forget(writer, state, delta, touched, (delta,), operator, retractions_only=True)
    writer.run(f'INSERT INTO {state} SELECT {columns}, "_w" FROM {settled}', (settled,), operator)
    writer.run(append, (delta,), operator, appends_only=True)
