-- HAVING decides after each epoch anew.
CREATE TABLE offline (id INTEGER PRIMARY KEY, feeder VARCHAR, minutes INTEGER);
CREATE MATERIALIZED VIEW outage AS
SELECT feeder, count(*) AS meters FROM offline GROUP BY feeder HAVING count(*) >= 2 AND max(minutes) > 5;
INSERT INTO offline VALUES (1, 'n', 3), (2, 's', 9);
SELECT * FROM outage;
INSERT INTO offline VALUES (3, 'n', 6), (4, 's', 1);
SELECT * FROM outage;
UPDATE offline SET minutes = 2 WHERE id = 3;
SELECT * FROM outage;
DELETE FROM offline WHERE id = 4;
SELECT * FROM outage;

-- Groups by an expression, by position and by an alias.
CREATE MATERIALIZED VIEW buckets AS SELECT minutes / 5 AS bucket, count(*) AS n FROM offline GROUP BY minutes / 5;
CREATE MATERIALIZED VIEW by_position AS SELECT upper(feeder) AS f, count(*) AS n FROM offline GROUP BY 1;
CREATE MATERIALIZED VIEW by_alias AS SELECT upper(feeder) AS f, count(*) AS n FROM offline GROUP BY f;
CREATE MATERIALIZED VIEW arithmetic AS SELECT feeder, sum(minutes) * 60 + count(*) AS x, sum(minutes) / count(*) AS y FROM offline GROUP BY feeder;
INSERT INTO offline VALUES (5, 'n', 11), (6, 'S', 12);
SELECT * FROM buckets;
SELECT * FROM by_position;
SELECT * FROM by_alias;
SELECT * FROM arithmetic;
