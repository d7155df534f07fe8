-- A line through rows of one x has no slope, and one of level rows no correlation: NULL.
CREATE TABLE read (meter INT, hour DOUBLE PRECISION, kw DOUBLE PRECISION);
INSERT INTO read VALUES (1, 1, 2), (2, 1, 1), (2, 2, 2), (2, 3, 6), (3, 1, 1), (3, 1, 2), (4, 1, 5), (4, 2, 5), (5, NULL, 1);
SELECT meter, corr(kw, hour), regr_slope(kw, hour), regr_r2(kw, hour), regr_count(kw, hour) FROM read GROUP BY meter ORDER BY meter;
CREATE MATERIALIZED VIEW lines AS SELECT meter, corr(kw, hour) AS c, regr_slope(kw, hour) FILTER (WHERE kw < 6) AS s FROM read GROUP BY meter;
INSERT INTO read VALUES (1, 2, 4), (4, 3, 8), (5, 1, 1);
DELETE FROM read WHERE meter = 2 AND hour > 1;
SELECT * FROM lines ORDER BY meter;
SELECT meter, hour, regr_slope(kw, hour) OVER (PARTITION BY meter ORDER BY hour) AS s FROM read WHERE meter IN (1, 4) ORDER BY 1, 2;
-- A window's offset has a sign of its own; EXPLAIN ANALYZE takes a time as RisingWave does.
CREATE TABLE tick (n INT, seen TIMESTAMP);
INSERT INTO tick VALUES (1, '2026-03-01 01:30'), (2, '2026-03-01 07:00');
SELECT n, window_start FROM tumble(tick, seen, INTERVAL '1 day', '+6 hours') ORDER BY n;
CREATE MATERIALIZED VIEW ticks AS SELECT window_start, count(*) AS n FROM tumble(tick, seen, INTERVAL '1 day', '-2 hours') GROUP BY window_start;
SELECT * FROM ticks ORDER BY window_start;
EXPLAIN ANALYZE (DURATION_SECS 1) TABLE tick;
EXPLAIN (ANALYZE, DURATION_SECS 1) TABLE tick;
