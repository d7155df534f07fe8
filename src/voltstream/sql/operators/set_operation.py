"""DISTINCT, INTERSECT and EXCEPT, with ALL and without, by counts.

Law: for each row, how often it occurs on either side decides how often it occurs in the result;
d = rule(counts now) - rule(counts before), for the rows of the delta alone.
State: every row that occurs, once, with its counts. Cost: O(delta).
"""

from __future__ import annotations

from typing import assert_never

from voltstream.sql.expressions import quote
from voltstream.sql.operators.aggregate import Keyed
from voltstream.sql.operators.keys import forget, held
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import SetOperation, SetVerb, column_list


def set_operation_delta(writer: Writer, plan: SetOperation, sides: list[Stream]) -> Keyed:
    writer.rule(plan.verb.value.lower(), "how often a row occurs on each side is counted", "delta")
    columns = column_list(plan.columns)
    tagged = []
    for place, side in enumerate(sides):
        counts = '"_w" AS _n, 0 AS _m' if place == 0 else '0 AS _n, "_w" AS _m'
        # By place, as SQL matches the branches of a set operation.
        named = ", ".join(
            f"{quote(own)} AS {quote(name)}"
            for own, name in zip(side.columns, plan.columns, strict=True)
        )
        tagged.append(f"SELECT {named}, {counts} FROM ({side.sql})")
    reads = tuple(dict.fromkeys(read for side in sides for read in side.reads))
    fresh = writer.temp(
        f"SELECT {columns}, sum(_n)::BIGINT AS _n, sum(_m)::BIGINT AS _m FROM "
        f"({' UNION ALL '.join(tagged)}) GROUP BY {columns} HAVING sum(_n) <> 0 OR sum(_m) <> 0",
        reads,
        "set operation",
    )
    state = writer.state("rows", f"SELECT {columns}, _n, _m FROM {fresh}")
    was = held(writer, state, fresh, plan.columns, plan.columns, (fresh,), "set operation")
    now = writer.temp(
        f"SELECT {columns}, sum(_n)::BIGINT AS _n, sum(_m)::BIGINT AS _m FROM "
        f"(SELECT {columns}, _n, _m FROM {was} UNION ALL SELECT * FROM {fresh}) GROUP BY {columns}",
        (fresh,),
        "set operation",
    )
    forget(writer, state, was, plan.columns, plan.columns, (was,), "set operation")
    writer.run(
        f"INSERT INTO {state} SELECT * FROM {now} WHERE _n <> 0 OR _m <> 0", (now,), "set operation"
    )
    rule = _rule(plan.verb)
    sql = (
        f'SELECT {columns}, sum("_w")::INTEGER AS "_w" FROM ('
        f'SELECT {columns}, {rule} AS "_w" FROM {now} UNION ALL '
        f"SELECT {columns}, -({rule}) FROM {was}) "
        f'GROUP BY {columns} HAVING sum("_w") <> 0'
    )
    grows = plan.verb not in (SetVerb.EXCEPT, SetVerb.EXCEPT_ALL)
    grows = grows and all(side.append_only for side in sides)
    content = f"(SELECT {columns} FROM {state} WHERE {rule} > 0)"
    if plan.verb in (SetVerb.INTERSECT_ALL, SetVerb.EXCEPT_ALL):
        content = f"(SELECT {columns} FROM (SELECT *, unnest(range({rule})) FROM {state}))"
    return Keyed(content, Stream(sql, (now,), plan.columns, grows, False))


def _rule(verb: SetVerb) -> str:
    """Print how often a row is in the result, from how often it is on each side."""
    match verb:
        case SetVerb.DISTINCT:
            return "(_n > 0)::BIGINT"
        case SetVerb.INTERSECT:
            return "(_n > 0 AND _m > 0)::BIGINT"
        case SetVerb.INTERSECT_ALL:
            return "least(_n, _m)"
        case SetVerb.EXCEPT:
            return "(_n > 0 AND _m = 0)::BIGINT"
        case SetVerb.EXCEPT_ALL:
            return "greatest(_n - _m, 0)"
        case _ as never:
            assert_never(never)
