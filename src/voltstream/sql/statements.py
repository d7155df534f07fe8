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
    database: str | None = None  # As written; it can only be the one we are in.


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """One statement. ``offset`` is its first character in the message, from 0."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A declared column.

    Shape: ``store_type`` is DuckDB's spelling and ``declared`` the user's. ``default_text`` and
    ``generated_text`` are expressions as written; ``generated_sql`` is the latter in DuckDB SQL.
    ``identity`` is "always" or "by default" for serial and identity columns.
    """

    name: str
    store_type: str
    not_null: bool = False
    default_text: str | None = None
    generated_sql: str | None = None  # columns AS expr / proctime()
    declared: str = ""
    generated_text: str | None = None
    identity: str | None = None
    included: str | None = None  # INCLUDE: what of the record's surroundings; "header:x" for one


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSource(Parsed):
    name: ObjectName
    columns: tuple[ColumnSpec, ...]
    properties: Mapping[str, str]
    format: str = "PLAIN"
    encode: str = "JSON"
    if_not_exists: bool = False
    inferred: bool = False  # The schema of its records has columns that are not written here.
    shared: bool = False  # Tables are made FROM it; it holds no rows itself.


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK constraint; ``text`` is its condition as written."""

    text: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key; without ``targets`` it means the primary key of the table."""

    columns: tuple[str, ...]
    table: ObjectName
    targets: tuple[str, ...] = ()
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"
    is_full: bool = False  # MATCH FULL
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """FROM source TABLE 'schema.table': what a table is kept like."""

    source: ObjectName
    table: str


@dataclass(frozen=True, slots=True)
class Like:
    """LIKE in a column list: whose columns, before which column, and what comes with them."""

    name: ObjectName
    place: int
    including: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTable(Parsed):
    """A table, with or without a connector.

    Shape: ``on_conflict`` says what an INSERT of a key that exists does: OVERWRITE, IGNORE or
    IF NOT NULL (new values that are NULL keep the old ones).
    """

    name: ObjectName
    columns: tuple[ColumnSpec, ...]
    primary_key: tuple[str, ...]
    properties: Mapping[str, str]
    unique: tuple[tuple[str, ...], ...] = ()
    checks: tuple[Check, ...] = ()
    references: tuple[Reference, ...] = ()
    likes: tuple[Like, ...] = ()
    query: exp.Expression | None = None  # CREATE TABLE … AS
    query_text: str = ""
    column_names: tuple[str, ...] = ()
    with_data: bool = True
    append_only: bool = False
    on_conflict: str = "OVERWRITE"
    version_columns: tuple[str, ...] = ()
    watermark: str | None = None
    ttl: bool = False  # of the watermark: rows below it are forgotten
    format: str = "PLAIN"
    encode: str = "JSON"
    if_not_exists: bool = False
    inferred: bool = False  # As of a source, or of its origin.
    origin: Origin | None = None


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
    requeries: bool = False  # ALTER MATERIALIZED VIEW … AS
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSink(Parsed):
    """Exactly one of ``query`` and ``from_name``; with ``into`` its changes go to that table."""

    name: ObjectName
    query: exp.Expression | None
    from_name: ObjectName | None
    properties: Mapping[str, str]
    into: ObjectName | None = None
    into_columns: tuple[str, ...] = ()
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
    """``keys`` are (expression as written, "ASC" or "DESC"); ``columns`` the plain columns."""

    name: ObjectName
    table: ObjectName
    unique: bool
    keys: tuple[tuple[str, str], ...]
    columns: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    distributed: tuple[str, ...] = ()
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSubscription(Parsed):
    name: ObjectName
    from_name: ObjectName
    properties: Mapping[str, str]
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFunction(Parsed):
    """``parameters`` are (name or empty, store type); ``body`` is an expression or a query.

    Shape: ``source`` is the body as it was written; in another language than SQL ``body`` is
    NULL. ``many`` says that it returns rows, of ``rows`` (name, store type) when they are named.
    """

    name: ObjectName
    parameters: tuple[tuple[str, str], ...]
    returns: str | None
    language: str
    body: exp.Expression
    source: str = ""
    many: bool = False
    rows: tuple[tuple[str, str], ...] = ()
    strict: bool = False
    volatility: str = ""
    aggregate: bool = False
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSecret(Parsed):
    name: ObjectName
    value: str
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateConnection(Parsed):
    name: ObjectName
    properties: Mapping[str, str]
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(Parsed):
    """``kind``: SOURCE, TABLE, VIEW, MATERIALIZED VIEW, SINK, INDEX, SCHEMA, DATABASE,
    SUBSCRIPTION, FUNCTION, SECRET, CONNECTION."""

    kind: str
    names: tuple[ObjectName, ...]
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterTable(Parsed):
    """``options`` holds SET (…) pairs; ``actions`` change columns, in order.

    ``refresh``: add what the schema of the records has gained.
    """

    name: ObjectName
    options: Mapping[str, str]
    actions: tuple[ColumnAction, ...] = ()
    if_exists: bool = False
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class ColumnAction:
    """``verb``: ADD, DROP, RENAME, SET NOT NULL, DROP NOT NULL, SET DEFAULT, DROP DEFAULT, TYPE,

    WATERMARK.
    """

    verb: str
    column: str
    spec: ColumnSpec | None = None  # ADD, TYPE
    text: str | None = None  # RENAME: the new name; DEFAULT, USING, WATERMARK: the expression
    lenient: bool = False  # IF [NOT] EXISTS
    ttl: bool = False  # WATERMARK: WITH TTL


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterObject(Parsed):
    """``verb``: RENAME TO, SET SCHEMA, SWAP WITH, OWNER TO, or IGNORED with a remark in ``value``.

    ``kind`` is in upper case; a schema or database is named by ``name.name`` alone.
    """

    kind: str
    name: ObjectName
    verb: str
    value: str = ""
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Parsed):
    """SELECT, VALUES, WITH, TABLE."""

    tree: exp.Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert(Parsed):
    table: ObjectName
    columns: tuple[str, ...]
    tree: exp.Insert  # the whole INSERT
    returning: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Parsed):
    table: ObjectName
    tree: exp.Update
    returning: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Parsed):
    table: ObjectName
    tree: exp.Expression
    returning: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge(Parsed):
    table: ObjectName
    tree: exp.Merge
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

    BEGIN and SET carry an isolation level as their ``name``, or nothing. ``read_only`` None: as
    the session's default, or as it was.
    """

    verb: str
    name: str = ""
    read_only: bool | None = None
    tag: str = "BEGIN"
    chain: bool = False  # COMMIT or ROLLBACK: the next block begins at once.


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Parsed):
    """USE database: a session stays in its own."""

    database: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh(Parsed):
    """REFRESH MATERIALIZED VIEW."""

    name: ObjectName


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSetting(Parsed):
    """``value`` None means DEFAULT (also RESET); ``local`` ends with the block."""

    name: str
    value: str | None
    local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard(Parsed):
    """``what``: ALL, PLANS, SEQUENCES, TEMP."""

    what: str


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
    """``form``: AST, PLAN, INCREMENTAL, DUCKDB or ANALYZE; the default is PLAN."""

    form: str
    as_json: bool = False
    target: Parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment(Parsed):
    """``kind``: TABLE, SOURCE, VIEW, MATERIALIZED VIEW, SINK or COLUMN."""

    kind: str
    name: ObjectName
    column: str | None
    comment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareCursor(Parsed):
    """A cursor over a query, or over a subscription's changes.

    Shape: ``since`` is "now", "begin", "full" or milliseconds of the Unix epoch.
    """

    name: str
    query: exp.Expression | None = None
    subscription: ObjectName | None = None
    since: str = "now"
    hold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch(Parsed):
    """``count`` None means ALL. Units: ``timeout_ms``."""

    name: str
    count: int | None = 1
    timeout_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseCursor(Parsed):
    """``name`` None means ALL."""

    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare(Parsed):
    """``types`` are those declared, of the first parameters."""

    name: str
    types: tuple[exp.Expression, ...]
    target: Parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute(Parsed):
    name: str
    arguments: tuple[exp.Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deallocate(Parsed):
    """``name`` None means ALL."""

    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOp(Parsed):
    """Accepted and without effect here: FLUSH, DISCARD, ANALYZE, WAIT; ``tag`` is the answer."""

    tag: str
    remark: str | None = None  # A NOTICE that says why there is none
    setting: str = ""  # ALTER SYSTEM: what a session must know, or the name is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Parsed):
    """SELECT or CALL of one administrative function (create_hypertable, add_retention_policy …)."""

    function: str
    arguments: tuple[str, ...]  # as DuckDB SQL text
    named_arguments: Mapping[str, str]
    dimension: Call | None = None  # by_range(…) or by_hash(…), as an argument
    chunks: Call | None = None  # show_chunks(…) in FROM: the call is made for each of them
