"""Random queries over every operator that is maintained, and some that are not.

A new operator gets a function here, marked ``@form()``: it takes the decisions and the relations to
choose from, and returns a query that has one right answer. VOLTSTREAM_PROPERTY_FORMS=join,window
makes queries of these forms only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


@dataclass(frozen=True)
class Choice:
    """Random decisions that hypothesis can shrink."""

    draw: Callable[[st.SearchStrategy[object]], object]

    def of(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def below(self, end: int) -> int:
        number = self.draw(st.integers(0, end - 1))
        assert isinstance(number, int)
        return number

    def chance(self, per_cent: int) -> bool:
        return self.below(100) >= 100 - per_cent

    def some(self, options: Sequence[T], least: int = 1) -> list[T]:
        chosen = [option for option in options if self.chance(50)]
        return chosen if len(chosen) >= least else list(options[:least])


@dataclass(frozen=True)
class Shape:
    """A relation's name and columns by type: int, text, float, numeric, time, bool."""

    name: str
    columns: tuple[tuple[str, str], ...]

    def named(self, *types: str) -> list[str]:
        return [name for name, type_name in self.columns if type_name in types]


@dataclass(frozen=True)
class Query:
    """A query and its output; ``bounded`` means it is empty when its inputs are."""

    sql: str
    columns: tuple[tuple[str, str], ...]
    bounded: bool = True


Form = Callable[[Choice, Sequence[Shape]], Query]
FORMS: dict[str, Form] = {}
_WEIGHTED: list[str] = []


def form(weight: int = 1) -> Callable[[Form], Form]:
    """Make a function one of the forms that queries take; ``weight`` is how often."""

    def register(made: Form) -> Form:
        FORMS[made.__name__] = made
        _WEIGHTED.extend([made.__name__] * weight)
        return made

    return register


def literal(choose: Choice, type_name: str) -> str:
    match type_name:
        case "int":
            return str(choose.below(8) - 2)
        case "text":
            return choose.of(["'a'", "'b'", "'c'", "''"])
        case "float":
            return f"{(choose.below(40) - 10) / 4}::double precision"
        case "numeric":
            return f"{(choose.below(4000) - 1000) / 100}::numeric(10,2)"
        case "time":
            clock = f"00:{choose.below(40):02d}:{choose.of([0, 0, 30]):02d}"
            return f"'2026-01-01 {clock}+00'::timestamptz"
        case _:
            return choose.of(["true", "false"])


# What raises for some rows (a view shows NULL there) -> the same, asked so that nothing raises.
_TAMED = (
    (re.compile(r"12 / \(((?:\w+\.)?\w+)\)"), r"12 / NULLIF(\1, 0)"),
    (re.compile(r"SQRT\(((?:\w+\.)?\w+)\)"), r"CASE WHEN \1 >= 0 THEN SQRT(\1) END"),
    (re.compile(r"CAST\((\w+\.\w+) AS SMALLINT\)"), r"CAST(NULL AS SMALLINT)"),
)


def tamed(sql: str) -> str:
    """Return the query that gives, in place of raising, the NULL which a view shows."""
    for wild, tame in _TAMED:
        sql = wild.sub(tame, sql)
    return sql


def raising(choose: Choice, shape: Shape, alias: str) -> tuple[str, str]:
    """Return an expression that raises for some rows, and its type."""
    able = [column for column in shape.columns if column[1] in ("int", "text", "float")]
    name, type_name = choose.of(able)
    column = f"{alias}.{name}"
    match type_name:
        case "int":
            return f"12 / ({column})", "int"
        case "float":
            return f"SQRT({column})", "float"
        case _:  # No text of these cases is a number.
            return f"CAST({column} AS SMALLINT)", "int"


def condition(choose: Choice, shape: Shape, alias: str) -> str:
    name, type_name = choose.of(shape.columns)
    column = f"{alias}.{name}"
    match choose.below(6):
        case 0:
            return f"{column} IS {choose.of(['', 'NOT '])}NULL"
        case 1 if type_name in ("int", "text"):
            values = ", ".join(literal(choose, type_name) for _ in range(3))
            return f"{column} IN ({values})"
        case 2:
            left, right = condition(choose, shape, alias), condition(choose, shape, alias)
            return f"({left} {choose.of(['AND', 'OR'])} {right})"
        case 3 if type_name == "bool":
            return column
        case _:
            return f"{column} {choose.of(['<', '>', '=', '<>', '>='])} {literal(choose, type_name)}"


def expression(choose: Choice, shape: Shape, alias: str) -> tuple[str, str]:
    """Return an expression and its type; one of ten raises for some rows."""
    if choose.chance(10):
        return raising(choose, shape, alias)
    name, type_name = choose.of(shape.columns)
    column = f"{alias}.{name}"
    match choose.below(7), type_name:
        case 0, "int":
            return f"{column} + {choose.below(5)}", "int"
        case 1, "int":
            return f"{column} / 2", "int"
        case 2, "text":
            return f"{column} || 'x'", "text"
        case 3, _:
            return f"COALESCE({column}, {literal(choose, type_name)})", type_name
        case 4, _:
            when = condition(choose, shape, alias)
            return f"CASE WHEN {when} THEN {literal(choose, 'int')} END", "int"
        case 5, "float":
            return f"{column} * 2", "float"
        case _:
            return column, type_name


def _outputs(parts: list[tuple[str, str]]) -> tuple[str, tuple[tuple[str, str], ...]]:
    named = [(sql, f"c{place}", type_name) for place, (sql, type_name) in enumerate(parts)]
    text = ", ".join(f"{sql} AS {name}" for sql, name, _ in named)
    return text, tuple((name, type_name) for _, name, type_name in named)


def _where(choose: Choice, shape: Shape, alias: str, per_cent: int = 50) -> str:
    if not choose.chance(per_cent):
        return ""
    if choose.chance(10):
        return f" WHERE {raising(choose, shape, alias)[0]} > 1"
    return f" WHERE {condition(choose, shape, alias)}"


@form()
def projection(choose: Choice, relations: Sequence[Shape]) -> Query:
    shape = choose.of(relations)
    text, columns = _outputs([expression(choose, shape, "x") for _ in range(1 + choose.below(4))])
    return Query(f"SELECT {text} FROM {shape.name} x{_where(choose, shape, 'x', 80)}", columns)


def _computed(choose: Choice, column: str, type_name: str) -> str:
    """Return a join key: a column, or something computed of it."""
    if not choose.chance(25):
        return column
    if choose.chance(20) and type_name == "int":
        return f"12 / ({column})"
    return {"int": f"{column} % 3", "text": f"UPPER({column})"}.get(type_name, column)


def _joined(
    choose: Choice, relations: Sequence[Shape]
) -> tuple[str, list[tuple[Shape, str]]] | None:
    left, right = choose.of(relations), choose.of(relations)
    pairs = [
        (mine, yours)
        for mine, first in left.columns
        for yours, second in right.columns
        if first == second and first in ("int", "text", "time")
    ]
    if not pairs:
        return None
    mine, yours = choose.of(pairs)
    kind = choose.of(["JOIN", "LEFT JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
    extra = ""
    if choose.chance(40):
        extra = f" AND {condition(choose, right, 'y')}"
    elif choose.chance(30) and left.named("int") and right.named("int"):
        extra = f" AND x.{choose.of(left.named('int'))} <= y.{choose.of(right.named('int'))}"
    if kind == "FULL JOIN":
        extra = ""
    kinds = dict(left.columns)
    one = _computed(choose, f"x.{mine}", kinds[mine])
    other = _computed(choose, f"y.{yours}", kinds[mine])
    text = f"{left.name} x {kind} {right.name} y ON {one} = {other}{extra}"
    return text, [(left, "x"), (right, "y")]


@form(weight=2)
def join(choose: Choice, relations: Sequence[Shape]) -> Query:
    found = _joined(choose, relations)
    if found is None:
        return projection(choose, relations)
    text, sides = found
    parts = [expression(choose, *choose.of(sides)) for _ in range(2 + choose.below(3))]
    chosen, columns = _outputs(parts)
    where = f" WHERE {condition(choose, *choose.of(sides))}" if choose.chance(25) else ""
    return Query(f"SELECT {chosen} FROM {text}{where}", columns)


def _aggregate(choose: Choice, shape: Shape, alias: str) -> tuple[str, str]:
    numbers = shape.named("int", "float", "numeric")
    kinds = ["count"] + (["sum", "avg"] if numbers else []) + ["min", "max", "distinct", "any"]
    match choose.of(kinds):
        case "sum" if choose.chance(20):
            made = f"SUM({raising(choose, shape, alias)[0]})", "float"
        case "sum":
            name = choose.of(numbers)
            made = f"SUM({alias}.{name})", "numeric"
        case "avg":
            made = f"AVG({alias}.{choose.of(numbers)})", "float"
        case "min" | "max" as word:
            name, type_name = choose.of(
                [c for c in shape.columns if c[1] != "bool"] or [("1", "int")]
            )
            made = f"{word.upper()}({alias}.{name})", type_name
        case "distinct":
            made = f"COUNT(DISTINCT {alias}.{choose.of(shape.columns)[0]})", "int"
        case "any":
            made = f"COUNT({alias}.{choose.of(shape.columns)[0]})", "int"
        case _:
            made = "COUNT(*)", "int"
    if choose.chance(30):
        made = f"{made[0]} FILTER (WHERE {condition(choose, shape, alias)})", made[1]
    return made


def _aggregates(choose: Choice, shape: Shape, alias: str) -> list[tuple[str, str]]:
    return [_aggregate(choose, shape, alias) for _ in range(1 + choose.below(4))]


@form(weight=3)
def grouping(choose: Choice, relations: Sequence[Shape]) -> Query:
    shape = choose.of(relations)
    source, sides = f"{shape.name} x", [(shape, "x")]
    if choose.chance(30):
        source, sides = _joined(choose, relations) or (source, sides)
    side = choose.of(sides)
    keyed = [c for c in side[0].columns if c[1] in ("int", "text", "bool", "time")]
    keys = [(f"{side[1]}.{name}", kind) for name, kind in choose.some(keyed)[:2]] if keyed else []
    if keys and choose.chance(10):
        keys[-1] = raising(choose, *side)
    if not keys or choose.chance(10):
        chosen, columns = _outputs(_aggregates(choose, *side))
        return Query(f"SELECT {chosen} FROM {source}", columns, bounded=False)
    chosen, columns = _outputs(keys + _aggregates(choose, *choose.of(sides)))
    where = f" WHERE {condition(choose, *choose.of(sides))}" if choose.chance(40) else ""
    having = f" HAVING COUNT(*) {choose.of(['>', '<', '='])} {1 + choose.below(3)}"
    return Query(
        f"SELECT {chosen} FROM {source}{where} GROUP BY {', '.join(key for key, _ in keys)}"
        f"{having if choose.chance(30) else ''}",
        columns,
    )


@form()
def window(choose: Choice, relations: Sequence[Shape]) -> Query:
    timed = [shape for shape in relations if shape.named("time")]
    if not timed:
        return grouping(choose, relations)
    shape = choose.of(timed)
    column = choose.of(shape.named("time"))
    relation = shape.name
    if choose.chance(40):
        relation = f"(SELECT * FROM {shape.name} q{_where(choose, shape, 'q', 100)})"
    call = f"TUMBLE({relation}, {column}, INTERVAL '5 minutes')"
    if choose.chance(50):
        call = f"HOP({relation}, {column}, INTERVAL '5' MINUTE, INTERVAL '15' MINUTE)"
    keyed = shape.named("int", "text")
    keys = ["window_start", "window_end"] + ([choose.of(keyed)] if keyed else [])
    kinds = dict(shape.columns)
    parts = [(key, kinds.get(key, "time")) for key in keys]
    # A plain name: the window relation has no alias of its own.
    found = [(sql.replace("x.", ""), kind) for sql, kind in _aggregates(choose, shape, "x")]
    chosen, columns = _outputs(parts + found)
    return Query(f"SELECT {chosen} FROM {call} GROUP BY {', '.join(keys)}", columns)


@form()
def union(choose: Choice, relations: Sequence[Shape]) -> Query:
    first = choose.of(relations)
    wanted = [kind for _, kind in choose.some(first.columns)[:3]]
    able = [s for s in relations if all(s.named(kind) for kind in wanted)]
    branches = []
    for place in range(2 + choose.below(2)):
        shape = first if place == 0 else choose.of(able)
        parts = [(f"x.{choose.of(shape.named(kind))}", kind) for kind in wanted]
        chosen, columns = _outputs(parts)
        branches.append(f"SELECT {chosen} FROM {shape.name} x{_where(choose, shape, 'x')}")
    return Query(" UNION ALL ".join(branches), columns)


@form(weight=2)
def latest(choose: Choice, relations: Sequence[Shape]) -> Query:
    shape = choose.of(relations)
    keys = [f"x.{name}" for name, _ in choose.some(shape.columns)[:1]]
    rest = [f"x.{name}" for name, _ in shape.columns if f"x.{name}" not in keys]
    # Ordered by every column: rows that tie are equal, so there is one right answer.
    order = keys + [f"{name}{choose.of(['', ' DESC', ' DESC NULLS LAST'])}" for name in rest]
    chosen, columns = _outputs([(f"x.{name}", kind) for name, kind in shape.columns])
    where = _where(choose, shape, "x", 30)
    return Query(
        f"SELECT DISTINCT ON ({', '.join(keys)}) {chosen} FROM {shape.name} x{where} "
        f"ORDER BY {', '.join(order)}",
        columns,
    )


@form()
def temporal(choose: Choice, relations: Sequence[Shape]) -> Query:
    timed = [shape for shape in relations if shape.named("time")]
    if not timed:
        return projection(choose, relations)
    shape = choose.of(timed)
    column = f"x.{choose.of(shape.named('time'))}"
    minutes = choose.of([1, 5, 10])
    cut = choose.of([
        f"{column} > NOW() - INTERVAL '{minutes} minutes'",
        f"{column} < NOW() - INTERVAL '{minutes} minutes'",
        f"EXTRACT(EPOCH FROM (NOW() - {column})) / 60.0 > {minutes}",
    ])  # fmt: skip
    if choose.chance(30):
        cut += f" AND {condition(choose, shape, 'x')}"
    chosen, columns = _outputs([(f"x.{name}", kind) for name, kind in shape.columns])
    return Query(f"SELECT {chosen} FROM {shape.name} x WHERE {cut}", columns)


@form()
def recomputed(choose: Choice, relations: Sequence[Shape]) -> Query:
    """Return a query outside the maintained operators: it is recomputed and compared."""
    shape = choose.of(relations)
    chosen, columns = _outputs([(f"x.{name}", kind) for name, kind in shape.columns])
    names = ", ".join(f"x.{name}" for name, _ in shape.columns)
    match choose.below(4):
        case 0:
            sql = f"SELECT DISTINCT {chosen} FROM {shape.name} x"
        case 1:
            sql = f"SELECT {chosen} FROM {shape.name} x ORDER BY {names} LIMIT 3"
        case 2:
            other = choose.of(relations)
            mine, yours = shape.named("int", "text"), other.named("int", "text")
            kinds, theirs = dict(shape.columns), dict(other.columns)
            pairs = [(a, b) for a in mine for b in yours if kinds[a] == theirs[b]]
            if not pairs:
                return projection(choose, relations)
            a, b = choose.of(pairs)
            sql = (
                f"SELECT {chosen} FROM {shape.name} x WHERE "
                f"EXISTS (SELECT 1 FROM {other.name} y WHERE y.{b} = x.{a})"
            )
        case _:
            key = choose.of(shape.columns)[0]
            sql = f"SELECT {chosen}, COUNT(*) OVER (PARTITION BY x.{key}) AS n FROM {shape.name} x"
            columns = (*columns, ("n", "int"))
    return Query(sql, columns)


_ASKED = os.environ.get("VOLTSTREAM_PROPERTY_FORMS", "")


def query(choose: Choice, relations: Sequence[Shape]) -> Query:
    names = [name for name in _WEIGHTED if not _ASKED or name in _ASKED.split(",")]
    return FORMS[choose.of(names)](choose, relations)
