-- Every read with its place in the network as of its interval, tagged and never changed; and what
-- transformers and feeders carried. Everything per transformer rests on one grouping of the reads.

CREATE MATERIALIZED VIEW located_meters AS
SELECT
    m.meter_id, m.valid_from, COALESCE(m.valid_to, TIMESTAMPTZ 'infinity') AS valid_to,
    m.transformer_id, m.customer_id, m.phase, m.interval_s, m.state, m.measures, m.has_generation,
    COALESCE(m.nominal_v, p.nominal_v) AS nominal_v,
    CAST(l.low_v AS NUMERIC(9, 2)) AS low_v,
    CAST(l.high_v AS NUMERIC(9, 2)) AS high_v,
    CAST(l.wide_low_v AS NUMERIC(9, 2)) AS wide_low_v,
    CAST(l.wide_high_v AS NUMERIC(9, 2)) AS wide_high_v,
    CAST(0.05 * COALESCE(m.nominal_v, p.nominal_v) AS NUMERIC(9, 2)) AS zero_v,
    CAST(0.5 * COALESCE(m.nominal_v, p.nominal_v) AS NUMERIC(9, 2)) AS least_v,
    CAST(1.3 * COALESCE(m.nominal_v, p.nominal_v) AS NUMERIC(9, 2)) AS greatest_v,
    CAST(COALESCE(m.max_kw, CASE WHEN m.phase = 'ABC' THEN p.max_kw_3p ELSE p.max_kw_1p END)
        * p.max_margin * m.interval_s / 3600 AS NUMERIC(18, 6)) AS max_kwh,
    p.time_zone
FROM meter_registry AS m
CROSS JOIN ami_parameters AS p
LEFT JOIN voltage_limits AS l
    ON l.profile = COALESCE(m.voltage_profile, p.voltage_profile)
    AND l.nominal_v = COALESCE(m.nominal_v, p.nominal_v);

COMMENT ON MATERIALIZED VIEW located_meters IS 'The registry with the limits that hold for each row';
COMMENT ON COLUMN located_meters.meter_id IS 'The meter';
COMMENT ON COLUMN located_meters.valid_from IS 'From when';
COMMENT ON COLUMN located_meters.valid_to IS 'Until when; infinity: still';
COMMENT ON COLUMN located_meters.transformer_id IS 'Which transformer feeds it';
COMMENT ON COLUMN located_meters.customer_id IS 'Who is billed';
COMMENT ON COLUMN located_meters.phase IS 'A, B, C or ABC';
COMMENT ON COLUMN located_meters.interval_s IS 'Length of its intervals';
COMMENT ON COLUMN located_meters.state IS 'As in the registry';
COMMENT ON COLUMN located_meters.measures IS 'customer or transformer';
COMMENT ON COLUMN located_meters.has_generation IS 'Whether feeding in is known of';
COMMENT ON COLUMN located_meters.nominal_v IS 'Nominal voltage that counts';
COMMENT ON COLUMN located_meters.low_v IS 'Lower limit; NULL: the profile has no row for the nominal voltage';
COMMENT ON COLUMN located_meters.high_v IS 'Upper limit';
COMMENT ON COLUMN located_meters.wide_low_v IS 'Wider lower limit';
COMMENT ON COLUMN located_meters.wide_high_v IS 'Wider upper limit';
COMMENT ON COLUMN located_meters.zero_v IS 'A twentieth of nominal: below it there is no supply';
COMMENT ON COLUMN located_meters.least_v IS 'Half of nominal: below it a voltage is implausible';
COMMENT ON COLUMN located_meters.greatest_v IS '1.3 of nominal: above it a voltage is implausible';
COMMENT ON COLUMN located_meters.max_kwh IS 'The most that an interval of its length can bring, with max_margin';
COMMENT ON COLUMN located_meters.time_zone IS 'The parameter';

-- Tags are bits put together with |, which cannot overflow as a sum could: nothing has to be
-- looked at twice for rows that cannot be computed.
CREATE MATERIALIZED VIEW checked_reads AS
SELECT
    interval_start, meter_id, interval_s, transformer_id, phase, measures, quality_rank,
    delivered_kwh, received_kwh, voltage_v, first_received_at, local_day,
    CASE WHEN delivered_kwh < 0 OR received_kwh < 0 THEN 1 ELSE 0 END
    | CASE WHEN delivered_kwh > max_kwh OR received_kwh > max_kwh THEN 2 ELSE 0 END
    | CASE WHEN voltage_v > greatest_v OR (voltage_v < least_v AND voltage_v >= zero_v) THEN 4 ELSE 0 END
    | CASE WHEN voltage_v < zero_v THEN 8 ELSE 0 END
    | CASE WHEN voltage_v < low_v AND voltage_v >= least_v THEN 16 ELSE 0 END
    | CASE WHEN voltage_v > high_v AND voltage_v <= greatest_v THEN 32 ELSE 0 END
    | CASE WHEN (voltage_v < wide_low_v AND voltage_v >= least_v)
        OR (voltage_v > wide_high_v AND voltage_v <= greatest_v) THEN 64 ELSE 0 END
    | CASE WHEN drifted THEN 128 ELSE 0 END
    | CASE WHEN first_received_at > interval_start + INTERVAL '2160 hours' THEN 256 ELSE 0 END AS flags
FROM (
    SELECT
        r.interval_start, r.meter_id, r.interval_s, r.quality_rank, r.delivered_kwh, r.received_kwh,
        r.voltage_v, r.drifted, r.first_received_at,
        m.transformer_id, m.phase, m.measures, m.low_v, m.high_v, m.wide_low_v, m.wide_high_v,
        m.zero_v, m.least_v, m.greatest_v,
        CASE WHEN m.interval_s = r.interval_s THEN m.max_kwh END AS max_kwh,
        date_trunc('day', r.interval_start AT TIME ZONE m.time_zone) AS local_day
    FROM latest_reads AS r
    JOIN located_meters AS m
        ON r.meter_id = m.meter_id AND r.interval_start >= m.valid_from AND r.interval_start < m.valid_to
    UNION ALL
    SELECT
        r.interval_start, r.meter_id, r.interval_s, r.quality_rank, r.delivered_kwh, r.received_kwh,
        r.voltage_v, r.drifted, r.first_received_at,
        m.transformer_id, m.phase, m.measures, m.low_v, m.high_v, m.wide_low_v, m.wide_high_v,
        m.zero_v, m.least_v, m.greatest_v,
        CASE WHEN m.interval_s = r.interval_s THEN m.max_kwh END AS max_kwh,
        date_trunc('day', r.interval_start AT TIME ZONE m.time_zone) AS local_day
    FROM tall_reads AS r
    JOIN located_meters AS m
        ON r.meter_id = m.meter_id AND r.interval_start >= m.valid_from AND r.interval_start < m.valid_to
) AS located;

COMMENT ON MATERIALIZED VIEW checked_reads IS 'Every read that counts, with its place as of its interval and its tags. Operational quality: bills are made elsewhere';
COMMENT ON COLUMN checked_reads.interval_start IS 'Where the interval begins';
COMMENT ON COLUMN checked_reads.meter_id IS 'The meter';
COMMENT ON COLUMN checked_reads.interval_s IS 'Length in seconds';
COMMENT ON COLUMN checked_reads.transformer_id IS 'Its transformer at that time';
COMMENT ON COLUMN checked_reads.phase IS 'Its phase at that time';
COMMENT ON COLUMN checked_reads.measures IS 'customer or transformer';
COMMENT ON COLUMN checked_reads.quality_rank IS '5 validated, 4 actual, 3 edited, 2 estimated, 1 questionable, 0 missing';
COMMENT ON COLUMN checked_reads.delivered_kwh IS 'Energy to the customer, as it was read';
COMMENT ON COLUMN checked_reads.received_kwh IS 'Energy from the customer, as it was read';
COMMENT ON COLUMN checked_reads.voltage_v IS 'Mean voltage, as it was read';
COMMENT ON COLUMN checked_reads.first_received_at IS 'When an actual read was first received; NULL: never';
COMMENT ON COLUMN checked_reads.local_day IS 'The day in time_zone on which the interval begins';
COMMENT ON COLUMN checked_reads.flags IS 'Bits, named by read_flags; 0: nothing to say';

-- Unknown meters: reads that checked_reads has no row for, as the registry has none.
CREATE MATERIALIZED VIEW unknown_meters AS
SELECT meter_id, COUNT(*) AS reads
FROM (
    SELECT r.meter_id
    FROM latest_reads AS r
    WHERE NOT EXISTS (
        SELECT 1 FROM located_meters AS m
        WHERE m.meter_id = r.meter_id AND r.interval_start >= m.valid_from AND r.interval_start < m.valid_to)
    UNION ALL
    SELECT r.meter_id
    FROM tall_reads AS r
    WHERE NOT EXISTS (
        SELECT 1 FROM located_meters AS m
        WHERE m.meter_id = r.meter_id AND r.interval_start >= m.valid_from AND r.interval_start < m.valid_to)
) AS lost
GROUP BY meter_id;

COMMENT ON MATERIALIZED VIEW unknown_meters IS 'Meters with reads at times for which the registry has no row: they are in no other view';
COMMENT ON COLUMN unknown_meters.meter_id IS 'The meter';
COMMENT ON COLUMN unknown_meters.reads IS 'How many intervals';

CREATE MATERIALIZED VIEW transformer_windows AS
SELECT
    interval_start AS window_start,
    transformer_id,
    interval_s,
    COUNT(*) AS reads,
    COUNT(*) FILTER (WHERE quality_rank >= 4) AS reported,
    COUNT(*) FILTER (WHERE quality_rank = 2) AS estimated,
    COUNT(*) FILTER (WHERE (flags & 3) <> 0) AS excluded,
    COUNT(*) FILTER (WHERE (flags & 256) <> 0) AS stale,
    SUM(CASE WHEN (flags & 3) = 0 THEN COALESCE(delivered_kwh, 0) ELSE 0 END) AS delivered_kwh,
    SUM(CASE WHEN (flags & 3) = 0 THEN COALESCE(received_kwh, 0) ELSE 0 END) AS received_kwh,
    SUM(CASE WHEN (flags & 3) = 0 AND phase = 'A' THEN COALESCE(delivered_kwh, 0) ELSE 0 END) AS a_kwh,
    SUM(CASE WHEN (flags & 3) = 0 AND phase = 'B' THEN COALESCE(delivered_kwh, 0) ELSE 0 END) AS b_kwh,
    SUM(CASE WHEN (flags & 3) = 0 AND phase = 'C' THEN COALESCE(delivered_kwh, 0) ELSE 0 END) AS c_kwh,
    COUNT(voltage_v) FILTER (WHERE (flags & 12) = 0 AND quality_rank >= 3) AS voltages,
    SUM(voltage_v) FILTER (WHERE (flags & 12) = 0 AND quality_rank >= 3) AS voltage_sum_v,
    COUNT(*) FILTER (WHERE (flags & 28) = 16 AND quality_rank >= 3) AS low_count,
    COUNT(*) FILTER (WHERE (flags & 44) = 32 AND quality_rank >= 3) AS high_count,
    COUNT(*) FILTER (WHERE (flags & 76) = 64 AND quality_rank >= 3) AS wide_count,
    COUNT(*) FILTER (WHERE (flags & 8) <> 0) AS zero_count,
    COUNT(*) FILTER (WHERE first_received_at <= interval_start + INTERVAL '4 hours') AS within_4h,
    COUNT(*) FILTER (WHERE first_received_at <= interval_start + INTERVAL '24 hours') AS within_24h,
    COUNT(*) FILTER (WHERE first_received_at <= interval_start + INTERVAL '72 hours') AS within_72h
FROM checked_reads
WHERE measures = 'customer'
GROUP BY interval_start, transformer_id, interval_s;

COMMENT ON MATERIALIZED VIEW transformer_windows IS 'What the meters of a transformer read in a window, by length of interval. A window without any read has no row here: see receipt_windows';
COMMENT ON COLUMN transformer_windows.window_start IS 'Where the window begins: that of its intervals';
COMMENT ON COLUMN transformer_windows.transformer_id IS 'The transformer, as of the window';
COMMENT ON COLUMN transformer_windows.interval_s IS 'Length of window and intervals';
COMMENT ON COLUMN transformer_windows.reads IS 'Meters with any read';
COMMENT ON COLUMN transformer_windows.reported IS 'Meters with an actual or validated read';
COMMENT ON COLUMN transformer_windows.estimated IS 'Meters with an estimate: energy counts, receipt does not';
COMMENT ON COLUMN transformer_windows.excluded IS 'Reads whose energy is not in the sums: E_NEGATIVE or E_MAX';
COMMENT ON COLUMN transformer_windows.stale IS 'Reads that came after stale_after';
COMMENT ON COLUMN transformer_windows.delivered_kwh IS 'Energy to customers';
COMMENT ON COLUMN transformer_windows.received_kwh IS 'Energy from customers';
COMMENT ON COLUMN transformer_windows.a_kwh IS 'Delivered to single-phase meters of phase A';
COMMENT ON COLUMN transformer_windows.b_kwh IS 'The same of phase B';
COMMENT ON COLUMN transformer_windows.c_kwh IS 'The same of phase C';
COMMENT ON COLUMN transformer_windows.voltages IS 'Meters with a plausible voltage that is no estimate';
COMMENT ON COLUMN transformer_windows.voltage_sum_v IS 'Their sum; over voltages it is the mean';
COMMENT ON COLUMN transformer_windows.low_count IS 'Of these, below their limit';
COMMENT ON COLUMN transformer_windows.high_count IS 'Of these, above their limit';
COMMENT ON COLUMN transformer_windows.wide_count IS 'Of these, outside the wider limits';
COMMENT ON COLUMN transformer_windows.zero_count IS 'Meters that read nearly no voltage';
COMMENT ON COLUMN transformer_windows.within_4h IS 'Actual reads received within 4 hours of the window''s start';
COMMENT ON COLUMN transformer_windows.within_24h IS 'The same within 24 hours';
COMMENT ON COLUMN transformer_windows.within_72h IS 'The same within 72 hours';

-- How many meters of each length a transformer had, as steps in time: what is expected of a window
-- is one lookup, and not a count of the registry.
CREATE MATERIALIZED VIEW transformer_population AS
SELECT
    transformer_id, interval_s, changed_at AS valid_from,
    COALESCE(LEAD(changed_at) OVER (PARTITION BY transformer_id, interval_s ORDER BY changed_at),
        TIMESTAMPTZ 'infinity') AS valid_to,
    (SUM(meters) OVER (PARTITION BY transformer_id, interval_s ORDER BY changed_at))::BIGINT AS meters,
    (SUM(gaspers) OVER (PARTITION BY transformer_id, interval_s ORDER BY changed_at))::BIGINT AS gaspers
FROM (
    SELECT transformer_id, interval_s, changed_at, SUM(meters) AS meters, SUM(gaspers) AS gaspers
    FROM (
        SELECT transformer_id, interval_s, valid_from AS changed_at, 1 AS meters,
            CASE WHEN can_gasp THEN 1 ELSE 0 END AS gaspers
        FROM meter_registry
        WHERE state = 'active' AND measures = 'customer' AND transformer_id IS NOT NULL
        UNION ALL
        SELECT transformer_id, interval_s, valid_to AS changed_at, -1 AS meters,
            CASE WHEN can_gasp THEN -1 ELSE 0 END AS gaspers
        FROM meter_registry
        WHERE state = 'active' AND measures = 'customer' AND transformer_id IS NOT NULL AND valid_to IS NOT NULL
    ) AS changes
    GROUP BY transformer_id, interval_s, changed_at
) AS summed;

COMMENT ON MATERIALIZED VIEW transformer_population IS 'Active customers'' meters of each transformer and interval length, from change to change';
COMMENT ON COLUMN transformer_population.transformer_id IS 'The transformer';
COMMENT ON COLUMN transformer_population.interval_s IS 'Length of intervals';
COMMENT ON COLUMN transformer_population.valid_from IS 'From when';
COMMENT ON COLUMN transformer_population.valid_to IS 'Until when; infinity: still';
COMMENT ON COLUMN transformer_population.meters IS 'How many active meters';
COMMENT ON COLUMN transformer_population.gaspers IS 'How many of them can tell of a lost supply';

CREATE MATERIALIZED VIEW transformer_load AS
SELECT
    w.window_start, w.transformer_id, w.interval_s, t.feeder_id, n.meters AS expected,
    w.reads, w.estimated, w.excluded,
    w.reads - w.excluded >= n.meters AS complete,
    w.delivered_kwh,
    w.received_kwh,
    (w.delivered_kwh - w.received_kwh) * 3600 / w.interval_s AS net_kw,
    100 * ABS(w.delivered_kwh - w.received_kwh) * 3600 / w.interval_s / (p.power_factor * NULLIF(t.kva, 0))
        AS loading_pct,
    w.a_kwh, w.b_kwh, w.c_kwh
FROM transformer_windows AS w
CROSS JOIN ami_parameters AS p
LEFT JOIN transformers AS t
    ON w.transformer_id = t.transformer_id AND w.window_start >= t.valid_from
    AND w.window_start < COALESCE(t.valid_to, TIMESTAMPTZ 'infinity')
LEFT JOIN transformer_population AS n
    ON w.transformer_id = n.transformer_id AND w.interval_s = n.interval_s
    AND w.window_start >= n.valid_from AND w.window_start < n.valid_to;

COMMENT ON MATERIALIZED VIEW transformer_load IS 'Energy and power of each transformer and window, and how complete they are';
COMMENT ON COLUMN transformer_load.window_start IS 'Where the window begins';
COMMENT ON COLUMN transformer_load.transformer_id IS 'The transformer';
COMMENT ON COLUMN transformer_load.interval_s IS 'Length of window and intervals';
COMMENT ON COLUMN transformer_load.feeder_id IS 'Its feeder at that time';
COMMENT ON COLUMN transformer_load.expected IS 'Active meters at that time';
COMMENT ON COLUMN transformer_load.reads IS 'Meters with a read';
COMMENT ON COLUMN transformer_load.estimated IS 'Of these, estimates';
COMMENT ON COLUMN transformer_load.excluded IS 'Of these, reads not in the sums';
COMMENT ON COLUMN transformer_load.complete IS 'Whether every expected meter is in the sums';
COMMENT ON COLUMN transformer_load.delivered_kwh IS 'Energy to customers';
COMMENT ON COLUMN transformer_load.received_kwh IS 'Energy from customers';
COMMENT ON COLUMN transformer_load.net_kw IS 'Mean power; negative: towards the grid';
COMMENT ON COLUMN transformer_load.loading_pct IS 'Apparent power by power_factor, of rated power; NULL: that is not known';
COMMENT ON COLUMN transformer_load.a_kwh IS 'Delivered on phase A';
COMMENT ON COLUMN transformer_load.b_kwh IS 'Delivered on phase B';
COMMENT ON COLUMN transformer_load.c_kwh IS 'Delivered on phase C';

CREATE MATERIALIZED VIEW feeder_load AS
SELECT
    window_start, feeder_id, interval_s,
    COUNT(*) AS transformers,
    COUNT(*) FILTER (WHERE NOT complete) AS incomplete,
    SUM(delivered_kwh) AS delivered_kwh,
    SUM(received_kwh) AS received_kwh,
    SUM(net_kw) AS net_kw
FROM transformer_load
WHERE feeder_id IS NOT NULL
GROUP BY window_start, feeder_id, interval_s;

COMMENT ON MATERIALIZED VIEW feeder_load IS 'Energy and power of each feeder and window: its transformers together, without losses';
COMMENT ON COLUMN feeder_load.window_start IS 'Where the window begins';
COMMENT ON COLUMN feeder_load.feeder_id IS 'The feeder, as of the window';
COMMENT ON COLUMN feeder_load.interval_s IS 'Length of window and intervals';
COMMENT ON COLUMN feeder_load.transformers IS 'Transformers with reads';
COMMENT ON COLUMN feeder_load.incomplete IS 'Of these, without all of their meters';
COMMENT ON COLUMN feeder_load.delivered_kwh IS 'Energy to customers';
COMMENT ON COLUMN feeder_load.received_kwh IS 'Energy from customers';
COMMENT ON COLUMN feeder_load.net_kw IS 'Mean power; negative: towards the grid';

-- Intervals of 15, 30 and 60 minutes meet in an hour; longer ones are left out.
CREATE MATERIALIZED VIEW transformer_hours AS
SELECT
    hour_start, transformer_id,
    SUM(delivered_kwh) AS delivered_kwh,
    SUM(received_kwh) AS received_kwh,
    SUM(reads * interval_s) AS read_s,
    SUM(estimated * interval_s) AS estimated_s
FROM (
    SELECT date_trunc('hour', window_start) AS hour_start, transformer_id, interval_s, delivered_kwh,
        received_kwh, reads, estimated
    FROM transformer_load
    WHERE interval_s <= 3600
) AS cut
GROUP BY hour_start, transformer_id;

COMMENT ON MATERIALIZED VIEW transformer_hours IS 'Energy of each transformer and hour, over all lengths of intervals';
COMMENT ON COLUMN transformer_hours.hour_start IS 'Where the hour begins';
COMMENT ON COLUMN transformer_hours.transformer_id IS 'The transformer';
COMMENT ON COLUMN transformer_hours.delivered_kwh IS 'Energy to customers';
COMMENT ON COLUMN transformer_hours.received_kwh IS 'Energy from customers';
COMMENT ON COLUMN transformer_hours.read_s IS 'Seconds that were read, added over meters: 3600 for each when complete';
COMMENT ON COLUMN transformer_hours.estimated_s IS 'Of these, estimated';

CREATE MATERIALIZED VIEW transformer_thermal_days AS
SELECT
    local_day, transformer_id,
    interval_s * over_100 / 60 AS minutes_over_100,
    interval_s * over_120 / 60 AS minutes_over_120,
    interval_s * over_150 / 60 AS minutes_over_150,
    windows,
    interval_s
FROM (
SELECT
    local_day, transformer_id, interval_s,
    COUNT(*) FILTER (WHERE loading_pct > 100) AS over_100,
    COUNT(*) FILTER (WHERE loading_pct > 120) AS over_120,
    COUNT(*) FILTER (WHERE loading_pct > 150) AS over_150,
    COUNT(*) AS windows
FROM (
    SELECT l.transformer_id, l.interval_s, l.loading_pct,
        CAST(l.window_start AT TIME ZONE p.time_zone AS DATE) AS local_day
    FROM transformer_load AS l
    CROSS JOIN ami_parameters AS p
    WHERE l.loading_pct IS NOT NULL
) AS loaded
GROUP BY local_day, transformer_id, interval_s
) AS counted;

COMMENT ON MATERIALIZED VIEW transformer_thermal_days IS 'Minutes of each local day that a transformer was loaded above its rating';
COMMENT ON COLUMN transformer_thermal_days.local_day IS 'The day in time_zone';
COMMENT ON COLUMN transformer_thermal_days.transformer_id IS 'The transformer';
COMMENT ON COLUMN transformer_thermal_days.minutes_over_100 IS 'Minutes above 100 % of rated power';
COMMENT ON COLUMN transformer_thermal_days.minutes_over_120 IS 'Minutes above 120 %';
COMMENT ON COLUMN transformer_thermal_days.minutes_over_150 IS 'Minutes above 150 %';
COMMENT ON COLUMN transformer_thermal_days.windows IS 'Windows with reads';
COMMENT ON COLUMN transformer_thermal_days.interval_s IS 'Length of these windows';

CREATE VIEW phase_imbalance AS
SELECT
    window_start, transformer_id, interval_s,
    a_kwh, b_kwh, c_kwh,
    100 * GREATEST(ABS(a_kwh - (a_kwh + b_kwh + c_kwh) / 3), ABS(b_kwh - (a_kwh + b_kwh + c_kwh) / 3),
        ABS(c_kwh - (a_kwh + b_kwh + c_kwh) / 3)) / NULLIF((a_kwh + b_kwh + c_kwh) / 3, 0) AS imbalance_pct
FROM transformer_load
WHERE a_kwh > 0 OR b_kwh > 0 OR c_kwh > 0;

COMMENT ON VIEW phase_imbalance IS 'How far the single-phase load of a transformer is from even, by window';
COMMENT ON COLUMN phase_imbalance.window_start IS 'Where the window begins';
COMMENT ON COLUMN phase_imbalance.transformer_id IS 'The transformer';
COMMENT ON COLUMN phase_imbalance.interval_s IS 'Length of window';
COMMENT ON COLUMN phase_imbalance.a_kwh IS 'Delivered on phase A';
COMMENT ON COLUMN phase_imbalance.b_kwh IS 'Delivered on phase B';
COMMENT ON COLUMN phase_imbalance.c_kwh IS 'Delivered on phase C';
COMMENT ON COLUMN phase_imbalance.imbalance_pct IS 'Largest difference from the mean of the phases, of that mean';
