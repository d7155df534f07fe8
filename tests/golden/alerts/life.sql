-- A rule is a view WITH (alert.key = …). Its rows are the conditions; opens is hysteresis: above 120 in, below 110 out.
CREATE TABLE load (transformer VARCHAR PRIMARY KEY, pct DOUBLE PRECISION);
CREATE MATERIALIZED VIEW overload WITH (alert.key = 'transformer', alert.severity = 'error', alert.title = 'Overloaded') AS
SELECT transformer, pct, pct > 120 AS opens FROM load WHERE pct > 110;
INSERT INTO load VALUES ('t1', 115), ('t2', 130);
SELECT * FROM alerts;
-- clock +1 minute
-- Inside the band an open alert stays, and shows the figures of now; one that never opened does not open.
UPDATE load SET pct = 112;
SELECT alert_id, entity, opened_at, updated_at, details FROM alerts;
-- clock +1 minute
UPDATE load SET pct = 121 WHERE transformer = 't1';
UPDATE load SET pct = 100 WHERE transformer = 't2';
SELECT alert_id, entity, opened_at, details FROM alerts;
-- Cleared and opened again is another alert.
-- clock +1 minute
UPDATE load SET pct = 140 WHERE transformer = 't2';
SELECT event_id, alert_id, at, event, rule, rule_view, entity, severity, title, since, opened_at, details FROM alert_events ORDER BY event_id;
-- What one transaction does and undoes never happened.
BEGIN;
UPDATE load SET pct = 90 WHERE transformer = 't2';
UPDATE load SET pct = 150 WHERE transformer = 't2';
COMMIT;
SELECT count(*) FROM alert_events;
SELECT alert_id, details FROM alerts ORDER BY alert_id;
BEGIN;
DELETE FROM load;
ROLLBACK;
SELECT count(*) FROM alerts;
-- restart
SELECT alert_id, entity, opened_at FROM alerts ORDER BY alert_id;
DELETE FROM load;
SELECT count(*) FROM alerts;
SELECT event_id, alert_id, event FROM alert_events WHERE event_id > 4 ORDER BY event_id;

-- A column of the view decides the severity row by row; what is no severity is the rule's own. A change of it is an event.
CREATE TABLE fault (charger VARCHAR, connector INTEGER, code VARCHAR, how_bad VARCHAR, at TIMESTAMPTZ);
CREATE MATERIALIZED VIEW faulted WITH (alert.key = 'charger, connector', alert.rule = 'FAULTED', alert.severity = 'info') AS
SELECT charger, connector, code, how_bad AS severity, 'Fault ' || code AS title, at AS since FROM fault;
INSERT INTO fault VALUES ('CP-1', 2, 'GroundFailure', 'CRITICAL', '2026-01-01 00:00:30+00'), ('CP-1', NULL, 'Weird', 'odd', NULL);
SELECT rule, entity, severity, title, since, opened_at FROM alerts ORDER BY entity;
UPDATE fault SET how_bad = 'warning', code = 'Mended' WHERE connector = 2;
UPDATE fault SET code = 'Still' WHERE connector IS NULL;
-- Of several rows of a key the worst speaks.
INSERT INTO fault VALUES ('CP-1', 2, 'Other', 'error', NULL);
SELECT event, entity, severity, title, details FROM alert_events WHERE rule = 'FAULTED' ORDER BY event_id;
DELETE FROM fault WHERE code = 'Other';
DELETE FROM fault WHERE connector = 2;
SELECT event, entity, severity, title FROM alert_events WHERE rule = 'FAULTED' ORDER BY event_id DESC LIMIT 2;

-- update_on says which columns make an event of a change.
ALTER MATERIALIZED VIEW faulted SET (alert.update_on = 'code', alert.severity = 'warning');
SELECT entity, severity, title FROM alerts;
UPDATE fault SET code = 'New';
SELECT event, entity, severity, title FROM alert_events ORDER BY event_id DESC LIMIT 1;
-- The rule can have another query and another name: its alerts stay; with the rule they go.
ALTER MATERIALIZED VIEW faulted AS SELECT charger, connector, code, 'Now ' || code AS title FROM fault;
SELECT alert_id, rule, entity, severity, title FROM alerts;
ALTER MATERIALIZED VIEW faulted RENAME TO broken_down;
SELECT alert_id, rule, rule_view FROM alerts;
BEGIN;
DROP MATERIALIZED VIEW broken_down;
CREATE MATERIALIZED VIEW broken_down WITH (alert.key = 'charger') AS SELECT charger FROM fault;
COMMIT;
SELECT alert_id, rule, entity, details FROM alerts;
SELECT event, alert_id, rule, entity FROM alert_events ORDER BY event_id DESC LIMIT 2;
DROP MATERIALIZED VIEW broken_down;
SELECT count(*) FROM alerts;
SELECT event, alert_id, rule, entity FROM alert_events ORDER BY event_id DESC LIMIT 1;
