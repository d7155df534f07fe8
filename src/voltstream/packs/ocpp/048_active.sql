-- What runs now, and what has ended.

CREATE MATERIALIZED VIEW running_sessions AS
SELECT s.*, COALESCE(x.charging_state, k.status) AS charging_state
FROM session_context AS s
LEFT JOIN session_charging_states AS x
    ON s.charge_point_id = x.charge_point_id AND s.transaction_id = x.transaction_id
LEFT JOIN connector_state AS k
    ON s.charge_point_id = k.charge_point_id
    AND s.evse_id = k.evse_id
    AND s.connector_id = k.connector_id
WHERE s.state = 'RUNNING';

COMMENT ON MATERIALIZED VIEW running_sessions IS
    'Sessions that run, with what the car does: of 2.x by the transaction, else by the connector';

-- A session leaves when it stops, or when another one starts on its connector. last_sample_at starts
-- with the session, so one that never sends a sample falls behind too.
CREATE MATERIALIZED VIEW active_sessions AS
SELECT
    s.charge_point_id,
    s.transaction_id,
    s.evse_id,
    s.connector_id,
    s.site,
    s.id_tag,
    s.started_at,
    COALESCE(e.import_wh, 0) AS energy_wh,
    COALESCE(e.export_wh, 0) AS export_wh,
    COALESCE(v.power_w, 0) - COALESCE(v.power_export_w, 0) AS power_w,
    LEAST(v.power_offered_w, s.power_max_w) AS power_expected_w,
    v.soc_percent,
    s.charging_state,
    COALESCE(GREATEST(v.register_at, s.started_at), s.started_at) AS last_sample_at,
    v.power_at,
    COALESCE(e.energy_at, s.started_at) AS energy_at,
    COALESCE(GREATEST(v.register_at, s.started_at), s.started_at) + s.gap_after AS gap_from,
    COALESCE(e.energy_at, s.started_at) + s.stuck_after AS stuck_from,
    s.low_power_from,
    s.charging_state = 'Charging'
        AND v.power_at IS NOT NULL
        AND COALESCE(v.power_w, 0)
            < s.low_power_share * LEAST(v.power_offered_w, s.power_max_w)
        AND COALESCE(v.soc_percent, 0) < s.low_power_soc_percent AS low_power
FROM running_sessions AS s
LEFT JOIN session_energy AS e
    ON s.charge_point_id = e.charge_point_id AND s.transaction_id = e.transaction_id
LEFT JOIN session_values AS v
    ON s.charge_point_id = v.charge_point_id AND s.transaction_id = v.transaction_id;

COMMENT ON MATERIALIZED VIEW active_sessions IS
    'Started and not stopped: energy since the start (Wh), power of all phases (W), latest sample';

CREATE MATERIALIZED VIEW finished_sessions AS
SELECT
    s.charge_point_id, s.transaction_id, s.evse_id, s.connector_id, s.site, s.id_tag,
    s.started_at, s.stopped_at,
    (epoch_ms(s.stopped_at) - epoch_ms(s.started_at)) / 1000 AS duration_s,
    s.meter_start_wh, s.meter_stop_wh,
    e.import_wh AS energy_wh, e.export_wh, e.import_wh - e.export_wh AS net_wh,
    s.stop_reason, s.state, e.doubtful_steps, e.first_sample_at, e.last_sample_at,
    s.sample_interval, s.gap_after
FROM (
    SELECT * FROM session_context WHERE state IN ('FINISHED', 'ORPHAN_STOP')
) AS s
LEFT JOIN session_energy AS e
    ON s.charge_point_id = e.charge_point_id AND s.transaction_id = e.transaction_id;

COMMENT ON MATERIALIZED VIEW finished_sessions IS
    'Sessions that have stopped; an ORPHAN_STOP is one whose START is not known';

CREATE MATERIALIZED VIEW sessions AS
SELECT
    s.charge_point_id, s.transaction_id, s.evse_id, s.connector_id, s.id_tag,
    s.started_at, s.stopped_at, s.superseded_at, s.meter_start_wh, s.meter_stop_wh,
    f.energy_wh, f.export_wh, s.stop_reason, s.state
FROM session_spans AS s
LEFT JOIN finished_sessions AS f
    ON s.charge_point_id = f.charge_point_id AND s.transaction_id = f.transaction_id;

COMMENT ON MATERIALIZED VIEW sessions IS 'Every transaction; stopped_at and energy_wh are NULL while it runs';

CREATE MATERIALIZED VIEW site_load AS
WITH summed AS (
    SELECT
        site,
        COUNT(*) AS active_sessions,
        SUM(power_w) / 1000 AS power_kw,
        SUM(energy_wh) / 1000 AS energy_kwh,
        SUM(GREATEST(power_w, 0)) / 1000 AS import_kw,
        SUM(GREATEST(-power_w, 0)) / 1000 AS export_kw
    FROM active_sessions
    WHERE site IS NOT NULL
    GROUP BY site
)
SELECT
    s.site, s.active_sessions, s.power_kw, s.energy_kwh, s.import_kw, s.export_kw,
    100 * s.power_kw / l.power_limit_kw AS limit_percent
FROM summed AS s
LEFT JOIN charging_sites AS l ON l.site = s.site;

COMMENT ON MATERIALIZED VIEW site_load IS
    'Sessions that run now, per site: how many, net kW, kWh so far, share of the connection''s power';
