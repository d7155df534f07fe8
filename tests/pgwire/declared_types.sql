-- A statement a line; rows, names, types and errors are those of PostgreSQL.
CREATE TABLE o (n int PRIMARY KEY, o oid)
INSERT INTO o VALUES (1, 5), (2, 4294967295), (3, '16384')
SELECT o, o = 5, pg_typeof(o), o::text, o::int8, max(o) OVER () FROM o ORDER BY n
CREATE TABLE b (n int PRIMARY KEY, b bit(3), v bit varying(8))
INSERT INTO b VALUES (1, '101', '11'), (2, B'111', B'1'), (3, NULL, NULL)
INSERT INTO b VALUES (4, '1010', '11')
INSERT INTO b VALUES (4, '101', '110011001')
INSERT INTO b SELECT n + 10, b, b || v FROM b
SELECT b, v, b & B'110', b | B'010', b || v, length(v), ~b, b # B'111', b << 1, b >> 1 FROM b ORDER BY n
SELECT get_bit(b, 0), set_bit(b, 1, 1), bit_length(b), octet_length(b), b = B'101', b::int, substring(v FROM 1 FOR 1) FROM b ORDER BY n
SELECT pg_typeof(b), pg_typeof(v), b::text FROM b ORDER BY n LIMIT 1
SELECT B'101', X'1F', '1'::bit, '101'::bit(2), '101'::bit varying, 5::bit(4)
SELECT '12'::bit(2)
UPDATE b SET b = '000' WHERE n = 1
SELECT b FROM b WHERE n = 1
CREATE TABLE c (n int PRIMARY KEY, c "char", m name)
INSERT INTO c VALUES (1, 'a', 'nm'), (2, 'bcd', 'q'), (3, '', '')
SELECT c, m, c = 'b', pg_typeof(c), pg_typeof(m), m || 'x' FROM c ORDER BY n
SELECT 'a'::name, 'abc'::"char", 'x'::text, 'y'::varchar, 'z'::varchar(2), 'w'
CREATE TABLE j (n int PRIMARY KEY, j json, b jsonb, js json[])
INSERT INTO j VALUES (1, '{"b" : 1,  "a":[1, 2]}', '{"b" : 1,  "a":[1,2]}', NULL), (2, ' [1 ]', '[1]', NULL)
SELECT j, b, j->'b', j->>'a', pg_typeof(j), pg_typeof(b) FROM j WHERE n = 1
SELECT j, b, max(n) OVER () FROM j ORDER BY n
SELECT x.j, coalesce(x.j, x.j), (SELECT j FROM j WHERE n = 2) FROM (SELECT j FROM j WHERE n = 1) AS x
INSERT INTO j VALUES (3, '{"a":}', NULL, NULL)
UPDATE j SET j = '{"x":  true}' WHERE n = 2 RETURNING j, b
SELECT '{"a" :  1}'::json, '{"a" :  1}'::jsonb, CAST('[1,  2]' AS json), json '{ }', ' 1'::json
CREATE TABLE t (n int PRIMARY KEY, f char(5), s char, v varchar(3), t text, w varchar, u bpchar)
INSERT INTO t VALUES (1, 'ab', 'x', 'abc', 'text', 'any', 'no  ')
INSERT INTO t VALUES (2, 'abcdefg', 'x', 'abc', 't', 'w', 'u')
INSERT INTO t VALUES (2, 'abcde   ', 'y', 'abc   ', 't', 'w', 'u')
INSERT INTO t VALUES (3, 'a', 'xy', 'abc', 't', 'w', 'u')
INSERT INTO t VALUES (3, 'a', 'x', 'abcd', 't', 'w', 'u')
UPDATE t SET v = 'much too long' WHERE n = 1
SELECT f, s, v, t, w FROM t ORDER BY n
SELECT length(f), f = 'ab', f = 'ab   ', f || '|', f::text || '|', f IN ('ab ', 'x'), pg_typeof(f), pg_typeof(v), pg_typeof(t) FROM t ORDER BY n
SELECT n FROM t WHERE f = 'ab  ' AND v < 'b'
SELECT f, count(*) FROM t GROUP BY f ORDER BY f
SELECT 'ab'::char(5), 'abc'::char(2), 'abc'::char, 'abc  '::bpchar || '|', 'abc'::varchar(2)
SELECT * FROM t ORDER BY n
SELECT q.* FROM (SELECT f, v AS other, t FROM t) AS q ORDER BY 1
WITH q (x, y) AS (SELECT f, j FROM t JOIN j USING (n)) SELECT y, x FROM q ORDER BY x
SELECT f FROM t UNION ALL SELECT f FROM t ORDER BY 1
SELECT array_agg(t ORDER BY n), min(t) FROM t GROUP BY f, n ORDER BY n
SELECT column_name, data_type, character_maximum_length, udt_name FROM information_schema.columns WHERE table_name = 't' ORDER BY ordinal_position
SELECT attname, atttypid::regtype, format_type(atttypid, atttypmod), atttypmod FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND attname <> 'u' ORDER BY attnum
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'b'::regclass AND attnum > 0 ORDER BY attnum
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'j'::regclass AND attnum > 0 ORDER BY attnum
SELECT relname, relpersistence, relname || 'x', relnamespace FROM pg_class WHERE relname = 'pg_class'
SELECT nspname FROM pg_namespace WHERE nspname = 'pg_catalog'
SELECT typname, typtype, typcategory, typlen FROM pg_type WHERE typname IN ('bit', 'varbit', 'bpchar', 'name', 'char', 'json', 'oidvector', 'int2vector', 'regclass', 'pg_node_tree') ORDER BY typname
SELECT indkey, indnatts FROM pg_index WHERE indrelid = 't'::regclass
SELECT i.indkey FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname = 'j'
SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] WHERE i.indrelid = 't'::regclass
SELECT 'pg_class'::regclass, 'int'::regtype, 23::regtype, 'pg_catalog'::regnamespace, 1259::oid::regclass::text
SELECT 'integer'::regtype::oid, 'pg_class'::regclass::oid, 'pg_class'::regclass = 1259 AS same
SELECT pg_typeof(1), pg_typeof(1.5), pg_typeof('a'::text), pg_typeof(now()), 5::oid, '5'::oid::int
SELECT 1::int, 1::bigint, 1::smallint, 1::float8, 1::real, true::bool, 1::numeric, now()::timestamptz IS NULL AS n, '1'::int + 1, (1 + 1)::text, '{1}'::int[], lower('A')::varchar, '1 day'::interval, '\x00'::bytea
DROP TABLE o, b, c, j, t
SELECT pg_column_size(1), pg_column_size('abc'::text), pg_column_size(1::bigint), pg_column_size(NULL::int), pg_column_size(now())
SELECT privilege_type, is_grantable FROM aclexplode(acldefault('r', 10))
SELECT a.privilege_type FROM pg_namespace n, LATERAL aclexplode(coalesce(NULL::aclitem[], acldefault('n', n.nspowner))) AS a WHERE n.nspname = 'pg_catalog' ORDER BY 1
SELECT (aclexplode(acldefault('d', 10))).privilege_type
CREATE SCHEMA extra
CREATE TABLE extra.q (a int PRIMARY KEY)
SELECT pg_describe_object('pg_class'::regclass, 'extra.q'::regclass, 1), pg_describe_object('pg_class'::regclass, 'extra.q'::regclass, 0), pg_describe_object('pg_type'::regclass, 23, 0)
SELECT type, schema, name, identity FROM pg_identify_object('pg_class'::regclass, 'extra.q'::regclass, 0)
SET search_path = extra, public
SELECT current_schema, current_schemas(false), current_schemas(true), 'q'::regclass, to_regclass('public.q'), pg_table_is_visible('q'::regclass)
SET search_path = nosuch, pg_catalog, extra
SELECT current_schema, current_schemas(false), current_schemas(true)
RESET search_path
SELECT 'extra.q'::regclass, pg_table_is_visible('extra.q'::regclass), to_regclass('q')
DROP SCHEMA extra CASCADE
SELECT 'nosuch'::regclass
SELECT 'nosuch'::regtype
SELECT 'nosuch'::regnamespace
SELECT 'nosuch'::regrole
SELECT 'nosuch'::regproc
CREATE TABLE rc (n int PRIMARY KEY, c regclass, t regtype)
INSERT INTO rc VALUES (1, 'rc', 'int'), (2, 'pg_class'::regclass, 'text'::regtype), (3, NULL, NULL)
INSERT INTO rc VALUES (4, 'nosuch', 'int')
INSERT INTO rc VALUES (4, 'rc', 'nosuch')
UPDATE rc SET c = 'nosuch' WHERE n = 3
SELECT c, c::text, c = 'rc'::regclass AS a, 'rc'::regclass <> c AS b FROM rc ORDER BY n
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'rc'::regclass AND attnum > 0 ORDER BY attnum
DROP TABLE rc
SELECT 'pg_class'::regclass, 'int'::regtype, 'pg_catalog'::regnamespace
SET timezone = 'Europe/Zurich'
SELECT timestamptz '2020-07-03 04:05:06.7+02'::text, timestamptz '2020-01-03 04:05:06+00'::varchar, 'x' || timestamptz '2020-01-03 04:05:06+00'
SET datestyle = 'German'
SELECT timestamptz '2020-07-03 04:05:06.7+02'::text, date '2020-01-02'::text, timestamp '2020-01-03 04:05:06'::text, concat(date '2020-01-02', '-'), format('%s', date '2020-01-02')
SET datestyle = 'SQL, DMY'
SELECT timestamptz '2020-07-03 04:05:06.7+02'::text, date '2020-01-02'::text, timestamp '2020-01-03 04:05:06'::text, array[date '2020-01-02']::text, row(date '2020-01-02')::text, timestamp '2020-01-03 04:05:06'::varchar(6)
SELECT string_agg(d::text, ',' ORDER BY d) FROM (VALUES (date '2020-01-02'), (date '2021-01-02')) v(d)
RESET datestyle
SET intervalstyle = 'iso_8601'
SELECT interval '1 year 2 mons 3 days 04:05:06.7'::text, interval '1 day' || 'x', concat(interval '1 day'), ('1 day'::interval)::varchar
SET intervalstyle = 'sql_standard'
SELECT interval '1 year 2 mons 3 days 04:05:06.7'::text, array[interval '1 day']::text
RESET intervalstyle
SET bytea_output = 'escape'
SELECT '\x00ff5c41'::bytea::text, concat('\x00ff5c41'::bytea), '\x00ff5c41'::bytea::varchar, array['\x00ff5c41'::bytea]::text
RESET bytea_output
SET extra_float_digits = 0
SELECT (0.1::float8 + 0.2::float8)::text, concat(0.1::float8 + 0.2::float8)
RESET extra_float_digits
SET timezone = 'UTC'
SELECT json_build_object('a', 1, 'b', NULL, 'c', 'x'), json_build_array(1, 'a', NULL, true), jsonb_build_object('a', 1, 'b', array[1,2]), jsonb_build_array(1, '2')
SELECT json_agg(x), jsonb_agg(x), json_object_agg(x, x), jsonb_object_agg(x, x) FROM (VALUES (1), (2)) v(x)
SELECT json_build_object('a', 1, 'a', 2), jsonb_build_object('a', 1, 'a', 2), '{"a":1,"a":2}'::json, '{"a":1,"a":2}'::jsonb
SELECT row_to_json(row(1, 'a')), to_json(array[1,2]), to_jsonb(array[1,2]), to_json('a'::text), array_to_json(array[[1,2],[3,4]])
SELECT json_build_object('a', '{"x":  1}'::json, 'b', '{"x":  1}'::jsonb), jsonb_build_object('a', '{"x":  1}'::json)
SELECT json_agg(v), json_agg(row(x, y)) FROM (VALUES (1, 'a'), (2, 'b')) v(x, y)
SELECT row_to_json(v) FROM (VALUES (1, 'a'), (2, 'b')) v(x, y)
SELECT json_build_object('t', timestamp '2020-01-02 03:04:05', 'd', date '2020-01-02', 'n', 1.50, 'f', 1.5::float8, 'b', '\x00'::bytea, 'tz', timestamptz '2020-01-02 03:04:05+00')
SELECT json_object('{a,1,b,2}'), jsonb_object('{a,1,b,2}'), json_object('{a,b}', '{1,2}'), json_strip_nulls('{"a": 1, "b": null}'), jsonb_strip_nulls('{"a": 1, "b": null}')
SELECT json_agg(x) FROM (SELECT 1 WHERE false) v(x)
SELECT json_build_object(), json_build_array(), jsonb_build_object(), jsonb_pretty('{"a":[1,2]}')
SELECT json_object_agg(k, v) FROM (VALUES ('a', 1), ('a', 2)) x(k, v)
SELECT json_typeof('{"a":1}'), json_array_length('[1,2]')
SELECT json_build_object('a', 1)::text, json_build_object('a', 1)::jsonb, to_json(1.10), to_jsonb(1.10)
SELECT count(*) > 0 FROM pg_proc WHERE pg_function_is_visible(oid)
CREATE TABLE oc (n int PRIMARY KEY, f char(5))
INSERT INTO oc VALUES (1, 'ab')
SELECT octet_length(f), length(f), char_length(f), bit_length(f), octet_length('a'::char(3)), bit_length('a'::char(3)), length('a'::char(3)) FROM oc
DROP TABLE oc
SELECT row(1, 'a b', NULL, true, 1.5)::text, row(1)::text, row(date '2020-01-02')::text
SELECT v::text, (v.x)::text FROM (VALUES (1, 'a,b'), (2, NULL)) v(x, y)
SELECT 'pg_class'::regclass, 'integer'::regtype, 'varchar'::regtype, 'pg_catalog'::regnamespace, NULL::regclass, pg_typeof(1.5)
