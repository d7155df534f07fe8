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
