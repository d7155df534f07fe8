-- Sessions. The key is (charge point, transaction): transaction ids repeat across chargers.
-- Chargers send again what was not answered, so the first START and the first STOP count.

CREATE MATERIALIZED VIEW session_starts AS
SELECT DISTINCT ON (charge_point_id, transaction_id)
    charge_point_id, transaction_id, COALESCE(evse_id, connector_id) AS evse_id, connector_id,
    id_tag, meter_wh AS meter_start_wh, COALESCE(corrected_ts, event_ts) AS started_at
FROM charger_transactions
WHERE event_type = 'START' AND transaction_id IS NOT NULL
ORDER BY charge_point_id, transaction_id, COALESCE(corrected_ts, event_ts), received_ts;

COMMENT ON MATERIALIZED VIEW session_starts IS 'The first START of each transaction';

CREATE MATERIALIZED VIEW session_stops AS
SELECT DISTINCT ON (charge_point_id, transaction_id)
    charge_point_id, transaction_id, stop_reason, meter_wh AS meter_stop_wh,
    COALESCE(corrected_ts, event_ts) AS stopped_at
FROM charger_transactions
WHERE event_type = 'STOP' AND transaction_id IS NOT NULL
ORDER BY charge_point_id, transaction_id, COALESCE(corrected_ts, event_ts), received_ts;

COMMENT ON MATERIALIZED VIEW session_stops IS 'The first STOP of each transaction';

-- A transaction of 2.x may begin before a cable is in, and name its EVSE later.
CREATE MATERIALIZED VIEW session_places AS
SELECT DISTINCT ON (charge_point_id, transaction_id)
    charge_point_id, transaction_id, COALESCE(evse_id, connector_id) AS evse_id, connector_id
FROM charger_transactions
WHERE transaction_id IS NOT NULL
ORDER BY
    charge_point_id, transaction_id, connector_id IS NULL, COALESCE(evse_id, connector_id) IS NULL,
    COALESCE(corrected_ts, event_ts);

COMMENT ON MATERIALIZED VIEW session_places IS 'Every transaction, with the EVSE and connector that it names first';

CREATE MATERIALIZED VIEW session_charging_states AS
SELECT DISTINCT ON (charge_point_id, transaction_id)
    charge_point_id, transaction_id, charging_state, COALESCE(corrected_ts, event_ts) AS since
FROM charger_transactions
WHERE charging_state IS NOT NULL AND transaction_id IS NOT NULL
ORDER BY charge_point_id, transaction_id, COALESCE(corrected_ts, event_ts) DESC, seq_no DESC;

COMMENT ON MATERIALIZED VIEW session_charging_states IS
    'Latest charging state of each transaction of 2.x; an event without one leaves it as it was';

-- A START on an EVSE ends what ran there without a STOP: it is ABANDONED, not deleted. A STOP
-- without a START is kept, and waits for it.
CREATE MATERIALIZED VIEW session_spans AS
WITH opened AS (
    SELECT s.*, following.started_at AS superseded_at
    FROM session_starts AS s
    ASOF LEFT JOIN session_starts AS following
        ON s.charge_point_id = following.charge_point_id
        AND s.evse_id = following.evse_id
        AND s.started_at < following.started_at
)
SELECT
    l.charge_point_id, l.transaction_id, l.evse_id, l.connector_id, o.id_tag,
    o.started_at, t.stopped_at, o.superseded_at, o.meter_start_wh, t.meter_stop_wh, t.stop_reason,
    CASE
        WHEN o.started_at IS NULL AND t.stopped_at IS NULL THEN 'UNKNOWN_START'
        WHEN o.started_at IS NULL THEN 'ORPHAN_STOP'
        WHEN t.stopped_at IS NOT NULL THEN 'FINISHED'
        WHEN o.superseded_at IS NOT NULL THEN 'ABANDONED'
        ELSE 'RUNNING'
    END AS state
FROM session_places AS l
LEFT JOIN opened AS o
    ON o.charge_point_id = l.charge_point_id AND o.transaction_id = l.transaction_id
LEFT JOIN session_stops AS t
    ON t.charge_point_id = l.charge_point_id AND t.transaction_id = l.transaction_id;

COMMENT ON MATERIALIZED VIEW session_spans IS
    'Every transaction: where, from when until when, and whether it runs';

-- How often a charge point samples: 1.6 says it in a configuration key, 2.x in a variable.
CREATE MATERIALIZED VIEW sample_intervals AS
SELECT DISTINCT ON (charge_point_id)
    charge_point_id, CAST(value AS INTEGER) * INTERVAL '1 second' AS sample_interval
FROM charger_variables
WHERE variable IN ('MeterValueSampleInterval', 'TxUpdatedInterval')
  AND COALESCE(attribute, 'Actual') = 'Actual'
  AND regexp_like(value, '^[1-9][0-9]{0,6}$')
ORDER BY charge_point_id, COALESCE(as_of, received_ts) DESC;

COMMENT ON MATERIALIZED VIEW sample_intervals IS
    'How often each charge point is set to sample a running session, where it has told';

CREATE MATERIALIZED VIEW session_phases AS
SELECT charge_point_id, transaction_id, MAX(phases_used) AS phases_used
FROM charger_transactions
WHERE transaction_id IS NOT NULL AND phases_used BETWEEN 1 AND 3
GROUP BY charge_point_id, transaction_id
HAVING MAX(phases_used) < 3;

COMMENT ON MATERIALIZED VIEW session_phases IS 'Transactions that use one phase or two, as they say';

-- Everything about a session that its samples do not change: what follows joins this once.
CREATE MATERIALIZED VIEW session_context AS
SELECT
    s.*,
    c.site,
    COALESCE(l.time_zone, 'UTC') AS time_zone,
    c.power_max_w,
    1.2 * COALESCE(c.power_max_w, p.power_max_w) / 3600000 AS wh_per_ms_max,
    COALESCE(i.sample_interval, p.sample_interval) AS sample_interval,
    p.gap_factor * COALESCE(i.sample_interval, p.sample_interval) AS gap_after,
    p.stuck_after,
    s.started_at + p.low_power_after AS low_power_from,
    p.low_power_share,
    p.low_power_soc_percent,
    u.phases_used
FROM session_spans AS s
CROSS JOIN (
    SELECT
        power_max_w, sample_interval, gap_factor, stuck_after, low_power_after, low_power_share,
        low_power_soc_percent
    FROM ocpp_parameters
) AS p
LEFT JOIN charge_points AS c ON c.charge_point_id = s.charge_point_id
LEFT JOIN charging_sites AS l ON l.site = c.site
LEFT JOIN sample_intervals AS i ON i.charge_point_id = s.charge_point_id
LEFT JOIN session_phases AS u
    ON u.charge_point_id = s.charge_point_id AND u.transaction_id = s.transaction_id;

COMMENT ON MATERIALIZED VIEW session_context IS
    'Every transaction with its site and the limits that its samples are held against';

-- One sample of one quantity: overall if the charger said it, else the sum of three phases. Two of
-- three phases are no total, unless the session uses no more: what was told of phases stands beside
-- the value. A voltage or SoC has an overall value or none. Of two values for one
-- instant the greater counts, so that a placeholder of 0 loses.
CREATE MATERIALIZED VIEW session_samples AS
SELECT
    charge_point_id, transaction_id, measurand, sampled_at,
    CAST(ROUND(COALESCE(
        MAX(value_si) FILTER (WHERE phase IS NULL),
        MAX(value_si) FILTER (WHERE phase IN ('L1', 'L1-N') AND additive)
        + MAX(value_si) FILTER (WHERE phase IN ('L2', 'L2-N') AND additive)
        + MAX(value_si) FILTER (WHERE phase IN ('L3', 'L3-N') AND additive)
    ), 3) AS DECIMAL(18, 3)) AS value,
    CAST(ROUND(MAX(value_si) FILTER (WHERE boundary AND phase IS NULL), 3) AS DECIMAL(18, 3))
        AS boundary_value,
    MAX(CASE WHEN phase IN ('L1', 'L1-N') AND additive THEN 1 ELSE 0 END)
        + MAX(CASE WHEN phase IN ('L2', 'L2-N') AND additive THEN 1 ELSE 0 END)
        + MAX(CASE WHEN phase IN ('L3', 'L3-N') AND additive THEN 1 ELSE 0 END) AS phases_told,
    CAST(ROUND(
        COALESCE(MAX(value_si) FILTER (WHERE phase IN ('L1', 'L1-N') AND additive), 0)
        + COALESCE(MAX(value_si) FILTER (WHERE phase IN ('L2', 'L2-N') AND additive), 0)
        + COALESCE(MAX(value_si) FILTER (WHERE phase IN ('L3', 'L3-N') AND additive), 0)
    , 3) AS DECIMAL(18, 3)) AS phases_value
FROM (
    SELECT
        charge_point_id, transaction_id,
        COALESCE(measurand, 'Energy.Active.Import.Register') AS measurand,
        COALESCE(corrected_ts, event_ts) AS sampled_at,
        phase, value_si,
        COALESCE(context, '') IN ('Transaction.Begin', 'Transaction.End') AS boundary,
        COALESCE(measurand, 'Energy') LIKE 'Energy%' OR measurand LIKE 'Power%' AS additive
    FROM charger_readings
    WHERE transaction_id IS NOT NULL
      AND COALESCE(location, 'Outlet') = 'Outlet'
      AND ABS(value_si) < 1e12
      AND COALESCE(measurand, 'Energy.Active.Import.Register') IN (
          'Energy.Active.Import.Register', 'Energy.Active.Export.Register',
          'Energy.Active.Import.Interval', 'Power.Active.Import', 'Power.Active.Export',
          'Power.Offered', 'SoC'
      )
    UNION ALL
    SELECT
        charge_point_id, transaction_id, 'Energy.Active.Import.Register' AS measurand,
        COALESCE(corrected_ts, event_ts) AS sampled_at,
        NULL AS phase, CAST(meter_wh AS DOUBLE PRECISION) AS value_si, FALSE AS boundary,
        TRUE AS additive
    FROM charger_transactions
    WHERE transaction_id IS NOT NULL AND meter_wh IS NOT NULL AND event_type IN ('START', 'STOP')
) AS heard
GROUP BY charge_point_id, transaction_id, measurand, sampled_at;

COMMENT ON MATERIALIZED VIEW session_samples IS
    'What a session measured at the outlet: one value, all phases together, for each quantity and instant';

CREATE MATERIALIZED VIEW latest_samples AS
SELECT DISTINCT ON (charge_point_id, transaction_id, measurand)
    charge_point_id, transaction_id, measurand, sampled_at, value
FROM (
    SELECT charge_point_id, transaction_id, measurand, sampled_at, value
    FROM session_samples
    WHERE value IS NOT NULL
    UNION ALL
    SELECT s.charge_point_id, s.transaction_id, s.measurand, s.sampled_at, s.phases_value AS value
    FROM (SELECT * FROM session_samples WHERE value IS NULL AND phases_told > 0) AS s
    JOIN session_phases AS u
        ON u.charge_point_id = s.charge_point_id AND u.transaction_id = s.transaction_id
    WHERE s.phases_told >= u.phases_used
) AS known
ORDER BY charge_point_id, transaction_id, measurand, sampled_at DESC;

COMMENT ON MATERIALIZED VIEW latest_samples IS 'Latest value of each quantity of each transaction';

CREATE MATERIALIZED VIEW session_values AS
SELECT
    charge_point_id, transaction_id,
    MAX(value) FILTER (WHERE measurand = 'Energy.Active.Import.Register') AS register_wh,
    MAX(sampled_at) FILTER (WHERE measurand = 'Energy.Active.Import.Register') AS register_at,
    MAX(value) FILTER (WHERE measurand = 'Power.Active.Import') AS power_w,
    MAX(value) FILTER (WHERE measurand = 'Power.Active.Export') AS power_export_w,
    MAX(sampled_at) FILTER (WHERE measurand LIKE 'Power.Active.%') AS power_at,
    MAX(value) FILTER (WHERE measurand = 'Power.Offered') AS power_offered_w,
    MAX(value) FILTER (WHERE measurand = 'SoC') AS soc_percent
FROM latest_samples
GROUP BY charge_point_id, transaction_id;

COMMENT ON MATERIALIZED VIEW session_values IS
    'Latest register, power, offered power and state of charge of each transaction, side by side';
