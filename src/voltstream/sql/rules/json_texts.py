"""json: what builds it, with the spaces that PostgreSQL's functions write."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from voltstream.core.types import DataType, Kind
from voltstream.sql.rules.json import (
    is_json,
    json_members,
    json_scalar,
    jsonb,
    keys_and_strings,
    record_members,
)
from voltstream.sql.rules.output import cast_text, is_said
from voltstream.sql.rules.tree import (
    Call,
    Rule,
    TypeOf,
    array_of,
    bare,
    call,
    cast,
    each,
    paren,
    string_of,
    text,
)

DENSE, SPACED, LINED = ",", ", ", ", \n "


def array_text(items: exp.Expression, between: str) -> exp.Expression:
    return call("_vs_json_text_array", items, text(between))


def object_text(
    keys: exp.Expression, items: exp.Expression, *, colon: str = " : ", margin: str = ""
) -> exp.Expression:
    return call("_vs_json_text_object", keys, items, text(colon), text(margin))


def said(tree: exp.Expression, type_of: TypeOf) -> exp.Expression:
    """Return a value as the text that to_json makes of it."""
    if string_of(tree) is not None:
        return json_scalar(tree, DataType(Kind.TEXT))
    row = bare(tree)
    if isinstance(row, exp.Anonymous) and row.name.lower() == "row":
        keys = array_of([text(f"f{i}") for i in range(1, len(row.expressions) + 1)])
        items = array_of([said(item, type_of) for item in row.expressions])
        return object_text(keys, cast(items, "VARCHAR[]"), colon=":")
    return _of_type(tree, type_of(tree), type_of)


def _of_type(tree: exp.Expression, found: DataType, type_of: TypeOf) -> exp.Expression:
    if found.array_depth:
        inner = replace(found, array_depth=found.array_depth - 1)
        return array_text(each(tree, lambda item: _of_type(item, inner, type_of)), DENSE)
    if found.is_map:
        return cast(call("to_json", tree), "VARCHAR")
    if found.kind is Kind.RECORD and found.fields:
        keys, fields = record_members(tree, found)
        items = array_of([_of_type(value, kind, type_of) for value, kind in fields])
        made = object_text(keys, cast(items, "VARCHAR[]"), colon=":")
        return call("_vs_unless_null", paren(tree.copy()), made)
    if is_json(found):
        return cast_text(tree, found)
    return json_scalar(tree, found)


def is_structured(tree: exp.Expression, type_of: TypeOf) -> bool:
    """Tell whether json_agg begins a line for each value: rows and arrays."""
    row = bare(tree)
    if isinstance(row, exp.Anonymous) and row.name.lower() == "row":
        return True
    found = type_of(tree)
    return bool(found.array_depth) or found.kind is Kind.RECORD


def _whole(found: Call) -> exp.Expression:
    return jsonb(said(found[0], found.type_of))


def _built_array(found: Call) -> exp.Expression:
    last = found.arguments[-1] if len(found) else None
    if isinstance(last, exp.Variadic):
        return jsonb(said(last.this, found.type_of))
    items = [said(argument, found.type_of) for argument in found.arguments]
    return jsonb(array_text(cast(array_of(items), "VARCHAR[]"), SPACED))


def _built_object(found: Call) -> exp.Expression:
    last = found.arguments[-1] if len(found) else None
    if isinstance(last, exp.Variadic):
        return _object_of(Call(found.name, found.node, [last.this], found.type_of))
    keys, values = json_members(found)
    items = array_of([said(value, found.type_of) for value in values])
    return jsonb(object_text(keys, cast(items, "VARCHAR[]")))


def _object_of(found: Call) -> exp.Expression:
    return jsonb(object_text(*keys_and_strings(found)))


def _stripped(found: Call) -> exp.Expression:
    source = found[0]
    given = source if string_of(source) is not None else cast(source, "VARCHAR")
    return jsonb(call("_vs_json_text_strip", given))


def to_canonical(tree: exp.Expression) -> exp.Expression:
    """Return json as jsonb, where its text is not in jsonb's form already."""
    return jsonb(call("_vs_json_normal", cast(tree, "VARCHAR"))) if is_said(tree) else tree


CALLS: dict[str, Rule] = {
    "json_build_array": _built_array, "json_build_object": _built_object,
    "json_object": _object_of, "json_strip_nulls": _stripped, "to_json": _whole,
    "row_to_json": _whole, "array_to_json": _whole,
}  # fmt: skip
