"""A predicate over NOW(): rows enter when their lower bound is reached and leave at the upper.

Law: a row is visible iff ``_from <= now < _to``; a NULL bound hides it for ever.
State: rows that will still cross a bound, and only those. Cost: O(delta + rows that cross).
"""

from __future__ import annotations

from sqlglot import exp

from voltstream.sql.expressions import spell
from voltstream.sql.operators.log import integrate
from voltstream.sql.operators.stream import NOW_SQL, PREVIOUS_SQL, Stream, Writer
from voltstream.sql.plan import TimeFilter, column_list
from voltstream.sql.program import Timer

_NEVER = "TIMESTAMPTZ 'infinity'"
_ALWAYS = "TIMESTAMPTZ '-infinity'"


def time_filter_delta(writer: Writer, plan: TimeFilter, child: Stream) -> Stream:
    law = "rows enter and leave by a timer; only those that will cross a bound are kept"
    writer.rule("time filter", law, "delta + rows that cross")
    columns = column_list(plan.columns)
    known = " AND ".join(f"({spell(b)}) IS NOT NULL" for b in (*plan.lower, *plan.upper))
    bounded = Stream(
        f'SELECT {columns}, {_extreme("greatest", plan.lower, _ALWAYS)} AS "_from", '
        f'{_extreme("least", plan.upper, _NEVER)} AS "_to", "_w" FROM ({child.sql}) WHERE {known}',
        child.reads,
        (*plan.columns, "_from", "_to"),
        child.append_only,
        False,
    )
    delta = writer.temp(bounded.sql, bounded.reads, "time filter")
    shape = f'SELECT {column_list(bounded.columns)}, "_w" FROM {delta}'
    pending = writer.state("timer", shape)
    timer = f"timer_{writer.oid}_{writer.number()}"
    crossed = writer.temp(
        f'SELECT {columns}, "_w" FROM {pending} WHERE "_from" > {PREVIOUS_SQL} '
        f'AND "_from" <= {NOW_SQL} AND "_to" > {NOW_SQL} UNION ALL '
        f'SELECT {columns}, -"_w" FROM {pending} WHERE "_from" <= {PREVIOUS_SQL} '
        f'AND "_to" > {PREVIOUS_SQL} AND "_to" <= {NOW_SQL}',
        (timer,),
        "time filter",
    )
    ahead = f'"_from" < "_to" AND ("_from" > {NOW_SQL} OR ("_to" > {NOW_SQL} AND "_to" < {_NEVER}))'
    future = writer.temp(f"{shape} WHERE {ahead}", (delta,), "time filter")
    # Instants, and a column beside them for rows that share one, find a row as well as all would.
    near_columns = ("_from", "_to", *plan.columns[:1])
    integrate(writer, pending, future, bounded, near_columns, "time filter")
    writer.run(f"DELETE FROM {pending} WHERE NOT ({ahead})", (timer,), "time filter")
    writer.timers.append(
        Timer(
            timer,
            f'SELECT epoch_us(least(min("_from") FILTER ("_from" > {NOW_SQL}), '
            f'min("_to") FILTER ("_to" > {NOW_SQL} AND "_to" < {_NEVER}))) FROM {pending}',
        )
    )
    shown = f'"_from" <= {NOW_SQL} AND {NOW_SQL} < "_to"'
    sql = f'SELECT {columns}, "_w" FROM {delta} WHERE {shown} UNION ALL SELECT * FROM {crossed}'
    append_only = child.append_only and not plan.upper
    return Stream(sql, (delta, crossed), plan.columns, append_only, False)


def _extreme(verb: str, bounds: tuple[exp.Expression, ...], empty: str) -> str:
    if not bounds:
        return empty
    spelled = ", ".join(f"({spell(bound)})::TIMESTAMPTZ" for bound in bounds)
    return f"{verb}({spelled})"
