"""The compiler's front: a query in, an incremental program out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from voltstream.core.errors import DuplicateColumn, FeatureNotSupported, NotIncremental, SyntaxFault
from voltstream.core.schema import Schema
from voltstream.sql.catalog import CatalogReader, Relation, TypeOracle
from voltstream.sql.declared_forms import known_types
from voltstream.sql.emitter import emit, emit_sink, repeated
from voltstream.sql.exact import with_exact_sums
from voltstream.sql.expressions import mentions_now, quote, spell
from voltstream.sql.operators.recompute import recompute_delta
from voltstream.sql.operators.stream import Writer
from voltstream.sql.plan import Plan
from voltstream.sql.planner import Planned, Planner
from voltstream.sql.program import Program, Step
from voltstream.sql.pruning import pruned
from voltstream.sql.python_calls import lenient, refuse_volatile, with_kept_calls
from voltstream.sql.session_close import close_sessions, has_sessions
from voltstream.sql.streaming_words import reads_changelog
from voltstream.sql.translate import translated_tree
from voltstream.sql.watermarks import close_windows


def compile_view(
    name: str,
    oid: int,
    query: exp.Expression,
    column_names: Sequence[str],
    catalog: CatalogReader,
    oracle: TypeOracle,
    query_text: str,
    *,
    on_close: bool = False,
    ttl_us: int | None = None,
) -> Program:
    """Compile a materialized view; ``on_close`` shows windows once, when they are over.

    ``ttl_us`` is how long inputs are kept that the view keeps for itself.

    Raises: the binder's errors (42P01, 42703, 42702, 42803 …). A query without a delta rule is
    recomputed and compared in each epoch, and the program's notices say so.
    """
    refuse_volatile(query)
    query = query.copy()
    known_types(query, catalog)
    try:
        planned = Planner(catalog, oracle).plan(query)
    except NotIncremental as reason:
        if ttl_us is not None:
            raise FeatureNotSupported(f"state_ttl: {reason.message}") from reason
        _refuse_recomputing(query, reason, on_close=on_close)
        return _recomputed(name, oid, query, column_names, catalog, oracle, reason)
    _check_names(planned.repeated, len(planned.items), column_names)
    plan = with_exact_sums(planned.plan, oracle)
    plan = _closed(plan) if on_close else plan
    plan = pruned(plan, planned.items)
    plan, items = with_kept_calls(plan, _renamed(planned, column_names))
    return emit(oid, name, plan, items, (), ttl_us)


def compile_sink(
    name: str,
    oid: int,
    query: exp.Expression,
    catalog: CatalogReader,
    oracle: TypeOracle,
    *,
    on_close: bool = False,
) -> Program:
    """Compile a sink's query; NOW() is evaluated in the epoch that emits a row."""
    refuse_volatile(query)
    query = query.copy()
    known_types(query, catalog)
    try:
        planned = Planner(catalog, oracle).plan(query)
    except NotIncremental as reason:
        _refuse_recomputing(query, reason, on_close=on_close)
        return _recomputed(name, oid, query, (), catalog, oracle, reason)
    plan = with_exact_sums(planned.plan, oracle)
    plan = _closed(plan) if on_close else plan
    plan = pruned(plan, planned.items)
    plan, items = with_kept_calls(plan, planned.items)
    return emit_sink(oid, name, plan, items)


def _refuse_recomputing(query: exp.Expression, reason: NotIncremental, *, on_close: bool) -> None:
    """Raises: FeatureNotSupported (0A000) for what only deltas can give a meaning."""
    if on_close:
        raise FeatureNotSupported(f"EMIT ON WINDOW CLOSE: {reason.message}") from reason
    if reads_changelog(query):
        raise FeatureNotSupported(f"a changelog: {reason.message}") from reason
    if any(table.args.get("version") is not None for table in query.find_all(exp.Table)):
        raise FeatureNotSupported(f"FOR SYSTEM_TIME AS OF PROCTIME(): {reason.message}") from reason


def _closed(plan: Plan) -> Plan:
    return close_sessions(plan) if has_sessions(plan) else close_windows(plan)


def _check_names(repeated: str | None, width: int, given: Sequence[str]) -> None:
    """Raises: DuplicateColumn (42701), SyntaxFault (42601) for more names than columns."""
    if len(given) > width:
        raise SyntaxFault("CREATE MATERIALIZED VIEW specifies more column names than columns")
    twice = next((name for place, name in enumerate(given) if name in given[:place]), None)
    twice = twice or (repeated if len(given) < width else None)
    if twice is not None:
        raise DuplicateColumn(
            f'column "{twice}" specified more than once', hint="Give one of them another name."
        )


def _renamed(planned: Planned, names: Sequence[str]) -> list[tuple[str, exp.Expression]]:
    return [
        (names[i] if i < len(names) else name, tree) for i, (name, tree) in enumerate(planned.items)
    ]


def _recomputed(
    name: str,
    oid: int,
    query: exp.Expression,
    column_names: Sequence[str],
    catalog: CatalogReader,
    oracle: TypeOracle,
    reason: NotIncremental,
) -> Program:
    tree = lenient(translated_tree(query, catalog, oracle, (), stable_now=True))
    used = read_relations(query, catalog)
    ticks = mentions_now(tree) or any(relation.volatile for relation in used)
    sql = spell(tree)
    found = oracle.describe(sql)
    columns = _unique(found, column_names)
    shown = [column.name for column in found]
    twice = next((n for place, n in enumerate(shown) if n in shown[:place]), None)
    _check_names(twice, len(found), column_names)
    writer = Writer(oid, name)
    inputs = tuple(relation.delta for relation in used)
    state = recompute_delta(writer, sql, columns, inputs, f"d_{oid}")
    names = tuple(column.name for column in columns)
    read = f"_vs.mv_{oid}_read"
    writer.setup.append(f"CREATE OR REPLACE VIEW {read} AS {repeated(state, names)}")
    writer.teardown.insert(0, f"DROP VIEW IF EXISTS {read}")
    return Program(
        oid=oid,
        name=name,
        inputs=inputs,
        output=f"d_{oid}",
        columns=names,
        setup=tuple(writer.setup),
        temps=tuple(writer.temps),
        initial=_from_nothing(writer.steps),
        steps=tuple(writer.steps),
        teardown=tuple(writer.teardown),
        state_tables=tuple(writer.states),
        rules=writer.rules(),
        readable_sql=f"SELECT * FROM {read}",
        append_only=False,
        ticks=ticks,
        notices=(
            f'"{name}" is recomputed in each epoch that changes its inputs: {reason.message}',
        ),
        emit_columns=tuple((n, quote(n)) for n in names),
    )


def _unique(columns: Schema, names: Sequence[str]) -> Schema:
    seen: dict[str, int] = {}
    result = []
    for i, column in enumerate(columns):
        name = names[i] if i < len(names) else column.name
        seen[name] = seen.get(name, 0) + 1
        shown = name if seen[name] == 1 else f"{name}_{seen[name]}"
        result.append(type(column)(shown, column.store_type))
    return tuple(result)


def read_relations(query: exp.Expression, catalog: CatalogReader) -> tuple[Relation, ...]:
    """Return the stored relations a query reads, plain views opened."""
    local = {cte.alias for cte in query.find_all(exp.CTE)}
    found: dict[int, Relation] = {}
    for name, schema in _table_names(query):
        if not schema and name in local:
            continue
        relation = catalog.find(schema or None, name)
        if relation is None:
            continue
        if relation.view_query is not None:
            for inner in read_relations(relation.view_query, catalog):
                found.setdefault(inner.oid, inner)
        elif relation.delta:
            found.setdefault(relation.oid, relation)
    return tuple(found.values())


def _table_names(query: exp.Expression) -> list[tuple[str, str]]:
    names: list[tuple[str, str]] = []
    for table in query.find_all(exp.Table):
        if isinstance(table.this, exp.Anonymous):
            argument = table.this.expressions[0] if table.this.expressions else None
            if isinstance(argument, exp.Column):
                names.append((argument.name, argument.table))
        else:
            names.append((table.name, table.db))
    return names


def _from_nothing(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the steps with a first one that runs over empty inputs too: a count of none is 0."""
    return (replace(steps[0], reads=(), needs_all=True), *steps[1:])
