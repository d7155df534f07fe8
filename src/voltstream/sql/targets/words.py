"""Expressions of a bound plan, node by node, in a target's words.

A plan's expressions are DuckDB's, with our own macros among them. What is in none of the tables
here or in the target's is refused: a function added later is never sent on by chance.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import ClassVar

from sqlglot import exp, parse_one
from sqlglot.errors import ParseError

from voltstream.core.types import DataType, Kind, from_store
from voltstream.sql.expressions import spell
from voltstream.sql.natives.intervals import Span, interval_text, parse_interval
from voltstream.sql.targets.features import Feature, Remarks

Tree = exp.Expression
TypeOf = Callable[[Tree], DataType]

INTEGERS = frozenset({Kind.INT2, Kind.INT4, Kind.INT8})
MOMENTS = frozenset({Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE})

# What stands for instants that never come where a target has only finite ones.
FOREVER, NEVER = "9999-12-31 23:59:59.999999", "0001-01-01 00:00:00"
INFINITE = {"infinity": FOREVER, "-infinity": NEVER}

# What could fall apart inside another operation.
LOOSE = (exp.Binary, exp.Not, exp.Is, exp.In, exp.Between, exp.Case, exp.AtTimeZone, exp.Neg)

RECORD = "_record"  # The greatest of records, of which only fields are ever written.

# What has the same meaning everywhere, once its parts are translated.
_SHARED: tuple[type[Tree], ...] = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE,
    exp.Is, exp.In, exp.Between, exp.Like, exp.Case, exp.If, exp.Coalesce, exp.Null, exp.Boolean,
    exp.Literal, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.DPipe, exp.NullSafeEQ, exp.NullSafeNEQ,
    exp.Max, exp.Min, exp.Avg, exp.Count, exp.Distinct, exp.Star, exp.Filter, exp.Where,
    exp.Window, exp.WindowSpec, exp.Ordered, exp.Order, exp.Lag, exp.Lead, exp.RowNumber,
    exp.Rank, exp.DenseRank, exp.FirstValue, exp.LastValue, exp.Tuple, exp.Mod, exp.Identifier,
)  # fmt: skip


@dataclass(frozen=True)
class Sight:
    """What an expression sees: what each column is there, and the types of what is here."""

    names: Mapping[str, Tree]
    type_of: TypeOf


CallRule = Callable[["Words", Sequence[Tree], Sight], Tree]
NodeRule = Callable[["Words", Tree, Sight], Tree]


class Words(ABC):
    """One target's words. Shape: ``calls`` are functions by the store's names, ``nodes`` trees."""

    dialect = ""
    regressions: ClassVar[frozenset[str]] = frozenset()  # Aggregates that are as they are here.
    calls: ClassVar[Mapping[str, CallRule]] = {}
    nodes: ClassVar[Mapping[type[Tree], NodeRule]] = {}
    types: ClassVar[Mapping[Kind, str]] = {}

    def __init__(self, remarks: Remarks) -> None:
        self.remarks = remarks
        self.now: Tree = exp.Var(this="NOW()")
        self.in_condition = False  # Of a join: there Flink takes no interval times a number.

    # --- to be said by each target --------------------------------------------------------------

    @abstractmethod
    def interval(self, span: Span) -> Tree:
        """Return a constant interval."""

    @abstractmethod
    def divided(self, left: Tree, right: Tree) -> Tree:
        """Return numeric division with at least 16 decimals."""

    @abstractmethod
    def attempted(self, tree: Tree, sight: Sight) -> Tree:
        """Return what the store computes with TRY: an error is NULL."""

    def cast(self, tree: Tree, kind: DataType) -> Tree:
        return exp.Cast(this=tree, to=exp.DataType.build(self.type(kind), udt=True))

    def span(self, tree: Tree, sight: Sight) -> Tree:
        """Return arithmetic with times or intervals."""
        return self.shared(tree, sight)

    # --- what is common -------------------------------------------------------------------------

    def type(self, kind: DataType) -> str:
        """Spell a type. Raises: Refusal."""
        word = self.types.get(kind.kind)
        if word is None or kind.fields:
            self.remarks.meet(Feature.TYPE, kind.pg_name)
            word = "STRING"
        if kind.kind is Kind.NUMERIC and kind.precision is not None:
            word = f"{word}({kind.precision}, {kind.scale or 0})"
        return self.array(word) if kind.array_depth else word

    def array(self, word: str) -> str:
        return f"{word}[]"

    def tree(self, node: Tree, sight: Sight) -> Tree:
        """Return an expression in the target's words. Raises: Refusal."""
        own = self.nodes.get(type(node))
        if own is not None:
            return own(self, node, sight)
        match node:
            case exp.Column():
                return wrapped(sight.names[node.name].copy())
            case exp.Var():
                return self._text(node, sight)
            case exp.Anonymous():
                return self._call(node, sight)
            case exp.Interval():
                return self.interval(interval_span(node))
            case exp.Paren():
                return wrapped(bare(self.tree(node.this, sight)))
            case exp.Cast():
                return self._cast(node, sight)
            case exp.Div():
                return self._division(node, sight)
            case exp.Sum():
                return self._sum(node, sight)
            case exp.Add() | exp.Sub() if self._is_temporal(node, sight):
                return self.span(node, sight)
            case exp.Func() | exp.Explode() if node.sql_name().lower() in self.calls:
                arguments = [node.this, *node.expressions] if node.this is not None else []
                return self.calls[node.sql_name().lower()](self, arguments, sight)
            case _ if isinstance(node, _SHARED):
                return self.shared(node, sight)
            case _:
                return self._unknown(type(node).__name__.lower())

    def shared(self, node: Tree, sight: Sight) -> Tree:
        """Return a node whose meaning is the same, its parts translated."""
        made = node.copy()
        for key, value in node.args.items():
            if isinstance(value, exp.Expression):
                made.set(key, self._part(node, value, sight))
            elif isinstance(value, list):
                made.set(key, [
                    self._part(node, one, sight) if isinstance(one, exp.Expression) else one
                    for one in value
                ])  # fmt: skip
        return made

    def _part(self, node: Tree, part: Tree, sight: Sight) -> Tree:
        """Return a part of a node: what was one word and is an operation now, in brackets."""
        made = self.tree(part, sight)
        if isinstance(part, LOOSE) or not isinstance(node, LOOSE):
            return made
        holds = isinstance(node, exp.Connector) and not isinstance(made, exp.Connector)
        return made if holds else wrapped(made)

    def _unknown(self, name: str) -> Tree:
        self.remarks.meet(Feature.FUNCTION, name)
        return exp.Null()

    def _text(self, node: exp.Var, sight: Sight) -> Tree:
        """Read what the planner wrote as the store's text."""
        try:
            read = parse_one(node.name, read="duckdb")
        except ParseError:
            return self._unknown(node.name)
        if not isinstance(read, exp.Expression) or isinstance(read, exp.Var):
            return exp.Var(this=node.name)  # A unit, or a part of a window's frame.
        return self.tree(read, sight)

    def _call(self, node: exp.Anonymous, sight: Sight) -> Tree:
        name = node.name.lower()
        if name == "_vs_now":
            return self.now.copy()
        if name == "try":
            return self.attempted(node.expressions[0], sight)
        rule = self.calls.get(name)
        if rule is None:
            return self._unknown(name.removeprefix("_vs_"))
        return rule(self, node.expressions, sight)

    def _cast(self, node: exp.Cast, sight: Sight) -> Tree:
        kind = store_type(node.to)
        if kind.kind is Kind.INTERVAL and isinstance(node.this, exp.Literal):
            return self.interval(parse_interval(node.this.name))
        if isinstance(node.this, exp.Cast) and store_type(node.this.to) == kind:
            return self._cast(node.this, sight)
        return self.cast(self.tree(node.this, sight), kind)

    def _division(self, node: exp.Div, sight: Sight) -> Tree:
        made = self.shared(node, sight)
        divisor = node.expression
        if not is_number(divisor):
            made.set("expression", call("NULLIF", made.expression, exp.Literal.number(0)))
        made.set("typed", True)
        made.set("safe", False)
        return made

    def _sum(self, node: exp.Sum, sight: Sight) -> Tree:
        return self.shared(node, sight)

    def _is_temporal(self, node: Tree, sight: Sight) -> bool:
        sides = (node.this, node.expression)
        return any(sight.type_of(side).kind in MOMENTS | {Kind.INTERVAL} for side in sides)


def call(name: str, *arguments: Tree) -> Tree:
    return exp.Anonymous(this=name, expressions=list(arguments))


def wrapped(tree: Tree) -> Tree:
    """Put brackets around what could fall apart inside another expression."""
    return exp.Paren(this=tree) if isinstance(tree, LOOSE) else tree


def bare(tree: Tree) -> Tree:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return tree


def is_number(tree: Tree) -> bool:
    """Tell whether a tree is a number other than zero."""
    found = constant(tree)
    return found is not None and found != 0


def constant(tree: Tree) -> Decimal | None:
    """Return the value of arithmetic over numbers; None for anything else."""
    tree = bare(tree)
    if isinstance(tree, exp.Literal) and not tree.is_string:
        try:
            return Decimal(tree.name)
        except InvalidOperation:
            return None
    if isinstance(tree, exp.Cast | exp.Neg):
        found = constant(tree.this)
        return found if found is None or isinstance(tree, exp.Cast) else -found
    if not isinstance(tree, exp.Add | exp.Sub | exp.Mul):
        return None
    left, right = constant(tree.this), constant(tree.expression)
    if left is None or right is None:
        return None
    match tree:
        case exp.Add():
            return left + right
        case exp.Sub():
            return left - right
        case _:
            return left * right


def interval_span(node: exp.Interval) -> Span:
    unit = node.args.get("unit")
    return parse_interval(node.this.name, unit.name.lower() if unit is not None else None)


def store_type(kind: Tree) -> DataType:
    spelled = spell(kind)
    found = from_store("HUGEINT" if spelled == "INT128" else spelled)
    if found.kind is Kind.NUMERIC and found.precision is None:
        return DataType(Kind.NUMERIC, found.array_depth, 38, 0)
    return (
        from_store({"INT": "INTEGER", "TEXT": "VARCHAR"}.get(spelled, spelled))
        if (found.kind is Kind.TEXT)
        else found
    )


def delay_of(watermark: str) -> tuple[str, Span | None]:
    """Return the column of ``ts AS ts - INTERVAL '5 seconds'`` and how late its rows may be.

    Shape: an empty span where they may not; None for any other expression.
    """
    head, _, tail = watermark.replace(" as ", " AS ", 1).partition(" AS ")
    column, read = head.strip().strip('"'), parse_one(tail, read="postgres")
    if isinstance(read, exp.Column):
        return column, Span(0, 0, 0)
    if isinstance(read, exp.Sub) and isinstance(read.expression, exp.Interval):
        return column, interval_span(read.expression)
    return column, None


def span_text(span: Span) -> str:
    """Spell a span as people do: 15 minutes; a mixed one as PostgreSQL prints it."""
    for us, word in ((3_600_000_000, "hour"), (60_000_000, "minute"), (1_000_000, "second")):
        if not span.months and not span.days and span.us and span.us % us == 0:
            count = span.us // us
            return f"{count} {word}{'' if count == 1 else 's'}"
    return interval_text(span)


def microseconds(tree: Tree) -> Span | None:
    """Return a constant number of microseconds as a span of time."""
    found = constant(tree)
    return parse_interval(f"{found} microseconds") if found is not None else None


def is_record(tree: Tree) -> bool:
    return isinstance(tree, exp.Anonymous) and tree.name == RECORD
