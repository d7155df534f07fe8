-- EMIT ON WINDOW CLOSE: a window is shown once, when the watermark says that it is over.
CREATE SOURCE readings (meter INT, kw DOUBLE PRECISION, at TIMESTAMPTZ,
    WATERMARK FOR at AS at - INTERVAL '5 seconds');
CREATE MATERIALIZED VIEW by_minute AS
SELECT window_start, meter, SUM(kw) AS total, COUNT(*) AS n, STRING_AGG(kw::text, ',' ORDER BY kw) AS each
FROM TUMBLE(readings, at, INTERVAL '1 minute') GROUP BY window_start, meter
EMIT ON WINDOW CLOSE;
CREATE MATERIALIZED VIEW sliding AS
SELECT window_start, window_end, COUNT(*) AS n
FROM HOP(readings, at, INTERVAL '30 seconds', INTERVAL '1 minute') GROUP BY window_start, window_end
EMIT ON WINDOW CLOSE;
CREATE MATERIALIZED VIEW settled AS SELECT meter, at FROM readings WHERE kw > 1 EMIT ON WINDOW CLOSE;
CREATE MATERIALIZED VIEW spread AS
SELECT date_trunc('minute', at) AS minute, MAX(kw) - MIN(kw) AS spread FROM readings
GROUP BY 1 HAVING COUNT(*) > 1 EMIT ON WINDOW CLOSE;
-- A view over such a view closes by the same watermark.
CREATE MATERIALIZED VIEW by_hour AS
SELECT date_trunc('hour', window_start) AS hour, SUM(n) AS n FROM by_minute GROUP BY 1
EMIT ON WINDOW CLOSE;

INSERT INTO readings VALUES (1, 1, '2026-01-01 00:00:10Z'), (1, 2, '2026-01-01 00:00:50Z');
SELECT * FROM by_minute;
SELECT * FROM sliding;
-- The watermark passes the end of the first minute.
INSERT INTO readings VALUES (1, 3, '2026-01-01 00:01:06Z'), (2, 9, '2026-01-01 00:01:04Z');
SELECT name, watermark FROM rw_watermarks;
SELECT * FROM by_minute;
SELECT * FROM settled;
SELECT * FROM spread;
-- A late row changes nothing that was shown; it is counted, and stays in its source.
INSERT INTO readings VALUES (1, 3, '2026-01-01 00:00:30Z');
SELECT * FROM by_minute;
SELECT name, late_rows FROM rw_late_rows ORDER BY name;
SELECT COUNT(*) FROM readings;
-- A jump closes every window before it, in every view.
INSERT INTO readings VALUES (1, 4, '2026-01-01 01:02:06Z');
SELECT * FROM by_minute;
SELECT * FROM sliding;
SELECT * FROM by_hour;
-- A restart forgets neither the watermark nor the open windows.
-- restart
INSERT INTO readings VALUES (1, 5, '2026-01-01 01:02:30Z'), (1, 7, '2026-01-01 00:59:00Z'), (1, 1, '2026-01-01 01:03:30Z');
SELECT * FROM by_minute;
SELECT name, late_rows FROM rw_late_rows ORDER BY name;

-- What was kept is read again by a view that comes later.
CREATE MATERIALIZED VIEW later AS
SELECT window_start, meter, SUM(kw) AS total FROM TUMBLE(readings, at, INTERVAL '1 minute')
GROUP BY window_start, meter EMIT ON WINDOW CLOSE;
SELECT * FROM later;

-- Without a watermark nothing ever closes: refused, with the way out.
CREATE MATERIALIZED VIEW no_watermark AS SELECT meter, COUNT(*) FROM readings GROUP BY meter EMIT ON WINDOW CLOSE;
CREATE TABLE plain (k INT, at TIMESTAMPTZ);
CREATE MATERIALIZED VIEW no_source AS SELECT * FROM plain EMIT ON WINDOW CLOSE;
EXPLAIN (PLAN) SELECT window_start, COUNT(*) FROM TUMBLE(readings, at, INTERVAL '1 minute') GROUP BY window_start;
DROP SOURCE readings CASCADE;
SELECT COUNT(*) FROM rw_watermarks;

-- A silent source's watermark follows the clock at its delay once the idle timeout has passed.
CREATE SOURCE pulses (k INT, at TIMESTAMPTZ, WATERMARK FOR at AS at - INTERVAL '10 seconds')
WITH (watermark.idle_timeout = '30 seconds');
CREATE MATERIALIZED VIEW pulses_per_minute AS
SELECT window_start, COUNT(*) AS n FROM TUMBLE(pulses, at, INTERVAL '1 minute') GROUP BY window_start
EMIT ON WINDOW CLOSE;
INSERT INTO pulses VALUES (1, now()), (2, now());
SELECT * FROM pulses_per_minute;
-- clock +65 seconds
SELECT * FROM pulses_per_minute;
-- clock +10 seconds
SELECT * FROM pulses_per_minute;
SELECT name, watermark FROM rw_watermarks;
