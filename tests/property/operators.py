"""Random queries over the operators beyond joins by key, groups and projections."""

from __future__ import annotations

from collections.abc import Sequence

from tests.property.queries import (
    Choice,
    Query,
    Shape,
    _outputs,
    _where,
    condition,
    form,
    join,
    projection,
    query,
)

__all__ = ["query"]


def _pair(choose: Choice, left: Shape, right: Shape) -> tuple[str, str] | None:
    """Return two columns of one type, one of each relation."""
    pairs = [
        (mine, yours)
        for mine, first in left.columns
        for yours, second in right.columns
        if first == second and first in ("int", "text", "time")
    ]
    return choose.of(pairs) if pairs else None


def _all_of(shape: Shape, alias: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return _outputs([(f"{alias}.{name}", kind) for name, kind in shape.columns])


def _total_order(choose: Choice, shape: Shape, alias: str) -> str:
    """Return an order in which rows that tie are equal."""
    names = [name for name, _ in shape.columns]
    first = choose.of(names)
    ordered = [first, *(name for name in names if name != first)]
    return ", ".join(
        f"{alias}.{name}{choose.of(['', ' DESC', ' NULLS FIRST'])}" for name in ordered
    )


@form(weight=2)
def membership(choose: Choice, relations: Sequence[Shape]) -> Query:
    shape, other = choose.of(relations), choose.of(relations)
    found = _pair(choose, shape, other)
    if found is None:
        return projection(choose, relations)
    mine, yours = found
    chosen, columns = _all_of(shape, "x")
    extra = f" AND {condition(choose, other, 'y')}" if choose.chance(40) else ""
    linked = ""
    if shape.named("int") and other.named("int") and choose.chance(40):
        a, b = choose.of(shape.named("int")), choose.of(other.named("int"))
        linked = f" AND y.{b} {choose.of(['<', '=', '>'])} x.{a}"
    inner = f"FROM {other.name} y WHERE TRUE{linked}{extra}"
    test = choose.of([
        f"EXISTS (SELECT 1 {inner} AND y.{yours} = x.{mine})",
        f"NOT EXISTS (SELECT 1 {inner} AND y.{yours} = x.{mine})",
        f"x.{mine} IN (SELECT y.{yours} {inner})",
        f"x.{mine} NOT IN (SELECT y.{yours} {inner})",
    ])  # fmt: skip
    if choose.chance(25):
        sql = f"SELECT {chosen}, {test} AS found FROM {shape.name} x"
        return Query(sql, (*columns, ("found", "bool")), bounded=False)
    return Query(f"SELECT {chosen} FROM {shape.name} x WHERE {test}", columns)


@form(weight=2)
def set_operation(choose: Choice, relations: Sequence[Shape]) -> Query:
    first = choose.of(relations)
    wanted = [kind for _, kind in choose.some(first.columns)[:2]]
    able = [s for s in relations if all(s.named(kind) for kind in wanted)]
    branches = []
    for place in range(2 + choose.below(2)):
        shape = first if place == 0 else choose.of(able)
        parts = [(f"x.{choose.of(shape.named(kind))}", kind) for kind in wanted]
        chosen, columns = _outputs(parts)
        branches.append(f"(SELECT {chosen} FROM {shape.name} x{_where(choose, shape, 'x')})")
    text = branches[0]
    for branch in branches[1:]:
        verb = choose.of(["UNION", "INTERSECT", "EXCEPT"]) + choose.of(["", " ALL"])
        text = f"({text} {verb} {branch})"
    names = ", ".join(name for name, _ in columns)
    return Query(f"SELECT {names} FROM {text} q", columns)


@form()
def distinct(choose: Choice, relations: Sequence[Shape]) -> Query:
    shape = choose.of(relations)
    chosen, columns = _outputs([(f"x.{n}", kind) for n, kind in choose.some(shape.columns)])
    return Query(
        f"SELECT DISTINCT {chosen} FROM {shape.name} x{_where(choose, shape, 'x')}", columns
    )


@form()
def first_rows(choose: Choice, relations: Sequence[Shape]) -> Query:
    shape = choose.of(relations)
    chosen, columns = _all_of(shape, "x")
    source = f"SELECT {chosen} FROM {shape.name} x{_where(choose, shape, 'x', 30)}"
    if choose.chance(30):
        key = choose.of(shape.columns)[0]
        return Query(
            f"{source} ORDER BY x.{key} FETCH FIRST {1 + choose.below(3)} ROWS WITH TIES", columns
        )
    skip = f" OFFSET {choose.below(3)}" if choose.chance(40) else ""
    order = _total_order(choose, shape, "x")
    return Query(f"{source} ORDER BY {order} LIMIT {1 + choose.below(4)}{skip}", columns)


@form(weight=2)
def ranked(choose: Choice, relations: Sequence[Shape]) -> Query:
    shape = choose.of(relations)
    chosen, columns = _all_of(shape, "x")
    function = choose.of(["row_number", "rank", "dense_rank"])
    order = _total_order(choose, shape, "x")
    if function != "row_number":
        order = order.split(", ")[0]
    by = f"PARTITION BY x.{choose.of(shape.columns)[0]} " if choose.chance(70) else ""
    inner = f"SELECT {chosen}, {function}() OVER ({by}ORDER BY {order}) AS place "
    inner += f"FROM {shape.name} x{_where(choose, shape, 'x', 30)}"
    names = ", ".join(name for name, _ in columns)
    if choose.chance(50):
        names, columns = f"{names}, place", (*columns, ("place", "int"))
    cut = choose.of(["<= 1", "= 1", "<= 2", "< 3", "= 2"])
    return Query(f"SELECT {names} FROM ({inner}) q WHERE place {cut}", columns)


@form(weight=2)
def over(choose: Choice, relations: Sequence[Shape]) -> Query:
    shape = choose.of(relations)
    chosen, columns = _all_of(shape, "x")
    order = _total_order(choose, shape, "x")
    key = choose.of(shape.columns)[0]
    name, kind = choose.of(shape.columns)
    numbers = shape.named("int", "numeric")
    call, made = choose.of([
        ("COUNT(*)", "int"),
        (f"LAG(x.{name})", kind),
        (f"FIRST_VALUE(x.{name})", kind),
        (f"SUM(x.{choose.of(numbers)})", "numeric") if numbers else ("ROW_NUMBER()", "int"),
        (f"MAX(x.{name})", kind) if kind != "bool" else ("ROW_NUMBER()", "int"),
    ])  # fmt: skip
    by = f"PARTITION BY x.{key} " if choose.chance(70) else ""
    frame = ""
    if choose.chance(30) and not call.startswith(("LAG", "ROW")):
        frame = " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING"
    where = _where(choose, shape, "x", 30)
    return Query(
        f"SELECT {chosen}, {call} OVER ({by}ORDER BY {order}{frame}) AS w "
        f"FROM {shape.name} x{where}",
        (*columns, ("w", made)),
    )


@form(weight=2)
def scalar(choose: Choice, relations: Sequence[Shape]) -> Query:
    """Return a query with a subquery as a value: of all rows, or of those of one key."""
    shape, other = choose.of(relations), choose.of(relations)
    found = _pair(choose, shape, other)
    chosen, columns = _all_of(shape, "x")
    name, kind = choose.of([c for c in other.columns if c[1] != "bool"])
    call, made = choose.of([("COUNT(*)", "int"), (f"MAX(y.{name})", kind),
                            (f"COUNT(y.{name}) + 1", "int")])  # fmt: skip
    links = []
    if found is not None and choose.chance(70):
        links.append(f"y.{found[1]} {choose.of(['=', '=', '=', '<='])} x.{found[0]}")
    if choose.chance(30):
        links.append(condition(choose, other, "y"))
    where = f" WHERE {' AND '.join(links)}" if links else ""
    value = f"(SELECT {call} FROM {other.name} y{where})"
    if made == "int" and shape.named("int") and choose.chance(40):
        number = choose.of(shape.named("int"))
        sql = f"SELECT {chosen} FROM {shape.name} x WHERE x.{number} <= {value}"
    else:
        sql = f"SELECT {chosen}, {value} AS v FROM {shape.name} x"
        columns = (*columns, ("v", made))
    return Query(sql, columns, bounded=False)  # An aggregate of no rows is a row of its own.


@form()
def lateral(choose: Choice, relations: Sequence[Shape]) -> Query:
    shape, other = choose.of(relations), choose.of(relations)
    found = _pair(choose, shape, other)
    if found is None:
        return projection(choose, relations)
    chosen, columns = _all_of(shape, "x")
    name, kind = choose.of(other.columns)
    linked = f"WHERE y.{found[1]} = x.{found[0]}"
    inner = choose.of([
        f"SELECT y.{name} AS e FROM {other.name} y {linked}",
        f"SELECT y.{name} AS e FROM {other.name} y {linked} "
        f"ORDER BY {_total_order(choose, other, 'y')} LIMIT 2",
        f"SELECT DISTINCT y.{name} AS e FROM {other.name} y {linked}",
    ])  # fmt: skip
    kept = choose.of(["CROSS JOIN LATERAL ({}) l", "LEFT JOIN LATERAL ({}) l ON TRUE"])
    return Query(
        f"SELECT {chosen}, l.e FROM {shape.name} x {kept.format(inner)}", (*columns, ("e", kind))
    )


@form()
def grouping_sets(choose: Choice, relations: Sequence[Shape]) -> Query:
    shape = choose.of(relations)
    keyed = [c for c in shape.columns if c[1] in ("int", "text", "bool", "time")]
    keys = choose.some(keyed)[:2] if keyed else []
    if not keys:
        return projection(choose, relations)
    names = ", ".join(f"x.{name}" for name, _ in keys)
    chosen, columns = _outputs([(f"x.{name}", kind) for name, kind in keys])
    sets = choose.of([
        f"ROLLUP ({names})",
        f"CUBE ({names})",
        f"GROUPING SETS (({names}), (x.{keys[0][0]}), ())",
    ])  # fmt: skip
    return Query(
        f"SELECT {chosen}, GROUPING(x.{keys[0][0]}) AS g, COUNT(*) AS n FROM {shape.name} x"
        f"{_where(choose, shape, 'x', 30)} GROUP BY {sets}",
        (*columns, ("g", "int"), ("n", "int")),
        bounded=False,
    )


@form()
def expansion(choose: Choice, relations: Sequence[Shape]) -> Query:
    shape = choose.of([s for s in relations if s.named("int")])
    chosen, columns = _all_of(shape, "x")
    series = f"generate_series(1, x.{choose.of(shape.named('int'))} % 4)"
    source = choose.of([
        f"SELECT {chosen}, e FROM {shape.name} x, {series} AS e",
        f"SELECT {chosen}, e FROM {shape.name} x LEFT JOIN {series} AS e ON TRUE",
        f"SELECT {chosen}, {series} AS e FROM {shape.name} x",
    ])  # fmt: skip
    return Query(source, (*columns, ("e", "int")))


@form(weight=2)
def chain(choose: Choice, relations: Sequence[Shape]) -> Query:
    """Return a join of three relations, its conditions by key or by order."""
    shapes = [(choose.of(relations), alias) for alias in ("x", "y", "z")]
    text = f"{shapes[0][0].name} x"
    for place in (1, 2):
        shape, alias = shapes[place]
        left, own = choose.of(shapes[:place])
        found = _pair(choose, left, shape)
        if found is None:
            return join(choose, relations)
        verb = choose.of(["=", "=", "=", "IS NOT DISTINCT FROM", "<"])
        kind = choose.of(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        if kind == "FULL JOIN" and verb == "<":
            kind = "LEFT JOIN"
        text += f" {kind} {shape.name} {alias} ON {own}.{found[0]} {verb} {alias}.{found[1]}"
    parts = [
        (f"{alias}.{name}", kind) for shape, alias in shapes for name, kind in shape.columns[:2]
    ]
    chosen, columns = _outputs(parts)
    return Query(f"SELECT {chosen} FROM {text}", columns)


@form(weight=2)
def session(choose: Choice, relations: Sequence[Shape]) -> Query:
    able = [shape for shape in relations if shape.named("time")]
    if not able:
        return projection(choose, relations)
    shape = choose.of(able)
    time = choose.of(shape.named("time"))
    gap = f"INTERVAL '{1 + choose.below(8)} minutes'"
    keys = [name for name, kind in shape.columns if kind in ("int", "text", "bool")][1:]
    by = choose.of(keys) if keys and choose.chance(70) else ""
    chosen, columns = _all_of(shape, "x")
    if choose.chance(50):
        part = f"PARTITION BY x.{by} " if by else ""
        frame = f"OVER ({part}ORDER BY x.{time} SESSION WITH GAP {gap})"
        return Query(
            f"SELECT {chosen}, COUNT(*) {frame} AS n, MIN(x.{time}) {frame} AS began "
            f"FROM {shape.name} x{_where(choose, shape, 'x', 30)}",
            (*columns, ("n", "int"), ("began", "time")),
        )
    key = f"{by}, " if by else ""
    group = f"{key}window_start, window_end"
    return Query(
        f"SELECT window_start AS c0, window_end AS c1, COUNT(*) AS c2, "
        f"MAX({shape.columns[0][0]}) AS c3 "
        f"FROM SESSION({shape.name}, {key}{time}, {gap}) GROUP BY {group}",
        (("c0", "time"), ("c1", "time"), ("c2", "int"), ("c3", "int")),
    )


@form(weight=2)
def asof(choose: Choice, relations: Sequence[Shape]) -> Query:
    shape, other = choose.of(relations), choose.of(relations)
    kinds = [k for k in ("time", "int", "float") if shape.named(k) and other.named(k)]
    if not kinds:
        return projection(choose, relations)
    kind = choose.of(kinds)
    mine, yours = choose.of(shape.named(kind)), choose.of(other.named(kind))
    on = f"x.{mine} {choose.of(['>=', '>', '<=', '<'])} y.{yours}"
    found = _pair(choose, shape, other)
    if found is not None and choose.chance(80):
        on = f"x.{found[0]} = y.{found[1]} AND {on}"
    parts = [(f"x.{n}", k) for n, k in shape.columns] + [(f"y.{n}", k) for n, k in other.columns]
    chosen, columns = _outputs(parts)
    verb = choose.of(["ASOF JOIN", "ASOF LEFT JOIN"])
    return Query(f"SELECT {chosen} FROM {shape.name} x {verb} {other.name} y ON {on}", columns)


@form(weight=2)
def gap_fill(choose: Choice, relations: Sequence[Shape]) -> Query:
    able = [shape for shape in relations if shape.named("time")]
    if not able:
        return projection(choose, relations)
    shape = choose.of(able)
    time = choose.of(shape.named("time"))
    rest = [(name, kind) for name, kind in shape.columns if name != time]
    fills = []
    for name, kind in rest:
        ways = ["LOCF", "KEEPNULL", ""] + (["INTERPOLATE"] if kind in ("int", "float") else [])
        ways += ["SERIES"] if kind in ("int", "text", "bool") else []
        way = choose.of(ways)
        fills += [f"{way}({name})"] if way else []
    arguments = ", ".join([f"INTERVAL '{1 + choose.below(9)} minutes'", *fills])
    chosen, columns = _all_of(shape, "g")
    return Query(f"SELECT {chosen} FROM GAP_FILL({shape.name}, {time}, {arguments}) g", columns)
