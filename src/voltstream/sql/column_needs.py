"""Which columns of its relations a statement reads, as far as rights are concerned.

Law: every column whose value can show in the result or decide it is among them; where a column
could be of several relations it counts for each, so that a right may be asked for too much and
never too little.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from voltstream.sql.resolve import is_local

Relation = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of one relation, in lower case; ``whole`` means all of them."""

    named: frozenset[str] = frozenset()
    whole: bool = False

    def of(self, existing: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of a relation that are meant."""
        return tuple(one for one in existing if self.whole or one.lower() in self.named)

    def __or__(self, other: Columns) -> Columns:
        return Columns(self.named | other.named, self.whole or other.whole)


WHOLE = Columns(whole=True)


def columns_read(tree: exp.Expression) -> dict[Relation, Columns]:
    """Return what a tree reads of each relation that it names."""
    everything = _takes_everything(tree)
    loose: set[str] = set()
    qualified: dict[str, set[str]] = {}
    whole: set[str] = set()
    before: set[str] = set()  # What stands before a dot may be a column with fields, too.
    for column in tree.find_all(exp.Column):
        qualifier = column.table.lower()
        before.update(part.lower() for part in (column.table, column.db, column.catalog) if part)
        if isinstance(column.this, exp.Star):
            whole.add(qualifier)
        elif qualifier:
            qualified.setdefault(qualifier, set()).add(column.name.lower())
        else:
            loose.add(column.name.lower())
    for join in tree.find_all(exp.Join):
        loose.update(one.name.lower() for one in join.args.get("using") or ())
    found: dict[Relation, Columns] = {}
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or is_local(table):
            continue
        name = table.alias_or_name.lower()
        # A name in the place of a column may be the relation's own: all of its row.
        all_of_it = everything or name in whole or name in loose or _renames(table)
        all_of_it = all_of_it or _under_star(table)
        own = loose | qualified.get(name, set()) | (before - {name})
        columns = Columns(frozenset(own), all_of_it)
        relation = (table.db or None, table.name)
        found[relation] = found.get(relation, Columns()) | columns
    return found


def _takes_everything(tree: exp.Expression) -> bool:
    for star in tree.find_all(exp.Star):
        if not isinstance(star.parent, exp.Count | exp.Column | exp.Select):
            return True
    if any(join.args.get("method") == "NATURAL" for join in tree.find_all(exp.Join)):
        return True
    if tree.find(exp.Pivot, exp.Columns) is not None:
        return True
    return any(call.name.lower() == "columns" for call in tree.find_all(exp.Anonymous))


def _under_star(table: exp.Table) -> bool:
    """Tell whether the SELECT that reads a relation says *; outside of one there is no telling."""
    select = table.find_ancestor(exp.Select)
    if select is None:
        return False
    return any(isinstance(one, exp.Star) for one in select.expressions)


def _renames(table: exp.Table) -> bool:
    alias = table.args.get("alias")
    return isinstance(alias, exp.TableAlias) and bool(alias.args.get("columns"))


def columns_set(tree: exp.Update) -> Columns:
    """Return the columns that an UPDATE gives a value."""
    names: set[str] = set()
    for item in tree.expressions:
        if not isinstance(item, exp.EQ):
            return WHOLE
        names.update(column.name.lower() for column in item.this.find_all(exp.Column))
    return Columns(frozenset(names))


def without_targets(tree: exp.Update) -> exp.Update:
    """Return an UPDATE whose assigned columns are not named: they are written, not read."""
    copied = tree.copy()
    for item in copied.expressions:
        if isinstance(item, exp.EQ):
            item.set("this", exp.Null())
    return copied
