"""Building blocks of rules: the store's calls, casts and constants as trees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from sqlglot import exp

from voltstream.core.errors import UndefinedFunction
from voltstream.core.types import DataType, Kind

TypeOf = Callable[[exp.Expression], DataType]
Rule = Callable[["Call"], exp.Expression]

INTEGERS = frozenset({Kind.INT2, Kind.INT4, Kind.INT8})
FLOATS = frozenset({Kind.FLOAT4, Kind.FLOAT8})
EXACT = INTEGERS | {Kind.NUMERIC}
TEXTS = frozenset({Kind.TEXT, Kind.VARCHAR})
JSONS = frozenset({Kind.JSON, Kind.JSONB})
JSON_SAID = "_vs_json_said"  # Marks json whose text is kept where it becomes text.
ANY_TYPE = DataType(Kind.UNKNOWN)


class Call:
    """A function call or operator whose operands are already translated."""

    __slots__ = ("arguments", "name", "node", "type_of")

    def __init__(
        self,
        name: str,
        node: exp.Expression,
        arguments: Sequence[exp.Expression],
        type_of: TypeOf,
    ) -> None:
        self.name = name
        self.node = node
        self.arguments = list(arguments)
        self.type_of = type_of

    def __len__(self) -> int:
        return len(self.arguments)

    def __getitem__(self, index: int) -> exp.Expression:
        """Raises: UndefinedFunction (42883) where the call has no such argument."""
        if index >= len(self.arguments):
            types = ", ".join(self.type(i).pg_name for i in range(len(self)))
            raise UndefinedFunction(
                f"function {self.name}({types}) does not exist",
                hint="It takes more arguments.",
            )
        return self.arguments[index]

    def get(self, index: int, default: exp.Expression) -> exp.Expression:
        return self.arguments[index] if index < len(self.arguments) else default

    def type(self, index: int) -> DataType:
        return self.type_of(self.arguments[index])

    def kind(self, index: int) -> Kind:
        """Return the family of an argument; an array has none."""
        found = self.type(index)
        return Kind.UNKNOWN if found.array_depth else found.kind


def call(name: str, *arguments: exp.Expression) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def text(value: str) -> exp.Literal:
    return exp.Literal.string(value)


def number(value: int) -> exp.Expression:
    return exp.Literal.number(value)


def cast(tree: exp.Expression, store_type: str) -> exp.Cast:
    """Cast to a type in the store's spelling."""
    kind = exp.DataType.build(store_type, dialect="duckdb", udt=True)
    return exp.Cast(this=_operand(tree), to=kind)


def cast_as(tree: exp.Expression, kind: exp.DataType) -> exp.Cast:
    return exp.Cast(this=_operand(tree), to=kind.copy())


def _operand(tree: exp.Expression) -> exp.Expression:
    return tree


def null() -> exp.Null:
    return exp.Null()


def paren(tree: exp.Expression) -> exp.Expression:
    if isinstance(tree, exp.Binary | exp.Unary | exp.Between | exp.In) and not isinstance(
        tree, exp.Paren | exp.Dot
    ):
        return exp.Paren(this=tree)
    return tree


def bare(tree: exp.Expression) -> exp.Expression:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return tree


def string_of(tree: exp.Expression) -> str | None:
    """Return the value of a plain string constant."""
    inner = bare(tree)
    if isinstance(inner, exp.Literal) and inner.is_string:
        return str(inner.name)
    if isinstance(inner, exp.RawString | exp.ByteString):  # r'…' and E'…'
        return str(inner.this)
    return None


def is_null(tree: exp.Expression) -> bool:
    return isinstance(bare(tree), exp.Null)


def is_summed(tree: exp.Expression) -> bool:
    """Tell whether an expression makes its query one of groups."""
    return any(_is_own(node, tree) for node in tree.find_all(exp.AggFunc))


def _is_own(node: exp.Expr | None, tree: exp.Expression) -> bool:
    """Tell whether a part is the tree's own: neither a window's nor that of a query inside."""
    at = node
    while at is not None and not isinstance(at, exp.Window | exp.Query):
        if at is tree:
            return True
        at = at.parent
    return False


def each(array: exp.Expression, body: Callable[[exp.Expression], exp.Expression]) -> exp.Anonymous:
    """Return a list whose elements are computed one by one."""
    name = f"e{len(list(array.walk()))}"  # Differs from the names of lambdas inside the array.
    element = exp.Column(this=exp.to_identifier(name))
    function = exp.Lambda(this=body(element), expressions=[exp.to_identifier(name)])
    return call("list_transform", array, function)


def case(*branches: tuple[exp.Expression, exp.Expression], default: exp.Expression) -> exp.Case:
    return exp.Case(
        ifs=[exp.If(this=condition, true=value) for condition, value in branches], default=default
    )


def array_of(items: Sequence[exp.Expression]) -> exp.Expression:
    return exp.Array(expressions=list(items))


def renamed(name: str) -> Rule:
    """Return the rule that only changes a function's name."""
    return lambda found: call(name, *found.arguments)


_DIGITS_MAX = 38  # of the store's widest numeric


def literal_scale(text: str) -> int | None:
    """Return the scale at which the store's widest numeric holds a number; None for none.

    Digits that do not fit are rounded away.
    """
    value = Decimal(text)
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or value.adjusted() >= _DIGITS_MAX:
        return None
    if "e" in text.lower() and -exponent > _DIGITS_MAX:
        return None  # Nothing of it, or little, would be left.
    before = max(value.adjusted() + 1, 0) if value else 0
    return min(max(-exponent, 0), _DIGITS_MAX - before)
