"""A log: the rows of a stream, kept with their multiplicities."""

from __future__ import annotations

from voltstream.sql.operators.keys import forget, held
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
    """Append a delta to a log; where it retracts, settle the touched keys at once.

    Law: after each epoch a row's weights in the log are positive and add up to how often it is
    there.
    """
    columns = column_list(stream.columns)
    append = f'INSERT INTO {state} SELECT {columns}, "_w" FROM {delta}'
    if stream.append_only:
        writer.run(append, (delta,), operator)
        return
    gone = f'(SELECT * FROM {delta} WHERE "_w" < 0)'
    old = held(
        writer, state, gone, touched, stream.columns, (delta,), operator, retractions_only=True
    )
    forget(writer, state, old, touched, stream.columns, (old,), operator)
    writer.run(
        f'INSERT INTO {state} SELECT {columns}, sum("_w")::INTEGER AS "_w" FROM ('
        f'SELECT {columns}, "_w" FROM {old} UNION ALL SELECT {columns}, "_w" FROM {delta}) '
        f'GROUP BY {columns} HAVING sum("_w") <> 0',
        (delta,),
        operator,
        retractions_only=True,
    )
    writer.run(append, (delta,), operator, appends_only=True)
