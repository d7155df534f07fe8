"""Arrays: operators, functions, slices."""

from __future__ import annotations

from sqlglot import exp

from voltstream.core.types import STORE_NAMES, DataType, Kind
from voltstream.sql.rules.texts import array_to_string
from voltstream.sql.rules.tree import (
    Call,
    Rule,
    array_of,
    call,
    cast,
    each,
    is_null,
    number,
    renamed,
    string_of,
)

_LISTS_OF_ROWS = frozenset({"_vs_regexp_matches", "_vs_json_pairs", "_vs_json_text_pairs"})


def store_name(found: DataType) -> str | None:
    """Spell a type for the store, or None when it cannot be told."""
    if found.kind is Kind.NUMERIC:
        name: str | None = f"DECIMAL({found.precision or 38},{found.scale or 0})"
    else:
        name = STORE_NAMES.get(found.kind)
    return None if name is None else name + "[]" * found.array_depth


def unnested(node: exp.Explode, found: DataType) -> exp.Expression:
    """Return UNNEST over an array of arrays as UNNEST over their elements."""
    tree = node.this
    if isinstance(tree, exp.Anonymous) and tree.name in _LISTS_OF_ROWS:
        return node
    for _ in range(found.array_depth - 1):
        tree = call("flatten", tree)
    node.set("this", tree)
    return node


def parsed(tree: exp.Expression, found: DataType) -> exp.Expression:
    """Return an array's text as an array of a type."""
    items = _nested(tree, found.array_depth)
    name = store_name(found)
    return items if name is None else cast(items, name)


def _nested(tree: exp.Expression, depth: int) -> exp.Expression:
    items = call("_vs_array_items", tree)
    return items if depth <= 1 else each(items, lambda item: _nested(item, depth - 1))


def like_other(found: Call, index: int, other: int) -> exp.Expression:
    """Return an argument; a constant becomes an array of the other argument's type."""
    if string_of(found[index]) is not None and found.type(other).array_depth:
        return parsed(found[index], found.type(other))
    return found[index]


def concatenated(found: Call) -> exp.Expression:
    """Rule of || on arrays: array and array, array and element, either side NULL."""
    left, right = found.type(0), found.type(1)
    depths = left.array_depth, right.array_depth
    a, b = found[0], found[1]
    if any((string_of(side) or "").lstrip().startswith("{") for side in found.arguments):
        a, b = like_other(found, 0, 1), like_other(found, 1, 0)
        depths = (max(depths), max(depths))
    if is_null(found[0]) or is_null(found[1]):
        depths = (max(depths), max(depths))
    if depths[0] > depths[1]:
        b = _wrapped(b, depths[1])
    elif depths[1] > depths[0]:
        a = _wrapped(a, depths[0])
    return call("_vs_array_cat", a, b)


def _wrapped(item: exp.Expression, depth: int) -> exp.Expression:
    """Return an array of one item; an array that is NULL adds nothing, an element does."""
    whole = array_of([item])
    return call("_vs_unless_null", item.copy(), whole) if depth else whole


def _append(found: Call) -> exp.Expression:
    return call("_vs_array_cat", found[0], array_of([found[1]]))


def _prepend(found: Call) -> exp.Expression:
    return call("_vs_array_cat", array_of([found[0]]), found[1])


def _cat(found: Call) -> exp.Expression:
    return concatenated(found)


def _length(found: Call) -> exp.Expression:
    if len(found) == 1:
        return cast(call("len", found[0]), "INTEGER")
    return call(
        "_vs_array_length",
        _down(found[0], found[1]),
    )


def _down(array: exp.Expression, dimension: exp.Expression) -> exp.Expression:
    """Return the first array of a dimension; a dimension that is not there gives NULL."""
    if isinstance(dimension, exp.Literal) and not dimension.is_string:
        tree = array
        for _ in range(int(dimension.name) - 1):
            tree = call("list_extract", tree, number(1))
        return tree
    return array


def _deep(found: Call) -> int | None:
    dimension = found.get(1, number(1))
    if isinstance(dimension, exp.Literal) and not dimension.is_string:
        return int(dimension.name)
    return 0 if isinstance(dimension, exp.Neg) else None


def _of_dimension(name: str) -> Rule:
    def rule(found: Call) -> exp.Expression:
        deep = _deep(found)
        if len(found) > 1 and deep is not None and not 1 <= deep <= found.type(0).array_depth:
            return cast(exp.Null(), "INTEGER")
        if deep is None:
            return call(f"{name}_at", found[0], found[1])
        return call(name, _down(found[0], found.get(1, number(1))))

    return rule


def _subscripts(found: Call) -> exp.Expression:
    """Rule of generate_subscripts(array, dimension [, reverse])."""
    deep = _deep(found)
    numbers: exp.Expression = cast(exp.Array(expressions=[]), "INTEGER[]")
    if deep is None:
        numbers = call("_vs_subscripts_at", found[0], found[1])
    elif 1 <= deep <= found.type(0).array_depth:
        numbers = call("_vs_subscripts", _down(found[0], found.get(1, number(1))))
    if len(found) < 3:
        return numbers
    backwards = call("list_reverse", numbers.copy())
    return exp.Case(ifs=[exp.If(this=found[2], true=backwards)], default=numbers)


def _ndims(found: Call) -> exp.Expression:
    return call("_vs_array_ndims", found[0], number(found.type(0).array_depth))


def _dims(found: Call) -> exp.Expression:
    depth = found.type(0).array_depth
    parts: list[exp.Expression] = []
    tree = found[0]
    for _ in range(depth):
        parts.append(call("_vs_array_dims", tree))
        tree = call("list_extract", tree.copy(), number(1))
    return parts[0] if depth == 1 else call("concat", *parts)


def _cardinality(found: Call) -> exp.Expression:
    depth = found.type(0).array_depth
    tree = found[0]
    for _ in range(depth - 1):
        tree = call("flatten", tree)
    return cast(call("len", tree), "INTEGER")


def _sum(found: Call) -> exp.Expression:
    kind = found.type(0).kind
    total = call("list_sum", found[0])
    return cast(total, "BIGINT") if kind in (Kind.INT2, Kind.INT4) else total


def _positions(found: Call) -> exp.Expression:
    return call("_vs_array_positions", found[0], found[1])


def contains(found: Call) -> exp.Expression:
    return call("_vs_array_contains", like_other(found, 0, 1), like_other(found, 1, 0))


def contained(found: Call) -> exp.Expression:
    return call("_vs_array_contains", like_other(found, 1, 0), like_other(found, 0, 1))


def overlapping(found: Call) -> exp.Expression:
    return call("_vs_array_overlaps", like_other(found, 0, 1), like_other(found, 1, 0))


def _transform(found: Call) -> exp.Expression:
    return call("list_transform", *found.arguments)


def _matched(name: str) -> Rule:
    """Rule of a test of every element: NULL results count as in ANY and ALL."""
    return lambda found: call(name, call("list_transform", *found.arguments))


def _remove(found: Call) -> exp.Expression:
    return call("_vs_array_remove", found[0], found[1])


def _fill(found: Call) -> exp.Expression:
    return call("_vs_array_fill", found[0], call("list_extract", found[1], number(1)))


def subscript(node: exp.Bracket) -> exp.Expression:
    """Return array[i], array[i][j] and array[i:j]: places outside give NULL or nothing.

    Law: PostgreSQL counts from one and knows no negative place.
    """
    index = node.expressions[0]
    if isinstance(index, exp.Slice):
        low, high = index.this, index.expression
        missing = number(1)
        return call("_vs_slice", node.this, low or missing, high or call("len", node.this.copy()))
    if isinstance(index, exp.Literal) and index.name.isdigit() and int(index.name) > 0:
        return call("list_extract", node.this, index)
    return call("_vs_element", node.this, index)


CALLS: dict[str, Rule] = {
    "array_append": _append, "array_prepend": _prepend, "array_cat": _cat,
    "array_length": _of_dimension("_vs_array_length"),
    "array_upper": _of_dimension("_vs_array_length"),
    "array_lower": _of_dimension("_vs_array_lower"), "array_ndims": _ndims, "array_dims": _dims,
    "cardinality": _cardinality, "array_sum": _sum, "array_min": renamed("list_min"),
    "array_max": renamed("list_max"), "array_sort": renamed("_vs_array_sort"),
    "array_distinct": renamed("_vs_array_distinct"), "array_reverse": renamed("list_reverse"),
    "array_remove": _remove, "array_replace": renamed("_vs_array_replace"),
    "array_position": renamed("_vs_array_position"), "array_positions": _positions,
    "array_contains": contains, "array_contained": contained, "array_overlaps": overlapping,
    "array_transform": _transform, "array_join": array_to_string, "array_fill": _fill,
    "trim_array": renamed("_vs_trim_array"), "array_filter": renamed("list_filter"),
    "array_flatten": renamed("flatten"), "array_concat": _cat,
    "generate_subscripts": _subscripts,
    "array_any_match": _matched("_vs_any"), "array_all_match": _matched("_vs_all"),
    "array_overlap": overlapping, "array_is_overlap": overlapping,
    "array_is_intersect": overlapping,
}  # fmt: skip
