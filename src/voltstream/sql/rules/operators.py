"""Operators, told apart by the types of their operands."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from voltstream.core.types import DataType, Kind
from voltstream.sql.natives.regex import similar_pattern, with_all_letters
from voltstream.sql.rules import arrays, casts, dates, json, numbers, records, vectors
from voltstream.sql.rules.output import cast_text
from voltstream.sql.rules.tree import (
    FLOATS,
    INTEGERS,
    TEXTS,
    Call,
    Rule,
    TypeOf,
    bare,
    call,
    cast,
    each,
    is_null,
    paren,
    string_of,
    text,
)

# What the store's own engine reads otherwise than PostgreSQL, or not at all.
_BEYOND_RE2 = re.compile(r"\(\?[=!<]|\\[1-9mMyYAZ]")
_NodeRule = Callable[[exp.Expression, TypeOf], "exp.Expression | None"]
_INSTANTS = frozenset({Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_FACTORS = INTEGERS | FLOATS | {Kind.NUMERIC}


def rewritten(node: exp.Expression, type_of: TypeOf) -> exp.Expression | None:
    """Return an operator as the store must see it; None when there is nothing to change."""
    rule = _BY_NODE.get(type(node))
    if rule is None:
        return None
    return rule(node, type_of)


def _operands(node: exp.Expression, name: str, type_of: TypeOf) -> Call:
    return Call(name, node, [node.this, node.args["expression"]], type_of)


def _plus(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    found = _typed_constants(_operands(node, "+", type_of))
    kinds = {found.kind(0), found.kind(1)}
    if Kind.VECTOR in kinds:
        return vectors.added(found)
    if kinds & _INSTANTS:
        return dates.added_days(found) or _again(node, found)
    found = _doubled(found)
    wider = numbers.widened(found)
    return exp.Add(this=wider[0], expression=wider[1]) if wider else _again(node, found)


def _minus(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    found = _typed_constants(_operands(node, "-", type_of))
    if json.is_json(found.type(0)):
        return json.without(found)
    if Kind.VECTOR in (found.kind(0), found.kind(1)):
        return vectors.subtracted(found)
    if {found.kind(0), found.kind(1)} & _INSTANTS:
        return dates.added_days(found) or _again(node, found)
    found = _doubled(found)
    wider = numbers.widened(found)
    return exp.Sub(this=wider[0], expression=wider[1]) if wider else _again(node, found)


def _doubled(found: Call) -> Call:
    """Return the operands of single and exact numbers with the single as a double."""
    kinds = found.kind(0), found.kind(1)
    if Kind.FLOAT4 not in kinds or not set(kinds) & (INTEGERS | {Kind.NUMERIC}):
        return found
    wide = [
        cast(a, "DOUBLE") if kind is Kind.FLOAT4 else a
        for a, kind in zip(found.arguments, kinds, strict=True)
    ]
    return Call(found.name, found.node, wide, found.type_of)


def _again(node: exp.Expression, found: Call) -> exp.Expression:
    node.set("this", found[0])
    node.set("expression", found[1])
    return node


def _typed_constants(found: Call) -> Call:
    """Read a string constant as what the other side asks for."""
    a, b = found[0], found[1]
    spelled = string_of(a), string_of(b)
    if spelled[1] is not None and spelled[0] is None:
        b = _as_other(b, found, 0)
    elif spelled[0] is not None and spelled[1] is None:
        a = _as_other(a, found, 1)
    return Call(found.name, found.node, [a, b], found.type_of)


_NUMBERS = {
    Kind.INT2: "SMALLINT", Kind.INT4: "INTEGER", Kind.INT8: "BIGINT", Kind.FLOAT4: "REAL",
    Kind.FLOAT8: "DOUBLE", Kind.NUMERIC: "DECIMAL",
}  # fmt: skip
_SUBTRACTED = {Kind.DATE: "DATE", Kind.TIMESTAMP: "TIMESTAMP", Kind.TIMESTAMPTZ: "TIMESTAMPTZ",
               Kind.TIME: "TIME", Kind.INTERVAL: "INTERVAL"}  # fmt: skip


def _as_other(tree: exp.Expression, found: Call, other: int) -> exp.Expression:
    kind = found.kind(other)
    if kind in _NUMBERS:
        return casts.rewritten(cast(tree, _NUMBERS[kind]), found.type_of)
    if kind not in _SUBTRACTED:
        return tree
    wanted = "INTERVAL" if found.name == "+" else _SUBTRACTED[kind]
    return casts.rewritten(cast(tree, wanted), found.type_of)


def _times(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    found = _typed_constants(_operands(node, "*", type_of))
    kinds = found.kind(0), found.kind(1)
    if Kind.VECTOR in kinds:
        return vectors.multiplied(found)
    if Kind.INTERVAL in kinds:
        at = kinds.index(Kind.INTERVAL)
        factor = kinds[1 - at]
        if factor in FLOATS | {Kind.NUMERIC, Kind.INT8}:  # The store has INTEGER factors only.
            return call("_vs_interval_times", found[at], _double(found, 1 - at))
        return _again(node, found)
    if Kind.TIME in kinds:
        at = kinds.index(Kind.TIME)
        span = call("_vs_time_interval", found[at])
        return call("_vs_interval_times", span, _double(found, 1 - at))
    found = numbers.roomy(_doubled(found))
    wider = numbers.widened(found)
    if wider:
        return exp.Mul(this=wider[0], expression=wider[1])
    return numbers.product(found) or _again(node, found)


def _double(found: Call, index: int) -> exp.Expression:
    """Return a factor as a double; a single by its own digits."""
    if found.kind(index) is Kind.FLOAT4:
        return cast(cast(found[index], "VARCHAR"), "DOUBLE")
    return cast(found[index], "DOUBLE")


def _divided(node: exp.Expression, type_of: TypeOf) -> exp.Expression | None:
    found = numbers.divisible(_doubled(_typed_constants(_operands(node, "/", type_of))))
    _again(node, found)
    if found.kind(0) is Kind.INTERVAL and found.kind(1) in _FACTORS:
        return call("_vs_interval_over", found[0], _double(found, 1))
    return None


def _joined(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    """Rule of ||: arrays, jsonb, bytes, and everything else as text."""
    found = _operands(node, "||", type_of)
    left, right = found.type(0), found.type(1)
    if Kind.VECTOR in (left.kind, right.kind):
        return vectors.joined(found)
    if left.kind is Kind.VARBIT and right.kind is Kind.VARBIT:
        return cast(exp.Paren(this=node), "BIT")
    if left.array_depth or right.array_depth:
        return arrays.concatenated(found)
    if json.is_map(found[0], left, type_of) and json.is_map(found[1], right, type_of):
        return call("map_concat", *found.arguments)
    if json.is_json(left) or json.is_json(right):
        other = right if json.is_json(left) else left
        constant = found[1] if json.is_json(left) else found[0]
        if json.is_json(other) or string_of(constant) is not None:
            return json.concatenated(found)
    if Kind.BYTEA in (left.kind, right.kind):
        sides = [
            call("_vs_bytea", side) if string_of(side) is not None else side
            for side in found.arguments
        ]
        return exp.DPipe(this=sides[0], expression=sides[1])
    parts = [
        side if string_of(side) is not None or is_null(side) else cast_text(side, type_of(side))
        for side in found.arguments
    ]
    return exp.DPipe(this=paren(parts[0]), expression=paren(parts[1]))


def _either(on_arrays: Rule, on_json: Rule) -> Rule:
    def rule(found: Call) -> exp.Expression:
        json_side = json.is_json(found.type(0)) or json.is_json(found.type(1))
        return (on_json if json_side else on_arrays)(found)

    return rule


def _as_rule(name: str, rule: Rule) -> _NodeRule:
    return lambda node, type_of: rule(_operands(node, name, type_of))


def _regexp(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    """Rule of ~ and ~*; unlike the store's engine, a dot matches a line's end too."""
    pattern = string_of(node.args["expression"])
    flags = "i" if isinstance(node, exp.RegexpILike) else ""
    if pattern is not None and not _BEYOND_RE2.search(pattern):
        flagged = text("is" if flags else "s")
        return call("regexp_matches", node.this, text(with_all_letters(pattern)), flagged)
    return call("_vs_regexp_like", node.this, node.args["expression"], text(flags))


def _like(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    """Rule of LIKE: the backslash escapes, unless ESCAPE says otherwise."""
    pattern = node.args["expression"]
    if isinstance(pattern, exp.Any | exp.All):
        return _like_each(node, pattern, type_of) or node
    spelled = string_of(pattern)
    if isinstance(node.parent, exp.Escape) or (spelled is not None and "\\" not in spelled):
        return node
    if node.args.get("negate"):
        node.set("negate", None)
        return exp.Not(this=exp.Escape(this=node, expression=text("\\")))
    return exp.Escape(this=node, expression=text("\\"))


def _similar(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    if isinstance(node.parent, exp.Escape):
        return node
    return _similar_to(node, text("\\"))


def _similar_to(node: exp.Expression, escape: exp.Expression) -> exp.Expression:
    pattern, mark = string_of(node.args["expression"]), string_of(escape)
    if pattern is not None and mark is not None:
        compiled = text(similar_pattern(pattern, mark))
        return call("regexp_matches", node.this, compiled, text("s"))
    return call("_vs_similar", node.this, node.args["expression"], escape)


def _escaped(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    inner = node.this
    if isinstance(inner, exp.SimilarTo):
        return _similar_to(inner, node.args["expression"])
    if isinstance(inner, exp.Like | exp.ILike) and inner.args.get("negate"):
        inner.set("negate", None)
        return exp.Not(this=node)
    return node


def _compared(node: exp.Expression, type_of: TypeOf) -> exp.Expression | None:
    """Read an array's constant as the other side's type; compare jsonb by value."""
    left, right = node.this, node.args["expression"]
    if isinstance(right, exp.Any | exp.All):
        return _compared_with_each(node, right, type_of)
    for here, there, key in ((left, right, "this"), (right, left, "expression")):
        if string_of(here) is None:
            continue
        found = type_of(there)
        if found.array_depth:
            node.set(key, arrays.parsed(here, found))
        elif found.kind is Kind.VECTOR:
            node.set(key, vectors.constant(string_of(here) or "", found.precision or 0))
        elif found.kind in (Kind.BYTEA, Kind.INTERVAL, Kind.BOOL):
            name = {Kind.BYTEA: "BLOB", Kind.INTERVAL: "INTERVAL", Kind.BOOL: "BOOLEAN"}
            node.set(key, casts.rewritten(cast(here, name[found.kind]), type_of))
        elif json.is_json(found):
            node.set(key, casts.rewritten(cast(here, "JSON"), type_of))
        elif found.kind in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TIME):
            node.set(key, casts.rewritten(cast(here, _SUBTRACTED[found.kind]), type_of))
        elif found.kind in INTEGERS:
            casts.check_integer(here, found.kind)
    types = type_of(node.this), type_of(node.args["expression"])
    if {types[0].kind, types[1].kind} == {Kind.TIME, Kind.INTERVAL}:
        key = "this" if types[0].kind is Kind.TIME else "expression"
        node.set(key, call("_vs_time_interval", node.args[key]))
    if Kind.FLOAT4 in (types[0].kind, types[1].kind):
        for key, mine, other in (("this", *types), ("expression", types[1], types[0])):
            if mine.kind is Kind.FLOAT4 and other.kind in INTEGERS | {Kind.NUMERIC}:
                node.set(key, cast(node.args[key], "DOUBLE"))
    if types[0].is_row is not types[1].is_row and records.are_records(*types):
        for key, kind in zip(("this", "expression"), types, strict=True):
            node.set(key, records.as_row(node.args[key], kind))
    if json.is_json(types[0]) and json.is_json(types[1]):
        normal = "_vs_json_normal"
        if not isinstance(node, exp.EQ | exp.NEQ | exp.NullSafeEQ | exp.NullSafeNEQ):
            normal = "_vs_json_key"
        for key in ("this", "expression"):
            node.set(key, call(normal, cast(node.args[key], "VARCHAR")))
    return node


def _compared_with_each(
    node: exp.Expression, right: exp.Any | exp.All, type_of: TypeOf
) -> exp.Expression:
    """Rule of x = ANY (array): x is compared with each element; NULLs make it unknown."""
    items = bare(right.this)
    if isinstance(items, exp.Query):
        return node
    if string_of(items) is not None:
        found = type_of(node.this)
        element = Kind.VARCHAR if found.kind is Kind.UNKNOWN else found.kind
        items = arrays.parsed(items, DataType(element, 1, found.precision, found.scale))
    return _summed_up(right, items, lambda item: type(node)(this=node.this.copy(), expression=item))


def _summed_up(
    right: exp.Any | exp.All,
    items: exp.Expression,
    test: Callable[[exp.Expression], exp.Expression],
) -> exp.Expression:
    return call("_vs_all" if isinstance(right, exp.All) else "_vs_any", each(items, test))


def _like_each(
    node: exp.Expression, right: exp.Any | exp.All, type_of: TypeOf
) -> exp.Expression | None:
    """Rule of x LIKE ANY (array): the pattern of each element in turn."""
    patterns = bare(right.this)
    if isinstance(patterns, exp.Query):
        return None
    if string_of(patterns) is not None:
        patterns = arrays.parsed(patterns, DataType(Kind.VARCHAR, 1))

    def matched(pattern: exp.Expression) -> exp.Expression:
        one = type(node)(this=node.this.copy(), expression=pattern)
        return exp.Escape(this=one, expression=text("\\"))

    found = _summed_up(right, patterns, matched)
    return exp.Not(this=found) if node.args.get("negate") else found


def _json_match(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    source = node.expressions[0]
    return json.path_matches(Call("@@", node, [source, node.this], type_of))


def _is(node: exp.Expression, type_of: TypeOf) -> exp.Expression | None:
    wanted = node.args["expression"]
    if isinstance(wanted, exp.JSON):
        kind = str(wanted.this or "").upper()
        source = paren(node.this)
        test = call("_vs_is_json", cast(source, "VARCHAR"), text(kind))
        return exp.Not(this=test) if wanted.args.get("negate") else test
    return None


def _cube_root(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    return call("_vs_cbrt", cast(node.this, "DOUBLE"))


def _square_root(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    return call("_vs_sqrt", cast(node.this, "DOUBLE"))


def _unary_power(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    return numbers.power(_operands(node, "^", type_of))


def _collated(node: exp.Expression, type_of: TypeOf) -> exp.Expression:
    tree: exp.Expression = node.this  # Texts are compared by their bytes: C and default alike.
    return tree


def _among(node: exp.Expression, type_of: TypeOf) -> exp.Expression | None:
    """Rule of IN with constants: each is read as the left side's type."""
    kind = type_of(node.this) if any(string_of(i) for i in node.expressions) else None
    if kind is None or kind.kind in TEXTS or kind.kind not in _SUBTRACTED:
        return node
    items = [
        casts.rewritten(cast(item, _SUBTRACTED[kind.kind]), type_of)
        if string_of(item) is not None
        else item
        for item in node.expressions
    ]
    node.set("expressions", items)
    return node


def _between(node: exp.Expression, type_of: TypeOf) -> exp.Expression | None:
    found = None
    for key in ("low", "high"):
        if string_of(node.args[key]) is not None:
            found = found or type_of(node.this)
            if not found.array_depth and found.kind in _SUBTRACTED:
                wanted = cast(node.args[key], _SUBTRACTED[found.kind])
                node.set(key, casts.rewritten(wanted, type_of))
    return node


_BY_NODE: dict[type[exp.Expr], _NodeRule] = {
    exp.Add: _plus,
    exp.Sub: _minus,
    exp.Mul: _times,
    exp.Div: _divided,
    exp.DPipe: _joined,
    exp.Pow: _unary_power,
    exp.Sqrt: _square_root,
    exp.Cbrt: _cube_root,
    exp.Distance: _as_rule("<->", vectors.CALLS["l2_distance"]),
    exp.BitwiseXor: _as_rule("#", numbers.bits),
    exp.BitwiseLeftShift: _as_rule("<<", numbers.shift),
    exp.BitwiseRightShift: _as_rule(">>", numbers.shift),
    exp.ArrayContainsAll: _as_rule("@>", _either(arrays.contains, json.contains)),
    exp.ArrayContainedBy: _as_rule("<@", _either(arrays.contained, json.contained)),
    exp.ArrayOverlaps: _as_rule("&&", arrays.overlapping),
    exp.JSONBContainsAnyTopKeys: _as_rule("?|", json.has_any),
    exp.JSONBContainsAllTopKeys: _as_rule("?&", json.has_all),
    exp.JSONBDeleteAtPath: _as_rule("#-", json.without_path),
    exp.JSONBPathExists: _as_rule("@?", json.path_exists),
    exp.MatchAgainst: _json_match,
    exp.RegexpLike: _regexp,
    exp.RegexpILike: _regexp,
    exp.Like: _like,
    exp.ILike: _like,
    exp.SimilarTo: _similar,
    exp.Escape: _escaped,
    exp.Overlaps: _as_rule("overlaps", dates.overlaps),
    exp.Collate: _collated,
    exp.In: _among,
    exp.Between: _between,
    exp.Is: _is,
    **dict.fromkeys(_COMPARISONS, _compared),
}
CALLS: dict[str, Rule] = {
    "operator ->": json.arrow,
    "operator ->>": json.text_arrow,
    "operator #>": json.deep_arrow,
    "operator #>>": json.deep_text_arrow,
    "operator ?": json.has_key,
    **{f"operator {sign}": vectors.CALLS[name] for sign, name in vectors.OPERATORS.items()},
}
