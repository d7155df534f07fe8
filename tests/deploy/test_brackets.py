"""Expressions in a target's words mean what they meant: whatever operation stands in which."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from voltstream.core.types import DataType, Kind
from voltstream.sql.targets.features import Remarks, Verdicts
from voltstream.sql.targets.flink import VERDICTS as FLINK
from voltstream.sql.targets.flink import FlinkWords
from voltstream.sql.targets.risingwave import VERDICTS as RISINGWAVE
from voltstream.sql.targets.risingwave import RisingWaveWords
from voltstream.sql.targets.timescaledb import VERDICTS as TIMESCALEDB
from voltstream.sql.targets.timescaledb import TimescaleWords
from voltstream.sql.targets.words import Sight, Tree, Words

TARGETS: list[tuple[type[Words], Verdicts]] = [
    (FlinkWords, FLINK), (RisingWaveWords, RISINGWAVE), (TimescaleWords, TIMESCALEDB),
]  # fmt: skip
_ROWS = "VALUES (1, 2, 3), (-4, 5, NULL), (7, -8, 9), (0, 1, -1)"


def _tried(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """What the planner tries is one word in the store, and none in a target."""
    return texts | texts.map(lambda text: f"TRY({text})")


def _numbers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, st.sampled_from("+-*"), inner)
    made = pairs.map(lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})")
    return _tried(made | inner.map(lambda text: f"-({text})"))


NUMBERS = st.recursive(st.sampled_from(["a", "b", "c", "2"]), _numbers, max_leaves=6)


def _conditions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, st.sampled_from(["AND", "OR"]), inner)
    made = pairs.map(lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})")
    return _tried(made | inner.map(lambda text: f"NOT ({text})"))


_COMPARED = st.tuples(NUMBERS, st.sampled_from(["<", ">=", "="]), NUMBERS).map(
    lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
)
CONDITIONS = st.recursive(
    _tried(_COMPARED) | NUMBERS.map(lambda text: f"({text}) IS NULL"), _conditions, max_leaves=4
)


def _planned(text: str) -> Tree:
    """Return the tree as a plan has it: what is tried is a call, without brackets around it."""
    tree = parse_one(text.replace("TRY(", "_try("), read="duckdb")
    assert isinstance(tree, exp.Expression)
    for one in tree.find_all(exp.Anonymous):
        one.set("this", "TRY")
    return tree.transform(_without_brackets)


def _without_brackets(node: Tree) -> Tree:
    inside = node
    while isinstance(inside, exp.Paren):
        inside = inside.this
    return inside if isinstance(inside, exp.Anonymous | exp.Column) else node


def _answer(text: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as there:
        return there.execute(f"SELECT {text} FROM ({_ROWS}) AS t (a, b, c)").fetchall()


@pytest.mark.parametrize(("words", "verdicts"), TARGETS)
@settings(deadline=None)
@given(text=NUMBERS | CONDITIONS)
def test_operations_stay_together(words: type[Words], verdicts: Verdicts, text: str) -> None:
    names: dict[str, Tree] = {name: exp.column(name) for name in "abc"}
    sight = Sight(names, lambda _: DataType(Kind.INT8))
    made = words(Remarks(verdicts)).tree(_planned(text), sight)
    assert _answer(made.sql(dialect="duckdb")) == _answer(text)
