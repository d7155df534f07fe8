"""Functions of one name: how each is kept apart, and which of them a call means.

Source: PostgreSQL, Functions and Operators, Type Conversion, Functions: exact types first, then
those of the same family; a string constant fits every type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp

from voltstream.core.errors import AmbiguousFunction, UndefinedFunction
from voltstream.core.schema import Schema
from voltstream.core.types import DataType, Kind, from_store
from voltstream.sql.create_function import parse_parameter
from voltstream.sql.cursor import Cursor, split_commas
from voltstream.sql.inline import SqlFunction
from voltstream.sql.scope import literal_type
from voltstream.sql.statements import ObjectName

ANY = "(?)"  # Ends the key of a name that is written without its types.
ColumnsOf = Callable[[str | None, str], Schema]

_UNKNOWN = DataType(Kind.UNKNOWN)
# Each may be taken for those after it without a cast.
_NUMBERS = (Kind.INT2, Kind.INT4, Kind.INT8, Kind.NUMERIC, Kind.FLOAT4, Kind.FLOAT8)
_FAMILIES = (
    frozenset({Kind.TEXT, Kind.VARCHAR}),
    frozenset({Kind.JSON, Kind.JSONB}),
    frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ}),
)
_EXACT, _NEAR, _FAR, _OPEN = 3, 2, 1, 0


def function_key(name: str, types: Sequence[str] | None = None) -> str:
    """Return the name under which a function is kept: functions share no names with relations."""
    return f"{name}({','.join(types)})" if types is not None else name + ANY


def function_label(key: str) -> str:
    """Return the name of a function that is kept under a key."""
    return key.partition("(")[0]


def function_shown(key: str) -> str:
    """Return a function as errors name it: its name, and in parentheses its types if given."""
    name, types = function_label(key), key[len(function_label(key)) + 1 : -1]
    depth, parts = 0, [""]
    for letter in types:
        depth += (letter in "(<") - (letter in ")>")
        parts = [*parts, ""] if letter == "," and not depth else [*parts[:-1], parts[-1] + letter]
    shown = ",".join(from_store(part).pg_name for part in parts if part)
    return f"{name}({shown})" if not key.endswith(ANY) else f"{name}()"


def missing_function(key: str) -> UndefinedFunction:
    """Return PostgreSQL's error for a function that is not there."""
    if key.endswith(ANY):
        return UndefinedFunction(f'could not find a function named "{function_label(key)}"')
    return UndefinedFunction(f"function {function_shown(key)} does not exist")


def parse_function_name(cursor: Cursor) -> ObjectName:
    """Read ``[schema.]name[(types)]`` and return the key of what it means."""
    name = cursor.object_name()
    if not cursor.sees("("):
        return ObjectName(function_key(name.name), name.schema, name.database)
    parts = [part for part in split_commas(cursor.parenthesized()) if part]
    types = [parse_parameter(part, cursor.text)[1] for part in parts]
    return ObjectName(function_key(name.name, types), name.schema, name.database)


def chosen(
    functions: Sequence[SqlFunction], call: exp.Anonymous, columns_of: ColumnsOf
) -> SqlFunction | None:
    """Return the function that a call means, None for none. Raises: AmbiguousFunction (42725)."""
    fitting = [f for f in functions if len(f.parameters) == len(call.expressions)]
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    given = [_type_of(argument, columns_of) for argument in call.expressions]
    ranked = [(ranks, f) for f in fitting if (ranks := _ranks(f, given)) is not None]
    if not ranked:
        return None
    best = max(sum(ranks) for ranks, _ in ranked)
    found = [f for ranks, f in ranked if sum(ranks) == best]
    if len(found) > 1:  # Of text and anything else a string constant is text.
        found = [f for f in found if _is_textual(f, given)] or found
    if len(found) > 1:
        shown = ", ".join(one.pg_name for one in given)
        raise AmbiguousFunction(
            f"function {call.name.lower()}({shown}) is not unique",
            hint="Could not choose a best candidate function. "
            "You might need to add explicit type casts.",
        )
    return found[0]


def _ranks(function: SqlFunction, given: Sequence[DataType]) -> list[float] | None:
    ranks = [
        _rank(one, from_store(kind))
        for one, (_, kind) in zip(given, function.parameters, strict=True)
    ]
    return None if None in ranks else [rank for rank in ranks if rank is not None]


def _rank(given: DataType, wanted: DataType) -> float | None:
    if given.kind is Kind.UNKNOWN:
        return _OPEN
    if given.array_depth != wanted.array_depth:
        return None
    if given.kind is wanted.kind:
        return _EXACT
    if given.kind in _NUMBERS and wanted.kind in _NUMBERS:
        steps = _NUMBERS.index(wanted.kind) - _NUMBERS.index(given.kind)
        if steps < 0:
            return None
        return _NEAR if wanted.kind is Kind.FLOAT8 else _FAR - steps / 10
    if any(given.kind in family and wanted.kind in family for family in _FAMILIES):
        return _NEAR
    return None


def _is_textual(function: SqlFunction, given: Sequence[DataType]) -> bool:
    return all(
        one.kind is not Kind.UNKNOWN or from_store(kind).kind in (Kind.TEXT, Kind.VARCHAR)
        for one, (_, kind) in zip(given, function.parameters, strict=True)
    )


# --- what an argument is, before names are bound -------------------------------------------------


def _type_of(tree: exp.Expr, columns_of: ColumnsOf) -> DataType:
    """Return a type as far as the text tells it; UNKNOWN for what fits everything."""
    match tree:
        case exp.Kwarg() | exp.PropertyEQ():
            return _type_of(tree.expression, columns_of)
        case exp.Literal() if tree.is_string:
            return _UNKNOWN
        case exp.Literal():
            return literal_type(tree) or _UNKNOWN
        case exp.Boolean() | exp.Predicate() | exp.Connector() | exp.Not():
            return DataType(Kind.BOOL)
        case exp.CurrentTimestamp():
            return DataType(Kind.TIMESTAMPTZ)
        case exp.CurrentDate():
            return DataType(Kind.DATE)
        case exp.Cast():
            return from_store(tree.to.sql(dialect="duckdb"))
        case exp.Paren() | exp.Neg() | exp.Alias():
            return _type_of(tree.this, columns_of)
        case exp.DPipe() | exp.Concat() | exp.Lower() | exp.Upper():
            return DataType(Kind.VARCHAR)
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Div() | exp.Mod():
            return _wider(_type_of(tree.this, columns_of), _type_of(tree.expression, columns_of))
        case exp.Column():
            return _column_type(tree, columns_of)
        case _:
            return _UNKNOWN


def _wider(left: DataType, right: DataType) -> DataType:
    if left.kind in _NUMBERS and right.kind in _NUMBERS:
        return max(left, right, key=lambda one: _NUMBERS.index(one.kind))
    return right if left.kind is Kind.UNKNOWN else left


def _column_type(column: exp.Column, columns_of: ColumnsOf) -> DataType:
    """Return the type of a column of the queries around it."""
    scope = column.find_ancestor(exp.Select)
    while isinstance(scope, exp.Select):
        for item in _items(scope):
            if column.table and item.alias_or_name != column.table:
                continue
            found = _column_of(item, column.name, columns_of)
            if found is not None:
                return found
        scope = scope.find_ancestor(exp.Select)
    return _UNKNOWN


def _items(select: exp.Select) -> Iterator[exp.Expression]:
    clause = select.args.get("from_")
    for holder in [clause, *(select.args.get("joins") or [])]:
        if isinstance(holder, exp.Expression) and isinstance(holder.this, exp.Expression):
            yield holder.this


def _column_of(item: exp.Expression, name: str, columns_of: ColumnsOf) -> DataType | None:
    query: exp.Expression | None = None
    if isinstance(item, exp.Subquery):
        query = item.this
    elif isinstance(item, exp.Table) and isinstance(item.this, exp.Identifier):
        query = None if item.db else _cte(item)
        if query is None:
            known = columns_of(item.db or None, item.name)
            return next((from_store(c.store_type) for c in known if c.name == name), None)
    while isinstance(query, exp.SetOperation):
        query = query.this
    if not isinstance(query, exp.Select):
        return None
    for output in query.expressions:
        if output.alias_or_name == name:
            return _type_of(output, columns_of)
    if any(isinstance(output, exp.Star) for output in query.expressions):
        return next((t for i in _items(query) if (t := _column_of(i, name, columns_of))), None)
    return None


def _cte(table: exp.Table) -> exp.Expression | None:
    node: exp.Expr | None = table
    while node is not None:
        clause = node.args.get("with_")
        if isinstance(clause, exp.With):
            for one in clause.expressions:
                if one.alias == table.name:
                    found: exp.Expression = one.this
                    return found
        node = node.parent
    return None
