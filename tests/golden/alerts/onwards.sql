-- Views, sinks and subscriptions read alerts as they read any table.
CREATE TABLE fault (charger VARCHAR PRIMARY KEY, code VARCHAR);
CREATE MATERIALIZED VIEW faulted WITH (alert.key = 'charger') AS SELECT charger, code FROM fault;
CREATE MATERIALIZED VIEW by_rule AS SELECT rule, count(*) AS open FROM alerts GROUP BY rule;
CREATE MATERIALIZED VIEW openings AS SELECT rule, count(*) FILTER (WHERE event = 'opened') AS opened FROM alert_events GROUP BY rule;
CREATE SINK pager AS SELECT * FROM alert_events WHERE event IN ('suppressed', 'cleared') OR event IN ('opened', 'resumed') AND suppressed_by IS NULL
WITH (connector = 'blackhole') FORMAT PLAIN ENCODE JSON;
CREATE SINK current FROM alerts WITH (connector = 'blackhole', primary_key = 'alert_id') FORMAT UPSERT ENCODE JSON;
CREATE SUBSCRIPTION news FROM alert_events WITH (retention = '1 day');
DECLARE feed SUBSCRIPTION CURSOR FOR news;
INSERT INTO fault VALUES ('CP-1', 'A'), ('CP-2', 'B');
SELECT * FROM by_rule;
DELETE FROM fault WHERE charger = 'CP-2';
SELECT * FROM by_rule;
SELECT * FROM openings;
SELECT name, state, dropped FROM rw_sinks ORDER BY name;
-- The history may become a hypertable, to be thinned by a policy.
SELECT create_hypertable('voltstream.alert_events', by_range('at', INTERVAL '1 day'), migrate_data => true);
SELECT add_retention_policy('voltstream.alert_events', INTERVAL '90 days');
-- clock +1 day
INSERT INTO fault VALUES ('CP-3', 'C');
SELECT event_id, at, event, entity FROM alert_events ORDER BY event_id;
SELECT * FROM openings;
DELETE FROM voltstream.alert_events;
-- They are found in the catalogs as other tables are.
SELECT relname, relkind FROM pg_class WHERE relname LIKE 'alert%' ORDER BY 1;
