"""Filter, project and union all. Law: each is linear, hence stateless; ``_w`` passes through."""

from __future__ import annotations

from voltstream.sql.batch import batch_sql
from voltstream.sql.branches import Branch, union_all
from voltstream.sql.expressions import spell
from voltstream.sql.operators.stream import NOW_SQL, Stream, Writer
from voltstream.sql.plan import (
    Constant,
    Filter,
    Project,
    Scan,
    column_list,
    item_list,
)


def scan_delta(plan: Scan) -> Stream:
    relation = plan.relation
    rid = ', "_rid"' if relation.arrival else ""
    sql = f'SELECT {column_list(relation.stable)}{rid}, "_w" FROM {relation.delta}'
    return Stream(sql, (relation.delta,), relation.stable, relation.append_only, relation.arrival)


def constant_delta(writer: Writer, plan: Constant) -> Stream:
    """Law: the delta is the rows themselves in the first run, and nothing after it."""
    writer.rule("constant", "its rows are there from the first run on", "0")
    made = writer.temp(f'SELECT *, 1::INTEGER AS "_w" FROM ({batch_sql(plan)})', (), "constant")
    sql = f'SELECT {column_list(plan.columns)}, "_w" FROM {made}'
    return Stream(sql, (made,), plan.columns, True, False)


def filter_delta(plan: Filter, child: Stream) -> Stream:
    sql = f"SELECT * FROM ({child.sql}) WHERE {spell(plan.predicate)}"
    return Stream(sql, child.reads, child.columns, child.append_only, child.arrival)


def project_delta(plan: Project, child: Stream) -> Stream:
    items = item_list(plan.items).replace("_vs_now()", NOW_SQL)
    # Rows that one row expands to share its arrival number: it orders them no more.
    arrival = child.arrival and not plan.expands
    extra = child.extra() if arrival else ', "_w"'
    sql = f"SELECT {items}{extra} FROM ({child.sql})"
    return Stream(sql, child.reads, plan.columns, child.append_only, arrival)


def union_delta(columns: tuple[str, ...], parts: list[Stream]) -> Stream:
    sql = union_all(
        [
            Branch(f'SELECT {column_list(part.columns)}, "_w" FROM ({part.sql})', part.reads)
            for part in parts
        ]
    )
    reads = tuple(dict.fromkeys(read for part in parts for read in part.reads))
    append_only = all(part.append_only for part in parts)
    return Stream(sql, reads, columns, append_only, False)
