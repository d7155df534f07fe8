"""GROUP BY.

Law: a group's new row is its aggregate over the kept input; a group without rows goes, but the
group of a global aggregate never does. Counts and exact sums, and for append-only input min, max
and sums of floats too: accumulators are merged, O(touched groups). Otherwise the touched groups
are recomputed from the kept input: floats do not drift and every aggregate DuckDB has is right.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from voltstream.sql.branches import Branch, union_all
from voltstream.sql.expressions import quote, spell
from voltstream.sql.operators.folding import (
    HASH,
    HASHED,
    NEAR,
    Merging,
    by_hash,
    hash_of,
    keyed_state,
)
from voltstream.sql.operators.keys import AT_ONCE, PLACE, forget, held, near, null_safe, place
from voltstream.sql.operators.log import kept_log
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import Aggregate, column_list

_Call = tuple[str, exp.Expression]


@dataclass(frozen=True)
class Keyed:
    """A relation kept as one row for each key: its table and its delta as old and new rows."""

    state: str
    stream: Stream
    merging: Merging | None = None  # How its table's rows of a key become one, where they can.


def aggregate_delta(writer: Writer, plan: Aggregate, child: Stream) -> Keyed:
    partials = [_partial(name, call) for name, call in plan.calls]
    mergeable = child.append_only or plan.exact
    if mergeable and all(partial is not None for partial in partials):
        return _merge(writer, plan, child, [p for p in partials if p is not None])
    return _recompute(writer, plan, child)


# --- merging accumulators ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Partial:
    """One call: accumulators as (name, over the delta, how two become one), and its value.

    Shape: they become one by "+", as counts by "#", or stay the lesser "<" or the greater ">".
    """

    name: str
    accumulators: tuple[tuple[str, str, str], ...]
    value: str


def _partial(name: str, call: exp.Expression) -> _Partial | None:
    condition = ""
    if isinstance(call, exp.Filter):
        condition = f" FILTER (WHERE {spell(call.expression.this)})"
        call = call.this
    cast = ""
    if isinstance(call, exp.Cast):
        cast, call = f"::{call.to.sql('duckdb')}", call.this
    if not isinstance(call, exp.Count | exp.Sum | exp.Min | exp.Max | exp.Avg):
        return None
    if isinstance(call.this, exp.Distinct) or call.args.get("expressions"):
        return None
    q = quote(name)
    argument = "*" if call.this is None or isinstance(call.this, exp.Star) else spell(call.this)
    weight = f'CASE WHEN ({argument}) IS NOT NULL THEN "_w" END'
    if argument == "*":
        weight = '"_w"'
    match call:
        case exp.Count():
            made = _counted(weight, condition)
            return _Partial(name, ((name, made, "#"),), q)
        case exp.Sum():
            counted = f"{name}_count"
            # The widest weight: a product may be wider than what is added up.
            made = f'sum(({argument}) * "_w"::HUGEINT){condition}'
            parts = (
                (name, made, "+"),
                (counted, _counted(weight, condition), "#"),
            )
            # A sum over nothing is NULL, also when rows were there and have gone.
            return _Partial(name, parts, f"CASE WHEN {quote(counted)} <> 0 THEN {q}{cast} END")
        case exp.Min() | exp.Max():
            verb = call.key.upper()
            made = f"{verb}({argument}){condition}"
            return _Partial(name, ((name, made, "<" if verb == "MIN" else ">"),), q)
        case _:
            total, count = f"{name}_sum", f"{name}_count"
            parts = (
                (total, f'sum(({argument})::DOUBLE * "_w"){condition}', "+"),
                (count, _counted(weight, condition), "#"),
            )
            value = f"CASE WHEN {quote(count)} <> 0 THEN {quote(total)} / {quote(count)} END"
            return _Partial(name, parts, value)


def _counted(weight: str, condition: str) -> str:
    return f"coalesce(sum({weight}){condition}, 0)::BIGINT"


def _merge(writer: Writer, plan: Aggregate, child: Stream, partials: list[_Partial]) -> Keyed:
    law = "the delta's accumulators are merged into those of its groups"
    writer.rule("aggregate", law, "touched groups")
    groups = column_list(plan.groups)
    comma = f"{groups}, " if plan.groups else ""
    tail = f" GROUP BY {groups}" if plan.groups else ""
    accumulators = [a for partial in partials for a in partial.accumulators]
    accumulators.insert(0, ("_n", 'sum("_w")::BIGINT', "#"))
    columns = (*plan.groups, *(name for name, _, _ in accumulators))
    hashed = f', "{HASH}"' if plan.groups else ""
    names = column_list(tuple(name for name, _, _ in accumulators)) + hashed
    made = ", ".join(f"{sql} AS {quote(name)}" for name, sql, _ in accumulators)
    fresh_made = made + (f", {hash_of(plan.groups)}" if plan.groups else "")
    fresh = writer.temp(
        f"SELECT {comma}{fresh_made} FROM ({child.sql}){tail}", child.reads, "aggregate"
    )
    state = writer.state("agg", f"SELECT {comma}{names} FROM {fresh}")
    if not plan.groups:
        writer.setup.append(f"INSERT INTO {state} SELECT {made} FROM ({child.sql}) WHERE FALSE")
        writer.setup.append(f'UPDATE {state} SET "_n" = 0')
    merged = "".join(f", {_merged(name, sign)} AS {quote(name)}" for name, _, sign in accumulators)
    was = "".join(f", s.{quote(name)} AS {_old(name)}" for name, _, _ in accumulators)
    where = f', s."{PLACE}"' if place(plan.groups) else ""
    shown = f"r.*, TRUE AS _held{place(plan.groups)}"
    own = column_list((*plan.groups, HASH) if plan.groups else (), "g") or "TRUE AS one"

    def met(kept: str) -> str:
        return (
            f"SELECT {own}{merged}, s._held{where}{was} FROM {fresh} AS g LEFT JOIN ({kept}) AS s "
            f"ON {null_safe(plan.groups, 'g', 's')}"
        )

    form_of = state if plan.groups else None
    kept = near(state, fresh, plan.groups, shown, unique=True)
    both = writer.temp(
        met(kept), (fresh,), "aggregate", state=form_of, forms=NEAR if plan.groups else ()
    )
    if plan.groups:
        writer.keyed.append(keyed_state(state, fresh, plan.groups))
        kept = by_hash(state, fresh, shown)
        writer.otherwise(both, met(kept), (fresh,), "aggregate", state, HASHED)
    alive = ' WHERE "_n" <> 0' if plan.groups and not child.append_only else ""
    old = f"(SELECT * FROM {both} WHERE _held)"
    forget(writer, state, old, plan.groups, plan.groups, (both,), "aggregate", form_of=form_of)
    writer.run(
        f"INSERT INTO {state} SELECT {comma}{names} FROM {both}{alive}",
        (both,),
        "aggregate",
        state=form_of,
        forms=AT_ONCE if plan.groups else (),
    )
    values = _values(plan, partials)
    before = ", ".join(f"{_old(name)} AS {quote(name)}" for name, _, _ in accumulators)
    sql = (
        f'SELECT {values}, 1 AS "_w" FROM {both}{alive} UNION ALL '
        f"SELECT {values}, -1 FROM (SELECT {comma}{before} FROM {both} WHERE _held)"
    )
    stream = Stream(sql, (both,), plan.columns, False, False)
    merging = Merging(
        state,
        fresh,
        plan.groups,
        columns,
        lambda rows: _together(plan, accumulators, rows, always=child.append_only),
        values,
        "aggregate",
    )
    content = f"(SELECT {values} FROM {state})"
    return Keyed(content, stream, merging if plan.groups and where else None)


def _values(plan: Aggregate, partials: list[_Partial]) -> str:
    """Print what is shown of a state's columns."""
    calls = (f"{each.value} AS {quote(each.name)}" for each in partials)
    return ", ".join([*map(quote, plan.groups), *calls]) or "1"


def _together(
    plan: Aggregate, accumulators: list[tuple[str, str, str]], rows: str, *, always: bool
) -> str:
    """Print a state's rows of each group as one; a predicate on groups goes to the rows."""
    parts = []
    for name, _, sign in accumulators:
        q = quote(name)
        verb = {"+": f"sum({q})", "#": f"sum({q})::BIGINT", "<": f"min({q})", ">": f"max({q})"}
        parts.append(f"{verb[sign]} AS {q}")
    groups = column_list(plan.groups)
    alive = "" if always else ' HAVING sum("_n") <> 0'
    hashed = f'"{HASH}"'
    return (
        f"SELECT {groups}, {', '.join(parts)}, {hashed} FROM {rows} "
        f"GROUP BY {groups}, {hashed}{alive}"
    )


def _old(name: str) -> str:
    return quote(f"_old_{name}")


def _merged(name: str, sign: str) -> str:
    """Print one accumulator of what is kept (s) and what is new (g)."""
    g, s = f"g.{quote(name)}", f"s.{quote(name)}"
    if sign in "+#":
        return f"CASE WHEN {s} IS NULL THEN {g} WHEN {g} IS NULL THEN {s} ELSE {s} + {g} END"
    return f"CASE WHEN {s} IS NULL OR {g} {sign} {s} THEN {g} ELSE {s} END"


# --- recomputing touched groups -----------------------------------------------------------------


def _recompute(writer: Writer, plan: Aggregate, child: Stream) -> Keyed:
    law = "the touched groups are computed again from the kept input"
    writer.rule("aggregate", law, "rows of touched groups")
    groups = column_list(plan.groups)
    tail = f" GROUP BY {groups}" if plan.groups else ""
    delta = writer.materialize(child, "aggregate input", net=True)
    kept = kept_log(writer, "kept", delta, child, plan.groups, "aggregate input")
    rows = _repeated(kept, child.columns)
    calls = "".join(f", {spell(call)} AS {quote(name)}" for name, call in plan.calls)
    select = (groups + calls) if plan.groups else calls.removeprefix(", ")
    touched = near(f"({rows})", delta, plan.groups)
    new = writer.temp(f"SELECT {select} FROM ({touched}){tail}", (delta,), "aggregate")
    state = writer.state("agg", f"SELECT * FROM {new}")
    if not plan.groups:
        writer.setup.append(f"INSERT INTO {state} SELECT {select} FROM ({rows})")
    old = held(writer, state, delta, plan.groups, plan.columns, (delta,), "aggregate")
    _replace(writer, state, old, new, plan.groups, plan.columns)
    shown = column_list(plan.columns)
    return Keyed(f"(SELECT {shown} FROM {state})", _old_and_new(old, new, shown, plan.columns))


def _repeated(kept: str, columns: tuple[str, ...]) -> str:
    """Print a log's rows as often as they count; nearly all count once."""
    names = column_list(columns) or "1"
    return (
        f'SELECT {names} FROM {kept} WHERE "_w" = 1 UNION ALL '
        f'SELECT {names} FROM (SELECT *, unnest(range("_w")) FROM {kept} WHERE "_w" > 1)'
    )


def _replace(
    writer: Writer,
    state: str,
    old: str,
    new: str,
    groups: tuple[str, ...],
    columns: tuple[str, ...],
) -> None:
    forget(writer, state, old, groups, columns, (old,), "aggregate")
    writer.run(f"INSERT INTO {state} SELECT * FROM {new}", (new,), "aggregate")


def _old_and_new(old: str, new: str, shown: str, columns: tuple[str, ...]) -> Stream:
    names = column_list(columns)
    both = union_all(
        [
            Branch(f'SELECT {shown}, -1 AS "_w" FROM {old}', (old,), typed=True),
            Branch(f'SELECT {shown}, 1 AS "_w" FROM {new}', (new,), typed=True),
        ]
    )
    sql = (
        f'SELECT {names}, sum("_w")::INTEGER AS "_w" FROM ({both}) '
        f'GROUP BY {names} HAVING sum("_w") <> 0'
    )
    return Stream(sql, (old, new), columns, False, False)
