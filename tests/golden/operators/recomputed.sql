-- What has no delta rule is recomputed and compared, and CREATE says so.
CREATE TABLE reading (id INTEGER PRIMARY KEY, meter VARCHAR, kw INTEGER);
INSERT INTO reading VALUES (1, 'a', 5), (2, 'a', 7), (3, 'b', 1);
CREATE MATERIALIZED VIEW top AS SELECT id, kw FROM reading ORDER BY kw DESC LIMIT 2;
CREATE MATERIALIZED VIEW running AS
SELECT id, sum(kw) OVER (PARTITION BY meter ORDER BY id) AS total FROM reading;
CREATE MATERIALIZED VIEW loud AS
SELECT id FROM reading r WHERE kw > (SELECT avg(kw) FROM reading x WHERE x.meter = r.meter);
CREATE MATERIALIZED VIEW med AS SELECT meter, percentile_cont(0.5) WITHIN GROUP (ORDER BY kw) AS p50 FROM reading GROUP BY meter;
CREATE MATERIALIZED VIEW sets AS SELECT meter, kw FROM reading GROUP BY GROUPING SETS ((meter), (kw));
SELECT * FROM top;
SELECT * FROM running;
SELECT * FROM loud;
SELECT * FROM med;
SELECT * FROM sets;
UPDATE reading SET kw = 10 WHERE id = 3;
INSERT INTO reading VALUES (4, 'b', 2);
SELECT * FROM top;
SELECT * FROM running;
SELECT * FROM loud;
SELECT * FROM med;
SELECT * FROM sets;
-- A view above takes the compared delta.
CREATE MATERIALIZED VIEW above AS SELECT sum(kw) AS kw FROM top;
SELECT * FROM above;
DELETE FROM reading WHERE id = 3;
SELECT * FROM above;
