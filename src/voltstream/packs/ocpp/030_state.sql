-- When each charge point was last heard of, and the latest status of every connector.

-- Any message is a sign of life: a charger that sends readings may leave heartbeats out.
CREATE MATERIALIZED VIEW last_seen AS
SELECT
    charge_point_id,
    MAX(received_ts) AS last_seen_at,
    MAX(received_ts) FILTER (WHERE heartbeat) AS last_heartbeat_at
FROM (
    SELECT charge_point_id, received_ts, TRUE AS heartbeat FROM charger_heartbeats
    UNION ALL
    SELECT charge_point_id, received_ts, FALSE AS heartbeat FROM charger_boots
    UNION ALL
    SELECT charge_point_id, received_ts, FALSE AS heartbeat FROM charger_status
    UNION ALL
    SELECT charge_point_id, received_ts, FALSE AS heartbeat FROM charger_transactions
    UNION ALL
    SELECT charge_point_id, received_ts, FALSE AS heartbeat FROM charger_readings
    UNION ALL
    SELECT charge_point_id, received_ts, FALSE AS heartbeat FROM charger_security_events
    UNION ALL
    SELECT charge_point_id, received_ts, FALSE AS heartbeat FROM charger_connections
    WHERE event <> 'refused'
) AS heard
GROUP BY charge_point_id;

COMMENT ON MATERIALIZED VIEW last_seen IS 'When anything last came from each charge point, by our clock';

-- A charger that connects again leaves its old connection behind, whose end may be told later than
-- the new beginning: the end of a connection counts when no later one has begun.
CREATE MATERIALIZED VIEW link_changes AS
SELECT e.charge_point_id, e.received_ts AS changed_at, e.event = 'connected' AS online
FROM charger_connections AS e
ASOF JOIN (
    SELECT charge_point_id, received_ts, connection_id FROM charger_connections
    WHERE event = 'connected'
) AS opened
    ON e.charge_point_id = opened.charge_point_id AND e.received_ts >= opened.received_ts
WHERE e.event = 'connected'
   OR (e.event = 'disconnected' AND e.connection_id = opened.connection_id);

COMMENT ON MATERIALIZED VIEW link_changes IS
    'When each charge point came online and went offline, as far as its connections tell';

CREATE MATERIALIZED VIEW latest_links AS
SELECT DISTINCT ON (charge_point_id) charge_point_id, changed_at, online
FROM link_changes
ORDER BY charge_point_id, changed_at DESC, online DESC;

COMMENT ON MATERIALIZED VIEW latest_links IS 'Whether each charge point is connected, and since when';

-- Never seen counts from registration. A connection that answers pings is a sign of life, as the
-- gateway ends one that does not; so a connected charger may be silent for longer.
CREATE MATERIALIZED VIEW charge_point_liveness AS
SELECT
    c.charge_point_id,
    c.site,
    s.last_seen_at IS NOT NULL AS ever_seen,
    COALESCE(s.last_seen_at, c.registered_at) AS last_seen_at,
    s.last_heartbeat_at,
    COALESCE(k.online, FALSE) AS connected,
    COALESCE(s.last_seen_at, c.registered_at)
        + CASE WHEN k.online THEN p.connected_offline_after ELSE p.offline_after END AS offline_from
FROM charge_points AS c
CROSS JOIN ocpp_parameters AS p
LEFT JOIN last_seen AS s ON c.charge_point_id = s.charge_point_id
LEFT JOIN latest_links AS k ON c.charge_point_id = k.charge_point_id;

COMMENT ON MATERIALIZED VIEW charge_point_liveness IS
    'Every expected charge point with its last sign of life, else the time it was registered';

-- One status per instant; what was received last is what the charger meant.
CREATE MATERIALIZED VIEW status_points AS
SELECT DISTINCT ON (
    charge_point_id, COALESCE(evse_id, connector_id), connector_id, COALESCE(corrected_ts, event_ts)
)
    charge_point_id,
    COALESCE(evse_id, connector_id) AS evse_id,
    connector_id,
    COALESCE(corrected_ts, event_ts) AS reported_at,
    status,
    COALESCE(error_code, 'NoError') AS error_code,
    vendor_error_code
FROM charger_status
WHERE connector_id IS NOT NULL AND COALESCE(corrected_ts, event_ts) IS NOT NULL
ORDER BY
    charge_point_id, COALESCE(evse_id, connector_id), connector_id,
    COALESCE(corrected_ts, event_ts), received_ts DESC;

COMMENT ON MATERIALIZED VIEW status_points IS
    'Status notifications by the corrected clock, one for each connector and instant';

CREATE MATERIALIZED VIEW status_changes AS
SELECT
    a.charge_point_id, a.evse_id, a.connector_id, a.reported_at AS changed_at,
    a.status, a.error_code, a.vendor_error_code, b.status AS status_before
FROM status_points AS a
ASOF LEFT JOIN status_points AS b
    ON a.charge_point_id = b.charge_point_id
    AND a.evse_id = b.evse_id
    AND a.connector_id = b.connector_id
    AND a.reported_at > b.reported_at
WHERE a.status IS DISTINCT FROM b.status OR a.error_code IS DISTINCT FROM b.error_code;

COMMENT ON MATERIALIZED VIEW status_changes IS
    'Status notifications that say something new: a repeat is not a change';

CREATE MATERIALIZED VIEW connector_state AS
SELECT DISTINCT ON (charge_point_id, evse_id, connector_id)
    charge_point_id, evse_id, connector_id, status, error_code, vendor_error_code,
    changed_at AS since
FROM status_changes
ORDER BY charge_point_id, evse_id, connector_id, changed_at DESC;

COMMENT ON MATERIALIZED VIEW connector_state IS
    'Latest status of each connector by the charger''s clock; connector 0 is the whole charger';
