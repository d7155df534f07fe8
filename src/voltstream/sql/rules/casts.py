"""Casts between all types, with PostgreSQL's readings and texts."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp

from voltstream.core.errors import (
    CannotCoerce,
    InvalidParameter,
    InvalidText,
    NumericOutOfRange,
)
from voltstream.core.limits import VECTOR_DIMENSIONS_MAX
from voltstream.core.types import DataType, Kind, from_store
from voltstream.sql.natives.datetimes import date_order, read_date, read_time, read_timestamp
from voltstream.sql.natives.json_values import normal_json
from voltstream.sql.natives.texts import array_items
from voltstream.sql.rules import arrays, vectors
from voltstream.sql.rules.dates import interval_literal
from voltstream.sql.rules.json import is_json, jsonb
from voltstream.sql.rules.json_texts import to_canonical
from voltstream.sql.rules.output import cast_text
from voltstream.sql.rules.tree import (
    EXACT,
    FLOATS,
    INTEGERS,
    TEXTS,
    TypeOf,
    call,
    cast,
    each,
    is_null,
    number,
    string_of,
    text,
)

_Type = exp.DataType.Type
_TEXT_TYPES = frozenset({_Type.TEXT, _Type.VARCHAR, _Type.CHAR, _Type.NCHAR, _Type.NVARCHAR,
                         _Type.BPCHAR, _Type.NAME})  # fmt: skip
_USER_TYPES = {
    "rw_int256": "HUGEINT", "rw_uint256": "UHUGEINT", "string": "VARCHAR", "int256": "HUGEINT",
    "jsonpath": "VARCHAR",
}  # fmt: skip
_INTEGER_NAMES = {Kind.INT2: "smallint", Kind.INT4: "integer", Kind.INT8: "bigint"}
_BOOLEANS = {
    **dict.fromkeys(("t", "tr", "tru", "true", "y", "ye", "yes", "on", "1"), True),
    **dict.fromkeys(("f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0"), False),
}
_OPENING = re.compile(r"(?:\s*\{)+")
_INTEGER = re.compile(r"\s*[+-]?\d+(?:_\d+)*\s*")
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
_RANGES = {Kind.INT2: 2**15, Kind.INT4: 2**31, Kind.INT8: 2**63}


def rewritten(node: exp.Cast, type_of: TypeOf) -> exp.Expression:
    """Return a cast as the store must see it."""
    kind = node.to
    if kind.this == _Type.VECTOR:
        kind = _vector_type(kind)
        node.set("to", kind)
    if kind.this == _Type.BIT or _is_varbit(kind):
        return _to_bits(node, kind, type_of)
    if kind.this == _Type.USERDEFINED:
        named = _USER_TYPES.get(kind.sql(dialect="duckdb").strip('"').lower())
        if named is None:
            return node
        node.set("to", exp.DataType.build(named, dialect="duckdb"))
        kind = node.to
    if is_null(node.this):
        return node if not _bare_decimal(kind) else cast(node.this, "DECIMAL(38,10)")
    if isinstance(node.this, exp.Array) and kind.this == _Type.ARRAY:
        return _scaled_array(node, target_type(kind), type_of)
    if vector_size(kind) is not None and type_of(node.this).array_depth:
        return node
    if kind.this in _TEXT_TYPES:
        return _to_text(node, kind, type_of)
    source = string_of(node.this)
    if source is not None:
        constant = _constant(node, source, kind)
        if constant is not None:
            return constant
    return _converted(node, kind, type_of)


def unified(items: list[exp.Expression], type_of: TypeOf) -> list[exp.Expression]:
    """Read the string constants among values of one column as the others' type."""
    if all(string_of(item) is None for item in items):
        return items
    others = [item for item in items if string_of(item) is None and not is_null(item)]
    found = type_of(others[0]) if others else DataType(Kind.UNKNOWN)
    if found.kind is Kind.UNKNOWN or (found.kind in TEXTS and not found.array_depth):
        return items
    name = arrays.store_name(found)
    if name is None:
        return items
    return [
        rewritten(cast(item, name), type_of) if string_of(item) is not None else item
        for item in items
    ]


def _vector_type(kind: exp.DataType) -> exp.DataType:
    size = kind.expressions[0].name if kind.expressions else ""
    if not size.isdigit() or not 0 < int(size) <= VECTOR_DIMENSIONS_MAX:
        raise InvalidParameter(
            "dimensions for type vector must be a number",
            hint=f"vector(n) has 1 to {VECTOR_DIMENSIONS_MAX} dimensions.",
        )
    return exp.DataType.build(f"FLOAT[{size}]", dialect="duckdb")


def vector_size(kind: exp.DataType) -> int | None:
    """Return the dimensions of the store's array of a fixed size, which a vector is."""
    if kind.this != _Type.ARRAY or not kind.args.get("values"):
        return None
    return int(kind.args["values"][0].name)


def target_type(kind: exp.DataType) -> DataType:
    """Return a declared type as ours."""
    size = vector_size(kind)
    if size is not None:
        return DataType(Kind.VECTOR, precision=size)
    depth, inner = 0, kind
    while inner.this == _Type.ARRAY and inner.expressions:
        depth, inner = depth + 1, inner.expressions[0]
    if _bare_decimal(inner):
        return DataType(Kind.NUMERIC, depth)
    return from_store(_spelled(kind))


_STORE_WORDS = {"INT": "INTEGER", "REAL": "FLOAT", "TEXT": "VARCHAR", "TIMESTAMPTZ": "TIMESTAMPTZ"}


def _spelled(kind: exp.DataType) -> str:
    word = kind.sql(dialect="duckdb").upper()
    base = word.rstrip("[]")
    return _STORE_WORDS.get(base, base) + word[len(base) :]


def _bare_decimal(kind: exp.DataType) -> bool:
    return kind.this == _Type.DECIMAL and not kind.expressions


def _to_text(node: exp.Cast, kind: exp.DataType, type_of: TypeOf) -> exp.Expression:
    source = string_of(node.this)
    tree = cast(node.this, "VARCHAR") if source is not None else None
    if tree is None:
        tree = cast(cast_text(node.this, type_of(node.this)), "VARCHAR")
    size = int(kind.expressions[0].name) if kind.expressions else None
    if kind.this == _Type.CHAR and size is None:
        size = 1
    cut = tree if size is None else call("left", tree, number(size))
    # An explicit cast to varchar(n) cuts without a word; blanks behind char(n) say nothing.
    return call("rtrim", cut, text(" ")) if kind.this in (_Type.CHAR, _Type.BPCHAR) else cut


def _constant(node: exp.Cast, source: str, kind: exp.DataType) -> exp.Expression | None:
    """Return a constant read now, as PostgreSQL reads its text; None leaves it to the store."""
    found = target_type(kind)
    if found.array_depth:
        return _constant_array(source, found, kind)
    match found.kind:
        case Kind.INT2 | Kind.INT4 | Kind.INT8:
            return _integer(source, found.kind, kind)
        case Kind.BOOL:
            return _boolean(source)
        case Kind.FLOAT4 | Kind.FLOAT8:
            word = source.strip().lower().lstrip("+-")
            if not _NUMBER.fullmatch(source) and word not in ("nan", "inf", "infinity"):
                raise _unreadable(found.kind.pg_name, source)
            return exp.Cast(this=text(source.strip()), to=kind)
        case Kind.NUMERIC:
            return _numeric(source, kind)
        case Kind.DATE:
            return cast(text(read_date(source)), "DATE")
        case Kind.TIMESTAMP:
            return cast(text(read_timestamp(source, zoned=False)), "TIMESTAMP")
        case Kind.TIMESTAMPTZ:
            return cast(text(read_timestamp(source, zoned=True)), "TIMESTAMPTZ")
        case Kind.TIME:
            return cast(text(read_time(source)), "TIME")
        case Kind.INTERVAL:
            return interval_literal(source)
        case Kind.BYTEA:
            return call("_vs_bytea", text(source))
        case Kind.JSON | Kind.JSONB:
            normal_json(source)  # It is read for its faults: json keeps the text as it is.
            kept = kind.this == _Type.JSON
            return cast(text(source if kept else normal_json(source)), "JSON")
        case Kind.VECTOR:
            return vectors.constant(source, found.precision or 0)
        case _:
            return None


def _is_varbit(kind: exp.DataType) -> bool:
    return kind.this == _Type.USERDEFINED and kind.sql().strip('"').lower() == "varbit"


def _to_bits(node: exp.Cast, kind: exp.DataType, type_of: TypeOf) -> exp.Expression:
    """Return bits; bit(n) cuts them or fills them up with zeros on the right, bit varying(n) cuts.

    A number gives its last n bits in two's complement.
    """
    size = int(kind.expressions[0].name) if kind.expressions else 0
    fixed = kind.this == _Type.BIT
    source = string_of(node.this)
    if source is not None:
        return _bit_constant(source, size or (1 if fixed else 0), fixed=fixed)
    if isinstance(node.this, exp.BitString | exp.HexString):
        return _bit_constant(bit_digits(node.this), size or (1 if fixed else 0), fixed=fixed)
    found = type_of(node.this)
    if found.kind in (Kind.INT2, Kind.INT4, Kind.INT8):
        bits = cast(cast(node.this, "BIGINT"), "BIT")
        return cast(call("right", cast(bits, "VARCHAR"), number(size or 1)), "BIT")
    digits = cast(node.this, "VARCHAR")
    if fixed:
        size = size or 1
        cut = call("left", digits, number(size))
        return cast(call("rpad", cut, number(size), text("0")), "BIT")
    return cast(call("left", digits, number(size)) if size else digits, "BIT")


def bit_digits(node: exp.BitString | exp.HexString) -> str:
    """Return what B'101' or X'1F' holds, digit by digit."""
    if isinstance(node, exp.BitString):
        return str(node.this)
    return "".join(f"{int(digit, 16):04b}" for digit in str(node.this))


def _bit_constant(digits: str, size: int, *, fixed: bool) -> exp.Expression:
    for digit in digits:
        if digit not in "01":
            raise InvalidText(f'"{digit}" is not a valid binary digit')
    if size:
        digits = digits[:size].ljust(size if fixed else 0, "0")
    return cast(text(digits), "BIT")


def _unreadable(name: str, source: str) -> InvalidText:
    return InvalidText(f'invalid input syntax for type {name}: "{source}"')


def _integer(source: str, kind: Kind, target: exp.DataType) -> exp.Expression:
    name = _INTEGER_NAMES[kind]
    if not _INTEGER.fullmatch(source):
        raise _unreadable(name, source)
    value = int(source)
    if not -_RANGES[kind] <= value < _RANGES[kind]:
        raise NumericOutOfRange(f'value "{source}" is out of range for type {name}')
    return exp.Cast(this=text(str(value)), to=target)


def check_integer(tree: exp.Expression, kind: Kind) -> None:
    """Refuse a constant that an integer is compared with and that is none."""
    source = string_of(tree)
    if source is not None and not _INTEGER.fullmatch(source):
        raise _unreadable(_INTEGER_NAMES[kind], source)


def _boolean(source: str) -> exp.Expression:
    value = _BOOLEANS.get(source.strip().lower())
    if value is None:
        raise _unreadable("boolean", source)
    return exp.Boolean(this=value)


def _numeric(source: str, kind: exp.DataType) -> exp.Expression:
    if source.strip().lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return cast(text(source.strip()), "DOUBLE")  # No stored numeric holds these.
    if not _NUMBER.fullmatch(source):
        raise _unreadable("numeric", source)
    if kind.expressions:
        return exp.Cast(this=text(source.strip()), to=kind)
    return cast(text(source.strip()), f"DECIMAL(38,{_scale(source)})")


def _scale(source: str) -> int:
    mantissa, _, exponent = source.strip().lower().partition("e")
    digits = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return min(max(digits, 0), 28)


def _constant_array(source: str, found: DataType, kind: exp.DataType) -> exp.Expression:
    if found.kind is Kind.NUMERIC and not _has_scale(kind):
        scale = max((_scale(i) for i in re.findall(r"[\d.eE+-]+", source) if "." in i), default=0)
        found = DataType(Kind.NUMERIC, found.array_depth, 38, scale)
    if kind.sql(dialect="duckdb").upper().startswith("UINTEGER"):
        found = replace(found, kind=Kind.OID)
    depth = _depth_of(source) or found.array_depth
    name = arrays.store_name(replace(found, array_depth=depth))
    element = arrays.store_name(replace(found, array_depth=0))
    if name is None or element is None:
        return arrays.parsed(text(source), found)
    return cast(_array_tree(source, element, depth), name)


def _depth_of(source: str) -> int:
    """Return how many braces open before the first element; 0 for an empty array."""
    opened = _OPENING.match(source)
    return 0 if opened is None or source.strip() == "{}" else opened[0].count("{")


def _array_tree(source: str, element: str, depth: int) -> exp.Array:
    """Read a constant array, each element as a constant of its type is read."""
    items = array_items(source)
    if depth > 1:
        inner = [_array_tree(item or "", element, depth - 1) for item in items]
        if len({len(one.expressions) for one in inner}) > 1:
            raise InvalidText(
                f'malformed array literal: "{source}"',
                detail="Multidimensional arrays must have sub-arrays with matching dimensions.",
            )
        return exp.Array(expressions=inner)
    return exp.Array(expressions=[_element(item, element) for item in items])


def _element(item: str | None, element: str) -> exp.Expression:
    if item is None:
        return exp.Null()
    return rewritten(cast(text(item), element), lambda _: DataType(Kind.TEXT))


def _has_scale(kind: exp.DataType) -> bool:
    inner = kind
    while inner.this == _Type.ARRAY and inner.expressions:
        inner = inner.expressions[0]
    return bool(inner.expressions)


def _converted(node: exp.Cast, kind: exp.DataType, type_of: TypeOf) -> exp.Expression:
    source, target = type_of(node.this), target_type(kind)
    tree: exp.Expression = node.this
    if target.array_depth:
        return _to_array(node, source, target, type_of)
    if is_json(source) and target.kind not in (Kind.JSON, Kind.JSONB):
        return _from_json(tree, kind, target)
    if _bare_decimal(kind):
        return _to_numeric(tree, source)
    if source.kind in TEXTS and not source.array_depth:
        return _from_text(node, kind, target)
    if is_json(target):
        if not is_json(source):
            return node
        if kind.this == _Type.JSONB:
            return to_canonical(tree)
        if source.is_map:
            return tree
        return jsonb(call("_vs_json_normal", cast(tree, "VARCHAR")))  # In jsonb's own form.
    if target.kind is Kind.BOOL and source.kind in _NO_BOOLEANS and not source.array_depth:
        raise CannotCoerce(f"cannot cast type {source.pg_name} to boolean")
    if source.kind is Kind.TIMESTAMPTZ and target.kind is Kind.TIME and not source.array_depth:
        return exp.Cast(this=cast(tree, "TIMESTAMP"), to=kind)
    if source.kind is Kind.TIME and target.kind is Kind.INTERVAL:
        return call("_vs_time_interval", tree)
    if source.kind is Kind.INTERVAL and target.kind is Kind.TIME:
        return call("_vs_interval_time", tree)
    return node


_NO_BOOLEANS = (EXACT | FLOATS) - {Kind.INT4}


def _to_array(
    node: exp.Cast, source: DataType, target: DataType, type_of: TypeOf
) -> exp.Expression:
    if source.kind in TEXTS and not source.array_depth:
        return arrays.parsed(node.this, target)
    if source.array_depth > target.array_depth:  # To PostgreSQL, every depth is one type.
        name = arrays.store_name(replace(target, array_depth=source.array_depth))
        return node if name is None else cast(node.this, name)
    if target.kind in TEXTS and source.kind not in TEXTS and source.array_depth == 1:
        inner = DataType(source.kind, 0, source.precision, source.scale)
        return each(node.this, lambda element: cast_text(element, inner))
    return _scaled_array(node, target, type_of)


def _scaled_array(node: exp.Cast, target: DataType, type_of: TypeOf) -> exp.Expression:
    """Return a cast of an array whose numerics have a scale: the store would choose one."""
    if target.kind is not Kind.NUMERIC or _has_scale(node.to):
        return node
    tree: exp.Expression = node.this
    source = type_of(tree)
    if source.kind is Kind.NUMERIC:
        return tree
    scale = 0 if source.kind in INTEGERS else 10
    return cast(tree, f"DECIMAL(38,{scale})" + "[]" * target.array_depth)


def _from_json(tree: exp.Expression, kind: exp.DataType, target: DataType) -> exp.Expression:
    source = cast(tree, "VARCHAR")
    if target.kind is Kind.BOOL:
        return call("_vs_json_boolean", source)
    if target.kind in EXACT | FLOATS:
        digits = call("_vs_json_number", source, text(target.kind.pg_name))
        if target.kind is Kind.NUMERIC and not kind.expressions:
            return cast(digits, "DECIMAL(38,10)")
        return exp.Cast(this=digits, to=kind)
    return exp.Cast(this=call("_vs_json_normal", source), to=kind)


def _to_numeric(tree: exp.Expression, source: DataType) -> exp.Expression:
    if source.kind is Kind.NUMERIC and source.scale is not None:
        return tree
    if source.kind in INTEGERS or source.kind is Kind.NUMERIC:
        return cast(tree, "DECIMAL(38,0)")
    if source.kind is Kind.FLOAT4:  # By its own digits, not those of the double nearest to it.
        tree = cast(tree, "VARCHAR")
    return cast(tree, "DECIMAL(38,10)")


def _from_text(node: exp.Cast, kind: exp.DataType, target: DataType) -> exp.Expression:
    match target.kind:
        case Kind.INT2 | Kind.INT4 | Kind.INT8:
            named = text(_INTEGER_NAMES[target.kind])
            return exp.Cast(this=call("_vs_integer_text", node.this, named), to=kind)
        case Kind.BOOL:
            return call("_vs_boolean_text", node.this)
        case Kind.INTERVAL:
            return call("_vs_interval", node.this)
        case Kind.DATE | Kind.TIMESTAMP | Kind.TIMESTAMPTZ | Kind.TIME:
            reader = f"_vs_{target.kind.name.lower()}_text"
            return exp.Cast(this=call(reader, node.this, text(date_order.get())), to=kind)
        case Kind.BYTEA:
            return call("_vs_bytea", node.this)
        case Kind.JSON | Kind.JSONB:
            if kind.this == _Type.JSON:
                return jsonb(call("_vs_json_kept", node.this))
            return jsonb(call("_vs_json_normal", node.this))
        case Kind.VECTOR:
            return vectors.parsed(node.this, target.precision or 0)
        case _:
            return node
