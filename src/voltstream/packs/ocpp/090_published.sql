-- Those of the published schemas that rest on views of this pack: see 016_published.sql.

CREATE VIEW IF NOT EXISTS published_heartbeats AS
SELECT
    h.charge_point_id,
    b.firmware_version,
    c.site AS network_region,
    h.received_ts AS heartbeat_ts
FROM charger_heartbeats AS h
LEFT JOIN latest_boots AS b ON b.charge_point_id = h.charge_point_id
LEFT JOIN charge_points AS c ON c.charge_point_id = h.charge_point_id;

COMMENT ON VIEW published_heartbeats IS 'Heartbeats as the published OCPP stream has them';

CREATE VIEW IF NOT EXISTS published_charging_sessions AS
SELECT
    cdr_id AS session_id,
    charge_point_id AS charger_id,
    connector_id,
    id_tag,
    started_at,
    stopped_at,
    stop_reason,
    meter_start_wh,
    meter_stop_wh
FROM current_charge_detail_records;

COMMENT ON VIEW published_charging_sessions IS
    'Finished sessions as the published backend schema has them';
