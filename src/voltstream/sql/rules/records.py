"""Records: ROW(…), fields and stars."""

from __future__ import annotations

import re

from sqlglot import exp

from voltstream.core.errors import DatatypeMismatch, UndefinedColumn
from voltstream.core.types import DataType, Kind
from voltstream.sql.rules.tree import TypeOf, bare, call, number

_PLACE = re.compile(r"f(\d+)")


def field(node: exp.Dot, type_of: TypeOf) -> exp.Expression | None:
    """Return (record).name; the fields of ROW(…) are f1, f2 …"""
    owner = bare(node.this)
    wanted = node.expression
    if isinstance(wanted, exp.Star):
        return exp.Explode(this=node.this)
    if isinstance(owner, exp.Anonymous) and owner.name.lower() == "row":
        found: exp.Expression = owner.expressions[_place(wanted.name, len(owner.expressions)) - 1]
        return found
    kind = type_of(node.this)
    if kind.is_row and not kind.array_depth:
        place = _place(wanted.name, len(kind.fields))
        return call("struct_extract_at", node.this, number(place))
    return call("struct_extract", node.this, exp.Literal.string(wanted.name))


def _place(name: str, count: int) -> int:
    found = _PLACE.fullmatch(name)
    if not found or not 1 <= int(found[1]) <= count:
        raise UndefinedColumn(f'field "{name}" not found in struct type')
    return int(found[1])


def are_records(left: DataType, right: DataType) -> bool:
    """Tell whether both are records. Raises: DatatypeMismatch (42804) if one lacks fields."""
    both = left.kind is right.kind is Kind.RECORD and not left.array_depth + right.array_depth
    if both and len(left.fields) != len(right.fields):
        raise DatatypeMismatch("cannot compare record types with different numbers of columns")
    return both


def as_row(tree: exp.Expression, kind: DataType) -> exp.Expression:
    """Return a record without the names of its fields, as ROW(…) has none."""
    if kind.is_row and not any(f.kind is Kind.RECORD for f in kind.fields):
        return tree
    parts = []
    for place, inner in enumerate(kind.fields, 1):
        part: exp.Expression = call("struct_extract_at", tree.copy(), number(place))
        is_record = inner.kind is Kind.RECORD and not inner.array_depth
        parts.append(as_row(part, inner) if is_record else part)
    absent = exp.Is(this=tree.copy(), expression=exp.Null())
    return exp.Case(ifs=[exp.If(this=absent, true=exp.Null())], default=call("row", *parts))
