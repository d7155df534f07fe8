"""generate_series(start, NOW(), step): a row at each step, as the clock comes to it.

Law: the rows are those of the series up to now; none ever goes. State: the last instant.
Cost: O(rows that come due).
"""

from __future__ import annotations

from voltstream.sql.batch import series_sql
from voltstream.sql.expressions import quote, spell
from voltstream.sql.operators.stream import NOW_SQL, Stream, Writer
from voltstream.sql.plan import SeriesToNow
from voltstream.sql.program import Timer


def series_delta(writer: Writer, plan: SeriesToNow) -> Stream:
    writer.rule("series", "a timer brings the rows that are due", "rows that come due")
    name, start, step = quote(plan.name), spell(plan.start), spell(plan.step)
    first = writer.temp(
        f'SELECT {series_sql(start, NOW_SQL, step)} AS {name}, 1::INTEGER AS "_w"', (), "series"
    )
    state = writer.state("series", f"SELECT {name} AS last FROM {first}")
    before = f"({start})::TIMESTAMPTZ - {step}"  # Where the series has not begun.
    writer.run(f"INSERT INTO {state} SELECT coalesce(max({name}), {before}) FROM {first}", (),
               "series")  # fmt: skip
    timer = f"timer_{writer.oid}_{writer.number()}"
    more = writer.temp(
        f"SELECT {series_sql(f'last + {step}', NOW_SQL, step)} AS {name}, "
        f'1::INTEGER AS "_w" FROM {state}',
        (timer,),
        "series",
    )
    writer.run(f"UPDATE {state} SET last = (SELECT max({name}) FROM {more})", (more,), "series")
    writer.timers.append(Timer(timer, f"SELECT epoch_us(last + {step}) FROM {state}"))
    sql = f'SELECT {name}, "_w" FROM {first} UNION ALL SELECT {name}, "_w" FROM {more}'
    return Stream(sql, (first, more), plan.columns, True, False)
