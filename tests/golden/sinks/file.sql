-- PLAIN sends what comes; UPSERT and DEBEZIUM carry changes and deletes.
CREATE TABLE charger (id VARCHAR PRIMARY KEY, kw INTEGER);
CREATE MATERIALIZED VIEW fast AS SELECT id, kw FROM charger WHERE kw >= 50;
INSERT INTO charger VALUES ('a', 11), ('b', 50);
CREATE SINK plain FROM fast WITH (connector = 'file', path = '$DIR/plain') FORMAT PLAIN ENCODE JSON;
CREATE SINK upsert FROM fast WITH (connector = 'file', path = '$DIR/upsert', primary_key = 'id') FORMAT UPSERT ENCODE JSON;
CREATE SINK debezium FROM fast WITH (connector = 'file', path = '$DIR/debezium', primary_key = 'id') FORMAT DEBEZIUM ENCODE JSON;
INSERT INTO charger VALUES ('c', 150);
UPDATE charger SET kw = 300 WHERE id = 'c';
UPDATE charger SET kw = 22 WHERE id = 'b';
DELETE FROM charger WHERE id = 'c';
-- show file plain
-- show file upsert
-- show file debezium

-- A sink of a query, over an append-only source; snapshot = false leaves out what is there.
CREATE SOURCE reading (meter VARCHAR, at TIMESTAMPTZ, kwh NUMERIC(8,3), note VARCHAR);
INSERT INTO reading VALUES ('a', '2026-01-01 00:00+00', 1.5, 'first');
CREATE SINK later AS SELECT meter, kwh * 2 AS double, at, note, NOW() AS sent FROM reading WHERE kwh > 1
WITH (connector = 'file', path = '$DIR/later', snapshot = 'false', type = 'append-only', force_append_only = 'true');
-- clock +1 minute
INSERT INTO reading VALUES ('a', '2026-01-01 00:15+00', 2.25, 'say "hi"'), ('b', NULL, 0.5, NULL), ('c', NULL, 3, NULL);
-- show file later

-- Without a key there is nothing to upsert by; nothing is lost without a target.
CREATE SINK keyless FROM fast WITH (connector = 'file', path = '$DIR/keyless') FORMAT UPSERT ENCODE JSON;
CREATE SINK hole FROM fast WITH (connector = 'blackhole');
SELECT name, connector, state, pending FROM rw_sinks ORDER BY name;
DROP SINK plain;
SHOW SINKS;
