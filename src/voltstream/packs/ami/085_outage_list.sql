-- Outages as a list, with what speaks for them, what is left of them, and what they cost.

CREATE MATERIALIZED VIEW outage_restorations AS
SELECT outage_id, MIN(restored_at) AS restored_at
FROM (
    SELECT
        g.outage_id, m.restored_at, p.restored_share,
        ROW_NUMBER() OVER (PARTITION BY g.outage_id ORDER BY m.restored_at, m.meter_id) AS place,
        COUNT(*) OVER (PARTITION BY g.outage_id) AS heard
    FROM grouped_meters AS m
    CROSS JOIN ami_parameters AS p
    JOIN group_outages AS g ON g.transformer_id = m.transformer_id AND g.group_at = m.group_at
) AS placed
WHERE restored_at IS NOT NULL AND place >= restored_share * heard
GROUP BY outage_id;

COMMENT ON MATERIALIZED VIEW outage_restorations IS 'When outages were restored: restored_share of the meters that told were back';
COMMENT ON COLUMN outage_restorations.outage_id IS 'The outage';
COMMENT ON COLUMN outage_restorations.restored_at IS 'When';

CREATE MATERIALIZED VIEW outage_witnesses AS
SELECT outage_id, SUM(pings) AS failed_pings, SUM(zeros) AS zero_reads
FROM (
    SELECT m.outage_id, 1 AS pings, 0 AS zeros
    FROM outage_members AS m
    JOIN meter_pings AS q
        ON q.meter_id = m.meter_id AND q.pinged_at >= m.out_at
        AND q.pinged_at < COALESCE(m.restored_at, TIMESTAMPTZ 'infinity')
    WHERE NOT q.answered
    UNION ALL
    SELECT m.outage_id, 0 AS pings, 1 AS zeros
    FROM outage_members AS m
    JOIN (SELECT meter_id, interval_start FROM checked_reads WHERE (flags & 8) <> 0) AS r
        ON r.meter_id = m.meter_id AND r.interval_start >= m.out_at - INTERVAL '1 hour'
        AND r.interval_start < COALESCE(m.restored_at, TIMESTAMPTZ 'infinity')
) AS seen
GROUP BY outage_id;

COMMENT ON MATERIALIZED VIEW outage_witnesses IS 'What else says that an outage''s members have no supply';
COMMENT ON COLUMN outage_witnesses.outage_id IS 'The outage';
COMMENT ON COLUMN outage_witnesses.failed_pings IS 'Pings of members that nobody answered';
COMMENT ON COLUMN outage_witnesses.zero_reads IS 'Reads of members without voltage';

CREATE MATERIALIZED VIEW gasp_success AS
SELECT head_end, members, gasped, gasped * 1.0 / members AS success
FROM (
    SELECT m.head_end, COUNT(*) AS members, COUNT(*) FILTER (WHERE m.gasped) AS gasped
    FROM outage_members AS m
    JOIN (SELECT DISTINCT outage_id FROM group_outages WHERE group_kind = 'TRANSFORMER') AS g
        ON g.outage_id = m.outage_id
    JOIN outage_restorations AS r ON r.outage_id = m.outage_id
    GROUP BY m.head_end
) AS counted;

COMMENT ON MATERIALIZED VIEW gasp_success IS 'Share of members whose gasps arrived, by head-end, over restored outages of transformers and above';
COMMENT ON COLUMN gasp_success.head_end IS 'The head-end';
COMMENT ON COLUMN gasp_success.members IS 'Meters that were out';
COMMENT ON COLUMN gasp_success.gasped IS 'Of these, told';
COMMENT ON COLUMN gasp_success.success IS 'Their share';

CREATE MATERIALIZED VIEW outage_list AS
SELECT
    o.outage_id, o.device_id, o.kind, CAST(NULL AS VARCHAR) AS parent_id,
    o.started_at, o.known_at, r.restored_at,
    o.transformers, o.heard, o.restored, o.meters,
    CASE WHEN o.kind = 'SERVICE' THEN o.heard
        ELSE LEAST(o.meters, CAST(ROUND(o.heard / p.gasp_success) AS BIGINT)) END AS expected_out,
    COALESCE(w.failed_pings, 0) AS failed_pings,
    COALESCE(w.zero_reads, 0) AS zero_reads,
    CASE WHEN o.kind = 'SERVICE' THEN LEAST(0.5, certainty) ELSE certainty END AS confidence,
    CASE
        WHEN r.restored_at IS NOT NULL THEN 'RESTORED'
        WHEN o.restored > 0 THEN 'PARTIALLY_RESTORED'
        WHEN o.kind <> 'SERVICE' OR COALESCE(w.failed_pings, 0) + COALESCE(w.zero_reads, 0) > 0 THEN 'CONFIRMED'
        ELSE 'CANDIDATE'
    END AS status,
    o.known_at <= o.started_at + p.alert_horizon AS timely
FROM (
    SELECT *, 1 - LEAST(1, POWER(false_gasps::DOUBLE PRECISION, LEAST(heard, 20)) / factorial(CAST(LEAST(heard, 20) AS INTEGER))) AS certainty
    FROM (
        SELECT g.outage_id, g.device_id, g.kind, g.started_at, MIN(g.known_at) AS known_at,
            COUNT(*) AS transformers, SUM(g.heard)::BIGINT AS heard, SUM(g.restored)::BIGINT AS restored,
            SUM(g.meters)::BIGINT AS meters,
            SUM(CAST(g.gaspers * q.false_gasps_hour
                * EXTRACT(EPOCH FROM q.outage_window)::DOUBLE PRECISION / 3600 AS NUMERIC(18, 9))) AS false_gasps
        FROM group_outages AS g
        CROSS JOIN ami_parameters AS q
        GROUP BY g.outage_id, g.device_id, g.kind, g.started_at
    ) AS summed
) AS o
CROSS JOIN ami_parameters AS p
LEFT JOIN outage_restorations AS r ON r.outage_id = o.outage_id
LEFT JOIN outage_witnesses AS w ON w.outage_id = o.outage_id
UNION ALL
SELECT
    m.outage_id || '/' || m.transformer_id AS outage_id, m.transformer_id AS device_id,
    CASE WHEN m.meters >= 2 THEN 'TRANSFORMER' ELSE 'SERVICE' END AS kind,
    m.outage_id AS parent_id, m.started_at, m.restored_at_of_parent AS known_at,
    CASE WHEN m.restored = m.meters THEN m.last_restored_at END AS restored_at,
    1 AS transformers, m.meters AS heard, m.restored, m.meters, m.meters AS expected_out,
    0 AS failed_pings, 0 AS zero_reads, 1 AS confidence,
    CASE WHEN m.restored = m.meters THEN 'RESTORED' WHEN m.restored > 0 THEN 'PARTIALLY_RESTORED'
        ELSE 'CONFIRMED' END AS status,
    TRUE AS timely
FROM (
    SELECT outage_id, transformer_id, restored_at_of_parent, MIN(out_at) AS started_at,
        COUNT(*) AS meters, COUNT(restored_at) AS restored, MAX(restored_at) AS last_restored_at
    FROM (
        SELECT m.outage_id, m.transformer_id, m.out_at, m.restored_at, r.restored_at AS restored_at_of_parent,
            r.restored_at + p.nested_after AS nested_at
        FROM outage_members AS m
        JOIN outage_restorations AS r ON r.outage_id = m.outage_id
        CROSS JOIN ami_parameters AS p
        WHERE m.gasped
    ) AS left_over
    WHERE nested_at <= NOW() AND (restored_at IS NULL OR restored_at > nested_at)
    GROUP BY outage_id, transformer_id, restored_at_of_parent
) AS m;

COMMENT ON MATERIALIZED VIEW outage_list IS 'Outages, and what is left over of restored ones as outages of their own';
COMMENT ON COLUMN outage_list.outage_id IS 'Device and start';
COMMENT ON COLUMN outage_list.device_id IS 'What is out: a feeder, section, transformer; of a service, its transformer';
COMMENT ON COLUMN outage_list.kind IS 'FEEDER, SECTION, LATERAL, TRANSFORMER or SERVICE';
COMMENT ON COLUMN outage_list.parent_id IS 'The restored outage that this was part of; NULL: none';
COMMENT ON COLUMN outage_list.started_at IS 'When the first meter went out';
COMMENT ON COLUMN outage_list.known_at IS 'When that was first known';
COMMENT ON COLUMN outage_list.restored_at IS 'When restored_share of those that told were back';
COMMENT ON COLUMN outage_list.transformers IS 'Transformers with meters that told';
COMMENT ON COLUMN outage_list.heard IS 'Meters that told';
COMMENT ON COLUMN outage_list.restored IS 'Of these, back';
COMMENT ON COLUMN outage_list.meters IS 'Active meters of these transformers';
COMMENT ON COLUMN outage_list.expected_out IS 'Meters that are out by the share of gasps that arrive';
COMMENT ON COLUMN outage_list.failed_pings IS 'Pings that nobody answered';
COMMENT ON COLUMN outage_list.zero_reads IS 'Reads without voltage';
COMMENT ON COLUMN outage_list.confidence IS 'At least: one less the chance of so many false gasps together; of a service a half at most';
COMMENT ON COLUMN outage_list.status IS 'CANDIDATE, CONFIRMED, PARTIALLY_RESTORED, RESTORED';
COMMENT ON COLUMN outage_list.timely IS 'Whether it was known within alert_horizon: backfilled events alert nobody';

CREATE VIEW outages AS
SELECT
    o.outage_id, o.device_id, o.kind, o.parent_id, o.started_at, o.known_at, o.restored_at,
    o.transformers, o.heard, o.restored, o.meters, o.expected_out,
    o.failed_pings, o.zero_reads, o.confidence, o.timely,
    CASE WHEN o.restored_at + p.close_after <= NOW() THEN 'CLOSED' ELSE o.status END AS state
FROM outage_list AS o
CROSS JOIN ami_parameters AS p;

COMMENT ON VIEW outages IS 'Outages, CLOSED when close_after has passed since the restoration';
COMMENT ON COLUMN outages.outage_id IS 'Device and start';
COMMENT ON COLUMN outages.device_id IS 'What is out: a feeder, section, transformer; of a service, its transformer';
COMMENT ON COLUMN outages.kind IS 'FEEDER, SECTION, LATERAL, TRANSFORMER or SERVICE';
COMMENT ON COLUMN outages.parent_id IS 'The restored outage that this was part of; NULL: none';
COMMENT ON COLUMN outages.started_at IS 'When the first meter went out';
COMMENT ON COLUMN outages.known_at IS 'When that was first known';
COMMENT ON COLUMN outages.restored_at IS 'When restored_share of those that told were back';
COMMENT ON COLUMN outages.transformers IS 'Transformers with meters that told';
COMMENT ON COLUMN outages.heard IS 'Meters that told';
COMMENT ON COLUMN outages.restored IS 'Of these, back';
COMMENT ON COLUMN outages.meters IS 'Active meters of these transformers';
COMMENT ON COLUMN outages.expected_out IS 'Meters that are out by the share of gasps that arrive';
COMMENT ON COLUMN outages.failed_pings IS 'Pings that nobody answered';
COMMENT ON COLUMN outages.zero_reads IS 'Reads without voltage';
COMMENT ON COLUMN outages.confidence IS 'At least: one less the chance of so many false gasps together; of a service a half at most';
COMMENT ON COLUMN outages.timely IS 'Whether it was known within alert_horizon: backfilled events alert nobody';
COMMENT ON COLUMN outages.state IS 'CANDIDATE, CONFIRMED, PARTIALLY_RESTORED, RESTORED or CLOSED';

CREATE VIEW merged_outages AS
SELECT group_id AS outage_id, transformer_id, group_at AS started_at, outage_id AS merged_into
FROM group_outages
WHERE group_id <> outage_id;

COMMENT ON VIEW merged_outages IS 'Outages of transformers that have become part of one upstream';
COMMENT ON COLUMN merged_outages.outage_id IS 'What it was called';
COMMENT ON COLUMN merged_outages.transformer_id IS 'The transformer';
COMMENT ON COLUMN merged_outages.started_at IS 'When its first meter went out';
COMMENT ON COLUMN merged_outages.merged_into IS 'The outage it is part of';

CREATE MATERIALIZED VIEW interruption_days AS
SELECT
    local_day, transformer_id,
    COUNT(*) FILTER (WHERE lasted_s > sustained_s) AS sustained,
    SUM(CASE WHEN lasted_s > sustained_s THEN lasted_s ELSE 0 END) AS sustained_s,
    COUNT(*) FILTER (WHERE lasted_s <= sustained_s) AS momentary
FROM (
    SELECT
        i.transformer_id,
        date_trunc('day', i.out_at AT TIME ZONE p.time_zone) AS local_day,
        CAST(EXTRACT(EPOCH FROM i.restored_at - i.out_at) AS BIGINT) AS lasted_s,
        CAST(EXTRACT(EPOCH FROM p.sustained_after) AS BIGINT) AS sustained_s
    FROM (
        SELECT transformer_id, out_at, restored_at FROM outage_members
        UNION ALL
        SELECT i.transformer_id, i.out_at, i.restored_at
        FROM meter_interruptions AS i
        CROSS JOIN ami_parameters AS p
        WHERE i.restored_at < i.out_at + p.momentary_filter
    ) AS i
    CROSS JOIN ami_parameters AS p
    WHERE i.restored_at IS NOT NULL
) AS timed
GROUP BY local_day, transformer_id;

COMMENT ON MATERIALIZED VIEW interruption_days IS 'Interruptions that are over, by transformer and the local day on which they began';
COMMENT ON COLUMN interruption_days.local_day IS 'Where the day begins';
COMMENT ON COLUMN interruption_days.transformer_id IS 'The transformer';
COMMENT ON COLUMN interruption_days.sustained IS 'Customers'' interruptions longer than sustained_after';
COMMENT ON COLUMN interruption_days.sustained_s IS 'Their seconds';
COMMENT ON COLUMN interruption_days.momentary IS 'Customers'' interruptions that were shorter';

CREATE VIEW reliability_days AS
SELECT
    CAST(d.local_day AS DATE) AS local_day, t.feeder_id,
    SUM(n.meters) AS customers,
    SUM(COALESCE(i.sustained, 0)) AS interruptions,
    ROUND(SUM(COALESCE(i.sustained_s, 0)) / 60.0, 2) AS customer_minutes,
    ROUND(SUM(COALESCE(i.sustained_s, 0)) / 60.0 / NULLIF(SUM(n.meters), 0), 4) AS saidi_minutes,
    ROUND(1.0 * SUM(COALESCE(i.sustained, 0)) / NULLIF(SUM(n.meters), 0), 4) AS saifi,
    ROUND(1.0 * SUM(COALESCE(i.momentary, 0)) / NULLIF(SUM(n.meters), 0), 4) AS maifi
FROM (SELECT DISTINCT local_day FROM interruption_days) AS d
CROSS JOIN ami_parameters AS p
JOIN transformer_meters AS n
    ON d.local_day AT TIME ZONE p.time_zone < n.valid_to
    AND (d.local_day + INTERVAL '1 day') AT TIME ZONE p.time_zone > n.valid_from
    AND NOT ((d.local_day + INTERVAL '1 day') AT TIME ZONE p.time_zone > n.valid_to)
JOIN transformers AS t
    ON t.transformer_id = n.transformer_id AND d.local_day AT TIME ZONE p.time_zone >= t.valid_from
    AND d.local_day AT TIME ZONE p.time_zone < COALESCE(t.valid_to, TIMESTAMPTZ 'infinity')
LEFT JOIN interruption_days AS i ON i.local_day = d.local_day AND i.transformer_id = n.transformer_id
GROUP BY CAST(d.local_day AS DATE), t.feeder_id;

COMMENT ON VIEW reliability_days IS 'Indices of IEEE 1366 by feeder and local day, of days with an interruption; customers are those at the day''s end';
COMMENT ON COLUMN reliability_days.local_day IS 'The day';
COMMENT ON COLUMN reliability_days.feeder_id IS 'The feeder';
COMMENT ON COLUMN reliability_days.customers IS 'Customers served';
COMMENT ON COLUMN reliability_days.interruptions IS 'Sustained interruptions of customers';
COMMENT ON COLUMN reliability_days.customer_minutes IS 'Their minutes';
COMMENT ON COLUMN reliability_days.saidi_minutes IS 'SAIDI: minutes for each customer served';
COMMENT ON COLUMN reliability_days.saifi IS 'SAIFI: sustained interruptions for each customer served';
COMMENT ON COLUMN reliability_days.maifi IS 'MAIFI: momentary interruptions for each customer served';
