-- Reads that do not fit their neighbours. A neighbour may come late, so a tag may come and go with
-- rows of other intervals; to keep that true for each read at all times would cost a look at the
-- whole day of each meter with each of its reads. It is asked for when it is read: of a meter, or
-- of a day, it is cheap. As with every tag, no figure is changed by it.

CREATE VIEW suspect_reads AS
-- By the day: above the third highest interval of the meter's local day by more than spike_share.
SELECT
    interval_start, meter_id, interval_s, transformer_id, local_day, delivered_kwh,
    'E_SPIKE' AS tag, third_kwh AS compared_kwh
FROM (
    SELECT r.*, p.spike_kwh, p.spike_share,
        NTH_VALUE(delivered_kwh, 3) OVER (
            PARTITION BY meter_id, interval_s, local_day ORDER BY delivered_kwh DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS third_kwh
    FROM checked_reads AS r
    CROSS JOIN ami_parameters AS p
    WHERE quality_rank >= 4 AND delivered_kwh >= 0 AND (flags & 8) = 0
) AS ranked
WHERE delivered_kwh > (1 + spike_share) * third_kwh AND delivered_kwh > spike_kwh * interval_s / 900
UNION ALL
-- By the hour of day: above slot_factor times the median of the fourteen days before.
SELECT
    interval_start, meter_id, interval_s, transformer_id, local_day, delivered_kwh,
    'E_STREAM_SPIKE' AS tag, usual_kwh AS compared_kwh
FROM (
    SELECT r.*, p.spike_kwh, p.slot_factor,
        COUNT(*) OVER slot_before AS days_before,
        MEDIAN(delivered_kwh) OVER slot_before AS usual_kwh
    FROM checked_reads AS r
    CROSS JOIN ami_parameters AS p
    WHERE quality_rank >= 4 AND delivered_kwh >= 0 AND (flags & 8) = 0
    WINDOW slot_before AS (
        PARTITION BY meter_id, interval_s, CAST(interval_start AT TIME ZONE p.time_zone AS TIME)
        ORDER BY interval_start ROWS BETWEEN 14 PRECEDING AND 1 PRECEDING)
) AS compared
WHERE days_before >= 7 AND delivered_kwh > slot_factor * usual_kwh
    AND delivered_kwh > spike_kwh * interval_s / 900
UNION ALL
-- A counter that stands: the same value in so many intervals that follow one another.
SELECT
    interval_start, meter_id, interval_s, transformer_id, local_day, delivered_kwh,
    CASE WHEN delivered_kwh = 0 THEN 'ZERO_USE' ELSE 'E_STUCK' END AS tag, delivered_kwh AS compared_kwh
FROM (
    SELECT *, COUNT(*) OVER (PARTITION BY meter_id, interval_s, run_at) AS alike
    FROM (
        SELECT *, MAX(begins_at) OVER (PARTITION BY meter_id, interval_s ORDER BY interval_start) AS run_at
        FROM (
            SELECT r.*, p.stuck_intervals, p.zero_intervals,
                CASE WHEN LAG(delivered_kwh) OVER series = delivered_kwh
                    AND LAG(interval_start) OVER series = interval_start - interval_s * INTERVAL '1 second'
                    THEN NULL ELSE interval_start END AS begins_at
            FROM checked_reads AS r
            CROSS JOIN ami_parameters AS p
            WHERE quality_rank >= 4 AND delivered_kwh >= 0
            WINDOW series AS (PARTITION BY meter_id, interval_s ORDER BY interval_start)
        ) AS stepped
    ) AS placed
) AS runs
WHERE alike >= CASE WHEN delivered_kwh = 0 THEN zero_intervals ELSE stuck_intervals END;

COMMENT ON VIEW suspect_reads IS 'Reads that do not fit their neighbours, a row for each tag: nothing is left out of any sum for it';
COMMENT ON COLUMN suspect_reads.interval_start IS 'Where the interval begins';
COMMENT ON COLUMN suspect_reads.meter_id IS 'The meter';
COMMENT ON COLUMN suspect_reads.interval_s IS 'Length in seconds';
COMMENT ON COLUMN suspect_reads.transformer_id IS 'Its transformer at that time';
COMMENT ON COLUMN suspect_reads.local_day IS 'The day in time_zone';
COMMENT ON COLUMN suspect_reads.delivered_kwh IS 'As it was read';
COMMENT ON COLUMN suspect_reads.tag IS 'E_SPIKE: beside its day; E_STREAM_SPIKE: beside the same time of the 14 days before; E_STUCK and ZERO_USE: alike for too long';
COMMENT ON COLUMN suspect_reads.compared_kwh IS 'What it was compared with: the third highest of its day, the median of the days before, the value that stands';
