-- Privileges: given, taken, passed on, asked for, and refused where they are missing.
CREATE TABLE meter (id INT PRIMARY KEY, kwh DOUBLE PRECISION);
INSERT INTO meter VALUES (1, 10), (2, 20);
CREATE MATERIALIZED VIEW total AS SELECT sum(kwh) AS kwh FROM meter;
CREATE VIEW large AS SELECT id FROM meter WHERE kwh > 15;
CREATE SOURCE reading (id INT, kwh DOUBLE PRECISION);
CREATE FUNCTION doubled(x INT) RETURNS INT LANGUAGE SQL RETURN x * 2;
CREATE SUBSCRIPTION changes FROM total;
CREATE SCHEMA private;
CREATE TABLE private.key (k INT PRIMARY KEY);
CREATE USER ann;
CREATE USER bob;

-- session one as ann
SELECT * FROM meter;
SELECT * FROM total;
SELECT * FROM large;
SELECT * FROM reading;
SELECT (SELECT count(*) FROM meter) AS n;
WITH meter AS (SELECT 7 AS id) SELECT id FROM meter;
WITH other AS (SELECT id FROM meter) SELECT id FROM other;
SELECT * FROM private.key;
SELECT * FROM private.nothing;
INSERT INTO meter VALUES (3, 30);
UPDATE meter SET kwh = 0;
DELETE FROM meter;
TRUNCATE meter;
MERGE INTO meter m USING (SELECT 1 AS id) s ON m.id = s.id WHEN MATCHED THEN DELETE;
COPY meter TO STDOUT;
COPY meter FROM STDIN;
\.
DECLARE c CURSOR FOR SELECT * FROM meter;
DECLARE s SUBSCRIPTION CURSOR FOR changes SINCE begin();
PREPARE p AS SELECT * FROM meter;
EXECUTE p;
EXPLAIN SELECT * FROM meter;
EXPLAIN ANALYZE SELECT * FROM meter;
CREATE TABLE mine (a INT);
CREATE MATERIALIZED VIEW mine AS SELECT * FROM meter;
CREATE SCHEMA mine;
CREATE SINK mine FROM total WITH (connector = 'blackhole');
CREATE INDEX mine ON meter (kwh);
CREATE SUBSCRIPTION mine FROM total;
ALTER TABLE meter ADD COLUMN note TEXT;
ALTER TABLE meter RENAME TO mine;
ALTER TABLE meter OWNER TO ann;
DROP TABLE meter;
DROP SCHEMA private CASCADE;
COMMENT ON TABLE meter IS 'mine';
REFRESH MATERIALIZED VIEW total;
SELECT create_hypertable('meter', 'id');
GRANT SELECT ON meter TO ann;
SELECT doubled(2);

-- What no name leads to.
SELECT * FROM _vs.objects;
SELECT * FROM objects;
SELECT * FROM query_table('_vs.objects');
SELECT * FROM read_text('/etc/hostname');
SELECT * FROM read_csv('/etc/hostname');
SELECT * FROM "/etc/hostname";
SELECT * FROM duckdb_tables();
SELECT getenv('HOME');
SELECT * FROM generate_series(1, 2) AS g(n) ORDER BY n;
SELECT count(*) > 0 AS found FROM pg_class;
SELECT count(*) AS none FROM dead_letters;
CREATE SOURCE f (a INT) WITH (connector = 'file', path = '/etc/hostname');

-- Given, one by one.
-- session two as volt
GRANT SELECT ON meter TO ann;
GRANT SELECT ON MATERIALIZED VIEW total TO ann;
GRANT INSERT ON SOURCE reading TO ann;
GRANT SELECT ON SUBSCRIPTION changes TO ann;
GRANT USAGE ON SCHEMA private TO ann;
-- session one as ann
SELECT * FROM meter ORDER BY id;
SELECT * FROM total;
SELECT * FROM large;
INSERT INTO reading VALUES (1, 2.5);
SELECT * FROM reading;
SELECT * FROM private.key;
EXECUTE p;
DECLARE s SUBSCRIPTION CURSOR FOR changes SINCE begin();
FETCH NEXT FROM s;
UPDATE meter SET kwh = 0;
-- session two as volt
GRANT INSERT, UPDATE ON meter TO ann;
-- session one as ann
INSERT INTO meter VALUES (3, 30);
INSERT INTO meter VALUES (3, 31) ON CONFLICT (id) DO UPDATE SET kwh = excluded.kwh;
UPDATE meter SET kwh = kwh + 1 WHERE id = 3;
DELETE FROM meter WHERE id = 3;
-- session two as volt
REVOKE SELECT ON meter FROM ann;
REVOKE SELECT ON SUBSCRIPTION changes FROM ann;
-- session one as ann
UPDATE meter SET kwh = 5;
UPDATE meter SET kwh = kwh + 1;
INSERT INTO meter VALUES (4, 40) RETURNING id;
EXECUTE p;
FETCH NEXT FROM s;

-- A view reads with its owner's rights.
-- session two as volt
GRANT SELECT ON large TO ann;
-- session one as ann
SELECT * FROM large ORDER BY id;
-- session two as volt
GRANT CREATE ON SCHEMA public TO bob;
ALTER VIEW large OWNER TO bob;
-- session one as ann
SELECT * FROM large;
-- session two as volt
ALTER VIEW large OWNER TO volt;

-- What a role makes is its own.
GRANT CREATE ON SCHEMA public TO ann;
GRANT SELECT ON meter TO ann;
-- session one as ann
CREATE TABLE anns (a INT PRIMARY KEY);
CREATE MATERIALIZED VIEW anns_total AS SELECT count(*) AS n FROM meter;
CREATE MATERIALIZED VIEW more AS SELECT * FROM private.key;
INSERT INTO anns VALUES (1);
GRANT SELECT ON anns TO bob WITH GRANT OPTION;
SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY 1;
-- session three as bob
SELECT * FROM anns;
GRANT SELECT ON anns TO PUBLIC;
GRANT INSERT ON anns TO PUBLIC;
GRANT INSERT, SELECT ON anns TO PUBLIC;
DROP TABLE anns;
-- session one as ann
SELECT grantor, grantee, privilege_type, is_grantable FROM information_schema.table_privileges WHERE table_name = 'anns' AND privilege_type = 'SELECT' ORDER BY 1, 2;
SELECT relname, array_to_string(relacl, ' ') AS acl FROM pg_class WHERE relname IN ('anns', 'anns_total') ORDER BY 1;
REVOKE SELECT ON anns FROM bob;
REVOKE SELECT ON anns FROM bob CASCADE;
SELECT array_to_string(relacl, ' ') AS acl FROM pg_class WHERE relname = 'anns';

-- A function is everybody's until it is not.
-- session two as volt
REVOKE EXECUTE ON FUNCTION doubled(int) FROM PUBLIC;
-- session one as ann
SELECT doubled(2);
-- session two as volt
GRANT EXECUTE ON FUNCTION doubled TO ann;
-- session one as ann
SELECT doubled(2);

-- Asked for.
SELECT has_table_privilege('meter', 'SELECT') AS a, has_table_privilege('meter', 'DELETE') AS b, has_table_privilege('bob', 'meter', 'SELECT, INSERT') AS c, has_table_privilege('anns', 'SELECT WITH GRANT OPTION') AS d;
SELECT has_schema_privilege('public', 'CREATE') AS a, has_schema_privilege('bob', 'private', 'USAGE') AS b, has_database_privilege('volt', 'CREATE') AS c, has_function_privilege('bob', 'doubled', 'EXECUTE') AS d;
SELECT has_table_privilege('meter', 'LOOK');
SELECT has_table_privilege('nobody', 'meter', 'SELECT');

-- What cannot be given.
-- session two as volt
GRANT EXECUTE ON TABLE meter TO ann;
GRANT LOOK ON meter TO ann;
GRANT SELECT ON nothing TO ann;
GRANT SELECT ON meter TO nobody;
GRANT SELECT ON SOURCE meter TO ann;
GRANT SELECT ON meter TO PUBLIC WITH GRANT OPTION;
GRANT USAGE ON SCHEMA nothing TO ann;
GRANT CONNECT ON DATABASE other TO ann;

-- All at once, and from the start.
CREATE USER cas;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO cas;
GRANT SELECT ON ALL MATERIALIZED VIEWS IN SCHEMA public, private TO cas;
SELECT table_name FROM information_schema.role_table_grants WHERE grantee = 'cas' ORDER BY 1;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO cas;
ALTER DEFAULT PRIVILEGES FOR ROLE ann GRANT INSERT ON TABLES TO cas;
CREATE TABLE later (a INT);
SELECT array_to_string(relacl, ' ') AS acl FROM pg_class WHERE relname = 'later';
-- session one as ann
CREATE TABLE later_too (a INT);
SELECT array_to_string(relacl, ' ') AS acl FROM pg_class WHERE relname = 'later_too';
ALTER DEFAULT PRIVILEGES FOR ROLE bob GRANT SELECT ON TABLES TO ann;
-- session two as volt
SELECT pg_get_userbyid(defaclrole) AS role, defaclnamespace::regnamespace AS schema, defaclobjtype AS kind, array_to_string(defaclacl, ' ') AS acl FROM pg_default_acl WHERE defaclnamespace <> 0;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM cas;
SELECT count(*) FROM pg_default_acl WHERE defaclnamespace <> 0;

-- Reader, writer and owner.
CREATE USER eve;
GRANT voltstream_reader TO eve;
-- session five as eve
SELECT count(*) FROM private.key;
SELECT count(*) FROM dead_letters;
INSERT INTO meter VALUES (9, 90);
-- session two as volt
GRANT voltstream_writer TO eve;
-- session five as eve
INSERT INTO meter VALUES (9, 90);
DELETE FROM meter WHERE id = 9;
CREATE TABLE eves (a INT);
-- session two as volt
GRANT voltstream_owner TO eve;
-- session five as eve
CREATE TABLE eves (a INT);
ALTER TABLE meter ADD COLUMN note TEXT;
CREATE ROLE eves_own;

-- Who leaves.
-- session two as volt
DROP USER ann;
REASSIGN OWNED BY ann TO bob;
SELECT tablename FROM pg_tables WHERE tableowner = 'bob' ORDER BY 1;
DROP OWNED BY ann;
DROP USER ann;
DROP OWNED BY bob;
SELECT tablename FROM pg_tables WHERE tableowner = 'bob';
DROP USER bob;

-- It lasts.
-- restart
SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY 1;
-- session six as cas
SELECT count(*) FROM later;
SELECT count(*) FROM eves;

-- Secrets and connections are used by who may.
-- session two as volt
CREATE USER fay;
GRANT CREATE ON SCHEMA public TO fay;
CREATE SECRET hush WITH (backend = 'meta') AS 'value';
CREATE CONNECTION link WITH (type = 'kafka', properties.bootstrap.server = '127.0.0.1:1');
GRANT SELECT ON later TO fay;
-- session seven as fay
CREATE SINK s FROM later WITH (connector = 'blackhole', password = SECRET hush);
CREATE SOURCE k (a INT) WITH (connector = 'kafka', connection = link, topic = 't') FORMAT PLAIN ENCODE JSON;
DROP SECRET hush;
-- session two as volt
GRANT USAGE ON SECRET hush TO fay;
-- session seven as fay
CREATE SINK s FROM later WITH (connector = 'blackhole', password = SECRET hush);

-- No code of the server's own, no files, nothing that rights do not reach.
CREATE FUNCTION py(x INT) RETURNS INT LANGUAGE python AS 'def py(x): return x';
CREATE SOURCE f (a INT) WITH (connector = 'file', path = '/etc/hostname') FORMAT PLAIN ENCODE CSV;
CREATE SINK f FROM later WITH (connector = 'file', path = '/tmp/f') FORMAT PLAIN ENCODE JSON;
CREATE SOURCE f (a INT) WITH (connector = 'posix_fs', posix_fs.root = '/etc') FORMAT PLAIN ENCODE CSV;
CREATE SOURCE f (a INT) WITH (connector = 'none') FORMAT PLAIN ENCODE AVRO (schema.location = '/etc/hostname');
CREATE SOURCE f (a INT) WITH (connector = 's3', s3.bucket_name = 'b') FORMAT PLAIN ENCODE CSV;
CREATE SINK f FROM later WITH (connector = 'fs', fs.path = '/tmp/f') FORMAT PLAIN ENCODE JSON;
CREATE CONNECTION f WITH (type = 'file', connector = 'file', path = '/etc/hostname');
ALTER SINK s SET (connector = 'file', path = '/tmp/f');
CREATE FUNCTION peek() RETURNS BIGINT LANGUAGE SQL RETURN (SELECT count(*) FROM eves);
SELECT peek();
SELECT add_retention_policy('later', INTERVAL '1 day');
CREATE TABLE fays (at TIMESTAMPTZ);
SELECT voltstream_backup('fays');
CALL run_job(1000);
SELECT show_chunks('meter');
SELECT pg_sleep(0) IS NULL AS slept;
-- session two as volt
GRANT pg_write_server_files TO fay;
REVOKE CONNECT ON DATABASE volt FROM PUBLIC;
SELECT array_to_string(datacl, ' ') AS acl FROM pg_database WHERE datname = 'volt';
GRANT CONNECT ON DATABASE volt TO PUBLIC;
