-- Several groupings of the same rows; the total is there before the first row.
CREATE TABLE session (site VARCHAR, card VARCHAR, kwh INTEGER);
CREATE MATERIALIZED VIEW totals AS
SELECT site, card, sum(kwh) AS kwh, count(*) AS n, grouping(site, card) AS level FROM session GROUP BY ROLLUP (site, card);
CREATE MATERIALIZED VIEW cube AS SELECT site, card, count(*) AS n FROM session GROUP BY CUBE (site, card) HAVING count(*) > 1;
CREATE MATERIALIZED VIEW sets AS SELECT site, card, max(kwh) AS most FROM session GROUP BY GROUPING SETS ((site), (card), ());
SELECT * FROM totals;
SELECT * FROM sets;
INSERT INTO session VALUES ('Ulm', 'a', 5), ('Ulm', 'b', 2), (NULL, 'a', 1);
SELECT * FROM totals;
SELECT * FROM cube;
SELECT * FROM sets;
DELETE FROM session WHERE kwh = 5;
SELECT * FROM totals;
SELECT * FROM cube;
SELECT * FROM sets;
DELETE FROM session;
SELECT * FROM totals;
-- A set that groups by the key alone leaves the other sets' columns NULL.
CREATE TABLE keyed (id INT PRIMARY KEY, kw INT);
CREATE MATERIALIZED VIEW of_keyed AS SELECT id, kw, count(*) AS n FROM keyed GROUP BY ROLLUP (id, kw);
INSERT INTO keyed VALUES (1, 5);
SELECT * FROM of_keyed ORDER BY id, kw;
