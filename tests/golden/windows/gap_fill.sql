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
-- A column that no strategy names carries its last value; KEEPNULL leaves it empty.
CREATE MATERIALIZED VIEW carried AS SELECT meter, at, kw, state, n FROM GAP_FILL(readings, at, '1 minute', SERIES(meter), KEEPNULL(n));
SELECT * FROM carried WHERE meter = 1 ORDER BY at;
-- A change is felt up to the next row that has every carried value, and no further.
UPDATE readings SET state = NULL WHERE at = '2026-01-01 00:05Z';
INSERT INTO readings VALUES (1, '2026-01-01 00:07Z', 3, NULL, 1), (1, '2026-01-01 00:09Z', 5, 'off', 1), (1, NULL, 5, 'off', 1);
SELECT at, state FROM carried WHERE meter = 1 ORDER BY at;
UPDATE readings SET state = 'idle' WHERE at = '2026-01-01 00:00Z';
SELECT at, state FROM carried WHERE meter = 1 ORDER BY at;
BEGIN; DELETE FROM readings WHERE at = '2026-01-01 00:09Z'; UPDATE readings SET meter = 2 WHERE at = '2026-01-01 00:07Z'; COMMIT;
SELECT meter, at, state FROM carried ORDER BY meter, at;
EXPLAIN (INCREMENTAL) SELECT at, kw FROM GAP_FILL(readings, at, '1 minute', SERIES(meter));
DELETE FROM readings;
SELECT * FROM carried;
SELECT * FROM filled;
