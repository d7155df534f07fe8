-- GAP_FILL makes the rows that did not come.
CREATE TABLE readings (meter INT, at TIMESTAMPTZ, kw DOUBLE PRECISION, state TEXT, n INT);
INSERT INTO readings VALUES
    (1, '2026-01-01 00:00Z', 1, 'on', 10), (1, '2026-01-01 00:03Z', 4, NULL, 40),
    (1, '2026-01-01 00:05Z', 0, 'off', 60), (2, '2026-01-01 00:01Z', 7, 'on', 1);
SELECT at, kw, state, n FROM GAP_FILL(readings, at, INTERVAL '1 minute', SERIES(meter), INTERPOLATE(kw, n), LOCF(state))
WHERE meter = 1 ORDER BY at;
-- As a view it follows late rows, updates and deletes.
CREATE MATERIALIZED VIEW filled AS
SELECT meter, at, kw, state FROM GAP_FILL(readings, at, INTERVAL '1 minute', SERIES(meter), INTERPOLATE(kw), LOCF(state));
INSERT INTO readings VALUES (2, '2026-01-01 00:04Z', 1, 'off', 2);
SELECT * FROM filled ORDER BY meter, at;
DELETE FROM readings WHERE at = '2026-01-01 00:03Z';
SELECT * FROM filled WHERE meter = 1 ORDER BY at;
-- A subquery, a step that does not divide the gap, and columns that are not filled.
SELECT * FROM GAP_FILL((SELECT at, kw, state FROM readings WHERE meter = 2), at, '2 minutes', LOCF(kw)) AS g ORDER BY at;
SELECT * FROM GAP_FILL(readings, at);
SELECT * FROM GAP_FILL(readings, at, INTERVAL '1 minute', SPLINE(kw));
SELECT * FROM GAP_FILL(readings, at, INTERVAL '1 minute', LOCF(volts));
