"""INSERT … ON CONFLICT: which rows conflict, and the UPDATE it stands for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from voltstream.core.errors import InvalidColumnReference
from voltstream.sql.statements import CreateTable

EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Shape: ``columns`` are those of the unique constraint, none for any; without
    ``assignments`` a row that conflicts is left out."""

    columns: tuple[str, ...]
    assignments: tuple[exp.Expression, ...]
    where: exp.Expression | None


def conflict_of(tree: exp.Insert, table: CreateTable) -> Conflict | None:
    """Read the clause. Raises: InvalidColumnReference (42P10) without such a constraint."""
    clause = tree.args.get("conflict")
    if clause is None:
        return None
    columns = tuple(key.find(exp.Column).name for key in clause.args.get("conflict_keys") or [])
    known = [set(names) for names in (table.primary_key, *table.unique) if names]
    if columns and set(columns) not in known:
        raise InvalidColumnReference(
            "there is no unique or exclusion constraint matching the ON CONFLICT specification",
            hint="Name the columns of the PRIMARY KEY or of a UNIQUE constraint.",
        )
    assignments = tuple(clause.expressions)
    if assignments and not columns:
        if len(known) != 1:
            raise InvalidColumnReference(
                "ON CONFLICT DO UPDATE requires inference specification or constraint name",
                hint="For example, ON CONFLICT (column_name).",
            )
        columns = table.primary_key or table.unique[0]
    where = clause.args.get("where")
    return Conflict(columns, assignments, where.this if where is not None else None)


def conflict_update(tree: exp.Insert, conflict: Conflict, fresh: str) -> exp.Update:
    """Return the UPDATE of the rows that conflict, from the relation of new rows."""
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    alias = target.alias or target.name

    def of(table: str, name: str) -> exp.Column:
        return exp.column(name, table=table, quoted=True)

    condition = exp.and_(
        *[exp.EQ(this=of(alias, n), expression=of(EXCLUDED, n)) for n in conflict.columns]
    )
    if conflict.where is not None:
        condition = exp.and_(condition, _bare_to(conflict.where, alias))
    update = exp.Update(
        this=target.copy(),
        expressions=[
            exp.EQ(this=a.this.copy(), expression=_bare_to(a.expression, alias))
            for a in conflict.assignments
        ],
    )
    source = exp.alias_(exp.to_table(fresh), EXCLUDED, table=True)
    update.set("from_", exp.From(this=source))
    update.set("where", exp.Where(this=condition))
    return update


def _bare_to(tree: exp.Expression, alias: str) -> exp.Expression:
    """Read a column without a table as the table's own: ``excluded`` must be named."""

    def visit(node: exp.Expression) -> exp.Expression:
        default = node.name == "default"
        if isinstance(node, exp.Column) and not node.table and not default:
            return exp.Column(this=node.this, table=exp.to_identifier(alias, quoted=True))
        return node

    found: exp.Expression = tree.copy().transform(visit)
    return found
