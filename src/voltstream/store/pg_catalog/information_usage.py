"""information_schema further on: routines, foreign servers, what uses what.

Source: ISO 9075-11 as PostgreSQL 15 has it.
"""

from __future__ import annotations

from voltstream.store.pg_catalog.shape import shaped

_HERE = "_pg.current_database()"
_DATA_TYPE = "CASE WHEN t.category = 'A' THEN 'ARRAY' ELSE t.display END"

_ROUTINES = (
    "routines: specific_catalog t, specific_schema t, specific_name t, routine_catalog t, "
    "routine_schema t, routine_name t, routine_type t, module_catalog t, module_schema t, "
    "module_name t, udt_catalog t, udt_schema t, udt_name t, data_type t, "
    "character_maximum_length i, character_octet_length i, character_set_catalog t, "
    "character_set_schema t, character_set_name t, collation_catalog t, collation_schema t, "
    "collation_name t, numeric_precision i, numeric_precision_radix i, numeric_scale i, "
    "datetime_precision i, interval_type t, interval_precision i, type_udt_catalog t, "
    "type_udt_schema t, type_udt_name t, scope_catalog t, scope_schema t, scope_name t, "
    "maximum_cardinality i, dtd_identifier t, routine_body t, routine_definition t, "
    "external_name t, external_language t, parameter_style t, is_deterministic t, "
    "sql_data_access t, is_null_call t, sql_path t, schema_level_routine t, "
    "max_dynamic_result_sets i, is_user_defined_cast t, is_implicitly_invocable t, "
    "security_type t, to_sql_specific_catalog t, to_sql_specific_schema t, "
    "to_sql_specific_name t, as_locator t, created z, last_altered z, new_savepoint_level t, "
    "is_udt_dependent t, result_cast_from_data_type t, result_cast_as_locator t, "
    "result_cast_char_max_length i, result_cast_char_octet_length i, "
    "result_cast_char_set_catalog t, result_cast_char_set_schema t, result_cast_char_set_name "
    "t, result_cast_collation_catalog t, result_cast_collation_schema t, "
    "result_cast_collation_name t, result_cast_numeric_precision i, "
    "result_cast_numeric_precision_radix i, result_cast_numeric_scale i, "
    "result_cast_datetime_precision i, result_cast_interval_type t, "
    "result_cast_interval_precision i, result_cast_type_udt_catalog t, "
    "result_cast_type_udt_schema t, result_cast_type_udt_name t, result_cast_scope_catalog t, "
    "result_cast_scope_schema t, result_cast_scope_name t, result_cast_maximum_cardinality i, "
    "result_cast_dtd_identifier t"
)
_PARAMETERS = (
    "parameters: specific_catalog t, specific_schema t, specific_name t, ordinal_position i, "
    "parameter_mode t, is_result t, as_locator t, parameter_name t, data_type t, "
    "character_maximum_length i, character_octet_length i, character_set_catalog t, "
    "character_set_schema t, character_set_name t, collation_catalog t, collation_schema t, "
    "collation_name t, numeric_precision i, numeric_precision_radix i, numeric_scale i, "
    "datetime_precision i, interval_type t, interval_precision i, udt_catalog t, udt_schema "
    "t, udt_name t, scope_catalog t, scope_schema t, scope_name t, maximum_cardinality i, "
    "dtd_identifier t, parameter_default t"
)
_ROUTINE = {
    "specific_catalog": _HERE, "specific_schema": "p.schema",
    "specific_name": "p.name || '_' || p.oid", "routine_catalog": _HERE,
    "routine_schema": "p.schema", "routine_name": "p.name", "data_type": _DATA_TYPE,
}  # fmt: skip
VIEWS = (
    shaped(
        _ROUTINES,
        _ROUTINE
        | {
            "routine_type": "CASE WHEN NOT p.is_aggregate THEN 'FUNCTION' END",
            "type_udt_catalog": _HERE,
            "type_udt_schema": "'pg_catalog'",
            "type_udt_name": "t.name",
            "dtd_identifier": "0",
            "routine_body": "CASE p.language WHEN 'sql' THEN 'SQL' ELSE 'EXTERNAL' END",
            "routine_definition": "CASE WHEN p.language <> 'internal' THEN p.body END",
            "external_name": "CASE WHEN p.language = 'internal' THEN p.body END",
            "external_language": "upper(p.language)",
            "parameter_style": "'GENERAL'",
            "is_deterministic": "'NO'",
            "sql_data_access": "'MODIFIES'",
            "is_null_call": "'NO'",
            "schema_level_routine": "'YES'",
            "max_dynamic_result_sets": "0",
            "security_type": "'INVOKER'",
            "as_locator": "'NO'",
            "is_udt_dependent": "'NO'",
        },
        "FROM _pg.all_routines p LEFT JOIN _pg.types t ON t.oid = p.result",
    ),
    shaped(
        _PARAMETERS,
        _ROUTINE
        | {
            "ordinal_position": "p.n",
            "parameter_mode": "'IN'",
            "is_result": "'NO'",
            "as_locator": "'NO'",
            "udt_catalog": _HERE,
            "udt_schema": "'pg_catalog'",
            "udt_name": "t.name",
            "dtd_identifier": "p.n",
        },
        "FROM (SELECT *, unnest(types) AS type, unnest(generate_series(1, len(types))) AS n "
        "FROM _pg.all_routines WHERE len(types) > 0) p LEFT JOIN _pg.types t ON t.oid = p.type",
    ),
    "VIEW character_sets AS SELECT CAST(NULL AS VARCHAR) AS character_set_catalog, "
    "CAST(NULL AS VARCHAR) AS character_set_schema, 'UTF8' AS character_set_name, "
    "'UCS' AS character_repertoire, 'UTF8' AS form_of_use, "
    f"{_HERE} AS default_collate_catalog, 'pg_catalog' AS default_collate_schema, "
    "'C' AS default_collate_name",
    f"VIEW collations AS SELECT {_HERE} AS collation_catalog, 'pg_catalog' AS collation_schema, "
    "collname AS collation_name, 'NO PAD' AS pad_attribute FROM _pg.pg_collation",
    f"VIEW collation_character_set_applicability AS SELECT {_HERE} AS collation_catalog, "
    "'pg_catalog' AS collation_schema, collname AS collation_name, "
    "CAST(NULL AS VARCHAR) AS character_set_catalog, "
    "CAST(NULL AS VARCHAR) AS character_set_schema, 'UTF8' AS character_set_name "
    "FROM _pg.pg_collation",
    f"VIEW column_udt_usage AS SELECT {_HERE} AS udt_catalog, 'pg_catalog' AS udt_schema, "
    f"t.name AS udt_name, {_HERE} AS table_catalog, c.schema AS table_schema, "
    "c.relation_name AS table_name, c.name AS column_name FROM _pg.columns c "
    "JOIN _pg.types t ON t.oid = c.type",
    f"VIEW view_table_usage AS SELECT {_HERE} AS view_catalog, v.schema AS view_schema, "
    f"v.name AS view_name, {_HERE} AS table_catalog, t.schema AS table_schema, "
    "t.name AS table_name FROM _vs.dependencies d JOIN _pg.relations v ON v.oid = d.oid AND "
    "v.form IN ('v', 'm') JOIN _pg.relations t ON t.oid = d.on_oid",
    f"VIEW constraint_table_usage AS SELECT {_HERE} AS table_catalog, r.schema AS table_schema, "
    f"r.name AS table_name, {_HERE} AS constraint_catalog, k.schema AS constraint_schema, "
    "k.name AS constraint_name FROM _pg.keys k JOIN _pg.relations r "
    "ON r.oid = coalesce(k.target, k.table_oid)",
    f"VIEW foreign_data_wrappers AS SELECT {_HERE} AS foreign_data_wrapper_catalog, "
    "fdwname AS foreign_data_wrapper_name, _pg.pg_get_userbyid(fdwowner) AS "
    "authorization_identifier, CAST(NULL AS VARCHAR) AS library_name, "
    "'c' AS foreign_data_wrapper_language FROM _pg.pg_foreign_data_wrapper",
    f"VIEW foreign_servers AS SELECT {_HERE} AS foreign_server_catalog, "
    f"srvname AS foreign_server_name, {_HERE} AS foreign_data_wrapper_catalog, "
    "srvname AS foreign_data_wrapper_name, srvtype AS foreign_server_type, "
    "srvversion AS foreign_server_version, _pg.pg_get_userbyid(srvowner) AS "
    "authorization_identifier FROM _pg.pg_foreign_server",
    f"VIEW foreign_server_options AS SELECT {_HERE} AS foreign_server_catalog, "
    "srvname AS foreign_server_name, '' AS option_name, '' AS option_value "
    "FROM _pg.pg_foreign_server WHERE false",
    f"VIEW foreign_table_options AS SELECT {_HERE} AS foreign_table_catalog, "
    "schema AS foreign_table_schema, name AS foreign_table_name, "
    "split_part(option, '=', 1) AS option_name, option[strpos(option, '=') + 1:] AS option_value "
    "FROM (SELECT oid, unnest(options) AS option FROM _pg.connected) "
    "JOIN _pg.relations USING (oid)",
    f"VIEW routine_privileges AS SELECT g.grantor, g.grantee, {_HERE} AS specific_catalog, "
    "p.schema AS specific_schema, p.name || '_' || p.oid AS specific_name, "
    f"{_HERE} AS routine_catalog, p.schema AS routine_schema, p.name AS routine_name, "
    "g.word AS privilege_type, g.is_grantable FROM _is.granted g "
    "JOIN _pg.all_routines p ON p.oid = g.oid WHERE g.word = 'EXECUTE'",
    "VIEW role_routine_grants AS FROM _is.routine_privileges WHERE grantee <> 'PUBLIC'",
    f"VIEW column_privileges AS SELECT g.grantor, g.grantee, {_HERE} AS table_catalog, "
    "c.schema AS table_schema, c.relation_name AS table_name, c.name AS column_name, "
    "g.word AS privilege_type, g.is_grantable FROM _is.granted g "
    "JOIN _pg.columns c ON c.relation = g.oid "
    "WHERE g.word IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') UNION "
    "SELECT _pg.pg_get_userbyid(CAST(g.grantor AS UINTEGER)), CASE g.grantee WHEN 0 THEN 'PUBLIC' "
    f"ELSE _pg.pg_get_userbyid(CAST(g.grantee AS UINTEGER)) END, {_HERE}, r.schema, r.name, "
    "g.name, w.word, CASE WHEN EXISTS (SELECT 1 FROM _pg.defined_column_grants x WHERE "
    "x.oid = g.oid AND x.name = g.name AND x.grantee = g.grantee AND x.grantor = g.grantor AND "
    "x.letter = g.letter || '*') THEN 'YES' ELSE 'NO' END FROM _pg.defined_column_grants g "
    "JOIN _pg.relations r ON r.oid = g.oid JOIN (VALUES ('r', 'SELECT'), ('a', 'INSERT'), "
    "('w', 'UPDATE'), ('x', 'REFERENCES')) AS w(letter, word) ON w.letter = g.letter",
    "VIEW role_column_grants AS FROM _is.column_privileges WHERE grantee <> 'PUBLIC'",
    "VIEW administrable_role_authorizations AS FROM _is.applicable_roles "
    "WHERE is_grantable = 'YES'",
    "VIEW sql_implementation_info AS SELECT id AS implementation_info_id, "
    "name AS implementation_info_name, number AS integer_value, text AS character_value, "
    "CAST(NULL AS VARCHAR) AS comments FROM (VALUES ('17', 'DBMS NAME', NULL, 'PostgreSQL'), "
    "('18', 'DBMS VERSION', NULL, '15.00.0000'), ('26', 'DEFAULT TRANSACTION ISOLATION', 2, NULL), "
    "('28', 'IDENTIFIER CASE', 2, NULL), ('46', 'TRANSACTION CAPABLE', 2, NULL), "
    "('85', 'NULL COLLATION', 0, NULL)) AS i(id, name, number, text)",
)
