-- Which steps of a register are energy. The same rules as the gateway's, but in order of time:
-- a sample that comes late takes its place, and its neighbours' steps are counted again.
--
-- A step that the power of the charger cannot make is not energy (IMPLAUSIBLE), and a single sample
-- that does not fit between its neighbours is left out. A register that falls by up to 10 Wh
-- stays where it was: boundaries are whole Wh, samples are not (JITTER). One that falls near a round
-- modulus has turned over (ROLLOVER); any other one has begun anew (RESET), and what it shows is
-- energy if it could have flowed. What comes after the STOP is the next session's, or nobody's.
-- A step of more than a week is a clock that was not set: it counts where it ends.

CREATE MATERIALIZED VIEW register_steps AS
WITH placed AS (
    SELECT
        charge_point_id, transaction_id, measurand, sampled_at, register_wh,
        evse_id, connector_id, site, time_zone, wh_per_ms_max, sample_interval, gap_after,
        LAG(register_wh) OVER series AS before_wh,
        LAG(sampled_at) OVER series AS before_at,
        LEAD(register_wh) OVER series AS after_wh,
        LEAD(sampled_at) OVER series AS after_at
    FROM (
        SELECT
            s.charge_point_id, s.transaction_id, s.measurand, s.sampled_at,
            COALESCE(s.value, CASE WHEN s.phases_told >= c.phases_used THEN s.phases_value END)
                AS register_wh,
            c.evse_id, c.connector_id, c.site, c.time_zone, c.wh_per_ms_max,
            c.sample_interval, c.gap_after
        FROM session_samples AS s
        JOIN session_context AS c
            ON c.charge_point_id = s.charge_point_id AND c.transaction_id = s.transaction_id
        WHERE s.measurand IN ('Energy.Active.Import.Register', 'Energy.Active.Export.Register')
          AND (c.stopped_at IS NULL OR s.sampled_at <= c.stopped_at)
    ) AS told
    WHERE register_wh IS NOT NULL
    WINDOW series AS (PARTITION BY charge_point_id, transaction_id, measurand ORDER BY sampled_at)
), steps AS (
    SELECT
        charge_point_id, transaction_id, measurand, sampled_at, evse_id, connector_id, site,
        time_zone, wh_per_ms_max, sample_interval, gap_after, steady_wh,
        LAG(steady_wh) OVER series AS from_wh,
        LAG(sampled_at) OVER series AS before_at
    FROM (
        SELECT
            *,
            CASE
                WHEN register_wh < before_wh AND register_wh >= before_wh - 10 THEN before_wh
                ELSE register_wh
            END AS steady_wh
        FROM placed
    ) AS steadied
    WHERE before_wh IS NULL OR after_wh IS NULL
       OR after_wh < before_wh
       OR after_wh - before_wh
            > wh_per_ms_max * (epoch_ms(after_at) - epoch_ms(before_at)) + 50
       OR (register_wh >= before_wh - 10
           AND register_wh - before_wh
                <= wh_per_ms_max * (epoch_ms(sampled_at) - epoch_ms(before_at)) + 50)
    WINDOW series AS (
        PARTITION BY charge_point_id, transaction_id, measurand ORDER BY sampled_at
    )
), bounded AS (
    SELECT
        *,
        CASE
            WHEN before_at IS NULL OR sampled_at - before_at > INTERVAL '7 days' THEN sampled_at
            ELSE before_at
        END AS from_at,
        wh_per_ms_max * COALESCE(epoch_ms(sampled_at) - epoch_ms(before_at), 0) + 50 AS wh_max,
        CASE
            WHEN from_wh < 65536 THEN 65536
            WHEN from_wh < 100000000 THEN 100000000
            WHEN from_wh < 1000000000 THEN 1000000000
            WHEN from_wh < 2147483648 THEN 2147483648
            WHEN from_wh < 4294967296 THEN 4294967296
            WHEN from_wh < 10000000000 THEN 10000000000
            ELSE 100000000000
        END AS modulus
    FROM steps
), judged AS (
    SELECT
        *,
        CASE
            WHEN from_wh IS NULL THEN 'FIRST'
            WHEN steady_wh >= from_wh AND steady_wh - from_wh <= wh_max THEN 'OK'
            WHEN steady_wh >= from_wh THEN 'IMPLAUSIBLE'
            WHEN steady_wh >= from_wh - 10 THEN 'JITTER'
            WHEN from_wh >= 0.9 * modulus AND modulus - from_wh + steady_wh <= wh_max
                THEN 'ROLLOVER'
            ELSE 'RESET'
        END AS kind
    FROM bounded
)
SELECT
    charge_point_id, transaction_id, evse_id, connector_id, site, time_zone,
    measurand = 'Energy.Active.Export.Register' AS exported,
    from_at, sampled_at, from_wh, steady_wh AS register_wh, kind,
    CASE
        WHEN kind = 'OK' THEN steady_wh - from_wh
        WHEN kind = 'ROLLOVER' THEN modulus - from_wh + steady_wh
        WHEN kind = 'RESET' AND steady_wh BETWEEN 0 AND wh_max THEN steady_wh
        ELSE 0
    END AS delta_wh,
    epoch_ms(sampled_at) - epoch_ms(from_at) AS step_ms,
    sample_interval,
    sampled_at - from_at > 2 * sample_interval AS long,
    sampled_at - from_at > gap_after AS gap
FROM judged;

COMMENT ON MATERIALIZED VIEW register_steps IS
    'Steps of the energy registers of each session, and how much energy each one is';

CREATE MATERIALIZED VIEW session_energy AS
SELECT
    charge_point_id, transaction_id,
    SUM(CASE WHEN exported THEN 0 ELSE delta_wh END) AS import_wh,
    SUM(CASE WHEN exported THEN delta_wh ELSE 0 END) AS export_wh,
    COUNT(*) FILTER (WHERE NOT exported) AS samples,
    COUNT(*) FILTER (WHERE kind IN ('RESET', 'ROLLOVER', 'IMPLAUSIBLE')) AS doubtful_steps,
    MIN(sampled_at) FILTER (WHERE NOT exported) AS first_sample_at,
    MAX(sampled_at) FILTER (WHERE NOT exported) AS last_sample_at,
    MAX(sampled_at) FILTER (WHERE delta_wh > 0) AS energy_at
FROM register_steps
GROUP BY charge_point_id, transaction_id;

COMMENT ON MATERIALIZED VIEW session_energy IS
    'Energy of each session as the sum of its accepted register steps, in Wh';
