-- EMIT ON WINDOW CLOSE with window functions: a row is shown once its frame is whole.
CREATE TABLE readings (at TIMESTAMP, kw INT, meter INT,
    WATERMARK FOR at AS at - INTERVAL '1 minute') APPEND ONLY;
CREATE MATERIALIZED VIEW steps EMIT ON WINDOW CLOSE AS
SELECT at, meter, kw, kw - LAG(kw) OVER (PARTITION BY meter ORDER BY at) AS step,
    ROW_NUMBER() OVER (PARTITION BY meter ORDER BY at) AS n
FROM readings;
CREATE MATERIALIZED VIEW smooth AS
SELECT at, meter, SUM(kw) OVER (PARTITION BY meter ORDER BY at ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS near
FROM readings EMIT ON WINDOW CLOSE;
CREATE MATERIALIZED VIEW peaks EMIT ON WINDOW CLOSE AS
SELECT window_start, kw, meter FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start ORDER BY kw DESC) AS place
    FROM TUMBLE(readings, at, INTERVAL '10 minutes')) AS placed
WHERE place <= 1;
CREATE MATERIALIZED VIEW both AS
SELECT at, ROW_NUMBER() OVER (PARTITION BY meter ORDER BY at) AS n, LEAD(kw) OVER (ORDER BY at) AS next
FROM readings EMIT ON WINDOW CLOSE;

INSERT INTO readings VALUES ('2026-03-01 10:01', 5, 1), ('2026-03-01 10:04', 9, 1), ('2026-03-01 10:06', 2, 2);
-- The watermark is 10:05.
SELECT * FROM steps;
SELECT * FROM smooth;
SELECT * FROM peaks;
SELECT * FROM both;
INSERT INTO readings VALUES ('2026-03-01 10:12', 7, 1), ('2026-03-01 10:09', 4, 2);
-- It is 10:11: the first window is over.
SELECT * FROM steps;
SELECT * FROM smooth;
SELECT * FROM peaks;
SELECT * FROM both;
-- A row that comes too late changes nothing that was shown.
INSERT INTO readings VALUES ('2026-03-01 10:02', 99, 1), ('2026-03-01 10:20', 1, 1);
SELECT * FROM steps;
SELECT * FROM smooth;
SELECT * FROM peaks;
SELECT name, late_rows FROM rw_late_rows ORDER BY name;
-- restart
INSERT INTO readings VALUES ('2026-03-01 10:40', 3, 2);
SELECT * FROM steps;
SELECT * FROM peaks;
-- What no watermark orders is refused, and so is a frame without an end.
CREATE MATERIALIZED VIEW unordered EMIT ON WINDOW CLOSE AS SELECT RANK() OVER (PARTITION BY meter ORDER BY kw) FROM readings;
CREATE MATERIALIZED VIEW endless EMIT ON WINDOW CLOSE AS SELECT SUM(kw) OVER (ORDER BY at ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING) FROM readings;
DROP TABLE readings CASCADE;
-- A watermark over a number closes nothing; WITH TTL rows below it go.
CREATE TABLE counted (k INT PRIMARY KEY, seen INT, WATERMARK FOR seen AS seen - 10 WITH TTL);
INSERT INTO counted VALUES (1, 100), (2, 5);
SELECT * FROM counted ORDER BY k;
DROP TABLE counted;
-- A table with a watermark may be altered, but for what the watermark reads.
CREATE TABLE marked (at TIMESTAMP, k INT, WATERMARK FOR at AS at - INTERVAL '1 minute') APPEND ONLY;
ALTER TABLE marked ADD COLUMN note TEXT;
ALTER TABLE marked RENAME COLUMN at TO instant;
ALTER TABLE marked DROP COLUMN at;
ALTER TABLE marked ALTER COLUMN at TYPE TEXT;
ALTER TABLE marked RENAME COLUMN k TO meter;
INSERT INTO marked VALUES ('2026-03-01 10:00', 1, 'x');
-- restart
INSERT INTO marked VALUES ('2026-03-01 10:01', 2, 'y');
SELECT name, watermark FROM rw_watermarks;
DROP TABLE marked;
SELECT count(*) FROM rw_watermarks;
-- Another delay from here on; the watermark never goes back.
CREATE TABLE slow (at TIMESTAMP, k INT, WATERMARK FOR at AS at - INTERVAL '10 minutes') APPEND ONLY;
CREATE MATERIALIZED VIEW slow_rows AS SELECT * FROM slow EMIT ON WINDOW CLOSE;
INSERT INTO slow VALUES ('2026-03-01 10:00', 1), ('2026-03-01 10:20', 2);
SELECT * FROM slow_rows;
ALTER TABLE slow ALTER WATERMARK FOR at AS at - INTERVAL '1 minute';
SELECT name, watermark FROM rw_watermarks;
-- restart
INSERT INTO slow VALUES ('2026-03-01 10:22', 3);
SELECT * FROM slow_rows;
ALTER TABLE slow ALTER WATERMARK FOR at AS at - INTERVAL '1 hour';
INSERT INTO slow VALUES ('2026-03-01 10:30', 4);
SELECT name, watermark FROM rw_watermarks;
SHOW CREATE TABLE slow;
ALTER TABLE slow ALTER WATERMARK FOR k AS k - 1;
ALTER TABLE slow ALTER WATERMARK FOR nothing AS nothing;
ALTER TABLE slow ALTER WATERMARK FOR at AS later - INTERVAL '1 minute';
DROP TABLE slow CASCADE;
