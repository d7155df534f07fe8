"""Between which values a query's rows of one relation lie, as far as its WHERE says so plainly.

Law: a row outside the bounds is in no answer. What is not understood bounds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Bound:
    """``column`` is at least ``low`` and at most ``high``; both are constants, or absent.

    ``strict``: it is neither of them.
    """

    column: str
    low: exp.Expression | None = None
    high: exp.Expression | None = None
    strict: bool = False


def bounds_of(select: exp.Select, alias: str, columns: frozenset[str]) -> list[Bound]:
    """Return the bounds that a SELECT's WHERE puts on the columns of one of its tables."""
    where = select.args.get("where")
    if where is None:
        return []
    alone = not select.args.get("joins")

    def own(tree: exp.Expr) -> str | None:
        if not isinstance(tree, exp.Column) or tree.name not in columns:
            return None
        return tree.name if tree.table == alias or (alone and not tree.table) else None

    return [bound for part in conjuncts(where.this) for bound in _bounds(part, own)]


def conjuncts(tree: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(tree, exp.Paren):
        yield from conjuncts(tree.this)
    elif isinstance(tree, exp.And):
        yield from conjuncts(tree.left)
        yield from conjuncts(tree.right)
    else:
        yield tree


_FLIPPED: dict[type[exp.Binary], type[exp.Binary]] = {
    exp.LT: exp.GT, exp.LTE: exp.GTE, exp.GT: exp.LT, exp.GTE: exp.LTE, exp.EQ: exp.EQ,
}  # fmt: skip


def _bounds(part: exp.Expr, name_of: Callable[[exp.Expr], str | None]) -> Iterator[Bound]:
    if isinstance(part, exp.Between):
        name = name_of(part.this)
        low, high = part.args["low"], part.args["high"]
        if name is not None and not part.args.get("symmetric"):
            yield Bound(name, _constant(low), _constant(high))
        return
    if isinstance(part, exp.In):
        name = name_of(part.this)
        values = part.expressions
        if name is not None and len(values) == 1:
            yield Bound(name, _constant(values[0]), _constant(values[0]))
        return
    if not isinstance(part, exp.Binary) or type(part) not in _FLIPPED:
        return
    kind = type(part)
    name, value = name_of(part.left), part.right
    if name is None:
        name, value, kind = name_of(part.right), part.left, _FLIPPED[kind]
    found = _constant(value)
    if name is None or found is None:
        return
    if kind is exp.EQ:
        yield Bound(name, found, found)
    elif kind in (exp.GT, exp.GTE):
        yield Bound(name, low=found, strict=kind is exp.GT)
    else:
        yield Bound(name, high=found, strict=kind is exp.LT)


def _constant(tree: exp.Expr) -> exp.Expression | None:
    """Return a value that does not depend on the row, else None."""
    moving = (
        exp.Column, exp.Query, exp.AggFunc, exp.Window, exp.Subquery, exp.Star, exp.Any, exp.All,
    )  # fmt: skip
    if any(isinstance(node, moving) for node in tree.walk()):
        return None
    volatile = {"random", "gen_random_uuid", "nextval", "clock_timestamp"}
    if any(node.name.lower() in volatile for node in tree.find_all(exp.Anonymous)):
        return None
    return tree if isinstance(tree, exp.Expression) else None


_INSTANTS = ("TIMESTAMPTZ", "TIMESTAMP", "DATE")


def plain_constant(tree: exp.Expression) -> str | None:
    """Return the store's SQL of a constant that reads the same there, else None."""
    if isinstance(tree, exp.Literal):
        return "'" + tree.name.replace("'", "''") + "'" if tree.is_string else tree.name
    if isinstance(tree, exp.Cast) and isinstance(tree.this, exp.Literal) and tree.this.is_string:
        kind = tree.to.sql("duckdb")
        inner = plain_constant(tree.this)
        return f"CAST({inner} AS {kind})" if kind in _INSTANTS else None
    return None


@dataclass(frozen=True, slots=True)
class _Passed:
    """A column of a source as an output shows it: itself, or the bucket of time that it lies in."""

    column: str
    widths: tuple[exp.Expression, ...] = ()

    def bounded(self, bound: Bound) -> Bound:
        """Return what a bound on the output says of the column: a bucket begins before its rows."""
        high = bound.high
        if high is not None and self.widths:
            high = _cast(high, "timestamptz")
            # In a zone a day may have an hour more.
            for width in (*self.widths, exp.Literal.string("1 day")):
                high = exp.Add(this=high, expression=_cast(width, "interval"))
        return Bound(self.column, bound.low, high, bound.strict and not self.widths)


def _cast(tree: exp.Expression, kind: str) -> exp.Expression:
    return exp.Cast(this=tree.copy(), to=exp.DataType.build(kind))


def derived_bounds(table: exp.Table, columns: frozenset[str]) -> list[Bound]:
    """Return the bounds of a table in its tree: from its SELECT, and from those around it."""
    select = table.find_ancestor(exp.Select)
    if select is None or not _is_source(table, select):
        return []
    found = bounds_of(select, table.alias_or_name, columns)
    passed = _outputs(select, table.alias_or_name, {name: _Passed(name) for name in columns})
    while passed:
        holder, passed = _held(select, passed)
        outer = holder.find_ancestor(exp.Select) if holder is not None else None
        if holder is None or outer is None or not _is_source(holder, outer):
            break
        for bound in bounds_of(outer, holder.alias, frozenset(passed)):
            found.append(passed[bound.column].bounded(bound))
        passed = _outputs(outer, holder.alias, passed)
        select = outer
    return found


def _is_source(item: exp.Expression, select: exp.Select) -> bool:
    """Tell whether FROM or a join of a SELECT names this item itself."""
    return isinstance(item.parent, exp.From | exp.Join) and item.parent.parent is select


def _held(
    select: exp.Select, passed: Mapping[str, _Passed]
) -> tuple[exp.Subquery | None, dict[str, _Passed]]:
    """Return the subquery in FROM that a SELECT is, or is one side of, and its outputs."""
    node: exp.Expr | None = select
    first = select  # It names the outputs of a UNION.
    while True:
        node = node.parent if node is not None else None
        if isinstance(node, exp.Union) and not any(map(node.args.get, ("limit", "offset"))):
            first = _first(node)
        elif isinstance(node, exp.Subquery) and node.alias:
            break
        elif not isinstance(node, exp.Paren | exp.Subquery):
            return None, {}
    names, called = _names(select), _names(first)
    given = node.alias_column_names
    if first is select and not given:
        return node, dict(passed)
    if names is None or called is None:
        return None, {}
    called = [*given, *called[len(given) :]]
    shown = zip(names, called, strict=False)
    return node, {new: passed[old] for old, new in shown if old in passed}


def _first(union: exp.SetOperation) -> exp.Select:
    node = union.this
    while not isinstance(node, exp.Select):
        node = node.this
    return node


def _names(select: exp.Select) -> list[str] | None:
    """Return the names of a SELECT's outputs, None where a star hides them."""
    if any(isinstance(item, exp.Star) or item.is_star for item in select.expressions):
        return None
    return [item.alias_or_name for item in select.expressions]


def _outputs(select: exp.Select, alias: str, inner: Mapping[str, _Passed]) -> dict[str, _Passed]:
    """Return output columns that are columns of a source, where a filter may pass below them.

    Through GROUP BY a filter may pass on what rows are grouped by: it takes groups whole.
    """
    group = select.args.get("group")
    barriers = ("limit", "offset", "distinct", "qualify", "windows")
    if any(select.args.get(key) for key in barriers) or any(select.find_all(exp.Window)):
        return {}
    if group is None and select.args.get("having"):
        return {}
    if group is not None and (
        set(group.args) != {"expressions"}
        or any(
            isinstance(key, exp.Rollup | exp.Cube | exp.GroupingSets) for key in group.expressions
        )
    ):
        return {}
    keys = group.expressions if group is not None else None
    alone = not select.args.get("joins")
    found: dict[str, _Passed] = {}
    for place, item in enumerate(select.expressions, 1):
        tree = item.unalias()
        if isinstance(item, exp.Star) and alone and keys is None:
            found.update(inner)
            continue
        column, widths = _bucketed(tree)
        if not isinstance(column, exp.Column) or column.name not in inner:
            continue
        if column.table != alias and (column.table or not alone):
            continue
        if keys is None or any(_is_key(key, (tree, column), item.alias, place) for key in keys):
            source = inner[column.name]
            found[item.alias_or_name] = _Passed(source.column, (*source.widths, *widths))
    return found


def _bucketed(tree: exp.Expr) -> tuple[exp.Expr, tuple[exp.Expression, ...]]:
    """Return a column, or the one whose bucket of time is shown, with the bucket's width."""
    if not isinstance(tree, exp.Anonymous) or tree.name.lower() != "time_bucket":
        return tree, ()
    match tree.expressions:
        case [exp.Interval() | exp.Literal(is_string=True) as width, column, *_]:
            return column, (width,)
        case _:
            return tree, ()


def _is_key(key: exp.Expr, trees: tuple[exp.Expr, ...], alias: str, place: int) -> bool:
    if isinstance(key, exp.Literal):
        return key.name == str(place)
    if isinstance(key, exp.Column) and not key.table and key.name == alias:
        return True
    return key in trees


def _spell_star(side: exp.Expr, columns_of: ColumnsOf) -> None:
    """Name the columns of a UNION's side: which of them a filter means is told by place."""
    side = side.unnest()
    if not isinstance(side, exp.Select) or side.args.get("joins"):
        return
    source = side.args.get("from_")
    table = source.this if source is not None else None
    match side.expressions:
        case [exp.Star() as star] if not any(star.args.values()) and isinstance(table, exp.Table):
            names = columns_of(table.db, table.name) if table.db else None
            if names is not None and not table.alias_column_names:
                side.set("expressions", [exp.column(name, quoted=True) for name in names])


Choose = Callable[[str, str, Callable[[frozenset[str]], list[Bound]]], str | None]
ColumnsOf = Callable[[str, str], Sequence[str] | None]


def repointed(tree: exp.Expression, choose: Choose, columns_of: ColumnsOf) -> exp.Expression:
    """Return a copy of a query in which tables are what ``choose`` names instead.

    Shape: ``choose`` is given schema, name and a function from columns to bounds; ``columns_of``
    tells the columns of a table that may be chosen.
    """
    copied = tree.copy()
    for union in copied.find_all(exp.Union):
        for side in (union.this, union.expression):
            _spell_star(side, columns_of)
    for table in list(copied.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier) or not table.db:
            continue

        def bounds(columns: frozenset[str], here: exp.Table = table) -> list[Bound]:
            return derived_bounds(here, columns)

        chosen = choose(table.db, table.name, bounds)
        if chosen is not None:
            if not table.alias:
                alias = exp.to_identifier(table.name, quoted=True)
                table.set("alias", exp.TableAlias(this=alias))
            named = exp.to_table(chosen)
            table.set("this", named.this)
            table.set("db", named.args.get("db"))
    return copied
