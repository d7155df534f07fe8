"""What names mean: every relation a statement reads is written with its schema.

After this pass no later stage needs the search path, and a definition that is read again after a
rename still finds what it was bound to.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from sqlglot import exp

from voltstream.core.errors import AmbiguousFunction, FeatureNotSupported, UndefinedSchema
from voltstream.sql import statements as sql
from voltstream.sql.inline import Call, SqlFunction, inlined
from voltstream.sql.namesakes import tell_apart
from voltstream.sql.role_statements import RIGHT_STATEMENTS, CreateToken, Grant
from voltstream.sql.statements import ObjectName, Parsed

# What defines objects is resolved where it runs, over the catalog as it is then.
DEFINITIONS = (
    sql.CreateSource,
    sql.CreateSink,
    sql.CreateTable,
    sql.CreateView,
    sql.CreateSchema,
    sql.CreateIndex,
    sql.CreateFunction,
    sql.CreateSubscription,
    sql.CreateSecret,
    sql.CreateConnection,
    sql.Drop,
    sql.AlterTable,
    sql.AlterObject,
    sql.Comment,
    sql.Refresh,
    *RIGHT_STATEMENTS,
)


WINDOWS = frozenset({"TUMBLE", "HOP", "SESSION", "GAP_FILL", "_VS_CHANGELOG"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a relation is now."""

    schema: str
    name: str


class Directory(Protocol):
    """What the pass asks of the catalog."""

    def place(self, schema: str | None, name: str) -> Place | None:
        """Find a relation; without a schema, along the search path."""

    def object(self, schema: str | None, name: str) -> Place | None:
        """Find any object; an index is itself here, and its table where it is read."""

    def creation_schema(self) -> str | None:
        """Return the first schema of the search path that exists."""

    def has_schema(self, name: str) -> bool: ...

    def database(self) -> str: ...

    def function(self, schema: str | None, name: str, call: Call) -> SqlFunction | None:
        """Find what a call means. Raises: AmbiguousFunction (42725)."""


def resolved(parsed: Parsed, directory: Directory) -> Parsed:
    """Return the statement with every name qualified. Raises: UndefinedSchema (3F000)."""
    match parsed:
        case sql.Query(tree=tree) | sql.CopyTo(tree=tree):
            return replace(parsed, tree=resolved_tree(tree, directory))
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            return _change(parsed, directory)
        case sql.Truncate():
            return replace(parsed, tables=tuple(_found(n, directory) for n in parsed.tables))
        case sql.CopyFrom(table=table):
            return replace(parsed, table=_found(table, directory))
        case sql.CreateView():
            name = _made(parsed.name, directory)
            return replace(parsed, name=name, query=resolved_tree(parsed.query, directory))
        case sql.CreateSink():
            return _sink(parsed, directory)
        case sql.CreateTable():
            query = resolved_tree(parsed.query, directory) if parsed.query is not None else None
            likes = tuple(replace(like, name=_found(like.name, directory)) for like in parsed.likes)
            origin = parsed.origin
            if origin is not None:
                origin = replace(origin, source=_found(origin.source, directory))
            made = _made(parsed.name, directory)
            return replace(parsed, name=made, query=query, likes=likes, origin=origin)
        case sql.CreateSource():
            return replace(parsed, name=_made(parsed.name, directory))
        case sql.CreateIndex():
            table = _found(parsed.table, directory)
            name = ObjectName(parsed.name.name, table.schema) if table.schema else parsed.name
            return replace(parsed, table=table, name=name)
        case sql.CreateSubscription():
            found = _found(parsed.from_name, directory)
            return replace(parsed, name=_made(parsed.name, directory), from_name=found)
        case sql.CreateFunction() | sql.CreateSecret() | sql.CreateConnection():
            return replace(parsed, name=_made(parsed.name, directory))
        case _:
            return _resolved_rest(parsed, directory)


def _resolved_rest(parsed: Parsed, directory: Directory) -> Parsed:
    match parsed:
        case sql.Drop(kind="SCHEMA" | "DATABASE" | "USER"):
            return parsed
        case sql.AlterObject(kind="SCHEMA" | "DATABASE"):
            return parsed
        case Grant(kind="SCHEMA" | "DATABASE"):
            return parsed
        case Grant():
            return replace(parsed, names=tuple(_found(n, directory) for n in parsed.names))
        case CreateToken(source=source) if source is not None:
            return replace(parsed, source=_found(source, directory))
        case sql.Drop():
            return replace(parsed, names=tuple(_found(n, directory) for n in parsed.names))
        case sql.AlterTable() | sql.AlterObject() | sql.Comment() | sql.Describe() | sql.Refresh():
            return replace(parsed, name=_found(parsed.name, directory))
        case sql.Show(name=ObjectName() as name) if parsed.what in ("COLUMNS", "CREATE"):
            with suppress(AmbiguousFunction):  # All functions of the name are shown.
                return replace(parsed, name=_found(name, directory))
            schema = name.schema or directory.creation_schema()
            return replace(parsed, name=replace(name, schema=schema))
        case sql.Show(name=None, setting=None):
            schema = directory.creation_schema()
            return replace(parsed, name=ObjectName(schema)) if schema is not None else parsed
        case sql.Explain(target=target):
            return replace(parsed, target=resolved(target, directory))
        case sql.DeclareCursor():
            if parsed.subscription is not None:
                return replace(parsed, subscription=_found(parsed.subscription, directory))
            if parsed.query is not None:
                return replace(parsed, query=resolved_tree(parsed.query, directory))
            return parsed
        case _:
            return parsed


Tree = TypeVar("Tree", bound=exp.Expression)


def _change(
    parsed: sql.Insert | sql.Update | sql.Delete | sql.Merge, directory: Directory
) -> Parsed:
    target = _found(parsed.table, directory)
    match parsed:
        case sql.Insert(tree=inserted):
            return replace(parsed, table=target, tree=resolved_tree(inserted, directory))
        case sql.Update(tree=updated):
            return replace(parsed, table=target, tree=resolved_tree(updated, directory))
        case sql.Merge(tree=merged):
            return replace(parsed, table=target, tree=resolved_tree(merged, directory))
        case sql.Delete(tree=deleted):
            return replace(parsed, table=target, tree=resolved_tree(deleted, directory))


def _sink(parsed: sql.CreateSink, directory: Directory) -> sql.CreateSink:
    return replace(
        parsed,
        name=_made(parsed.name, directory),
        query=resolved_tree(parsed.query, directory) if parsed.query is not None else None,
        from_name=_found(parsed.from_name, directory) if parsed.from_name is not None else None,
        into=_found(parsed.into, directory) if parsed.into is not None else None,
    )


def _checked(name: ObjectName, directory: Directory) -> None:
    # A definition that is read again has no database around it: it was checked when it was made.
    if name.database is not None and directory.database() not in ("", name.database):
        spelled = f"{name.database}.{name.schema}.{name.name}"
        raise FeatureNotSupported(
            f'cross-database references are not implemented: "{spelled}"',
            hint=f'Connect to database "{name.database}".',
        )


def _found(name: ObjectName, directory: Directory) -> ObjectName:
    """Return where an existing object is; a name that is nowhere stays for its statement."""
    _checked(name, directory)
    place = directory.object(name.schema, name.name)
    return ObjectName(place.name, place.schema) if place is not None else name


def _made(name: ObjectName, directory: Directory) -> ObjectName:
    """Return where a new object goes."""
    _checked(name, directory)
    if name.schema is not None:
        return name
    schema = directory.creation_schema()
    if schema is None:
        raise UndefinedSchema("no schema has been selected to create in")
    return ObjectName(name.name, schema)


def resolved_tree(tree: Tree, directory: Directory) -> Tree:
    """Return a copy with tables qualified and calls of SQL functions replaced by their bodies."""
    copied = inlined(tree.copy(), directory.function)
    plain: list[exp.Table] = []
    for table in list(copied.find_all(exp.Table)):
        if isinstance(table.this, exp.Identifier) and not is_local(table):
            _qualify(table, directory)
            plain += [] if table.alias or not table.db else [table]
        elif isinstance(table.this, exp.Anonymous) and table.this.name.upper() in WINDOWS:
            _qualify_input(table.this, directory)
    tell_apart(copied, plain)
    return _plain_columns(copied)


def _plain_columns(tree: Tree) -> Tree:
    """Write ``schema.table.column`` as ``table.column``: FROM names the table once."""
    for column in tree.find_all(exp.Column):
        if column.args.get("db") is not None:
            column.set("db", None)
            column.set("catalog", None)
    return tree


def _qualify(table: exp.Table, directory: Directory) -> None:
    _checked(ObjectName(table.name, table.db or None, table.catalog or None), directory)
    place = directory.place(table.db or None, table.name)
    if place is None:
        return
    if place.name != table.name and not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
    table.set("this", exp.to_identifier(place.name, quoted=True))
    table.set("db", exp.to_identifier(place.schema, quoted=True))
    table.set("catalog", None)


def _qualify_input(window: exp.Anonymous, directory: Directory) -> None:
    """Qualify what stands where a column would: TUMBLE(reading, …)."""
    column = window.expressions[0] if window.expressions else None
    if not isinstance(column, exp.Column):
        return
    named = exp.Table(this=column.this.copy(), db=column.args.get("table"))
    named.parent = window.parent
    place = None if is_local(named) else directory.place(named.db or None, named.name)
    if place is not None:
        column.set("this", exp.to_identifier(place.name, quoted=True))
        column.set("table", exp.to_identifier(place.schema, quoted=True))


def is_local(table: exp.Table) -> bool:
    """Tell whether a name is one of the WITH clauses in sight."""
    if table.db:
        return False
    node: exp.Expr = table
    inside: exp.Expr | None = None  # The CTE we come from, which sees only those before it.
    while node.parent is not None:
        if isinstance(node, exp.CTE):
            inside = node
        node = node.parent
        clause = node.args.get("with_")
        if not isinstance(clause, exp.With):
            continue
        for cte in clause.expressions:
            if cte is inside and not clause.args.get("recursive"):
                break
            if cte.alias == table.name:
                return True
        inside = None
    return False
