"""Alert rules: which views are, and how their rows read as conditions."""

from __future__ import annotations

from dataclasses import dataclass

from voltstream.core.errors import (
    DatatypeMismatch,
    InternalError,
    InvalidParameter,
    UndefinedColumn,
)
from voltstream.core.schema import Schema
from voltstream.runtime.catalog import Catalog, Entry, Names, public_name
from voltstream.sql.alert_options import SEVERITIES, AlertOptions, alert_options
from voltstream.sql.parse import parse_statements
from voltstream.sql.statements import Query
from voltstream.sql.translate import translate_query
from voltstream.store.database import Connection, literal, quoted

TOUCHED = "_alert_touched"  # The keys to look at, by rule.
# What each column of a rule with a meaning of its own may be.
_TYPES = {
    "severity": ("VARCHAR",),
    "title": ("VARCHAR",),
    "since": ("TIMESTAMP WITH TIME ZONE",),
    "opens": ("BOOLEAN",),
    "parent": ("VARCHAR",),
    "parents": ("VARCHAR[]",),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as it stands.

    Shape: ``view`` is its name to people, ``place`` to the store; ``rows`` is its SELECT, None
    while its view stands still.
    """

    oid: int
    view: str
    place: str
    name: str
    options: AlertOptions
    delta: str
    rows: str | None

    @property
    def key(self) -> str:
        """Return DuckDB SQL of the identity of a row, over its view or its delta."""
        return key_sql([quoted(name) for name in self.options.key])


def key_sql(columns: list[str]) -> str:
    texts = ", ".join(f"CAST({column} AS VARCHAR)" for column in columns)
    return f"CAST(to_json([{texts}]) AS VARCHAR)"


def rule_of(entry: Entry, catalog: Catalog, connection: Connection) -> Rule | None:
    """Return what a view is as a rule, None where it is none.

    Raises: InvalidParameter (22023), UndefinedColumn (42703), DatatypeMismatch (42804).
    """
    if entry.kind != "materialized view":
        return None
    options = alert_options(entry.stored.properties)
    if options is None:
        return None
    schema, name = entry.key
    rows = None
    if entry.failed is None and entry.relation is not None:
        _check(entry, options)
        rows = _rows_sql(entry, options, catalog, connection)
    return Rule(
        oid=entry.oid,
        view=f"{schema}.{name}",
        place=public_name(schema, name),
        name=options.rule or name,
        options=options,
        delta=entry.relation.delta if entry.relation is not None else "",
        rows=rows,
    )


def check_rule(entry: Entry, catalog: Catalog, connection: Connection) -> None:
    """Refuse a view that says it is a rule and cannot be one, or that would suppress itself.

    Raises: InvalidParameter (22023), UndefinedColumn (42703), DatatypeMismatch (42804).
    """
    rule = rule_of(entry, catalog, connection)
    if rule is None:
        return
    above: dict[str, frozenset[str]] = {}
    for other in catalog.of_kind("materialized view"):
        options = alert_options(other.stored.properties)
        if options is not None:
            name = options.rule or other.stored.name
            above[name] = above.get(name, frozenset()) | options.suppressed_by
    waiting, seen = list(rule.options.suppressed_by), set[str]()
    while waiting:
        name = waiting.pop()
        if name == rule.name:
            raise InvalidParameter(
                f'alert rule "{rule.name}" would be suppressed by itself',
                hint="Let alert.suppressed_by name what is above it only.",
            )
        if name not in seen:
            seen.add(name)
            waiting.extend(above.get(name, ()))


def _columns(entry: Entry) -> Schema:
    return entry.relation.columns if entry.relation is not None else ()


def _check(entry: Entry, options: AlertOptions) -> None:
    types = {column.name: column.store_type for column in _columns(entry)}
    for name in (*options.key, *options.update_on):
        if name not in types and not (name == "severity" and name in options.update_on):
            raise UndefinedColumn(
                f'column "{name}" of the alert rule "{entry.stored.name}" does not exist'
            )
    for name, wanted in _TYPES.items():
        if name in types and types[name] not in wanted:
            raise DatatypeMismatch(
                f'column "{name}" of an alert rule must be {wanted[0].lower()}, '
                f"not {types[name].lower()}",
                hint="Give the column another name, or cast it.",
            )
    moving = dict(entry.program.volatile) if entry.program is not None else {}
    for name in (*options.key, *options.update_on, *_TYPES):
        if name in moving:
            raise InvalidParameter(
                f'column "{name}" of an alert rule depends on now()',
                hint="A rule is looked at when its rows change: put the condition in WHERE.",
            )


def _rows_sql(entry: Entry, options: AlertOptions, catalog: Catalog, connection: Connection) -> str:
    """Return (key, entity, parents, opens, severity, title, since, details, marks), a row a key.

    Where the view has several rows of a key, the one that opens, then the worst, speaks for it.
    """
    names = [column.name for column in _columns(entry)]
    meant = [name for name in _TYPES if name in names]
    shown = [name for name in names if name not in _TYPES]
    values = ", ".join(f"{literal(name)}, {quoted(name)}" for name in shown)
    # PostgreSQL's texts and JSON, as a query of the user would give them.
    asked = [f"jsonb_build_object({values}) AS _details"]
    asked += [f"CAST({quoted(name)} AS TEXT) AS _k{i}" for i, name in enumerate(options.key)]
    asked += [f"{quoted(name)} AS _raw{i}" for i, name in enumerate(options.key)]
    asked += [f"{quoted(name)} AS _is_{name}" for name in meant]
    marked = [name for name in options.update_on if name in shown]
    asked += [f"CAST({quoted(name)} AS TEXT) AS _m{i}" for i, name in enumerate(marked)]
    text = f"SELECT {', '.join(asked)} FROM {public_name(*entry.key)}"
    statement = parse_statements(text)[0]
    if not isinstance(statement, Query):
        raise InternalError("a rule was not read as a query")
    rows = translate_query(statement.tree, Names(catalog, connection.describe), connection, ())
    # The rows are chosen before anything is computed of them: a change costs what it touches.
    place = public_name(*entry.key)
    key = key_sql([quoted(name) for name in options.key])
    touched = f"(SELECT * FROM {place} WHERE {key} IN ({_touched(entry)})) AS v"
    rows = rows.replace(f" FROM {place}", f" FROM {touched}")
    return _conditions(entry, options, rows, meant, marked)


def _touched(entry: Entry) -> str:
    return f"SELECT key FROM {TOUCHED} WHERE oid = {entry.oid}"


def _conditions(
    entry: Entry, options: AlertOptions, rows: str, meant: list[str], marked: list[str]
) -> str:
    """Give the columns of a rule their meaning, and choose the row that speaks for a key."""
    prefixes = [
        f"concat_ws('/', {', '.join(f'_k{i}' for i in range(length))})"
        for length in range(1, len(options.key) + 1)
    ]
    parents = f"[{', '.join(prefixes)}]"
    if "parent" in meant:
        parents = f"list_append({parents}, _is_parent)"
    if "parents" in meant:
        parents = f"list_concat({parents}, coalesce(_is_parents, []))"
    severity = literal(options.severity)
    ranks = ", ".join(map(literal, SEVERITIES))
    if "severity" in meant:
        said = "lower(_is_severity)"
        severity = f"CASE WHEN {said} IN ({ranks}) THEN {said} ELSE {severity} END"
    title = literal(options.title or options.rule or entry.stored.name)
    if "title" in meant:
        title = f"coalesce(_is_title, {title})"
    since = "_is_since" if "since" in meant else "NULL::TIMESTAMPTZ"
    opens = "coalesce(_is_opens, false)" if "opens" in meant else "true"
    own = {"severity": "severity", "title": "title"}
    marks = [f"_m{i}" for i in range(len(marked))]
    marks += [own.get(name, f"_is_{name}") for name in options.update_on if name not in marked]
    raw = [f"_raw{i}" for i in range(len(options.key))]
    return (
        "SELECT key, entity, parents, opens, severity, title, since, details, "
        f"{key_sql(marks)} AS marks FROM (SELECT *, {key_sql(raw)} AS key, "
        f"{prefixes[-1]} AS entity, {parents} AS parents, {opens} AS opens, "
        f"{severity} AS severity, {title} AS title, {since} AS since, _details AS details "
        f"FROM ({rows})) WHERE key IN ({_touched(entry)}) "
        "QUALIFY row_number() OVER (PARTITION BY key ORDER BY opens DESC, "
        f"list_position([{ranks}], severity) DESC, since, title, CAST(details AS VARCHAR)) = 1"
    )
