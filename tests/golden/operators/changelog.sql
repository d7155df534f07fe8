-- WITH c AS changelog FROM t: every change stays as a row. 1 insert, 2 delete, 3 and 4 the new and old row of an update.
CREATE TABLE keyed (id INT PRIMARY KEY, kw INT);
CREATE TABLE bag (meter INT, kw INT);
CREATE TABLE flow (meter INT, kw INT) APPEND ONLY;
INSERT INTO keyed VALUES (1, 10);
CREATE MATERIALIZED VIEW of_keyed AS WITH c AS changelog FROM keyed SELECT *, _changelog_row_id AS n FROM c;
CREATE MATERIALIZED VIEW of_bag (m, p, op) AS WITH c AS changelog FROM public.bag SELECT * FROM c;
CREATE MATERIALIZED VIEW of_flow AS WITH c AS changelog FROM flow SELECT meter, changelog_op FROM c WHERE kw > 1;
INSERT INTO keyed VALUES (2, 20), (3, 30);
UPDATE keyed SET kw = kw + 1 WHERE id < 3;
DELETE FROM keyed WHERE id = 3;
INSERT INTO keyed VALUES (1, 99);
SELECT * FROM of_keyed ORDER BY n;
-- A transaction is one change: what it takes back itself was never there.
BEGIN; INSERT INTO keyed VALUES (7, 1); UPDATE keyed SET kw = 2 WHERE id = 7; DELETE FROM keyed WHERE id = 2; INSERT INTO keyed VALUES (2, 5); COMMIT;
SELECT * FROM of_keyed WHERE n > 9 ORDER BY n;
-- Without a key, an epoch that takes as many rows as it brings has changed them.
INSERT INTO bag VALUES (1, 1), (1, 1), (2, 2);
UPDATE bag SET kw = 100 WHERE meter = 1;
DELETE FROM bag WHERE meter = 2;
SELECT * FROM of_bag ORDER BY m, p, op;
INSERT INTO flow VALUES (1, 1), (2, 2);
SELECT * FROM of_flow;
-- Over a view; two in one query; as an append-only input of others.
CREATE MATERIALIZED VIEW total AS SELECT meter, sum(kw) AS kw FROM bag GROUP BY meter;
CREATE MATERIALIZED VIEW of_total AS WITH c AS changelog FROM total SELECT * FROM c;
CREATE MATERIALIZED VIEW both AS
WITH a AS changelog FROM keyed, b AS changelog FROM bag SELECT a.id, a.changelog_op AS x, b.changelog_op AS y FROM a JOIN b ON a.id = b.meter;
CREATE MATERIALIZED VIEW per_op AS SELECT changelog_op, count(*) AS n FROM of_keyed GROUP BY changelog_op;
INSERT INTO bag VALUES (1, 1), (4, 4);
SELECT * FROM of_total ORDER BY 1, 2, 3;
SELECT * FROM both ORDER BY 1, 2, 3;
SELECT * FROM per_op ORDER BY 1;
-- restart
UPDATE keyed SET kw = 0 WHERE id = 1;
SELECT * FROM of_keyed ORDER BY n DESC LIMIT 2;
ALTER TABLE keyed RENAME TO renamed;
DELETE FROM renamed;
SELECT count(*) FROM of_keyed WHERE changelog_op = 2;
EXPLAIN (INCREMENTAL) SELECT * FROM of_flow;
EXPLAIN (INCREMENTAL) WITH c AS changelog FROM renamed SELECT * FROM c;
WITH c AS changelog FROM bag SELECT * FROM c;
CREATE VIEW plain AS SELECT DISTINCT meter FROM bag;
CREATE MATERIALIZED VIEW refused AS WITH c AS changelog FROM plain SELECT * FROM c;
CREATE MATERIALIZED VIEW refused AS WITH c AS changelog FROM nothing SELECT * FROM c;
SHOW CREATE MATERIALIZED VIEW of_bag;
DROP TABLE bag;
