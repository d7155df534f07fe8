"""Expressions: PostgreSQL's meaning spelled in DuckDB.

DuckDB 2.0 gives DOUBLE for bigint / 1000.0, avg(int) and extract(epoch), and HUGEINT for
sum(int); PostgreSQL gives numeric and bigint. The casts inserted here restore that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from voltstream.core.errors import UndefinedFunction
from voltstream.core.types import DataType, Kind
from voltstream.sql.dialect import SET_FUNCTIONS, store_sql
from voltstream.sql.functions import division_factors
from voltstream.sql.rules.aggregates import vector_total
from voltstream.sql.rules.casts import target_type
from voltstream.sql.rules.dispatch import rewritten
from voltstream.sql.rules.tree import ANY_TYPE, JSON_SAID, string_of
from voltstream.sql.trees import copied

TypeOf = Callable[[exp.Expression], DataType]
Resolve = Callable[[exp.Column], exp.Expression]

# A cast to one of these does not tell its type by its spelling alone.
_UNTOLD_TYPES = frozenset({
    exp.DataType.Type.DECIMAL, exp.DataType.Type.USERDEFINED, exp.DataType.Type.STRUCT,
    exp.DataType.Type.MAP, exp.DataType.Type.ARRAY, exp.DataType.Type.LIST,
})  # fmt: skip
NOW = "_vs_now"
INTEGERS = frozenset({Kind.INT2, Kind.INT4, Kind.INT8})
_FLOATS = frozenset({Kind.FLOAT4, Kind.FLOAT8})
_NOW_NAMES = frozenset({"now", "proctime", "current_timestamp", "transaction_timestamp",
                        "statement_timestamp", "clock_timestamp"})  # fmt: skip


def now() -> exp.Expression:
    """Return the epoch's timestamp as an expression; the emitter says where it comes from."""
    return exp.Anonymous(this=NOW, expressions=[])


def is_now(node: exp.Expression) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == NOW


def mentions_now(tree: exp.Expression) -> bool:
    return any(is_now(node) for node in tree.find_all(exp.Anonymous))


def column(name: str) -> exp.Column:
    return exp.Column(this=exp.to_identifier(name, quoted=True))


def spell(tree: exp.Expression) -> str:
    """Print an expression as DuckDB reads it."""
    return store_sql(tree)


def all_of(parts: Sequence[exp.Expression]) -> exp.Expression:
    """Join predicates with AND; there is at least one."""
    tree = parts[0]
    for part in parts[1:]:
        tree = exp.And(this=_parenthesised(tree), expression=_parenthesised(part))
    return tree


def _parenthesised(tree: exp.Expression) -> exp.Expression:
    return exp.Paren(this=tree) if isinstance(tree, exp.Connector) else tree


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def rewrite(
    tree: exp.Expression,
    type_of: TypeOf,
    resolve: Resolve,
    *,
    stable_now: bool,
    whole: bool = True,
) -> exp.Expression:
    """Return a copy with names resolved and PostgreSQL's types kept, children first.

    Queries inside are left as they are unless ``whole``.
    Shape: with ``stable_now`` NOW() becomes the epoch's timestamp; otherwise the instant that the
    connection was given: time is handed in to readers too.
    """

    bound: list[str] = []  # The variables of closures around a node.

    def known(node: exp.Expression) -> DataType:
        if string_of(node) is not None:
            return ANY_TYPE
        if isinstance(node, exp.Cast) and node.to.this not in _UNTOLD_TYPES:
            return target_type(node.to)
        if any(c.name in bound for c in node.find_all(exp.Column)):
            return ANY_TYPE
        return type_of(node)

    def visit(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            return node if not node.table and node.name in bound else resolve(node)
        if isinstance(node, exp.Lambda):
            names = [name.name for name in node.expressions]
            bound.extend(names)
            node.set("this", visit(node.this))
            del bound[-len(names) :]
            return node
        if not whole and isinstance(node, exp.Select):
            return node
        if spells_now(node):
            return _as_part_of_day(node, now() if stable_now else _instant())
        for key, value in list(node.args.items()):
            if isinstance(value, exp.Expression):
                node.set(key, visit(value))
            elif isinstance(value, list):
                node.set(key, [visit(v) if isinstance(v, exp.Expression) else v for v in value])
        return _retype(node, known)

    return visit(copied(tree))


def _instant() -> exp.Expression:
    variable = exp.Anonymous(this="getvariable", expressions=[exp.Literal.string("vs_now")])
    return exp.cast(variable, "TIMESTAMPTZ")


# CURRENT_DATE and its like are NOW() in another type.
_OF_NOW: dict[type[exp.Expression], str] = {
    exp.CurrentDate: "DATE",
    exp.CurrentTime: "TIMETZ",
    exp.Localtime: "TIME",
    exp.Localtimestamp: "TIMESTAMP",
}


def _as_part_of_day(node: exp.Expression, instant: exp.Expression) -> exp.Expression:
    kind = _OF_NOW.get(type(node))
    if kind is None:
        return instant
    local = instant if kind == "TIMETZ" else exp.cast(instant, "TIMESTAMP")
    return local if kind == "TIMESTAMP" else exp.cast(local, kind)


def spells_now(node: exp.Expression) -> bool:
    if isinstance(node, exp.CurrentTimestamp) or type(node) in _OF_NOW:
        return True
    if not isinstance(node, exp.Anonymous) or node.name.lower() not in _NOW_NAMES:
        return False
    if node.expressions:
        raise UndefinedFunction(f"function {node.name.lower()} takes no arguments")
    return True


def _retype(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    match node:
        case exp.Sum() | exp.Avg() if type_of(_operand(node)).kind is Kind.VECTOR:
            return vector_total(node, type_of)
        case exp.Avg():
            return _average(node, type_of)
        case exp.Sum():
            return _total(node, type_of)
        case exp.Filter() | exp.Window() if _is_wrapped(node.this):
            return _distributed(node)
    changed = rewritten(node, type_of)
    if changed is None and isinstance(node, exp.Div):
        return _divide(node, type_of)
    return node if changed is None else changed


def _total(node: exp.Sum, type_of: TypeOf) -> exp.Expression:
    summed = type_of(_operand(node)).kind
    if summed in INTEGERS - {Kind.INT8}:
        return exp.cast(node, "BIGINT")
    if summed is Kind.INTERVAL:  # The store adds up numbers only.
        return _total_interval(node)
    return exp.cast(node, "REAL") if summed is Kind.FLOAT4 else node


def _total_interval(node: exp.Sum) -> exp.Expression:
    def part(name: str) -> exp.Expression:
        argument = exp.Anonymous(this=name, expressions=[node.this.copy()])
        return exp.Sum(this=argument)

    parts = [part(name) for name in ("_vs_span_months", "_vs_span_days", "_vs_span_us")]
    return exp.Anonymous(this="_vs_span", expressions=parts)


def _is_wrapped(inner: exp.Expression) -> bool:
    """Tell whether an aggregate stands inside what PostgreSQL's types made of it."""
    plain = (exp.AggFunc, exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)
    return not isinstance(inner, plain) and inner.find(exp.AggFunc) is not None


def _distributed(node: exp.Filter | exp.Window) -> exp.Expression:
    """Move FILTER or OVER from a retyped aggregate onto the aggregates inside it."""
    inner = node.this
    assert isinstance(inner, exp.Expression)
    for call in list(inner.find_all(exp.AggFunc)):
        target = call.parent if isinstance(call.parent, exp.Filter) else call
        applied = node.copy()
        applied.set("this", target.copy())
        target.replace(applied)
    return inner


def _divide(node: exp.Div, type_of: TypeOf) -> exp.Expression:
    left, right = type_of(node.this), type_of(node.expression)
    numerics = INTEGERS | {Kind.NUMERIC}
    node.set("typed", False)  # Every connection has integer_division = true: 5 / 2 is 2.
    node.set("safe", False)
    if left.kind in INTEGERS and right.kind in INTEGERS:
        return node
    if left.kind in numerics and right.kind in numerics:
        return divide_numeric(node.this, left, node.expression, right)
    if left.kind in _FLOATS and right.kind in numerics | _FLOATS:
        return node
    if right.kind in _FLOATS and left.kind in numerics:
        node.set("this", exp.cast(node.this, "DOUBLE"))
    return node


def divide_numeric(
    dividend: exp.Expression, left: DataType, divisor: exp.Expression, right: DataType
) -> exp.Expression:
    """Return numeric division with 16 decimals, exact and rounded half away from zero."""
    factors = division_factors(left.scale or 0, right.scale or 0)
    return exp.Anonymous(
        this="_vs_div",
        expressions=[_ungroup(dividend), _ungroup(divisor)]
        + [exp.cast(exp.Literal.number(f), "HUGEINT") for f in factors],
    )


def _ungroup(tree: exp.Expression) -> exp.Expression:
    return tree.this if isinstance(tree, exp.Paren) else tree


def _operand(call: exp.AggFunc) -> exp.Expression:
    """Return what an aggregate takes, without its DISTINCT."""
    tree: exp.Expression = call.this
    return tree.expressions[0] if isinstance(tree, exp.Distinct) else tree


def _average(node: exp.Avg, type_of: TypeOf) -> exp.Expression:
    argument = node.this
    kind = type_of(_operand(node))
    if kind.kind not in INTEGERS | {Kind.NUMERIC}:
        return node
    total = DataType(Kind.NUMERIC, 0, 38, kind.scale or 0)
    count = DataType(Kind.INT8)
    quotient = divide_numeric(
        exp.Sum(this=argument.copy()), total, exp.Count(this=argument.copy()), count
    )
    guard = exp.EQ(this=exp.Count(this=argument.copy()), expression=exp.Literal.number(0))
    return exp.Case(ifs=[exp.If(this=guard, true=exp.Null())], default=quotient)


_AROUND_CALLS = (exp.Filter, exp.Window, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)
_CALL_NAMES = {
    "logical_and": "bool_and", "logical_or": "bool_or", "group_concat": "string_agg",
    "bitwise_and_agg": "bit_and", "bitwise_or_agg": "bit_or", "bitwise_xor_agg": "bit_xor",
    "variance_pop": "var_pop", "str_position": "position",
}  # fmt: skip
_TRIMMED = {"LEADING": "ltrim", "TRAILING": "rtrim"}


PARAMETER = "parameter"  # Marks the cast that tells a parameter's type: nobody wrote it.
_TYPE_WORDS = {
    "INT": "int4", "BIGINT": "int8", "SMALLINT": "int2", "DOUBLE": "float8", "FLOAT": "float4",
    "REAL": "float4", "BOOLEAN": "bool", "DECIMAL": "numeric", "CHAR": "bpchar",
    "VARBINARY": "bytea", "BIGDECIMAL": "numeric",
}  # fmt: skip


def type_word(kind: exp.Expression) -> str:
    """Return a type's name in the catalogs, by which PostgreSQL names what is cast to it."""
    if isinstance(kind, exp.ObjectIdentifier | exp.PseudoType):
        return str(kind.this).lower()
    if not isinstance(kind, exp.DataType):
        return ""
    if kind.this == exp.DataType.Type.ARRAY and kind.expressions:
        return type_word(kind.expressions[0])
    if kind.this == exp.DataType.Type.USERDEFINED:
        named = kind.args.get("kind")
        last = named.expression if isinstance(named, exp.Dot) else named
        return (last.name if isinstance(last, exp.Expression) else str(last)).lower()
    if not isinstance(kind.this, exp.DataType.Type):
        return ""
    return _TYPE_WORDS.get(kind.this.name, kind.this.name.lower())


def output_name(tree: exp.Expression) -> str:
    """Return the name PostgreSQL gives an unnamed output column."""
    if isinstance(tree, exp.Alias):
        return str(tree.alias)
    inner, cast_name = tree, ""
    while isinstance(inner, exp.Cast | exp.Paren | exp.Collate | exp.Bracket):
        if isinstance(inner, exp.Cast) and not inner.meta.get(PARAMETER):
            cast_name = cast_name or type_word(inner.to)
        inner = inner.this
    if isinstance(inner, exp.Interval):
        cast_name = cast_name or "interval"
    return _inner_name(inner) or cast_name or "?column?"


def _default_name(node: exp.Expression) -> str:
    """Return the name of CASE: that of what ELSE gives, where it has one by itself."""
    last = node.args.get("default")
    while isinstance(last, exp.Paren | exp.Collate | exp.Bracket | exp.Cast):
        last = last.this
    named = _inner_name(last) if isinstance(last, exp.Expression) else ""
    return named or "case"


def _opened_name(node: exp.Expression) -> str:
    """Return the name of rows in a select list: of the function that makes them."""
    inner = node.this
    opened = isinstance(inner, exp.Anonymous) and inner.name.lower() in SET_FUNCTIONS
    return str(inner.name).lower() if opened else "unnest"


_OPERATORS = (
    exp.Binary, exp.JSONBDeleteAtPath, exp.Sqrt, exp.Cbrt, exp.MatchAgainst, exp.StartsWith,
)  # fmt: skip
_NAMED_BY_GRAMMAR: dict[type[exp.Expr], Callable[[exp.Expression], str]] = {
    exp.Case: _default_name,
    exp.Explode: _opened_name,
    exp.AtTimeZone: lambda _: "timezone",
    exp.Overlaps: lambda _: "overlaps",
    exp.Corr: lambda _: "corr",
    exp.Trim: lambda node: _TRIMMED.get(node.args.get("position") or "", "btrim"),
}


def _inner_name(inner: exp.Expression) -> str:
    """Return the name that a value has by itself; "" for none."""
    if isinstance(inner, exp.Subquery):
        query = inner.this
        items = query.expressions if isinstance(query, exp.Select) else []
        return output_name(items[0]) if len(items) == 1 else ""
    if isinstance(inner, exp.Dot):  # The field of a record, or a function behind its schema.
        inner = inner.expression
    if isinstance(inner, exp.Column | exp.Identifier):
        return inner.name
    while isinstance(inner, _AROUND_CALLS):
        inner = inner.this
    if isinstance(inner, exp.Anonymous) and inner.name.startswith("operator "):
        return ""
    written = _NAMED_BY_GRAMMAR.get(type(inner))
    if written is not None:
        return written(inner)
    if isinstance(inner, _OPERATORS):  # Some are functions too.
        return ""
    if isinstance(inner, exp.Anonymous | exp.AnonymousAggFunc):
        if inner.name == JSON_SAID:
            return _inner_name(inner.expressions[0])
        return inner.name.lower()
    if isinstance(inner, exp.CurrentTimestamp):
        return "now"
    if isinstance(inner, exp.Func):
        name = inner.sql_name().lower()
        return _CALL_NAMES.get(name, name)
    return ""
