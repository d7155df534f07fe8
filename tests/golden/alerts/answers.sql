-- What people say to alerts: acknowledge_alert, unacknowledge_alert, comment_alert; who and when.
CREATE TABLE fault (charger VARCHAR PRIMARY KEY, code VARCHAR);
CREATE MATERIALIZED VIEW faulted WITH (alert.key = 'charger') AS SELECT charger, code FROM fault;
INSERT INTO fault VALUES ('CP-1', 'A'), ('CP-2', 'B'), ('CP-3', 'C');
CREATE ROLE mia LOGIN;
CREATE ROLE max LOGIN;
GRANT USAGE ON SCHEMA voltstream TO mia, max;
GRANT SELECT, UPDATE ON alerts TO mia;
GRANT SELECT ON alerts, alert_events TO max;
-- clock +1 minute
-- session one as mia
SELECT acknowledge_alert(1, 'on my way');
SELECT alert_id, acknowledge_alert(alert_id) AS done FROM alerts WHERE entity <> 'CP-1' ORDER BY alert_id;
SELECT alert_id, acknowledged_at, acknowledged_by, comment FROM alerts ORDER BY alert_id;
-- Again changes nothing, but a remark is kept.
-- clock +1 minute
SELECT acknowledge_alert(1);
SELECT acknowledge_alert(1, 'arrived');
SELECT unacknowledge_alert(2);
SELECT comment_alert(3, 'spare part ordered');
SELECT acknowledge_alert(9);
SELECT acknowledge_alert('x');
SELECT acknowledge_alert();
SELECT acknowledge_alert(NULL);
SELECT * FROM alert_events;
-- session two as max
SELECT alert_id, acknowledged_by, comment FROM alerts ORDER BY alert_id;
SELECT acknowledge_alert(2);
-- session three
DELETE FROM fault WHERE charger = 'CP-1';
-- A remark on what is over joins its history.
SELECT comment_alert(1, 'cable was cut');
SELECT unacknowledge_alert(1);
SELECT event_id, alert_id, at, event, who, comment FROM alert_events ORDER BY event_id;
-- In a transaction both become true together; in a read-only one they are refused.
BEGIN;
SELECT comment_alert(2, 'no');
ROLLBACK;
BEGIN READ ONLY;
SELECT acknowledge_alert(2);
ROLLBACK;
SELECT alert_id, comment FROM alerts ORDER BY alert_id;
-- The relations are the engine's own: nobody writes them by hand.
INSERT INTO alerts SELECT * FROM alerts;
UPDATE alerts SET comment = 'x';
DELETE FROM voltstream.alert_events;
TRUNCATE alerts;
ALTER TABLE alerts ADD COLUMN x INTEGER;
DROP TABLE voltstream.alerts;
DROP SCHEMA voltstream CASCADE;
CREATE UNIQUE INDEX one ON alerts (rule);
-- A table of one's own of that name comes first.
CREATE TABLE alerts (mine INTEGER);
SELECT * FROM alerts;
SELECT count(*) FROM voltstream.alerts;
DROP TABLE alerts;
SELECT count(*) FROM alerts;
-- Wrong rules.
CREATE MATERIALIZED VIEW w WITH (alert.severity = 'error') AS SELECT * FROM fault;
CREATE MATERIALIZED VIEW w WITH (alert.key = 'nothing') AS SELECT * FROM fault;
CREATE MATERIALIZED VIEW w WITH (alert.key = 'charger', alert.severity = 'high') AS SELECT * FROM fault;
CREATE MATERIALIZED VIEW w WITH (alert.key = 'charger', alert.hold = '1 day') AS SELECT * FROM fault;
CREATE MATERIALIZED VIEW w WITH (alert.key = 'charger', alert.open_after = '1 month') AS SELECT * FROM fault;
CREATE MATERIALIZED VIEW w WITH (alert.key = 'charger', alert.clear_after = 'soon') AS SELECT * FROM fault;
CREATE MATERIALIZED VIEW w WITH (alert.key = 'charger', alert.update_on = 'nothing') AS SELECT * FROM fault;
CREATE MATERIALIZED VIEW w WITH (alert.key = 'charger', alert.suppressed_by = 'w') AS SELECT * FROM fault;
CREATE MATERIALIZED VIEW w WITH (alert.key = 'charger') AS SELECT charger, 1 AS opens FROM fault;
CREATE MATERIALIZED VIEW w WITH (alert.key = 'charger') AS SELECT charger, NOW() AS since FROM fault;
ALTER MATERIALIZED VIEW faulted SET (alert.severity = 'worst');
SELECT count(*) FROM alerts;
