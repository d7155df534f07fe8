"""What Grafana, Metabase, Superset and DBeaver ask of the catalogs when they connect."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

SCHEMA = (
    "CREATE TABLE sites (id int PRIMARY KEY, name varchar NOT NULL, "
    "kw numeric(10,2) CHECK (kw > 0), at timestamptz)",
    "CREATE VIEW busy AS SELECT * FROM sites",
    "CREATE MATERIALIZED VIEW per_name AS SELECT name, count(*) AS n FROM sites GROUP BY name",
)

# Who asks, what, and words that the answer holds.
QUERIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "grafana tables",
        "SELECT CASE WHEN quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = "
        "'\"$user\"' THEN user ELSE trim(s[i]) END FROM "
        "generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), "
        "array_upper(string_to_array(current_setting('search_path'),','),1)) as i, "
        "string_to_array(current_setting('search_path'),',') s) THEN quote_ident(table_name) "
        "ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS \"table\" FROM"
        " information_schema.tables WHERE quote_ident(table_schema) NOT IN "
        "('information_schema', 'pg_catalog', '_timescaledb_cache')",
        ("sites",),
    ),
    (
        "grafana columns",
        'select quote_ident(column_name) as "column", data_type as "type" from '
        "information_schema.columns where quote_ident(table_name) = 'sites'",
        ("numeric",),
    ),
    (
        "grafana version",
        "SELECT current_setting('server_version_num')::int/100 as version",
        ("1500",),
    ),
    (
        "grafana tsdb",
        "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'",
        (),
    ),
    (
        "metabase tables",
        "select n.nspname as schema, c.relname as name, case c.relkind when 'r' then 'TABLE' "
        "when 'p' then 'PARTITIONED TABLE' when 'v' then 'VIEW' when 'f' then 'FOREIGN TABLE'"
        " when 'm' then 'MATERIALIZED VIEW' else null end as type, d.description as "
        "description, stat.n_live_tup as estimated_row_count from pg_catalog.pg_class as c "
        "inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid left join "
        "pg_catalog.pg_description as d on c.oid = d.objoid and d.objsubid = 0 and d.classoid"
        " = 'pg_class'::regclass left join pg_stat_user_tables as stat on n.nspname = "
        "stat.schemaname and c.relname = stat.relname where c.relnamespace = n.oid and "
        "n.nspname !~ '^information_schema|catalog_history|pg_' and c.relkind in "
        "('r','p','v','f','m') order by type, schema, name",
        ("MATERIALIZED VIEW", "busy"),
    ),
    (
        "metabase fks",
        'SELECT fk_ns.nspname AS "fk-table-schema", fk_table.relname AS "fk-table-name", '
        'fk_column.attname AS "fk-column-name", pk_ns.nspname AS "pk-table-schema", '
        'pk_table.relname AS "pk-table-name", pk_column.attname AS "pk-column-name" FROM '
        "pg_constraint c JOIN pg_class fk_table ON c.conrelid = fk_table.oid JOIN "
        "pg_namespace fk_ns ON c.connamespace = fk_ns.oid JOIN pg_attribute fk_column ON "
        "c.conrelid = fk_column.attrelid JOIN pg_class pk_table ON c.confrelid = pk_table.oid"
        " JOIN pg_namespace pk_ns ON pk_table.relnamespace = pk_ns.oid JOIN pg_attribute "
        "pk_column ON c.confrelid = pk_column.attrelid WHERE fk_ns.nspname !~ "
        "'^information_schema|catalog_history|pg_' AND c.contype = 'f'::char AND "
        "fk_column.attnum = ANY(c.conkey) AND pk_column.attnum = ANY(c.confkey) ORDER BY "
        "fk_ns.nspname, fk_table.relname",
        (),
    ),
    (
        "metabase privileges",
        "with table_privileges as (select NULL as role, t.schemaname as schema, t.objectname "
        "as table, pg_catalog.has_any_column_privilege(current_user, '\"' || "
        "replace(t.schemaname, '\"', '\"\"') || '\"' || '.' || '\"' || replace(t.objectname, '\"', "
        "'\"\"') || '\"', 'update') as update, pg_catalog.has_any_column_privilege(current_user,"
        " '\"' || replace(t.schemaname, '\"', '\"\"') || '\"' || '.' || '\"' || "
        "replace(t.objectname, '\"', '\"\"') || '\"', 'select') as select from (select "
        "schemaname, tablename as objectname from pg_catalog.pg_tables union select "
        "schemaname, viewname as objectname from pg_views union select schemaname, "
        "matviewname as objectname from pg_matviews) t where t.schemaname !~ '^pg_' and "
        "t.schemaname <> 'information_schema' and "
        "pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage')) select t.* "
        "from table_privileges t",
        ("busy",),
    ),
    (
        "superset schemas",
        "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%' ORDER BY nspname",
        ("public",),
    ),
    (
        "superset enums",
        "SELECT t.typname FROM pg_type t WHERE t.typtype='e'",
        (),
    ),
    (
        "dbeaver databases",
        "SELECT db.oid,db.* FROM pg_catalog.pg_database db WHERE datallowconn AND NOT "
        "datistemplate OR db.datname ='volt' ORDER BY db.datname",
        ("volt",),
    ),
    (
        "dbeaver schemas",
        "SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN "
        "pg_catalog.pg_description d ON d.objoid=n.oid AND d.objsubid=0 AND "
        "d.classoid='pg_namespace'::regclass ORDER BY nspname",
        ("pg_catalog",),
    ),
    (
        "dbeaver types",
        "SELECT t.oid,t.*,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as "
        "base_type_name, d.description FROM pg_catalog.pg_type t LEFT OUTER JOIN "
        "pg_catalog.pg_type et ON et.oid=t.typelem LEFT OUTER JOIN pg_catalog.pg_class c ON "
        "c.oid=t.typrelid LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid=d.objoid WHERE"
        " t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') AND "
        "(et.typcategory IS NULL OR et.typcategory <> 'C')",
        ("timestamptz",),
    ),
    (
        "dbeaver tables",
        "SELECT c.oid,c.*,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as "
        "partition_expr, pg_catalog.pg_get_partkeydef(c.oid) as partition_key FROM "
        "pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid "
        "AND d.objsubid=0 AND d.classoid='pg_class'::regclass WHERE c.relnamespace=(select "
        "oid from pg_namespace where nspname='public') AND c.relkind not in ('i','I','c')",
        ("sites", "busy", "per_name"),
    ),
    (
        "dbeaver columns",
        "SELECT c.relname,a.*,pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as "
        "def_value,dsc.description,dep.objid FROM pg_catalog.pg_attribute a INNER JOIN "
        "pg_catalog.pg_class c ON (a.attrelid=c.oid) LEFT OUTER JOIN pg_catalog.pg_attrdef ad"
        " ON (a.attrelid=ad.adrelid AND a.attnum = ad.adnum) LEFT OUTER JOIN "
        "pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid) LEFT"
        " OUTER JOIN pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i' and "
        "dep.refobjsubid = a.attnum and dep.classid = dep.refclassid WHERE NOT a.attisdropped"
        " AND c.relkind not in ('i','I','c') AND c.oid='sites'::regclass ORDER BY a.attnum",
        ("kw",),
    ),
    (
        "dbeaver constraints",
        "SELECT c.oid,c.*,t.relname as tabrelname,rt.relnamespace as "
        "refnamespace,d.description, case when c.contype='c' then "
        '"substring"(pg_get_constraintdef(c.oid), 7) else null end consrc_copy FROM '
        "pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON t.oid=c.conrelid LEFT"
        " OUTER JOIN pg_catalog.pg_class rt ON rt.oid=c.confrelid LEFT OUTER JOIN "
        "pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND "
        "d.classoid='pg_constraint'::regclass WHERE c.conrelid='sites'::regclass ORDER BY "
        "c.oid",
        ("sites_pkey", "sites_kw_check"),
    ),
    (
        "dbeaver settings",
        "SELECT current_schema(),session_user;",
        ("public",),
    ),
    (
        "dbeaver stats",
        "select c.oid,pg_catalog.pg_total_relation_size(c.oid) as "
        "total_rel_size,pg_catalog.pg_relation_size(c.oid) as rel_size FROM pg_class c WHERE "
        "c.relnamespace=(select oid from pg_namespace where nspname='public')",
        (),
    ),
)


@pytest.fixture(scope="module")
def connection(address: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(address, autocommit=True) as opened:
        for text in SCHEMA:
            opened.execute(text.encode())
        yield opened


@pytest.mark.parametrize(("who", "query", "words"), QUERIES, ids=[one for one, _, _ in QUERIES])
def test_introspection(
    connection: psycopg.Connection, who: str, query: str, words: tuple[str, ...]
) -> None:
    rows = connection.execute(query.encode()).fetchall()
    cells = {str(cell) for row in rows for cell in row}
    assert set(words) <= cells
