"""What a statement reads and writes, as far as rights are concerned.

Shape: the statement's names are resolved; a relation without a schema is one of the system's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from voltstream.sql import statements as sql
from voltstream.sql.column_needs import (
    WHOLE,
    Columns,
    columns_read,
    columns_set,
    without_targets,
)
from voltstream.sql.resolve import WINDOWS, is_local

Relation = tuple[str | None, str]
# Functions in FROM that make their rows of their arguments, or show what the catalogs show.
_HARMLESS = re.compile(
    r"generate_series|exploding_generate_series|range|unnest|explode|tumble|hop|session|gap_fill"
    r"|jsonb?_(?:each|array_elements|to_record|object_keys|populate_record)\w*"
    r"|regexp_\w+|string_to_table|pg_\w+|_pg_expandarray|current_\w+|session_user|version|user"
    r"|show_chunks|hypertable_\w+|chunks_\w+|time_bucket\w*|_vs_changelog"
    r"|(?:interpolated_)?state_\w+|into_(?:int_)?values|(?:live|dead)_ranges"
)
# What reaches past the rights: other names for stored rows, the process, its files.
_REACHING = re.compile(
    r"(?:getenv|getvariable|nextval|currval|query|query_table|glob|write_log|in_search_path"
    r"|(?:read|scan|sniff|parquet|duckdb|pragma)_\w*|\w+_scan|json_execute_serialized_sql"
    r"|__internal\w*)"
)


@dataclass(frozen=True, slots=True)
class Needs:
    """Letters of privileges by relation, and functions that rights do not reach.

    Shape: ``columns`` says for some relations and letters which columns suffice.
    """

    relations: Mapping[Relation, str]
    functions: tuple[str, ...] = ()
    columns: Mapping[Relation, Mapping[str, Columns]] = field(default_factory=dict)


def needs_of(parsed: sql.Parsed) -> Needs:
    """Return what a query or a change of rows needs; nothing for any other statement."""
    match parsed:
        case sql.Query(tree=tree) | sql.CopyTo(tree=tree):
            return of_tree(tree)
        case sql.DeclareCursor(query=query) if query is not None:
            return of_tree(query)
        case sql.Insert() | sql.Update() | sql.Delete() | sql.Merge():
            return _change(parsed)
        case sql.Truncate(tables=tables):
            return Needs({(name.schema, name.name): "D" for name in tables})
        case sql.CopyFrom(table=table, columns=columns):
            relation = (table.schema, table.name)
            return Needs({relation: "a"}, columns={relation: {"a": _listed(columns)}})
        case _:
            return Needs({})


def of_tree(tree: exp.Expression) -> Needs:
    """Return what a tree reads."""
    relations: dict[Relation, str] = {}
    functions: list[str] = []
    columns = {relation: {"r": read} for relation, read in columns_read(tree).items()}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Func):
            name = _name(table.this)
            if not _HARMLESS.fullmatch(name):
                functions.append(name)
            window_input = _window_input(table.this)
            relations.update(window_input)
            columns.update({relation: {"r": WHOLE} for relation in window_input})
        elif isinstance(table.this, exp.Identifier) and not is_local(table):
            relations[(table.db or None, table.name)] = "r"
        elif not isinstance(table.this, exp.Identifier):
            functions.append(table.sql())  # A file named where a table would be.
    for call in tree.find_all(exp.Func):
        if not isinstance(call.parent, exp.Table) and _REACHING.fullmatch(_name(call)):
            functions.append(_name(call))
    return Needs(relations, tuple(functions), columns)


def _listed(columns: Sequence[str]) -> Columns:
    return Columns(frozenset(name.lower() for name in columns)) if columns else WHOLE


def _name(call: exp.Func) -> str:
    return (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).lower()


def _window_input(call: exp.Func) -> dict[Relation, str]:
    """Return the relation that stands as an argument: TUMBLE(public.reading, …)."""
    if _name(call).upper() not in WINDOWS or not call.expressions:
        return {}
    column = call.expressions[0]
    if not isinstance(column, exp.Column):
        return {}
    named = exp.Table(this=column.this.copy(), db=column.args.get("table"))
    named.parent = call.parent
    return {} if is_local(named) else {(column.table or None, column.name): "r"}


def _change(parsed: sql.Insert | sql.Update | sql.Delete | sql.Merge) -> Needs:
    target = (parsed.table.schema, parsed.table.name)
    found = of_tree(parsed.tree)
    relations = dict(found.relations)
    # The target is a table of the tree too; it is read where columns of it are.
    reads = _reads_target(parsed)
    letters = _letters(parsed)
    relations[target] = letters + ("r" if reads else "")
    columns = {**found.columns, target: _changed_columns(parsed, target)}
    return Needs(relations, found.functions, columns)


def _changed_columns(
    parsed: sql.Insert | sql.Update | sql.Delete | sql.Merge, target: Relation
) -> dict[str, Columns]:
    """Return which columns of its target a change is about; a letter that is not told: all."""
    match parsed:
        case sql.Update(tree=tree):
            read = columns_read(without_targets(tree)).get(target, WHOLE)
            return {"w": columns_set(tree), "r": read}
        case sql.Delete(tree=tree):
            return {"r": columns_read(tree).get(target, WHOLE)}
        case sql.Insert(tree=tree, columns=columns):
            if tree.args.get("conflict") is not None:
                return {"a": _listed(columns)}
            return {"a": _listed(columns), "r": columns_read(tree).get(target, WHOLE)}
        case sql.Merge():
            return {}


def _letters(parsed: sql.Insert | sql.Update | sql.Delete | sql.Merge) -> str:
    match parsed:
        case sql.Insert(tree=tree):
            conflict = tree.args.get("conflict")
            return "aw" if conflict is not None and conflict.expressions else "a"
        case sql.Update():
            return "w"
        case sql.Delete():
            return "d"
        case sql.Merge(tree=tree):
            found = "".join(
                letter
                for kind, letter in ((exp.Insert, "a"), (exp.Update, "w"))
                if tree.find(kind) is not None
            )
            deletes = any(
                isinstance(when.args.get("then"), exp.Var)
                and when.args["then"].name.upper() == "DELETE"
                for when in tree.find_all(exp.When)
            )
            return found + ("d" if deletes else "")


def _reads_target(parsed: sql.Insert | sql.Update | sql.Delete | sql.Merge) -> bool:
    if parsed.returning or isinstance(parsed, sql.Merge):
        return True
    tree = parsed.tree
    if isinstance(parsed, sql.Insert):
        return _mentions(tree.args.get("expression"), parsed.table) or (
            parsed.tree.args.get("conflict") is not None
        )
    if tree.args.get("where") is not None and tree.args["where"].find(exp.Column):
        return True
    if not isinstance(parsed, sql.Update):
        return False
    return any(
        isinstance(one, exp.EQ) and one.expression.find(exp.Column) is not None
        for one in tree.expressions
    )


def _mentions(tree: exp.Expression | None, name: sql.ObjectName) -> bool:
    return tree is not None and any(
        (table.db or None, table.name) == (name.schema, name.name)
        for table in tree.find_all(exp.Table)
    )
