-- What should have come. Absence is told from a grid of windows and the registry, never from what
-- arrived: a transformer that is silent altogether has its row too. Estimates are not receipt.

CREATE MATERIALIZED VIEW grid_days AS
SELECT day FROM generate_series(TIMESTAMPTZ '2015-01-01 00:00:00+00', NOW(), INTERVAL '1 day') AS s(day);

COMMENT ON MATERIALIZED VIEW grid_days IS 'Days in UTC up to now';
COMMENT ON COLUMN grid_days.day IS 'Where the day begins';

-- The first row and not the least value: it changes only when an earlier window comes, and with it
-- the whole grid.
CREATE MATERIALIZED VIEW first_reads AS
SELECT window_start AS first_start
FROM transformer_windows
WHERE within_24h > 0
ORDER BY window_start
LIMIT 1;

COMMENT ON MATERIALIZED VIEW first_reads IS 'The first window with a read that was received within a day: before it nothing is expected, unless grid_from says so';
COMMENT ON COLUMN first_reads.first_start IS 'Where it begins';

CREATE MATERIALIZED VIEW due_windows AS
SELECT window_start, interval_s
FROM (
    SELECT
        w.window_start, l.interval_s, p.grid_from, f.first_start,
        w.window_start + l.interval_s * (1 + p.receipt_grace) * INTERVAL '1 second' AS due_at
    FROM (
        SELECT d.day FROM grid_days AS d CROSS JOIN ami_parameters AS h
        WHERE d.day > NOW() - h.receipt_horizon
    ) AS d
    CROSS JOIN (SELECT DISTINCT interval_s FROM transformer_population) AS l
    CROSS JOIN ami_parameters AS p
    LEFT JOIN first_reads AS f ON TRUE
    CROSS JOIN LATERAL generate_series(
        d.day, d.day + INTERVAL '1 day' - l.interval_s * INTERVAL '1 second',
        l.interval_s * INTERVAL '1 second') AS w(window_start)
) AS spine
WHERE due_at <= NOW() AND window_start >= LEAST(grid_from, first_start);

COMMENT ON MATERIALIZED VIEW due_windows IS 'Windows that are over and have had their grace';
COMMENT ON COLUMN due_windows.window_start IS 'Where the window begins';
COMMENT ON COLUMN due_windows.interval_s IS 'Its length';

-- Members of an outage cannot report the windows that it covers.
CREATE MATERIALIZED VIEW outage_windows AS
SELECT w.window_start, w.interval_s, m.transformer_id, COUNT(DISTINCT m.meter_id) AS meters_out
FROM outage_members AS m
JOIN due_windows AS w
    ON w.window_start < COALESCE(m.restored_at, TIMESTAMPTZ 'infinity')
    AND w.window_start + w.interval_s * INTERVAL '1 second' > m.out_at
GROUP BY w.window_start, w.interval_s, m.transformer_id;

COMMENT ON MATERIALIZED VIEW outage_windows IS 'Meters that were out in a window, or in a part of it';
COMMENT ON COLUMN outage_windows.window_start IS 'Where the window begins';
COMMENT ON COLUMN outage_windows.interval_s IS 'Its length';
COMMENT ON COLUMN outage_windows.transformer_id IS 'Their transformer';
COMMENT ON COLUMN outage_windows.meters_out IS 'How many';

CREATE MATERIALIZED VIEW receipt_windows AS
SELECT
    g.window_start, g.transformer_id, g.interval_s, g.meters AS expected,
    COALESCE(w.reported, 0) AS reported,
    COALESCE(w.estimated, 0) AS estimated,
    g.meters - COALESCE(w.reported, 0) AS missing,
    COALESCE(o.meters_out, 0) AS meters_out,
    ROUND(100.0 * COALESCE(w.reported, 0) / g.meters, 1) AS receipt_pct,
    ROUND(100.0 * COALESCE(w.reported, 0)
        / NULLIF(GREATEST(g.meters - COALESCE(o.meters_out, 0), COALESCE(w.reported, 0)), 0), 1) AS adjusted_pct,
    COALESCE(w.within_4h, 0) AS within_4h,
    COALESCE(w.within_24h, 0) AS within_24h,
    COALESCE(w.within_72h, 0) AS within_72h
FROM (
    SELECT d.window_start, d.interval_s, n.transformer_id, n.meters
    FROM due_windows AS d
    JOIN transformer_population AS n
        ON n.interval_s = d.interval_s AND d.window_start >= n.valid_from AND d.window_start < n.valid_to
    WHERE n.meters > 0
) AS g
LEFT JOIN transformer_windows AS w
    ON w.window_start = g.window_start AND w.transformer_id = g.transformer_id AND w.interval_s = g.interval_s
LEFT JOIN outage_windows AS o
    ON o.window_start = g.window_start AND o.transformer_id = g.transformer_id AND o.interval_s = g.interval_s;

COMMENT ON MATERIALIZED VIEW receipt_windows IS 'Expected and received reads of every transformer and window that is over; late reads correct it';
COMMENT ON COLUMN receipt_windows.window_start IS 'Where the window begins';
COMMENT ON COLUMN receipt_windows.transformer_id IS 'The transformer';
COMMENT ON COLUMN receipt_windows.interval_s IS 'Length of window';
COMMENT ON COLUMN receipt_windows.expected IS 'Active meters with intervals of this length at that time';
COMMENT ON COLUMN receipt_windows.reported IS 'Of these, with an actual or validated read';
COMMENT ON COLUMN receipt_windows.estimated IS 'Meters that the head-end estimated';
COMMENT ON COLUMN receipt_windows.missing IS 'Expected and not reported';
COMMENT ON COLUMN receipt_windows.meters_out IS 'Members of outages in the window';
COMMENT ON COLUMN receipt_windows.receipt_pct IS 'Reported of expected';
COMMENT ON COLUMN receipt_windows.adjusted_pct IS 'Reported of those expected that had supply; NULL: none had';
COMMENT ON COLUMN receipt_windows.within_4h IS 'Reported within 4 hours of the start';
COMMENT ON COLUMN receipt_windows.within_24h IS 'Reported within 24 hours of the start';
COMMENT ON COLUMN receipt_windows.within_72h IS 'Reported within 72 hours of the start';

CREATE MATERIALIZED VIEW low_receipt AS
SELECT r.window_start, r.transformer_id, r.interval_s, r.expected, r.reported, r.adjusted_pct
FROM receipt_windows AS r
CROSS JOIN ami_parameters AS p
WHERE r.expected >= p.receipt_meters_min AND r.adjusted_pct < p.low_receipt_pct;

COMMENT ON MATERIALIZED VIEW low_receipt IS 'Windows of transformers whose receipt is too low, outages left aside';
COMMENT ON COLUMN low_receipt.window_start IS 'Where the window begins';
COMMENT ON COLUMN low_receipt.transformer_id IS 'The transformer';
COMMENT ON COLUMN low_receipt.interval_s IS 'Length of window';
COMMENT ON COLUMN low_receipt.expected IS 'Active meters';
COMMENT ON COLUMN low_receipt.reported IS 'Of these, reported';
COMMENT ON COLUMN low_receipt.adjusted_pct IS 'Receipt among meters with supply';

CREATE VIEW timeliness_days AS
SELECT
    CAST(r.window_start AT TIME ZONE p.time_zone AS DATE) AS local_day,
    SUM(r.expected) AS expected,
    SUM(r.reported) AS reported,
    ROUND(100.0 * SUM(r.within_4h) / NULLIF(SUM(r.expected), 0), 2) AS within_4h_pct,
    ROUND(100.0 * SUM(r.within_24h) / NULLIF(SUM(r.expected), 0), 2) AS within_24h_pct,
    ROUND(100.0 * SUM(r.within_72h) / NULLIF(SUM(r.expected), 0), 2) AS within_72h_pct,
    ROUND(100.0 * SUM(r.reported) / NULLIF(SUM(r.expected), 0), 2) AS complete_pct
FROM receipt_windows AS r
CROSS JOIN ami_parameters AS p
GROUP BY CAST(r.window_start AT TIME ZONE p.time_zone AS DATE);

COMMENT ON VIEW timeliness_days IS 'How soon the reads of each local day came: what agreements on service ask for';
COMMENT ON COLUMN timeliness_days.local_day IS 'The day in time_zone';
COMMENT ON COLUMN timeliness_days.expected IS 'Reads expected in windows that are over';
COMMENT ON COLUMN timeliness_days.reported IS 'Reads received by now';
COMMENT ON COLUMN timeliness_days.within_4h_pct IS 'Received within 4 hours of the window''s start';
COMMENT ON COLUMN timeliness_days.within_24h_pct IS 'Within 24 hours';
COMMENT ON COLUMN timeliness_days.within_72h_pct IS 'Within 72 hours';
COMMENT ON COLUMN timeliness_days.complete_pct IS 'By now';
