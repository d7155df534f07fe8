"""Conditions: the store takes a number for true or false, PostgreSQL only a boolean."""

from __future__ import annotations

from sqlglot import exp

from voltstream.core.errors import DatatypeMismatch
from voltstream.core.types import Kind
from voltstream.sql.rules.tree import EXACT, FLOATS, TEXTS, TypeOf

# What is surely no condition; an untyped constant or parameter may be one.
_NEVER = EXACT | FLOATS | {
    Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.INTERVAL, Kind.JSONB, Kind.BYTEA,
}  # fmt: skip
_NAMES: dict[type[exp.Expr], str] = {
    exp.Where: "WHERE", exp.Having: "HAVING", exp.And: "AND", exp.Or: "OR", exp.Case: "CASE/WHEN",
}  # fmt: skip
_SHAPES = (exp.Literal, exp.Column, exp.Binary, exp.Cast, exp.Neg, exp.Anonymous, exp.Func)


def check(node: exp.Expression, type_of: TypeOf) -> None:
    """Raises: DatatypeMismatch (42804) if a clause has a condition that is no boolean."""
    for condition in _conditions(node):
        bare = condition.unnest()
        if isinstance(bare, exp.Predicate | exp.Connector) or not isinstance(bare, _SHAPES):
            continue
        if isinstance(bare, exp.Literal) and bare.is_string:
            continue
        found = type_of(condition)
        named = isinstance(bare, exp.Column) and found.kind in TEXTS
        if found.array_depth or found.kind in _NEVER or named:
            raise DatatypeMismatch(
                f"argument of {_NAMES[type(node)]} must be type boolean, "
                f"not type {Kind.TEXT.pg_name if named else found.pg_name}"
            )


def _conditions(node: exp.Expression) -> list[exp.Expression]:
    match node:
        case exp.Case():
            return [branch.this for branch in node.args["ifs"]]
        case exp.And() | exp.Or():
            return [node.this, node.args["expression"]]
        case _:
            return [node.this]
