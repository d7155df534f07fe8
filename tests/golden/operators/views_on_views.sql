-- Every level is right in the same epoch, whatever the path.
CREATE SOURCE reading (meter VARCHAR, kwh NUMERIC(8,3));
CREATE TABLE meter (meter VARCHAR PRIMARY KEY, feeder VARCHAR);
CREATE MATERIALIZED VIEW per_meter AS SELECT meter, sum(kwh) AS kwh FROM reading GROUP BY meter;
CREATE VIEW placed AS SELECT m.feeder, p.meter, p.kwh FROM per_meter p JOIN meter m ON m.meter = p.meter;
CREATE MATERIALIZED VIEW per_feeder AS SELECT feeder, sum(kwh) AS kwh, count(*) AS meters FROM placed GROUP BY feeder;
CREATE MATERIALIZED VIEW grand AS SELECT sum(kwh) AS kwh FROM per_feeder;
-- The same input on two paths.
CREATE MATERIALIZED VIEW share AS
SELECT f.feeder, p.meter, round(p.kwh / f.kwh, 3) AS share FROM per_feeder f JOIN placed p ON p.feeder = f.feeder;
INSERT INTO meter VALUES ('a', 'n'), ('b', 'n'), ('c', 's');
INSERT INTO reading VALUES ('a', 1), ('b', 3), ('c', 10), ('d', 100);
SELECT * FROM per_feeder;
SELECT * FROM grand;
SELECT * FROM share;
BEGIN;
INSERT INTO reading VALUES ('a', 4);
UPDATE meter SET feeder = 's' WHERE meter = 'b';
INSERT INTO meter VALUES ('d', 'n');
SELECT * FROM grand;
COMMIT;
SELECT * FROM per_feeder;
SELECT * FROM grand;
SELECT * FROM share;
-- A view created later takes in what is there already.
CREATE MATERIALIZED VIEW late AS SELECT feeder FROM per_feeder WHERE kwh > 100;
SELECT * FROM late;
DELETE FROM meter WHERE feeder = 'n';
SELECT * FROM late;
SELECT * FROM grand;
SELECT * FROM share;
-- restart
SELECT * FROM per_feeder;
INSERT INTO reading VALUES ('c', 0.5);
SELECT * FROM per_feeder;
SELECT * FROM grand;
SELECT * FROM share;
