CREATE TABLE meter (id INTEGER PRIMARY KEY, feeder VARCHAR, kwh NUMERIC(10,2));
CREATE TABLE feeder (feeder VARCHAR PRIMARY KEY, kva INTEGER);

-- Relations.
SELECT * FROM metre;
SELECT * FROM public.metre;
SELECT * FROM nowhere.meter;
SELECT m.id FROM meter m JOIN feedr f ON f.feeder = m.feeder;
SELECT id FROM meter WHERE feeder IN (SELECT feeder FROM feedr);
WITH x AS (SELECT 1 AS one) SELECT * FROM y;
INSERT INTO metre VALUES (1);
UPDATE metre SET id = 1;
DELETE FROM metre;
TRUNCATE metre;
COPY metre FROM STDIN;
\.
DROP TABLE metre;
DROP MATERIALIZED VIEW metre;
DESCRIBE metre;
SHOW COLUMNS FROM metre;
CREATE MATERIALIZED VIEW v AS SELECT * FROM metre;
CREATE VIEW v AS SELECT * FROM metre;
CREATE SINK s FROM metre WITH (connector = 'blackhole');
CREATE MATERIALIZED VIEW v AS
SELECT feeder, count(*)
FROM TUMBLE(metre, at, INTERVAL '1 minute')
GROUP BY feeder;

-- Columns.
SELECT idd FROM meter;
SELECT m.idd FROM meter m;
SELECT x.id FROM meter m;
SELECT meter.id FROM meter m;
SELECT id FROM meter WHERE kw > 1;
SELECT id FROM meter ORDER BY kw;
SELECT feeder, count(*) FROM meter GROUP BY feder;
SELECT feeder FROM meter m JOIN feeder f ON m.feeder = f.feeder;
SELECT m.id FROM meter m JOIN feeder f ON m.feeder = f.name;
SELECT id, (SELECT max(kvaa) FROM feeder) FROM meter;
INSERT INTO meter (id, kw) VALUES (1, 2);
UPDATE meter SET kw = 1;
UPDATE meter SET kwh = kw;
DELETE FROM meter WHERE kw = 1;
CREATE MATERIALIZED VIEW v AS SELECT kw FROM meter;
CREATE MATERIALIZED VIEW v AS SELECT feeder FROM meter m JOIN feeder f ON m.feeder = f.feeder;
CREATE MATERIALIZED VIEW v AS SELECT feeder, id, count(*) FROM meter GROUP BY feeder;
SELECT feeder, id, count(*) FROM meter GROUP BY feeder;
CREATE INDEX i ON meter (kw);
COMMENT ON COLUMN meter.kw IS 'no';

-- Functions and types.
SELECT nosuch(id) FROM meter;
SELECT upper(id, 1) FROM meter;
SELECT sum(feeder) FROM meter;
SELECT id::nosuch FROM meter;
CAST;
CREATE TABLE t (a nosuch);
CREATE MATERIALIZED VIEW v AS SELECT nosuch(id) AS x FROM meter;
