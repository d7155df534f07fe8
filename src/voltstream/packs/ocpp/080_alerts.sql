-- Rules: what needs somebody now. A row stands in a rule while its condition is true, and time alone
-- is enough to make it true; since is the instant the limit was passed, not when it was noticed.
-- The engine opens and clears an alert for each key, and keeps what happened in alert_events.

CREATE MATERIALIZED VIEW offline_alerts WITH (
    alert.key = 'charge_point_id', alert.rule = 'offline', alert.severity = 'error',
    alert.title = 'Charge point is offline'
) AS
SELECT
    charge_point_id, site, last_seen_at, offline_from AS since,
    CASE WHEN ever_seen THEN 'nothing heard' ELSE 'registered, never seen' END AS detail
FROM charge_point_liveness
WHERE offline_from < NOW();

COMMENT ON MATERIALIZED VIEW offline_alerts IS
    'Expected charge points that nothing was heard of for offline_after';

CREATE MATERIALIZED VIEW fault_alerts WITH (
    alert.key = 'charge_point_id, connector_id', alert.rule = 'faulted', alert.severity = 'error',
    alert.title = 'Connector is faulted', alert.suppressed_by = 'offline'
) AS
SELECT charge_point_id, connector_id, error_code, vendor_error_code, since
FROM connector_state
WHERE status = 'Faulted';

COMMENT ON MATERIALIZED VIEW fault_alerts IS 'Connectors, or whole charge points, that are faulted';

CREATE MATERIALIZED VIEW gap_alerts WITH (
    alert.key = 'charge_point_id, transaction_id', alert.rule = 'metering_gap',
    alert.title = 'Session is not metered', alert.suppressed_by = 'offline'
) AS
SELECT charge_point_id, transaction_id, connector_id, gap_start, opened_at AS since
FROM open_metering_gaps;

COMMENT ON MATERIALIZED VIEW gap_alerts IS
    'Running sessions whose energy register was not sampled for gap_factor intervals';

CREATE MATERIALIZED VIEW stuck_session_alerts WITH (
    alert.key = 'charge_point_id, transaction_id', alert.rule = 'stuck_session',
    alert.title = 'No energy flows in a session', alert.suppressed_by = 'offline'
) AS
SELECT charge_point_id, transaction_id, connector_id, energy_wh, stuck_from AS since
FROM active_sessions
WHERE stuck_from < NOW();

COMMENT ON MATERIALIZED VIEW stuck_session_alerts IS
    'Running sessions in which no energy has flowed for stuck_after';

-- A battery that is nearly full takes less, and so may a car that has just been plugged in.
CREATE MATERIALIZED VIEW low_power_alerts WITH (
    alert.key = 'charge_point_id, transaction_id', alert.rule = 'low_power',
    alert.title = 'Session charges below expectation', alert.suppressed_by = 'offline'
) AS
SELECT
    charge_point_id, transaction_id, connector_id, power_w, power_expected_w,
    low_power_from AS since
FROM active_sessions
WHERE low_power AND low_power_from < NOW();

COMMENT ON MATERIALIZED VIEW low_power_alerts IS
    'Sessions that charge with less than low_power_share of what charger and car may take';

CREATE MATERIALIZED VIEW meter_alerts WITH (
    alert.key = 'charge_point_id, connector_id, transaction_id', alert.rule = 'meter',
    alert.title = 'Meter is in doubt'
) AS
SELECT
    b.charge_point_id, b.connector_id, b.transaction_id, b.stopped_at AS since,
    'session ' || b.transaction_id || ' is disputed: ' || b.difference AS detail
FROM billing_reconciliation AS b
CROSS JOIN (SELECT meter_alert_for FROM ocpp_parameters) AS p
WHERE b.outcome = 'DISPUTED' AND b.stopped_at + p.meter_alert_for > NOW()
UNION ALL
SELECT
    charge_point_id, connector_id, CAST(NULL AS VARCHAR) AS transaction_id, last_at AS since,
    'the register is ' || CAST(ROUND(drift_percent, 1) AS VARCHAR) || ' % off its power' AS detail
FROM calibration_drift
WHERE verdict = 'DRIFTED';

COMMENT ON MATERIALIZED VIEW meter_alerts IS
    'Sessions whose energies disagree, and connectors whose meter has drifted';

CREATE MATERIALIZED VIEW security_alerts WITH (
    alert.key = 'charge_point_id, type', alert.rule = 'security', alert.severity = 'critical',
    alert.title = 'Security event'
) AS
SELECT DISTINCT ON (e.charge_point_id, e.type)
    e.charge_point_id, e.type, e.tech_info, COALESCE(e.event_ts, e.received_ts) AS since
FROM charger_security_events AS e
CROSS JOIN (SELECT security_alert_for FROM ocpp_parameters) AS p
WHERE e.critical AND e.received_ts + p.security_alert_for > NOW()
ORDER BY e.charge_point_id, e.type, COALESCE(e.event_ts, e.received_ts) DESC;

COMMENT ON MATERIALIZED VIEW security_alerts IS
    'Critical security events of the last security_alert_for, the latest of each type';

-- A key that a charger sends proves nothing by itself: one that is another than its first stays an
-- alert until somebody has put it into meter_keys.
CREATE MATERIALIZED VIEW public_key_alerts WITH (
    alert.key = 'charge_point_id, connector_id, public_key', alert.rule = 'public_key',
    alert.severity = 'error', alert.title = 'Signed values come with another key'
) AS
SELECT k.charge_point_id, k.connector_id, k.public_key, k.received_ts AS since
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

-- A clock that shows local time as UTC is off by whole quarters of an hour. What the gateway knows of
-- a clock is in corrected_ts; the last word of a charger about its state tells it.
CREATE MATERIALIZED VIEW clock_alerts WITH (
    alert.key = 'charge_point_id', alert.rule = 'clock', alert.title = 'Clock is off'
) AS
SELECT
    charge_point_id, offset_s, received_ts AS since,
    CASE
        WHEN offset_s > 31536000 THEN 'CLOCK_UNSET'
        WHEN ABS(offset_s - ROUND(offset_s / 900.0) * 900) <= 60 AND ABS(offset_s) >= 840 THEN 'CLOCK_TZ'
        ELSE 'CLOCK_SKEW'
    END AS detail
FROM (
    SELECT DISTINCT ON (charge_point_id)
        charge_point_id, received_ts,
        CAST(EXTRACT(EPOCH FROM corrected_ts - event_ts) AS BIGINT) AS offset_s
    FROM charger_status
    WHERE corrected_ts IS NOT NULL AND event_ts IS NOT NULL
    ORDER BY charge_point_id, received_ts DESC
) AS s
WHERE ABS(offset_s) > 60;

COMMENT ON MATERIALIZED VIEW clock_alerts IS
    'Chargers whose clock is more than a minute off: unset, in another zone, or drifting';

-- The first end that was told counts (STOP_CONFLICT); somebody should see why there was another one.
CREATE MATERIALIZED VIEW stop_conflict_alerts WITH (
    alert.key = 'charge_point_id, transaction_id', alert.rule = 'stop_conflict',
    alert.title = 'A session was ended twice, and differently'
) AS
SELECT DISTINCT ON (t.charge_point_id, t.transaction_id)
    t.charge_point_id, t.transaction_id, t.connector_id, t.meter_wh, t.received_ts AS since
FROM charger_transactions AS t
CROSS JOIN (SELECT meter_alert_for FROM ocpp_parameters) AS p
WHERE (t.flags & 268435456) <> 0 AND t.received_ts + p.meter_alert_for > NOW()
ORDER BY t.charge_point_id, t.transaction_id, t.received_ts DESC;

COMMENT ON MATERIALIZED VIEW stop_conflict_alerts IS
    'Sessions that were ended twice, with another register or at another time, the latest such end';

-- A charger that comes again replaces what is left of its last connection, once. Two with one id
-- replace each other again and again.
CREATE MATERIALIZED VIEW identity_alerts WITH (
    alert.key = 'charge_point_id', alert.rule = 'identity', alert.severity = 'error',
    alert.title = 'Two charge points have one id'
) AS
SELECT charge_point_id, COUNT(*) AS replaced, MAX(received_ts) AS since
FROM charger_connections
WHERE event = 'disconnected' AND reason LIKE 'replaced%'
  AND received_ts + INTERVAL '10 minutes' > NOW()
GROUP BY charge_point_id
HAVING COUNT(*) >= 5;

COMMENT ON MATERIALIZED VIEW identity_alerts IS
    'Charge points whose connection was replaced five times within ten minutes';

-- What a charge point kept while it was away comes after its boot, and may hold the end of a session.
CREATE MATERIALIZED VIEW queued_after_boot AS
SELECT m.charge_point_id, MAX(m.received_ts) AS queued_until
FROM (
    SELECT charge_point_id, received_ts, COALESCE(corrected_ts, event_ts) AS happened_at
    FROM charger_transactions
    WHERE received_ts > COALESCE(corrected_ts, event_ts) + INTERVAL '1 minute'
    UNION ALL
    SELECT charge_point_id, received_ts, COALESCE(corrected_ts, event_ts) AS happened_at
    FROM charger_readings
    WHERE received_ts > COALESCE(corrected_ts, event_ts) + INTERVAL '1 minute'
) AS m
ASOF JOIN (SELECT charge_point_id, received_ts AS booted_at FROM charger_boots) AS b
    ON m.charge_point_id = b.charge_point_id AND m.received_ts >= b.booted_at
WHERE m.happened_at < b.booted_at
GROUP BY m.charge_point_id;

COMMENT ON MATERIALIZED VIEW queued_after_boot IS
    'When the last message came that a charge point had kept since before its boot, by our clock';

-- A boot is no end: some chargers go on, some tell an end afterwards. One that does neither within
-- zombie_after of its boot, and of the last message it had kept, has a session that only we know.
CREATE MATERIALIZED VIEW zombie_session_alerts WITH (
    alert.key = 'charge_point_id, transaction_id', alert.rule = 'zombie_session',
    alert.title = 'A session did not go on after a boot', alert.suppressed_by = 'offline'
) AS
SELECT
    b.charge_point_id, b.transaction_id, b.connector_id, b.energy_wh, b.last_heard_at, b.booted_at,
    GREATEST(b.booted_at, q.queued_until) + p.zombie_after AS since
FROM (
    SELECT s.charge_point_id, s.transaction_id, s.connector_id, s.energy_wh, s.last_heard_at, o.booted_at
    FROM (
        SELECT
            a.charge_point_id, a.transaction_id, a.connector_id, a.energy_wh,
            GREATEST(a.last_sample_at, a.power_at, c.since) AS last_heard_at
        FROM active_sessions AS a
        LEFT JOIN session_charging_states AS c
            ON c.charge_point_id = a.charge_point_id AND c.transaction_id = a.transaction_id
    ) AS s
    ASOF JOIN (SELECT charge_point_id, received_ts AS booted_at FROM charger_boots) AS o
        ON s.charge_point_id = o.charge_point_id AND s.last_heard_at < o.booted_at
) AS b
CROSS JOIN (SELECT zombie_after FROM ocpp_parameters) AS p
LEFT JOIN queued_after_boot AS q ON q.charge_point_id = b.charge_point_id
WHERE GREATEST(b.booted_at, q.queued_until) + p.zombie_after < NOW();

COMMENT ON MATERIALIZED VIEW zombie_session_alerts IS
    'Sessions that neither went on nor ended within zombie_after of a boot and of what came late after it';
