-- The schemas of published pipelines as views of our own rows, so that their queries can be asked
-- here: the OCPP stream of four topics, and the three tables of a charge point operator's backend.
-- What they lack stays lost: connector_id is NULL where a charger of 2.x names only an EVSE.

CREATE VIEW IF NOT EXISTS published_boot_notifications AS
SELECT
    charge_point_id,
    model AS charge_point_model,
    vendor AS charge_point_vendor,
    firmware_version,
    iccid,
    imsi,
    meter_serial_number,
    event_ts AS boot_ts
FROM charger_boots;

COMMENT ON VIEW published_boot_notifications IS 'Boots as the published OCPP stream has them';

-- Its queries call the value kWh whatever its unit: energy comes in kWh here, so that they are right.
CREATE VIEW IF NOT EXISTS published_meter_readings AS
SELECT
    charge_point_id,
    connector_id,
    transaction_id,
    measurand,
    CASE WHEN unit_si = 'Wh' THEN value_si / 1000 ELSE value_si END AS value,
    CASE WHEN unit_si = 'Wh' THEN 'kWh' ELSE unit_si END AS unit,
    context,
    phase,
    COALESCE(corrected_ts, event_ts) AS sampled_ts
FROM charger_readings
WHERE COALESCE(location, 'Outlet') = 'Outlet' AND value_si IS NOT NULL;

COMMENT ON VIEW published_meter_readings IS
    'Readings at the outlet as the published OCPP stream has them, energy in kWh';

CREATE VIEW IF NOT EXISTS published_transaction_events AS
SELECT
    event_type,
    transaction_id,
    charge_point_id,
    connector_id,
    id_tag,
    CASE WHEN event_type = 'START' THEN meter_wh END AS meter_start_wh,
    CASE WHEN event_type = 'STOP' THEN meter_wh END AS meter_stop_wh,
    stop_reason,
    event_ts
FROM charger_transactions
WHERE event_type IN ('START', 'STOP');

COMMENT ON VIEW published_transaction_events IS
    'Starts and stops as the published OCPP stream has them';

CREATE VIEW IF NOT EXISTS published_meter_values AS
SELECT
    COALESCE(corrected_ts, event_ts) AS time,
    charge_point_id AS charger_id,
    COALESCE(connector_id, evse_id) AS connector_id,
    measurand,
    value_si AS value,
    unit_si AS unit,
    phase
FROM charger_readings
WHERE COALESCE(location, 'Outlet') = 'Outlet' AND value_si IS NOT NULL;

COMMENT ON VIEW published_meter_values IS
    'Readings at the outlet as the published backend schema has them, in SI units';

CREATE VIEW IF NOT EXISTS published_status_events AS
SELECT
    COALESCE(corrected_ts, event_ts) AS time,
    charge_point_id AS charger_id,
    connector_id,
    status,
    error_code,
    info
FROM charger_status;

COMMENT ON VIEW published_status_events IS
    'Status events as the published backend schema has them';
