"""TUMBLE and HOP: projections to window rows, aligned to the epoch in UTC. SESSION: by gaps."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from voltstream.core.errors import InvalidParameter
from voltstream.sql.expressions import column, spell
from voltstream.sql.natives.intervals import parse_interval, store_literal
from voltstream.sql.plan import Filter, Plan, Project, Session, passthrough

WINDOW = "window"  # Marks the start of a window: its function, the time column, the intervals.
_DAY_US = 86_400_000_000
_ORIGIN = "TIMESTAMPTZ '1970-01-01 00:00:00+00'"
_INTERVAL = re.compile(r"\(INTERVAL '([^']*)'\s*(\w+)?\)")
_CALENDAR = re.compile(r"mon|year|quarter|decade|centur", re.IGNORECASE)


def windowed(plan: Plan, name: str, time: exp.Column, arguments: Sequence[exp.Expression]) -> Plan:
    """Return ``plan`` with window_start and window_end; rows without a time are dropped.

    Law: HOP(slide, size) puts a row once into each window [k*slide, k*slide + size).
    Raises: InvalidParameter (22023) for missing arguments or reserved column names.
    """
    wanted = {"TUMBLE": (1, 2), "HOP": (2, 3)}[name]
    if not wanted[0] <= len(arguments) <= wanted[1]:
        raise InvalidParameter(f"{name} takes a relation, a time column and {wanted[0]} intervals")
    _check_free(name, plan)
    start, size = _start_and_size(name, time, arguments)
    known = Filter(plan, exp.Not(this=exp.Is(this=time.copy(), expression=exp.Null())))
    first = _raw(start)
    first.meta[WINDOW] = (name, time.name, *map(_interval, arguments))
    started = Project(known, (*passthrough(plan.columns), ("window_start", first)))
    end = exp.Add(this=column("window_start"), expression=_raw(size))
    return Project(started, (*passthrough(started.columns), ("window_end", end)))


def in_sessions(plan: Plan, keys: Sequence[str], time: str, gap: exp.Expression) -> Plan:
    """Return ``plan`` with its sessions' window_start and window_end, the last time and a gap.

    Raises: InvalidParameter (22023) for reserved column names.
    """
    _check_free("SESSION", plan)
    last, size = "_session_end", _interval(gap)
    known = Filter(plan, exp.Not(this=exp.Is(this=column(time), expression=exp.Null())))
    found = Session(known, tuple(keys), time, size, "window_start", last)
    end = exp.Add(this=column(last), expression=_raw(size))
    kept = passthrough((*plan.columns, "window_start"))
    return Project(found, (*kept, ("window_end", end)))


def _check_free(name: str, plan: Plan) -> None:
    if {"window_start", "window_end"} & set(plan.columns):
        raise InvalidParameter(f"the input of {name} already has window_start or window_end")


def window_query(call: exp.Anonymous, alias: str) -> exp.Expression:
    """Return TUMBLE or HOP over any relation as a subquery, for statements that run once."""
    name = call.name.upper()
    source, time = call.expressions[0], call.expressions[1]
    if isinstance(source, exp.Column):
        alias = alias or source.name
        source = exp.Table(this=source.this.copy(), db=source.args.get("table"))
    start, size = _start_and_size(name, time, call.expressions[2:])
    text = spell(source)
    inner = f"SELECT *, {start} AS window_start FROM {text} WHERE {spell(time)} IS NOT NULL"
    outer = f"(SELECT *, window_start + {size} AS window_end FROM ({inner}))"
    return exp.Table(this=_raw(outer), alias=exp.TableAlias(this=exp.to_identifier(alias or "w")))


def _start_and_size(
    name: str, time: exp.Expression, arguments: Sequence[exp.Expression]
) -> tuple[str, str]:
    least = {"TUMBLE": 1, "HOP": 2}[name]
    sizes = [_interval(tree) for tree in arguments]
    offset = sizes[least] if len(sizes) > least else None
    if name == "TUMBLE":
        _positive(sizes[0])
        return _aligned(spell(time), sizes[0], offset), sizes[0]
    slide, size = sizes[0], sizes[1]
    _positive(slide, size)
    newest = _aligned(spell(time), slide, offset)
    count = f"(epoch_us({size}) + epoch_us({slide}) - 1) // epoch_us({slide})"
    starts = f"list_transform(range({count}), lambda i: {newest} - i * {slide})"
    return f"unnest(list_filter({starts}, lambda w: w + {size} > {spell(time)}))", size


def _positive(*widths: str) -> None:
    """Raises: InvalidParameter (22023) for a window without a length."""
    for width in widths:
        found = _INTERVAL.fullmatch(width)
        if found is None:
            continue
        span = parse_interval(found[1], (found[2] or "second").lower())
        if span.months * 30 * _DAY_US + span.days * _DAY_US + span.us <= 0:
            raise InvalidParameter(
                f"the size of a window must be positive, not {width[1:-1]}",
                hint="Write TUMBLE(relation, time, size) or HOP(relation, time, slide, size).",
            )


def _aligned(time: str, width: str, offset: str | None) -> str:
    """Return the last multiple of ``width`` since 1970; the type of the time stays what it is."""
    if _CALENDAR.search(width):
        return f"time_bucket({width}, {time}, {f'{_ORIGIN} + {offset}' if offset else _ORIGIN})"
    since = f"epoch_us({time}) - epoch_us({offset})" if offset else f"epoch_us({time})"
    size = f"epoch_us({width})"
    return f"({time} - to_microseconds((({since}) % {size} + {size}) % {size}))"


def _interval(tree: exp.Expression) -> str:
    bare = tree
    if isinstance(bare, exp.Literal) and bare.is_string:
        literal = store_literal(parse_interval(bare.name))
        bare = exp.Interval(this=exp.Literal.string(literal))
    return f"({spell(bare)})"


def _raw(text: str) -> exp.Expression:
    """Return DuckDB text as a tree that prints itself; lambdas have no portable node."""
    return exp.Var(this=text)
