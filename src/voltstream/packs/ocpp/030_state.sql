-- The state of every connector, and when each charge point was last heard of.

CREATE MATERIALIZED VIEW connector_state AS
SELECT DISTINCT ON (charge_point_id, connector_id)
    charge_point_id, connector_id, status, error_code, event_ts AS since
FROM charger_status
ORDER BY charge_point_id, connector_id, event_ts DESC;

COMMENT ON MATERIALIZED VIEW connector_state IS
    'Latest status of each connector by the charger''s clock; connector 0 is the whole charger';

-- Any message is a sign of life: a charger that sends readings may leave heartbeats out.
CREATE MATERIALIZED VIEW last_seen AS
SELECT charge_point_id, MAX(received_ts) AS last_seen_at
FROM (
    SELECT charge_point_id, received_ts FROM charger_heartbeats
    UNION ALL
    SELECT charge_point_id, received_ts FROM charger_boots
    UNION ALL
    SELECT charge_point_id, received_ts FROM charger_status
    UNION ALL
    SELECT charge_point_id, received_ts FROM charger_transactions
    UNION ALL
    SELECT charge_point_id, received_ts FROM charger_readings
) AS heard
GROUP BY charge_point_id;

COMMENT ON MATERIALIZED VIEW last_seen IS 'When anything last came from each charge point, by our clock';

-- Never seen counts from registration.
CREATE MATERIALIZED VIEW charge_point_liveness AS
SELECT
    c.charge_point_id,
    c.site,
    s.last_seen_at IS NOT NULL AS ever_seen,
    COALESCE(s.last_seen_at, c.registered_at) AS last_seen_at
FROM charge_points AS c
LEFT JOIN last_seen AS s ON c.charge_point_id = s.charge_point_id;

COMMENT ON MATERIALIZED VIEW charge_point_liveness IS
    'Every expected charge point with its last sign of life, else the time it was registered';
