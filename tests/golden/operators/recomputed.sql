-- What has no delta rule is recomputed and compared, and CREATE says so.
CREATE TABLE reading (id INTEGER PRIMARY KEY, meter VARCHAR, kw INTEGER);
INSERT INTO reading VALUES (1, 'a', 5), (2, 'a', 7), (3, 'b', 1);
CREATE MATERIALIZED VIEW rest AS SELECT id, kw FROM reading ORDER BY kw DESC OFFSET 1;
CREATE MATERIALIZED VIEW steps AS
WITH RECURSIVE step(kw) AS (SELECT min(kw) FROM reading UNION ALL SELECT kw * 2 FROM step WHERE kw < 8)
SELECT kw FROM step;
SELECT * FROM rest;
SELECT * FROM steps;
UPDATE reading SET kw = 10 WHERE id = 3;
INSERT INTO reading VALUES (4, 'b', 2);
SELECT * FROM rest;
SELECT * FROM steps;
-- A view above takes the compared delta.
CREATE MATERIALIZED VIEW above AS SELECT sum(kw) AS kw FROM rest;
SELECT * FROM above;
DELETE FROM reading WHERE id = 3;
SELECT * FROM above;
