-- Alerts come and go by themselves: a row stands here while its condition is true, and time alone
-- is enough to make it true. opened_at is the instant the limit was passed, not when it was noticed.

-- 10 minutes: 2.5 heartbeat intervals of 240 s.
CREATE MATERIALIZED VIEW offline_alerts AS
SELECT
    charge_point_id,
    site,
    ever_seen,
    last_seen_at,
    last_seen_at + INTERVAL '10 minutes' AS opened_at
FROM charge_point_liveness
WHERE last_seen_at < NOW() - INTERVAL '10 minutes';

COMMENT ON MATERIALIZED VIEW offline_alerts IS
    'Expected charge points that nothing was heard of for 10 minutes';

-- 150 seconds: 2.5 sample intervals of 60 s. Driven by the session, so that the worst gap, a
-- session without any sample, is one too.
CREATE MATERIALIZED VIEW gap_alerts AS
SELECT
    charge_point_id,
    connector_id,
    transaction_id,
    last_sample_at,
    last_sample_at + INTERVAL '150 seconds' AS opened_at
FROM active_sessions
WHERE last_sample_at < NOW() - INTERVAL '150 seconds';

COMMENT ON MATERIALIZED VIEW gap_alerts IS
    'Running sessions whose energy register was not sampled for 150 seconds';

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
