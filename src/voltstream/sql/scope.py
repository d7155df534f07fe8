"""Names in sight of a SELECT, and the types of expressions over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sqlglot import exp

from voltstream.core.errors import (
    AmbiguousColumn,
    NotIncremental,
    UndefinedColumn,
    UndefinedTable,
)
from voltstream.core.types import DataType, Kind, from_store
from voltstream.sql.batch import batch_sql
from voltstream.sql.catalog import TypeOracle
from voltstream.sql.expressions import column, quote, spell
from voltstream.sql.plan import (
    Plan,
)
from voltstream.sql.row_ids import ROW_ID
from voltstream.sql.rules.tree import literal_scale
from voltstream.sql.streaming_words import CHANGELOG_ROW_ID

_LITERAL_BIGINT_MAX = 2**63 - 1
_LITERAL_INT_MAX = 2**31 - 1


@dataclass
class Visible:
    """One FROM item: what each of its public columns means over the plan's columns."""

    alias: str
    columns: dict[str, exp.Expression]
    hidden: bool = False  # not part of *
    key: tuple[str, ...] = ()  # the public columns that identify a row


@dataclass
class Scope:
    """The FROM clause of one SELECT. ``merged`` are the columns of USING, named once."""

    items: list[Visible] = field(default_factory=list)
    merged: dict[str, exp.Expression] = field(default_factory=dict)
    outer: Correlation | None = None

    def resolve(self, node: exp.Column) -> exp.Expression:
        """Raises: UndefinedColumn (42703), AmbiguousColumn (42702)."""
        found = self.find(node)
        if found is not None:
            return found
        if self.outer is not None:
            return self.outer.capture(node)
        if not node.table and any(item.alias == node.name for item in self.items):
            raise NotIncremental(f'a whole row of "{node.name}" as a value')
        shown = f"{node.table}.{node.name}" if node.table else node.name
        hidden = "Queries that run once can read it; no view can be kept by it."
        hint = hidden if node.name == ROW_ID else None
        raise UndefinedColumn(f'column "{shown}" does not exist', hint=hint)

    def find(self, node: exp.Column) -> exp.Expression | None:
        """Return what a name means here, or None. Raises: AmbiguousColumn (42702)."""
        name, table = node.name, node.table
        if not table and name in self.merged:
            return self.merged[name].copy()
        found = [
            item.columns[name]
            for item in self.items
            if (not table or item.alias == table) and name in item.columns
        ]
        if len(found) > 1:
            raise AmbiguousColumn(f'column reference "{name}" is ambiguous')
        return found[0].copy() if found else None

    def star(self, table: str = "") -> Iterable[tuple[str, exp.Expression]]:
        if not table:
            for name in self.merged:
                yield name, exp.column(name, quoted=True)
        known = table
        for item in self.items:
            if item.hidden or (table and item.alias != table):
                continue
            known = ""
            for name in item.columns:
                if name != CHANGELOG_ROW_ID and (table or name not in self.merged):
                    yield name, exp.column(name, table=item.alias or None, quoted=True)
        if known:
            raise UndefinedTable(f'missing FROM-clause entry for table "{known}"')


@dataclass
class Correlation:
    """What a subquery takes from the row around it: each taken value has a column name.

    Shape: ``captured`` maps the name to the expression over the outer plan's columns. ``direct``
    says that conditions over both may be left to the join with the outer rows; ``joined`` are the
    values that FROM itself uses, which its plan has as columns.
    """

    scope: Scope
    plan: Plan
    type_of: Callable[[exp.Expression], str]
    captured: dict[str, exp.Expression] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    refused: str = ""
    direct: bool = False
    joined: dict[str, exp.Expression] = field(default_factory=dict)

    def capture(self, node: exp.Column) -> exp.Expression:
        tree = self.scope.find(node)
        if tree is None:
            if self.scope.outer is not None:
                self.scope.outer.capture(node)
                raise NotIncremental("a reference to a row two subqueries further out")
            return self.scope.resolve(node)  # Raises.
        if self.refused:
            raise NotIncremental(self.refused)
        for name, known in self.captured.items():
            if spell(known) == spell(tree):
                return column(name)
        name = f"_outer_{len(self.captured) + 1}"
        self.types[name] = self.type_of(tree)
        self.captured[name] = tree
        return column(name)

    def barred(self, reason: str) -> Correlation:
        """Return the same surroundings for a place from which they cannot be reached."""
        return Correlation(self.scope, self.plan, self.type_of, {}, {}, reason)


class Typer:
    """Types of expressions over one plan's columns, asked of the store once each."""

    def __init__(
        self, oracle: TypeOracle, plan: Plan, outer: Mapping[str, str] | None = None
    ) -> None:
        self._oracle = oracle
        self._plan = plan
        self._outer = outer if outer is not None else {}
        self._known: dict[str, str] = {}

    def of(self, tree: exp.Expression) -> DataType:
        literal = literal_type(tree)
        return literal if literal is not None else from_store(self.stored(tree))

    def stored(self, tree: exp.Expression) -> str:
        """Return the store's name of an expression's type."""
        if self._outer:
            tree = tree.transform(self._typed_null)
        if isinstance(tree, exp.Column) and not tree.table and tree.name in self._columns:
            return self._columns[tree.name]
        text = spell(tree)
        if text not in self._known:
            found = self._oracle.describe(f"SELECT {text} AS x FROM {self._source}")[0]
            self._known[text] = found.store_type
        return self._known[text]

    @cached_property
    def _columns(self) -> dict[str, str]:
        """Return the types of the plan's columns. A deep plan is bound once for all expressions."""
        found = self._oracle.describe(f"SELECT * FROM ({batch_sql(self._plan)})")
        return {one.name: one.store_type for one in found}

    @cached_property
    def _source(self) -> str:
        """Return a row of the plan's columns: their types are all that types depend on."""
        nulls = (f"CAST(NULL AS {kind}) AS {quote(name)}" for name, kind in self._columns.items())
        return f"(SELECT {', '.join(nulls) or '1'})"

    def _typed_null(self, node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column) and node.name in self._outer:
            return exp.Var(this=f"CAST(NULL AS {self._outer[node.name]})")
        return node


def literal_type(tree: exp.Expression) -> DataType | None:
    """Return a plain number's type as PostgreSQL reads it; None for anything else."""
    if isinstance(tree, exp.Neg) and tree.this == exp.Literal.number(_LITERAL_BIGINT_MAX + 1):
        return DataType(Kind.INT8)  # PostgreSQL reads the sign with the digits.
    if isinstance(tree, exp.Paren | exp.Neg):
        return literal_type(tree.this)
    if not isinstance(tree, exp.Literal) or tree.is_string:
        return None
    text = tree.name
    if not text.isdigit():
        scale = literal_scale(text)
        return DataType(Kind.FLOAT8) if scale is None else DataType(Kind.NUMERIC, 0, 38, scale)
    if int(text) > _LITERAL_BIGINT_MAX:
        return DataType(Kind.NUMERIC, 0, 38, 0)
    return DataType(Kind.INT4 if int(text) <= _LITERAL_INT_MAX else Kind.INT8)
