-- The first rows, of all or of each partition: they move up when one above them goes.
CREATE TABLE reading (id INTEGER PRIMARY KEY, meter VARCHAR, kw INTEGER);
INSERT INTO reading VALUES (1, 'a', 5), (2, 'a', 7), (3, 'b', 1), (4, 'b', NULL), (5, 'a', 7);
CREATE MATERIALIZED VIEW top2 AS SELECT id, kw FROM reading ORDER BY kw DESC NULLS LAST, id LIMIT 2;
CREATE MATERIALIZED VIEW next AS SELECT id FROM reading ORDER BY id LIMIT 2 OFFSET 2;
CREATE MATERIALIZED VIEW tied AS SELECT id, kw FROM reading ORDER BY kw DESC NULLS LAST FETCH FIRST 1 ROW WITH TIES;
CREATE MATERIALIZED VIEW newest AS
SELECT meter, id, kw FROM (SELECT *, row_number() OVER (PARTITION BY meter ORDER BY id DESC) AS n FROM reading) r WHERE n = 1;
CREATE MATERIALIZED VIEW ranks AS
SELECT * FROM (SELECT id, meter, rank() OVER (PARTITION BY meter ORDER BY kw DESC NULLS LAST) AS place FROM reading) r WHERE place <= 2;
CREATE MATERIALIZED VIEW dense AS
SELECT * FROM (SELECT id, dense_rank() OVER (ORDER BY kw) AS place FROM reading) r WHERE place < 3;
CREATE MATERIALIZED VIEW none AS SELECT id FROM reading ORDER BY id LIMIT 0;
SELECT * FROM top2;
SELECT * FROM next;
SELECT * FROM tied;
SELECT * FROM newest;
SELECT * FROM ranks;
SELECT * FROM dense;
SELECT * FROM none;
DELETE FROM reading WHERE id = 2;
SELECT * FROM top2;
SELECT * FROM next;
SELECT * FROM tied;
SELECT * FROM ranks;
INSERT INTO reading VALUES (6, 'b', 9);
UPDATE reading SET kw = 9 WHERE id = 5;
SELECT * FROM top2;
SELECT * FROM tied;
SELECT * FROM newest;
SELECT * FROM ranks;
SELECT * FROM dense;
-- Over groups, and a group of the winners.
CREATE MATERIALIZED VIEW busiest AS
SELECT meter, count(*) AS n FROM reading GROUP BY meter ORDER BY n DESC, meter LIMIT 1;
CREATE MATERIALIZED VIEW sum2 AS SELECT sum(kw) AS kw FROM top2;
SELECT * FROM busiest;
DELETE FROM reading WHERE meter = 'a';
SELECT * FROM busiest;
SELECT * FROM sum2;
SELECT * FROM next;
DELETE FROM reading;
SELECT * FROM top2;
SELECT * FROM sum2;
-- A source only grows: the winners are all that is kept.
CREATE SOURCE ping (meter VARCHAR, at INTEGER);
CREATE MATERIALIZED VIEW last_pings AS
SELECT meter, at FROM (SELECT *, row_number() OVER (PARTITION BY meter ORDER BY at DESC) AS n FROM ping) p WHERE n <= 2;
INSERT INTO ping VALUES ('a', 1), ('a', 2), ('b', 1);
INSERT INTO ping VALUES ('a', 3), ('b', 0), ('b', 5);
SELECT * FROM last_pings;
