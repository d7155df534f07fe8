"""information_schema, from the same relations. Source: ISO 9075-11 as PostgreSQL 15 has it."""

from __future__ import annotations

_CATALOG = "_pg.current_database()"
_KIND = "CASE r.form WHEN 'r' THEN 'BASE TABLE' WHEN 'f' THEN 'FOREIGN' ELSE 'VIEW' END"
_BASE_TYPE = "CASE WHEN ends_with(c.data_type, ']') THEN 'ARRAY' ELSE d.display END"


def _rule(letter: str) -> str:
    return (
        f"CASE {letter} WHEN 'r' THEN 'RESTRICT' WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' "
        "WHEN 'd' THEN 'SET DEFAULT' ELSE 'NO ACTION' END"
    )


VIEWS = (
    f"VIEW information_schema_catalog_name AS SELECT {_CATALOG} AS catalog_name",
    f"VIEW schemata AS SELECT {_CATALOG} AS catalog_name, name AS schema_name, "
    "_pg.owner_of(oid) AS schema_owner, CAST(NULL AS VARCHAR) AS default_character_set_catalog, "
    "CAST(NULL AS VARCHAR) AS default_character_set_schema, "
    "CAST(NULL AS VARCHAR) AS default_character_set_name, CAST(NULL AS VARCHAR) AS sql_path "
    "FROM _pg.namespaces",
    f"VIEW tables AS SELECT {_CATALOG} AS table_catalog, r.schema AS table_schema, "
    f"r.name AS table_name, {_KIND} AS table_type, CAST(NULL AS VARCHAR) AS "
    "self_referencing_column_name, CAST(NULL AS VARCHAR) AS reference_generation, "
    "CAST(NULL AS VARCHAR) AS user_defined_type_catalog, CAST(NULL AS VARCHAR) AS "
    "user_defined_type_schema, CAST(NULL AS VARCHAR) AS user_defined_type_name, "
    "CASE WHEN r.form IN ('r', 'f') THEN 'YES' ELSE 'NO' END AS is_insertable_into, "
    "'NO' AS is_typed, CAST(NULL AS VARCHAR) AS commit_action FROM _pg.relations r "
    "WHERE r.form <> 'i'",
    f"VIEW views AS SELECT {_CATALOG} AS table_catalog, r.schema AS table_schema, "
    "r.name AS table_name, rtrim(trim(r.query), ';') || ';' AS view_definition, "
    "'NONE' AS check_option, 'NO' AS is_updatable, 'NO' AS is_insertable_into, "
    "'NO' AS is_trigger_updatable, 'NO' AS is_trigger_deletable, "
    "'NO' AS is_trigger_insertable_into FROM _pg.relations r WHERE r.form IN ('v', 'm')",
    f"VIEW columns AS SELECT {_CATALOG} AS table_catalog, c.schema AS table_schema, "
    "c.relation_name AS table_name, c.name AS column_name, CAST(c.number AS INTEGER) AS "
    "ordinal_position, c.standard AS column_default, CASE WHEN c.is_required THEN 'NO' "
    f"ELSE 'YES' END AS is_nullable, {_BASE_TYPE} AS data_type, "
    "CAST(CASE WHEN c.modifier < 1 THEN NULL WHEN c.type IN (1042, 1043) THEN c.modifier - 4 "
    "WHEN c.type IN (1560, 1562) THEN c.modifier END AS INTEGER) AS character_maximum_length, "
    "CASE WHEN t.typcategory = 'S' THEN 1073741824 END AS character_octet_length, "
    "CASE c.type WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 "
    "THEN 53 WHEN 1700 THEN (c.modifier - 4) // 65536 END AS numeric_precision, "
    "CASE WHEN c.type IN (20, 21, 23, 700, 701) THEN 2 WHEN c.type = 1700 THEN 10 END AS "
    "numeric_precision_radix, CASE WHEN c.type IN (20, 21, 23) THEN 0 WHEN c.type = 1700 THEN "
    "(c.modifier - 4) % 65536 END AS numeric_scale, CASE WHEN c.type IN (1083, 1114, 1184, 1186, "
    "1266) THEN 6 WHEN c.type = 1082 THEN 0 END AS datetime_precision, "
    "CAST(NULL AS VARCHAR) AS interval_type, CAST(NULL AS INTEGER) AS interval_precision, "
    "CAST(NULL AS VARCHAR) AS character_set_catalog, CAST(NULL AS VARCHAR) AS "
    "character_set_schema, CAST(NULL AS VARCHAR) AS character_set_name, "
    "CAST(NULL AS VARCHAR) AS collation_catalog, CAST(NULL AS VARCHAR) AS collation_schema, "
    "CAST(NULL AS VARCHAR) AS collation_name, CAST(NULL AS VARCHAR) AS domain_catalog, "
    "CAST(NULL AS VARCHAR) AS domain_schema, CAST(NULL AS VARCHAR) AS domain_name, "
    f"{_CATALOG} AS udt_catalog, 'pg_catalog' AS udt_schema, t.typname AS udt_name, "
    "CAST(NULL AS VARCHAR) AS scope_catalog, CAST(NULL AS VARCHAR) AS scope_schema, "
    "CAST(NULL AS VARCHAR) AS scope_name, CAST(NULL AS INTEGER) AS maximum_cardinality, "
    "CAST(c.number AS VARCHAR) AS dtd_identifier, 'NO' AS is_self_referencing, "
    "'NO' AS is_identity, CAST(NULL AS VARCHAR) AS identity_generation, "
    "CAST(NULL AS VARCHAR) AS identity_start, CAST(NULL AS VARCHAR) AS identity_increment, "
    "CAST(NULL AS VARCHAR) AS identity_maximum, CAST(NULL AS VARCHAR) AS identity_minimum, "
    "'NO' AS identity_cycle, CASE WHEN c.generated IS NULL THEN 'NEVER' ELSE 'ALWAYS' END AS "
    "is_generated, c.generated AS generation_expression, "
    "CASE WHEN c.form IN ('r', 'f') THEN 'YES' ELSE 'NO' END AS "
    "is_updatable FROM _pg.columns c JOIN _pg.pg_type t ON t.oid = c.type "
    "JOIN _pg.types d ON d.oid = c.type",
    f"VIEW table_constraints AS SELECT {_CATALOG} AS constraint_catalog, "
    "k.schema AS constraint_schema, k.name AS constraint_name, "
    f"{_CATALOG} AS table_catalog, k.schema AS table_schema, r.name AS table_name, "
    "k.kind AS constraint_type, 'NO' AS is_deferrable, 'NO' AS initially_deferred, "
    "'YES' AS enforced, 'YES' AS nulls_distinct FROM _pg.keys k JOIN _pg.relations r "
    "ON r.oid = k.table_oid",
    f"VIEW key_column_usage AS SELECT {_CATALOG} AS constraint_catalog, "
    "k.schema AS constraint_schema, k.name AS constraint_name, "
    f"{_CATALOG} AS table_catalog, k.schema AS table_schema, r.name AS table_name, "
    "k.names[k.n] AS column_name, CAST(k.n AS INTEGER) AS ordinal_position, "
    "CASE k.kind WHEN 'FOREIGN KEY' THEN CAST(k.n AS INTEGER) END AS "
    "position_in_unique_constraint FROM (SELECT *, "
    "unnest(generate_series(1, len(names))) AS n FROM _pg.keys WHERE kind <> 'CHECK') k "
    "JOIN _pg.relations r ON r.oid = k.table_oid",
    f"VIEW constraint_column_usage AS SELECT {_CATALOG} AS table_catalog, "
    "k.schema AS table_schema, r.name AS table_name, k.column_name, "
    f"{_CATALOG} AS constraint_catalog, k.schema AS constraint_schema, "
    "k.name AS constraint_name FROM (SELECT *, unnest(coalesce(target_names, names)) AS "
    "column_name FROM _pg.keys) k JOIN _pg.relations r ON r.oid = coalesce(k.target, k.table_oid)",
    f"VIEW check_constraints AS SELECT {_CATALOG} AS constraint_catalog, "
    "schema AS constraint_schema, name AS constraint_name, expression AS check_clause "
    "FROM _pg.keys WHERE kind = 'CHECK'",
    f"VIEW referential_constraints AS SELECT {_CATALOG} AS constraint_catalog, "
    "k.schema AS constraint_schema, k.name AS constraint_name, "
    f"{_CATALOG} AS unique_constraint_catalog, t.schema AS unique_constraint_schema, "
    "t.name AS unique_constraint_name, CASE k.rules[3] WHEN 'f' THEN 'FULL' ELSE 'NONE' END AS "
    f"match_option, {_rule('k.rules[1]')} AS update_rule, {_rule('k.rules[2]')} AS delete_rule "
    "FROM _pg.keys k LEFT JOIN _pg.keys t ON t.table_oid = k.target AND t.names = k.target_names "
    "AND t.kind IN ('PRIMARY KEY', 'UNIQUE') WHERE k.kind = 'FOREIGN KEY'",
    f"VIEW foreign_tables AS SELECT {_CATALOG} AS foreign_table_catalog, "
    "schema AS foreign_table_schema, name AS foreign_table_name, "
    f"{_CATALOG} AS foreign_server_catalog, connector AS foreign_server_name "
    "FROM _pg.relations JOIN _pg.connected USING (oid)",
)
