"""The functions of PostgreSQL that tools call, as macros.

Shape: what belongs to a session (user, database, settings) comes from the variable ``vs_session``,
a JSON object that the session sets on its connection before it reads.
"""

from __future__ import annotations

# Words that must be quoted as names. Source: PostgreSQL 15, appendix C "SQL Key Words".
_RESERVED = (
    "all analyse analyze and any array as asc asymmetric authorization binary both case cast "
    "check collate collation column concurrently constraint create cross current_catalog "
    "current_date current_role current_schema current_time current_timestamp current_user default "
    "deferrable desc distinct do else end except false fetch for foreign freeze from full grant "
    "group having ilike in initially inner intersect into is isnull join lateral leading left "
    "like limit localtime localtimestamp natural not notnull null offset on only or order outer "
    "overlaps placing primary references returning right select session_user similar some "
    "symmetric table tablesample then to trailing true union unique user using variadic verbose "
    "when where window with"
)
_RESERVED_LIST = ", ".join(f"'{word}'" for word in _RESERVED.split())
OWNER = "volt"
OWNER_OID = 10

SESSION = (
    "MACRO fact(word) AS json_extract_string(getvariable('vs_session')::VARCHAR, '$.' || word)",
    f"MACRO current_user() AS coalesce(_pg.fact('user'), '{OWNER}')",
    f"MACRO session_user() AS coalesce(_pg.fact('session_user'), '{OWNER}')",
    "MACRO current_database() AS coalesce(_pg.fact('database'), 'volt')",
    "MACRO pg_backend_pid() AS CAST(coalesce(_pg.fact('process_id'), '0') AS INTEGER)",
    "MACRO version() AS 'PostgreSQL ' || coalesce(_pg.fact('version'), '15.0') || "
    "' on ' || 'DuckDB'",
    "MACRO setting(word) AS json_extract_string(getvariable('vs_session')::VARCHAR, "
    "'$.settings.\"' || lower(word) || '\"')",
    # As an error of a function of ours, so that its SQLSTATE is told (store/faults.py).
    "MACRO no_setting(word) AS CAST(error('NativeFault: [42704] unrecognized configuration "
    "parameter \"' || word || '\"') AS VARCHAR)",
    "MACRO current_setting(word) AS coalesce(_pg.setting(word), _pg.no_setting(word)), "
    "(word, missing_ok) AS CASE WHEN missing_ok THEN _pg.setting(word) "
    "ELSE coalesce(_pg.setting(word), _pg.no_setting(word)) END",
    "MACRO inet_client_addr() AS _pg.fact('client')",
    "MACRO inet_client_port() AS CAST(NULL AS INTEGER)",
    "MACRO inet_server_addr() AS CAST(NULL AS VARCHAR)",
    "MACRO inet_server_port() AS CAST(NULL AS INTEGER)",
    "MACRO pg_postmaster_start_time() AS CAST(_pg.fact('started') AS TIMESTAMPTZ)",
    "MACRO pg_conf_load_time() AS CAST(_pg.fact('started') AS TIMESTAMPTZ)",
    "MACRO pg_is_in_recovery() AS false",
    "MACRO pg_is_wal_replay_paused() AS false",
    "MACRO pg_my_temp_schema() AS 0::UINTEGER",
    "MACRO pg_listening_channels() AS unnest(CAST(json_extract(getvariable('vs_session')::VARCHAR, "
    "'$.channels') AS VARCHAR[]))",
    "MACRO pg_notification_queue_usage() AS 0::DOUBLE",
    "MACRO pg_is_other_temp_schema(o) AS false",
    "MACRO row_security_active(t) AS false",
    "MACRO rw_recovery_status() AS 'RUNNING'",
    "MACRO txid_current() AS (SELECT epoch FROM _vs.epoch)",
    "MACRO pg_current_xact_id() AS (SELECT epoch FROM _vs.epoch)",
    "MACRO pg_blocking_pids(pid) AS CAST([] AS INTEGER[])",
    "MACRO pg_cancel_backend(pid) AS false",
    "MACRO pg_advisory_lock(key) AS NULL",
    "MACRO pg_try_advisory_lock(key) AS true",
    "MACRO pg_advisory_unlock(key) AS true",
    "MACRO pg_advisory_unlock_all() AS NULL",
    "MACRO pg_stat_get_numscans(o) AS 0::BIGINT",
)

_NAMES = (
    "MACRO quote_ident(word) AS CASE WHEN regexp_full_match(word, '[a-z_][a-z0-9_$]*') AND "
    f"word NOT IN ({_RESERVED_LIST}) THEN word ELSE '\"' || replace(word, '\"', '\"\"') || '\"' "
    "END",
    "MACRO quote_literal(x) AS '''' || replace(CAST(x AS VARCHAR), '''', '''''') || ''''",
    "MACRO quote_nullable(x) AS coalesce('''' || replace(CAST(x AS VARCHAR), '''', '''''') "
    "|| '''', 'NULL')",
    "MACRO folded(word) AS CASE WHEN starts_with(word, '\"') THEN "
    "replace(word[2:-2], '\"\"', '\"') ELSE lower(word) END",
    # "db".public.t names the same as public.t; other databases are not in reach.
    # "db".public.t names the same as public.t; other databases are not in reach.
    "MACRO local_path(path) AS regexp_replace(trim(path), '^\"?' || _pg.current_database() || "
    r"'\"?\.([^.]+\.)', '\1')",
    r"MACRO name_schema(path) AS _pg.folded(regexp_extract(_pg.local_path(path), "
    r"'^(\"(?:[^\"]|\"\")*\"|[^.\"]+)\.', 1))",
    r"MACRO name_last(path) AS _pg.folded(regexp_extract(trim(path), "
    r"'(\"(?:[^\"]|\"\")*\"|[^.\"]+)$', 1))",
    "MACRO to_regclass_oid(path) AS (SELECT min_by(_oid, coalesce(_place, 1000)) FROM "
    "_pg.placed_relations WHERE _name = _pg.name_last(path) AND (_schema = _pg.name_schema(path) "
    "OR (_pg.name_schema(path) = '' AND (_place IS NOT NULL OR _is_ours))))",
    r"MACRO regclass_in(path) AS CASE WHEN regexp_full_match(path, '\d+') THEN CAST(path AS "
    "UINTEGER) WHEN path = '-' THEN 0::UINTEGER WHEN path IS NOT NULL THEN "
    "coalesce(_pg.to_regclass_oid(path), CAST(error('NativeFault: [42P01] relation \"' || path || "
    "'\" does not exist') AS UINTEGER)) END",
    "MACRO regclass_out(o) AS CASE WHEN o = 0 THEN '-' ELSE coalesce((SELECT max(CASE WHEN "
    "_place IS NOT NULL THEN _pg.quote_ident(_name) ELSE _pg.quote_ident(_schema) || '.' || "
    "_pg.quote_ident(_name) END) FROM _pg.placed_relations WHERE _oid = o), CAST(o AS VARCHAR)) "
    "END",
    "MACRO to_regclass(path) AS _pg.regclass_out(_pg.to_regclass_oid(path))",
    r"MACRO regtype_in(word) AS _pg.type_or_fault(replace(word, 'pg_catalog.', ''))",
    "MACRO regtype_out(o) AS _pg.format_type(o, -1)",
    r"MACRO regproc_in(path) AS CASE WHEN regexp_full_match(path, '\d+') THEN CAST(path AS "
    "UINTEGER) WHEN path = '-' THEN 0::UINTEGER WHEN path IS NOT NULL THEN coalesce((SELECT "
    r"min(_oid) FROM _pg.k_routines WHERE _name = _pg.name_last(regexp_replace(path, '\(.*', "
    "''))), CAST(error('NativeFault: [42883] function \"' || path || "
    "'\" does not exist') AS UINTEGER)) END",
    "MACRO regproc_out(o) AS coalesce((SELECT max(_name) FROM _pg.k_routines WHERE _oid = o), '-')",
    "MACRO to_regproc(path) AS (SELECT max(_name) FROM _pg.k_routines WHERE "
    "_name = _pg.name_last(path))",
    "MACRO regnamespace_in(path) AS coalesce((SELECT max(_oid) FROM _pg.k_namespaces WHERE "
    "_name = _pg.folded(path)), CAST(error('NativeFault: [3F000] schema \"' || path || "
    "'\" does not exist') AS UINTEGER))",
    "MACRO regnamespace_out(o) AS coalesce((SELECT max(_name) FROM _pg.k_namespaces WHERE "
    "_oid = o), CAST(o AS VARCHAR))",
    "MACRO to_regnamespace(path) AS (SELECT max(_name) FROM _pg.k_namespaces WHERE "
    "_name = _pg.folded(path))",
    "MACRO regrole_in(path) AS coalesce((SELECT max(_oid) FROM _pg.k_roles WHERE "
    "_name = _pg.folded(path)), CAST(error('NativeFault: [42704] role \"' || path || "
    "'\" does not exist') AS UINTEGER))",
    "MACRO to_regrole(path) AS (SELECT max(_name) FROM _pg.k_roles WHERE _name = _pg.folded(path))",
    "MACRO pg_get_userbyid(o) AS coalesce((SELECT max(_name) FROM _pg.k_roles WHERE "
    "_oid = o), 'unknown (OID=' || CAST(o AS VARCHAR) || ')')",
    "MACRO regrole_out(o) AS _pg.pg_get_userbyid(o)",
)
_DEFINITIONS = (
    "MACRO viewdef(v) AS (SELECT max(' ' || rtrim(trim(_query), ';') || ';') FROM "
    "_pg.k_relations WHERE _oid = _pg.regclass_in(CAST(v AS VARCHAR)) AND _form IN ('v', 'm'))",
    # A catalog's own view is shown without what it is made of.
    "MACRO known_viewdef(v) AS coalesce(_pg.viewdef(v), (SELECT max('') FROM _pg.pg_class WHERE "
    "oid = _pg.regclass_in(CAST(v AS VARCHAR)) AND relkind = 'v'), CAST(error('\"' || "
    "_pg.regclass_out(_pg.regclass_in(CAST(v AS VARCHAR))) || '\" is not a view') AS VARCHAR))",
    "MACRO pg_get_viewdef(v) AS _pg.known_viewdef(v), (v, pretty) AS _pg.known_viewdef(v)",
    "MACRO whole_indexdef(i) AS (SELECT max('CREATE ' || CASE WHEN _is_unique THEN 'UNIQUE ' "
    "ELSE '' END || 'INDEX ' || _pg.quote_ident(_name) || ' ON ' || _pg.quote_ident(_schema) "
    "|| '.' || _pg.quote_ident(_table) || ' USING btree (' || "
    "array_to_string(_names[:_keys], ', ') || ')' || CASE WHEN len(_names) > _keys THEN "
    "' INCLUDE (' || array_to_string(_names[_keys + 1:], ', ') || ')' ELSE '' END) "
    "FROM _pg.k_indexes WHERE _oid = i)",
    "MACRO pg_get_indexdef(i) AS _pg.whole_indexdef(i), (i, part, pretty) AS CASE WHEN part = 0 "
    "THEN _pg.whole_indexdef(i) ELSE (SELECT max(_names[part]) FROM _pg.k_indexes "
    "WHERE _oid = i) END",
    "MACRO constraintdef(o) AS (SELECT max(CASE _kind WHEN 'CHECK' THEN 'CHECK (' || "
    "_expression || ')' WHEN 'FOREIGN KEY' THEN _expression "
    "ELSE _kind || ' (' || array_to_string(list_transform(_names, "
    "lambda n: _pg.quote_ident(n)), ', ') || ')' END) FROM _pg.k_keys WHERE _oid = o)",
    "MACRO pg_get_constraintdef(o) AS _pg.constraintdef(o), (o, pretty) AS _pg.constraintdef(o)",
    "MACRO pg_get_expr(node, relation) AS CAST(node AS VARCHAR), (node, relation, pretty) AS "
    "CAST(node AS VARCHAR)",
    "MACRO pg_get_ruledef(o) AS CAST(NULL AS VARCHAR), (o, pretty) AS CAST(NULL AS VARCHAR)",
    "MACRO pg_get_triggerdef(o) AS CAST(NULL AS VARCHAR), (o, pretty) AS CAST(NULL AS VARCHAR)",
    "MACRO pg_get_partkeydef(o) AS CAST(NULL AS VARCHAR)",
    "MACRO pg_get_statisticsobjdef(o) AS CAST(NULL AS VARCHAR)",
    "MACRO pg_get_statisticsobjdef_columns(o) AS CAST(NULL AS VARCHAR)",
    "MACRO pg_get_serial_sequence(t, c) AS CAST(NULL AS VARCHAR)",
    "MACRO pg_get_replica_identity_index(t) AS CAST(NULL AS UINTEGER)",
    "MACRO pg_relation_is_publishable(t) AS true",
    "MACRO pg_relation_is_updatable(t, triggers) AS CASE WHEN (SELECT max(_form) FROM "
    "_pg.k_relations WHERE _oid = t) = 'r' THEN 28 ELSE 0 END",
    "MACRO pg_column_is_updatable(t, c, triggers) AS (SELECT max(_form) FROM "
    "_pg.k_relations WHERE _oid = t) = 'r'",
    "MACRO pg_partition_ancestors(o) AS o",
    "MACRO pg_encoding_to_char(n) AS CASE n WHEN 6 THEN 'UTF8' ELSE '' END",
    "MACRO pg_char_to_encoding(word) AS CASE WHEN upper(word) IN ('UTF8', 'UTF-8') THEN 6 "
    "ELSE -1 END",
    "MACRO pg_client_encoding() AS 'UTF8'",
    "MACRO getdatabaseencoding() AS 'UTF8'",
    "MACRO obj_description(o) AS (SELECT max(_text) FROM _pg.k_descriptions WHERE "
    "_oid = o AND _part = 0), (o, catalog) AS (SELECT max(_text) FROM _pg.k_descriptions WHERE "
    "_oid = o AND _part = 0 AND _class = _pg.to_regclass_oid('pg_catalog.' || catalog))",
    "MACRO col_description(o, n) AS (SELECT max(_text) FROM _pg.k_descriptions WHERE "
    "_oid = o AND _class = 1259 AND _part = n)",
    "MACRO shobj_description(o, catalog) AS CAST(NULL AS VARCHAR)",
    "MACRO pg_get_function_result(o) AS (SELECT max(_result) FROM _pg.k_routines WHERE _oid = o)",
    "MACRO function_arguments(o) AS (SELECT max(_arguments) FROM _pg.k_routines WHERE _oid = o)",
    "MACRO pg_get_function_arguments(o) AS _pg.function_arguments(o)",
    "MACRO pg_get_function_identity_arguments(o) AS _pg.function_arguments(o)",
    "MACRO pg_get_function_sqlbody(o) AS CAST(NULL AS VARCHAR)",
    "MACRO pg_get_functiondef(o) AS (SELECT max('CREATE OR REPLACE FUNCTION ' || _schema || '.' "
    "|| _name || '(' || _arguments || ')' || chr(10) || ' RETURNS ' || _result || chr(10) || "
    "' LANGUAGE ' || _language || chr(10) || 'AS $function$' || _body || '$function$' || chr(10)) "
    "FROM _pg.k_routines WHERE _oid = o)",
)
_VISIBLE = (
    "MACRO pg_table_is_visible(o) AS o IN (SELECT _oid FROM _pg.visible_relations)",
    "MACRO pg_function_is_visible(o) AS CASE WHEN o IN (SELECT _oid FROM _pg.k_routines WHERE "
    "_schema = 'pg_catalog' OR _schema IN (SELECT _schema FROM _pg.schema_path)) THEN true "
    "WHEN o IN (SELECT _oid FROM _pg.k_routines) THEN false END",
    *(
        f"MACRO pg_{what}_is_visible(o) AS true"
        for what in (
            "type", "operator", "opclass", "opfamily", "collation", "conversion",
            "statistics_obj", "ts_config", "ts_dict", "ts_parser", "ts_template",
        )
    ),
)  # fmt: skip
_SIZES = (
    "MACRO relation_bytes(t) AS coalesce((SELECT max(_bytes) FROM _pg.k_sizes WHERE "
    "_oid = _pg.regclass_in(CAST(t AS VARCHAR))), 0)::BIGINT",
    "MACRO pg_table_size(t) AS _pg.relation_bytes(t)",
    # All of a relation is its main part: there is no map of free space and the like beside it.
    "MACRO pg_relation_size(t) AS _pg.relation_bytes(t), (t, fork) AS "
    "CASE WHEN fork = 'main' THEN _pg.relation_bytes(t) ELSE 0 END",
    "MACRO pg_total_relation_size(t) AS _pg.relation_bytes(t)",
    "MACRO pg_indexes_size(t) AS 0::BIGINT",
    "MACRO pg_database_size(d) AS (SELECT CAST(sum(block_size * total_blocks) AS BIGINT) FROM "
    "pragma_database_size())",
    "MACRO pg_tablespace_size(t) AS (SELECT CAST(sum(block_size * total_blocks) AS BIGINT) FROM "
    "pragma_database_size())",
    "MACRO pg_tablespace_location(t) AS ''",
    # PostgreSQL goes to the next unit at ten times its size, and rounds half up.
    "MACRO pg_size_pretty(n) AS CASE WHEN abs(n) < 10240 THEN CAST(n AS VARCHAR) || ' bytes' "
    "WHEN abs(n) < 10485248 THEN CAST((n + 512) // 1024 AS VARCHAR) || ' kB' "
    "WHEN abs(n) < 10736893952 THEN CAST((n + 524288) // 1048576 AS VARCHAR) || ' MB' "
    "WHEN abs(n) < 10994579406848 THEN CAST((n + 536870912) // 1073741824 AS VARCHAR) || ' GB' "
    "ELSE CAST((n + 549755813888) // 1099511627776 AS VARCHAR) || ' TB' END",
)
_ARRAYS = (
    "MACRO array_upper(a, dimension) AS CASE WHEN len(a) > 0 THEN CAST(len(a) AS INTEGER) END",
    "MACRO array_lower(a, dimension) AS CASE WHEN len(a) > 0 THEN 1 END",
)
_TABLES = (
    "MACRO pg_get_keywords() AS TABLE SELECT keyword_name AS word, CASE keyword_category WHEN "
    "'reserved' THEN 'R' WHEN 'unreserved' THEN 'U' WHEN 'column_name' THEN 'C' ELSE 'T' END AS "
    "catcode, true AS barelabel, keyword_category AS catdesc, 'can be bare label' AS baredesc "
    "FROM duckdb_keywords()",
    "MACRO _pg_expandarray(list) AS list_transform(list, lambda x, i: {'x': x, 'n': i})",
)

MACROS = (*_NAMES, *_DEFINITIONS, *_VISIBLE, *_SIZES, *_ARRAYS, *_TABLES)
