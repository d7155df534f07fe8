"""What only declarations know, put into a query before its functions are translated.

Shape: the store has one type of strings and one of JSON. char(n) has blanks that LIKE and patterns
see and that = does not; json keeps the text that was written, and its operators give parts of it.
Law: a node is changed in place, and gives what PostgreSQL gives for the declared type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from sqlglot import exp

from voltstream.core.types import DataType, Kind
from voltstream.sql.catalog import CatalogReader, Relation
from voltstream.sql.rules.tree import JSON_SAID, is_summed
from voltstream.sql.told import REGISTERED, cast_kind, kind_of, visible_in

_KindOf = Callable[[exp.Expression], DataType | None]
_Change = Callable[[], object]

_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.In)
_PATTERNS = (exp.Like, exp.ILike, exp.SimilarTo, exp.RegexpLike, exp.RegexpILike)
_SPELLED = frozenset({"concat", "concat_ws", "format"})
_STEPS = frozenset({"operator ->", "operator ->>", "operator #>", "operator #>>"})
_NAMES_TYPES = frozenset({"pg_typeof", "octet_length"})
_STRINGS = (exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR)


class _Relations:
    """A catalog that is asked once for each name, and not for catalogs and queries of WITH."""

    def __init__(self, catalog: CatalogReader, tree: exp.Expression) -> None:
        self._catalog = catalog
        self._found: dict[tuple[str | None, str], Relation | None] = {
            (None, cte.alias): None for cte in tree.find_all(exp.CTE)
        }

    def find(self, schema: str | None, name: str) -> Relation | None:
        if schema is None and name.startswith("pg_"):
            return None
        if (schema, name) not in self._found:
            self._found[schema, name] = self._catalog.find(schema, name)
        return self._found[schema, name]


def known_types(tree: exp.Expression, catalog: CatalogReader) -> None:
    """Put in, in place, what only declarations know: names for pg_typeof, blanks, texts of json."""
    relations = _Relations(catalog, tree)
    for select in list(tree.find_all(exp.Select)):
        asked = [node for node in _own_nodes(select) if _asks(node)]
        if not asked:
            continue
        visible = visible_in(select, relations, {})
        kind = partial(kind_of, visible=visible, catalog=relations, around={})
        # All are looked at before one is changed: what is inside others must still be known.
        for change in [made for node in asked if (made := _change(node, kind)) is not None]:
            change()


def _own_nodes(select: exp.Select) -> Iterator[exp.Expression]:
    for node in select.walk(prune=lambda n: n is not select and isinstance(n, exp.Select)):
        if isinstance(node, exp.Expression):
            yield node


def _asks(node: exp.Expression) -> bool:
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        if name in _NAMES_TYPES:
            return len(node.expressions) == 1
        return name in _STEPS or name in _SPELLED
    if isinstance(node, _PATTERNS):
        return isinstance(node.this, exp.Column | exp.Cast)
    if isinstance(node, exp.Cast):
        named = isinstance(node.this, exp.Column | exp.Anonymous | exp.Cast | exp.Paren)
        return named and node.to.is_type(*_STRINGS, exp.DataType.Type.JSON)
    if isinstance(node, exp.Concat | exp.ConcatWs):
        return True
    if not isinstance(node, _COMPARISONS):
        return False
    return any(_is_telling(side) for side in _sides(node))


def _sides(node: exp.Expression) -> Sequence[exp.Expression | None]:
    return (node.this, *node.args.get("expressions", ()), node.args.get("expression"))


def _is_telling(side: exp.Expression | None) -> bool:
    if isinstance(side, exp.Cast):
        kind = cast_kind(side.to)
        return kind is not None and kind.kind in REGISTERED
    return isinstance(side, exp.Literal) and side.name.endswith(" ")


def _change(node: exp.Expression, kind: _KindOf) -> _Change | None:
    """Return what is to be done with a node, or None."""
    name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    if name in _NAMES_TYPES:
        found = kind(node.expressions[0])
        if name == "pg_typeof":
            return _type_name(node, found)
        return partial(_pad, [node.expressions[0]], [found])
    if name in _STEPS:
        return _step(node, kind(node.expressions[0]))
    if isinstance(node, exp.Cast):
        return _cast(node, kind(node.this))
    if isinstance(node, _PATTERNS):
        return partial(_pad, [node.this], [kind(node.this)])
    if name in _SPELLED or isinstance(node, exp.Concat | exp.ConcatWs):
        return partial(_pad, list(node.expressions), [kind(item) for item in node.expressions])
    return _compared(node, kind)


def _pad(items: Sequence[exp.Expression], kinds: Sequence[DataType | None]) -> None:
    """Give values of char(n) the blanks that the store leaves out."""
    for item, found in zip(items, kinds, strict=True):
        if found is None or found.kind is not Kind.BPCHAR or not found.precision:
            continue
        size = exp.Literal.number(found.precision)
        value = exp.cast(item.copy(), "VARCHAR", dialect="duckdb")
        item.replace(exp.Anonymous(this="rpad", expressions=[value, size]))


def _type_name(node: exp.Expression, found: DataType | None) -> _Change | None:
    value = node.expressions[0]
    if found is None or isinstance(value, exp.Literal):
        return None
    name: exp.Expr = exp.cast(exp.Literal.string(found.pg_name), "VARCHAR", dialect="duckdb")
    if is_summed(value):
        name = exp.Coalesce(this=exp.Max(this=name), expressions=[name.copy()])
    shown = exp.alias_(name, "pg_typeof") if isinstance(node.parent, exp.Select) else name
    return partial(node.replace, shown)


def _step(node: exp.Expression, found: DataType | None) -> _Change | None:
    if found is None or found.kind is not Kind.JSON or found.array_depth:
        return None
    return partial(node.set, "this", node.name.lower().replace("operator ", "operator json "))


def _cast(node: exp.Cast, found: DataType | None) -> _Change | None:
    """Keep the text of json where it becomes text, or json again."""
    if found is None or found.kind is not Kind.JSON or found.array_depth:
        return None
    if node.to.is_type(exp.DataType.Type.JSON):
        return partial(node.replace, node.this)
    said = exp.Anonymous(this=JSON_SAID, expressions=[node.this.copy()])
    return partial(node.set, "this", said)


def _compared(node: exp.Expression, kind: _KindOf) -> _Change | None:
    def change() -> None:
        if isinstance(node, exp.EQ | exp.NEQ):
            _name_alike(node, kind)
        sides = _sides(node)
        kinds = [kind(side) for side in sides if isinstance(side, exp.Column)]
        if any(found is not None and found.kind is Kind.BPCHAR for found in kinds):
            for side in sides:
                if isinstance(side, exp.Literal) and side.is_string:
                    side.replace(exp.Literal.string(side.name.rstrip(" ")))

    return change


def _name_alike(node: exp.Expression, kind: _KindOf) -> None:
    """Compare a column of names of objects with the name that 'x'::regclass has."""
    for column, other in ((node.this, node.expression), (node.expression, node.this)):
        if not isinstance(column, exp.Column) or not isinstance(other, exp.Cast):
            continue
        found, said = kind(column), cast_kind(other.to)
        if found is not None and found == said and found.kind in REGISTERED:
            other.replace(exp.cast(other.copy(), "VARCHAR", dialect="duckdb"))
