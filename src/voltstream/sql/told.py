"""What clients are told of a query's columns, where the store has one type for several.

Shape: the store knows strings, JSON, bits and numbers of objects; PostgreSQL tells text from name
and character(5), json from jsonb, oid from regclass. What a declaration, a cast or a catalog says
of a value follows it through names, queries inside, CASE and aggregates that choose a value.
Law: a type that cannot be followed is the store's own; what is told never contradicts the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from voltstream.core.schema import Column, Schema
from voltstream.core.system_types import information_type, system_type
from voltstream.core.types import DataType, Kind, from_declared, from_store
from voltstream.sql.catalog import CatalogReader
from voltstream.sql.statements import ColumnSpec

Lookup = Callable[[str], DataType | None]
Outputs = list[tuple[str, DataType | None] | Lookup]  # A lookup stands for a star.
_Visible = list[tuple[str, Lookup]]
_Named = Mapping[str, Outputs]

_STRINGS = frozenset({
    Kind.TEXT, Kind.VARCHAR, Kind.CHAR, Kind.NAME, Kind.BPCHAR, Kind.INT2VECTOR, Kind.OIDVECTOR,
    Kind.REGPROC, Kind.REGPROCEDURE, Kind.REGCLASS, Kind.REGTYPE, Kind.REGNAMESPACE, Kind.REGROLE,
    Kind.ACLITEM, Kind.PG_NODE_TREE, Kind.XID,
})  # fmt: skip
REGISTERED = frozenset({
    Kind.REGPROC, Kind.REGPROCEDURE, Kind.REGCLASS, Kind.REGTYPE, Kind.REGNAMESPACE, Kind.REGROLE,
})  # fmt: skip
# What each of the store's types may be to a client.
_POSSIBLE: Mapping[Kind, frozenset[Kind]] = {
    Kind.VARCHAR: _STRINGS,
    Kind.TEXT: _STRINGS,
    Kind.JSONB: frozenset({Kind.JSON, Kind.JSONB}),
    Kind.OID: frozenset({Kind.OID, Kind.XID}),
    Kind.VARBIT: frozenset({Kind.BIT, Kind.VARBIT}),
}
_BITS = (Kind.BIT, Kind.VARBIT)
_LISTS = {Kind.INT2VECTOR: "SMALLINT[]", Kind.OIDVECTOR: "UINTEGER[]"}
_RESULTS: Mapping[str, DataType] = {
    **dict.fromkeys(
        ("current_user", "session_user", "user", "current_role", "current_catalog",
         "current_schema", "current_database", "pg_get_userbyid", "getdatabaseencoding",
         "pg_encoding_to_char", "pg_client_encoding"),
        DataType(Kind.NAME),
    ),
    **dict.fromkeys(
        ("json_build_object", "json_build_array", "json_agg", "json_object_agg", "to_json",
         "row_to_json", "array_to_json", "json_object", "json_extract_path",
         "json_array_elements", "json_strip_nulls"),
        DataType(Kind.JSON),
    ),
    **dict.fromkeys(
        ("version", "format_type", "current_setting", "pg_get_viewdef", "pg_get_expr",
         "pg_get_indexdef", "pg_get_constraintdef", "obj_description", "col_description",
         "shobj_description", "pg_size_pretty", "quote_ident", "quote_literal", "lower", "upper",
         "concat", "concat_ws", "left", "right", "substr", "substring", "replace", "trim",
         "ltrim", "rtrim", "btrim", "split_part", "md5", "to_char", "string_agg", "array_to_string",
         "pg_describe_object", "initcap", "lpad", "rpad", "repeat", "reverse", "regexp_replace",
         "translate", "format", "chr", "group_concat", "json_typeof", "jsonb_typeof",
         "jsonb_pretty"),
        DataType(Kind.TEXT),
    ),
    **dict.fromkeys(("operator ->>", "operator #>>"), DataType(Kind.TEXT)),
    "pg_typeof": DataType(Kind.REGTYPE),
    "to_regclass": DataType(Kind.REGCLASS),
    "to_regtype": DataType(Kind.REGTYPE),
    "to_regproc": DataType(Kind.REGPROC),
    "to_regnamespace": DataType(Kind.REGNAMESPACE),
    "to_regrole": DataType(Kind.REGROLE),
    "current_schemas": DataType(Kind.NAME, 1),
    "acldefault": DataType(Kind.ACLITEM, 1),
}  # fmt: skip
_JSON_STEPS = frozenset({"operator ->", "operator #>"})
_CHOOSING = frozenset({"first", "last", "any_value", "arg_min", "arg_max", "min_by", "max_by"})
_SYSTEM_SCHEMA = "pg_catalog"
_INFORMATION_SCHEMA = "information_schema"


def told(tree: exp.Expression, catalog: CatalogReader, columns: Schema) -> Schema:
    """Return a query's columns with what clients are told of them."""
    if not any(_is_vague(_stored(column)) for column in columns):
        return columns
    found = _aligned(_outputs(tree, catalog, {}), columns)
    return tuple(map(_completed, columns, found))


def _completed(column: Column, kind: DataType | None) -> Column:
    if column.store_type == "BIT" and (kind is None or kind.kind not in _BITS):
        kind = DataType(Kind.BIT)  # Only || makes bits of another type than it takes.
    if kind is not None and _fits(column, kind):
        return replace(column, told=kind)
    stored = _stored(column)  # PostgreSQL's functions give text.
    return replace(column, told=replace(stored, kind=Kind.TEXT)) if _is_string(stored) else column


def _is_string(found: DataType) -> bool:
    return found.kind in (Kind.VARCHAR, Kind.TEXT)


def declared_columns(specs: Iterable[ColumnSpec], columns: Schema) -> Schema:
    """Return a table's columns with the types that it declares."""
    spelled = {spec.name: from_declared(spec.declared) for spec in specs}
    return tuple(
        replace(column, told=kind)
        if (kind := spelled.get(column.name)) is not None and _fits(column, kind)
        else column
        for column in columns
    )


def relation_lookup(catalog: CatalogReader, schema: str | None, name: str) -> Lookup:
    """Return what a stored relation tells of its columns."""
    if schema == _INFORMATION_SCHEMA:
        return information_type
    own = catalog.find(schema, name) if schema != _SYSTEM_SCHEMA else None
    if own is None or own.oid == 0:
        return system_type if schema == _SYSTEM_SCHEMA or name.startswith("pg_") else _nothing
    types = {column.name: column.told for column in own.columns}
    return types.get


def _nothing(_: str) -> DataType | None:
    return None


def _is_vague(found: DataType) -> bool:
    return found.kind in _POSSIBLE or (found.array_depth == 1 and found.kind is Kind.INT2)


def _stored(column: Column) -> DataType:
    """Return the store's type; its unsigned integers are the numbers of objects."""
    found = from_store(column.store_type)
    return replace(found, kind=Kind.OID) if column.store_type.startswith("UINTEGER") else found


def _fits(column: Column, kind: DataType) -> bool:
    """Tell whether the store's values of a column can be what is told."""
    if column.store_type == _LISTS.get(kind.kind):
        return True
    found = _stored(column)
    possible = _POSSIBLE.get(found.kind, frozenset())
    return found.array_depth == kind.array_depth and kind.kind in possible


def _aligned(outputs: Outputs, columns: Schema) -> Sequence[DataType | None]:
    """Return what is told of each column, by its place around one star, else by its name."""
    stars = [place for place, item in enumerate(outputs) if callable(item)]
    if not stars:
        if len(outputs) != len(columns):
            return [None] * len(columns)
        return [item[1] for item in outputs if not callable(item)]
    if len(stars) == 1 and len(outputs) - 1 <= len(columns):
        star = outputs[stars[0]]
        before, after = outputs[: stars[0]], outputs[stars[0] + 1 :]
        middle = columns[len(before) : len(columns) - len(after)]
        inside = [star(column.name) if callable(star) else None for column in middle]
        first = [item[1] for item in before if not callable(item)]
        return [*first, *inside, *(item[1] for item in after if not callable(item))]
    return [_named(outputs, column.name) for column in columns]


def _named(outputs: Outputs, name: str) -> DataType | None:
    for item in outputs:
        if callable(item):
            kind = item(name)
            if kind is not None:
                return kind
        elif item[0] == name:
            return item[1]
    return None


def _outputs(tree: exp.Expression, catalog: CatalogReader, around: _Named) -> Outputs:
    with_clause = tree.args.get("with_") or tree.args.get("with")
    if with_clause is not None:
        known = dict(around)
        for cte in with_clause.expressions:
            known[cte.alias] = _renamed(_outputs(cte.this, catalog, known), cte.args.get("alias"))
        around = known
    match tree:
        case exp.Subquery() | exp.Paren():
            return _outputs(tree.this, catalog, around)
        case exp.SetOperation():
            left = _outputs(tree.this, catalog, around)
            return _agreed(left, _outputs(tree.expression, catalog, around))
        case exp.Select():
            return _selected(tree, catalog, around)
        case _:
            return []


def _agreed(left: Outputs, right: Outputs) -> Outputs:
    """Keep what both sides of a set operation tell alike."""
    if len(left) != len(right) or any(map(callable, (*left, *right))):
        return []
    return [
        (a[0], a[1] if a[1] == b[1] else None)
        for a, b in zip(left, right, strict=True)
        if not callable(a) and not callable(b)
    ]


def _renamed(outputs: Outputs, alias: exp.Expression | None) -> Outputs:
    names = [column.name for column in alias.args.get("columns") or ()] if alias else []
    if not names or any(map(callable, outputs)) or len(names) > len(outputs):
        return outputs
    plain = [item for item in outputs if not callable(item)]
    return [*zip(names, (kind for _, kind in plain), strict=False), *plain[len(names) :]]


def _selected(select: exp.Select, catalog: CatalogReader, around: _Named) -> Outputs:
    visible = visible_in(select, catalog, around)
    found: Outputs = []
    for item in select.expressions:
        if isinstance(item, exp.Star):
            found.append(_any_of([lookup for _, lookup in visible]))
        elif isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
            found.append(_any_of([lookup for name, lookup in visible if name == item.table]))
        else:
            kind = kind_of(item.unalias(), visible, catalog, around)
            found.append((item.alias_or_name, kind))
    return found


def _any_of(lookups: Sequence[Lookup]) -> Lookup:
    def find(name: str) -> DataType | None:
        return next((kind for one in lookups if (kind := one(name)) is not None), None)

    return find


def visible_in(select: exp.Select, catalog: CatalogReader, around: _Named) -> _Visible:
    """Return the relations of a FROM clause by the names that they have there."""
    clause = select.args.get("from_") or select.args.get("from")
    holders = [clause, *(select.args.get("joins") or [])] if clause is not None else []
    found: _Visible = []
    for holder in holders:
        item = holder.this
        match item:
            case exp.Table(this=exp.Identifier()):
                if not item.db and item.name in around:
                    given = _renamed(around[item.name], item.args.get("alias"))
                    found.append((item.alias_or_name, _by_name(given)))
                else:
                    lookup = relation_lookup(catalog, item.db or None, item.name)
                    found.append((item.alias_or_name, lookup))
            case exp.Subquery():
                inner = _renamed(_outputs(item.this, catalog, around), item.args.get("alias"))
                found.append((item.alias_or_name, _by_name(inner)))
            case _:
                found.append((item.alias_or_name, _rows_of_call(item)))
    return found


# Functions in FROM whose last column is json.
_JSON_ROWS = {"json_each": 2, "json_array_elements": 1}


def _rows_of_call(item: exp.Expression) -> Lookup:
    """Return what is told of the columns of a function in FROM."""
    if _is_of_system(item):
        return system_type
    function = item.this.this if isinstance(item, exp.Lateral) else item.this
    width = _JSON_ROWS.get(function.name.lower()) if isinstance(function, exp.Anonymous) else None
    if width is None:
        return _nothing
    alias = item.args.get("alias")
    given = [column.name for column in alias.args.get("columns") or ()] if alias else []
    names = {given[width - 1]} if len(given) >= width else {"value", item.alias}
    return lambda name: DataType(Kind.JSON) if name in names else None


_SYSTEM_ROWS = frozenset({"aclexplode", "pg_identify_object"})


def _is_of_system(item: exp.Expression) -> bool:
    """Tell whether a function's fields are those of a catalog."""
    return any(call.name.lower() in _SYSTEM_ROWS for call in item.find_all(exp.Anonymous))


def _by_name(outputs: Outputs) -> Lookup:
    return lambda name: _named(outputs, name)


def kind_of(
    node: exp.Expression, visible: _Visible, catalog: CatalogReader, around: _Named
) -> DataType | None:
    """Return the type of an expression where more is known of it than the store does."""

    def inner(part: exp.Expression | None) -> DataType | None:
        return kind_of(part, visible, catalog, around) if part is not None else None

    match node:
        case exp.Column():
            lookups = [one for name, one in visible if not node.table or name == node.table]
            return _any_of(lookups)(node.name)
        case exp.Cast():
            return cast_kind(node.to)
        case exp.ParseJSON():
            return DataType(Kind.JSON)
        case exp.Paren() | exp.Min() | exp.Max() | exp.FirstValue() | exp.LastValue():
            return inner(node.this)
        case exp.Lag() | exp.Lead() | exp.Window() | exp.Filter() | exp.Nullif():
            return inner(node.this)
        case exp.Coalesce():
            return _common([node.this, *node.expressions], inner)
        case exp.Case():
            branches = [branch.args["true"] for branch in node.args["ifs"]]
            return _common([*branches, node.args.get("default")], inner)
        case exp.ArrayAgg() | exp.Array():
            parts = [node.this] if isinstance(node, exp.ArrayAgg) else node.expressions
            found = _common(parts, inner)
            return replace(found, array_depth=found.array_depth + 1) if found else None
        case exp.Subquery():
            outputs = _outputs(node.this, catalog, around)
            first = outputs[0] if len(outputs) == 1 else None
            return first[1] if first is not None and not callable(first) else None
        case exp.Literal() if node.is_string:
            return DataType(Kind.TEXT)
        case exp.DPipe():
            sides = (inner(node.this), inner(node.expression))
            bits = any(side is not None and side.kind in _BITS for side in sides)
            return DataType(Kind.VARBIT if bits else Kind.TEXT)
        case exp.BitString() | exp.HexString():
            return DataType(Kind.BIT)
        case exp.Dot():
            if _is_of_system(node.this):
                return system_type(node.expression.name)
            return inner(node.expression)
        case exp.Anonymous() | exp.AnonymousAggFunc() | exp.Explode():
            return _called(node, inner)
        case exp.Func():
            return _RESULTS.get(node.sql_name().lower())
        case _:
            return None


def _called(
    node: exp.Expression, inner: Callable[[exp.Expression | None], DataType | None]
) -> DataType | None:
    if isinstance(node, exp.Explode):
        return inner(node.this) if isinstance(node.this, exp.Anonymous) else None
    name = node.name.lower()
    if name in _CHOOSING and node.expressions:
        return inner(node.expressions[0])
    if name in _JSON_STEPS and node.expressions:
        found = inner(node.expressions[0])
        return found if found is not None and found.kind is Kind.JSON else None
    return _RESULTS.get(name)


def _common(
    parts: Sequence[exp.Expression | None],
    inner: Callable[[exp.Expression | None], DataType | None],
) -> DataType | None:
    """Return the type that all values share; constants and NULL are of any."""
    found: set[DataType | None] = {
        inner(part)
        for part in parts
        if part is not None
        and not isinstance(part, exp.Null)
        and not (isinstance(part, exp.Literal) and part.is_string)
    }
    return found.pop() if len(found) == 1 else None


def cast_kind(kind: exp.Expression) -> DataType | None:
    """Return the type that a cast names."""
    if isinstance(kind, exp.ObjectIdentifier):
        return from_declared(str(kind.this))
    if not isinstance(kind, exp.DataType):
        return None
    if kind.this == exp.DataType.Type.ARRAY and kind.expressions:
        element = cast_kind(kind.expressions[0])
        return replace(element, array_depth=element.array_depth + 1) if element else None
    size = f"({kind.expressions[0].name})" if kind.expressions else ""
    if kind.this == exp.DataType.Type.USERDEFINED:
        named = kind.args.get("kind")
        last = named.expression if isinstance(named, exp.Dot) else named
        if not isinstance(last, exp.Expression):
            return from_declared(str(last))
        if last.name == "char" and last.args.get("quoted"):
            return DataType(Kind.CHAR)
        return from_declared(last.name + size)
    return from_declared(str(kind.this.value) + size)
