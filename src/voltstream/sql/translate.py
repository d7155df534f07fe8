"""A statement to run once: PostgreSQL's meaning in DuckDB's words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from sqlglot import exp

from voltstream.core.errors import VoltstreamError
from voltstream.core.types import DataType, Kind, from_store
from voltstream.sql.catalog import CatalogReader, TypeOracle
from voltstream.sql.expressions import output_name, rewrite, spell
from voltstream.sql.gap_fill import gap_fill_query
from voltstream.sql.scope import literal_type
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
    copied = resolved(_with_parameters(tree.copy(), parameters), catalog)
    selects = list(copied.find_all(exp.Select))
    for select in reversed(selects):  # Innermost first: its types are its parent's columns.
        _windows(select, oracle)
        _name_outputs(select)
        _translate_scope(select, oracle, stable_now=stable_now)
    if not isinstance(copied, exp.Query):
        for key, value in list(copied.args.items()):
            if isinstance(value, exp.Expression) and not isinstance(value, exp.Query | exp.Table):
                copied.set(key, _rewritten(value, _source_of(copied), oracle, stable_now))
            elif isinstance(value, list):
                source = _source_of(copied)
                copied.set(
                    key,
                    [
                        _rewritten(v, source, oracle, stable_now)
                        if isinstance(v, exp.Expression)
                        else v
                        for v in value
                    ],
                )
    return copied


def _translate_scope(select: exp.Select, oracle: TypeOracle, *, stable_now: bool) -> None:
    source = _source_of(select)
    for key, value in list(select.args.items()):
        if key in {"from_", "from", "with_", "with"}:
            continue
        if isinstance(value, exp.Expression):
            select.set(key, _rewritten(value, source, oracle, stable_now))
        elif isinstance(value, list):
            select.set(
                key,
                [
                    _rewritten(v, source, oracle, stable_now)
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


def _rewritten(
    tree: exp.Expression, source: str, oracle: TypeOracle, stable_now: bool
) -> exp.Expression:
    if isinstance(tree, exp.Query | exp.Table):
        return tree

    def type_of(node: exp.Expression) -> DataType:
        literal = literal_type(node)
        if literal is not None:
            return literal
        try:
            columns = oracle.describe(f"{source.format(spell(node))}")
        except VoltstreamError:
            return _UNKNOWN  # A correlated name, or an error the statement itself will show.
        return from_store(columns[0].store_type)

    return rewrite(tree, type_of, lambda node: node, stable_now=stable_now)


def _source_of(tree: exp.Expression) -> str:
    """Return a query template in whose place ``{}`` an expression of this scope has its type."""
    parts = ["SELECT ({}) AS x"]
    if isinstance(tree, exp.Select):
        clause = tree.args.get("from_") or tree.args.get("from")
        if clause is not None:
            parts.append(_escaped(spell(clause)))
        parts += [_escaped(spell(join)) for join in tree.args.get("joins") or []]
        prefix = _ctes_above(tree)
        return " ".join([prefix, *parts]) if prefix else " ".join(parts)
    target = tree.find(exp.Table)
    if target is not None:
        parts.append(_escaped(f"FROM {spell(target)}"))
    return " ".join(parts)


def _ctes_above(tree: exp.Expression) -> str:
    node: exp.Expr | None = tree
    while node is not None:
        clause = node.args.get("with_") or node.args.get("with")
        if clause is not None:
            return _escaped(spell(clause))
        node = node.parent
    return ""


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _windows(select: exp.Select, oracle: TypeOracle) -> None:
    for table in list(select.find_all(exp.Table)):
        call = table.this
        if isinstance(call, exp.Anonymous) and call.name.upper() in {"TUMBLE", "HOP"}:
            table.replace(window_query(call, table.alias))
        elif isinstance(call, exp.Anonymous) and call.name.upper() == "GAP_FILL":
            table.replace(gap_fill_query(call, table.alias, oracle))


def _with_parameters(tree: exp.Expression, parameters: Sequence[object | None]) -> exp.Expression:
    if not parameters:
        return tree

    def visit(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Parameter | exp.Placeholder) and node.name.isdigit():
            return literal(parameters[int(node.name) - 1])
        return node

    return tree.transform(visit)


def literal(value: object | None) -> exp.Expression:
    """Return a Python value as a typed literal; text stays untyped, as PostgreSQL's unknown."""
    match value:
        case None:
            return exp.Null()
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
            text = "".join(f"\\x{byte:02X}" for byte in value)
            return exp.cast(exp.Literal.string(text), "BLOB")
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
