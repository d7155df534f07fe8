-- A window call looks at its partition; what changes there is shown anew, the rest stays.
CREATE TABLE reading (id INTEGER PRIMARY KEY, meter VARCHAR, kwh INTEGER);
INSERT INTO reading VALUES (1, 'a', 5), (2, 'a', 7), (3, 'b', 1), (4, 'a', 12);
CREATE MATERIALIZED VIEW used AS
SELECT id, meter, kwh - lag(kwh) OVER w AS used, lead(id, 1, 0) OVER w AS next_id
FROM reading WINDOW w AS (PARTITION BY meter ORDER BY id);
CREATE MATERIALIZED VIEW running AS
SELECT id, sum(kwh) OVER (ORDER BY id) AS total, count(*) OVER () AS n,
       avg(kwh) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS mean
FROM reading;
CREATE MATERIALIZED VIEW ends AS
SELECT id, first_value(kwh) OVER w AS first, last_value(kwh) OVER w AS last, nth_value(kwh, 2) OVER w AS second
FROM reading WINDOW w AS (PARTITION BY meter ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING);
CREATE MATERIALIZED VIEW shares AS
SELECT meter, sum(kwh) AS kwh, rank() OVER (ORDER BY sum(kwh) DESC) AS place, sum(sum(kwh)) OVER () AS total
FROM reading GROUP BY meter;
CREATE MATERIALIZED VIEW jumps AS
SELECT id FROM (SELECT id, kwh - lag(kwh) OVER (PARTITION BY meter ORDER BY id) AS used FROM reading) r WHERE used > 3;
SELECT * FROM used;
SELECT * FROM running;
SELECT * FROM ends;
SELECT * FROM shares;
SELECT * FROM jumps;
DELETE FROM reading WHERE id = 2;
SELECT * FROM used;
SELECT * FROM running;
SELECT * FROM ends;
SELECT * FROM shares;
SELECT * FROM jumps;
UPDATE reading SET meter = 'b', kwh = 4 WHERE id = 4;
INSERT INTO reading VALUES (5, NULL, 2), (6, NULL, 9);
SELECT * FROM used;
SELECT * FROM shares;
SELECT * FROM jumps;
SELECT id, sum(kwh) OVER nowhere FROM reading;
CREATE MATERIALIZED VIEW wrong AS SELECT id, sum(kwh) OVER nowhere AS s FROM reading;
DELETE FROM reading;
SELECT * FROM used;
SELECT * FROM shares;
