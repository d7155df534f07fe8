-- Sessions. The key is (charge point, transaction): transaction ids repeat across chargers.
-- Chargers send again what was not answered, so the first START and the first STOP count.

CREATE MATERIALIZED VIEW session_starts AS
SELECT DISTINCT ON (charge_point_id, transaction_id)
    charge_point_id, transaction_id, connector_id, id_tag,
    meter_wh AS meter_start_wh, event_ts AS started_at
FROM charger_transactions
WHERE event_type = 'START' AND transaction_id IS NOT NULL
ORDER BY charge_point_id, transaction_id, event_ts;

COMMENT ON MATERIALIZED VIEW session_starts IS 'The first START of each transaction';

CREATE MATERIALIZED VIEW session_stops AS
SELECT DISTINCT ON (charge_point_id, transaction_id)
    charge_point_id, transaction_id, stop_reason,
    meter_wh AS meter_stop_wh, event_ts AS stopped_at
FROM charger_transactions
WHERE event_type = 'STOP' AND transaction_id IS NOT NULL
ORDER BY charge_point_id, transaction_id, event_ts;

COMMENT ON MATERIALIZED VIEW session_stops IS 'The first STOP of each transaction';

CREATE MATERIALIZED VIEW sessions AS
SELECT
    opening.charge_point_id,
    opening.transaction_id,
    opening.connector_id,
    opening.id_tag,
    opening.started_at,
    ending.stopped_at,
    opening.meter_start_wh,
    ending.meter_stop_wh,
    ending.meter_stop_wh - opening.meter_start_wh AS energy_wh,
    ending.stop_reason
FROM session_starts AS opening
LEFT JOIN session_stops AS ending
    ON opening.charge_point_id = ending.charge_point_id AND opening.transaction_id = ending.transaction_id;

COMMENT ON MATERIALIZED VIEW sessions IS
    'Every transaction; stopped_at and energy_wh are NULL while it runs';

-- One register per transaction: energy imported at the outlet, all phases together.
CREATE MATERIALIZED VIEW latest_registers AS
SELECT DISTINCT ON (charge_point_id, transaction_id)
    charge_point_id, transaction_id, value_si AS register_wh, event_ts AS sampled_at
FROM charger_readings
WHERE measurand = 'Energy.Active.Import.Register'
  AND location = 'Outlet'
  AND phase IS NULL
  AND value_si IS NOT NULL
  AND transaction_id IS NOT NULL
ORDER BY charge_point_id, transaction_id, event_ts DESC;

COMMENT ON MATERIALIZED VIEW latest_registers IS 'Latest energy register of each transaction, in Wh';

CREATE MATERIALIZED VIEW latest_power AS
SELECT DISTINCT ON (charge_point_id, transaction_id)
    charge_point_id, transaction_id, value_si AS power_w, event_ts AS sampled_at
FROM charger_readings
WHERE measurand = 'Power.Active.Import'
  AND location = 'Outlet'
  AND phase IS NULL
  AND value_si IS NOT NULL
  AND transaction_id IS NOT NULL
ORDER BY charge_point_id, transaction_id, event_ts DESC;

COMMENT ON MATERIALIZED VIEW latest_power IS 'Latest power of each transaction, in W';

-- A session leaves when it stops. Its energy is the latest register minus the register at its
-- start: a register counts a lifetime. last_sample_at starts with the session, so one that never
-- sends a sample falls behind too.
CREATE MATERIALIZED VIEW active_sessions AS
SELECT
    s.charge_point_id,
    s.transaction_id,
    s.connector_id,
    s.id_tag,
    s.started_at,
    COALESCE(r.register_wh - s.meter_start_wh, 0) AS energy_wh,
    COALESCE(p.power_w, 0) AS power_w,
    COALESCE(r.sampled_at, s.started_at) AS last_sample_at
FROM sessions AS s
LEFT JOIN latest_registers AS r
    ON s.charge_point_id = r.charge_point_id AND s.transaction_id = r.transaction_id
LEFT JOIN latest_power AS p
    ON s.charge_point_id = p.charge_point_id AND s.transaction_id = p.transaction_id
WHERE s.stopped_at IS NULL;

COMMENT ON MATERIALIZED VIEW active_sessions IS
    'Started and not stopped: energy since the start (Wh), latest power (W), latest sample';

CREATE MATERIALIZED VIEW site_load AS
SELECT
    c.site,
    COUNT(*) AS active_sessions,
    SUM(a.power_w) / 1000 AS power_kw,
    SUM(a.energy_wh) / 1000 AS energy_kwh
FROM active_sessions AS a
JOIN charge_points AS c ON a.charge_point_id = c.charge_point_id
GROUP BY c.site;

COMMENT ON MATERIALIZED VIEW site_load IS 'Sessions that run now, per site: how many, kW, kWh so far';
