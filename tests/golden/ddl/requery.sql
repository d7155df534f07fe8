-- ALTER MATERIALIZED VIEW … AS: the same name over another query, filled in the same epoch.
CREATE TABLE read (meter int, wh int);
INSERT INTO read VALUES (1, 10), (1, 20), (2, 5);
CREATE MATERIALIZED VIEW load AS SELECT meter, sum(wh) AS wh FROM read GROUP BY meter;
COMMENT ON MATERIALIZED VIEW load IS 'per meter';
ALTER MATERIALIZED VIEW load AS SELECT meter, max(wh) AS top, count(*) AS n FROM read GROUP BY meter;
SELECT * FROM load ORDER BY meter;
INSERT INTO read VALUES (2, 50);
SELECT * FROM load ORDER BY meter;
SHOW CREATE MATERIALIZED VIEW load;
SELECT obj_description('load'::regclass);
-- restart
INSERT INTO read VALUES (3, 1);
SELECT * FROM load ORDER BY meter;
CREATE MATERIALIZED VIEW above AS SELECT sum(top) FROM load;
ALTER MATERIALIZED VIEW load AS SELECT meter FROM read;
DROP MATERIALIZED VIEW above;
ALTER MATERIALIZED VIEW load AS SELECT meter FROM load;
ALTER MATERIALIZED VIEW load AS SELECT nothing FROM read;
SELECT * FROM load ORDER BY meter;
ALTER MATERIALIZED VIEW read AS SELECT 1;
ALTER MATERIALIZED VIEW nothing AS SELECT 1;
BEGIN;
ALTER MATERIALIZED VIEW load AS SELECT 1 AS one;
ROLLBACK;
INSERT INTO read VALUES (3, 2);
SELECT * FROM load ORDER BY meter;
-- A session stays in its database.
USE volt;
USE nowhere;
CREATE DATABASE elsewhere;
USE elsewhere;
DROP DATABASE elsewhere;
-- What an identity column takes.
CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY, a int);
INSERT INTO numbered (a) VALUES (1);
UPDATE numbered SET id = 5;
UPDATE numbered SET a = 2 RETURNING id, a;
-- NaN and infinity: floats have them, numerics do not.
SELECT x FROM (VALUES ('NaN'::float8), (1), ('inf'), ('-Infinity'), (NULL)) t(x) ORDER BY x;
SELECT 'NaN'::float8 = 'NaN'::float8 AS same, 'NaN'::float8 > 'inf'::float8 AS above;
SELECT 'NaN'::numeric;
SELECT '-Infinity'::numeric;
SELECT 'NaN'::float8::numeric;
SELECT x::numeric FROM (VALUES ('inf'::float8)) t(x);
SELECT 'inf'::float8::int;
CREATE TABLE f (a float8);
CREATE MATERIALIZED VIEW extremes AS SELECT max(a), min(a), count(*) FROM f;
INSERT INTO f VALUES ('NaN'), (1), ('-inf');
SELECT * FROM extremes;
DELETE FROM f WHERE a = 'NaN';
SELECT * FROM extremes;
