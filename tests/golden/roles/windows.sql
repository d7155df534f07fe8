-- A function over a table, and its changelog, need the right to read it.
CREATE TABLE tap (card INT, at TIMESTAMP, kw INT);
INSERT INTO tap VALUES (1, '2026-01-01 10:00', 1), (1, '2026-01-01 10:02', 2);
CREATE USER ann;
GRANT CREATE ON SCHEMA public TO ann;
-- session one as ann
SELECT * FROM TUMBLE(tap, at, INTERVAL '1 minute');
SELECT * FROM SESSION(tap, card, at, INTERVAL '1 minute');
SELECT * FROM GAP_FILL(tap, at, INTERVAL '1 minute');
SELECT count(*) OVER (PARTITION BY card ORDER BY at SESSION WITH GAP '1 minute') FROM tap;
SELECT time_bucket_gapfill('1 minute', at, '2026-01-01 10:00', '2026-01-01 10:03') AS b, count(*) FROM tap GROUP BY 1;
CREATE MATERIALIZED VIEW sessions AS SELECT card, window_start FROM SESSION(tap, card, at, INTERVAL '1 minute');
CREATE MATERIALIZED VIEW changes AS WITH c AS changelog FROM tap SELECT * FROM c;
-- session two as volt
GRANT SELECT ON tap TO ann;
-- session one as ann
SELECT card, window_start FROM SESSION(tap, card, at, INTERVAL '1 minute') ORDER BY window_start;
SELECT at, kw FROM GAP_FILL(tap, at, INTERVAL '1 minute') ORDER BY at;
CREATE MATERIALIZED VIEW sessions AS SELECT card, window_start FROM SESSION(tap, card, at, INTERVAL '1 minute');
CREATE MATERIALIZED VIEW changes AS WITH c AS changelog FROM tap SELECT * FROM c;
