"""Random queries within queries, and the rarer calls of every operator."""

from __future__ import annotations

from collections.abc import Sequence

from tests.property.operators import _all_of, _pair, _total_order, query
from tests.property.queries import (
    FORMS,
    Choice,
    Query,
    Shape,
    _outputs,
    _where,
    condition,
    form,
    grouping,
    join,
    projection,
)

__all__ = ["query"]

_DEEP = 3
# What may stand as a relation in brackets, at any depth.
_INNER = (
    "projection", "join", "grouping", "union", "latest", "membership", "set_operation",
    "distinct", "first_rows", "ranked", "over", "expansion", "aggregates", "framed", "merged",
)  # fmt: skip


@form(weight=3)
def composed(choose: Choice, relations: Sequence[Shape]) -> Query:
    """Return queries in the FROM clauses of others, three deep."""
    found = FORMS[choose.of(_INNER)](choose, relations)
    bounded = found.bounded
    for _ in range(_DEEP - 1):
        inner = Shape(f"({found.sql})", found.columns)
        others = [s for s in relations if choose.chance(30)]
        found = FORMS[choose.of(_INNER)](choose, [inner, *others])
        bounded = bounded and found.bounded
    return Query(found.sql, found.columns, bounded)


def _ordered_call(choose: Choice, shape: Shape) -> tuple[str, str]:
    order = _total_order(choose, shape, "x")
    name, kind = choose.of(shape.columns)
    return choose.of([
        (f"ARRAY_AGG(x.{name} ORDER BY {order})", "other"),
        (f"STRING_AGG(x.{name}::varchar, ',' ORDER BY {order})", "text"),
        (f"JSONB_AGG(x.{name} ORDER BY {order})", "other"),
        (f"FIRST_VALUE(x.{name} ORDER BY {order})", kind),
        (f"LAST_VALUE(x.{name} ORDER BY {order})", kind),
    ])  # fmt: skip


def _spread_call(choose: Choice, shape: Shape) -> tuple[str, str] | None:
    numbers = shape.named("int", "numeric")
    if not numbers:
        return None
    name = f"x.{choose.of(numbers)}"
    return choose.of([
        (f"STDDEV_POP({name})", "float"),
        (f"VAR_SAMP({name})", "float"),
        (f"SUM(DISTINCT {name})", "numeric"),
        (f"PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY {name})", "float"),
        (f"PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY {name})", "numeric"),
        (f"APPROX_COUNT_DISTINCT({name})", "int"),
    ])  # fmt: skip


@form(weight=3)
def aggregates(choose: Choice, relations: Sequence[Shape]) -> Query:
    """Return a grouping with ordered, distinct, statistical and boolean aggregates."""
    shape = choose.of(relations)
    calls = [_ordered_call(choose, shape)]
    spread = _spread_call(choose, shape)
    calls += [spread] if spread is not None else []
    flag = condition(choose, shape, "x")
    calls.append(choose.of([(f"BOOL_AND({flag})", "bool"), (f"BOOL_OR({flag})", "bool")]))
    if choose.chance(40):
        call, kind = calls[-1]
        calls[-1] = (f"{call} FILTER (WHERE {condition(choose, shape, 'x')})", kind)
    keyed = [c for c in shape.columns if c[1] in ("int", "text", "bool", "time")]
    if not keyed or choose.chance(15):
        chosen, columns = _outputs(calls)
        known = tuple(c for c in columns if c[1] != "other")
        return Query(f"SELECT {chosen} FROM {shape.name} x", known or columns, bounded=False)
    key, kind = choose.of(keyed)
    chosen, columns = _outputs([(f"x.{key}", kind), *calls])
    where = _where(choose, shape, "x", 30)
    having = " HAVING COUNT(*) > 1" if choose.chance(25) else ""
    known = tuple(c for c in columns if c[1] != "other")
    names = ", ".join(name for name, _ in known)
    sql = f"SELECT {chosen} FROM {shape.name} x{where} GROUP BY x.{key}{having}"
    # What other queries cannot read stays out of their sight, and in the comparison.
    return (
        Query(f"SELECT {names} FROM ({sql}) q", known) if choose.chance(20) else Query(sql, known)
    )


@form(weight=2)
def grouped_twice(choose: Choice, relations: Sequence[Shape]) -> Query:
    """Return a grouping by what an aggregation below it has computed."""
    shape = choose.of(relations)
    keyed = shape.named("int", "text", "bool", "time")
    if not keyed:
        return grouping(choose, relations)
    numbers = shape.named("int") or ["*"]
    calls = f"COUNT(*) AS n, MAX({numbers[0]}) AS m" if numbers != ["*"] else "COUNT(*) AS n"
    key = choose.of(keyed)
    inner = f"SELECT {key} AS k, {calls} FROM {shape.name} x{_where(choose, shape, 'x', 30)}"
    group = choose.of(["n", "m"]) if numbers != ["*"] else "n"
    having = " HAVING COUNT(*) > 1" if choose.chance(25) else ""
    return Query(
        f"SELECT g.{group} AS c0, COUNT(*) AS c1, SUM(g.n) AS c2 FROM ({inner} GROUP BY x.{key}) g "
        f"GROUP BY g.{group}{having}",
        (("c0", "int"), ("c1", "int"), ("c2", "numeric")),
    )


@form(weight=2)
def framed(choose: Choice, relations: Sequence[Shape]) -> Query:
    """Return window calls with frames of every mode, and named windows."""
    shape = choose.of(relations)
    chosen, columns = _all_of(shape, "x")
    order = _total_order(choose, shape, "x")
    key = choose.of(shape.columns)[0]
    name, kind = choose.of(shape.columns)
    bounds = choose.of([
        "UNBOUNDED PRECEDING AND CURRENT ROW",
        "CURRENT ROW AND UNBOUNDED FOLLOWING",
        "UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    ])  # fmt: skip
    mode = choose.of(["ROWS", "RANGE", "GROUPS"])
    if mode != "RANGE" and choose.chance(50):
        bounds = choose.of(["2 PRECEDING AND 1 PRECEDING", "1 PRECEDING AND 2 FOLLOWING"])
    call, made = choose.of([
        ("COUNT(*)", "int"),
        (f"COUNT(x.{name})", "int"),
        (f"LAST_VALUE(x.{name})", kind),
        (f"NTH_VALUE(x.{name}, 2)", kind),
    ])  # fmt: skip
    window = f"PARTITION BY x.{key} ORDER BY {order} {mode} BETWEEN {bounds}"
    where = _where(choose, shape, "x", 30)
    named = choose.chance(30)
    place, tail = ("w", f" WINDOW w AS ({window})") if named else (f"({window})", "")
    sql = f"SELECT {chosen}, {call} OVER {place} AS w1 FROM {shape.name} x{where}{tail}"
    return Query(sql, (*columns, ("w1", made)))


@form(weight=2)
def merged(choose: Choice, relations: Sequence[Shape]) -> Query:
    """Return joins by USING, of everything with everything, and of a relation with itself."""
    shape, other = choose.of(relations), choose.of(relations)
    if choose.chance(30):
        other = shape
    found = _pair(choose, shape, other)
    if found is None:
        return projection(choose, relations)
    mine, yours = found
    kind = dict(shape.columns)[mine]
    if choose.chance(50):
        side = choose.of(["", "LEFT ", "RIGHT ", "FULL "])
        name, made = choose.of(other.columns)
        left = f"(SELECT {mine} AS k, COUNT(*) AS n FROM {shape.name} a GROUP BY {mine}) x"
        right = f"(SELECT {yours} AS k, {name} AS v FROM {other.name} b) y"
        return Query(
            f"SELECT k AS c0, x.n AS c1, y.v AS c2 FROM {left} {side}JOIN {right} USING (k)",
            (("c0", kind), ("c1", "int"), ("c2", made)),
        )
    parts = [(f"x.{mine}", kind), (f"y.{yours}", kind)]
    chosen, columns = _outputs(parts)
    verb = choose.of(["=", "<", ">="])
    return Query(
        f"SELECT {chosen} FROM {shape.name} x CROSS JOIN {other.name} y "
        f"WHERE x.{mine} {verb} y.{yours} AND {condition(choose, shape, 'x')}",
        columns,
    )


@form(weight=2)
def correlated_from(choose: Choice, relations: Sequence[Shape]) -> Query:
    """Return subqueries whose FROM itself uses the row around them."""
    shape, other = choose.of(relations), choose.of(relations)
    third = choose.of(relations)
    first, second = _pair(choose, shape, other), _pair(choose, other, third)
    if first is None or second is None:
        return join(choose, relations)
    chosen, columns = _all_of(shape, "x")
    side = choose.of(["JOIN", "LEFT JOIN"])
    source = (
        f"FROM {other.name} y {side} {third.name} z ON y.{second[0]} = z.{second[1]} "
        f"AND x.{first[0]} = y.{first[1]}"
    )
    match choose.below(3):
        case 0:
            verb = choose.of(["EXISTS", "NOT EXISTS"])
            return Query(
                f"SELECT {chosen} FROM {shape.name} x WHERE {verb} (SELECT 1 {source})", columns
            )
        case 1:
            return Query(
                f"SELECT {chosen}, (SELECT COUNT(*) {source}) AS v FROM {shape.name} x",
                (*columns, ("v", "int")),
                bounded=False,
            )
        case _:
            numbers = shape.named("int")
            if not numbers:
                return grouping(choose, relations)
            items = ", ".join(f"x.{choose.of(numbers)}" for _ in range(2))
            return Query(
                f"SELECT {chosen}, (SELECT SUM(i) FROM UNNEST(ARRAY[{items}]) i "
                f"WHERE i > {choose.below(4)}) AS v FROM {shape.name} x",
                (*columns, ("v", "int")),
                bounded=False,
            )


@form()
def passing(choose: Choice, relations: Sequence[Shape]) -> Query:
    """Return temporal filters in OR, BETWEEN and cut to minutes."""
    timed = [shape for shape in relations if shape.named("time")]
    if not timed:
        return projection(choose, relations)
    shape = choose.of(timed)
    at = f"x.{choose.of(shape.named('time'))}"
    minutes = choose.of([1, 5, 10])
    recent = f"{at} > NOW() - INTERVAL '{minutes} minutes'"
    test = choose.of([
        f"({recent} OR {condition(choose, shape, 'x')})",
        f"{at} BETWEEN NOW() - INTERVAL '{minutes} minutes' AND NOW() + INTERVAL '3 minutes'",
        f"date_trunc('minute', {at}) >= date_trunc('minute', NOW()) - INTERVAL '{minutes} minutes'",
        f"NOT ({recent})",
    ])  # fmt: skip
    chosen, columns = _all_of(shape, "x")
    return Query(f"SELECT {chosen} FROM {shape.name} x WHERE {test}", columns)
