-- A view created later takes in what is there; a source keeps its rows for that.
CREATE SOURCE reading (meter VARCHAR, kwh DOUBLE PRECISION);
CREATE TABLE meter (meter VARCHAR PRIMARY KEY, feeder VARCHAR);
INSERT INTO reading VALUES ('a', 1), ('a', 2), ('b', 4);
INSERT INTO meter VALUES ('a', 'n');
SELECT * FROM reading;
CREATE MATERIALIZED VIEW per_feeder AS
SELECT m.feeder, sum(r.kwh) AS kwh, count(*) AS n FROM reading r LEFT JOIN meter m ON m.meter = r.meter GROUP BY m.feeder;
SELECT * FROM per_feeder;
INSERT INTO meter VALUES ('b', 's');
SELECT * FROM per_feeder;
-- restart
INSERT INTO reading VALUES ('b', 8);
SELECT * FROM per_feeder;
CREATE MATERIALIZED VIEW above AS SELECT max(kwh) AS most FROM per_feeder;
SELECT * FROM above;
DELETE FROM meter WHERE meter = 'b';
SELECT * FROM above;
