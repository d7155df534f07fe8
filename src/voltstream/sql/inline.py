"""SQL functions: a call becomes the function's body, with the arguments in their places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlglot import exp

from voltstream.core.errors import LimitExceeded, UndefinedFunction
from voltstream.core.limits import FUNCTION_DEPTH_MAX

Tree = TypeVar("Tree", bound=exp.Expression)
FunctionFinder = Callable[[str | None, str, int], "SqlFunction | None"]


@dataclass(frozen=True, slots=True)
class SqlFunction:
    """A function in LANGUAGE SQL.

    Shape: ``parameters`` are (name or empty, store type); ``body`` is one expression.
    """

    name: str
    parameters: tuple[tuple[str, str], ...]
    returns: str | None
    body: exp.Expression


def inlined(tree: Tree, find: FunctionFinder, depth: int = 0) -> Tree:
    """Replace the calls of SQL functions below the root. Raises: LimitExceeded."""
    if depth > FUNCTION_DEPTH_MAX:
        raise LimitExceeded(
            f"functions call each other more than {FUNCTION_DEPTH_MAX} levels deep",
            hint="A SQL function cannot call itself.",
        )
    for node in list(tree.find_all(exp.Anonymous)):
        schema, whole = _qualifier(node)
        function = find(schema, node.name.lower(), len(node.expressions))
        if function is None:
            continue
        body: exp.Expression = inlined(exp.Paren(this=_applied(function, node)), find, depth + 1)
        if isinstance(whole.parent, exp.Select):  # An output is named after the function.
            name = exp.to_identifier(node.name.lower(), quoted=True)
            body = exp.Alias(this=body, alias=name)
        whole.replace(body)
    return tree


def sample_call(function: SqlFunction) -> exp.Select:
    """Return a query that calls a function with NULLs, to see whether its body binds."""
    arguments = [_cast(exp.Null(), kind) for _, kind in function.parameters]
    call = exp.Anonymous(this=function.name, expressions=arguments)
    return exp.select(exp.alias_(_applied(function, call), function.name, quoted=True))


def _qualifier(node: exp.Anonymous) -> tuple[str | None, exp.Expression]:
    parent = node.parent
    if isinstance(parent, exp.Dot) and parent.expression is node:
        return parent.this.name, parent
    return None, node


def _applied(function: SqlFunction, call: exp.Anonymous) -> exp.Expression:
    arguments = _arguments(function, call)

    def visit(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Parameter | exp.Placeholder) and node.name.isdigit():
            return arguments[int(node.name) - 1].copy()
        if isinstance(node, exp.Column) and node.table in ("", function.name):
            for index, (name, _) in enumerate(function.parameters):
                if name and name == node.name:
                    return arguments[index].copy()
        return node

    body: exp.Expression = function.body.copy().transform(visit)
    if isinstance(body, exp.Query):
        body = exp.Subquery(this=body)
    return body if function.returns is None else _cast(body, function.returns)


def _arguments(function: SqlFunction, call: exp.Anonymous) -> list[exp.Expression]:
    given: list[exp.Expression | None] = [None] * len(function.parameters)
    for index, argument in enumerate(call.expressions):
        place = index
        value = argument
        if isinstance(argument, exp.Kwarg | exp.PropertyEQ):
            wanted = argument.this.name
            names = [name for name, _ in function.parameters]
            if wanted not in names:
                raise UndefinedFunction(f'function {function.name} has no parameter "{wanted}"')
            place, value = names.index(wanted), argument.expression
        given[place] = _cast(value, function.parameters[place][1])
    if any(value is None for value in given):
        raise UndefinedFunction(f"an argument of function {function.name}() is missing")
    return [value for value in given if value is not None]


def _cast(value: exp.Expression, store_type: str) -> exp.Expression:
    return exp.Cast(this=value.copy(), to=exp.DataType.build(store_type, dialect="duckdb"))
