"""Functions of users: a call becomes the function's body, with the arguments in their places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlglot import exp

from voltstream.core.errors import LimitExceeded, UndefinedFunction
from voltstream.core.limits import FUNCTION_DEPTH_MAX
from voltstream.sql.row_functions import ROWS_OF

Tree = TypeVar("Tree", bound=exp.Expression)
Call = exp.Anonymous
FunctionFinder = Callable[[str | None, str, Call], "SqlFunction | None"]


@dataclass(frozen=True, slots=True)
class SqlFunction:
    """A function of a user.

    Shape: ``parameters`` are (name or empty, store type). ``body`` is one expression; of a
    function that returns ``many`` rows, a query, or else an array of them. ``rows`` are the
    (name, store type) of its columns, when it has more to say than one value.
    """

    name: str
    parameters: tuple[tuple[str, str], ...]
    returns: str | None
    body: exp.Expression
    many: bool = False
    rows: tuple[tuple[str, str], ...] = ()
    strict: bool = False
    aggregate: bool = False  # ``body`` takes an array of the rows, each a record of the arguments


def inlined(tree: Tree, find: FunctionFinder, depth: int = 0) -> Tree:
    """Replace the calls of users' functions below the root. Raises: LimitExceeded."""
    if depth > FUNCTION_DEPTH_MAX:
        raise LimitExceeded(
            f"functions call each other more than {FUNCTION_DEPTH_MAX} levels deep",
            hint="A SQL function cannot call itself.",
        )
    for node in list(tree.find_all(exp.Anonymous)):
        schema, whole = _qualifier(node)
        call = node
        function = find(schema, node.name.lower(), node)
        if function is None:
            continue
        if function.aggregate:
            call = whole = _gathered(function, node)
            function = replace(function, parameters=(("", ""),))
        item = node.parent
        if isinstance(item, exp.Table | exp.Lateral) and item.this is node:
            _into_from(function, node, item, find, depth)
            continue
        applied = exp.Paren(this=_value(function, call))
        body: exp.Expression = inlined(applied, find, depth + 1)
        if isinstance(whole.parent, exp.Select):  # An output is named after the function.
            name = exp.to_identifier(node.name.lower(), quoted=True)
            body = exp.Alias(this=_bare(body), alias=name)
        whole.replace(body)
    return tree


def _gathered(function: SqlFunction, node: exp.Anonymous) -> exp.Anonymous:
    """Let an aggregate's call, which is returned, take an array: FILTER and OVER are the array's.

    Shape: DISTINCT and ORDER BY within the parentheses are the array's too.
    """
    fields = ", ".join(f'"_{n + 1}" {kind}' for n, (_, kind) in enumerate(function.parameters))
    order = distinct = None
    given = list(node.expressions)
    if given and isinstance(given[-1], exp.Order):
        order = given[-1]
        given[-1] = order.this
    if given and isinstance(given[0], exp.Distinct):
        distinct, given = given[0], given[0].expressions
    record = _cast(exp.Anonymous(this="row", expressions=given), f"STRUCT({fields})")
    if distinct is not None:
        record = exp.Distinct(expressions=[record])
    if order is not None:
        record = exp.Order(this=record, expressions=order.expressions)
    whole: exp.Expression = node
    while isinstance(whole.parent, exp.Filter | exp.Window) and whole.parent.this is whole:
        whole = whole.parent
    array = exp.ArrayAgg(this=record)
    made = exp.Anonymous(this=node.this, expressions=[])
    if whole is node:
        node.replace(made)
        made.append("expressions", array)
        return made
    node.replace(array)
    whole.replace(made)
    made.append("expressions", whole)
    return made


def sample_call(function: SqlFunction) -> exp.Select:
    """Return a query that calls a function with NULLs, to see whether its body binds."""
    arguments = [_cast(exp.Null(), kind) for _, kind in function.parameters]
    call = exp.Anonymous(this=function.name, expressions=arguments)
    if function.many and isinstance(function.body, exp.Query):
        query = exp.Subquery(this=_rows_query(function, call))
        return exp.select("*").from_(query)
    return exp.select(exp.alias_(_applied(function, call), function.name, quoted=True))


def _bare(tree: exp.Expression) -> exp.Expression:
    """Return rows without parentheses: UNNEST is looked for as it stands."""
    if isinstance(tree, exp.Paren) and isinstance(tree.this, exp.Explode):
        inner: exp.Expression = tree.this
        return inner
    return tree


def _qualifier(node: exp.Anonymous) -> tuple[str | None, exp.Expression]:
    parent = node.parent
    if isinstance(parent, exp.Dot) and parent.expression is node:
        return parent.this.name, parent
    if isinstance(parent, exp.Table) and parent.db:
        return parent.db, node
    return None, node


# --- in FROM ------------------------------------------------------------------------------------


def _into_from(
    function: SqlFunction,
    node: exp.Anonymous,
    item: exp.Expression,
    find: FunctionFinder,
    depth: int,
) -> None:
    """Replace a function in FROM by what gives its rows."""
    names = [name for name, _ in function.rows]
    if function.many and not isinstance(function.body, exp.Query):
        rows = inlined(exp.Paren(this=_applied(function, node)), find, depth + 1)
        shown = [exp.Literal.string(name) for name in names]
        node.replace(exp.Anonymous(this=ROWS_OF, expressions=[rows, *shown]))
        item.set("db", None)
        _name(item, function.name, names if len(names) == 1 else [])
        return
    named = item.alias or function.name  # A lone column is named after its FROM item.
    if function.many:
        query = _rows_query(function, node, named)
    else:
        value = exp.Paren(this=_applied(function, node))
        query = exp.select(exp.alias_(value, named, quoted=True))
    made = exp.Subquery(this=inlined(query, find, depth + 1))
    uses = isinstance(item, exp.Lateral) or node.find(exp.Column) is not None
    holder: exp.Expression = exp.Lateral(this=made) if uses else made
    holder.set("alias", item.args.get("alias"))
    _name(holder, function.name, [])
    item.replace(holder)


def _name(item: exp.Expression, name: str, columns: list[str]) -> None:
    """Let a FROM item without a name have the function's."""
    alias = item.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        alias = exp.TableAlias(this=exp.to_identifier(name, quoted=True))
        item.set("alias", alias)
    if columns and not alias.columns:
        alias.set("columns", [exp.to_identifier(one, quoted=True) for one in columns])


def _rows_query(function: SqlFunction, node: exp.Anonymous, named: str = "") -> exp.Select:
    """Return the body's rows, of the types and under the names that were declared."""
    body = _substituted(function, node)
    rows = function.rows or ((named or function.name, function.returns or ""),)
    if isinstance(body, exp.Select) and _is_plain(body) and len(body.expressions) == len(rows):
        shown = [
            exp.alias_(_cast(_unnamed(value), kind) if kind else _unnamed(value), name, quoted=True)
            for value, (name, kind) in zip(body.expressions, rows, strict=True)
        ]
        body.set("expressions", shown)
        return body
    inner = [f"_{place}" for place in range(1, len(rows) + 1)]
    alias = exp.TableAlias(
        this=exp.to_identifier("_rows", quoted=True),
        columns=[exp.to_identifier(name, quoted=True) for name in inner],
    )
    outputs = []
    for column, (name, kind) in zip(inner, rows, strict=True):
        value: exp.Expression = exp.column(column, table="_rows", quoted=True)
        outputs.append(exp.alias_(_cast(value, kind) if kind else value, name, quoted=True))
    return exp.select(*outputs).from_(exp.Subquery(this=body, alias=alias))


def _is_plain(body: exp.Select) -> bool:
    """Tell a query whose outputs can be renamed: nothing but them says their names or places."""
    clauses = {key for key, value in body.args.items() if value}
    counted = any(tree.find(exp.Star, exp.Explode) for tree in body.expressions)
    return clauses <= {"expressions", "from_", "where", "joins", "kind"} and not counted


def _unnamed(output: exp.Expression) -> exp.Expression:
    inner: exp.Expression = output.this if isinstance(output, exp.Alias) else output
    return exp.Paren(this=inner.copy())


# --- as a value ---------------------------------------------------------------------------------


def _value(function: SqlFunction, node: exp.Anonymous) -> exp.Expression:
    if not function.many:
        return _applied(function, node)
    if not isinstance(function.body, exp.Query):
        return exp.Explode(this=_applied(function, node))
    query = _rows_query(function, node)
    if len(query.expressions) > 1:
        query = exp.select(
            exp.alias_(
                exp.Anonymous(this="row", expressions=[_shown(one) for one in query.expressions]),
                function.name,
                quoted=True,
            )
        ).from_(exp.Subquery(this=query, alias=exp.to_identifier("_values", quoted=True)))
    return exp.Explode(this=exp.Array(expressions=[query]))


def _shown(output: exp.Expression) -> exp.Expression:
    return exp.column(output.alias, table="_values", quoted=True)


def _applied(function: SqlFunction, call: exp.Anonymous) -> exp.Expression:
    body = _substituted(function, call)
    if isinstance(body, exp.Query):
        body = exp.Subquery(this=body)
    if function.returns is not None and not function.many:
        body = _cast(body, function.returns)
    if not function.strict or not call.expressions:
        return body
    missing = [exp.Is(this=one.copy(), expression=exp.Null()) for one in call.expressions]
    return exp.Case(ifs=[exp.If(this=exp.or_(*missing), true=exp.Null())], default=body)


def _substituted(function: SqlFunction, call: exp.Anonymous) -> exp.Expression:
    arguments = _arguments(function, call)

    def visit(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Parameter | exp.Placeholder) and node.name.isdigit():
            if not 1 <= int(node.name) <= len(arguments):
                raise UndefinedFunction(f"there is no parameter ${node.name}")
            return arguments[int(node.name) - 1].copy()
        if isinstance(node, exp.Column) and node.table in ("", function.name):
            for index, (name, _) in enumerate(function.parameters):
                if name and name == node.name:
                    return arguments[index].copy()
        return node

    changed: exp.Expression = function.body.copy().transform(visit)
    return changed


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
    if not store_type:
        return value.copy()
    return exp.Cast(this=value.copy(), to=exp.DataType.build(store_type, dialect="duckdb"))
