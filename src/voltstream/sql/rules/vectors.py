"""Vectors: distances, norms, parts."""

from __future__ import annotations

from sqlglot import exp

from voltstream.core.errors import DatatypeMismatch
from voltstream.core.types import Kind
from voltstream.sql.natives.conversions import read_vector
from voltstream.sql.rules.tree import Call, Rule, array_of, call, cast, number, string_of, text

OPERATORS = {
    "<->": "l2_distance", "<=>": "cosine_distance", "<#>": "negative_inner_product",
    "<+>": "l1_distance",
}  # fmt: skip


def constant(source: str, size: int) -> exp.Expression:
    """Return a vector's text as a vector. Raises: InvalidText, InvalidParameter."""
    items = array_of([cast(text(repr(item)), "FLOAT") for item in read_vector(source, size)])
    return cast(items, f"FLOAT[{size}]")


def parsed(tree: exp.Expression, size: int) -> exp.Expression:
    """Return a text as a vector, read row by row."""
    return cast(call("_vs_vector", tree, number(size)), f"FLOAT[{size}]")


def _operands(found: Call) -> tuple[exp.Expression, ...]:
    """Return the arguments as lists of doubles; a constant is read as the other's type."""
    sizes = [found.type(i).precision for i in range(len(found)) if found.kind(i) is Kind.VECTOR]
    if not sizes or sizes[0] is None:
        raise DatatypeMismatch(f"function {found.name} takes vectors: cast one to vector(n)")
    lists = []
    for place, argument in enumerate(found.arguments):
        source = string_of(argument)
        if source is not None:
            lists.append(cast(cast(constant(source, sizes[0]), "FLOAT[]"), "DOUBLE[]"))
            continue
        if found.kind(place) is Kind.VECTOR and found.type(place).precision != sizes[0]:
            raise DatatypeMismatch(
                f"different vector dimensions {sizes[0]} and {found.type(place).precision}"
            )
        lists.append(cast(cast(argument, "FLOAT[]"), "DOUBLE[]"))
    return tuple(lists)


def _named(name: str) -> Rule:
    return lambda found: call(name, *_operands(found))


def _negative(found: Call) -> exp.Expression:
    return exp.Neg(this=call("list_inner_product", *_operands(found)))


def _absolute(found: Call) -> exp.Expression:
    a, b = _operands(found)
    return call("_vs_l1_distance", a, b)


def _norm(found: Call) -> exp.Expression:
    (a,) = _operands(found)
    return call("sqrt", call("list_inner_product", a, a.copy()))


def _normalized(found: Call) -> exp.Expression:
    size = found.type(0).precision
    norm = _norm(found)
    (a,) = _operands(found)
    return cast(call("_vs_over_norm", a, norm), f"FLOAT[{size}]")


def _part(found: Call) -> exp.Expression:
    start, count = found[1], found[2]
    if not (isinstance(start, exp.Literal) and isinstance(count, exp.Literal)):
        raise DatatypeMismatch("the place and size of a subvector must be constants")
    first, size = int(start.name), int(count.name)
    whole = found.type(0).precision or 0
    if first < 1 or size < 1 or first + size - 1 > whole:
        raise DatatypeMismatch(f"vector({whole}) has no subvector of {size} from {first}")
    items = call("list_slice", cast(found[0], "FLOAT[]"), number(first), number(first + size - 1))
    return cast(items, f"FLOAT[{size}]")


def _combined(name: str) -> Rule:
    def rule(found: Call) -> exp.Expression:
        a, b = _operands(found)
        return cast(
            call(name, a, b), f"FLOAT[{found.type(0).precision or found.type(1).precision}]"
        )

    return rule


def joined(found: Call) -> exp.Expression:
    """Rule of || on vectors."""
    size = sum(found.type(place).precision or 0 for place in range(2))
    whole = call("list_concat", *(cast(argument, "FLOAT[]") for argument in found.arguments))
    return cast(whole, f"FLOAT[{size}]")


added = _combined("_vs_vector_plus")
subtracted = _combined("_vs_vector_minus")
multiplied = _combined("_vs_vector_times")

CALLS: dict[str, Rule] = {
    "l2_distance": _named("list_distance"), "cosine_distance": _named("list_cosine_distance"),
    "inner_product": _named("list_inner_product"), "l1_distance": _absolute,
    "negative_inner_product": _negative, "l2_norm": _norm, "vector_norm": _norm,
    "l2_normalize": _normalized, "subvector": _part,
    "vector_dims": lambda found: number(found.type(0).precision or 0),
}  # fmt: skip
