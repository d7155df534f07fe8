"""What a plan means: the DuckDB query that recomputes it, the oracle of every operator's law."""

from __future__ import annotations

from sqlglot import exp

from voltstream.sql.expressions import quote, spell
from voltstream.sql.plan import (
    Aggregate,
    AsofJoin,
    Changelog,
    Constant,
    DistinctOn,
    Filter,
    GapFill,
    Join,
    JoinKind,
    Over,
    Plan,
    Project,
    Ranked,
    Scan,
    SeriesToNow,
    Session,
    SetOperation,
    SetVerb,
    TemporalJoin,
    TimeFilter,
    Union,
    WindowClose,
    column_list,
    item_list,
    join_condition,
)


def batch_sql(plan: Plan) -> str:
    """Return the DuckDB query that recomputes a plan over its stored inputs."""
    match plan:
        case Scan(relation=relation):
            return f"SELECT {column_list(relation.stable)} FROM {relation.stored}"
        case Constant(sql=sql, columns=columns):
            return f"SELECT * FROM ({sql}) AS c({column_list(columns)})"
        case SeriesToNow(start=start, step=step, name=name):
            return f"SELECT {series_sql(spell(start), '_vs_now()', spell(step))} AS {quote(name)}"
        case Filter(child=child, predicate=predicate):
            return f"SELECT * FROM ({batch_sql(child)}) WHERE {spell(predicate)}"
        case Project(child=child, items=items):
            return f"SELECT {item_list(items)} FROM ({batch_sql(child)})"
        case Union(children=parts):
            return " UNION ALL ".join(f"SELECT * FROM ({batch_sql(part)})" for part in parts)
        case Join(left=left, right=right, kind=kind):
            shown = "l.*" if kind in (JoinKind.SEMI, JoinKind.ANTI) else "*"
            return (
                f"SELECT {shown} FROM ({batch_sql(left)}) AS l {kind.value.upper()} JOIN "
                f"({batch_sql(right)}) AS r ON {join_condition(plan)}"
            )
        case AsofJoin(left=left, right=right):
            found = matched_sql(plan, f"({batch_sql(left)})", left.columns, f"({batch_sql(right)})")
            kept = "" if plan.outer else " WHERE _hit"
            return f"SELECT {column_list(plan.columns)} FROM ({found}){kept}"
        case TemporalJoin(join=join):
            return batch_sql(join)
        case Changelog(child=child):  # Of changes nothing but their result is stored.
            log = "1::SMALLINT AS changelog_op, row_number() OVER () AS _changelog_row_id"
            return f"SELECT *, {log} FROM ({batch_sql(child)})"
        case GapFill(child=child):
            rows = f"({batch_sql(child)})"
            return f"SELECT * FROM {rows} UNION ALL {filled_sql(plan, rows)}"
        case SetOperation(verb=SetVerb.DISTINCT, sides=sides):
            return f"SELECT DISTINCT * FROM ({batch_sql(sides[0])})"
        case SetOperation(verb=verb, sides=sides):
            one, other = (f"(SELECT * FROM ({batch_sql(side)}))" for side in sides)
            return f"{one} {verb.value.upper()} {other}"
        case Aggregate(child=child, groups=groups, calls=calls):
            return aggregate_sql(f"({batch_sql(child)})", groups, calls)
        case DistinctOn(child=child, keys=keys):
            order = ", ".join([*(quote(k) for k in keys), *(key.sql() for key in plan.order)])
            return (
                f"SELECT DISTINCT ON ({column_list(keys)}) * FROM ({batch_sql(child)}) "
                f"ORDER BY {order}"
            )
        case Over(child=child, calls=calls):
            made = "".join(f", {spell(call)} AS {quote(name)}" for name, call in calls)
            return f"SELECT *{made} FROM ({batch_sql(child)})"
        case Ranked(child=child):
            name = plan.name or "_rank"
            source, ties = f"({batch_sql(child)})", column_list(child.columns)
            ranked = ranked_sql(plan, source, child.columns, ties, name=name, skip=plan.skip)
            return f"SELECT {column_list(plan.columns)} FROM ({ranked})"
        case Session(child=child):
            shown = f"SELECT {column_list(plan.columns)} FROM"
            return f"{shown} ({sessions_sql(plan, f'({batch_sql(child)})', child.columns)})"
        case TimeFilter(child=child, lower=lower, upper=upper):
            bounds = [f"({spell(b)}) <= _vs_now()" for b in lower]
            bounds += [f"({spell(b)}) > _vs_now()" for b in upper]
            return f"SELECT * FROM ({batch_sql(child)}) WHERE {' AND '.join(bounds)}"
        case WindowClose(child=child):
            return batch_sql(child)


def aggregate_sql(
    source: str, groups: tuple[str, ...], calls: tuple[tuple[str, exp.Expression], ...]
) -> str:
    parts = [quote(group) for group in groups]
    parts += [f"{spell(call)} AS {quote(name)}" for name, call in calls]
    tail = f" GROUP BY {column_list(groups)}" if groups else ""
    return f"SELECT {', '.join(parts)} FROM {source}{tail}"


def ranked_sql(
    plan: Ranked, source: str, columns: tuple[str, ...], ties: str, *, name: str, skip: int
) -> str:
    """Print a top-N with its rank; ``ties`` orders what row_number's sort keys leave equal."""
    order = [key.sql() for key in plan.order]
    if plan.function == "row_number":
        order.append(ties)
    over = f"PARTITION BY {column_list(plan.partition)} " if plan.partition else ""
    over += f"ORDER BY {', '.join(order)}" if order else ""
    rank = quote(name)
    return (
        f"SELECT {column_list(columns)}, {rank} FROM "
        f"(SELECT *, {plan.function}() OVER ({over}) AS {rank} FROM {source}) "
        f"WHERE {rank} > {skip} AND {rank} <= {plan.last}"
    )


_PREVIOUS, _NUMBER = '"_previous"', '"_number"'


def sessions_sql(
    plan: Session, source: str, columns: tuple[str, ...], end: str | None = None
) -> str:
    """Print rows with their sessions; ``end`` overrules the name of the last time."""
    time, last = quote(plan.time), end or plan.end
    # Rows without a time are kept apart: they must not come after the last one that has one.
    by = ", ".join([*(quote(name) for name in plan.partition), f"{time} IS NULL"])
    listed = column_list(columns)
    seen = (
        f"SELECT {listed}, lag({time}) OVER (PARTITION BY {by} ORDER BY {time}) AS {_PREVIOUS} "
        f"FROM {source}"
    )
    counted = (
        f"SELECT {listed}, sum(CASE WHEN {_PREVIOUS} + {plan.gap} > {time} THEN 0 ELSE 1 END) "
        f"OVER (PARTITION BY {by} ORDER BY {time}) AS {_NUMBER} FROM ({seen})"
    )
    over = f"OVER (PARTITION BY {by}, {_NUMBER})"
    shown = f"min({time}) {over} AS {quote(plan.start)}"
    shown += f", max({time}) {over} AS {quote(last)}" if last is not None else ""
    return f"SELECT {listed}, {shown} FROM ({counted})"


def matched_sql(plan: AsofJoin, left: str, shown: tuple[str, ...], right: str) -> str:
    """Print left rows with their nearest right rows, ``_rt`` its time and ``_hit`` whether any.

    Shape: ``shown`` are the left relation's columns, the plan's and perhaps more.
    """
    names = [f"_k{place}" for place in range(len(plan.keys))]
    mine = [f"{spell(key.left)} AS {n}" for key, n in zip(plan.keys, names, strict=True)]
    yours = [f"{spell(key.right)} AS {n}" for key, n in zip(plan.keys, names, strict=True)]
    by = ", ".join([*names, "_rt"])
    nearest = (
        f"SELECT DISTINCT ON ({by}) * FROM (SELECT {', '.join(['*', *yours])}, "
        f"{spell(plan.right_time)} AS _rt FROM {right}) WHERE _rt IS NOT NULL "
        f"ORDER BY {by}, {column_list(plan.ties)}"
    )
    on = " AND ".join([*(f"l.{n} = r.{n}" for n in names), f"l._lt {plan.sign} r._rt"])
    return (
        f"SELECT {column_list(shown, 'l')}, {column_list(plan.right.columns, 'r')}, r._rt, "
        f"r._rt IS NOT NULL AS _hit FROM (SELECT {', '.join(['*', *mine])}, "
        f"{spell(plan.left_time)} AS _lt FROM {left}) AS l ASOF LEFT JOIN ({nearest}) AS r ON {on}"
    )


def filled_sql(plan: GapFill, rows: str) -> str:
    """Print the rows that fill the gaps between some rows; rows at one time stand in one order."""
    time, by = quote(plan.time), column_list(plan.series)
    order = f"{f'PARTITION BY {by} ' if by else ''}ORDER BY {time}, {column_list(plan.columns)}"
    seen = [f"lead({time}) OVER ({order}) AS _next"]
    made = {plan.time: f"CAST(_at AS {plan.time_type})"}
    made |= {name: quote(name) for name in plan.series}
    for number, name in enumerate(plan.carried):
        seen.append(
            f"last_value({quote(name)} IGNORE NULLS) OVER ({order} "
            f"ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS _carried{number}"
        )
        made[name] = f"_carried{number}"
    share = f"(epoch_us(_at) - epoch_us({time}))::DOUBLE / (epoch_us(_next) - epoch_us({time}))"
    for number, (name, kind) in enumerate(plan.drawn):
        seen.append(f"lead({quote(name)}) OVER ({order}) AS _drawn{number}")
        line = f"{quote(name)} + (_drawn{number} - {quote(name)}) * ({share})"
        made[name] = f"CAST({line} AS {kind})"
    shown = ", ".join(
        # What is not filled is NULL, of its own type.
        f"{made.get(name, f'CASE WHEN FALSE THEN {quote(name)} END')} AS {quote(name)}"
        for name in plan.columns
    )
    step = plan.step
    steps = f"unnest(generate_series({time} + {step}, _next - INTERVAL 1 MICROSECOND, {step}))"
    return (
        f"SELECT {shown} FROM (SELECT *, {steps} AS _at FROM "
        f"(SELECT *, {', '.join(seen)} FROM {rows}))"
    )


def series_sql(start: str, end: str, step: str) -> str:
    return f"unnest(generate_series(({start})::TIMESTAMPTZ, ({end})::TIMESTAMPTZ, {step}))"
