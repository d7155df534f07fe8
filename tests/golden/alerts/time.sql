-- open_after: the condition holds so long without a break. clear_after: it is gone so long.
CREATE TABLE reading (meter VARCHAR PRIMARY KEY, volts DOUBLE PRECISION);
CREATE MATERIALIZED VIEW low WITH (alert.key = 'meter', alert.open_after = '2 minutes', alert.clear_after = INTERVAL '5' MINUTE) AS
SELECT meter, volts FROM reading WHERE volts < 207;
INSERT INTO reading VALUES ('a', 200), ('b', 200);
SELECT count(*) FROM alerts;
-- clock +1 minute
UPDATE reading SET volts = 230 WHERE meter = 'b';
-- clock +30 seconds
UPDATE reading SET volts = 201 WHERE meter = 'b';
-- clock +30 seconds
SELECT entity, since, opened_at, details FROM alerts;
-- clock +1 minute
-- b was well for half a minute: its two minutes began again.
SELECT entity, since, opened_at FROM alerts;
-- restart
-- clock +30 seconds
SELECT entity, since, opened_at FROM alerts ORDER BY entity;
UPDATE reading SET volts = 230 WHERE meter = 'a';
-- clock +4 minutes
-- Low again before it was cleared: the same alert goes on.
UPDATE reading SET volts = 199 WHERE meter = 'a';
-- clock +10 minutes
SELECT alert_id, entity, opened_at, details FROM alerts ORDER BY entity;
DELETE FROM reading;
-- clock +299 seconds
SELECT count(*) FROM alerts;
-- restart
-- clock +1 second
SELECT count(*) FROM alerts;
SELECT event_id, alert_id, at, event, entity, since, opened_at FROM alert_events ORDER BY event_id;
-- Time alone opens an alert where the view says so.
CREATE TABLE heartbeat (charger VARCHAR PRIMARY KEY, at TIMESTAMPTZ);
CREATE MATERIALIZED VIEW offline WITH (alert.key = 'charger', alert.severity = 'critical') AS
SELECT charger, at AS last_seen_at, at + INTERVAL '5 minutes' AS since FROM heartbeat WHERE at < NOW() - INTERVAL '5 minutes';
INSERT INTO heartbeat VALUES ('x', NOW());
-- clock +6 minutes
SELECT entity, since, opened_at FROM alerts;
UPDATE heartbeat SET at = NOW();
SELECT count(*) FROM alerts;
-- A rule over alerts: what nobody has taken up escalates.
CREATE MATERIALIZED VIEW unanswered WITH (alert.key = 'alert_id', alert.severity = 'critical') AS
SELECT a.alert_id, a.rule, a.entity AS parent FROM alerts AS a
WHERE a.rule <> 'unanswered' AND a.acknowledged_at IS NULL AND a.opened_at < NOW() - INTERVAL '15 minutes';
-- clock +6 minutes
SELECT rule, entity FROM alerts;
-- clock +16 minutes
SELECT rule, entity, details FROM alerts ORDER BY rule;
SELECT acknowledge_alert(alert_id) FROM alerts WHERE rule = 'offline';
SELECT rule FROM alerts;
