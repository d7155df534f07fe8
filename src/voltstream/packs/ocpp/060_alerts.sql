-- Alerts come and go by themselves: a row stands here while its condition is true, and time alone
-- is enough to make it true. opened_at is the instant the limit was passed, not when it was noticed.

CREATE MATERIALIZED VIEW offline_alerts AS
SELECT
    l.charge_point_id,
    l.site,
    l.ever_seen,
    l.last_seen_at,
    l.last_seen_at + p.offline_after AS opened_at
FROM charge_point_liveness AS l
CROSS JOIN ocpp_parameters AS p
WHERE l.last_seen_at < NOW() - p.offline_after;

COMMENT ON MATERIALIZED VIEW offline_alerts IS
    'Expected charge points that nothing was heard of for offline_after';

-- Driven by the session, so that the worst gap, a
-- session without any sample, is one too.
CREATE MATERIALIZED VIEW gap_alerts AS
SELECT
    a.charge_point_id,
    a.connector_id,
    a.transaction_id,
    a.last_sample_at,
    a.last_sample_at + p.gap_after AS opened_at
FROM active_sessions AS a
CROSS JOIN ocpp_parameters AS p
WHERE a.last_sample_at < NOW() - p.gap_after;

COMMENT ON MATERIALIZED VIEW gap_alerts IS
    'Running sessions whose energy register was not sampled for gap_after';

CREATE MATERIALIZED VIEW alerts AS
SELECT
    'OFFLINE' AS alert_type,
    charge_point_id,
    CAST(NULL AS INTEGER) AS connector_id,
    opened_at,
    CASE WHEN ever_seen THEN 'nothing heard' ELSE 'registered, never seen' END AS detail
FROM offline_alerts
UNION ALL
SELECT
    'METERING_GAP' AS alert_type,
    charge_point_id,
    connector_id,
    opened_at,
    'transaction ' || transaction_id AS detail
FROM gap_alerts
UNION ALL
SELECT
    'FAULTED' AS alert_type,
    charge_point_id,
    connector_id,
    since AS opened_at,
    error_code AS detail
FROM connector_state
WHERE status = 'Faulted';

COMMENT ON MATERIALIZED VIEW alerts IS 'Everything that needs somebody now';
