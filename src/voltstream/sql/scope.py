"""Names in sight of a SELECT, and the types of expressions over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlglot import exp

from voltstream.core.errors import AmbiguousColumn, UndefinedColumn
from voltstream.core.types import DataType, Kind, from_store
from voltstream.sql.catalog import TypeOracle
from voltstream.sql.expressions import spell
from voltstream.sql.plan import Plan, batch_sql

_LITERAL_INT_MAX = 2**31 - 1


@dataclass
class Visible:
    """One FROM item: what each of its public columns means over the plan's columns."""

    alias: str
    columns: dict[str, exp.Expression]


@dataclass
class Scope:
    """The FROM clause of one SELECT."""

    items: list[Visible] = field(default_factory=list)

    def resolve(self, node: exp.Column) -> exp.Expression:
        """Raises: UndefinedColumn (42703), AmbiguousColumn (42702)."""
        name, table = node.name, node.table
        found = [
            item.columns[name]
            for item in self.items
            if (not table or item.alias == table) and name in item.columns
        ]
        if not found:
            shown = f"{table}.{name}" if table else name
            raise UndefinedColumn(f'column "{shown}" does not exist')
        if len(found) > 1:
            raise AmbiguousColumn(f'column reference "{name}" is ambiguous')
        return found[0].copy()

    def star(self, table: str = "") -> Iterable[tuple[str, exp.Expression]]:
        for item in self.items:
            if not table or item.alias == table:
                for name in item.columns:
                    yield name, exp.column(name, table=item.alias or None, quoted=True)


class Typer:
    """Types of expressions over one plan's columns, asked of the store once each."""

    def __init__(self, oracle: TypeOracle, plan: Plan) -> None:
        self._oracle = oracle
        self._source = f"({batch_sql(plan)})"
        self._known: dict[str, DataType] = {}

    def of(self, tree: exp.Expression) -> DataType:
        literal = literal_type(tree)
        if literal is not None:
            return literal
        text = spell(tree)
        if text not in self._known:
            column = self._oracle.describe(f"SELECT {text} AS x FROM {self._source}")[0]
            self._known[text] = from_store(column.store_type)
        return self._known[text]


def literal_type(tree: exp.Expression) -> DataType | None:
    """Return a plain number's type as PostgreSQL reads it; None for anything else."""
    if isinstance(tree, exp.Paren | exp.Neg):
        return literal_type(tree.this)
    if not isinstance(tree, exp.Literal) or tree.is_string:
        return None
    text = tree.name
    if "e" in text.lower():
        return DataType(Kind.FLOAT8)
    if "." in text:
        return DataType(Kind.NUMERIC, 0, 38, len(text.split(".")[1]))
    return DataType(Kind.INT4 if int(text) <= _LITERAL_INT_MAX else Kind.INT8)
