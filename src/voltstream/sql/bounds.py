"""Between which values a query's rows of one relation lie, as far as its WHERE says so plainly.

Law: a row outside the bounds is in no answer. What is not understood bounds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Bound:
    """``column`` is at least ``low`` and at most ``high``; both are constants, or absent."""

    column: str
    low: exp.Expression | None = None
    high: exp.Expression | None = None


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
        yield Bound(name, low=found)
    else:
        yield Bound(name, high=found)


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


def derived_bounds(table: exp.Table, columns: frozenset[str]) -> list[Bound]:
    """Return the bounds of a table in its tree: from its SELECT, and from those around it."""
    select = table.find_ancestor(exp.Select)
    if select is None or not _is_source(table, select):
        return []
    found = bounds_of(select, table.alias_or_name, columns)
    outputs = _plain_outputs(select, table.alias_or_name, columns)
    while outputs:
        holder = select.parent
        if not isinstance(holder, exp.Subquery) or not holder.alias:
            break
        outer = holder.find_ancestor(exp.Select)
        if outer is None or not _is_source(holder, outer):
            break
        for bound in bounds_of(outer, holder.alias, frozenset(outputs)):
            found.append(Bound(outputs[bound.column], bound.low, bound.high))
        inner = outputs
        shown = _plain_outputs(outer, holder.alias, frozenset(inner))
        outputs = {name: inner[source] for name, source in shown.items()}
        select = outer
    return found


def _is_source(item: exp.Expression, select: exp.Select) -> bool:
    """Tell whether FROM or a join of a SELECT names this item itself."""
    return isinstance(item.parent, exp.From | exp.Join) and item.parent.parent is select


def _plain_outputs(select: exp.Select, alias: str, columns: frozenset[str]) -> dict[str, str]:
    """Return output columns that are columns of a source, where a filter may pass below them."""
    barriers = ("limit", "offset", "distinct", "qualify", "having", "windows")
    if any(select.args.get(key) for key in barriers):
        return {}
    if any(select.find_all(exp.Window)) or select.args.get("group"):
        return {}
    alone = not select.args.get("joins")
    found: dict[str, str] = {}
    for item in select.expressions:
        tree = item.unalias()
        if isinstance(item, exp.Star) and alone:
            found.update({name: name for name in columns})
        elif isinstance(tree, exp.Column) and (
            tree.name in columns and (tree.table == alias or (alone and not tree.table))
        ):
            found[item.alias_or_name] = tree.name
    return found


Choose = Callable[[str, str, Callable[[frozenset[str]], list[Bound]]], str | None]


def repointed(tree: exp.Expression, choose: Choose) -> exp.Expression:
    """Return a copy of a query in which tables are what ``choose`` names instead.

    Shape: ``choose`` is given schema, name and a function from columns to bounds.
    """
    copied = tree.copy()
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
