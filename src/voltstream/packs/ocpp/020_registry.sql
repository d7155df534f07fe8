-- What each charge point says of itself, now and at any instant. Who is expected stands in
-- charge_points (015).

CREATE TABLE IF NOT EXISTS charging_sites (
    site                  VARCHAR PRIMARY KEY,
    time_zone             VARCHAR NOT NULL DEFAULT 'UTC',
    uptime_target_percent DOUBLE PRECISION NOT NULL DEFAULT 97,
    power_limit_kw        DOUBLE PRECISION
);

COMMENT ON TABLE charging_sites IS
    'What a site has agreed: its time zone, its uptime target, the power of its connection';

CREATE MATERIALIZED VIEW latest_boots AS
SELECT DISTINCT ON (charge_point_id)
    charge_point_id, vendor, model, serial_number, firmware_version,
    COALESCE(event_ts, received_ts) AS booted_at
FROM charger_boots
ORDER BY charge_point_id, COALESCE(event_ts, received_ts) DESC, received_ts DESC;

COMMENT ON MATERIALIZED VIEW latest_boots IS 'What each charge point said of itself when it last started';

-- A boot that says what the one before said is not a change. A boot that comes late edits history.
CREATE MATERIALIZED VIEW charge_point_registry AS
WITH said AS (
    SELECT DISTINCT ON (charge_point_id, COALESCE(event_ts, received_ts))
        charge_point_id, COALESCE(event_ts, received_ts) AS booted_at,
        vendor, model, serial_number, firmware_version, meter_serial_number, ocpp_version,
        CONCAT_WS(
            '|', COALESCE(vendor, ''), COALESCE(model, ''), COALESCE(serial_number, ''),
            COALESCE(firmware_version, ''), COALESCE(meter_serial_number, ''),
            COALESCE(ocpp_version, '')
        ) AS identity
    FROM charger_boots
    ORDER BY charge_point_id, COALESCE(event_ts, received_ts), received_ts
), compared AS (
    SELECT *, LAG(identity) OVER (PARTITION BY charge_point_id ORDER BY booted_at) AS identity_before
    FROM said
)
SELECT
    charge_point_id, booted_at AS valid_from,
    LEAD(booted_at) OVER (PARTITION BY charge_point_id ORDER BY booted_at) AS valid_to,
    vendor, model, serial_number, firmware_version, meter_serial_number, ocpp_version
FROM compared
WHERE identity IS DISTINCT FROM identity_before;

COMMENT ON MATERIALIZED VIEW charge_point_registry IS
    'Every identity a charge point has had, one row from its first boot to the first boot of the next';

-- The latest word on a firmware update; of 1.6 it has no request number.
CREATE MATERIALIZED VIEW latest_firmware_jobs AS
SELECT DISTINCT ON (charge_point_id)
    charge_point_id, status, request_id, COALESCE(event_ts, received_ts) AS reported_at,
    status IN ('DownloadFailed', 'InstallationFailed', 'InvalidSignature', 'InstallVerificationFailed')
        AS failed
FROM charger_jobs
WHERE job = 'FIRMWARE' AND status <> 'Idle'
ORDER BY charge_point_id, COALESCE(event_ts, received_ts) DESC, received_ts DESC;

COMMENT ON MATERIALIZED VIEW latest_firmware_jobs IS
    'The last thing each charge point said about a firmware update';

CREATE MATERIALIZED VIEW firmware_rollout AS
WITH running AS (
    SELECT
        r.vendor, r.model, r.firmware_version,
        COUNT(*) AS charge_points,
        COUNT(*) FILTER (WHERE j.failed) AS updates_failed,
        COUNT(*) FILTER (
            WHERE j.reported_at >= r.valid_from AND NOT j.failed AND j.status <> 'Installed'
        ) AS updates_running,
        MIN(r.valid_from) AS first_at,
        MAX(r.valid_from) AS latest_at
    FROM charge_point_registry AS r
    LEFT JOIN latest_firmware_jobs AS j ON j.charge_point_id = r.charge_point_id
    WHERE r.valid_to IS NULL
    GROUP BY r.vendor, r.model, r.firmware_version
)
SELECT
    vendor, model, firmware_version, charge_points,
    100.0 * charge_points / SUM(charge_points) OVER (PARTITION BY vendor, model) AS share_percent,
    updates_running, updates_failed, first_at, latest_at
FROM running;

COMMENT ON MATERIALIZED VIEW firmware_rollout IS
    'How many charge points of a model run which firmware, and how updates to another one go';
