"""RisingWave's system catalog over the ledger: what its users and tools ask most."""

from __future__ import annotations

from voltstream.core.redaction import (
    KINDS_WITH_SECRETS,
    REDACTED,
    SECRET_NAMED,
    SECRET_OPTION,
    SECRET_SHOWN,
)
from voltstream.store.database import literal

OWNER_ID = 10  # As pg_roles has it.
_HIDDEN = rf"\1'{REDACTED}'"


def _replaced(text: str, pattern: str, by: str) -> str:
    return f"regexp_replace({text}, {literal(pattern)}, {literal(by)}, 'gis')"


def _redacted(text: str) -> str:
    """Return SQL for a definition without the secrets that it states."""
    kept = _replaced(_replaced(text, *SECRET_NAMED), SECRET_OPTION, _HIDDEN)
    return _replaced(kept, *SECRET_SHOWN)


# A definition as it may be shown: the secrets among its options are not.
SHOWN = (
    f"CASE WHEN o.kind IN {KINDS_WITH_SECRETS} THEN {_redacted('o.definition')} "
    "ELSE o.definition END AS definition"
)


def schema_id(name: str) -> str:
    """Return SQL for a schema's oid, the one that pg_namespace shows."""
    digest = f"1610612736 + CAST('0x' || md5({name})[:7] AS BIGINT)"
    return (
        f"CAST(CASE {name} WHEN 'public' THEN 2200 WHEN 'pg_catalog' THEN 11 "
        f"WHEN 'information_schema' THEN 13000 WHEN 'rw_catalog' THEN 13001 ELSE {digest} END "
        "AS INTEGER)"
    )


def _plain(table: str) -> str:
    """Return SQL for an object's name without what tells a function from others of its name."""
    return (
        f"CASE WHEN {table}.kind = 'function' THEN split_part({table}.name, '(', 1) "
        f"ELSE {table}.name END"
    )


_OWNER = f"coalesce((SELECT w.owner FROM _vs.rights w WHERE w.oid = o.oid), {OWNER_ID})"
_OBJECT = (
    f"o.oid AS id, o.name, o.schema, {schema_id('o.schema')} AS schema_id, "
    f"{_OWNER} AS owner, {SHOWN}, o.created AS created_at, o.created AS initialized_at, "
    "o.schema AS schema_name"
)
_OF_KIND = "FROM _vs.objects o WHERE o.kind = "
_RELATIONS = "('table', 'materialized view', 'view', 'source', 'sink', 'index', 'subscription')"
_JOBS = "('table', 'materialized view', 'sink')"
_TYPE = (
    "CASE WHEN c.data_type = 'VARCHAR' THEN 'character varying' "
    "WHEN c.data_type = 'DOUBLE' THEN 'double precision' WHEN c.data_type = 'FLOAT' THEN 'real' "
    "WHEN c.data_type = 'TIMESTAMP' THEN 'timestamp without time zone' "
    "WHEN c.data_type = 'TIME' THEN 'time without time zone' "
    "WHEN c.data_type = 'BLOB' THEN 'bytea' WHEN c.data_type = 'JSON' THEN 'jsonb' "
    "WHEN c.data_type LIKE 'DECIMAL%' THEN 'numeric' ELSE lower(c.data_type) END"
)


def _of_kind(view: str, kind: str, more: str = "") -> str:
    return f"CREATE OR REPLACE VIEW rw_catalog.{view} AS SELECT {_OBJECT}{more} {_OF_KIND}'{kind}'"


RW_VIEWS: tuple[str, ...] = (
    "CREATE OR REPLACE VIEW rw_catalog.rw_suspended_objects AS SELECT o.oid AS id, "
    f"{_plain('o')} AS name, o.schema, o.kind, f.reason, f.epoch AS since_epoch, "
    f"{_plain('c')} AS cause FROM _vs.failures f JOIN _vs.objects o USING (oid) "
    "LEFT JOIN _vs.objects c ON c.oid = f.cause",
    _of_kind("rw_tables", "table"),
    _of_kind("rw_views", "view"),
    f"CREATE OR REPLACE VIEW rw_catalog.rw_materialized_views AS SELECT {_OBJECT}, "
    "CASE WHEN f.oid IS NULL THEN 'running' ELSE 'failed' END AS state, "
    "coalesce(f.reason, '') AS reason FROM _vs.objects o "
    "LEFT JOIN _vs.failures f USING (oid) WHERE o.kind = 'materialized view'",
    _of_kind(
        "rw_indexes",
        "index",
        ", (SELECT d.on_oid FROM _vs.dependencies d WHERE d.oid = o.oid LIMIT 1) "
        "AS primary_table_id",
    ),
    _of_kind(
        "rw_subscriptions",
        "subscription",
        ", json_extract_string(o.properties, '$.retention') AS retention",
    ),
    _of_kind("rw_connections", "connection"),
    "CREATE OR REPLACE VIEW rw_catalog.rw_secrets AS SELECT o.oid AS id, o.name, o.schema, "
    f"{_OWNER} AS owner {_OF_KIND}'secret'",
    "CREATE OR REPLACE VIEW rw_catalog.rw_functions AS SELECT o.oid AS id, "
    f"{_plain('o')} AS name, o.schema, {schema_id('o.schema')} AS schema_id, "
    f"{_OWNER} AS owner, CASE WHEN "
    "regexp_matches(o.definition, 'language\\s+.?python', 'i') THEN 'python' ELSE 'sql' END "
    f"AS language, o.definition {_OF_KIND}'function'",
    "CREATE OR REPLACE VIEW rw_catalog.rw_relations AS SELECT o.oid AS id, o.name, "
    f"o.kind AS relation_type, o.schema, {schema_id('o.schema')} AS schema_id, "
    f"{_OWNER} AS owner, {SHOWN} FROM _vs.objects o WHERE o.kind IN {_RELATIONS}",
    "CREATE OR REPLACE VIEW rw_catalog.rw_schemas AS SELECT "
    f"{schema_id('schema_name')} AS id, schema_name AS name, {OWNER_ID} AS owner "
    "FROM duckdb_schemas() WHERE database_name = current_database() "
    "AND schema_name NOT IN ('_vs', '_pg', '_is', 'main')",
    "CREATE OR REPLACE VIEW rw_catalog.rw_databases AS SELECT 1 AS id, 'volt' AS name, "
    f"{OWNER_ID} AS owner, 'default' AS resource_group, "
    "CAST(NULL AS INTEGER) AS barrier_interval_ms, CAST(NULL AS INTEGER) AS checkpoint_frequency",
    # Roles are kept in the first database; the owner is there before any is.
    "CREATE OR REPLACE VIEW rw_catalog.rw_users AS SELECT oid AS id, body ->> '$.name' AS name, "
    "CAST(body ->> '$.superuser' AS BOOLEAN) AS is_super, CAST(body ->> '$.create_db' AS BOOLEAN) "
    "AS create_db, CAST(body ->> '$.create_role' AS BOOLEAN) AS create_user, "
    "CAST(body ->> '$.login' AS BOOLEAN) AS can_login FROM _vs.roles UNION ALL "
    f"SELECT {OWNER_ID}, 'volt', true, true, true, true WHERE NOT EXISTS "
    f"(SELECT 1 FROM _vs.roles WHERE oid = {OWNER_ID})",
    "CREATE OR REPLACE VIEW rw_catalog.rw_columns AS SELECT o.oid AS relation_id, "
    'c.column_name AS name, c.column_index AS "position", false AS is_hidden, '
    f"false AS is_primary_key, {_TYPE} AS data_type, "
    "coalesce(n.is_nullable, c.is_nullable) AS is_nullable "
    "FROM duckdb_columns() c JOIN _vs.objects o ON o.schema = c.schema_name "
    "AND o.name = c.table_name LEFT JOIN duckdb_columns() n ON n.schema_name = '_vs' "  # Its rows.
    "AND n.table_name = 't_' || o.oid AND n.column_name = c.column_name "
    "AND n.database_name = c.database_name WHERE c.database_name = current_database()",
    "CREATE OR REPLACE VIEW rw_catalog.rw_depend AS SELECT oid AS objid, on_oid AS refobjid "
    "FROM _vs.dependencies",
    "CREATE OR REPLACE VIEW rw_catalog.rw_description AS SELECT oid AS objoid, 0 AS objsubid, "
    "comment AS description FROM _vs.objects WHERE comment IS NOT NULL",
    # A definition is made in one epoch, so that none of its rows is seen before its end: what can
    # be told is which statements are at it. One process has no fragments.
    "CREATE OR REPLACE VIEW rw_catalog.rw_ddl_progress AS SELECT CAST(x ->> '$.process_id' AS "
    "BIGINT) AS ddl_id, x ->> '$.query' AS ddl_statement, 'running for ' || "
    "CAST(greatest(date_diff('second', CAST(x ->> '$.changed' AS TIMESTAMPTZ), "
    "CAST(getvariable('vs_now') AS TIMESTAMPTZ)), 0) AS VARCHAR) || ' s' AS progress, "
    "CAST(x ->> '$.changed' AS TIMESTAMPTZ) AS initialized_at FROM (SELECT unnest(CAST("
    "json_extract(CAST(getvariable('vs_session') AS VARCHAR), '$.sessions') AS JSON[])) AS x) "
    "WHERE x ->> '$.state' = 'active' AND regexp_matches(x ->> '$.query', "
    "'^\\s*(create|alter|refresh|drop)\\s', 'i')",
    "CREATE OR REPLACE VIEW rw_catalog.rw_fragments AS SELECT oid AS fragment_id, "
    "oid AS table_id, 1 AS parallelism FROM _vs.objects WHERE kind IN "
    "('table', 'materialized view', 'sink')",
    "CREATE OR REPLACE VIEW rw_catalog.rw_table_fragments AS SELECT oid AS table_id, "
    "'CREATED' AS status, '1' AS parallelism, 1 AS max_parallelism FROM _vs.objects "
    f"WHERE kind IN {_JOBS}",
    "CREATE OR REPLACE VIEW rw_catalog.rw_streaming_jobs AS SELECT oid AS job_id, "
    "oid AS table_id, name, kind AS relation_type, schema AS schema_name, 'CREATED' AS status, "
    f"'1' AS parallelism, 1 AS max_parallelism FROM _vs.objects WHERE kind IN {_JOBS}",
    "CREATE OR REPLACE VIEW rw_catalog.rw_actors AS SELECT oid AS actor_id, 1 AS worker_id, "
    f"oid AS fragment_id, 'RUNNING' AS status FROM _vs.objects WHERE kind IN {_JOBS}",
    # A view's state tables carry its oid: _vs.mv_16_2 is one of 16.
    "CREATE OR REPLACE VIEW rw_catalog.rw_internal_table_info AS SELECT t.table_oid AS id, "
    "t.table_name AS name, o.oid AS job_id, o.name AS job_name, o.schema AS schema_name, "
    "'' AS description FROM duckdb_tables() t JOIN _vs.objects o ON CAST(o.oid AS VARCHAR) = "
    "regexp_extract(t.table_name, '^[a-z]+_([0-9]+)_[0-9]+$', 1) WHERE t.schema_name = '_vs' "
    "AND t.database_name = current_database()",
    # Rows are DuckDB's estimate, exact but for rows deleted since the last checkpoint.
    "CREATE OR REPLACE VIEW rw_catalog.rw_state_sizes AS SELECT o.oid AS id, o.name, o.schema, "
    "o.kind, count(*) AS state_tables, CAST(sum(t.estimated_size) AS BIGINT) AS rows, "
    "CAST(sum(t.estimated_size * t.column_count * 8) AS BIGINT) AS bytes FROM duckdb_tables() t "
    "JOIN _vs.objects o ON CAST(o.oid AS VARCHAR) = "
    "regexp_extract(t.table_name, '^[a-z]+_([0-9]+)(_[0-9]+)?$', 1) WHERE t.schema_name = '_vs' "
    "AND t.database_name = current_database() GROUP BY ALL",
    "CREATE OR REPLACE VIEW rw_catalog.rw_internal_tables AS SELECT id, name, schema_name, "
    f"{OWNER_ID} AS owner FROM rw_catalog.rw_internal_table_info",
    "CREATE OR REPLACE VIEW rw_catalog.rw_system_tables AS SELECT view_oid AS id, "
    f"view_name AS name, schema_name, {OWNER_ID} AS owner FROM duckdb_views() WHERE schema_name = "
    "'rw_catalog' AND database_name = current_database()",
    "CREATE OR REPLACE VIEW rw_catalog.rw_event_logs AS SELECT CAST(NULL AS VARCHAR) AS "
    "unique_id, CAST(NULL AS TIMESTAMPTZ) AS timestamp, '' AS event_type, "
    "CAST(NULL AS JSON) AS info WHERE false",
    "CREATE OR REPLACE VIEW rw_catalog.rw_rate_limit AS SELECT CAST(NULL AS BIGINT) AS "
    "fragment_id, '' AS fragment_type, '' AS node_name, CAST(NULL AS BIGINT) AS table_id, "
    "CAST(NULL AS BIGINT) AS rate_limit WHERE false",
    "CREATE OR REPLACE VIEW rw_catalog.rw_worker_nodes AS SELECT 1 AS id, 'localhost' AS host, "
    "'WORKER_TYPE_SINGLE_PROCESS' AS type, 'RUNNING' AS state, 1 AS parallelism",
)
