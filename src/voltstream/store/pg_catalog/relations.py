"""pg_class and what hangs on it: namespaces, columns, keys, indexes, comments, dependencies.

Shape: ``_pg.relations`` unites objects of the engine, indexes behind constraints, and the system
views themselves. It and three tables more are snapshots of what the ``live_`` views say, taken
after definitions change: binding the live views into every query would cost more than the query.
A source is a foreign table whose server is its connector; a sink is a
publication of the relations it reads.
"""

from __future__ import annotations

from voltstream.core.redaction import SECRET_NAME

# Clients compare against these; the rest of our views are numbered from 12,000 on.
KNOWN_OIDS = {
    "pg_type": 1247, "pg_attribute": 1249, "pg_proc": 1255, "pg_class": 1259,
    "pg_authid": 1260, "pg_auth_members": 1261, "pg_database": 1262,
    "pg_foreign_server": 1417, "pg_user_mapping": 1418, "pg_foreign_data_wrapper": 2328,
    "pg_attrdef": 2604, "pg_constraint": 2606, "pg_inherits": 2611, "pg_index": 2610,
    "pg_operator": 2617, "pg_rewrite": 2618, "pg_trigger": 2620, "pg_namespace": 2615,
    "pg_opclass": 2616, "pg_depend": 2608, "pg_description": 2609, "pg_conversion": 2607,
    "pg_collation": 3456, "pg_am": 2601, "pg_aggregate": 2600, "pg_language": 2612,
    "pg_cast": 2605, "pg_enum": 3501, "pg_range": 3541, "pg_extension": 3079,
    "pg_policy": 3256, "pg_publication": 6104, "pg_publication_rel": 6106,
    "pg_sequence": 2224, "pg_statistic_ext": 3381, "pg_subscription": 6100,
    "pg_tablespace": 1213, "pg_foreign_table": 3118, "pg_event_trigger": 3466,
    "pg_shdescription": 2396, "pg_default_acl": 826, "pg_ts_config": 3602,
    "pg_ts_dict": 3600, "pg_ts_parser": 3601, "pg_ts_template": 3764, "pg_opfamily": 2753,
    "pg_seclabel": 3596, "pg_shdepend": 1214, "pg_statistic": 2619, "pg_largeobject": 2613,
    "pg_partitioned_table": 3350, "pg_transform": 3576, "pg_db_role_setting": 2964,
}  # fmt: skip
_FIRST_SYSTEM_OID = 12_000
_RESERVED_SCHEMAS = "'_vs', '_pg', '_is', 'main', 'pg_catalog', 'information_schema'"

NAME_MACROS = (
    # A name has one number for ever: 28 bits of a digest above every counted OID.
    "MACRO digest_oid(word) AS CAST(1610612736 + CAST('0x' || md5(word)[:7] AS BIGINT) "
    "AS UINTEGER)",
    "MACRO namespace_oid(word) AS CAST(CASE word WHEN 'public' THEN 2200 WHEN 'pg_catalog' "
    "THEN 11 WHEN 'information_schema' THEN 13000 WHEN 'rw_catalog' THEN 13001 "
    "ELSE _pg.digest_oid(word) END AS UINTEGER)",
    "MACRO key_oid(relation, number) AS CAST(1073741824 + (relation - 16384) * 64 + number "
    "AS UINTEGER)",
)


def system_relations_table(names: list[tuple[str, str]]) -> str:
    """Return the table that numbers the system views, given as (schema, name)."""
    rows = ", ".join(
        f"({KNOWN_OIDS.get(name, _FIRST_SYSTEM_OID + number)}, '{schema}', '{name}')"
        for number, (schema, name) in enumerate(names)
    )
    return (
        "TABLE system_relations AS SELECT CAST(oid AS UINTEGER) AS oid, schema, name "
        f"FROM (VALUES {rows}) AS listed(oid, schema, name)"
    )


# What the engine defines, as it tells it: name and columns of each table.
DEFINED = {
    "defined_relations": "oid BIGINT, schema VARCHAR, name VARCHAR, kind VARCHAR, query VARCHAR",
    "defined_columns": "oid BIGINT, number BIGINT, name VARCHAR, data_type VARCHAR, "
    "is_required BOOLEAN, standard VARCHAR, identity VARCHAR, generated VARCHAR",
    "defined_keys": "table_oid BIGINT, number BIGINT, kind VARCHAR, name VARCHAR, "
    "names VARCHAR[], expression VARCHAR, numbers SMALLINT[], target BIGINT, "
    "target_names VARCHAR[], target_numbers SMALLINT[], rules VARCHAR",
    "defined_indexes": "oid BIGINT, table_oid BIGINT, names VARCHAR[], is_unique BOOLEAN, "
    "keys BIGINT",
    "defined_functions": "oid BIGINT, schema VARCHAR, name VARCHAR, types VARCHAR[], "
    "result VARCHAR, body VARCHAR, language VARCHAR, many BOOLEAN",
}
SNAPSHOTS = ("keys", "relations", "columns", "index_parts")  # Each may read those before it.

BASE = (
    "VIEW namespaces AS SELECT _pg.namespace_oid(schema_name) AS oid, schema_name AS name "
    "FROM duckdb_schemas() WHERE database_name NOT IN ('system', 'temp') AND "
    f"schema_name NOT IN ({_RESERVED_SCHEMAS}) UNION ALL SELECT _pg.namespace_oid(x), x "
    "FROM unnest(['pg_catalog', 'information_schema']) AS built_in(x)",
    "VIEW live_keys AS SELECT k.table_oid, k.kind, _pg.key_oid(k.table_oid, k.number) AS oid, "
    "r.schema, k.name, k.names, k.expression, k.numbers, k.target, k.target_names, "
    "k.target_numbers, k.rules FROM _pg.defined_keys k "
    "JOIN _pg.defined_relations r ON r.oid = k.table_oid",
    "TABLE keys AS FROM _pg.live_keys",
    "VIEW live_relations AS SELECT CAST(oid AS UINTEGER) AS oid, name, schema, "
    "_pg.namespace_oid(schema) AS namespace, CASE kind WHEN 'table' THEN 'r' WHEN 'view' THEN 'v' "
    "WHEN 'materialized view' THEN 'm' WHEN 'source' THEN 'f' ELSE 'i' END AS form, "
    "query FROM _pg.defined_relations "
    "UNION ALL SELECT oid, name, schema, _pg.namespace_oid(schema), 'i', NULL FROM _pg.keys "
    "WHERE kind IN ('PRIMARY KEY', 'UNIQUE') "
    "UNION ALL SELECT oid, name, schema, _pg.namespace_oid(schema), 'v', NULL "
    "FROM _pg.system_relations "
    "UNION ALL SELECT _pg.digest_oid(schema_name || '.' || view_name), view_name, schema_name, "
    "_pg.namespace_oid(schema_name), 'v', NULL FROM duckdb_views() v WHERE "
    "database_name NOT IN ('system', 'temp') AND NOT internal AND "
    f"schema_name NOT IN ({_RESERVED_SCHEMAS}) AND NOT EXISTS (SELECT 1 FROM "
    "_pg.defined_relations o WHERE o.schema = v.schema_name AND o.name = v.view_name)",
    "TABLE relations AS FROM _pg.live_relations",
    "VIEW live_columns AS SELECT r.oid AS relation, r.form, r.schema, r.name AS relation_name, "
    "CAST(c.number AS SMALLINT) AS number, c.name, coalesce(s.oid, 25::UINTEGER) AS type, "
    "_pg.type_modifier(c.data_type) AS modifier, c.is_required, c.standard, c.data_type, "
    "c.identity, c.generated FROM _pg.relations r JOIN "
    "(FROM _pg.defined_columns UNION ALL SELECT v.oid, "
    "d.column_index, d.column_name, CASE WHEN v.schema <> 'pg_catalog' THEN d.data_type WHEN "
    "y.spelled IS NOT NULL THEN y.spelled WHEN d.data_type = 'VARCHAR' THEN 'text' ELSE "
    "d.data_type END, false, NULL, NULL, NULL FROM _pg.relations v "
    "JOIN duckdb_columns() d ON d.table_name = v.name AND d.schema_name = "
    "CASE v.schema WHEN 'pg_catalog' THEN '_pg' WHEN 'information_schema' THEN '_is' "
    "ELSE v.schema END LEFT JOIN _pg.system_types y ON y.name = d.column_name WHERE "
    "d.database_name NOT IN ('system', 'temp') AND v.oid NOT IN "
    "(SELECT oid FROM _pg.defined_relations)) c ON c.oid = r.oid "
    "LEFT JOIN _pg.spellings s ON s.spelling = _pg.spelling(c.data_type)",
    "TABLE columns AS FROM _pg.live_columns",
    "VIEW row_counts AS SELECT CAST(substr(table_name, strpos(table_name, '_') + 1) AS UINTEGER) "
    "AS oid, max(estimated_size) AS counted, max(estimated_size * column_count * 8) AS bytes "
    "FROM duckdb_tables() WHERE schema_name = '_vs' AND "
    "regexp_full_match(table_name, '(t|src|mv)_[0-9]+') GROUP BY ALL",
    "VIEW live_index_parts AS SELECT CAST(oid AS UINTEGER) AS oid, "
    "CAST(table_oid AS UINTEGER) AS table_oid, names, is_unique, false AS is_primary, "
    "keys FROM _pg.defined_indexes UNION ALL SELECT oid, CAST(table_oid AS UINTEGER), names, true, "
    "kind = 'PRIMARY KEY', len(names) FROM _pg.keys WHERE kind IN ('PRIMARY KEY', 'UNIQUE')",
    "TABLE index_parts AS FROM _pg.live_index_parts",
)
# A macro's body sees the columns of the query around it, and the inner name wins: what macros look
# up has names that no query uses.
LOOKUPS = (
    "VIEW k_relations AS SELECT oid AS _oid, name AS _name, schema AS _schema, form AS _form, "
    "query AS _query FROM _pg.relations",
    "VIEW k_namespaces AS SELECT oid AS _oid, name AS _name FROM _pg.namespaces",
    "VIEW k_keys AS SELECT oid AS _oid, kind AS _kind, names AS _names, expression AS _expression "
    "FROM _pg.keys",
    "VIEW k_indexes AS SELECT p.oid AS _oid, p.names AS _names, p.keys AS _keys, "
    "p.is_unique AS _is_unique, "
    "r.name AS _name, t.schema AS _schema, t.name AS _table FROM _pg.index_parts p "
    "JOIN _pg.relations r ON r.oid = p.oid JOIN _pg.relations t ON t.oid = p.table_oid",
    "VIEW k_sizes AS SELECT oid AS _oid, bytes AS _bytes FROM _pg.row_counts",
)
DESCRIPTION_LOOKUP = (
    "VIEW k_descriptions AS SELECT objoid AS _oid, classoid AS _class, objsubid AS _part, "
    "description AS _text FROM _pg.pg_description"
)

VIEWS = (
    "VIEW pg_namespace AS SELECT n.oid, n.name AS nspname, coalesce(w.owner, 10::UINTEGER) AS "
    "nspowner, w.acl AS nspacl FROM _pg.namespaces n LEFT JOIN _pg.owners w USING (oid)",
    "VIEW pg_class AS SELECT r.oid, r.name AS relname, r.namespace AS relnamespace, "
    "CASE WHEN r.form = 'i' THEN 0::UINTEGER ELSE r.oid END AS reltype, "
    "0::UINTEGER AS reloftype, coalesce(w.owner, 10::UINTEGER) AS relowner, "
    "CAST(CASE WHEN r.form IN ('r', 'm') THEN 2 WHEN r.form = 'i' THEN 403 ELSE 0 END AS UINTEGER) "
    "AS relam, CASE WHEN r.form IN ('v', 'f') THEN 0::UINTEGER ELSE r.oid END AS relfilenode, "
    "0::UINTEGER AS reltablespace, CAST(coalesce(s.bytes, 0) // 8192 AS INTEGER) AS relpages, "
    "CAST(coalesce(s.counted, CASE WHEN r.form = 'v' THEN 0 ELSE -1 END) AS FLOAT) AS reltuples, "
    "0 AS relallvisible, 0::UINTEGER AS reltoastrelid, "
    "coalesce(i.indexed, false) AS relhasindex, false AS relisshared, 'p' AS relpersistence, "
    "r.form AS relkind, CAST(CASE WHEN r.form = 'i' THEN len(p.names) ELSE "
    "coalesce(c.counted, 0) END AS SMALLINT) AS relnatts, CAST(coalesce(k.counted, 0) AS SMALLINT) "
    "AS relchecks, r.form IN ('v', 'm') AS relhasrules, r.oid IN "
    "(SELECT unnest([table_oid, target]) FROM _pg.keys WHERE kind = 'FOREIGN KEY') "
    "AS relhastriggers, "
    "false AS relhassubclass, false AS relrowsecurity, false AS relforcerowsecurity, "
    "true AS relispopulated, CASE WHEN r.form IN ('r', 'm') THEN 'd' ELSE 'n' END AS relreplident, "
    "false AS relispartition, 0::UINTEGER AS relrewrite, 0::UINTEGER AS relfrozenxid, "
    "0::UINTEGER AS relminmxid, w.acl AS relacl, "
    "CAST(NULL AS VARCHAR[]) AS reloptions, CAST(NULL AS VARCHAR) AS relpartbound "
    "FROM _pg.relations r LEFT JOIN _pg.row_counts s USING (oid) "
    "LEFT JOIN _pg.owners w USING (oid) "
    "LEFT JOIN _pg.index_parts p USING (oid) "
    "LEFT JOIN (SELECT DISTINCT table_oid AS oid, true AS indexed FROM _pg.index_parts) i "
    "USING (oid) LEFT JOIN (SELECT relation AS oid, count(*) AS counted FROM _pg.columns "
    "GROUP BY relation) c USING (oid) LEFT JOIN (SELECT table_oid AS oid, count(*) AS counted "
    "FROM _pg.keys WHERE kind = 'CHECK' GROUP BY table_oid) k USING (oid)",
    "VIEW pg_attribute AS SELECT c.relation AS attrelid, c.name AS attname, c.type AS atttypid, "
    "-1 AS attstattarget, t.typlen AS attlen, c.number AS attnum, "
    "CAST(ends_with(c.data_type, ']') AS INTEGER) AS attndims, -1 AS attcacheoff, "
    "c.modifier AS atttypmod, t.typbyval AS attbyval, t.typalign AS attalign, "
    "CASE WHEN t.typlen > 0 THEN 'p' ELSE 'x' END AS attstorage, '' AS attcompression, "
    "c.is_required AS attnotnull, coalesce(c.standard, c.generated) IS NOT NULL AND "
    "c.form = 'r' AS atthasdef, "
    "false AS atthasmissing, "
    "coalesce(c.identity, '') AS attidentity, "
    "CASE WHEN c.generated IS NOT NULL THEN 's' ELSE '' END AS attgenerated, "
    "false AS attisdropped, "
    "true AS attislocal, "
    "0 AS attinhcount, t.typcollation AS attcollation, w.acl AS attacl, "
    "CAST(NULL AS VARCHAR[]) AS attoptions, CAST(NULL AS VARCHAR[]) AS attfdwoptions, "
    "CAST(NULL AS VARCHAR[]) AS attmissingval FROM _pg.columns c "
    "JOIN _pg.pg_type t ON t.oid = c.type LEFT JOIN _pg.defined_column_rights w "
    "ON w.oid = c.relation AND w.name = c.name "
    "UNION ALL SELECT p.oid, p.names[n], coalesce(c.type, 25), -1, -1, CAST(n AS SMALLINT), 0, -1, "
    "coalesce(c.modifier, -1), false, 'i', 'x', '', false, false, false, '', '', false, true, 0, "
    "0, NULL, NULL, NULL, NULL FROM (SELECT *, unnest(generate_series(1, len(names))) AS n "
    "FROM _pg.index_parts) p LEFT JOIN _pg.columns c ON c.relation = p.table_oid AND "
    "c.name = p.names[n]",
    "VIEW pg_attrdef AS SELECT _pg.key_oid(relation, number) AS oid, relation AS adrelid, "
    "number AS adnum, coalesce(standard, generated) AS adbin, "
    "coalesce(standard, generated) AS adsrc "
    "FROM _pg.columns WHERE coalesce(standard, generated) IS NOT NULL AND form = 'r'",
    "VIEW pg_index AS SELECT p.oid AS indexrelid, p.table_oid AS indrelid, "
    "CAST(len(p.names) AS SMALLINT) AS indnatts, CAST(p.keys AS SMALLINT) AS indnkeyatts, "
    "p.is_unique AS indisunique, false AS indnullsnotdistinct, p.is_primary AS indisprimary, "
    "false AS indisexclusion, true AS indimmediate, false AS indisclustered, true AS indisvalid, "
    "false AS indcheckxmin, true AS indisready, true AS indislive, false AS indisreplident, "
    "(SELECT list(coalesce(c.number, 0::SMALLINT) ORDER BY k.n) FROM (SELECT "
    "unnest(generate_series(1, len(p.names))) AS n) k LEFT JOIN _pg.columns c ON "
    "c.relation = p.table_oid AND c.name = p.names[k.n]) AS indkey, "
    "list_transform(p.names[:p.keys], lambda x: 0::UINTEGER) AS indcollation, "
    "list_transform(p.names[:p.keys], lambda x: 10000::UINTEGER) AS indclass, "
    "list_transform(p.names[:p.keys], lambda x: 0::SMALLINT) AS indoption, "
    "CAST(NULL AS VARCHAR) AS indexprs, CAST(NULL AS VARCHAR) AS indpred FROM _pg.index_parts p",
    "VIEW pg_constraint AS SELECT k.oid, k.name AS conname, _pg.namespace_oid(k.schema) AS "
    "connamespace, CASE k.kind WHEN 'PRIMARY KEY' THEN 'p' WHEN 'UNIQUE' THEN 'u' "
    "WHEN 'FOREIGN KEY' THEN 'f' ELSE 'c' END AS contype, false AS condeferrable, "
    "false AS condeferred, true AS convalidated, "
    "CAST(k.table_oid AS UINTEGER) AS conrelid, 0::UINTEGER AS contypid, "
    "CASE k.kind WHEN 'CHECK' THEN 0::UINTEGER WHEN 'FOREIGN KEY' THEN "
    "coalesce(t.oid, 0::UINTEGER) ELSE k.oid END AS conindid, 0::UINTEGER AS conparentid, "
    "CAST(coalesce(k.target, 0) AS UINTEGER) AS confrelid, coalesce(k.rules[1], ' ') AS "
    "confupdtype, coalesce(k.rules[2], ' ') AS confdeltype, coalesce(k.rules[3], ' ') AS "
    "confmatchtype, true AS conislocal, 0 AS coninhcount, "
    "true AS connoinherit, k.numbers AS conkey, k.target_numbers AS confkey, "
    "CAST(NULL AS UINTEGER[]) AS conpfeqop, CAST(NULL AS UINTEGER[]) AS conppeqop, "
    "CAST(NULL AS UINTEGER[]) AS conffeqop, CAST(NULL AS SMALLINT[]) AS confdelsetcols, "
    "CAST(NULL AS UINTEGER[]) AS conexclop, CASE k.kind WHEN 'CHECK' THEN k.expression END AS "
    "conbin, CASE k.kind WHEN 'CHECK' THEN k.expression END AS consrc FROM _pg.keys k "
    "LEFT JOIN _pg.keys t ON t.table_oid = k.target AND t.names = k.target_names AND "
    "t.kind IN ('PRIMARY KEY', 'UNIQUE')",
    "VIEW pg_rewrite AS SELECT oid, '_RETURN' AS rulename, oid AS ev_class, '1' AS ev_type, "
    "'O' AS ev_enabled, true AS is_instead, CAST(NULL AS VARCHAR) AS ev_qual, "
    "query AS ev_action FROM _pg.relations WHERE form IN ('v', 'm') AND oid >= 16384",
    "VIEW pg_depend AS SELECT CAST(CASE WHEN o.kind IN ('view', 'materialized view') THEN 2618 "
    "ELSE 1259 END AS UINTEGER) AS classid, CAST(o.oid AS UINTEGER) AS objid, 0 AS objsubid, "
    "1259::UINTEGER AS refclassid, CAST(d.on_oid AS UINTEGER) AS refobjid, 0 AS refobjsubid, "
    "CASE o.kind WHEN 'index' THEN 'a' ELSE 'n' END AS deptype FROM _vs.dependencies d "
    "JOIN _vs.objects o USING (oid) WHERE o.kind <> 'sink' "
    "UNION ALL SELECT 2618, oid, 0, 1259, oid, 0, 'i' FROM _vs.objects "
    "WHERE kind IN ('view', 'materialized view') "
    "UNION ALL SELECT 2606, oid, 0, 1259, table_oid, 0, 'a' FROM _pg.keys "
    "UNION ALL SELECT 2606, oid, 0, 1259, target, 0, 'n' FROM _pg.keys WHERE target IS NOT NULL "
    "UNION ALL SELECT 1259, oid, 0, 2606, oid, 0, 'i' FROM _pg.keys "
    "WHERE kind IN ('PRIMARY KEY', 'UNIQUE')",
    "VIEW pg_description AS SELECT CAST(oid AS UINTEGER) AS objoid, "
    "CAST(CASE kind WHEN 'sink' THEN 6104 ELSE 1259 END AS UINTEGER) AS classoid, 0 AS objsubid, "
    "comment AS description FROM _vs.objects WHERE comment IS NOT NULL "
    "UNION ALL SELECT c.relation, 1259, c.number, m.comment FROM _vs.column_comments m "
    "JOIN _pg.columns c ON c.relation = m.oid AND c.name = m.name "
    "UNION ALL SELECT 2200, 2615, 0, 'standard public schema' "
    "UNION ALL SELECT 11, 2615, 0, 'system catalog schema'",
    "VIEW pg_tables AS SELECT schema AS schemaname, name AS tablename, _pg.owner_of(oid) AS "
    "tableowner, CAST(NULL AS VARCHAR) AS tablespace, EXISTS (SELECT 1 FROM _pg.index_parts p "
    "WHERE p.table_oid = r.oid) AS hasindexes, false AS hasrules, false AS hastriggers, "
    "false AS rowsecurity FROM _pg.relations r WHERE form = 'r'",
    "VIEW pg_foreign_data_wrapper AS SELECT DISTINCT _pg.digest_oid(connector) AS oid, "
    "connector AS fdwname, 10::UINTEGER AS fdwowner, 0::UINTEGER AS fdwhandler, "
    "0::UINTEGER AS fdwvalidator, CAST(NULL AS VARCHAR[]) AS fdwacl, CAST(NULL AS VARCHAR[]) AS "
    "fdwoptions FROM _pg.connected",
    "VIEW pg_foreign_server AS SELECT oid, fdwname AS srvname, 10::UINTEGER AS srvowner, "
    "oid AS srvfdw, CAST(NULL AS VARCHAR) AS srvtype, CAST(NULL AS VARCHAR) AS srvversion, "
    "CAST(NULL AS VARCHAR[]) AS srvacl, CAST(NULL AS VARCHAR[]) AS srvoptions "
    "FROM _pg.pg_foreign_data_wrapper",
    "VIEW pg_foreign_table AS SELECT oid AS ftrelid, _pg.digest_oid(connector) AS ftserver, "
    "options AS ftoptions FROM _pg.connected",
    "VIEW pg_publication AS SELECT CAST(oid AS UINTEGER) AS oid, name AS pubname, "
    "10::UINTEGER AS pubowner, false AS puballtables, true AS pubinsert, true AS pubupdate, "
    "true AS pubdelete, false AS pubtruncate, false AS pubviaroot FROM _vs.objects "
    "WHERE kind = 'sink'",
    "VIEW pg_publication_rel AS SELECT _pg.key_oid(d.oid, d.on_oid % 64) AS oid, "
    "CAST(d.oid AS UINTEGER) AS prpubid, CAST(d.on_oid AS UINTEGER) AS prrelid, "
    "CAST(NULL AS VARCHAR) AS prqual, CAST(NULL AS SMALLINT[]) AS prattrs "
    "FROM _vs.dependencies d JOIN _vs.objects o USING (oid) WHERE o.kind = 'sink'",
    "VIEW pg_publication_tables AS SELECT p.pubname, r.schema AS schemaname, r.name AS tablename, "
    "(SELECT list(c.name ORDER BY c.number) FROM _pg.columns c WHERE c.relation = r.oid) AS "
    "attnames, CAST(NULL AS VARCHAR) AS rowfilter FROM _pg.pg_publication p "
    "JOIN _pg.pg_publication_rel q ON q.prpubid = p.oid JOIN _pg.relations r ON r.oid = q.prrelid",
)
# After the macros that spell definitions.
DEFINED_VIEWS = (
    "VIEW pg_views AS SELECT schema AS schemaname, name AS viewname, _pg.owner_of(oid) AS "
    "viewowner, coalesce(rtrim(trim(query), ';') || ';', '') AS definition "
    "FROM _pg.relations WHERE form = 'v'",
    "VIEW pg_matviews AS SELECT schema AS schemaname, name AS matviewname, _pg.owner_of(oid) AS "
    "matviewowner, CAST(NULL AS VARCHAR) AS tablespace, EXISTS (SELECT 1 FROM _pg.index_parts p "
    "WHERE p.table_oid = r.oid) AS hasindexes, true AS ispopulated, "
    "_pg.pg_get_viewdef(oid) AS definition FROM _pg.relations r WHERE form = 'm'",
    "VIEW pg_indexes AS SELECT t.schema AS schemaname, t.name AS tablename, i.name AS indexname, "
    "CAST(NULL AS VARCHAR) AS tablespace, _pg.pg_get_indexdef(i.oid) AS indexdef "
    "FROM _pg.index_parts p JOIN _pg.relations i ON i.oid = p.oid "
    "JOIN _pg.relations t ON t.oid = p.table_oid",
)
# A connector's secrets are no one's to list.
SOURCE_VIEW = (
    "VIEW connected AS SELECT CAST(oid AS UINTEGER) AS oid, "
    "coalesce(json_extract_string(properties, '$.connector'), 'ingest') AS connector, "
    "list_transform(list_filter(json_keys(properties), lambda k: k <> 'connector' AND NOT "
    f"regexp_matches(k, '{SECRET_NAME}', 'i')), "
    "lambda k: k || '=' || json_extract_string(properties, '$.\"' || k || '\"')) AS options "
    "FROM _vs.objects WHERE kind = 'source'"
)
