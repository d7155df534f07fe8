"""A statement to run once: PostgreSQL's meaning in DuckDB's words."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from sqlglot import exp

from voltstream.core.errors import FeatureNotSupported, VoltstreamError
from voltstream.core.types import DataType, Kind, from_store
from voltstream.core.values import (
    TypedFloat,
    TypedInteger,
    TypedList,
    TypedNull,
    TypedText,
)
from voltstream.sql.assignment import assigned
from voltstream.sql.catalog import CatalogReader, TypeOracle
from voltstream.sql.declared_forms import known_types
from voltstream.sql.expressions import PARAMETER, output_name, rewrite, spell
from voltstream.sql.lifting import Marker, marked
from voltstream.sql.output_names import refuse_output_names
from voltstream.sql.planned_queries import planned
from voltstream.sql.row_functions import streamed
from voltstream.sql.row_ids import with_row_ids
from voltstream.sql.rules.casts import unified
from voltstream.sql.rules.numbers import levelled
from voltstream.sql.scope import literal_type
from voltstream.sql.scope_types import Remembered, ScopeTypes
from voltstream.sql.streaming_words import reads_changelog
from voltstream.sql.system import resolved
from voltstream.sql.windows import window_query

_UNKNOWN = DataType(Kind.UNKNOWN)


def translate_query(
    tree: exp.Expression,
    catalog: CatalogReader,
    oracle: TypeOracle,
    parameters: Sequence[object | None],
) -> str:
    """Return DuckDB SQL for a SELECT, INSERT, UPDATE or DELETE; ``$n`` becomes a typed literal."""
    return spell(translated_tree(tree, catalog, oracle, parameters, stable_now=False))


def translated_tree(
    tree: exp.Expression,
    catalog: CatalogReader,
    oracle: TypeOracle,
    parameters: Sequence[object | None],
    *,
    stable_now: bool,
) -> exp.Expression:
    oracle = Remembered(oracle)
    given = _with_parameters(tree.copy(), parameters)
    if reads_changelog(given):
        raise FeatureNotSupported(
            "a changelog is kept by a view, and not to be asked for once",
            hint="CREATE MATERIALIZED VIEW changes AS WITH c AS changelog FROM t SELECT * FROM c",
        )
    if not stable_now:
        known_types(given, catalog)
        given = with_row_ids(given, catalog)
    given = planned(given, catalog, oracle, stable_now=stable_now)
    for table in given.find_all(exp.Table):
        table.set("version", None)  # What runs once reads what is there as it runs.
    copied = resolved(given, catalog)
    assigned(copied, catalog)
    for values in copied.find_all(exp.Values):
        _translate_values(values, oracle, stable_now=stable_now)
    selects = list(copied.find_all(exp.Select))
    around: dict[int, ScopeTypes] = {}
    for select in reversed(selects):  # Innermost first: its types are its parent's columns.
        _windows(select)
        _open_functions(select, oracle, stable_now=stable_now)
        _keep_ties(select)
        _shared_first(select)
        _name_outputs(select)
        types = ScopeTypes(_as_it_is(select), oracle, around)
        if not stable_now:
            refuse_output_names(select, types.lacks)
        _translate_scope(select, types, stable_now)
    if not isinstance(copied, exp.Query):
        _translate_change(copied, oracle, stable_now=stable_now)
    return _named_values(copied)


def _named_values(tree: exp.Expression) -> exp.Expression:
    """Give the columns of VALUES the names that PostgreSQL gives them."""
    for values in list(tree.find_all(exp.Values)):
        alias = values.args.get("alias")
        if isinstance(values.parent, exp.Insert) or (alias is not None and alias.columns):
            continue
        first = values.expressions[0]
        width = len(first.expressions) if isinstance(first, exp.Tuple) else 1
        names = [exp.to_identifier(f"column{place}") for place in range(1, width + 1)]
        named = exp.TableAlias(
            this=alias.this if alias is not None else exp.to_identifier("values"), columns=names
        )
        if values is tree:
            values.set("alias", named)
            return exp.select("*").from_(values)
        if isinstance(values.parent, exp.From | exp.Join | exp.Lateral):
            values.set("alias", named)
    return tree


def _translate_values(values: exp.Values, oracle: TypeOracle, *, stable_now: bool) -> None:
    types = ScopeTypes(values, oracle)
    for row in values.expressions:
        holder = row if isinstance(row, exp.Tuple) else values
        holder.set(
            "expressions",
            [_rewritten(item, types, stable_now=stable_now) for item in holder.expressions],
        )
        if holder is values:
            return
    rows = values.expressions
    if len(rows) > 1 and not isinstance(values.parent, exp.Insert):
        _level_columns(rows, oracle)


def _level_columns(rows: list[exp.Expression], oracle: TypeOracle) -> None:
    """Give the numbers of a column of VALUES one type that does not pad them."""

    def type_of(node: exp.Expression) -> DataType:
        literal = literal_type(node)
        if literal is not None:
            return literal
        if not isinstance(node, exp.Neg | exp.Cast):
            return _UNKNOWN
        with suppress(VoltstreamError):
            return from_store(oracle.describe(f"SELECT {spell(node)} AS x")[0].store_type)
        return _UNKNOWN

    width = len(rows[0].expressions)
    if any(len(row.expressions) != width for row in rows):
        return
    for place in range(width):
        column = [row.expressions[place] for row in rows]
        if not any(isinstance(item, exp.Literal) for item in column):
            continue
        shared = levelled(unified(column, type_of), type_of)
        for row, item in zip(rows, shared, strict=True):
            row.expressions[place] = item


def _translate_change(tree: exp.Expression, oracle: TypeOracle, *, stable_now: bool) -> None:
    """Translate what an INSERT, UPDATE or DELETE computes; what it assigns to stays a name."""
    types = ScopeTypes(tree, oracle)
    for key, value in list(tree.args.items()):
        if isinstance(value, exp.Query | exp.Table | exp.Values | exp.Schema):
            continue
        if isinstance(value, exp.Expression):
            tree.set(key, _rewritten(value, types, stable_now=stable_now))
        elif isinstance(value, list):
            tree.set(key, [_changed(item, tree, types, stable_now) for item in value])


def _changed(item: object, tree: exp.Expression, types: ScopeTypes, stable_now: bool) -> object:
    if not isinstance(item, exp.Expression):
        return item
    if isinstance(tree, exp.Update) and isinstance(item, exp.EQ):
        item.set("expression", _rewritten(item.expression, types, stable_now=stable_now))
        return item
    return _rewritten(item, types, stable_now=stable_now)


def _open_functions(select: exp.Select, oracle: TypeOracle, *, stable_now: bool) -> None:
    """Turn functions in FROM into queries; each sees the items before it."""
    clause = select.args.get("from_") or select.args.get("from")
    if clause is None:
        return
    joins = select.args.get("joins") or []
    before = exp.Select()
    for holder in (clause, *joins):

        def rewrite_here(item: exp.Expression, scope: exp.Select = before) -> exp.Expression:
            return _rewritten(item, ScopeTypes(scope, oracle), stable_now=stable_now)

        before.parent = select.parent
        found = streamed(holder.this, rewrite_here)
        if found is not None:
            holder.set("this", found)
        if holder is clause:
            before.set("from_", clause.copy())
        else:
            before.set("joins", [*(before.args.get("joins") or []), holder.copy()])


def _keep_ties(select: exp.Select) -> None:
    """Spell FETCH FIRST n ROWS WITH TIES as a rank: the store has no such clause."""
    fetch = select.args.get("limit")
    order = select.args.get("order")
    if not isinstance(fetch, exp.Fetch) or order is None:
        return
    options = fetch.args.get("limit_options")
    if options is None or not options.args.get("with_ties"):
        return
    ranked = exp.Window(this=exp.Rank(), order=order.copy(), over="OVER")
    count = fetch.args.get("count") or exp.Literal.number(1)
    select.set("limit", None)
    select.set("qualify", exp.Qualify(this=exp.LTE(this=ranked, expression=count)))


def _shared_first(select: exp.Select) -> None:
    """Show the columns of USING first in ``*``, as PostgreSQL does."""
    joins = select.args.get("joins") or []
    shared = dict.fromkeys(name.name for join in joins for name in join.args.get("using") or [])
    plain = [tree for tree in select.expressions if isinstance(tree, exp.Star)]
    if not shared or not plain or any(tree.args.get("except_") for tree in plain):
        return
    left_out = [exp.to_identifier(name, quoted=True) for name in shared]
    found: list[exp.Expression] = []
    for tree in select.expressions:
        if not isinstance(tree, exp.Star):
            found.append(tree)
            continue
        found += [exp.column(name, quoted=True) for name in shared]
        found.append(exp.Star(except_=[name.copy() for name in left_out]))
    select.set("expressions", found)


def _as_it_is(select: exp.Select) -> exp.Select:
    """Return a copy in the same place: types are asked of a scope before its translation."""
    copied = select.copy()
    copied.parent = select.parent
    return copied


def _translate_scope(select: exp.Select, types: ScopeTypes, stable_now: bool) -> None:
    for key, value in list(select.args.items()):
        if key in {"from_", "from", "with_", "with"}:
            continue
        if isinstance(value, exp.Expression):
            select.set(key, _rewritten(value, types, stable_now=stable_now))
        elif isinstance(value, list):
            select.set(
                key,
                [
                    _rewritten(v, types, stable_now=stable_now)
                    if isinstance(v, exp.Expression)
                    else v
                    for v in value
                ],
            )


def _name_outputs(select: exp.Select) -> None:
    """Give computed columns the names PostgreSQL gives them."""
    if isinstance(select.parent, exp.Exists | exp.In):
        return
    select.set(
        "expressions",
        [
            tree
            if isinstance(tree, exp.Alias | exp.Column | exp.Star | exp.Aliases)
            else exp.alias_(tree, output_name(tree), quoted=True)
            for tree in select.expressions
        ],
    )


def _rewritten(tree: exp.Expression, types: ScopeTypes, *, stable_now: bool) -> exp.Expression:
    if isinstance(tree, exp.Query | exp.Table | exp.Lateral):
        return tree
    if isinstance(tree, exp.Join) and isinstance(tree.this, exp.Lateral):
        condition = tree.args.get("on")
        if condition is not None:
            tree.set("on", _rewritten(condition, types, stable_now=stable_now))
        return tree
    return rewrite(tree, types.of, lambda node: node, stable_now=stable_now, whole=False)


def _windows(select: exp.Select) -> None:
    for table in list(select.find_all(exp.Table)):
        call = table.this
        if isinstance(call, exp.Anonymous) and call.name.upper() in {"TUMBLE", "HOP"}:
            table.replace(window_query(call, table.alias))


def _with_parameters(tree: exp.Expression, parameters: Sequence[object | None]) -> exp.Expression:
    if not parameters:
        return tree

    def visit(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Parameter | exp.Placeholder) and node.name.isdigit():
            found = literal(parameters[int(node.name) - 1])
            found.meta[PARAMETER] = True
            return found
        return node

    return tree.transform(visit)


def _item(value: object | None) -> exp.Expression:
    """Return an element of an array whose type is that of the whole."""
    if isinstance(value, list):
        return exp.Array(expressions=[_item(item) for item in value])
    return literal(value)


def literal(value: object | None) -> exp.Expression:
    """Return a Python value as a typed literal; text stays untyped, as PostgreSQL's unknown."""
    match value:
        case None:
            return exp.Null()
        case Marker():
            return marked(value)
        case TypedNull():
            return exp.cast(exp.Null(), value.store_type, dialect="duckdb")
        case TypedInteger():
            number = exp.Literal.string(str(int(value)))
            return exp.cast(number, value.store_type, dialect="duckdb")
        case TypedFloat():
            number = exp.Literal.string(repr(float(value)))
            return exp.cast(number, value.store_type, dialect="duckdb")
        case TypedText():
            return exp.cast(exp.Literal.string(str(value)), value.store_type, dialect="duckdb")
        case TypedList():
            items = exp.Array(expressions=[_item(item) for item in value])
            return exp.cast(items, value.store_type, dialect="duckdb")
        case bool():
            return exp.Boolean(this=value)
        case int():
            return exp.Paren(this=exp.Literal.number(value))
        case float():
            return exp.cast(exp.Literal.string(repr(value)), "DOUBLE")
        case Decimal():
            exponent = value.as_tuple().exponent
            scale = max(-exponent, 0) if isinstance(exponent, int) else 0
            return exp.cast(exp.Literal.string(str(value)), f"DECIMAL(38,{scale})")
        case bytes():
            return exp.cast(exp.Literal.string(f"\\x{value.hex()}"), "BLOB")
        case datetime():
            kind = "TIMESTAMPTZ" if value.tzinfo else "TIMESTAMP"
            return exp.cast(exp.Literal.string(value.isoformat(sep=" ")), kind)
        case date():
            return exp.cast(exp.Literal.string(value.isoformat()), "DATE")
        case time():
            return exp.cast(exp.Literal.string(value.isoformat()), "TIME")
        case timedelta():
            seconds = value.total_seconds()
            return exp.cast(exp.Literal.string(f"{seconds} seconds"), "INTERVAL")
        case UUID():
            return exp.cast(exp.Literal.string(str(value)), "UUID")
        case list() | tuple():
            return exp.Array(expressions=[literal(item) for item in value])
        case _:
            return exp.Literal.string(str(value))
