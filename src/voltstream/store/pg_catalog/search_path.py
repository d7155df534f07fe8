"""Names without a schema: where the session's search path finds them.

Law: pg_catalog is searched first unless the path names it (PostgreSQL 15 manual, "The Schema
Search Path").
"""

from __future__ import annotations

MACROS = (
    "MACRO path_words() AS list_transform(string_split(coalesce(_pg.setting('search_path'), "
    "'\"$user\", public'), ','), lambda w: CASE WHEN trim(w) IN ('\"$user\"', '$user') THEN "
    "_pg.current_user() WHEN starts_with(trim(w), '\"') THEN replace(trim(w)[2:-2], '\"\"', '\"') "
    "ELSE lower(trim(w)) END)",
)
VIEWS = (
    "VIEW schema_path AS SELECT n.name AS _schema, CAST(min(p.place) AS INTEGER) AS _place FROM "
    "(SELECT unnest(_pg.path_words()) AS word, generate_subscripts(_pg.path_words(), 1) AS place) "
    "p JOIN _pg.namespaces n ON n.name = p.word GROUP BY n.name",
    "VIEW placed_relations AS SELECT r.oid AS _oid, r.name AS _name, r.schema AS _schema, "
    "coalesce(p._place, CASE r.schema WHEN 'pg_catalog' THEN 0 END) AS _place, "
    "r.schema = 'rw_catalog' AS _is_ours FROM _pg.relations r "
    "LEFT JOIN _pg.schema_path p ON p._schema = r.schema",
    "VIEW visible_relations AS SELECT min_by(_oid, _place) AS _oid FROM _pg.placed_relations "
    "WHERE _place IS NOT NULL GROUP BY _name",
)
PATH_MACROS = (
    "MACRO current_schema() AS (SELECT min_by(_schema, _place) FROM _pg.schema_path)",
    "MACRO listed_schemas() AS (SELECT coalesce(list(_schema ORDER BY _place), []) FROM "
    "_pg.schema_path)",
    "MACRO current_schemas(implicit) AS CASE WHEN implicit AND NOT "
    "list_contains(_pg.listed_schemas(), 'pg_catalog') THEN ['pg_catalog'] || "
    "_pg.listed_schemas() ELSE _pg.listed_schemas() END",
)
