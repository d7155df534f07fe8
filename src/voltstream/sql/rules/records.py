"""Records: ROW(…), fields and stars."""

from __future__ import annotations

import re

from sqlglot import exp

from voltstream.core.errors import UndefinedColumn
from voltstream.sql.rules.tree import TypeOf, bare, call

_PLACE = re.compile(r"f(\d+)")


def field(node: exp.Dot, type_of: TypeOf) -> exp.Expression | None:
    """Return (record).name; the fields of ROW(…) are f1, f2 …"""
    owner = bare(node.this)
    wanted = node.expression
    if isinstance(wanted, exp.Star):
        return exp.Explode(this=node.this)
    if isinstance(owner, exp.Anonymous) and owner.name.lower() == "row":
        place = _PLACE.fullmatch(wanted.name)
        if not place or not 1 <= int(place[1]) <= len(owner.expressions):
            raise UndefinedColumn(f'field "{wanted.name}" not found in struct type')
        found: exp.Expression = owner.expressions[int(place[1]) - 1]
        return found
    return call("struct_extract", node.this, exp.Literal.string(wanted.name))
