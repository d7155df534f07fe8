-- Days of the zone that the parameter time_zone names: 23, 24 or 25 hours long. No maintained view
-- reads meter_days: a row of it changes with each read of its meter, and what nobody follows is
-- appended to a log. What is followed (losses, alerts) is made of reads that matter to it.

CREATE MATERIALIZED VIEW meter_days AS
SELECT
    local_day, meter_id, interval_s, transformer_id, measures,
    COUNT(*) AS intervals,
    COUNT(*) FILTER (WHERE quality_rank >= 4) AS actual,
    COUNT(*) FILTER (WHERE quality_rank = 2) AS estimated,
    COUNT(*) FILTER (WHERE (flags & 3) <> 0) AS excluded,
    SUM(CASE WHEN (flags & 3) = 0 THEN COALESCE(delivered_kwh, 0) ELSE 0 END) AS delivered_kwh,
    SUM(CASE WHEN (flags & 3) = 0 THEN COALESCE(received_kwh, 0) ELSE 0 END) AS received_kwh,
    COUNT(*) FILTER (WHERE delivered_kwh = 0) AS zeros,
    COUNT(*) FILTER (WHERE received_kwh > 0) AS reversed,
    COUNT(*) FILTER (WHERE voltage_v IS NOT NULL AND (flags & 12) = 0) AS voltages,
    COUNT(*) FILTER (WHERE (flags & 12) = 0 AND (flags & 48) <> 0) AS outside,
    COUNT(*) FILTER (WHERE (flags & 12) = 0 AND (flags & 64) <> 0) AS outside_wide,
    SUM(delivered_kwh) AS sum_kwh,
    SUM(CAST(delivered_kwh * delivered_kwh AS NUMERIC(28, 12))) AS square_kwh
FROM checked_reads
GROUP BY local_day, meter_id, interval_s, transformer_id, measures;

COMMENT ON MATERIALIZED VIEW meter_days IS 'What each meter read on a local day: a row for each length of interval and transformer it had';
COMMENT ON COLUMN meter_days.local_day IS 'Where the day begins, in time_zone';
COMMENT ON COLUMN meter_days.meter_id IS 'The meter';
COMMENT ON COLUMN meter_days.interval_s IS 'Length of its intervals';
COMMENT ON COLUMN meter_days.transformer_id IS 'Its transformer';
COMMENT ON COLUMN meter_days.measures IS 'customer or transformer';
COMMENT ON COLUMN meter_days.intervals IS 'Intervals with a read';
COMMENT ON COLUMN meter_days.actual IS 'Of these, actual or validated';
COMMENT ON COLUMN meter_days.estimated IS 'Of these, estimated';
COMMENT ON COLUMN meter_days.excluded IS 'Of these, not in the sums';
COMMENT ON COLUMN meter_days.delivered_kwh IS 'Energy to the customer';
COMMENT ON COLUMN meter_days.received_kwh IS 'Energy from the customer';
COMMENT ON COLUMN meter_days.zeros IS 'Intervals without consumption';
COMMENT ON COLUMN meter_days.reversed IS 'Intervals in which energy was received';
COMMENT ON COLUMN meter_days.voltages IS 'Plausible voltages';
COMMENT ON COLUMN meter_days.outside IS 'Of these, outside the limits';
COMMENT ON COLUMN meter_days.outside_wide IS 'Of these, outside the wider limits';
COMMENT ON COLUMN meter_days.sum_kwh IS 'Sum of what was read, tags aside';
COMMENT ON COLUMN meter_days.square_kwh IS 'Sum of its squares: all intervals are alike when intervals times it is the square of the sum';

-- How many intervals a day has is asked of the zone.
CREATE VIEW daily_energy AS
SELECT
    CAST(d.local_day AS DATE) AS local_day, d.meter_id, d.interval_s, d.transformer_id,
    d.intervals, d.actual, d.estimated, d.excluded, d.delivered_kwh, d.received_kwh,
    CAST(EXTRACT(EPOCH FROM (d.local_day + INTERVAL '1 day') AT TIME ZONE p.time_zone
        - d.local_day AT TIME ZONE p.time_zone)::DOUBLE PRECISION / d.interval_s AS INTEGER) AS expected,
    d.intervals - d.excluded >= CAST(EXTRACT(EPOCH FROM (d.local_day + INTERVAL '1 day') AT TIME ZONE p.time_zone
        - d.local_day AT TIME ZONE p.time_zone)::DOUBLE PRECISION / d.interval_s AS INTEGER) AS complete
FROM meter_days AS d
CROSS JOIN ami_parameters AS p
WHERE d.measures = 'customer';

COMMENT ON VIEW daily_energy IS 'Energy of each customer''s meter and local day, and whether the day is complete';
COMMENT ON COLUMN daily_energy.local_day IS 'The day';
COMMENT ON COLUMN daily_energy.meter_id IS 'The meter';
COMMENT ON COLUMN daily_energy.interval_s IS 'Length of its intervals';
COMMENT ON COLUMN daily_energy.transformer_id IS 'Its transformer';
COMMENT ON COLUMN daily_energy.intervals IS 'Intervals with a read';
COMMENT ON COLUMN daily_energy.actual IS 'Of these, actual or validated';
COMMENT ON COLUMN daily_energy.estimated IS 'Of these, estimated';
COMMENT ON COLUMN daily_energy.excluded IS 'Of these, not in the sums';
COMMENT ON COLUMN daily_energy.delivered_kwh IS 'Energy to the customer';
COMMENT ON COLUMN daily_energy.received_kwh IS 'Energy from the customer';
COMMENT ON COLUMN daily_energy.expected IS 'Intervals that the day has: 92 or 100 quarters where clocks change';
COMMENT ON COLUMN daily_energy.complete IS 'Whether all of them are in the sums';

-- Register reads beside intervals: what a counter moved by between two snapshots.
CREATE MATERIALIZED VIEW register_steps AS
SELECT
    meter_id, channel, read_at, register_kwh,
    LAG(read_at) OVER (PARTITION BY meter_id, channel ORDER BY read_at) AS before_at,
    register_kwh - LAG(register_kwh) OVER (PARTITION BY meter_id, channel ORDER BY read_at) AS step_kwh
FROM (
    SELECT DISTINCT ON (meter_id, channel, read_at) meter_id, channel, read_at, register_kwh
    FROM (
        SELECT meter_id, LOWER(channel) AS channel, read_at, CAST(register_kwh AS NUMERIC(18, 6)) AS register_kwh,
            COALESCE(received_at, ingested_at) AS received_at
        FROM register_reads
        WHERE meter_id IS NOT NULL AND read_at IS NOT NULL
    ) AS cut
    ORDER BY meter_id, channel, read_at, received_at DESC
) AS registers;

COMMENT ON MATERIALIZED VIEW register_steps IS 'Registers and what they moved by since the snapshot before; a negative step is a rollover or another meter';
COMMENT ON COLUMN register_steps.meter_id IS 'The meter';
COMMENT ON COLUMN register_steps.channel IS 'delivered or received';
COMMENT ON COLUMN register_steps.read_at IS 'When the register was read';
COMMENT ON COLUMN register_steps.register_kwh IS 'What it stood at';
COMMENT ON COLUMN register_steps.before_at IS 'When it was read before';
COMMENT ON COLUMN register_steps.step_kwh IS 'By how much it moved; NULL: the first';

CREATE VIEW sum_check_days AS
SELECT
    CAST(d.local_day AS DATE) AS local_day, d.meter_id, d.intervals, d.sum_kwh AS intervals_kwh,
    s.step_kwh AS register_kwh, d.sum_kwh - s.step_kwh AS difference_kwh,
    ABS(d.sum_kwh - s.step_kwh) > GREATEST(0.02 * s.step_kwh, 1) AS suspect
FROM meter_days AS d
CROSS JOIN ami_parameters AS p
JOIN register_steps AS s
    ON s.meter_id = d.meter_id AND s.channel = 'delivered'
    AND s.before_at = d.local_day AT TIME ZONE p.time_zone
    AND s.read_at = (d.local_day + INTERVAL '1 day') AT TIME ZONE p.time_zone
WHERE s.step_kwh >= 0;

COMMENT ON VIEW sum_check_days IS 'Days with registers at both midnights: the sum of intervals beside the register''s step';
COMMENT ON COLUMN sum_check_days.local_day IS 'The day';
COMMENT ON COLUMN sum_check_days.meter_id IS 'The meter';
COMMENT ON COLUMN sum_check_days.intervals IS 'Intervals with a read';
COMMENT ON COLUMN sum_check_days.intervals_kwh IS 'Their sum';
COMMENT ON COLUMN sum_check_days.register_kwh IS 'What the register moved by';
COMMENT ON COLUMN sum_check_days.difference_kwh IS 'Intervals less register';
COMMENT ON COLUMN sum_check_days.suspect IS 'Whether they differ by more than 2 % and 1 kWh';

CREATE VIEW voltage_compliance_weeks AS
SELECT
    date_trunc('week', local_day) AS week_start, meter_id,
    SUM(voltages) AS voltages,
    SUM(outside) AS outside,
    SUM(outside_wide) AS outside_wide,
    ROUND(100.0 * (SUM(voltages) - SUM(outside)) / NULLIF(SUM(voltages), 0), 2) AS inside_pct,
    SUM(voltages) > 0 AND 100.0 * (SUM(voltages) - SUM(outside)) >= 95 * SUM(voltages)
        AND SUM(outside_wide) = 0 AS compliant
FROM meter_days
WHERE measures = 'customer'
GROUP BY date_trunc('week', local_day), meter_id;

COMMENT ON VIEW voltage_compliance_weeks IS 'Voltage by weeks as EN 50160 asks: 95 % of the means inside the limits, all inside the wider ones';
COMMENT ON COLUMN voltage_compliance_weeks.week_start IS 'Where the local week begins';
COMMENT ON COLUMN voltage_compliance_weeks.meter_id IS 'The meter';
COMMENT ON COLUMN voltage_compliance_weeks.voltages IS 'Plausible voltages';
COMMENT ON COLUMN voltage_compliance_weeks.outside IS 'Outside the limits';
COMMENT ON COLUMN voltage_compliance_weeks.outside_wide IS 'Outside the wider limits';
COMMENT ON COLUMN voltage_compliance_weeks.inside_pct IS 'Share inside';
COMMENT ON COLUMN voltage_compliance_weeks.compliant IS 'Whether the week keeps both';

-- Energy by local hour of customers that have a tariff with a peak is asked for when it is read.
CREATE VIEW billing_days AS
SELECT
    m.customer_id, CAST(d.local_day AS DATE) AS local_day, d.meter_id,
    d.delivered_kwh, COALESCE(k.peak_kwh, 0) AS peak_kwh, d.received_kwh, d.estimated, t.currency,
    ROUND((d.delivered_kwh - COALESCE(k.peak_kwh, 0)) * t.price_kwh
        + COALESCE(k.peak_kwh, 0) * COALESCE(t.peak_price_kwh, t.price_kwh)
        - COALESCE(d.received_kwh, 0) * t.feed_in_kwh + t.standing_day, 4) AS amount
FROM meter_days AS d
CROSS JOIN ami_parameters AS p
JOIN meter_registry AS m
    ON m.meter_id = d.meter_id AND d.local_day AT TIME ZONE p.time_zone >= m.valid_from
    AND d.local_day AT TIME ZONE p.time_zone < COALESCE(m.valid_to, TIMESTAMPTZ 'infinity')
JOIN tariffs AS t
    ON t.tariff_id = m.tariff_id AND d.local_day AT TIME ZONE p.time_zone >= t.valid_from
    AND d.local_day AT TIME ZONE p.time_zone < COALESCE(t.valid_to, TIMESTAMPTZ 'infinity')
LEFT JOIN (
    SELECT r.local_day, r.meter_id, SUM(r.delivered_kwh) AS peak_kwh
    FROM checked_reads AS r
    CROSS JOIN ami_parameters AS q
    JOIN meter_registry AS n
        ON n.meter_id = r.meter_id AND r.interval_start >= n.valid_from
        AND r.interval_start < COALESCE(n.valid_to, TIMESTAMPTZ 'infinity')
    JOIN tariffs AS u
        ON u.tariff_id = n.tariff_id AND r.interval_start >= u.valid_from
        AND r.interval_start < COALESCE(u.valid_to, TIMESTAMPTZ 'infinity')
    WHERE (r.flags & 3) = 0
        AND EXTRACT(HOUR FROM r.interval_start AT TIME ZONE q.time_zone) >= u.peak_from_h
        AND EXTRACT(HOUR FROM r.interval_start AT TIME ZONE q.time_zone) < u.peak_to_h
    GROUP BY r.local_day, r.meter_id
) AS k ON k.local_day = d.local_day AND k.meter_id = d.meter_id
WHERE d.measures = 'customer' AND m.customer_id IS NOT NULL;

COMMENT ON VIEW billing_days IS 'What a day would cost each customer by the reads so far: a preview, no bill';
COMMENT ON COLUMN billing_days.customer_id IS 'Who';
COMMENT ON COLUMN billing_days.local_day IS 'The day';
COMMENT ON COLUMN billing_days.meter_id IS 'The meter';
COMMENT ON COLUMN billing_days.delivered_kwh IS 'Energy to the customer';
COMMENT ON COLUMN billing_days.peak_kwh IS 'Of this, in peak hours';
COMMENT ON COLUMN billing_days.received_kwh IS 'Energy from the customer';
COMMENT ON COLUMN billing_days.estimated IS 'Intervals that are estimates';
COMMENT ON COLUMN billing_days.currency IS 'Of the amount';
COMMENT ON COLUMN billing_days.amount IS 'Energy, feeding in and the standing charge';

CREATE VIEW billing_preview AS
SELECT
    customer_id, CAST(date_trunc('month', local_day) AS DATE) AS month, currency,
    COUNT(DISTINCT local_day) AS days,
    SUM(delivered_kwh) AS delivered_kwh,
    SUM(peak_kwh) AS peak_kwh,
    SUM(received_kwh) AS received_kwh,
    SUM(estimated) AS estimated,
    SUM(amount) AS amount
FROM billing_days
GROUP BY customer_id, CAST(date_trunc('month', local_day) AS DATE), currency;

COMMENT ON VIEW billing_preview IS 'What the month has cost each customer so far: a preview of operational quality';
COMMENT ON COLUMN billing_preview.customer_id IS 'Who';
COMMENT ON COLUMN billing_preview.month IS 'The first day of the month';
COMMENT ON COLUMN billing_preview.currency IS 'Of the amount';
COMMENT ON COLUMN billing_preview.days IS 'Days with reads';
COMMENT ON COLUMN billing_preview.delivered_kwh IS 'Energy to the customer';
COMMENT ON COLUMN billing_preview.peak_kwh IS 'Of this, in peak hours';
COMMENT ON COLUMN billing_preview.received_kwh IS 'Energy from the customer';
COMMENT ON COLUMN billing_preview.estimated IS 'Intervals that are estimates';
COMMENT ON COLUMN billing_preview.amount IS 'So far';
