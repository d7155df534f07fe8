"""DISTINCT ON: the first row of each key.

Law: the winner is first by the order keys, then by arrival; without arrival numbers, by all its
columns. Append-only: only winners are kept. With retractions it is the first row of each
partition: a key is decided again from the kept input where its winner goes.
"""

from __future__ import annotations

from voltstream.sql.expressions import quote
from voltstream.sql.operators.aggregate import Keyed
from voltstream.sql.operators.folding import (
    HASH,
    HASHED,
    NEAR,
    TURN,
    Merging,
    by_hash,
    keyed_state,
    with_hash,
)
from voltstream.sql.operators.keys import AT_ONCE, PLACE, forget, near, null_safe, place
from voltstream.sql.operators.ranked import ranked_delta
from voltstream.sql.operators.stream import Stream, Writer
from voltstream.sql.plan import DistinctOn, Ranked, SortKey, column_list


def distinct_on_delta(writer: Writer, plan: DistinctOn, child: Stream) -> Keyed:
    if child.append_only and child.arrival:
        return _winners(writer, plan, child)
    return ranked_delta(writer, Ranked(plan.child, plan.keys, plan.order, "row_number", 1), child)


def _first(plan: DistinctOn, source: str, columns: str, ties: str) -> str:
    order = ", ".join([*(quote(k) for k in plan.keys), *(k.sql() for k in plan.order), ties])
    keys = column_list(plan.keys)
    return f"SELECT DISTINCT ON ({keys}) {columns} FROM {source} ORDER BY {order}"


def _first_arrived(plan: DistinctOn, source: str) -> str:
    """Print the first rows of a delta with arrival numbers: aggregated, where order allows.

    An aggregate over one record that compares as the order does costs half of a sort. In a
    record NULL is the greatest value.
    """
    columns = column_list(plan.columns)
    if not plan.keys or _is_mixed(plan):
        return _first(plan, source, columns, '"_rid"')
    best = _best(plan, plan.columns, '"_rid"')
    return f"SELECT unnest({best}) FROM {source} GROUP BY {column_list(plan.keys)}"


def _is_mixed(plan: DistinctOn) -> bool:
    return len({key.descending for key in plan.order}) > 1


def _best(plan: DistinctOn, columns: tuple[str, ...], turn: str) -> str:
    down = any(key.descending for key in plan.order)
    parts = []
    for key in plan.order:
        if key.nulls_first is not down:
            parts.append(f"{quote(key.name)} IS NOT NULL")
        parts.append(quote(key.name))
    parts.append(f"-{turn}" if down else turn)
    rank = "row(" + ", ".join(parts) + ")"
    row = "{" + ", ".join(f"{_text(c)}: {quote(c)}" for c in columns) + "}"
    return f"{'arg_max' if down else 'arg_min'}({row}, {rank})"


def _merged(plan: DistinctOn, source: str) -> str:
    """Print the first of a state's rows of each key; a predicate on keys goes to the source."""
    columns = column_list((*plan.columns, HASH))
    keys = column_list((*plan.keys, HASH))
    rest = tuple(c for c in plan.columns if c not in plan.keys)
    if not rest:
        return f"SELECT DISTINCT {columns} FROM {source}"
    if _is_mixed(plan):
        return f"SELECT * FROM ({_first(plan, source, columns, TURN)})"
    best = f"SELECT {keys}, {_best(plan, rest, TURN)} AS _first FROM {source} GROUP BY {keys}"
    shown = ", ".join(
        f"struct_extract(_first, {_text(c)}) AS {quote(c)}" if c in rest else quote(c)
        for c in plan.columns
    )
    return f'SELECT {shown}, "{HASH}" FROM ({best})'


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _winners(writer: Writer, plan: DistinctOn, child: Stream) -> Keyed:
    law = "append-only: the delta's first rows challenge the kept winners"
    writer.rule("distinct on", law, "touched keys")
    columns = column_list(plan.columns)
    first = _first_arrived(plan, f"({child.sql})")
    fresh = writer.temp(with_hash(first, plan.keys), child.reads, "distinct on")
    listed = column_list((*plan.columns, HASH))
    state = writer.state("top", f"SELECT {listed} FROM {fresh}")
    writer.keyed.append(keyed_state(state, fresh, plan.keys))
    shown = f"r.*, TRUE AS _held{place(plan.columns)}"
    was_columns = ", ".join(f"s.{quote(c)} AS {quote('_old_' + c)}" for c in plan.columns)
    where = f's."{PLACE}", ' if place(plan.columns) else ""

    def challenged(kept: str) -> str:
        return (
            f"SELECT g.*, s._held, {where}{was_columns} FROM {fresh} AS g LEFT JOIN "
            f"({kept}) AS s ON {null_safe(plan.keys, 'g', 's')} "
            f"WHERE s._held IS NULL OR {_before(plan.order)}"
        )

    kept = near(state, fresh, plan.keys, shown, unique=True)
    won = writer.temp(challenged(kept), (fresh,), "distinct on", state=state, forms=NEAR)
    kept = by_hash(state, fresh, shown)
    writer.otherwise(won, challenged(kept), (fresh,), "distinct on", state, HASHED)
    beaten = f"(SELECT * FROM {won} WHERE _held)"
    operator = "distinct on"
    forget(writer, state, beaten, plan.keys, plan.columns, (won,), operator, form_of=state)
    writer.run(
        f"INSERT INTO {state} SELECT {listed} FROM {won}",
        (won,),
        operator,
        state=state,
        forms=AT_ONCE,
    )
    was = ", ".join(quote("_old_" + c) for c in plan.columns)
    sql = (
        f'SELECT {columns}, 1 AS "_w" FROM {won} UNION ALL SELECT {was}, -1 FROM {won} WHERE _held'
    )
    stream = Stream(sql, (won,), plan.columns, False, False)
    merging = Merging(
        state, fresh, plan.keys, plan.columns, lambda rows: _merged(plan, rows), columns, operator
    )
    return Keyed(f"(SELECT {columns} FROM {state})", stream, merging if where else None)


def _before(order: tuple[SortKey, ...]) -> str:
    """Print "row g comes strictly before row s"; equal rows leave the earlier arrival in place."""
    condition = "FALSE"
    for key in reversed(order):
        g, s = f"g.{quote(key.name)}", f"s.{quote(key.name)}"
        comparison = f"{g} > {s}" if key.descending else f"{g} < {s}"
        nulls = (
            f"({g} IS NULL AND {s} IS NOT NULL)"
            if key.nulls_first
            else f"({g} IS NOT NULL AND {s} IS NULL)"
        )
        strictly = f"(coalesce({comparison}, FALSE) OR {nulls})"
        condition = f"({strictly} OR ({g} IS NOT DISTINCT FROM {s} AND {condition}))"
    return condition
