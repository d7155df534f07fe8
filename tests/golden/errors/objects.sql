CREATE TABLE meter (id INTEGER PRIMARY KEY, feeder VARCHAR);
CREATE SOURCE reading (meter INTEGER, kwh DOUBLE PRECISION);
CREATE MATERIALIZED VIEW total AS SELECT meter, sum(kwh) AS kwh FROM reading GROUP BY meter;
CREATE VIEW top AS SELECT * FROM total WHERE kwh > 10;
CREATE SINK out FROM total WITH (connector = 'blackhole');

-- The name is taken.
CREATE TABLE meter (id INTEGER);
CREATE SOURCE meter (id INTEGER);
CREATE VIEW meter AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW total AS SELECT 1 AS one;
CREATE SINK out FROM total WITH (connector = 'blackhole');
CREATE SCHEMA public;
CREATE DATABASE volt;
CREATE TABLE twice (a INTEGER, a INTEGER);
CREATE TABLE two_keys (a INTEGER PRIMARY KEY, b INTEGER PRIMARY KEY);
CREATE TABLE no_key (a INTEGER, PRIMARY KEY (b));
CREATE TABLE IF NOT EXISTS meter (id INTEGER);
CREATE SOURCE IF NOT EXISTS reading (id INTEGER);
CREATE MATERIALIZED VIEW IF NOT EXISTS total AS SELECT 1 AS one;
CREATE SINK IF NOT EXISTS out FROM total WITH (connector = 'blackhole');
CREATE SCHEMA IF NOT EXISTS public;
CREATE DATABASE IF NOT EXISTS volt;
CREATE TABLE nowhere.meter (id INTEGER);

-- Another kind of object.
DROP TABLE total;
DROP MATERIALIZED VIEW top;
DROP VIEW meter;
DROP SOURCE meter;
INSERT INTO total VALUES (1, 2);
INSERT INTO top VALUES (1, 2);
UPDATE reading SET kwh = 1;
DELETE FROM reading;
DELETE FROM total;
CREATE INDEX i ON top (meter);
SELECT * FROM out;

-- Something depends on it.
DROP SOURCE reading;
DROP MATERIALIZED VIEW total;
DROP TABLE IF EXISTS nothing;
DROP MATERIALIZED VIEW IF EXISTS nothing, neither;
DROP SCHEMA public;
DROP SOURCE reading CASCADE;
SHOW MATERIALIZED VIEWS;
SHOW SINKS;
SHOW TABLES;
DROP DATABASE volt;
DROP DATABASE elsewhere;
DROP DATABASE IF EXISTS elsewhere;
DROP SCHEMA nowhere;

-- Connectors and options.
CREATE SOURCE s (a INTEGER) WITH (connector = 'carrier pigeon');
CREATE SOURCE s (a INTEGER) WITH (connector = 'kafka');
CREATE SOURCE s (a INTEGER) WITH (connector = 'file');
CREATE SINK s FROM meter;
CREATE SINK s FROM meter WITH (connector = 'carrier pigeon');
CREATE SINK s FROM meter WITH (connector = 'file');
SHOW SOURCES;
SHOW nonsense;
SET nonsense.setting = 1;

-- Transactions.
COMMIT;
ROLLBACK;
BEGIN;
BEGIN;
SELECT 1 / 0;
SELECT 1;
COMMIT;
BEGIN;
CREATE DATABASE inside;
ROLLBACK;
-- Names of PostgreSQL's system columns.
CREATE TABLE t_system (v INT, cmin INT);
CREATE MATERIALIZED VIEW v_system AS SELECT 1 AS tableoid;
CREATE VIEW v_system (ctid) AS SELECT 1 AS x;
CREATE TABLE t_system (v INT, "xMin" INT);
