"""PREPARE, EXECUTE and DEALLOCATE: statements kept by name, with places for arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from sqlglot import exp

from voltstream.core.errors import SyntaxFault
from voltstream.sql.cursor import Cursor, split_commas
from voltstream.sql.dialect import parse_expression, tokenize
from voltstream.sql.statements import (
    Deallocate,
    Delete,
    Execute,
    Insert,
    Merge,
    Parsed,
    Prepare,
    Query,
    Update,
)

Tree = TypeVar("Tree", bound=exp.Expression)
_PREPARABLE = (Query, Insert, Update, Delete, Merge)
ParseOne = Callable[[Cursor], Parsed]


def parse_prepare(cursor: Cursor, text: str, offset: int, parse_one: ParseOne) -> Prepare:
    """Parse PREPARE name [(type, …)] AS statement. Raises: SyntaxFault, FeatureNotSupported."""
    name = cursor.identifier()
    types: list[exp.Expression] = []
    if cursor.sees("("):
        for part in split_commas(cursor.parenthesized()):
            cast = f"CAST(NULL AS {cursor.slice_text(part)})"
            types.append(parse_expression(tokenize(cast), cast).args["to"])
    cursor.expect("AS")
    place = cursor.at
    target = parse_one(cursor)
    if not isinstance(target, _PREPARABLE):
        cursor.at = place
        raise cursor.unsupported(f"PREPARE of {cursor.word()}")
    return Prepare(text=text, offset=offset, name=name, types=tuple(types), target=target)


def parse_execute(cursor: Cursor, text: str, offset: int) -> Execute:
    """Parse EXECUTE name [(argument, …)]. Raises: SyntaxFault."""
    name = cursor.identifier()
    arguments: list[exp.Expression] = []
    if cursor.sees("("):
        parts = split_commas(cursor.parenthesized())
        arguments = [parse_expression(part, cursor.text) for part in parts]
    return Execute(text=text, offset=offset, name=name, arguments=tuple(arguments))


def parse_deallocate(cursor: Cursor, text: str, offset: int) -> Deallocate:
    """Parse DEALLOCATE [PREPARE] {name | ALL}. Raises: SyntaxFault."""
    cursor.accept("PREPARE")
    name = None if cursor.accept("ALL") else cursor.identifier()
    return Deallocate(text=text, offset=offset, name=name)


def executed(prepared: Prepare, call: Execute) -> Parsed:
    """Return the kept statement with the arguments in their places.

    Raises: SyntaxFault (42601) when their number is wrong.
    """
    target = prepared.target
    match target:
        case Query():
            return replace(target, tree=_filled(target.tree, prepared, call))
        case Insert():
            return replace(target, tree=_filled(target.tree, prepared, call))
        case Update():
            return replace(target, tree=_filled(target.tree, prepared, call))
        case Delete():
            return replace(target, tree=_filled(target.tree, prepared, call))
        case Merge():
            return replace(target, tree=_filled(target.tree, prepared, call))
        case _:
            return target


def _filled(tree: Tree, prepared: Prepare, call: Execute) -> Tree:
    filled = tree.copy()
    places = [
        node for node in filled.find_all(exp.Parameter, exp.Placeholder) if node.name.isdigit()
    ]
    wanted = max([len(prepared.types), *(int(node.name) for node in places)])
    if wanted != len(call.arguments):
        raise SyntaxFault(
            f'wrong number of parameters for prepared statement "{prepared.name}"',
            detail=f"Expected {wanted} parameters but got {len(call.arguments)}.",
        )
    for node in places:
        node.replace(_argument(prepared, call, int(node.name) - 1))
    return filled


def _argument(prepared: Prepare, call: Execute, index: int) -> exp.Expression:
    argument = call.arguments[index].copy()
    if index < len(prepared.types):
        return exp.Cast(this=argument, to=prepared.types[index].copy())
    return argument if isinstance(argument, exp.Literal) else exp.Paren(this=argument)
