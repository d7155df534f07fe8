"""Finds the rule of a function or operator."""

from __future__ import annotations

from sqlglot import exp

from voltstream.core.errors import DatatypeMismatch
from voltstream.core.types import Kind
from voltstream.sql.rules import (
    aggregates,
    arrays,
    casts,
    dates,
    json,
    json_source,
    json_texts,
    numbers,
    operators,
    records,
    sets,
    system,
    texts,
    time_series,
    truth,
    vectors,
)
from voltstream.sql.rules.tree import TEXTS, Call, Rule, TypeOf, call, cast, number, string_of, text

CALLS: dict[str, Rule] = {
    **texts.CALLS,
    **numbers.CALLS,
    **dates.CALLS,
    **arrays.CALLS,
    **json.CALLS,
    **json_source.CALLS,
    **json_texts.CALLS,
    **system.CALLS,
    **operators.CALLS,
    **sets.CALLS,
    **time_series.CALLS,
    **vectors.CALLS,
}


def rewritten(node: exp.Expression, type_of: TypeOf) -> exp.Expression | None:
    """Return a node as the store must see it, its children being done; None to keep it."""
    match node:
        case exp.Anonymous():
            rule = CALLS.get(node.name.lower())
            if rule is None:
                return None
            return rule(Call(node.name.lower(), node, node.expressions, type_of))
        case exp.Literal() if not node.is_string:
            return numbers.literal(node)
        case exp.Cast():
            return casts.rewritten(node, type_of)
        case exp.Interval():
            return dates.interval(node)
        case exp.Bracket():
            return _subscript(node, type_of)
        case exp.Explode() if not node.expressions:
            return arrays.unnested(node, type_of(node.this))
        case exp.Dot():
            return records.field(node, type_of)
        case exp.Coalesce():
            items = _together([node.this, *node.expressions], type_of)
            return exp.Coalesce(this=items[0], expressions=items[1:])
        case exp.Array() if len(node.expressions) > 1:
            node.set("expressions", _together(node.expressions, type_of))
            return node
        case exp.Case():
            return _case(node, type_of)
        case exp.Where() | exp.Having() | exp.And() | exp.Or():
            truth.check(node, type_of)
            return None
        case exp.HexString() | exp.BitString():
            return cast(text(casts.bit_digits(node)), "BIT")
        case exp.RawString():
            return exp.Literal.string(node.this)
        case exp.Extract():
            return dates.extract(Call("extract", node, [node.expression], type_of))
        case exp.Substring() | exp.Overlay() | exp.Trim() | exp.StrPosition() | exp.AtTimeZone():
            return _spelled_out(node, type_of)
    changed = operators.rewritten(node, type_of)
    return changed if changed is not None else aggregates.rewritten(node, type_of)


def _together(items: list[exp.Expression], type_of: TypeOf) -> list[exp.Expression]:
    """Give values that share a column one type."""
    return numbers.levelled(casts.unified(items, type_of), type_of)


def _case(node: exp.Case, type_of: TypeOf) -> exp.Expression:
    branches = list(node.args["ifs"])
    if node.this is None:
        truth.check(node, type_of)
    last = node.args.get("default")
    values = [branch.args["true"] for branch in branches] + ([last] if last is not None else [])
    levelled = _together(values, type_of)
    for branch, value in zip(branches, levelled, strict=False):
        branch.set("true", value)
    if last is not None:
        node.set("default", levelled[-1])
    return node


def _subscript(node: exp.Bracket, type_of: TypeOf) -> exp.Expression:
    found, index = type_of(node.this), node.expressions[0]
    if json.is_json(found):
        keys = type_of(call("map_keys", node.this))
        if not keys.array_depth:
            return json.arrow(Call("->", node, [node.this, index], type_of))
        if keys.kind in TEXTS and type_of(index).kind not in TEXTS | {Kind.UNKNOWN}:
            index = cast(index, "VARCHAR")
        return call("list_extract", call("map_extract", node.this, index), number(1))
    if found.kind is Kind.UNKNOWN and string_of(index) is not None:  # Only a map has such keys.
        return call("list_extract", call("map_extract", node.this, index), number(1))
    if found.kind in TEXTS and not found.array_depth:
        message = f"cannot subscript type {found.pg_name} because it does not support subscripting"
        raise DatatypeMismatch(message)
    return arrays.subscript(node)


def _spelled_out(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    """Return a function with a grammar of its own, its parts in the order of a call."""
    keys = {
        exp.Substring: ("this", "start", "length"),
        exp.Overlay: ("this", "expression", "from_", "for_"),
        exp.Trim: ("this", "expression"),
        exp.StrPosition: ("this", "substr"),
        exp.AtTimeZone: ("this", "zone"),
    }[type(node)]
    if isinstance(node, exp.Substring) and node.args.get("start") is None:
        node.set("start", exp.Literal.number(1))
    parts = [node.args[key] for key in keys if node.args.get(key) is not None]
    rule: dict[type[exp.Expr], Rule] = {
        exp.Substring: texts.substring,
        exp.Overlay: texts.overlay,
        exp.Trim: texts.trim,
        exp.StrPosition: CALLS["strpos"],
        exp.AtTimeZone: dates.at_time_zone,
    }
    return rule[type(node)](Call(type(node).__name__.lower(), node, parts, type_of))
