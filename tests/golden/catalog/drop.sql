-- What others depend on stays, unless CASCADE says so.
CREATE TABLE meter (id INTEGER PRIMARY KEY, feeder VARCHAR);
CREATE INDEX by_feeder ON meter (feeder);
CREATE MATERIALIZED VIEW per_feeder AS SELECT feeder, count(*) AS n FROM meter GROUP BY feeder;
CREATE VIEW large AS SELECT * FROM per_feeder WHERE n > 1;
CREATE MATERIALIZED VIEW feeders AS SELECT feeder FROM large;
CREATE SINK out FROM feeders WITH (connector = 'blackhole');
INSERT INTO meter VALUES (1, 'n'), (2, 'n'), (3, 's');
SELECT * FROM feeders;
DROP TABLE meter;
DROP MATERIALIZED VIEW per_feeder;
DROP VIEW large;
DROP MATERIALIZED VIEW feeders;
DROP SINK out;
DROP MATERIALIZED VIEW feeders;
DROP VIEW large;
DROP INDEX by_feeder;
SHOW INDEXES;
DROP MATERIALIZED VIEW per_feeder;
-- The same names again, with other meanings.
CREATE MATERIALIZED VIEW per_feeder AS SELECT feeder, max(id) AS n FROM meter GROUP BY feeder;
SELECT * FROM per_feeder;
CREATE VIEW large AS SELECT * FROM per_feeder WHERE n > 2;
SELECT * FROM large;
CREATE OR REPLACE VIEW large AS SELECT * FROM per_feeder WHERE n > 1;
SELECT * FROM large;
DROP TABLE meter CASCADE;
SELECT * FROM large;
SHOW MATERIALIZED VIEWS;
CREATE TABLE meter (name VARCHAR);
INSERT INTO meter VALUES ('x');
SELECT * FROM meter;
DROP TABLE IF EXISTS meter, nothing;

-- Schemas and databases.
CREATE SCHEMA site;
CREATE TABLE site.plan (id INTEGER);
DROP SCHEMA site;
DROP SCHEMA site CASCADE;
SELECT * FROM site.plan;
CREATE DATABASE other;
SHOW DATABASES;
DROP DATABASE other;
SHOW DATABASES;
