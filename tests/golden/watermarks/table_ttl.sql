-- WITH TTL: what is below a table's watermark is forgotten, and what comes late does not come in.
CREATE TABLE reads (meter INT PRIMARY KEY, at INT, kwh INT, WATERMARK FOR at AS at - 10 WITH TTL);
CREATE MATERIALIZED VIEW shown AS SELECT * FROM reads;
CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n, sum(kwh) AS kwh FROM reads;
INSERT INTO reads VALUES (1, 5, 100);
-- forgets
-- The mark moves after the statement: its own rows come in. Meter 1 is forgotten, its views keep it.
INSERT INTO reads VALUES (2, 20, 200), (9, 1, 900);
SELECT * FROM reads ORDER BY meter;
SELECT * FROM shown ORDER BY meter, at;
SELECT * FROM total;
-- At the mark is in time, below it is late.
INSERT INTO reads VALUES (3, 10, 300), (4, 9, 400);
SELECT * FROM reads ORDER BY meter;
-- An update in time replaces; one to before the mark deletes; a key that was forgotten is new.
INSERT INTO reads VALUES (3, 12, 301);
INSERT INTO reads VALUES (2, 3, 201);
INSERT INTO reads VALUES (1, 18, 101);
SELECT * FROM reads ORDER BY meter;
SELECT * FROM shown ORDER BY meter, at;
UPDATE reads SET at = 2 WHERE meter = 3;
DELETE FROM reads WHERE meter = 9;
SELECT * FROM reads ORDER BY meter;
SELECT * FROM shown ORDER BY meter, at;
SELECT convert_from(raw, 'UTF8') AS row, reason FROM dead_letters ORDER BY id;
SHOW CREATE TABLE reads;
-- restart
INSERT INTO reads VALUES (5, 40, 500), (6, NULL, 600);
INSERT INTO reads VALUES (7, 29, 700) ON CONFLICT DO NOTHING;
SELECT * FROM reads ORDER BY meter;
SELECT * FROM total;
-- Rows without a key, by a timestamp.
CREATE TABLE events (name TEXT, at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '1 hour' WITH TTL) APPEND ONLY;
INSERT INTO events VALUES ('a', '2026-01-01 00:00'), ('b', '2026-01-01 02:00');
INSERT INTO events VALUES ('c', '2026-01-01 00:30'), ('d', '2026-01-01 01:30') RETURNING name;
SELECT * FROM events ORDER BY at;
ALTER TABLE reads ALTER WATERMARK FOR at AS at - 2 WITH TTL;
INSERT INTO reads VALUES (8, 41, 800);
SELECT * FROM reads ORDER BY meter;
SHOW CREATE TABLE reads;
DROP TABLE events;
DROP TABLE reads CASCADE;
-- Another rule for the mark keeps to its type, and to TTL; a number without TTL has one too.
CREATE TABLE ruled (k INT PRIMARY KEY, at INT, WATERMARK FOR at AS at - 10 WITH TTL);
ALTER TABLE ruled ALTER WATERMARK FOR at AS coalesce(at, 0) - 5 WITH TTL;
SHOW CREATE TABLE ruled;
ALTER TABLE ruled ALTER WATERMARK FOR at AS at - 5;
ALTER TABLE ruled ALTER WATERMARK FOR at AS to_timestamp(at) WITH TTL;
ALTER TABLE ruled ALTER WATERMARK FOR k AS k - 1 WITH TTL;
CREATE TABLE wrong (v INT, WATERMARK FOR v AS to_timestamp(v) - INTERVAL '5' SECOND);
CREATE SOURCE wrong (v INT, WATERMARK FOR w AS w - 1);
CREATE TABLE plain (at INT, WATERMARK FOR at AS at - 10) APPEND ONLY;
ALTER TABLE plain ALTER WATERMARK FOR at AS at - 5;
SHOW CREATE TABLE plain;
