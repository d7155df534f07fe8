"""jsonb: operators and functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from voltstream.core.errors import FeatureNotSupported, InvalidParameter
from voltstream.core.types import DataType, Kind
from voltstream.sql.rules.output import cast_text
from voltstream.sql.rules.tree import (
    FLOATS,
    INTEGERS,
    JSONS,
    Call,
    Rule,
    TypeOf,
    array_of,
    bare,
    call,
    case,
    cast,
    each,
    is_null,
    paren,
    string_of,
    text,
)

_NO_VARIABLES = "{}"


def is_json(found: DataType) -> bool:
    return found.kind in JSONS and not found.array_depth


def jsonb(tree: exp.Expression) -> exp.Expression:
    """Mark a text in jsonb's form as JSON."""
    return cast(tree, "JSON")


def _source(found: Call, index: int = 0) -> exp.Expression:
    """Return a JSON operand as text for a function of our own."""
    argument = found[index]
    return argument if string_of(argument) is not None else cast(argument, "VARCHAR")


def _index(tree: exp.Expression) -> int | None:
    inner = bare(tree)
    negative = isinstance(inner, exp.Neg)
    inner = bare(inner.this) if negative else inner
    if isinstance(inner, exp.Literal) and not inner.is_string and inner.name.isdigit():
        return -int(inner.name) if negative else int(inner.name)
    return None


def _path(found: Call) -> exp.Expression:
    """Return the store's path of one step: a member or an element."""
    key = found[1]
    spelled = string_of(key)
    if spelled is not None:
        return text('$."' + spelled.replace('"', '\\"') + '"')
    index = _index(key)
    if index is not None:
        return text(f"$[{index}]" if index >= 0 else f"$[#{index}]")
    if found.kind(1) in INTEGERS:
        return call("_vs_json_index", key)
    return call("_vs_json_member", key)


def _operand(found: Call) -> exp.Expression:
    """Return the left side of an arrow; a constant is jsonb."""
    return cast(found[0], "JSON") if string_of(found[0]) is not None else found[0]


def arrow(found: Call) -> exp.Expression:
    return call("json_extract", _operand(found), _path(found))


def text_arrow(found: Call) -> exp.Expression:
    return call("_vs_json_text", _operand(found), _path(found))


def _keys(found: Call, index: int = 1) -> exp.Expression:
    """Return a text[] operand; a constant is an array's text."""
    argument = found[index]
    if string_of(argument) is not None:
        return call("_vs_array_items", argument)
    return cast(argument, "VARCHAR[]")


def deep_arrow(found: Call) -> exp.Expression:
    return jsonb(call("_vs_json_at", _source(found), _keys(found)))


def deep_text_arrow(found: Call) -> exp.Expression:
    return call("_vs_json_text_at", _source(found), _keys(found))


def contains(found: Call) -> exp.Expression:
    return call("_vs_json_contains", _source(found), _source(found, 1))


def contained(found: Call) -> exp.Expression:
    return call("_vs_json_contains", _source(found, 1), _source(found))


def concatenated(found: Call) -> exp.Expression:
    return jsonb(call("_vs_json_concat", _source(found), _source(found, 1)))


def without(found: Call) -> exp.Expression:
    """Rule of jsonb - key, jsonb - index and jsonb - keys."""
    right = found.type(1)
    if right.array_depth:
        return jsonb(call("_vs_json_without", _source(found), cast(found[1], "VARCHAR[]")))
    if right.kind in INTEGERS:
        return jsonb(call("_vs_json_without_index", _source(found), found[1]))
    return jsonb(call("_vs_json_without", _source(found), array_of([cast(found[1], "VARCHAR")])))


def without_path(found: Call) -> exp.Expression:
    return jsonb(call("_vs_json_without_path", _source(found), _keys(found)))


def has_key(found: Call) -> exp.Expression:
    return call("_vs_json_has", _source(found), found[1])


def has_any(found: Call) -> exp.Expression:
    return call("_vs_json_has_any", _source(found), _keys(found))


def has_all(found: Call) -> exp.Expression:
    return call("_vs_json_has_all", _source(found), _keys(found))


def to_json(tree: exp.Expression, found: DataType, *, depth: int = 0) -> exp.Expression:
    """Return a value as a JSON text: what to_jsonb makes of it."""
    if found.array_depth:
        inner = replace(found, array_depth=found.array_depth - 1)
        items = each(tree, lambda element: to_json(element, inner, depth=depth + 1))
        return call("_vs_json_array", items)
    if found.is_map:
        return cast(call("to_json", tree), "VARCHAR")
    if found.kind is Kind.RECORD and found.fields:
        keys, fields = record_members(tree, found)
        values = [to_json(value, kind) for value, kind in fields]
        made = call("_vs_json_object", keys, cast(array_of(values), "VARCHAR[]"))
        return call("_vs_unless_null", paren(tree.copy()), made)
    if found.kind in JSONS:
        return cast(tree, "VARCHAR")
    return json_scalar(tree, found)


def record_members(
    tree: exp.Expression, found: DataType
) -> tuple[exp.Expression, list[tuple[exp.Expression, DataType]]]:
    """Return the names of a record's fields, and each field with its type."""
    keys = array_of([text(name) for name in found.field_names])
    fields: list[tuple[exp.Expression, DataType]] = [
        (call("struct_extract_at", paren(tree.copy()), exp.Literal.number(place)), kind)
        for place, kind in enumerate(found.fields, 1)
    ]
    return keys, fields


def json_scalar(tree: exp.Expression, found: DataType) -> exp.Expression:
    """Return a value that is neither an array nor JSON as a JSON text."""
    kind = found.kind
    if kind in FLOATS:
        return call("_vs_json_float", cast_text(tree, found))
    if kind is Kind.NUMERIC:
        return cast_text(tree, found)
    if kind is Kind.TIMESTAMP:
        return cast(call("to_json", call("_vs_iso", cast_text(tree, found))), "VARCHAR")
    if kind is Kind.TIMESTAMPTZ:
        return cast(call("to_json", call("_vs_iso_zoned", cast_text(tree, found))), "VARCHAR")
    if kind in (Kind.INTERVAL, Kind.BYTEA, Kind.UUID, Kind.DATE, Kind.TIME, Kind.TIMETZ):
        return cast(call("to_json", cast_text(tree, found)), "VARCHAR")
    return cast(call("to_json", tree), "VARCHAR")


def is_map(tree: exp.Expression, found: DataType, type_of: TypeOf) -> bool:
    """Tell a map from jsonb: it has keys."""
    return is_json(found) and type_of(call("map_keys", tree)).array_depth > 0


def _to_jsonb(found: Call) -> exp.Expression:
    if _is_row(found[0]):
        return jsonb(as_json(found[0], found))
    kind = found.type(0)
    return jsonb(to_json(found[0], kind))


def _is_row(tree: exp.Expression) -> bool:
    row = bare(tree)
    return isinstance(row, exp.Anonymous) and row.name.lower() == "row"


def as_json(tree: exp.Expression, found: Call) -> exp.Expression:
    """Return an argument of a building function; a text is a JSON string."""
    spelled = string_of(tree)
    if spelled is not None:
        return cast(call("to_json", tree), "VARCHAR")
    if _is_row(tree):
        items = bare(tree).expressions
        keys = [text(f"f{i}") for i in range(1, len(items) + 1)]
        values = array_of([as_json(item, found) for item in items])
        return call("_vs_json_object", array_of(keys), cast(values, "VARCHAR[]"))
    return to_json(tree, found.type_of(tree))


def _built_array(found: Call) -> exp.Expression:
    last = found.arguments[-1] if len(found) else None
    if isinstance(last, exp.Variadic):
        spread: exp.Expression = last.this
        return jsonb(to_json(spread, found.type_of(spread)))
    items = [as_json(argument, found) for argument in found.arguments]
    return jsonb(call("_vs_json_array", cast(array_of(items), "VARCHAR[]")))


def _built_object(found: Call) -> exp.Expression:
    last = found.arguments[-1] if len(found) else None
    if isinstance(last, exp.Variadic):
        return _object_of(Call(found.name, found.node, [last.this], found.type_of))
    keys, values = json_members(found)
    items = [as_json(item, found) for item in values]
    return jsonb(call("_vs_json_object", keys, cast(array_of(items), "VARCHAR[]")))


def json_members(found: Call) -> tuple[exp.Expression, list[exp.Expression]]:
    """Return the keys of a building function's arguments, and its values."""
    keys = [cast_text(key, found.type_of(key)) for key in found.arguments[::2]]
    return cast(array_of(keys), "VARCHAR[]"), list(found.arguments[1::2])


def _object_of(found: Call) -> exp.Expression:
    return jsonb(call("_vs_json_object", *keys_and_strings(found)))


def keys_and_strings(found: Call) -> tuple[exp.Expression, exp.Expression]:
    """Return keys and JSON strings of jsonb_object(text[]) and jsonb_object(keys, values)."""
    if len(found) == 2:
        return _keys(found, 0), _json_strings(_keys(found, 1))
    flat = _keys(found, 0)
    if found.type(0).array_depth > 1:
        flat = call("flatten", found[0])
    return call("_vs_odd", flat), _json_strings(call("_vs_even", flat.copy()))


def _json_strings(items: exp.Expression) -> exp.Expression:
    return each(items, lambda item: cast(call("to_json", item), "VARCHAR"))


def _extract_path(found: Call) -> exp.Expression:
    keys = cast(array_of([cast(key, "VARCHAR") for key in found.arguments[1:]]), "VARCHAR[]")
    last = found.arguments[-1]
    if isinstance(last, exp.Variadic):
        keys = cast(last.this, "VARCHAR[]")
    if found.name.endswith("_text"):
        return call("_vs_json_text_at", _source(found), keys)
    return jsonb(call("_vs_json_at", _source(found), keys))


def _assigned(name: str) -> Rule:
    def rule(found: Call) -> exp.Expression:
        default = exp.Boolean(this=name == "_vs_json_set")
        new = _source(found, 2)
        return jsonb(call(name, _source(found), _keys(found), new, found.get(3, default)))

    return rule


def _set_lax(found: Call) -> exp.Expression:
    """Rule of jsonb_set_lax: what a NULL for a new value does."""
    treatment = string_of(found.get(4, text("use_json_null")))
    made = _assigned("_vs_json_set")
    create = found.get(3, exp.Boolean(this=True))
    kept = [found[0], found[1], found[2], create]
    usual = made(Call(found.name, found.node, kept, found.type_of))
    match treatment:
        case "use_json_null":
            kept[2] = cast(text("null"), "JSON")
            other = made(Call(found.name, found.node, kept, found.type_of))
        case "delete_key":
            other = without_path(Call(found.name, found.node, kept[:2], found.type_of))
        case "return_target":
            other = jsonb(_source(found))
        case "raise_exception":
            other = jsonb(call("_vs_fail", text("22023"), text("JSON value must not be null")))
        case _:
            raise InvalidParameter(
                "null_value_treatment must be delete_key, return_target, use_json_null, "
                "or raise_exception"
            )
    given = exp.Not(this=exp.Is(this=paren(found[2].copy()), expression=exp.Null()))
    return case((given, usual), default=other)


def _of_source(name: str, *, json: bool = False) -> Rule:
    def rule(found: Call) -> exp.Expression:
        result = call(name, _source(found))
        return jsonb(result) if json else result

    return rule


def _elements(found: Call) -> exp.Expression:
    return cast(call("_vs_json_elements", _source(found)), "JSON[]")


def _queried(found: Call, name: str) -> exp.Expression:
    path = found[1]
    variables = _source(found, 2) if len(found) > 2 else text(_NO_VARIABLES)
    silent = found.get(3, exp.Boolean(this=False))
    return call(name, _source(found), cast(path, "VARCHAR"), variables, silent)


def _query(found: Call) -> exp.Expression:
    return cast(_queried(found, "_vs_json_query"), "JSON[]")


def _query_array(found: Call) -> exp.Expression:
    return jsonb(call("_vs_json_array", _queried(found, "_vs_json_query")))


def _query_first(found: Call) -> exp.Expression:
    return jsonb(call("list_extract", _queried(found, "_vs_json_query"), exp.Literal.number(1)))


def path_exists(found: Call) -> exp.Expression:
    silent = Call(found.name, found.node, [*found.arguments[:2]], found.type_of)
    return call(
        "_vs_json_exists", _source(silent), cast(found[1], "VARCHAR"), text(_NO_VARIABLES),
        exp.Boolean(this=True),
    )  # fmt: skip


def path_matches(found: Call) -> exp.Expression:
    return call(
        "_vs_json_match", _source(found), cast(found[1], "VARCHAR"), text(_NO_VARIABLES),
        exp.Boolean(this=True),
    )  # fmt: skip


def _populated(found: Call) -> exp.Expression:
    """Rule of jsonb_populate_record and jsonb_populate_map: the type is the first argument's."""
    base = bare(found[0])
    if not isinstance(base, exp.Cast):
        raise FeatureNotSupported(
            f"{found.name} of a value without a cast is not supported",
            hint="Cast the first argument: NULL::struct<a int, b varchar>.",
        )
    kind = base.to
    if kind.this == exp.DataType.Type.MAP and not _keys_are_texts(kind):
        raise InvalidParameter("cannot convert jsonb to a map with non-string keys")
    read = read_as(cast(found[1], "JSON"), kind)
    if is_null(base.this):
        return read
    if kind.this == exp.DataType.Type.MAP:
        return call("map_concat", base, read)
    kept = [call("struct_extract", base.copy(), text(field.name)) for field in kind.expressions]
    given = [call("struct_extract", read.copy(), text(field.name)) for field in kind.expressions]
    fields = [exp.Coalesce(this=a, expressions=[b]) for a, b in zip(given, kept, strict=True)]
    return _struct([field.name for field in kind.expressions], fields)


def read_as(document: exp.Expression, kind: exp.DataType) -> exp.Expression:
    """Return a document as a value of a declared type; members that are missing are NULL."""
    if kind.this in _TEXT_KINDS:
        return call("json_extract_string", document, text("$"))
    if kind.this != exp.DataType.Type.STRUCT:
        return exp.Cast(this=document, to=kind.copy())
    names = [field.name for field in kind.expressions]
    paths = [member_path(name) for name in names]
    fields = [
        read_as(call("json_extract", document.copy(), path), field.args["kind"])
        for field, path in zip(kind.expressions, paths, strict=True)
    ]
    return call("_vs_unless_null", document, _struct(names, fields))


def member_path(name: str) -> exp.Expression:
    """Return the store's path of an object's member."""
    return text('$."' + name.replace('"', '\\"') + '"')


def _struct(names: Sequence[str], fields: Sequence[exp.Expression]) -> exp.Expression:
    return exp.Struct(expressions=[
        exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=value)
        for name, value in zip(names, fields, strict=True)
    ])  # fmt: skip


_TEXT_KINDS = (exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT)


def _keys_are_texts(kind: exp.DataType) -> bool:
    return bool(kind.expressions) and kind.expressions[0].this in _TEXT_KINDS


_BOTH: dict[str, Rule] = {
    "build_array": _built_array, "build_object": _built_object, "object": _object_of,
    "extract_path": _extract_path, "extract_path_text": _extract_path,
    "array_length": _of_source("_vs_json_length"), "typeof": _of_source("_vs_json_type"),
    "strip_nulls": _of_source("_vs_json_strip", json=True), "pretty": _of_source("_vs_json_pretty"),
    "object_keys": _of_source("_vs_json_keys"), "array_elements": _elements,
    "array_elements_text": _of_source("_vs_json_texts"),
    "each": _of_source("_vs_json_pairs"), "each_text": _of_source("_vs_json_text_pairs"),
    "set": _assigned("_vs_json_set"), "insert": _assigned("_vs_json_insert"),
    "path_query": _query, "path_query_array": _query_array, "path_query_first": _query_first,
    "path_exists": lambda found: _queried(found, "_vs_json_exists"),
    "path_match": lambda found: _queried(found, "_vs_json_match"),
    "contains": contains, "exists": has_key, "exists_any": has_any, "exists_all": has_all,
}  # fmt: skip
CALLS: dict[str, Rule] = {
    **{f"jsonb_{name}": rule for name, rule in _BOTH.items()},
    **{f"json_{name}": rule for name, rule in _BOTH.items()},
    "to_jsonb": _to_jsonb,
    "jsonb_populate_record": _populated, "json_populate_record": _populated,
    "jsonb_populate_map": _populated, "jsonb_contained": contained, "jsonb_cat": concatenated,
    "jsonb_to_array": _elements, "jsonb_set_lax": _set_lax,
    "jsonb_concat": concatenated,
    "jsonb_delete": without, "jsonb_delete_path": without_path,
}  # fmt: skip
