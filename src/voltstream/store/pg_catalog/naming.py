"""Objects described in words, as pg_describe_object and pg_identify_object do.

Source: PostgreSQL 15, src/backend/catalog/objectaddress.c.
"""

from __future__ import annotations

_KINDS = (
    "CASE form WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' "
    "WHEN 'f' THEN 'foreign table' WHEN 'i' THEN 'index' ELSE 'relation' END"
)
_PATH = "_pg.quote_ident(schema) || '.' || _pg.quote_ident(name)"
# An object's class, number and part; its kind, names and how it is called in a sentence.
VIEWS = (
    "VIEW k_objects AS SELECT 1259::UINTEGER AS _class, oid AS _oid, 0 AS _part, "
    f"{_KINDS} AS _kind, schema AS _schema, name AS _name, {_PATH} AS _path, {_KINDS} || ' ' || "
    f"CASE WHEN oid IN (SELECT _oid FROM _pg.visible_relations) THEN _pg.quote_ident(name) ELSE "
    f"{_PATH} END AS _text FROM _pg.relations "
    "UNION ALL SELECT 1259, r.oid, c.number, k._kind || ' column', r.schema, NULL, k._path || '.' "
    "|| _pg.quote_ident(c.name), 'column ' || _pg.quote_ident(c.name) || ' of ' || k._text FROM "
    "_pg.columns c JOIN _pg.relations r ON r.oid = c.relation JOIN (SELECT oid, "
    f"{_KINDS} AS _kind, {_PATH} AS _path, {_KINDS} || ' ' || CASE WHEN oid IN (SELECT _oid FROM "
    f"_pg.visible_relations) THEN _pg.quote_ident(name) ELSE {_PATH} END AS _text "
    "FROM _pg.relations) k ON k.oid = r.oid "
    "UNION ALL SELECT 2615, oid, 0, 'schema', NULL, name, _pg.quote_ident(name), 'schema ' || "
    "_pg.quote_ident(name) FROM _pg.namespaces "
    "UNION ALL SELECT 1247, oid, 0, 'type', NULL, NULL, display, 'type ' || display "
    "FROM _pg.types "
    "UNION ALL SELECT 1255, _oid, 0, 'function', _schema, NULL, _pg.quote_ident(_schema) || '.' "
    "|| _name || '(' || _arguments || ')', 'function ' || _name || '(' || _arguments || ')' "
    "FROM _pg.k_routines "
    "UNION ALL SELECT 2606, oid, 0, 'table constraint', schema, NULL, _pg.quote_ident(name) || "
    "' on ' || _pg.quote_ident(schema) || '.' || table_name, 'constraint ' || "
    "_pg.quote_ident(name) || ' on table ' || table_name FROM (SELECT k.oid, k.schema, k.name, "
    "_pg.quote_ident(r.name) AS table_name FROM _pg.keys k JOIN _pg.relations r ON "
    "r.oid = k.table_oid) "
    "UNION ALL SELECT 1260, _oid, 0, 'role', NULL, _name, _pg.quote_ident(_name), 'role ' || "
    "_pg.quote_ident(_name) FROM _pg.k_roles",
)
MACROS = (
    "MACRO pg_describe_object(class, object, part) AS (SELECT max(_text) FROM _pg.k_objects "
    "WHERE _class = class AND _oid = object AND _part = part)",
    "MACRO pg_identify_object(class, object, part) AS (SELECT max({'type': _kind, 'schema': "
    "_schema, 'name': CASE WHEN _name IS NOT NULL THEN _pg.quote_ident(_name) END, 'identity': "
    "_path}) FROM _pg.k_objects WHERE _class = class AND _oid = object AND _part = part)",
)
