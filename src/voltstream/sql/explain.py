"""Every stage prints itself: EXPLAIN (AST | PLAN | INCREMENTAL | DUCKDB)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlglot import exp

from voltstream.core.errors import FeatureNotSupported, NotIncremental
from voltstream.sql.branches import unmarked
from voltstream.sql.catalog import CatalogReader, Relation, TypeOracle
from voltstream.sql.compiler import compile_view, read_relations
from voltstream.sql.expressions import spell
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
    append_only,
    children,
)
from voltstream.sql.planner import Planner
from voltstream.sql.program import Program, Step
from voltstream.sql.state_ttl import state_ttl_us
from voltstream.sql.statements import CreateSink, CreateView, Parsed, Query
from voltstream.sql.translate import translate_query
from voltstream.sql.watermarks import WATERMARK

_EXPLAINED_OID = 0
_CHANGES = re.compile(r"(INSERT INTO|DELETE FROM|UPDATE) (\S+)")
_VERBS = {"INSERT INTO": "adds to", "DELETE FROM": "deletes from", "UPDATE": "updates"}
_NUMBERED = re.compile(rf"(?:_vs\.)?([a-z]+)_{_EXPLAINED_OID}_(\d+)")


def explain(form: str, statement: Parsed, catalog: CatalogReader, oracle: TypeOracle) -> list[str]:
    """Return the lines of one stage. Raises: FeatureNotSupported (0A000) without a query."""
    tree = _query_of(statement)
    match form.upper():
        case "AST":
            return repr(tree).splitlines()
        case "PLAN":
            return _plan_lines(tree, catalog, oracle)
        case "INCREMENTAL":
            program = _program(statement, tree, catalog, oracle)
            return _program_lines(program, read_relations(tree, catalog))
        case "DUCKDB":
            if isinstance(statement, Query):
                return [translate_query(tree, catalog, oracle, ())]
            program = _program(statement, tree, catalog, oracle)
            return [*(unmarked(step.sql) for step in program.steps), program.readable_sql]
        case _:
            raise FeatureNotSupported(
                f"EXPLAIN has no form {form}", hint="Use AST, PLAN, INCREMENTAL or DUCKDB."
            )


def plan_json(lines: Sequence[str]) -> str:
    """Return a plan's lines as one JSON document: each line a node, what is below it its Plans."""
    roots: list[dict[str, Any]] = []
    above: list[tuple[int, dict[str, Any]]] = []
    for line in lines:
        depth = len(line) - len(line.lstrip(" "))
        while above and above[-1][0] >= depth:
            above.pop()
        node: dict[str, Any] = {"Node Type": line.strip().removeprefix("-> ")}
        if above:
            above[-1][1].setdefault("Plans", []).append(node)
        else:
            roots.append(node)
        above.append((depth, node))
    return json.dumps([{"Plan": node} for node in roots], indent=2, ensure_ascii=False)


def _program(
    statement: Parsed, tree: exp.Expression, catalog: CatalogReader, oracle: TypeOracle
) -> Program:
    name = statement.name.name if isinstance(statement, CreateView | CreateSink) else "query"
    ttl_us = state_ttl_us(statement.properties) if isinstance(statement, CreateView) else None
    return compile_view(name, _EXPLAINED_OID, tree, (), catalog, oracle, "", ttl_us=ttl_us)


def _program_lines(program: Program, inputs: tuple[Relation, ...]) -> list[str]:
    """Return rules and steps, with names that stay the same from one server to the next."""
    deltas = {relation.delta: f"d({relation.name})" for relation in inputs}
    deltas[program.output] = "d(view)"

    def name(internal: str) -> str:
        found = _NUMBERED.fullmatch(internal)
        if found:
            return f"{found[1]}{found[2]}"
        return deltas.get(internal, internal.removeprefix("_vs."))

    lines = [f"-- {notice}" for notice in program.notices] + ["inputs"]
    for relation in inputs:
        nature = "rows are only added" if relation.append_only else "rows come and go"
        lines.append(f"  {name(relation.delta)}: {relation.kind}, {nature}")
    lines.append("operators")
    for (law, cost, states), rules in groupby(program.rules, lambda r: (r.law, r.cost, r.states)):
        kept = ", ".join(name(state) for state in states) or "nothing"
        lines.append(f"  {', '.join(rule.operator for rule in rules)}: {law}")
        lines.append(f"    keeps {kept}; costs O({cost})")
    lines.append("steps of an epoch")
    for place, step in enumerate(program.steps, 1):
        changed = _CHANGES.match(step.sql)
        made = f" makes {name(step.makes)}" if step.makes else ""
        if changed:
            made = f" {_VERBS[changed[1]]} {name(changed[2])}"
        glue = " and " if step.needs_all else " or "
        asks = glue.join(name(read) for read in step.reads)
        asks += "".join(f" and not {name(read)}" for read in step.without)
        lines.append(f"  {place}. {step.operator}{made}, when {asks}{_condition(step)}")
    lines += [f"not recomputed: {reason}" for reason in program.departs]
    lines += [f"timer: {name(timer.relation)}" for timer in program.timers]
    if program.ticks:
        lines.append("tick: computed again as NOW() goes on")
    return lines


_FORMS = {
    ("near",): " while its rows are found near their keys",
    ("hashed",): " while its rows are found by hash",
    ("log",): " while it is a log",
}


def _condition(step: Step) -> str:
    if step.forms in _FORMS:
        return _FORMS[step.forms]
    if step.retractions_only:
        return " takes rows back"
    if step.appends_only:
        return " takes no rows back"
    return " and somebody reads the view's delta" if step.for_output else ""


def _query_of(statement: Parsed) -> exp.Expression:
    match statement:
        case Query(tree=tree):
            return tree
        case CreateView(query=query):
            return query
        case CreateSink(query=query) if query is not None:
            return query
        case _:
            raise FeatureNotSupported(
                "EXPLAIN takes a query, a view or a sink", hint="EXPLAIN SELECT …"
            )


def _plan_lines(tree: exp.Expression, catalog: CatalogReader, oracle: TypeOracle) -> list[str]:
    try:
        planned = Planner(catalog, oracle).plan(tree)
    except NotIncremental as reason:
        return [f"Recompute ({reason.message})"]
    outputs = ", ".join(f"{name} = {spell(item)}" for name, item in planned.items)
    return [f"Output {outputs}", *_node_lines(planned.plan, 1)]


def _node_lines(plan: Plan, depth: int) -> list[str]:
    nature = "append-only" if append_only(plan) else "changing"
    lines = ["  " * depth + f"-> {_title(plan)} [{nature}]"]
    for child in children(plan):
        lines += _node_lines(child, depth + 1)
    return lines


def _title(plan: Plan) -> str:
    match plan:
        case Scan(relation=relation):
            return f"Scan {relation.kind} {relation.schema}.{relation.name}"
        case Constant():
            return "Constant rows"
        case SeriesToNow(start=start, step=step):
            return f"Series from {spell(start)} to NOW() each {spell(step)}"
        case Filter(predicate=predicate):
            return f"Filter {spell(predicate)}"
        case Project(items=items):
            return "Project " + ", ".join(name for name, _ in items)
        case Union():
            return "Union all"
        case Join(kind=kind, keys=keys, rest=rest):
            on = [
                f"{spell(key.left)} {'IS NOT DISTINCT FROM' if key.null_safe else '='} "
                f"{spell(key.right)}"
                for key in keys
            ]
            on += [spell(rest)] if rest is not None else []
            return f"{kind.value} join on {' AND '.join(on) or 'TRUE'}"
        case AsofJoin(keys=keys, sign=sign):
            on = [f"{spell(key.left)} = {spell(key.right)}" for key in keys]
            on.append(f"{spell(plan.left_time)} {sign} {spell(plan.right_time)}")
            return f"Asof {'left ' if plan.outer else ''}join on {' AND '.join(on)}"
        case TemporalJoin(join=join):
            return f"Temporal {_title(join)}"
        case Changelog(key=key):
            return f"Changelog by ({', '.join(key)})"
        case GapFill(time=time, step=step, series=series):
            return f"Gap fill ({', '.join(series)}) by {time} each {step}"
        case SetOperation(verb=verb):
            return verb.value
        case Over(partition=partition, calls=calls):
            shown = ", ".join(f"{name} = {spell(call)}" for name, call in calls)
            return f"Over ({', '.join(partition)}) {shown}"
        case Ranked(partition=partition, order=order, function=function):
            by = ", ".join(key.sql() for key in order)
            return f"Top {plan.skip + 1} to {plan.last} of ({', '.join(partition)}) by {by}, " + (
                function
            )
        case Aggregate(groups=groups, calls=calls):
            shown = ", ".join(f"{name} = {spell(call)}" for name, call in calls)
            return f"Aggregate by ({', '.join(groups)}) {shown}".rstrip()
        case DistinctOn(keys=keys, order=order):
            return f"Distinct on ({', '.join(keys)}) by {', '.join(k.sql() for k in order)}"
        case Session(partition=partition, time=time, gap=gap):
            return f"Session ({', '.join(partition)}) by {time} within {gap}"
        case TimeFilter(lower=lower, upper=upper):
            bounds = [f"{spell(b)} <= NOW()" for b in lower]
            bounds += [f"NOW() < {spell(b)}" for b in upper]
            return f"Time filter {' AND '.join(bounds)}"
        case WindowClose(closed=closed):
            return f"Window close when {closed.replace(WATERMARK, 'watermark')}"
