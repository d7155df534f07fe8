CREATE SCHEMA site;
CREATE TABLE meter (id INTEGER PRIMARY KEY, feeder VARCHAR NOT NULL, kwh NUMERIC(10,2) DEFAULT 0, tags VARCHAR[], at TIMESTAMPTZ);
CREATE SOURCE reading (meter INTEGER, kwh DOUBLE PRECISION);
CREATE TABLE site.plan (id BIGINT);
CREATE MATERIALIZED VIEW total AS SELECT meter, sum(kwh) AS kwh FROM reading GROUP BY meter;
CREATE VIEW top AS SELECT * FROM total WHERE kwh > 10;
CREATE SINK gone FROM total WITH (connector = 'blackhole');
CREATE INDEX by_feeder ON meter (feeder);
SHOW TABLES;
SHOW SOURCES;
SHOW MATERIALIZED VIEWS;
SHOW VIEWS;
SHOW SINKS;
SHOW INDEXES;
SHOW SCHEMAS;
SHOW DATABASES;
SHOW TABLES FROM site;
SHOW TABLES LIKE 'm%';
SHOW COLUMNS FROM meter;
SHOW CREATE TABLE meter;
SHOW CREATE MATERIALIZED VIEW total;
SHOW CREATE SOURCE reading;
SHOW CREATE VIEW top;
SHOW CREATE SINK gone;
DESCRIBE meter;
DESCRIBE reading;
DESCRIBE total;
DESCRIBE top;
DESCRIBE site.plan;

-- Comments.
COMMENT ON TABLE meter IS 'Every meter of the grid';
COMMENT ON COLUMN meter.kwh IS 'the register';
COMMENT ON MATERIALIZED VIEW total IS 'per meter';
COMMENT ON SOURCE reading IS NULL;
COMMENT ON TABLE total IS 'not a table';
DESCRIBE meter;
COMMENT ON COLUMN meter.kwh IS NULL;
DESCRIBE meter;

-- Settings.
SHOW timezone;
SET timezone = 'Europe/Berlin';
SHOW timezone;
RESET timezone;
SHOW timezone;
SHOW server_version;
SELECT name, schema FROM rw_tables ORDER BY name;
SELECT name, connector, state FROM rw_sources;
SELECT name, definition FROM rw_materialized_views;

-- However it was written, a definition is shown in one way, under the present name.
create table if not exists plain_words (k int primary key, said varchar) with (retention='1d');
create index   if not exists by_said on plain_words (said) include (k);
create or replace view worded as select k , said from plain_words
    where k in (1,2) order by k;
alter table plain_words rename to "Plain words";
show create table "Plain words";
show create index by_said;
show create view worded;
drop table "Plain words" cascade;
