-- SESSION: rows of a key that come less than a gap after one another.
CREATE TABLE taps (id INT PRIMARY KEY, card TEXT, at TIMESTAMP, kw INT);
INSERT INTO taps VALUES (1, 'a', '2026-01-01 10:00', 5), (2, 'a', '2026-01-01 10:04', 7),
    (3, 'a', '2026-01-01 10:20', 1), (4, 'b', '2026-01-01 10:02', 9), (5, 'b', NULL, 3);
-- As a frame: whatever is called sees the whole session. A row exactly a gap later begins a new one.
CREATE MATERIALIZED VIEW framed AS
SELECT id, card, first_value(at) OVER w AS began, last_value(at) OVER w AS ended, count(*) OVER w AS n, sum(kw) OVER w AS kw
FROM taps WINDOW w AS (PARTITION BY card ORDER BY at SESSION WITH GAP '10 minutes');
-- As a table function: window_end is the last time and a gap.
CREATE MATERIALIZED VIEW grouped AS
SELECT card, window_start, window_end, count(*) AS n, max(kw) AS peak
FROM SESSION(taps, card, at, INTERVAL '10 minutes') GROUP BY card, window_start, window_end;
CREATE MATERIALIZED VIEW of_all AS
SELECT window_start, window_end, string_agg(id::text, ',' ORDER BY id) AS ids FROM SESSION(taps, at, INTERVAL '3 minutes') GROUP BY 1, 2;
SELECT * FROM framed ORDER BY id;
SELECT * FROM grouped ORDER BY card, window_start;
SELECT * FROM of_all ORDER BY window_start;
-- A late row merges two sessions.
INSERT INTO taps VALUES (6, 'a', '2026-01-01 10:12', 2);
SELECT * FROM framed WHERE card = 'a' ORDER BY id;
SELECT * FROM grouped ORDER BY card, window_start;
-- Its loss splits them again; a row that moves leaves one session and joins another.
DELETE FROM taps WHERE id = 6;
SELECT * FROM grouped ORDER BY card, window_start;
UPDATE taps SET at = '2026-01-01 10:25' WHERE id = 2;
SELECT * FROM grouped ORDER BY card, window_start;
SELECT * FROM of_all ORDER BY window_start;
UPDATE taps SET card = 'b' WHERE id = 1;
INSERT INTO taps VALUES (7, 'a', '2026-01-01 10:10', 4), (8, 'a', '2026-01-01 10:00', 4);
SELECT * FROM grouped ORDER BY card, window_start;
-- Asked once, and over what no column names: an expression, numbers, other frames beside it.
SELECT id, count(*) OVER (PARTITION BY upper(card) ORDER BY at SESSION WITH GAP INTERVAL '6 minutes') AS n,
    row_number() OVER (PARTITION BY card ORDER BY at) AS place
FROM taps WHERE at IS NOT NULL ORDER BY id;
SELECT kw, min(kw) OVER (ORDER BY kw SESSION WITH GAP 2) AS least FROM taps ORDER BY 1;
SELECT card, sum(n) FROM (SELECT card, count(*) AS n FROM SESSION((SELECT card, at FROM taps), card, at, '1 hour') GROUP BY card, window_start) AS s GROUP BY card ORDER BY card;
CREATE MATERIALIZED VIEW beside AS
SELECT id, count(*) OVER (PARTITION BY card ORDER BY at, id) AS running,
    avg(kw) OVER (PARTITION BY card ORDER BY at SESSION WITH GAP INTERVAL '6 minutes') + 1 AS mean,
    lag(id) OVER (PARTITION BY card ORDER BY at SESSION WITH GAP INTERVAL '6 minutes') AS before
FROM taps WHERE at IS NOT NULL;
SELECT * FROM beside ORDER BY id;
DELETE FROM taps WHERE card = 'b';
SELECT * FROM beside ORDER BY id;
EXPLAIN (PLAN) SELECT first_value(at) OVER (PARTITION BY card ORDER BY at SESSION WITH GAP '10 minutes') FROM taps;
EXPLAIN (INCREMENTAL) SELECT window_start, count(*) AS n FROM SESSION(taps, card, at, '10 minutes') GROUP BY card, window_start;
SELECT count(*) OVER (PARTITION BY card SESSION WITH GAP '10 minutes') FROM taps;
SELECT count(*) OVER (ORDER BY card, at SESSION WITH GAP '10 minutes') FROM taps;
SELECT * FROM SESSION(taps, at);
DELETE FROM taps;
SELECT * FROM framed;
-- restart
INSERT INTO taps VALUES (1, 'a', '2026-01-01 10:00', 5), (2, 'a', '2026-01-01 10:09:59', 5), (3, 'a', '2026-01-01 10:20', 5);
SELECT * FROM grouped ORDER BY card, window_start;
