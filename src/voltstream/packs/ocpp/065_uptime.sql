-- Uptime by time, not by events: a state holds until the next one, so a month without a word is a
-- month of the state before it.

-- Where a session that was told in full proves that a charger worked while it was offline.
CREATE MATERIALIZED VIEW session_edges AS
SELECT charge_point_id, evse_id, started_at AS at, TRUE AS in_session FROM session_spans
WHERE state = 'FINISHED' AND evse_id IS NOT NULL AND started_at < stopped_at
UNION ALL
SELECT charge_point_id, evse_id, stopped_at AS at, FALSE AS in_session FROM session_spans
WHERE state = 'FINISHED' AND evse_id IS NOT NULL AND started_at < stopped_at;

COMMENT ON MATERIALIZED VIEW session_edges IS 'Starts and stops of finished sessions';

CREATE MATERIALIZED VIEW connectors AS
SELECT DISTINCT charge_point_id, evse_id, connector_id
FROM status_points
WHERE connector_id > 0;

COMMENT ON MATERIALIZED VIEW connectors IS 'Every connector that has told its status';

CREATE MATERIALIZED VIEW timeline_points AS
SELECT charge_point_id, evse_id, connector_id, changed_at AS at
FROM status_changes WHERE connector_id > 0
UNION
SELECT k.charge_point_id, k.evse_id, k.connector_id, s.changed_at AS at
FROM status_changes AS s JOIN connectors AS k ON k.charge_point_id = s.charge_point_id
WHERE s.connector_id = 0
UNION
SELECT k.charge_point_id, k.evse_id, k.connector_id, l.changed_at AS at
FROM link_changes AS l JOIN connectors AS k ON k.charge_point_id = l.charge_point_id
UNION
SELECT k.charge_point_id, k.evse_id, k.connector_id, e.at
FROM session_edges AS e
JOIN connectors AS k ON k.charge_point_id = e.charge_point_id AND k.evse_id = e.evse_id;

COMMENT ON MATERIALIZED VIEW timeline_points IS
    'Instants at which the state of a connector may change';

-- A connector is offline when its charger is, unless it charged. A charger that is faulted or out of
-- service as a whole takes its connectors with it. Before its first status a connector is unknown.
CREATE MATERIALIZED VIEW timeline_states AS
SELECT
    p.charge_point_id, p.evse_id, p.connector_id, p.at,
    CASE
        WHEN s.status IS NULL THEN 'Unknown'
        WHEN NOT l.online AND NOT COALESCE(x.in_session, FALSE) THEN 'Offline'
        WHEN w.status IN ('Faulted', 'Unavailable') THEN w.status
        ELSE s.status
    END AS state,
    CASE WHEN s.status = 'Faulted' THEN s.error_code END AS error_code
FROM timeline_points AS p
ASOF LEFT JOIN (
    SELECT charge_point_id, evse_id, connector_id, changed_at, status, error_code
    FROM status_changes WHERE connector_id > 0
) AS s
    ON p.charge_point_id = s.charge_point_id
    AND p.evse_id = s.evse_id
    AND p.connector_id = s.connector_id
    AND p.at >= s.changed_at
ASOF LEFT JOIN (
    SELECT charge_point_id, changed_at, status FROM status_changes WHERE connector_id = 0
) AS w
    ON p.charge_point_id = w.charge_point_id AND p.at >= w.changed_at
ASOF LEFT JOIN link_changes AS l
    ON p.charge_point_id = l.charge_point_id AND p.at >= l.changed_at
ASOF LEFT JOIN session_edges AS x
    ON p.charge_point_id = x.charge_point_id AND p.evse_id = x.evse_id AND p.at >= x.at;

COMMENT ON MATERIALIZED VIEW timeline_states IS 'The state of each connector at each of its instants';

CREATE MATERIALIZED VIEW timeline_changes AS
SELECT a.charge_point_id, a.evse_id, a.connector_id, a.at, a.state, a.error_code
FROM timeline_states AS a
ASOF LEFT JOIN timeline_states AS b
    ON a.charge_point_id = b.charge_point_id
    AND a.evse_id = b.evse_id
    AND a.connector_id = b.connector_id
    AND a.at > b.at
WHERE a.state IS DISTINCT FROM b.state OR a.error_code IS DISTINCT FROM b.error_code;

COMMENT ON MATERIALIZED VIEW timeline_changes IS 'Instants at which the state of a connector did change';

CREATE MATERIALIZED VIEW connector_timeline AS
SELECT
    a.charge_point_id, a.evse_id, a.connector_id, a.at AS valid_from, b.at AS valid_to, a.state,
    CASE
        WHEN a.state = 'Unknown' THEN 'UNKNOWN'
        WHEN a.state IN ('Offline', 'Faulted', 'Unavailable') THEN 'DOWN'
        ELSE 'UP'
    END AS class,
    a.error_code
FROM timeline_changes AS a
ASOF LEFT JOIN timeline_changes AS b
    ON a.charge_point_id = b.charge_point_id
    AND a.evse_id = b.evse_id
    AND a.connector_id = b.connector_id
    AND a.at < b.at;

COMMENT ON MATERIALIZED VIEW connector_timeline IS
    'Every state of each connector from when until when; the last one has no end';
