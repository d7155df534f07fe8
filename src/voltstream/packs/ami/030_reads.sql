-- Reads as versioned upserts. Of all rows that were sent for a meter, interval and length the one
-- of highest quality counts, of equal quality the one received last: an estimate never takes the
-- place of an actual read. What is sent again unchanged changes nothing. Energy is an exact
-- number, so that sums follow corrections without drift.

CREATE MATERIALIZED VIEW rejected_reads AS
SELECT meter_id, interval_start, interval_end, read_type AS sent_as, quality, head_end,
    COALESCE(received_at, read_ts, ingested_at) AS received_at, rejected AS reason
FROM interval_reads
WHERE rejected IS NOT NULL
UNION ALL
SELECT meter_id, interval_start, interval_end, channel AS sent_as, quality, head_end,
    COALESCE(received_at, ingested_at) AS received_at, rejected AS reason
FROM channel_reads
WHERE rejected IS NOT NULL;

COMMENT ON MATERIALIZED VIEW rejected_reads IS 'Reads that are in no other view, and why';
COMMENT ON COLUMN rejected_reads.meter_id IS 'The meter';
COMMENT ON COLUMN rejected_reads.interval_start IS 'Start as sent';
COMMENT ON COLUMN rejected_reads.interval_end IS 'End as sent';
COMMENT ON COLUMN rejected_reads.sent_as IS 'Its read_type, or its channel';
COMMENT ON COLUMN rejected_reads.quality IS 'Quality as sent';
COMMENT ON COLUMN rejected_reads.head_end IS 'Which head-end sent it';
COMMENT ON COLUMN rejected_reads.received_at IS 'When it was received';
COMMENT ON COLUMN rejected_reads.reason IS 'INCOMPLETE, TYPE (no interval read), LENGTH (not positive), QUALITY (unknown word), CLOCK (off the grid by more than 150 s), FUTURE (ends 5 minutes behind its receipt)';

CREATE MATERIALIZED VIEW latest_reads AS
SELECT
    interval_start, meter_id, interval_s,
    (best).f1 AS quality_rank,
    (best).f3 AS delivered_kwh,
    (best).f4 AS received_kwh,
    (best).f5 AS voltage_v,
    (best).f6 AS drifted,
    first_received_at
FROM (
    SELECT
        starts_at AS interval_start, meter_id, interval_s,
        MAX(ROW(quality_rank, received_at, delivered_kwh, received_kwh, voltage_v, drifted)) AS best,
        MIN(received_at) FILTER (WHERE quality_rank >= 4) AS first_received_at
    FROM (
        SELECT
            starts_at, meter_id, interval_s, quality_rank,
            COALESCE(received_at, read_ts, ingested_at) AS received_at,
            COALESCE(delivered_kwh, consumption_kwh) AS delivered_kwh,
            received_kwh,
            voltage_v,
            interval_start < starts_at - INTERVAL '60 seconds'
                OR interval_start > starts_at + INTERVAL '60 seconds' AS drifted
        FROM interval_reads
        WHERE rejected IS NULL
    ) AS accepted
    GROUP BY starts_at, meter_id, interval_s
) AS versions;

COMMENT ON MATERIALIZED VIEW latest_reads IS 'The read that counts of each meter, interval and length, from wide rows';
COMMENT ON COLUMN latest_reads.interval_start IS 'Where the interval begins';
COMMENT ON COLUMN latest_reads.meter_id IS 'The meter';
COMMENT ON COLUMN latest_reads.interval_s IS 'Length in seconds';
COMMENT ON COLUMN latest_reads.quality_rank IS 'Rank of what counts: 5 validated to 0 missing';
COMMENT ON COLUMN latest_reads.delivered_kwh IS 'Energy to the customer';
COMMENT ON COLUMN latest_reads.received_kwh IS 'Energy from the customer';
COMMENT ON COLUMN latest_reads.voltage_v IS 'Mean voltage';
COMMENT ON COLUMN latest_reads.drifted IS 'Whether the start was moved by more than 60 s';
COMMENT ON COLUMN latest_reads.first_received_at IS 'When an actual read was first received; NULL: never';

CREATE MATERIALIZED VIEW latest_channels AS
SELECT
    interval_start, meter_id, interval_s, channel,
    (best).f1 AS quality_rank, (best).f3 AS value, (best).f4 AS drifted, first_received_at
FROM (
    SELECT
        starts_at AS interval_start, meter_id, interval_s, channel,
        MAX(ROW(quality_rank, received_at, value, drifted)) AS best,
        MIN(received_at) FILTER (WHERE quality_rank >= 4) AS first_received_at
    FROM (
        SELECT
            starts_at, meter_id, interval_s, quality_rank,
            LOWER(channel) AS channel,
            COALESCE(received_at, ingested_at) AS received_at,
            CAST(value * CASE LOWER(unit) WHEN 'wh' THEN 0.001 WHEN 'mwh' THEN 1000 WHEN 'kv' THEN 1000 ELSE 1 END
                AS NUMERIC(18, 6)) AS value,
            interval_start < starts_at - INTERVAL '60 seconds'
                OR interval_start > starts_at + INTERVAL '60 seconds' AS drifted
        FROM channel_reads
        WHERE rejected IS NULL AND LOWER(channel) IN ('delivered', 'received', 'voltage')
    ) AS accepted
    GROUP BY starts_at, meter_id, interval_s, channel
) AS versions;

COMMENT ON MATERIALIZED VIEW latest_channels IS 'The value that counts of each meter, interval, length and channel, from tall rows';
COMMENT ON COLUMN latest_channels.interval_start IS 'Where the interval begins';
COMMENT ON COLUMN latest_channels.meter_id IS 'The meter';
COMMENT ON COLUMN latest_channels.interval_s IS 'Length in seconds';
COMMENT ON COLUMN latest_channels.channel IS 'delivered, received or voltage';
COMMENT ON COLUMN latest_channels.quality_rank IS 'Rank of what counts';
COMMENT ON COLUMN latest_channels.value IS 'In kWh, or V';
COMMENT ON COLUMN latest_channels.drifted IS 'Whether the start was moved by more than 60 s';
COMMENT ON COLUMN latest_channels.first_received_at IS 'When an actual value was first received';

-- A row has the rank and the receipt of its energy, or of its voltage where it has no energy.
CREATE MATERIALIZED VIEW tall_reads AS
SELECT
    interval_start,
    meter_id,
    interval_s,
    COALESCE(delivered_rank, received_rank, voltage_rank)::INTEGER AS quality_rank,
    delivered_kwh,
    received_kwh,
    voltage_v::NUMERIC(9, 2) AS voltage_v,
    COALESCE(drifts, 0) > 0 AS drifted,
    to_timestamp(COALESCE(delivered_us, received_us, voltage_us) / 1000000.0) AS first_received_at
FROM (
    SELECT
        interval_start,
        meter_id,
        interval_s,
        SUM(value) FILTER (WHERE channel = 'delivered') AS delivered_kwh,
        SUM(value) FILTER (WHERE channel = 'received') AS received_kwh,
        SUM(value) FILTER (WHERE channel = 'voltage') AS voltage_v,
        SUM(quality_rank) FILTER (WHERE channel = 'delivered') AS delivered_rank,
        SUM(quality_rank) FILTER (WHERE channel = 'received') AS received_rank,
        SUM(quality_rank) FILTER (WHERE channel = 'voltage') AS voltage_rank,
        SUM(received_us) FILTER (WHERE channel = 'delivered') AS delivered_us,
        SUM(received_us) FILTER (WHERE channel = 'received') AS received_us,
        SUM(received_us) FILTER (WHERE channel = 'voltage') AS voltage_us,
        COUNT(*) FILTER (WHERE drifted) AS drifts
    FROM (
        SELECT *, CAST(EXTRACT(EPOCH FROM first_received_at) * 1000000 AS BIGINT) AS received_us
        FROM latest_channels
    ) AS stamped
    GROUP BY interval_start, meter_id, interval_s
) AS pivoted;

COMMENT ON MATERIALIZED VIEW tall_reads IS 'Tall rows as wide ones';
COMMENT ON COLUMN tall_reads.interval_start IS 'Where the interval begins';
COMMENT ON COLUMN tall_reads.meter_id IS 'The meter';
COMMENT ON COLUMN tall_reads.interval_s IS 'Length in seconds';
COMMENT ON COLUMN tall_reads.quality_rank IS 'Rank of delivered energy, else received, else voltage';
COMMENT ON COLUMN tall_reads.delivered_kwh IS 'Energy to the customer';
COMMENT ON COLUMN tall_reads.received_kwh IS 'Energy from the customer';
COMMENT ON COLUMN tall_reads.voltage_v IS 'Mean voltage';
COMMENT ON COLUMN tall_reads.drifted IS 'Whether a start was moved by more than 60 s';
COMMENT ON COLUMN tall_reads.first_received_at IS 'When an actual value was first received';
