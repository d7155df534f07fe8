"""From a plan to a program: each operator writes its statements, the view's root comes last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from sqlglot import exp

from voltstream.sql.expressions import mentions_now, quote, spell
from voltstream.sql.faults import report_calls, report_faults
from voltstream.sql.interval_joins import forgotten
from voltstream.sql.operators.aggregate import Keyed, aggregate_delta
from voltstream.sql.operators.asof_join import asof_delta
from voltstream.sql.operators.changelog import changelog_delta
from voltstream.sql.operators.distinct_on import distinct_on_delta
from voltstream.sql.operators.folding import folded, keyed_state
from voltstream.sql.operators.gap_fill import gap_fill_delta
from voltstream.sql.operators.join import join_delta
from voltstream.sql.operators.linear import (
    constant_delta,
    filter_delta,
    project_delta,
    scan_delta,
    union_delta,
)
from voltstream.sql.operators.log import integrate
from voltstream.sql.operators.over import over_delta
from voltstream.sql.operators.ranked import ranked_delta
from voltstream.sql.operators.series import series_delta
from voltstream.sql.operators.session import session_delta
from voltstream.sql.operators.set_operation import set_operation_delta
from voltstream.sql.operators.stream import NOW_SQL, Stream, Writer, named, netted
from voltstream.sql.operators.temporal_join import temporal_delta
from voltstream.sql.operators.time_filter import time_filter_delta
from voltstream.sql.operators.window_close import window_close_delta
from voltstream.sql.plan import (
    Aggregate,
    AsofJoin,
    Changelog,
    Constant,
    DistinctOn,
    Filter,
    GapFill,
    Join,
    Over,
    Plan,
    Project,
    Ranked,
    Scan,
    SeriesToNow,
    Session,
    SetOperation,
    TemporalJoin,
    TimeFilter,
    Union,
    WindowClose,
    children,
    column_list,
    item_list,
    relations,
)
from voltstream.sql.program import Program, Step
from voltstream.sql.python_calls import is_kept
from voltstream.sql.watermarks import passed_on

Items = list[tuple[str, exp.Expression]]
_FORGETS = "state that is older than state_ttl is forgotten"


def delta_of(writer: Writer, plan: Plan) -> Stream:
    """Write the statements below a node and return its delta; a shared node's only once."""
    if id(plan) not in writer.shared:
        return _delta_of(writer, plan)
    known = writer.shared[id(plan)]
    if known is None:
        made = _delta_of(writer, plan)
        known = named(made, writer.materialize(made, "shared"))
        writer.shared[id(plan)] = known
    return known


def _share(writer: Writer, plan: Plan) -> None:
    """Note the nodes that have several parents, scans aside: their deltas are tables already."""
    seen: set[int] = set()
    waiting = [plan]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scan | Constant):
            continue
        if id(node) in seen:
            writer.shared[id(node)] = None
            continue
        seen.add(id(node))
        waiting += children(node)


def _delta_of(writer: Writer, plan: Plan) -> Stream:
    match plan:
        case Scan():
            return scan_delta(plan)
        case Constant():
            return constant_delta(writer, plan)
        case SeriesToNow():
            return series_delta(writer, plan)
        case Filter(child=child):
            below = delta_of(writer, child)
            writer.rule("filter", "linear: applied to the delta", "delta")
            report_faults(writer, writer.name, [("a condition", plan.predicate)], below)
            return filter_delta(plan, below)
        case Project(child=child):
            below = delta_of(writer, child)
            writer.rule("project", "linear: applied to the delta", "delta")
            report_faults(writer, writer.name, _columns(plan.items), below)
            made = project_delta(plan, below)
            calls = [(name, tree) for name, tree in plan.items if is_kept(tree)]
            if not calls:
                return made
            made = named(made, writer.materialize(made, "functions"))
            report_calls(writer, writer.name, calls, made)
            return made
        case Union(children=parts):
            branches = [delta_of(writer, part) for part in parts]
            writer.rule("union all", "linear: the branches' deltas add up", "delta")
            return union_delta(plan.columns, branches)
        case Join(left=left, right=right):
            sides = (delta_of(writer, left), delta_of(writer, right))
            _report_keys(writer, plan, *sides)
            return join_delta(writer, plan, *sides)
        case AsofJoin(left=left, right=right):
            return asof_delta(writer, plan, delta_of(writer, left), delta_of(writer, right))
        case TemporalJoin(join=join):
            sides = (delta_of(writer, join.left), delta_of(writer, join.right))
            return temporal_delta(writer, plan, *sides)
        case Changelog(child=child):
            return changelog_delta(writer, plan, delta_of(writer, child))
        case GapFill(child=child):
            return gap_fill_delta(writer, plan, delta_of(writer, child))
        case Aggregate(groups=()):
            return _always_there(writer, plan)
        case Aggregate() | DistinctOn() | SetOperation() | Over() | Ranked():
            return _keyed(writer, plan).stream
        case Session(child=child):
            return session_delta(writer, plan, delta_of(writer, child))
        case TimeFilter(child=child):
            return time_filter_delta(writer, plan, delta_of(writer, child))
        case WindowClose(child=child):
            rows = child.child if isinstance(child, Aggregate) else child
            return window_close_delta(writer, plan, delta_of(writer, rows))
        case _ as never:
            assert_never(never)


def _always_there(writer: Writer, plan: Aggregate) -> Stream:
    """Return the delta of an aggregate without groups: its one row comes before any input."""
    keyed = _keyed(writer, plan)
    names = column_list(plan.columns)
    born = writer.temp(f'SELECT {names}, 1::INTEGER AS "_w" FROM {keyed.state}', (), "aggregate")
    writer.steps.insert(0, writer.steps.pop())  # Read before the first run's input changes it.
    sql = f'{keyed.stream.sql} UNION ALL SELECT {names}, "_w" FROM {born}'
    return Stream(sql, (*keyed.stream.reads, born), plan.columns, False, False)


def _columns(items: Sequence[tuple[str, exp.Expression]]) -> Items:
    return [(f"column {name}", tree) for name, tree in items]


def _report_keys(writer: Writer, plan: Join, left: Stream, right: Stream) -> None:
    """Keep the rows whose join key cannot be computed: they match nothing."""
    for stream, trees in (
        (left, [key.left for key in plan.keys]),
        (right, [key.right for key in plan.keys]),
    ):
        report_faults(writer, writer.name, [("a join key", tree) for tree in trees], stream)


_KEYED = (Aggregate, DistinctOn, SetOperation, Over, Ranked)  # A view reads their own state.


def _keyed(writer: Writer, plan: Aggregate | DistinctOn | SetOperation | Over | Ranked) -> Keyed:
    if isinstance(plan, SetOperation):
        return set_operation_delta(writer, plan, [delta_of(writer, side) for side in plan.sides])
    child = delta_of(writer, plan.child)
    match plan:
        case Aggregate() | Over():
            calls = [("what a call takes", tree) for _, tree in plan.calls]
            report_faults(writer, writer.name, calls, child)
        case _:
            pass
    match plan:
        case Aggregate():
            return aggregate_delta(writer, plan, child)
        case DistinctOn():
            return distinct_on_delta(writer, plan, child)
        case Over():
            return over_delta(writer, plan, child)
        case Ranked():
            return ranked_delta(writer, plan, child)
        case _ as never:
            assert_never(never)


def _fold(writer: Writer, keyed: Keyed, read: str, items: str) -> None:
    """Let the state of a view's root be a log while nobody reads the view's delta."""
    merging = keyed.merging
    if merging is None:
        return

    def content(rows: str) -> str:
        return f"SELECT {items} FROM (SELECT {merging.shown} FROM {rows})"

    found = folded(writer, merging, read, content)
    writer.keyed = [
        keyed_state(merging.state, merging.fresh, merging.keys, found)
        if one.table == merging.state
        else one
        for one in writer.keyed
    ]


def stable_root(plan: Plan, items: Items) -> tuple[Plan, Items, Items]:
    """Split a view's outputs into what is stored and what NOW() makes of it at each reading.

    Shape: (plan whose columns are stored, items over it for the stored columns, volatile items).
    """
    stored: Items = []
    names: dict[str, str] = {}
    volatile: Items = []
    taken = {name for name, _ in items}

    def carry(tree: exp.Expression, wish: str) -> str:
        text = spell(tree)
        if text not in names:
            name, number = wish, 1
            while name in taken:
                number += 1
                name = f"{wish}_{number}"
            taken.add(name)
            names[text] = name
            stored.append((name, tree.copy()))
        return names[text]

    for name, tree in items:
        if not mentions_now(tree):
            stored.append((name, tree))
            names.setdefault(spell(tree), name)
    for name, tree in items:
        if mentions_now(tree):

            def visit(node: exp.Expression) -> exp.Expression:
                if isinstance(node, exp.Column):
                    return exp.Column(
                        this=exp.to_identifier(carry(node, f"_{node.name}"), quoted=True)
                    )
                return node

            volatile.append((name, tree.transform(visit)))
    if not stored:
        stored.append(("_one", exp.Literal.number(1)))
    return plan, stored, volatile


def emit(
    oid: int,
    name: str,
    plan: Plan,
    items: Items,
    notices: tuple[str, ...],
    ttl_us: int | None = None,
) -> Program:
    """Write the program of a materialized view whose public columns are ``items``."""
    writer = Writer(oid, name, ttl_us)
    _share(writer, plan)
    read = f"_vs.mv_{oid}_read"
    output = f"d_{oid}"
    root, stored, volatile = stable_root(plan, items)
    columns = tuple(n for n, _ in stored)
    if isinstance(root, _KEYED):
        keyed = _keyed(writer, root)
        # What a sum of sums overflows is not worth that readers compute each column again.
        if not report_faults(writer, name, _columns(stored), keyed.stream, sums=False, shown=True):
            _fold(writer, keyed, read, item_list(tuple(stored)))
        out = _consolidated(project_delta(Project(root, tuple(stored)), keyed.stream))
        writer.rule("view", "read from its operator's state", "delta")
        writer.temp(out.sql, out.reads, "output", name=output, for_output=True)
        content = f"SELECT {item_list(tuple(stored))} FROM {keyed.state}"
        append_only = keyed.stream.append_only
    else:
        out = _consolidated(delta_of(writer, Project(root, tuple(stored))))
        writer.rule("view", "its rows, each with how often it is there", "delta")
        writer.temp(out.sql, out.reads, "output", name=output)
        state = writer.state("mv", f'SELECT {column_list(columns)}, "_w" FROM {output}')
        integrate(writer, state, output, out, columns, "output")
        content = repeated(state, columns)
        append_only = out.append_only
    writer.setup.append(f"CREATE OR REPLACE VIEW {read} AS {content}")
    writer.teardown.insert(0, f"DROP VIEW IF EXISTS {read}")
    lookup = {n: spell(tree) for n, tree in volatile}
    public = ", ".join(f"{lookup[n]} AS {quote(n)}" if n in lookup else quote(n) for n, _ in items)
    return Program(
        oid=oid,
        name=name,
        inputs=_inputs(plan),
        output=output,
        columns=columns,
        setup=tuple(writer.setup),
        temps=tuple(writer.temps),
        initial=from_nothing(writer.steps),
        steps=tuple(writer.steps),
        teardown=tuple(writer.teardown),
        state_tables=tuple(writer.states),
        readable_sql=f"SELECT {public} FROM {read}",
        append_only=append_only,
        ticks=_ticks(plan),
        timers=tuple(writer.timers),
        rules=writer.rules(),
        notices=notices,
        volatile=tuple(lookup.items()),
        departs=departures(plan) + (() if ttl_us is None else (_FORGETS,)),
        watermarks=passed_on(Project(root, tuple(stored))),
        keyed=tuple(writer.keyed),
        emit_columns=tuple(
            (n, lookup[n].replace("_vs_now()", NOW_SQL) if n in lookup else quote(n))
            for n, _ in items
        ),
    )


def _ticks(plan: Plan) -> bool:
    """Tell whether a watermark may move without rows."""
    if isinstance(plan, WindowClose):
        return plan.idles
    if isinstance(plan, Session) and plan.closing is not None and plan.closing.idles:
        return True
    return any(_ticks(part) for part in children(plan))


def departures(plan: Plan) -> tuple[str, ...]:
    """Say why a view may differ from its query recomputed, where its law is another one."""
    found: list[str] = []
    if isinstance(plan, TemporalJoin):
        found.append("a temporal join keeps the match of the moment")
    if isinstance(plan, Join) and forgotten(plan):
        found.append("an interval join forgets rows that only late ones could meet")
    if isinstance(plan, Changelog):
        found.append("a changelog keeps what was")
    for part in children(plan):
        found += departures(part)
    return tuple(dict.fromkeys(found))


def _inputs(plan: Plan) -> tuple[str, ...]:
    """Return the deltas that make a program run: what it reads, and what moves its watermark."""
    deltas = [relation.delta for relation in relations(plan)]
    if isinstance(plan, WindowClose):
        deltas += [f"d_{oid}" for oid in sorted(plan.sources)]
    elif isinstance(plan, Session) and plan.closing is not None:
        deltas += [f"d_{oid}" for oid in sorted(plan.closing.sources)]
    else:
        deltas += [delta for part in children(plan) for delta in _inputs(part)]
    return tuple(dict.fromkeys(deltas))


def from_nothing(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps of the first run: those that read nothing are run in that one alone."""
    return tuple(replace(step, needs_all=True) if not step.reads else step for step in steps)


def _consolidated(stream: Stream) -> Stream:
    """Let rows that were both added and taken back in one epoch cancel out."""
    names = column_list(stream.columns)
    sql = f'SELECT {names}, "_w" FROM ({stream.sql})' if stream.append_only else netted(stream)
    return Stream(sql, stream.reads, stream.columns, stream.append_only, False)


def repeated(state: str, columns: tuple[str, ...]) -> str:
    """Print a stored bag's rows as often as they count; nearly all count once."""
    names = column_list(columns)
    return (
        f'SELECT {names} FROM {state} WHERE "_w" = 1 UNION ALL '
        f'SELECT {names} FROM (SELECT *, unnest(range("_w")) FROM {state} WHERE "_w" > 1)'
    )


def emit_sink(oid: int, name: str, plan: Plan, items: Items) -> Program:
    """Write the program of a sink: its delta goes to the outbox, nothing is kept."""
    writer = Writer(oid, name)
    _share(writer, plan)
    output = f"d_{oid}"
    root, stored, volatile = stable_root(plan, items)
    stream = delta_of(writer, root)
    writer.rule("sink", "the delta goes to the outbox", "delta")
    out = _consolidated(project_delta(Project(root, tuple(stored)), stream))
    writer.temp(out.sql, out.reads, "output", name=output)
    lookup = {n: spell(tree).replace("_vs_now()", NOW_SQL) for n, tree in volatile}
    return Program(
        oid=oid,
        name=name,
        inputs=_inputs(plan),
        output=output,
        columns=tuple(n for n, _ in stored),
        setup=tuple(writer.setup),
        temps=tuple(writer.temps),
        initial=from_nothing(writer.steps),
        steps=tuple(writer.steps),
        teardown=tuple(writer.teardown),
        state_tables=tuple(writer.states),
        readable_sql="",
        append_only=out.append_only,
        ticks=_ticks(plan),
        timers=tuple(writer.timers),
        rules=writer.rules(),
        keyed=tuple(writer.keyed),
        emit_columns=tuple((n, lookup.get(n, quote(n))) for n, _ in items),
    )
