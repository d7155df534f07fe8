-- Faults: how often, how long, which codes, on which models and firmware.

CREATE MATERIALIZED VIEW fault_episodes AS
SELECT
    f.charge_point_id, f.evse_id, f.connector_id, f.changed_at AS faulted_at,
    cleared.changed_at AS cleared_at,
    (epoch_ms(cleared.changed_at) - epoch_ms(f.changed_at)) / CAST(1000 AS DOUBLE PRECISION)
        AS duration_s,
    f.error_code, f.vendor_error_code, r.vendor, r.model, r.firmware_version
FROM (
    SELECT * FROM status_changes
    WHERE status = 'Faulted' AND status_before IS DISTINCT FROM 'Faulted'
) AS f
ASOF LEFT JOIN (SELECT * FROM status_changes WHERE status <> 'Faulted') AS cleared
    ON f.charge_point_id = cleared.charge_point_id
    AND f.evse_id = cleared.evse_id
    AND f.connector_id = cleared.connector_id
    AND f.changed_at < cleared.changed_at
ASOF LEFT JOIN charge_point_registry AS r
    ON f.charge_point_id = r.charge_point_id AND f.changed_at >= r.valid_from;

COMMENT ON MATERIALIZED VIEW fault_episodes IS
    'Every fault from when until when, with the firmware that ran';

-- A fault of less than a second is counted nowhere. One that is open has no time to repair yet.
CREATE MATERIALIZED VIEW fault_statistics AS
WITH faults AS (
    SELECT
        charge_point_id, evse_id, connector_id,
        COUNT(*) AS faults,
        COUNT(*) FILTER (WHERE cleared_at IS NULL) AS open_faults,
        AVG(duration_s) AS repair_s,
        MAX(faulted_at) AS last_fault_at
    FROM fault_episodes
    WHERE COALESCE(duration_s, 1) >= 1
    GROUP BY charge_point_id, evse_id, connector_id
), hours AS (
    SELECT charge_point_id, evse_id, SUM(up_s) / 3600 AS up_h
    FROM uptime_daily
    GROUP BY charge_point_id, evse_id
)
SELECT
    f.charge_point_id, f.evse_id, f.connector_id, f.faults, f.open_faults, h.up_h,
    h.up_h / f.faults AS mtbf_h,
    f.repair_s / 3600 AS mttr_h,
    f.last_fault_at
FROM faults AS f
LEFT JOIN hours AS h
    ON h.charge_point_id = f.charge_point_id
    AND h.evse_id = f.evse_id;

COMMENT ON MATERIALIZED VIEW fault_statistics IS
    'Faults of each connector, mean time between them and to repair; up time of its port on days that are over';

CREATE MATERIALIZED VIEW fault_codes AS
SELECT
    vendor, model, firmware_version, error_code, vendor_error_code,
    COUNT(*) AS faults,
    COUNT(DISTINCT charge_point_id) AS charge_points,
    AVG(duration_s) / 3600 AS mttr_h,
    MAX(faulted_at) AS last_fault_at
FROM fault_episodes
WHERE COALESCE(duration_s, 1) >= 1
GROUP BY vendor, model, firmware_version, error_code, vendor_error_code;

COMMENT ON MATERIALIZED VIEW fault_codes IS
    'Faults by vendor, model, firmware and code: ORDER BY faults DESC for the top ones';

CREATE MATERIALIZED VIEW fleet_reliability AS
WITH charged AS (
    SELECT
        r.vendor, r.model, r.firmware_version,
        COUNT(*) AS sessions,
        COUNT(*) FILTER (WHERE s.energy_wh >= 100 OR s.stopped_at - s.started_at >= INTERVAL '1 minute')
            AS good_sessions
    FROM (
        SELECT charge_point_id, started_at, stopped_at, energy_wh FROM finished_sessions
        WHERE state = 'FINISHED'
    ) AS s
    ASOF LEFT JOIN charge_point_registry AS r
        ON s.charge_point_id = r.charge_point_id AND s.started_at >= r.valid_from
    GROUP BY r.vendor, r.model, r.firmware_version
), failed AS (
    SELECT vendor, model, firmware_version, SUM(faults) AS faults
    FROM fault_codes
    GROUP BY vendor, model, firmware_version
)
SELECT
    COALESCE(c.vendor, f.vendor) AS vendor,
    COALESCE(c.model, f.model) AS model,
    COALESCE(c.firmware_version, f.firmware_version) AS firmware_version,
    COALESCE(c.sessions, 0) AS sessions,
    COALESCE(f.faults, 0) AS faults,
    1000.0 * COALESCE(f.faults, 0) / c.sessions AS faults_per_1000_sessions,
    100.0 * c.good_sessions / c.sessions AS success_percent
FROM charged AS c
FULL JOIN failed AS f
    ON c.vendor IS NOT DISTINCT FROM f.vendor
    AND c.model IS NOT DISTINCT FROM f.model
    AND c.firmware_version IS NOT DISTINCT FROM f.firmware_version;

COMMENT ON MATERIALIZED VIEW fleet_reliability IS
    'Sessions and faults by vendor, model and the firmware that ran at the time';
