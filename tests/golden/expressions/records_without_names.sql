-- A record made by ROW(…) has the fields f1, f2 …, also behind a view.
CREATE TABLE readings (k INT PRIMARY KEY, v STRUCT<a INT, b STRUCT<a INT, b INT>>);
INSERT INTO readings VALUES (1, ROW(1, ROW(1, 1))), (2, ROW(1, ROW(1, 2))), (3, NULL);
CREATE MATERIALIZED VIEW pairs AS SELECT ROW(k, 'x') AS r FROM readings;
CREATE MATERIALIZED VIEW apart AS SELECT (r).f1, (r).f2 FROM pairs;
SELECT * FROM apart ORDER BY 1;
SELECT (r).f1 + 1 FROM pairs ORDER BY 1;
SELECT (r).f3 FROM pairs;
SELECT (r).f1 FROM (SELECT ROW(7, 8) AS r) AS s;
-- Records with names and without are compared field by field.
SELECT k, v = ROW(1, ROW(1, 1)) AS same, v < ROW(1, ROW(1, 2)) AS before, v <> ROW(1, ROW(1, 1)) AS other FROM readings ORDER BY k;
CREATE MATERIALIZED VIEW same AS SELECT k FROM readings WHERE v = ROW(1, ROW(1, 1));
SELECT * FROM same;
UPDATE readings SET v = ROW(1, ROW(1, 1)) WHERE k > 1;
SELECT * FROM same ORDER BY k;
SELECT v = ROW(1) FROM readings;
-- The elements of an array and their places.
SELECT * FROM information_schema._pg_expandarray(ARRAY['a', 'b']);
SELECT e.n, e.x FROM information_schema._pg_expandarray(ARRAY[5, 6]) AS e ORDER BY e.n DESC;
