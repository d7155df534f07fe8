"""Functions of types, keys, the session and the moment."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from voltstream.core.errors import DatatypeMismatch, InvalidParameter
from voltstream.core.types import DataType, Kind
from voltstream.sql.rules.json import is_map
from voltstream.sql.rules.numbers import levelled
from voltstream.sql.rules.output import output_text
from voltstream.sql.rules.tree import (
    FLOATS,
    Call,
    Rule,
    bare,
    call,
    case,
    cast,
    is_null,
    is_summed,
    number,
    paren,
    renamed,
    string_of,
    text,
)


def _typeof(found: Call) -> exp.Expression:
    if string_of(found[0]) is not None or is_null(found[0]):
        return text("unknown")
    if isinstance(bare(found[0]), exp.Anonymous) and bare(found[0]).name == "row":
        return text("record")
    found_type = found.type(0)
    if found_type.kind is Kind.VARCHAR:
        found_type = replace(found_type, kind=Kind.TEXT)  # What is not declared otherwise.
    name = text(found_type.pg_name)
    if is_summed(found[0]):  # It is one row for each group, and one where there are no rows.
        return exp.Coalesce(this=call("max", name), expressions=[name.copy()])
    return name


def _row(found: Call) -> exp.Expression:
    return call("row", *found.arguments)


def _nullif(found: Call) -> exp.Expression:
    return call("nullif", *found.arguments)


def _uuid(found: Call) -> exp.Expression:
    return call("gen_random_uuid")


def _extreme(found: Call) -> exp.Expression:
    """Rule of greatest and least: constants are read as the first typed argument."""
    typed = next((a for a in found.arguments if string_of(a) is None), None)
    kind = found.type_of(typed).kind if typed is not None else Kind.TEXT
    names = {Kind.DATE: "DATE", Kind.TIMESTAMP: "TIMESTAMP", Kind.TIMESTAMPTZ: "TIMESTAMPTZ",
             Kind.INTERVAL: "INTERVAL", Kind.TIME: "TIME"}  # fmt: skip
    items = [
        cast(a, names[kind]) if kind in names and string_of(a) is not None else a
        for a in found.arguments
    ]
    return call(found.name, *levelled(items, found.type_of))


# The letters of struct.pack for numbers; a text is its bytes.
_PACKED = {Kind.INT2: "h", Kind.INT4: "i", Kind.INT8: "q", Kind.BOOL: "?", Kind.FLOAT4: "f",
           Kind.FLOAT8: "d"}  # fmt: skip
_VNODES_MAX = 32_768


def _vnode(found: Call) -> exp.Expression:
    """Rule of rw_vnode(how many, values…); of one value alone there are 256."""
    if len(found) == 1:
        hashed = call("hash", *found.arguments)
        return cast(exp.Mod(this=hashed, expression=exp.Literal.number(256)), "SMALLINT")
    total = bare(found[0])
    if is_null(total):
        raise InvalidParameter("the first argument (vnode count) must not be NULL")
    if not isinstance(total, exp.Literal) or total.is_string:
        raise InvalidParameter("the first argument (vnode count) must be a constant")
    if not 1 <= int(total.name) <= _VNODES_MAX:
        message = f"the first argument (vnode count) must be in range 1..={_VNODES_MAX}"
        raise InvalidParameter(message)
    letters = "".join(_PACKED.get(found.kind(i), "s") for i in range(1, len(found)))
    values = exp.Array(expressions=[cast(value, "VARCHAR") for value in found.arguments[1:]])
    return cast(call("_vs_vnode", total, text(letters), values), "SMALLINT")


def _map_from_entries(found: Call) -> exp.Expression:
    entries = found[0]
    if is_null(entries):
        raise DatatypeMismatch("map_from_entries takes an array of records of a key and a value")
    keys = found.type_of(call("map_keys", call("map_from_entries", entries.copy())))
    _check_keys(keys)
    return call("map_from_entries", *found.arguments)


_NO_KEYS = FLOATS | {Kind.NUMERIC, Kind.BOOL, Kind.JSON, Kind.JSONB, Kind.INTERVAL}


def _map_from_key_values(found: Call) -> exp.Expression:
    _check_keys(found.type(0))
    return call("map", *found.arguments)


def _check_keys(keys: DataType) -> None:
    if keys.array_depth == 1 and keys.kind in _NO_KEYS:
        raise DatatypeMismatch(f"invalid map key type: {keys.kind.pg_name}")


def _map_delete(found: Call) -> exp.Expression:
    """Keep the entries whose key is none of the arguments."""
    gone = exp.Array(expressions=found.arguments[1:])
    name = exp.to_identifier("entry")
    key = call("struct_extract", exp.Column(this=name.copy()), text("key"))
    kept = exp.Lambda(this=exp.Not(this=call("list_contains", gone, key)), expressions=[name])
    return call("map_from_entries", call("list_filter", call("map_entries", found[0]), kept))


def _map_filter(found: Call) -> exp.Expression:
    """Rule of map_filter(map, |key, value| condition)."""
    test = found[1]
    names = [name.name for name in test.expressions] if isinstance(test, exp.Lambda) else []
    if len(names) != 2:
        raise DatatypeMismatch("map_filter takes a closure of a key and a value: |k, v| v > 1")
    if not is_map(found[0], found.type(0), found.type_of):
        raise DatatypeMismatch(f"map_filter takes a map, not {found.type(0).pg_name}")
    entry = exp.to_identifier("_entry")
    parts = dict(zip(names, ("key", "value"), strict=True))

    def named(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column | exp.Identifier) and node.name in parts:
            whole = exp.Column(this=entry.copy())
            return call("struct_extract", whole, text(parts[node.name]))
        return node

    kept = exp.Lambda(this=test.this.transform(named), expressions=[entry])
    entries = call("map_entries", found[0])
    tested = found.type_of(call("list_transform", entries.copy(), kept.copy()))
    if tested.array_depth and tested.kind not in (Kind.BOOL, Kind.UNKNOWN):
        said = tested.kind.pg_name
        raise DatatypeMismatch(f"the closure of map_filter must be of type boolean, not {said}")
    return call("map_from_entries", call("list_filter", entries, kept))


def _num_nulls(found: Call) -> exp.Expression:
    parts: list[exp.Expression] = [
        cast(exp.Paren(this=exp.Is(this=a, expression=exp.Null())), "INTEGER")
        for a in found.arguments
    ]
    tree = parts[0]
    for part in parts[1:]:
        tree = exp.Add(this=tree, expression=part)
    if found.name == "num_nonnulls":
        total = exp.Literal.number(len(parts))
        return exp.Paren(this=exp.Sub(this=total, expression=exp.Paren(this=tree)))
    return exp.Paren(this=tree)


_FIXED_BYTES = {
    Kind.BOOL: 1, Kind.INT2: 2, Kind.INT4: 4, Kind.INT8: 8, Kind.FLOAT4: 4, Kind.FLOAT8: 8,
    Kind.OID: 4, Kind.DATE: 4, Kind.TIME: 8, Kind.TIMETZ: 12, Kind.TIMESTAMP: 8,
    Kind.TIMESTAMPTZ: 8, Kind.INTERVAL: 16, Kind.UUID: 16,
}  # fmt: skip


def _column_size(found: Call) -> exp.Expression:
    """Rule of pg_column_size: what PostgreSQL would keep of a value, with the head of its length.

    A column's head is one byte where the value is short, a computed value's four.
    """
    kind = found.kind(0)
    if kind in _FIXED_BYTES:
        fixed = number(_FIXED_BYTES[kind])
        return case((exp.Not(this=exp.Is(this=paren(found[0]), expression=exp.Null())), fixed),
                    default=exp.Null())  # fmt: skip
    shown = cast(output_text(found[0], found.type_of), "VARCHAR")
    length = call("octet_length" if kind is Kind.BYTEA else "strlen",
                  found[0].copy() if kind is Kind.BYTEA else shown)  # fmt: skip
    head = call("_vs_head_bytes", length) if isinstance(found[0], exp.Column) else number(4)
    return cast(exp.Add(this=length.copy(), expression=head), "INTEGER")


def _same(found: Call) -> exp.Expression:
    test = exp.EQ if found.name == "booleq" else exp.NEQ
    return exp.Paren(this=test(this=paren(found[0]), expression=paren(found[1])))


CALLS: dict[str, Rule] = {
    "booleq": _same, "boolne": _same,
    "pg_typeof": _typeof, "pg_column_size": _column_size, "row": _row, "nullif": _nullif,
    "gen_random_uuid": _uuid,
    "uuid_generate_v4": _uuid, "greatest": _extreme, "least": _extreme, "rw_vnode": _vnode,
    "vnode": _vnode, "num_nulls": _num_nulls, "num_nonnulls": _num_nulls,
    "map_from_entries": _map_from_entries,
    "map_from_key_values": _map_from_key_values, "map_delete": _map_delete,
    "map_access": lambda found: call("list_extract", call("map_extract", *found.arguments),
                                     exp.Literal.number(1)),
    "map_contains": renamed("map_contains"), "map_keys": renamed("map_keys"),
    "map_values": renamed("map_values"), "map_entries": renamed("map_entries"),
    "map_length": lambda found: cast(call("cardinality", found[0]), "INTEGER"),
    "map_filter": _map_filter,
    "map_cat": renamed("map_concat"),
    "map_insert": lambda found: call(
        "map_concat", found[0],
        call("map", exp.Array(expressions=[found[1]]), exp.Array(expressions=[found[2]])),
    ),
}  # fmt: skip
