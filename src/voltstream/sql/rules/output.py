"""Values as PostgreSQL's text."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from voltstream.core.types import DataType, Kind
from voltstream.sql.rules.tree import (
    TEXTS,
    TypeOf,
    array_of,
    bare,
    call,
    case,
    cast,
    each,
    number,
    paren,
    string_of,
    text,
)
from voltstream.sql.styles.casts import needs_style

# An unbounded NUMERIC column is DECIMAL(38,10) in the store: its trailing zeros are not digits
# anybody wrote. Division has 16 decimals by PostgreSQL's rule, and keeps them.
_WHOLE_PRECISION = 38
_UNBOUNDED_SCALE = 10
_DIVISION_SCALE = 16


def is_unbounded(found: DataType) -> bool:
    """Tell whether a numeric has no declared scale."""
    return (
        found.kind is Kind.NUMERIC
        and found.precision == _WHOLE_PRECISION
        and (found.scale or 0) >= _UNBOUNDED_SCALE
        and found.scale != _DIVISION_SCALE
    )


_JSON_AS_SAID = frozenset({
    "_vs_json_kept", "_vs_json_text_array", "_vs_json_text_object", "_vs_json_text_strip",
    "_vs_json_source_member", "_vs_json_source_item", "_vs_json_source_at",
})  # fmt: skip


def is_said(tree: exp.Expression) -> bool:
    """Tell json, whose text is kept as it is, where it is made right here."""
    made = bare(tree)
    if not isinstance(made, exp.Cast) or not made.to.is_type(exp.DataType.Type.JSON):
        return False
    inner = bare(made.this)
    named = isinstance(inner, exp.Anonymous) and inner.name in _JSON_AS_SAID
    return named or string_of(inner) is not None


def _record(tree: exp.Expression, found: DataType) -> exp.Expression:
    fields = [
        printed(call("struct_extract_at", paren(tree.copy()), number(place)), kind)
        for place, kind in enumerate(found.fields, 1)
    ]
    shown = call("_vs_record_text", cast(array_of(fields), "VARCHAR[]"))
    return call("_vs_unless_null", paren(tree), shown)


def _vector(tree: exp.Expression) -> exp.Expression:
    items = each(
        cast(tree, "FLOAT[]"),
        lambda item: call("_vs_float_text", cast(cast(item, "VARCHAR"), "DOUBLE")),
    )
    inside = call("array_to_string", items, text(","))
    opened = exp.DPipe(this=text("["), expression=inside)
    return exp.Paren(this=exp.DPipe(this=opened, expression=text("]")))


def output_text(tree: exp.Expression, type_of: TypeOf) -> exp.Expression:
    """Return what PostgreSQL prints for a value: booleans are t and f."""
    return printed(tree, type_of(tree))


def cast_text(tree: exp.Expression, found: DataType) -> exp.Expression:
    """Return a value cast to text: booleans are true and false."""
    if found.kind is Kind.BOOL and not found.array_depth:
        return cast(tree, "VARCHAR")
    return printed(tree, found)


def printed(tree: exp.Expression, found: DataType) -> exp.Expression:
    if found.array_depth:
        inner = replace(found, array_depth=found.array_depth - 1)
        printer = "_vs_nested_text" if inner.array_depth else "_vs_array_text"
        if found.kind in TEXTS and not inner.array_depth:
            return call(printer, tree)
        return call(printer, each(tree, lambda element: printed(element, inner)))
    match found.kind:
        case Kind.TEXT | Kind.VARCHAR:
            return tree
        case Kind.BOOL:
            return case(
                (paren(tree), text("t")), (exp.Not(this=paren(tree.copy())), text("f")),
                default=exp.Null(),
            )  # fmt: skip
        case kind if (style := needs_style(kind)) is not None:
            return call("_vs_styled_text", text(style), tree)
        case Kind.FLOAT8:
            return call("_vs_float_text", tree)
        case Kind.FLOAT4:  # Its own shortest digits, not those of the double nearest to it.
            return call("_vs_float_text", cast(cast(tree, "VARCHAR"), "DOUBLE"))
        case Kind.NUMERIC if is_unbounded(found):
            return call("_vs_numeric_text", tree)
        case Kind.INTERVAL:
            return call("_vs_interval_text", tree)
        case Kind.BYTEA:
            return call("_vs_bytea_text", tree)
        case Kind.VECTOR:
            return _vector(tree)
        case Kind.RECORD if found.fields:
            return _record(tree, found)
        case Kind.JSON | Kind.JSONB:
            return cast(tree, "VARCHAR") if is_said(tree) else call("_vs_json_normal", tree)
        case _:
            return cast(tree, "VARCHAR")
