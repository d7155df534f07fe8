-- What may be energy that nobody pays for: evidence with weights, never an accusation.

CREATE MATERIALIZED VIEW tampers AS
SELECT e.event_id, e.meter_id, m.transformer_id, e.occurred_at, e.received_at, e.kind, e.severity, e.meaning
FROM events AS e
JOIN meter_registry AS m
    ON m.meter_id = e.meter_id AND e.occurred_at >= m.valid_from
    AND e.occurred_at < COALESCE(m.valid_to, TIMESTAMPTZ 'infinity')
WHERE e.kind IN ('TAMPER', 'SECURITY');

COMMENT ON MATERIALIZED VIEW tampers IS 'Events that say somebody was at a meter';
COMMENT ON COLUMN tampers.event_id IS 'The event';
COMMENT ON COLUMN tampers.meter_id IS 'The meter';
COMMENT ON COLUMN tampers.transformer_id IS 'Its transformer';
COMMENT ON COLUMN tampers.occurred_at IS 'When';
COMMENT ON COLUMN tampers.received_at IS 'When it was first known';
COMMENT ON COLUMN tampers.kind IS 'TAMPER or SECURITY';
COMMENT ON COLUMN tampers.severity IS 'Of the catalogue';
COMMENT ON COLUMN tampers.meaning IS 'In words';

CREATE MATERIALIZED VIEW reverse_flow_days AS
SELECT d.local_day, d.meter_id, d.transformer_id, d.reversed, d.received_kwh
FROM (
    SELECT local_day, meter_id, interval_s, transformer_id, COUNT(*) AS reversed,
        SUM(CASE WHEN (flags & 3) = 0 THEN received_kwh ELSE 0 END) AS received_kwh
    FROM checked_reads
    WHERE received_kwh > 0 AND measures = 'customer'
    GROUP BY local_day, meter_id, interval_s, transformer_id
) AS d
JOIN located_meters AS m
    ON m.meter_id = d.meter_id AND m.transformer_id = d.transformer_id AND m.interval_s = d.interval_s
    AND d.local_day >= m.valid_from AT TIME ZONE m.time_zone - INTERVAL '1 day'
    AND d.local_day < m.valid_to AT TIME ZONE m.time_zone
WHERE NOT m.has_generation;

COMMENT ON MATERIALIZED VIEW reverse_flow_days IS 'Days on which a customer fed in without known generation';
COMMENT ON COLUMN reverse_flow_days.local_day IS 'Where the day begins';
COMMENT ON COLUMN reverse_flow_days.meter_id IS 'The meter';
COMMENT ON COLUMN reverse_flow_days.transformer_id IS 'Its transformer';
COMMENT ON COLUMN reverse_flow_days.reversed IS 'Intervals in which energy was received';
COMMENT ON COLUMN reverse_flow_days.received_kwh IS 'How much';

-- What a transformer's own meter saw, beside its customers and its losses. Days that are not
-- complete are left out: a meter that is missing looks like theft.
CREATE MATERIALIZED VIEW energy_balance_days AS
SELECT
    local_day, transformer_id, supplied_kwh, sold_kwh, loss_kwh,
    supplied_kwh - sold_kwh - loss_kwh AS residual_kwh,
    100 * (supplied_kwh - sold_kwh - loss_kwh) / NULLIF(supplied_kwh, 0) AS residual_pct,
    100 * (supplied_kwh - sold_kwh - loss_kwh) > tolerated_pct * supplied_kwh AS suspect
FROM (
    SELECT
        s.local_day, s.transformer_id,
        (s.delivered_kwh - s.received_kwh)::DOUBLE PRECISION AS supplied_kwh,
        c.sold_kwh::DOUBLE PRECISION AS sold_kwh,
        COALESCE(t.no_load_kw, 0) * c.hours + COALESCE(t.load_loss_kw, 0) * c.squared_hours AS loss_kwh,
        p.residual_pct AS tolerated_pct
    FROM (
        SELECT local_day, transformer_id, interval_s, SUM(COALESCE(delivered_kwh, 0)) AS delivered_kwh,
            SUM(COALESCE(received_kwh, 0)) AS received_kwh, COUNT(*) AS intervals
        FROM checked_reads
        WHERE measures = 'transformer' AND (flags & 3) = 0
        GROUP BY local_day, transformer_id, interval_s
    ) AS s
    CROSS JOIN ami_parameters AS p
    JOIN (
        SELECT local_day, transformer_id, interval_s, COUNT(*) AS windows,
            COUNT(*) FILTER (WHERE NOT complete) AS incomplete,
            SUM(delivered_kwh - received_kwh) AS sold_kwh,
            SUM(CAST(interval_s AS NUMERIC(18, 6))) / 3600 AS hours,
            SUM(CAST(COALESCE(loading_pct * loading_pct / 10000, 0) * interval_s / 3600 AS NUMERIC(18, 6)))
                AS squared_hours
        FROM (
            SELECT l.*, date_trunc('day', l.window_start AT TIME ZONE q.time_zone) AS local_day
            FROM transformer_load AS l
            CROSS JOIN ami_parameters AS q
        ) AS dated
        GROUP BY local_day, transformer_id, interval_s
    ) AS c ON c.local_day = s.local_day AND c.transformer_id = s.transformer_id AND c.interval_s = s.interval_s
    JOIN transformers AS t
        ON t.transformer_id = s.transformer_id AND s.local_day AT TIME ZONE p.time_zone >= t.valid_from
        AND s.local_day AT TIME ZONE p.time_zone < COALESCE(t.valid_to, TIMESTAMPTZ 'infinity')
    WHERE c.incomplete = 0 AND c.windows = s.intervals
        AND c.windows * c.interval_s >= CAST(EXTRACT(EPOCH FROM
            (s.local_day + INTERVAL '1 day') AT TIME ZONE p.time_zone - s.local_day AT TIME ZONE p.time_zone) AS BIGINT)
) AS balanced;

COMMENT ON MATERIALIZED VIEW energy_balance_days IS 'Energy into a transformer less what its customers took and what it lost, on local days that are complete';
COMMENT ON COLUMN energy_balance_days.local_day IS 'Where the day begins';
COMMENT ON COLUMN energy_balance_days.transformer_id IS 'The transformer';
COMMENT ON COLUMN energy_balance_days.supplied_kwh IS 'By its own meter, net';
COMMENT ON COLUMN energy_balance_days.sold_kwh IS 'By its customers'' meters, net';
COMMENT ON COLUMN energy_balance_days.loss_kwh IS 'Technical: no_load_kw, and load_loss_kw by the square of the loading';
COMMENT ON COLUMN energy_balance_days.residual_kwh IS 'What nothing explains';
COMMENT ON COLUMN energy_balance_days.residual_pct IS 'Of what was supplied';
COMMENT ON COLUMN energy_balance_days.suspect IS 'Whether it is above the parameter residual_pct';

CREATE MATERIALIZED VIEW loss_candidates AS
SELECT local_day, transformer_id, residual_kwh, days
FROM (
    SELECT d.local_day, d.transformer_id, SUM(CAST(b.residual_kwh AS NUMERIC(18, 6))) AS residual_kwh,
        COUNT(*) AS days, p.residual_days
    FROM energy_balance_days AS d
    CROSS JOIN ami_parameters AS p
    JOIN energy_balance_days AS b
        ON b.transformer_id = d.transformer_id AND b.local_day <= d.local_day
        AND b.local_day > d.local_day - p.residual_days * INTERVAL '1 day'
    WHERE d.suspect AND b.suspect
    GROUP BY d.local_day, d.transformer_id, p.residual_days
) AS counted
WHERE days >= residual_days;

COMMENT ON MATERIALIZED VIEW loss_candidates IS 'Transformers that were suspect for residual_days in a row';
COMMENT ON COLUMN loss_candidates.local_day IS 'The last of these days';
COMMENT ON COLUMN loss_candidates.transformer_id IS 'The transformer';
COMMENT ON COLUMN loss_candidates.residual_kwh IS 'What nothing explains, over these days';
COMMENT ON COLUMN loss_candidates.days IS 'How many';

CREATE VIEW loss_evidence AS
SELECT CAST(t.occurred_at AT TIME ZONE p.time_zone AS DATE) AS local_day, t.meter_id, t.transformer_id,
    'TAMPER' AS evidence, 3 AS weight
FROM tampers AS t
CROSS JOIN ami_parameters AS p
UNION ALL
SELECT CAST(local_day AS DATE), meter_id, transformer_id, 'REVERSE_FLOW', 1 FROM reverse_flow_days
UNION ALL
SELECT CAST(d.local_day AS DATE), d.meter_id, d.transformer_id, 'USE_WHILE_INACTIVE', 4
FROM meter_days AS d
CROSS JOIN ami_parameters AS p
JOIN meter_registry AS m
    ON m.meter_id = d.meter_id AND d.local_day AT TIME ZONE p.time_zone >= m.valid_from
    AND d.local_day AT TIME ZONE p.time_zone < COALESCE(m.valid_to, TIMESTAMPTZ 'infinity')
WHERE d.delivered_kwh > 0 AND m.state IN ('installed', 'disconnected', 'retired')
UNION ALL
SELECT CAST(local_day AS DATE), meter_id, transformer_id, 'ZERO_USE', 2
FROM meter_days
WHERE measures = 'customer' AND zeros = intervals AND intervals * interval_s >= 82800 AND voltages > 0
UNION ALL
SELECT CAST(local_day AS DATE), meter_id, transformer_id, 'STUCK', 2
FROM meter_days
WHERE measures = 'customer' AND sum_kwh > 0 AND intervals >= 8 AND intervals * square_kwh = sum_kwh * sum_kwh
UNION ALL
SELECT CAST(t.occurred_at AT TIME ZONE p.time_zone AS DATE), t.meter_id, t.transformer_id, 'DROP_AFTER_TAMPER', 4
FROM tampers AS t
CROSS JOIN ami_parameters AS p
JOIN meter_days AS before
    ON before.meter_id = t.meter_id
    AND before.local_day = date_trunc('day', t.occurred_at AT TIME ZONE p.time_zone) - INTERVAL '1 day'
JOIN meter_days AS after
    ON after.meter_id = t.meter_id AND after.interval_s = before.interval_s
    AND after.local_day = date_trunc('day', t.occurred_at AT TIME ZONE p.time_zone) + INTERVAL '1 day'
WHERE after.intervals >= before.intervals AND after.delivered_kwh < 0.5 * before.delivered_kwh;

COMMENT ON VIEW loss_evidence IS 'What may speak for energy that is not paid for, by meter and local day';
COMMENT ON COLUMN loss_evidence.local_day IS 'The day';
COMMENT ON COLUMN loss_evidence.meter_id IS 'The meter';
COMMENT ON COLUMN loss_evidence.transformer_id IS 'Its transformer';
COMMENT ON COLUMN loss_evidence.evidence IS 'TAMPER, REVERSE_FLOW, USE_WHILE_INACTIVE, ZERO_USE (with voltage), STUCK (all intervals alike), DROP_AFTER_TAMPER (by half, the day behind beside the day before)';
COMMENT ON COLUMN loss_evidence.weight IS 'How much it counts';

CREATE VIEW loss_scores AS
SELECT e.meter_id, e.transformer_id, SUM(e.weight) AS score, COUNT(DISTINCT e.evidence) AS kinds,
    MAX(e.local_day) AS last_day, BOOL_OR(c.transformer_id IS NOT NULL) AS transformer_is_candidate
FROM loss_evidence AS e
LEFT JOIN (SELECT DISTINCT transformer_id FROM loss_candidates) AS c ON c.transformer_id = e.transformer_id
GROUP BY e.meter_id, e.transformer_id;

COMMENT ON VIEW loss_scores IS 'Meters by weight of evidence: a list for crews, no accusation';
COMMENT ON COLUMN loss_scores.meter_id IS 'The meter';
COMMENT ON COLUMN loss_scores.transformer_id IS 'Its transformer';
COMMENT ON COLUMN loss_scores.score IS 'Sum of weights';
COMMENT ON COLUMN loss_scores.kinds IS 'Kinds of evidence';
COMMENT ON COLUMN loss_scores.last_day IS 'The latest';
COMMENT ON COLUMN loss_scores.transformer_is_candidate IS 'Whether its transformer is in loss_candidates';
