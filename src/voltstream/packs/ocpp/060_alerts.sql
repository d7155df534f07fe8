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

-- A key that a charger sends proves nothing by itself: one that is another than its first stays an
-- alert until somebody has put it into meter_keys.
CREATE MATERIALIZED VIEW public_key_alerts AS
SELECT
    k.charge_point_id,
    k.connector_id,
    k.public_key,
    k.received_ts AS opened_at
FROM charger_public_keys AS k
JOIN (
    SELECT charge_point_id, COALESCE(evse_id, 0) AS evse_id, MIN(raw_id) AS raw_id
    FROM charger_public_keys
    GROUP BY 1, 2
) AS f
    ON f.charge_point_id = k.charge_point_id
    AND f.evse_id = COALESCE(k.evse_id, 0)
    AND k.raw_id > f.raw_id
LEFT JOIN meter_keys AS m ON m.public_key = k.public_key
WHERE m.public_key IS NULL;

COMMENT ON MATERIALIZED VIEW public_key_alerts IS
    'Public keys of signed values that are others than the first of their place, and unconfirmed';

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
WHERE status = 'Faulted'
UNION ALL
SELECT
    'PUBLIC_KEY_CHANGED' AS alert_type,
    charge_point_id,
    connector_id,
    opened_at,
    'signed values come with another key' AS detail
FROM public_key_alerts;

COMMENT ON MATERIALIZED VIEW alerts IS 'Everything that needs somebody now';
