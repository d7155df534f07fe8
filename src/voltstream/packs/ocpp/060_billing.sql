-- Three ways to the energy of a session, and whether they agree.

-- The samples of sessions that have stopped: while a session runs, nothing below has to follow it.
CREATE MATERIALIZED VIEW finished_samples AS
SELECT
    s.charge_point_id, s.transaction_id, s.measurand, s.sampled_at,
    COALESCE(s.value, s.phases_value) AS value, s.boundary_value, c.sample_interval
FROM session_samples AS s
JOIN (
    SELECT charge_point_id, transaction_id, stopped_at, sample_interval, phases_used
    FROM session_context
    WHERE state = 'FINISHED'
) AS c ON c.charge_point_id = s.charge_point_id AND c.transaction_id = s.transaction_id
WHERE (s.value IS NOT NULL OR s.phases_told >= c.phases_used) AND s.sampled_at <= c.stopped_at;

COMMENT ON MATERIALIZED VIEW finished_samples IS 'Samples of the sessions that have stopped';

-- Power by the trapezoid between two samples that are no further apart than two intervals.
CREATE MATERIALIZED VIEW power_steps AS
WITH placed AS (
    SELECT
        charge_point_id, transaction_id, sampled_at, sample_interval, value AS power_w,
        LAG(value) OVER series AS from_w, LAG(sampled_at) OVER series AS from_at
    FROM finished_samples
    WHERE measurand = 'Power.Active.Import'
    WINDOW series AS (PARTITION BY charge_point_id, transaction_id ORDER BY sampled_at)
)
SELECT
    charge_point_id, transaction_id, sampled_at, power_w,
    epoch_ms(sampled_at) - epoch_ms(from_at) AS step_ms,
    CASE
        WHEN sampled_at - from_at <= 2 * sample_interval
        THEN CAST(ROUND(CAST(from_w + power_w AS DOUBLE PRECISION)
            * (epoch_ms(sampled_at) - epoch_ms(from_at)) / 7200000, 3) AS DECIMAL(18, 3))
    END AS energy_wh
FROM placed;

COMMENT ON MATERIALIZED VIEW power_steps IS
    'Energy between two power samples of a session; NULL where they are too far apart';

CREATE MATERIALIZED VIEW session_power AS
SELECT
    charge_point_id, transaction_id,
    SUM(energy_wh) AS power_wh,
    COUNT(*) AS samples,
    MAX(power_w) AS power_w_max,
    COALESCE(SUM(step_ms) FILTER (WHERE energy_wh IS NOT NULL), 0) AS covered_ms
FROM power_steps
GROUP BY charge_point_id, transaction_id;

COMMENT ON MATERIALIZED VIEW session_power IS
    'Energy of each session as the integral of its power, its greatest power, and how much time that covers';

CREATE MATERIALIZED VIEW session_boundaries AS
SELECT
    charge_point_id, transaction_id,
    CASE
        WHEN COUNT(*) > 1
        THEN ARG_MAX(boundary_value, sampled_at) - ARG_MIN(boundary_value, sampled_at)
    END AS boundary_wh
FROM finished_samples
WHERE measurand = 'Energy.Active.Import.Register' AND boundary_value IS NOT NULL
GROUP BY charge_point_id, transaction_id;

COMMENT ON MATERIALIZED VIEW session_boundaries IS
    'Register at Transaction.End minus that at Transaction.Begin';

-- *.Interval is the energy of the interval that ends at its time. It is no register.
CREATE MATERIALIZED VIEW session_intervals AS
SELECT charge_point_id, transaction_id, SUM(value) AS interval_wh
FROM finished_samples
WHERE measurand = 'Energy.Active.Import.Interval'
GROUP BY charge_point_id, transaction_id;

COMMENT ON MATERIALIZED VIEW session_intervals IS 'Sum of the interval energies of each session';

-- The register at the start of a session is that at the end of the one before: what lies between was
-- taken and not billed.
CREATE MATERIALIZED VIEW missing_energy AS
SELECT
    s.charge_point_id, s.connector_id, s.transaction_id, s.started_at,
    before.transaction_id AS transaction_before,
    s.meter_start_wh - before.meter_stop_wh AS missing_wh
FROM session_spans AS s
ASOF JOIN (
    SELECT charge_point_id, evse_id, connector_id, transaction_id, stopped_at, meter_stop_wh
    FROM session_spans WHERE stopped_at IS NOT NULL AND meter_stop_wh IS NOT NULL
) AS before
    ON s.charge_point_id = before.charge_point_id
    AND s.evse_id = before.evse_id
    AND s.connector_id = before.connector_id
    AND s.started_at >= before.stopped_at
WHERE s.meter_start_wh IS NOT NULL;

COMMENT ON MATERIALIZED VIEW missing_energy IS
    'How far the register moved between two sessions of a connector, in Wh';

CREATE MATERIALIZED VIEW billing_reconciliation AS
WITH compared AS (
    SELECT
        s.charge_point_id, s.transaction_id, s.evse_id, s.connector_id, s.started_at, s.stopped_at,
        b.boundary_wh,
        CAST(s.meter_stop_wh - s.meter_start_wh AS DECIMAL(18, 3)) AS meter_wh,
        s.energy_wh AS delta_wh,
        i.interval_wh,
        CASE
            WHEN w.covered_ms
                >= 0.9 * (epoch_ms(s.stopped_at) - epoch_ms(s.started_at))
            THEN w.power_wh
        END AS power_wh,
        m.missing_wh,
        COALESCE(s.doubtful_steps, 0) AS doubtful_steps,
        CAST(COALESCE(w.power_w_max, 0) AS DOUBLE PRECISION)
            * (epoch_ms(s.stopped_at + s.sample_interval) - epoch_ms(s.stopped_at)) / 7200000
            AS sampling_wh,
        p.billing_share,
        w.samples AS power_samples
    FROM finished_sessions AS s
    CROSS JOIN (SELECT billing_share FROM ocpp_parameters) AS p
    LEFT JOIN session_boundaries AS b
        ON b.charge_point_id = s.charge_point_id AND b.transaction_id = s.transaction_id
    LEFT JOIN session_intervals AS i
        ON i.charge_point_id = s.charge_point_id AND i.transaction_id = s.transaction_id
    LEFT JOIN session_power AS w
        ON w.charge_point_id = s.charge_point_id AND w.transaction_id = s.transaction_id
    LEFT JOIN missing_energy AS m
        ON m.charge_point_id = s.charge_point_id AND m.transaction_id = s.transaction_id
    WHERE s.state = 'FINISHED'
), classed AS (
    SELECT
        *,
        CASE
            WHEN doubtful_steps = 0 OR COALESCE(boundary_wh, meter_wh) >= 0
            THEN COALESCE(boundary_wh, meter_wh, delta_wh, interval_wh, power_wh)
            ELSE delta_wh
        END AS billed_wh,
        CASE
            WHEN COALESCE(boundary_wh, meter_wh) < 0 AND doubtful_steps > 0 THEN 'REGISTER'
            WHEN boundary_wh IS NOT NULL THEN 'BOUNDARY'
            WHEN meter_wh IS NOT NULL THEN 'START_STOP'
            WHEN delta_wh IS NOT NULL THEN 'REGISTER'
            WHEN interval_wh IS NOT NULL THEN 'INTERVAL'
            WHEN power_wh IS NOT NULL THEN 'POWER'
            ELSE 'NONE'
        END AS basis,
        CASE
            WHEN COALESCE(boundary_wh, meter_wh, delta_wh) IS NULL THEN 'NO_METER'
            WHEN meter_wh < 0 OR boundary_wh < 0 THEN 'NEGATIVE'
            WHEN doubtful_steps > 0 THEN 'REGISTER'
            WHEN ABS(boundary_wh - meter_wh) > 2 THEN 'BOUNDARY'
            WHEN ABS(COALESCE(boundary_wh, meter_wh) - delta_wh)
                > 5 + 0.0005 * ABS(COALESCE(boundary_wh, meter_wh)) THEN 'STEPS'
            WHEN ABS(COALESCE(boundary_wh, meter_wh, delta_wh) - power_wh)
                > billing_share * ABS(COALESCE(boundary_wh, meter_wh, delta_wh)) + sampling_wh
                THEN 'POWER'
            WHEN ABS(missing_wh)
                > GREATEST(10, 0.001 * ABS(COALESCE(boundary_wh, meter_wh, delta_wh)))
                THEN 'MISSING_ENERGY'
            ELSE 'NONE'
        END AS difference
    FROM compared
)
SELECT
    charge_point_id, transaction_id, evse_id, connector_id, started_at, stopped_at,
    billed_wh, basis, boundary_wh, meter_wh, delta_wh, interval_wh, power_wh, power_samples, missing_wh,
    difference,
    CASE
        WHEN difference = 'NONE' THEN 'MATCHED'
        WHEN difference IN ('POWER', 'MISSING_ENERGY') THEN 'MINOR'
        WHEN difference IN ('BOUNDARY', 'STEPS')
            AND GREATEST(ABS(billed_wh - delta_wh), ABS(COALESCE(boundary_wh, meter_wh) - meter_wh))
                <= 0.01 * ABS(billed_wh) THEN 'MINOR'
        ELSE 'DISPUTED'
    END AS outcome
FROM classed;

COMMENT ON MATERIALIZED VIEW billing_reconciliation IS
    'Energy of each finished session by boundaries, by steps and by power, and whether they agree';

-- r = energy of the register over energy of the power, of sessions that are long enough to tell.
CREATE MATERIALIZED VIEW calibration_samples AS
SELECT
    charge_point_id, evse_id, connector_id, transaction_id, stopped_at,
    epoch_ms(stopped_at) / CAST(86400000 AS DOUBLE PRECISION) AS day_number,
    CAST(delta_wh AS DOUBLE PRECISION) / CAST(power_wh AS DOUBLE PRECISION) AS ratio
FROM billing_reconciliation
WHERE delta_wh >= 1000 AND power_wh > 0 AND power_samples >= 20
  AND difference NOT IN ('REGISTER', 'NEGATIVE', 'NO_METER');

COMMENT ON MATERIALIZED VIEW calibration_samples IS
    'Register energy over integrated power of each session of at least 1 kWh and 20 samples';

-- The trend is a straight line through the ratios; its interval of 95 % is twice the standard error
-- of the slope to either side, and a trend is told only when that leaves out 0.
CREATE MATERIALIZED VIEW calibration_drift AS
WITH fitted AS (
    SELECT
        charge_point_id, evse_id, connector_id,
        COUNT(*) AS sessions,
        MIN(stopped_at) AS first_at,
        MAX(stopped_at) AS last_at,
        MEDIAN(ratio) AS ratio,
        regr_slope(ratio, day_number) AS slope,
        CASE
            WHEN COUNT(*) > 2 AND VAR_POP(day_number) > 0 THEN SQRT(GREATEST(0,
                (VAR_POP(ratio) - POWER(COVAR_POP(ratio, day_number), 2) / VAR_POP(day_number))
                / VAR_POP(day_number) / (COUNT(*) - 2)))
        END AS slope_error
    FROM calibration_samples
    GROUP BY charge_point_id, evse_id, connector_id
)
SELECT
    f.charge_point_id, f.evse_id, f.connector_id, f.sessions, f.first_at, f.last_at,
    100 * (f.ratio - 1) AS drift_percent,
    100 * 30 * f.slope AS trend_percent_month,
    100 * 30 * (f.slope - 2 * f.slope_error) AS trend_low_percent_month,
    100 * 30 * (f.slope + 2 * f.slope_error) AS trend_high_percent_month,
    CASE
        WHEN f.sessions < p.drift_sessions THEN 'TOO_FEW'
        WHEN ABS(f.ratio - 1) > p.drift_percent / 100 THEN 'DRIFTED'
        WHEN f.slope - 2 * f.slope_error > 0 OR f.slope + 2 * f.slope_error < 0 THEN 'DRIFTING'
        ELSE 'STEADY'
    END AS verdict
FROM fitted AS f
CROSS JOIN ocpp_parameters AS p;

COMMENT ON MATERIALIZED VIEW calibration_drift IS
    'How far the register of each connector is from its power, and where that goes';
