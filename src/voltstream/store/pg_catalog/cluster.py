"""What is not a relation of this database: databases, roles, settings, sessions, functions.

Shape: lists that the server holds arrive in the session's JSON object (see ``routines``).
"""

from __future__ import annotations

# A list of the session's JSON object as rows; its columns come out typed by the template.
_LISTED = (
    "(SELECT unnest(from_json(getvariable('vs_session')::VARCHAR, '{{\"{}\":[{}]}}').{}) AS x)"
)


def _listed(name: str, columns: str) -> str:
    fields = ", ".join(f'"{column}":"VARCHAR"' for column in columns.split())
    return _LISTED.format(name, "{" + fields + "}", name)


SESSIONS = _listed(
    "sessions",
    "process_id user database application client state query started changed transaction",
)
_SETTING_LIST = _listed(
    "setting_list",
    "name setting unit context vartype source min_val max_val enumvals boot_val reset_val",
)
# What DuckDB offers does not change while a file is open: listed when the catalogs are made.
TABLES = (
    "TABLE routine_parts AS SELECT number, function_name AS name, function_type AS kind, "
    "coalesce(return_type, 'ANY') AS result, varargs, position, t.oid AS type, t.display FROM "
    "(SELECT *, unnest(list_concat([''], parameter_types)) AS part, "
    "generate_subscripts(list_concat([''], parameter_types), 1) - 1 AS position FROM "
    "(SELECT *, row_number() OVER () AS number FROM duckdb_functions() WHERE "
    "schema_name NOT IN ('_pg', '_vs') AND function_type <> 'pragma' AND "
    "regexp_full_match(function_name, '[a-z][a-z0-9_]*'))) LEFT JOIN _pg.spellings s ON "
    "s.spelling = _pg.spelling(coalesce(part, 'ANY')) LEFT JOIN _pg.types t ON "
    "t.oid = coalesce(s.oid, 2276)",
    "TABLE routines AS SELECT _pg.digest_oid(name || '(' || arguments || ')') AS oid, name, "
    "arguments, types, max(coalesce(s.oid, 2276)) AS result, max(varargs) AS varied, "
    "bool_or(kind IN ('table', 'table_macro')) AS is_table, bool_or(kind = 'aggregate') AS "
    "is_aggregate FROM (SELECT number, name, kind, result, varargs, coalesce(string_agg(display, "
    "', ' ORDER BY position) FILTER (WHERE position > 0), '') AS arguments, coalesce(list(type "
    "ORDER BY position) FILTER (WHERE position > 0), []) AS types FROM _pg.routine_parts "
    "GROUP BY ALL) r LEFT JOIN _pg.spellings s ON s.spelling = _pg.spelling(r.result) "
    "GROUP BY name, arguments, types",
    "VIEW all_routines AS SELECT oid, name, 'pg_catalog' AS schema, arguments, types, result, "
    "varied, is_table, is_aggregate, 'internal' AS language, name AS body FROM _pg.routines "
    "UNION ALL SELECT CAST(f.oid AS UINTEGER), f.name, f.schema, array_to_string(list("
    "t.display ORDER BY f.place) FILTER (WHERE f.place > 0), ', '), coalesce(list(t.oid "
    "ORDER BY f.place) FILTER (WHERE f.place > 0), []), max(t.oid) FILTER (WHERE f.place = 0), "
    "NULL, f.many, false, f.language, f.body FROM (SELECT *, unnest(list_concat([result], types)) "
    "AS part, generate_subscripts(list_concat([result], types), 1) - 1 AS place FROM "
    "_pg.defined_functions) f LEFT JOIN _pg.spellings s ON s.spelling = _pg.spelling(f.part) "
    "LEFT JOIN _pg.types t ON t.oid = coalesce(s.oid, 2278) GROUP BY f.oid, f.name, f.schema, "
    "f.body, f.many, f.language",
    "VIEW k_routines AS SELECT r.oid AS _oid, r.name AS _name, r.schema AS _schema, "
    "r.language AS _language, r.body AS _body, coalesce(r.arguments, '') AS _arguments, "
    "CASE WHEN r.is_table THEN 'SETOF record' ELSE t.display END AS _result "
    "FROM _pg.all_routines r LEFT JOIN _pg.types t ON t.oid = r.result",
)

VIEWS = (
    "VIEW pg_database AS SELECT CAST(CASE x.name WHEN _pg.current_database() THEN 5 ELSE "
    "_pg.digest_oid(x.name) END AS UINTEGER) AS oid, x.name AS datname, CASE x.name WHEN "
    "_pg.current_database() THEN coalesce((SELECT max(owner) FROM _pg.owners WHERE oid = 5), 10) "
    "ELSE 10 END::UINTEGER AS datdba, "
    "6 AS encoding, 'c' AS datlocprovider, false AS datistemplate, true AS datallowconn, "
    "-1 AS datconnlimit, 0::UINTEGER AS datlastsysoid, 0::UINTEGER AS datfrozenxid, "
    "0::UINTEGER AS datminmxid, 1663::UINTEGER AS dattablespace, 'C.UTF-8' AS datcollate, "
    "'C.UTF-8' AS datctype, CAST(NULL AS VARCHAR) AS daticulocale, "
    "CAST(NULL AS VARCHAR) AS datcollversion, CASE x.name WHEN _pg.current_database() THEN "
    "(SELECT max(acl) FROM _pg.owners WHERE oid = 5) END AS datacl "
    f"FROM {_listed('databases', 'name')}",
    "VIEW pg_settings AS SELECT x.name, x.setting, x.unit, 'Preset Options' AS category, "
    "'' AS short_desc, CAST(NULL AS VARCHAR) AS extra_desc, x.context, x.vartype, x.source, "
    "x.min_val, x.max_val, string_split(x.enumvals, chr(10)) AS enumvals, x.boot_val, "
    "x.reset_val, CAST(NULL AS VARCHAR) AS sourcefile, CAST(NULL AS INTEGER) AS sourceline, "
    "false AS pending_restart "
    f"FROM {_SETTING_LIST}",
    "VIEW pg_stat_activity AS SELECT d.oid AS datid, x.database AS datname, "
    "CAST(x.process_id AS INTEGER) AS pid, CAST(NULL AS INTEGER) AS leader_pid, "
    "a.oid AS usesysid, x.user AS usename, x.application AS application_name, "
    "nullif(x.client, '') AS client_addr, CAST(NULL AS VARCHAR) AS client_hostname, "
    "CAST(NULL AS INTEGER) AS client_port, CAST(x.started AS TIMESTAMPTZ) AS backend_start, "
    "CAST(x.transaction AS TIMESTAMPTZ) AS xact_start, "
    "CAST(x.changed AS TIMESTAMPTZ) AS query_start, CAST(x.changed AS TIMESTAMPTZ) AS "
    "state_change, CAST(NULL AS VARCHAR) AS wait_event_type, CAST(NULL AS VARCHAR) AS wait_event, "
    "x.state, CAST(NULL AS UINTEGER) AS backend_xid, CAST(NULL AS UINTEGER) AS backend_xmin, "
    "CAST(NULL AS BIGINT) AS query_id, x.query, 'client backend' AS backend_type "
    f"FROM {SESSIONS} LEFT JOIN _pg.pg_database d ON d.datname = x.database "
    "LEFT JOIN _pg.pg_authid a ON a.rolname = x.user",
    "VIEW pg_tablespace AS SELECT 1663::UINTEGER AS oid, 'pg_default' AS spcname, 10::UINTEGER "
    "AS spcowner, CAST(NULL AS VARCHAR[]) AS spcacl, CAST(NULL AS VARCHAR[]) AS spcoptions",
    "VIEW pg_am AS SELECT CAST(oid AS UINTEGER) AS oid, amname, amhandler, amtype FROM (VALUES "
    "(2, 'heap', 'heap_tableam_handler', 't'), (403, 'btree', 'bthandler', 'i')) "
    "AS a(oid, amname, amhandler, amtype)",
    "VIEW pg_opfamily AS SELECT 10001::UINTEGER AS oid, 403::UINTEGER AS opfmethod, "
    "'any_ops' AS opfname, 11::UINTEGER AS opfnamespace, 10::UINTEGER AS opfowner",
    "VIEW pg_opclass AS SELECT 10000::UINTEGER AS oid, 403::UINTEGER AS opcmethod, "
    "'any_ops' AS opcname, 11::UINTEGER AS opcnamespace, 10::UINTEGER AS opcowner, "
    "10001::UINTEGER AS opcfamily, 2276::UINTEGER AS opcintype, true AS opcdefault, "
    "0::UINTEGER AS opckeytype",
    "VIEW pg_collation AS SELECT CAST(oid AS UINTEGER) AS oid, collname, 11::UINTEGER AS "
    "collnamespace, 10::UINTEGER AS collowner, 'c' AS collprovider, true AS collisdeterministic, "
    "-1 AS collencoding, collname AS collcollate, collname AS collctype, CAST(NULL AS VARCHAR) "
    "AS colliculocale, CAST(NULL AS VARCHAR) AS collversion FROM (VALUES (100, 'default'), "
    "(950, 'C'), (951, 'POSIX')) AS c(oid, collname)",
    "VIEW pg_language AS SELECT CAST(oid AS UINTEGER) AS oid, lanname, 10::UINTEGER AS lanowner, "
    "lanname <> 'internal' AS lanispl, true AS lanpltrusted, 0::UINTEGER AS lanplcallfoid, "
    "0::UINTEGER AS laninline, 0::UINTEGER AS lanvalidator, CAST(NULL AS VARCHAR[]) AS lanacl "
    "FROM (VALUES (12, 'internal'), (14, 'sql'), (16, 'python')) AS l(oid, lanname)",
    "VIEW pg_timezone_names AS SELECT name, abbrev, utc_offset, is_dst FROM pg_timezone_names()",
    "VIEW pg_timezone_abbrevs AS SELECT * FROM (VALUES ('UTC', INTERVAL 0 SECONDS, false), "
    "('GMT', INTERVAL 0 SECONDS, false), ('Z', INTERVAL 0 SECONDS, false)) "
    "AS z(abbrev, utc_offset, is_dst)",
    "VIEW pg_proc AS SELECT a.oid, name AS proname, _pg.namespace_oid(schema) AS pronamespace, "
    "coalesce(w.owner, 10::UINTEGER) AS proowner, "
    "CASE language WHEN 'sql' THEN 14 WHEN 'python' THEN 16 ELSE 12 END::UINTEGER AS prolang, "
    "1::FLOAT AS procost, "
    "CASE WHEN is_table THEN 1000 ELSE 0 END::FLOAT AS prorows, "
    "CASE WHEN varied IS NULL THEN 0 ELSE 2276 END::UINTEGER AS provariadic, "
    "'-' AS prosupport, CASE WHEN is_aggregate THEN 'a' ELSE 'f' END AS prokind, "
    "false AS prosecdef, false AS proleakproof, false AS proisstrict, is_table AS proretset, "
    "'i' AS provolatile, 's' AS proparallel, CAST(len(types) AS SMALLINT) AS pronargs, "
    "0::SMALLINT AS pronargdefaults, CAST(result AS UINTEGER) AS prorettype, types AS proargtypes, "
    "CAST(NULL AS UINTEGER[]) AS proallargtypes, CAST(NULL AS VARCHAR[]) AS proargmodes, "
    "CAST(NULL AS VARCHAR[]) AS proargnames, CAST(NULL AS VARCHAR) AS proargdefaults, "
    "CAST(NULL AS UINTEGER[]) AS protrftypes, body AS prosrc, CAST(NULL AS VARCHAR) AS probin, "
    "CAST(NULL AS VARCHAR) AS prosqlbody, CAST(NULL AS VARCHAR[]) AS proconfig, "
    "w.acl AS proacl FROM _pg.all_routines a LEFT JOIN _pg.owners w ON w.oid = a.oid",
)
