-- An open alert of a rule above suppresses those below it: by its entity, by a prefix of their key, or by parent(s).
CREATE TABLE outage (device VARCHAR PRIMARY KEY);
CREATE TABLE silent (charger VARCHAR, connector INTEGER, transformer VARCHAR, feeder VARCHAR, PRIMARY KEY (charger, connector));
CREATE MATERIALIZED VIEW gap WITH (alert.key = 'charger, connector', alert.suppressed_by = 'offline, outage') AS
SELECT charger, connector, ARRAY[transformer, feeder] AS parents FROM silent;
CREATE MATERIALIZED VIEW offline WITH (alert.key = 'charger', alert.suppressed_by = 'outage') AS
SELECT charger, min(transformer) AS parent FROM silent GROUP BY charger HAVING count(*) > 1;
CREATE MATERIALIZED VIEW outage_alerts WITH (alert.key = 'device', alert.rule = 'outage', alert.severity = 'critical') AS SELECT device FROM outage;
INSERT INTO silent VALUES ('CP-1', 1, 't1', 'f1'), ('CP-9', 1, 't9', 'f9');
SELECT alert_id, rule, entity, suppressed_by FROM alerts ORDER BY alert_id;
-- The second connector makes the charger offline, which stands above both gaps: in the same epoch.
INSERT INTO silent VALUES ('CP-1', 2, 't1', 'f1');
SELECT alert_id, rule, entity, suppressed_by FROM alerts ORDER BY alert_id;
INSERT INTO outage VALUES ('t1'), ('f9');
SELECT alert_id, rule, entity, suppressed_by FROM alerts ORDER BY alert_id;
DELETE FROM silent WHERE connector = 2;
SELECT alert_id, rule, entity, suppressed_by FROM alerts ORDER BY alert_id;
DELETE FROM outage;
SELECT alert_id, rule, entity, suppressed_by FROM alerts ORDER BY alert_id;
SELECT event_id, event, alert_id, rule, entity, suppressed_by FROM alert_events ORDER BY event_id;
-- Rings are refused.
CREATE MATERIALIZED VIEW upper WITH (alert.key = 'device', alert.suppressed_by = 'gap', alert.rule = 'outage') AS SELECT device FROM outage;
-- Without the rule above nothing is suppressed; when it comes it counts at once.
INSERT INTO outage VALUES ('f9');
ALTER MATERIALIZED VIEW gap SET (alert.suppressed_by = '');
SELECT alert_id, rule, entity, suppressed_by FROM alerts ORDER BY alert_id;
ALTER MATERIALIZED VIEW gap SET (alert.suppressed_by = 'outage');
SELECT alert_id, rule, entity, suppressed_by FROM alerts ORDER BY alert_id;
DROP MATERIALIZED VIEW outage_alerts;
SELECT alert_id, rule, entity, suppressed_by FROM alerts ORDER BY alert_id;
