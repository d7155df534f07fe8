-- What an option keeps secret is shown to nobody.
CREATE TABLE readings (k INT PRIMARY KEY, v INT);
CREATE SINK plain FROM readings WITH (connector = 'blackhole', "x.api_key" = 'it''s', sasl.password = E'a''b', token = bare words, topic = 'open');
CREATE SOURCE fed (a INT) WITH (access.key = $$dollar$$, note = 'open') FORMAT PLAIN ENCODE JSON (registry.secret = 'hidden', other = 'open');
SHOW CREATE SINK plain;
SHOW CREATE SOURCE fed;
SELECT definition FROM rw_sinks;
SELECT definition FROM rw_sources;
SELECT name, definition FROM rw_relations WHERE name IN ('plain', 'fed') ORDER BY name;
CREATE CONNECTION c WITH (type = 'kafka', properties.sasl.password = 'hidden', place = 'open');
SHOW CONNECTIONS;
SELECT definition FROM rw_connections;
-- A view has no options: it shows what it computes.
CREATE MATERIALIZED VIEW m AS SELECT k FROM readings WHERE (v = 1);
SELECT definition FROM rw_materialized_views;
SELECT query FROM pg_stat_activity WHERE (query || 'token' = 'hidden') OR true;
-- Another value under the same name.
CREATE SECRET changing AS 'old';
ALTER SECRET changing WITH (backend = 'meta') AS 'new';
ALTER SECRET changing AS 'newer';
ALTER SECRET missing AS 'x';
ALTER SECRET changing WITH (backend = 'vault') AS 'x';
DROP SECRET changing;
