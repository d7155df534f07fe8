"""Rows out of a number, in Flink: a text of so many parts is split, and its parts are counted."""

from __future__ import annotations

from sqlglot import exp

from voltstream.core.types import Kind
from voltstream.sql.expressions import column
from voltstream.sql.plan import Project, SeriesToNow
from voltstream.sql.scope import Typer
from voltstream.sql.targets.compose import Block, Composer
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.flink_text import inner, spelled
from voltstream.sql.targets.flink_times import constant_span, micros, span_us
from voltstream.sql.targets.words import INTEGERS, MOMENTS, Sight, Tree, bare, constant

CLOCK = "voltstream_clock"  # The view of the latest tick: its one row has the column now_at.
TICKS = "voltstream_ticks"
_MILLISECOND = "INTERVAL '0.001' SECOND"  # Times what is not constant: such is not worked out.
_START, _STEP, _COUNT, _PART, _NUMBER = "_start", "_step", "_count", "_part", "_number"


def expanded(composer: Composer, plan: Project) -> Block:
    """Write a projection in which one column is generate_series with a constant step."""
    words = composer.words
    words.remarks.meet(Feature.SERIES)
    block = composer.open(composer.block(plan.child))
    sight = Sight(block.names, Typer(composer.oracle, plan.child).of)
    names, series, step = dict[str, Tree](), "", ""
    for name, tree in plan.items:
        call = _series_of(tree)
        if call is None:
            names[name] = words.tree(tree, sight)
            continue
        if series:
            words.remarks.meet(Feature.FUNCTION, "two series in one select list")
        series = name
        names[_START] = words.tree(call[0], sight)
        step, names[_COUNT] = _steps(composer, call, sight)
        if sight.type_of(call[0]).kind in MOMENTS:
            names[_STEP], step = exp.Var(this=step), ""
    if not series:
        words.remarks.meet(Feature.FUNCTION, "a set-returning function but generate_series")
    made = _rows(composer, composer.nested(Block(block.select, names)))
    number = f"(`{_NUMBER}` - 1)"
    by = f"{step} * {number}" if step else f"{_MILLISECOND} * (`{_STEP}` * {number})"
    value, kind = f"`{_START}` + {by}", Typer(composer.oracle, plan).of(column(series))
    if kind.kind in MOMENTS:
        value = _opaque(value, words.type(kind))
    made.names[series] = exp.Var(this=value)
    return composer.nested(Block(made.select, {name: made.names[name] for name in plan.columns}))


def to_now(composer: Composer, plan: SeriesToNow) -> Block:
    """Write rows up to the clock: their number changes when a tick has passed a step."""
    words = composer.words
    words.remarks.meet(Feature.SERIES_TO_NOW)
    sight = Sight({}, Typer(composer.oracle, plan).of)
    step_us = _step_us(composer, plan.step)
    begin = micros(words, plan.start, sight)
    now = "(EXTRACT(EPOCH FROM `tick`) * 1000000 + EXTRACT(MICROSECOND FROM `tick`))"
    passed = f"CASE WHEN {now} >= {begin} THEN ({now} - {begin}) / {step_us} + 1 ELSE 0 END"
    select = exp.Select().from_(exp.Table(this=exp.to_identifier(TICKS)))
    most = exp.Var(this=f"CAST(MAX({passed}) AS INT)")
    made = _rows(composer, composer.nested(Block(select, {_COUNT: most}, closed=True)))
    start = spelled(words.tree(plan.start, sight))
    passed = f"{_MILLISECOND} * (CAST({step_us // 1000} AS BIGINT) * (`{_NUMBER}` - 1))"
    word = words.type(sight.type_of(plan.start))
    names: dict[str, Tree] = {plan.name: exp.Var(this=_opaque(f"{start} + {passed}", word))}
    return composer.nested(Block(made.select, names))


def _opaque(value: str, word: str) -> str:
    """Hide a sum with an interval from Flink's planner, which falls over it in aggregates."""
    return f"IF(`{_NUMBER}` > 0, {value}, CAST(NULL AS {word}))"


def _series_of(tree: Tree) -> tuple[Tree, Tree, Tree] | None:
    """Return start, end and step of UNNEST(GENERATE_SERIES(…)); None for any other expression."""
    tree = bare(tree)
    call = bare(tree.this) if isinstance(tree, exp.Explode | exp.Unnest) else None
    parts: list[Tree | None]
    if isinstance(call, exp.GenerateSeries):
        parts = [call.args.get("start"), call.args.get("end"), call.args.get("step")]
    elif isinstance(call, exp.Anonymous) and call.name.lower() == "generate_series":
        parts = [*call.expressions, None][:3]
    else:
        return None
    start, end, step = parts
    if start is None or end is None:
        return None
    return start, end, step if step is not None else exp.Literal.number(1)


def _steps(composer: Composer, call: tuple[Tree, Tree, Tree], sight: Sight) -> tuple[str, Tree]:
    """Return the step as a factor of numbers, and how many values there are."""
    words, (start, end, step) = composer.words, call
    kind = sight.type_of(start).kind
    if kind in MOMENTS:
        us = inner(words.tree(step, sight))
        if not _is_whole(step, sight):
            words.remarks.meet(Feature.FUNCTION, "generate_series with such a step")
        first, last = micros(words, start, sight), micros(words, end, sight)
        told = f"CAST({us} / 1000 AS BIGINT)"
    else:
        number = constant(step)
        if kind not in INTEGERS or number is None or number <= 0:
            words.remarks.meet(Feature.FUNCTION, "generate_series with such a step")
        us = str(int(number or 1))
        first, last = (inner(words.tree(one, sight)) for one in (start, end))
        told = us
    steps = f"CAST(({last} - {first}) / {us} + 1 AS INT)"
    count = f"CASE WHEN {us} > 0 AND {last} >= {first} THEN {steps} ELSE 0 END"
    return told, exp.Var(this=count)


def _is_whole(step: Tree, sight: Sight) -> bool:
    """Tell whether a step is a number of milliseconds: constant, or an integer times that."""
    step = bare(step)
    span = constant_span(step)
    if span is not None:
        return not span.months and not span.us % 1000
    if isinstance(step, exp.Anonymous) and step.name.lower() in ("try", "_vs_interval_times"):
        parts = step.expressions
    elif isinstance(step, exp.Mul):
        parts = [step.this, step.expression]
    else:
        return False
    spans = [one for one in parts if sight.type_of(one).kind is Kind.INTERVAL]
    others = [one for one in parts if one not in spans]
    whole = all(sight.type_of(one).kind in INTEGERS for one in others)
    return len(spans) == 1 and whole and _is_whole(spans[0], sight)


def _step_us(composer: Composer, step: Tree) -> int:
    span = constant_span(step)
    us = span_us(composer.words, span) if span is not None else 0
    if us <= 0 or us % 1000:
        composer.words.remarks.meet(Feature.FUNCTION, "generate_series with such a step")
    return us or 1000


def _rows(composer: Composer, block: Block) -> Block:
    """Return each row as often as its count says, numbered from 1."""
    parts = f"UNNEST(SPLIT(REPEAT('x,', `{_COUNT}`), ',')) WITH ORDINALITY"
    alias = exp.TableAlias(
        this=exp.to_identifier(composer.fresh("s")),
        columns=[exp.to_identifier(name, quoted=True) for name in (_PART, _NUMBER)],
    )
    table = exp.Table(this=exp.Var(this=parts), alias=alias)
    block.select.join(table, join_type="cross", copy=False)
    block.select.where(exp.EQ(this=column(_PART), expression=exp.Literal.string("x")), copy=False)
    return Block(block.select, block.names)
