"""What a parsed statement is, before anything is bound.

Trees inside (``query``, ``tree``) are sqlglot expressions; only this package looks into them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp


@dataclass(frozen=True, slots=True)
class ObjectName:
    """A possibly qualified name, folded to lower case unless quoted."""

    name: str
    schema: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """One statement. ``offset`` is its first character in the message, from 0."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A declared column; ``store_type`` is DuckDB's spelling, ``default_sql`` DuckDB SQL."""

    name: str
    store_type: str
    not_null: bool = False
    default_sql: str | None = None
    generated_sql: str | None = None  # source columns AS expr / proctime()
    included: str | None = None  # INCLUDE: what of the record's surroundings; "header:x" for one


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSource(Parsed):
    name: ObjectName
    columns: tuple[ColumnSpec, ...]
    properties: Mapping[str, str]
    format: str = "PLAIN"
    encode: str = "JSON"
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTable(Parsed):
    """``store_sql`` is the DuckDB CREATE TABLE without IF NOT EXISTS and without WITH."""

    name: ObjectName
    columns: tuple[ColumnSpec, ...]
    primary_key: tuple[str, ...]
    store_sql: str
    properties: Mapping[str, str]
    query: exp.Expression | None = None  # CREATE TABLE … AS
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateView(Parsed):
    """A plain view, or a materialized one (also a continuous aggregate)."""

    name: ObjectName
    query: exp.Expression
    query_text: str
    column_names: tuple[str, ...] = ()
    materialized: bool = False
    continuous: bool = False
    or_replace: bool = False
    on_close: bool = False  # EMIT ON WINDOW CLOSE
    if_not_exists: bool = False
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSink(Parsed):
    """Exactly one of ``query`` and ``from_name``."""

    name: ObjectName
    query: exp.Expression | None
    from_name: ObjectName | None
    properties: Mapping[str, str]
    format: str = "PLAIN"
    encode: str = "JSON"
    on_close: bool = False  # EMIT ON WINDOW CLOSE
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSchema(Parsed):
    name: str
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDatabase(Parsed):
    name: str
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateIndex(Parsed):
    name: ObjectName
    table: ObjectName
    unique: bool
    store_sql: str
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(Parsed):
    """``kind``: SOURCE, TABLE, VIEW, MATERIALIZED VIEW, SINK, INDEX, SCHEMA, DATABASE."""

    kind: str
    names: tuple[ObjectName, ...]
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterTable(Parsed):
    """``options`` holds SET (…) pairs; ``store_sql`` is DuckDB DDL for anything else."""

    name: ObjectName
    options: Mapping[str, str]
    store_sql: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Parsed):
    """SELECT, VALUES, WITH, TABLE."""

    tree: exp.Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert(Parsed):
    table: ObjectName
    columns: tuple[str, ...]
    tree: exp.Expression  # the whole INSERT
    returning: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Parsed):
    table: ObjectName
    tree: exp.Expression
    returning: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Parsed):
    table: ObjectName
    tree: exp.Expression
    returning: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncate(Parsed):
    tables: tuple[ObjectName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyFrom(Parsed):
    """COPY table [(columns)] FROM STDIN; ``format`` is text, csv or binary."""

    table: ObjectName
    columns: tuple[str, ...]
    format: str
    options: Mapping[str, str]  # delimiter, null, header, quote, escape


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyTo(Parsed):
    """COPY table or (query) TO STDOUT."""

    tree: exp.Expression
    format: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction(Parsed):
    """``verb``: BEGIN, COMMIT, ROLLBACK; SAVEPOINT, RELEASE and ROLLBACK TO with a ``name``.

    BEGIN and SET carry an isolation level as their ``name``, or nothing.
    """

    verb: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh(Parsed):
    """REFRESH MATERIALIZED VIEW."""

    name: ObjectName


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSetting(Parsed):
    """``value`` None means DEFAULT (also RESET)."""

    name: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Show(Parsed):
    """``what`` in upper case ("TABLES", "SOURCES", "COLUMNS", "CREATE"), or a setting's name.

    ``setting`` is set when it is SHOW <setting>; ``name`` for SHOW COLUMNS FROM x, SHOW CREATE x.
    """

    what: str
    setting: str | None = None
    name: ObjectName | None = None
    like: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Describe(Parsed):
    name: ObjectName


@dataclass(frozen=True, slots=True, kw_only=True)
class Explain(Parsed):
    """``form``: AST, PLAN, INCREMENTAL or DUCKDB; the default is PLAN."""

    form: str
    target: Parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(Parsed):
    """``kind``: TABLE, SOURCE, VIEW, MATERIALIZED VIEW, SINK or COLUMN."""

    kind: str
    name: ObjectName
    column: str | None
    comment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOp(Parsed):
    """Accepted and without effect here: FLUSH, DISCARD, ANALYZE, WAIT; ``tag`` is the answer."""

    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Parsed):
    """SELECT or CALL of one administrative function (create_hypertable, add_retention_policy …)."""

    function: str
    arguments: tuple[str, ...]  # as DuckDB SQL text
    named_arguments: Mapping[str, str]
