\set ON_ERROR_STOP 0
\pset pager off
\pset null '(null)'
\echo :SERVER_VERSION_NAME :ENCODING :DBNAME :USER
\conninfo
\encoding
\! true
CREATE TABLE stations (id int PRIMARY KEY, name varchar NOT NULL, kw numeric(9,2) DEFAULT 5 CHECK (kw > 0), tags text[], UNIQUE (name));
CREATE SOURCE readings (station int, kwh double precision, at timestamptz) WITH (connector = 'none', region = 'north') FORMAT PLAIN ENCODE JSON;
CREATE VIEW busy AS SELECT id, name FROM stations WHERE kw > 10;
CREATE MATERIALIZED VIEW per_name AS SELECT name, count(*) AS n, sum(kw) AS kw FROM stations GROUP BY name;
CREATE INDEX on_n ON per_name (n);
CREATE FUNCTION doubled(x int) RETURNS int LANGUAGE sql AS 'SELECT x * 2';
CREATE SCHEMA extra;
CREATE TABLE extra.notes (at date, note text);
COMMENT ON TABLE stations IS 'Where cars charge';
COMMENT ON COLUMN stations.kw IS 'At the plug';
INSERT INTO stations VALUES (1, 'a', 11, '{x,y}'), (2, 'b', 22.5, NULL), (3, 'c', DEFAULT, '{}');
\d
\d+
\d stations
\d+ stations
\d busy
\d+ busy
\d per_name
\d+ per_name
\d readings
\d on_n
\d stations_pkey
\d st*
\d extra.*
\d nothing
\dt
\dt *.notes
\dt+ stations
\dv
\dm
\di
\di+ on_n
\dE
\ds
\dn
\dn+
\df
\df doubled
\da sum
\dT int4
\dD
\db
\dc
\dC
\dd
\dF
\dg
\dL
\dx
\dy
\dP
\dRp
\dRs
\des
\det
\l
\dconfig server_version
\sf doubled
\sv busy
\sv+ busy
CREATE ROLE reader;
CREATE USER ann;
GRANT SELECT ON stations TO reader;
GRANT SELECT (id, name), UPDATE (kw) ON stations TO ann;
GRANT reader TO ann;
ALTER DEFAULT PRIVILEGES IN SCHEMA extra GRANT SELECT ON TABLES TO reader;
\dp stations
\z busy
\ddp
\du
\drds
SELECT * FROM stations ORDER BY id;
\x
SELECT * FROM stations WHERE id = 1;
\x
\x auto
SELECT 1 AS one;
\x off
\a
SELECT id, name FROM stations ORDER BY id;
\a
\t
SELECT count(*) FROM stations;
\t
\pset border 2
SELECT id, tags FROM stations ORDER BY id;
\pset border 1
\pset format csv
SELECT id, kw FROM stations ORDER BY id;
\pset format html
SELECT id FROM stations WHERE id = 1;
\pset format aligned
\pset footer off
SELECT id FROM stations WHERE id = 2;
\pset footer on
SELECT id, name, kw, tags FROM stations \gdesc
SELECT 1 AS a, 'text' AS b, now() AS c, 1.5 AS d, NULL AS e \gdesc
SELECT count(*) AS counted, max(kw) AS most FROM stations \gset
\echo :counted :most
SELECT name FROM stations WHERE id = 2 \gset found_
\echo :found_name :'found_name' :"found_name"
SELECT id FROM stations WHERE name = :'found_name';
SELECT format('SELECT %s AS n, %L AS name', id, name) FROM stations ORDER BY id \gexec
SELECT name, id, kw FROM stations ORDER BY id \crosstabview
SELECT id % 2 AS odd, name, kw FROM stations ORDER BY id \crosstabview odd name kw
SELECT id FROM stations WHERE id = 1 \g (tuples_only=on format=unaligned)
SELECT id FROM stations WHERE id = 1 \gx
CREATE TABLE beats (n int);
INSERT INTO beats SELECT count(*) FROM beats WHERE (SELECT 1 / (2 - count(*)) FROM beats) IS NOT NULL \watch 0.05
SELECT n FROM beats ORDER BY n;
\set limit 2
SELECT id FROM stations ORDER BY id LIMIT :limit;
\unset limit
\if :{?limit}
\echo still there
\elif true
\echo gone
\else
\echo never
\endif
SELECT count(*) > 2 AS many FROM stations \gset
\if :many
\echo many
\else
\echo few
\endif
SELECT nothing FROM stations;
\errverbose
SELEC 1;
INSERT INTO stations VALUES (1, 'z', -1, NULL);
\set VERBOSITY verbose
SELECT 1 / 0;
\set VERBOSITY sqlstate
SELECT 1 / 0;
\set VERBOSITY default
\echo :ERROR :SQLSTATE :ROW_COUNT :LAST_ERROR_SQLSTATE
\set SHOW_ALL_RESULTS off
SELECT 1 \; SELECT 2;
\set SHOW_ALL_RESULTS on
SELECT 1 AS a \; SELECT 2 AS b;
\set AUTOCOMMIT off
UPDATE stations SET kw = 99 WHERE id = 1;
ROLLBACK;
\set AUTOCOMMIT on
SELECT kw FROM stations WHERE id = 1;
BEGIN;
\set ON_ERROR_ROLLBACK on
INSERT INTO stations VALUES (4, 'd', 4, NULL);
SELECT nothing;
SELECT count(*) FROM stations;
\set ON_ERROR_ROLLBACK off
ROLLBACK;
\copy stations (id, name) from stdin
5	e
6	f
\.
\copy (SELECT id, name FROM stations WHERE id > 4 ORDER BY id) to stdout with (format csv, header)
COPY (SELECT id, kw FROM stations WHERE id < 3 ORDER BY id) TO STDOUT;
\set FETCH_COUNT 2
SELECT id FROM stations ORDER BY id;
\set FETCH_COUNT 0
\set ECHO_HIDDEN off
\lo_list
\timing
\timing off
\qecho written
\warn warned
\cd .
\c
\c volt volt
SELECT current_user, current_database();
\c nowhere
