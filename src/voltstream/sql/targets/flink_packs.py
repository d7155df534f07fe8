"""Rows as one text in Flink: what sorts as their place does, and their fields behind it.

The greatest of such texts is the latest row with all of its fields, without a join.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from voltstream.core.types import DataType, Kind
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.flink_text import inner
from voltstream.sql.targets.flink_times import micros
from voltstream.sql.targets.words import INTEGERS, MOMENTS, Sight, Tree, Words

_BETWEEN, _NONE, _END = "U&'\\0001'", "U&'\\0002'", "U&'\\0003'"  # Less than any letter.
_SHIFT = 4_611_686_018_427_387_904  # Numbers are not negative behind it.
_WHOLE = DataType(Kind.NUMERIC, 0, 38, 10)


def packed(words: Words, place: str, fields: Sequence[Tree]) -> str:
    """Spell a row: its place, which is a text, and fields of it."""
    told = [f"COALESCE(CAST({inner(field)} AS STRING), {_NONE})" for field in fields]
    return f"CONCAT({', '.join([place, *(part for one in told for part in (_BETWEEN, one))])})"


def unpacked(words: Words, text: str, number: int, kind: DataType) -> Tree:
    """Return a field of a packed row, counted from 1."""
    if kind.kind in (Kind.BYTEA,) or kind.array_depth or kind.fields:
        words.remarks.meet(Feature.FUNCTION, f"the nearest row's {kind.pg_name}")
    told = f"NULLIF(SPLIT_INDEX({text}, {_BETWEEN}, {number}), {_NONE})"
    return exp.Var(this=f"CAST({told} AS {words.type(kind)})")


def number_text(number: str) -> str:
    """Spell an integer as text that sorts as it does."""
    return f"LPAD(CAST({number} + {_SHIFT} AS STRING), 20, '0')"


def sortable(words: Words, tree: Tree, sight: Sight) -> str | None:
    """Spell a value as text that sorts as it does; None where there is none."""
    kind, told = sight.type_of(tree), inner(words.tree(tree, sight))
    if kind.kind in MOMENTS:
        return number_text(micros(words, tree, sight))
    if kind.kind in INTEGERS:
        return number_text(told)
    if kind.kind is Kind.BOOL:
        return f"CASE WHEN {told} THEN '1' WHEN NOT {told} THEN '0' END"
    if kind.kind in (Kind.TEXT, Kind.VARCHAR, Kind.NAME):
        return f"CONCAT({told}, {_END})"
    if kind.kind is Kind.NUMERIC and (kind.scale or 0) <= 10 and (kind.precision or 38) <= 28:
        shifted = (
            f"CAST({told} AS DECIMAL(38, 10)) + CAST('1000000000000000000' AS DECIMAL(38, 10))"
        )
        return f"LPAD(CAST(CAST({shifted} AS DECIMAL(38, 10)) AS STRING), 40, '0')"
    return None
