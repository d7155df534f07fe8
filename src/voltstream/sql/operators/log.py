"""A log: the rows of a stream, kept with their multiplicities, for ever or for a time to live."""

from __future__ import annotations

from voltstream.sql.expressions import quote
from voltstream.sql.operators.keys import forget, held, near, null_safe
from voltstream.sql.operators.stream import NOW_SQL, Stream, Writer
from voltstream.sql.plan import column_list
from voltstream.sql.program import Swap, Timer

_SWAP_KEYS_MAX = 4  # Columns by which storage may be skipped.
_SEEN = '"_seen"'  # When a row came, where rows live for a time.


def kept_log(
    writer: Writer,
    kind: str,
    delta: str,
    stream: Stream,
    touched: tuple[str, ...],
    operator: str,
) -> str:
    """Declare a log of an operator's input and write how it follows the delta."""
    return followed_log(writer, kind, delta, stream, touched, operator)[0]


def followed_log(
    writer: Writer,
    kind: str,
    delta: str,
    stream: Stream,
    touched: tuple[str, ...],
    operator: str,
) -> tuple[str, str]:
    """Declare a log, and return it with its delta: what is taken back in it was there.

    Rows that have gone by themselves are not taken back again.
    """
    shape = f'SELECT {column_list(stream.columns)}, "_w" FROM {delta}'
    if writer.ttl_us is None:
        state = writer.state(kind, shape)
        integrate(writer, state, delta, stream, touched, operator)
        return state, delta
    state = writer.state(kind, f"SELECT *, {NOW_SQL} AS {_SEEN} FROM ({shape})")
    expire(writer, state, (delta,), operator)
    if not stream.append_only:
        delta = _known(writer, state, delta, stream, touched, operator)
    integrate(writer, state, delta, stream, touched, operator, seen=True)
    return state, delta


def stamped(writer: Writer) -> str:
    """Print the instant that a row of a state gets, as a further column; nothing without a TTL."""
    return "" if writer.ttl_us is None else f", {NOW_SQL} AS {_SEEN}"


def expire(writer: Writer, state: str, reads: tuple[str, ...], operator: str) -> None:
    """Let the rows of a stamped state go whose time to live is over."""
    if writer.ttl_us is not None:
        old, timer = overdue(writer, state, writer.ttl_us)
        writer.run(f"DELETE FROM {state} WHERE {old}", (*reads, timer), operator)


def overdue(writer: Writer, state: str, ttl_us: int) -> tuple[str, str]:
    """Return the predicate of rows that came too long ago, and the timer that asks for it."""
    timer = f"timer_{writer.oid}_{writer.number()}"
    oldest = f"{NOW_SQL} - to_microseconds({ttl_us})"
    # A tenth later: rows that came one after the other then go together.
    late_us = ttl_us + ttl_us // 10
    due = f"SELECT epoch_us(min({_SEEN}) + to_microseconds({late_us})) FROM {state}"
    writer.timers.append(Timer(timer, due))
    return f"{_SEEN} <= {oldest}", timer


def _known(
    writer: Writer,
    state: str,
    delta: str,
    stream: Stream,
    touched: tuple[str, ...],
    operator: str,
) -> str:
    columns = column_list(stream.columns)
    net = (
        f'SELECT {columns}, sum("_w")::INTEGER AS "_w" FROM {delta} GROUP BY {columns} '
        f'HAVING sum("_w") <> 0'
    )
    there = (
        f'SELECT {columns}, sum("_w")::INTEGER AS _n FROM ({near(state, delta, touched)}) '
        f"GROUP BY {columns}"
    )
    shown = column_list(stream.columns, "d")
    return writer.temp(
        f'SELECT {shown}, greatest(d."_w", -coalesce(s._n, 0))::INTEGER AS "_w" FROM ({net}) AS d '
        f"LEFT JOIN ({there}) AS s ON {null_safe(stream.columns, 'd', 's')} "
        f'WHERE d."_w" > 0 OR s._n > 0',
        (delta,),
        operator,
    )


def integrate(
    writer: Writer,
    state: str,
    delta: str,
    stream: Stream,
    touched: tuple[str, ...],
    operator: str,
    *,
    seen: bool = False,
) -> None:
    """Append a delta to a log; where it retracts, settle the touched keys at once.

    Law: after each epoch a row's weights in the log are positive and add up to how often it is
    there.
    """
    columns = column_list(stream.columns)
    stamp, stamped = (f", {NOW_SQL}", f", {_SEEN}") if seen else ("", "")
    append = f'INSERT INTO {state} SELECT {columns}, "_w"{stamp} FROM {delta}'
    if stream.append_only:
        writer.run(append, (delta,), operator)
        return
    gone = f'(SELECT * FROM {delta} WHERE "_w" < 0)'
    swap = None if seen else _swap(state, delta, stream.columns, touched)
    old = held(
        writer,
        state,
        gone,
        touched,
        stream.columns,
        (delta,),
        operator,
        retractions_only=True,
        swap=swap,
    )
    forget(writer, state, old, touched, stream.columns, (old,), operator, swap=swap)
    latest = f", max({_SEEN})" if seen else ""
    came = f"{stamp} AS {_SEEN}" if seen else ""
    writer.run(
        f'INSERT INTO {state} SELECT {columns}, sum("_w")::INTEGER AS "_w"{latest} FROM ('
        f'SELECT {columns}, "_w"{stamped} FROM {old} '
        f'UNION ALL SELECT {columns}, "_w"{came} FROM {delta}) '
        f'GROUP BY {columns} HAVING sum("_w") <> 0',
        (delta,),
        operator,
        retractions_only=True,
        swap=swap,
    )
    writer.run(append, (delta,), operator, appends_only=True)


def _swap(state: str, delta: str, columns: tuple[str, ...], touched: tuple[str, ...]) -> Swap:
    keys = touched[:_SWAP_KEYS_MAX]
    nulls = "".join(
        f" + (coalesce(max(({quote(key)} IS NULL)::BIGINT), 0) << {32 + place})"
        for place, key in enumerate(keys)
    )
    listed = column_list(columns)
    return Swap(
        state,
        delta,
        columns,
        keys,
        f'SELECT count(*){nulls} FROM {delta} WHERE "_w" < 0',
        f'INSERT INTO {state} SELECT {listed}, "_w" FROM {delta} WHERE "_w" > 0',
    )
