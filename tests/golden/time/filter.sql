-- NOW() in WHERE is solved for the instant at which a row enters or leaves; a timer seals an epoch there.
CREATE TABLE heartbeat (charger VARCHAR PRIMARY KEY, at TIMESTAMPTZ);
INSERT INTO heartbeat VALUES ('a', '2026-01-01 00:00+00'), ('b', '2026-01-01 00:04+00'), ('c', NULL);
CREATE MATERIALIZED VIEW recent AS SELECT charger FROM heartbeat WHERE at > NOW() - INTERVAL '5 minutes';
CREATE MATERIALIZED VIEW silent AS SELECT charger FROM heartbeat WHERE at <= NOW() - INTERVAL '5 minutes';
CREATE MATERIALIZED VIEW between_times AS
SELECT charger FROM heartbeat WHERE NOW() BETWEEN at + INTERVAL '1 minute' AND at + INTERVAL '2 minutes';
CREATE MATERIALIZED VIEW minutes AS
SELECT charger FROM heartbeat WHERE EXTRACT(EPOCH FROM (NOW() - at)) / 60 > 5;
SELECT * FROM recent;
SELECT * FROM silent;
SELECT * FROM between_times;
-- clock +1 minute
SELECT * FROM between_times;
-- clock +4 minutes
SELECT * FROM recent;
SELECT * FROM silent;
SELECT * FROM minutes;
-- The bound itself: strictly greater is a microsecond later.
-- clock +0.000001 seconds
SELECT * FROM minutes;
-- clock +4 minutes
SELECT * FROM recent;
SELECT * FROM silent;
-- A new heartbeat brings the row back.
UPDATE heartbeat SET at = NOW() WHERE charger = 'a';
SELECT * FROM recent;
SELECT * FROM silent;
DELETE FROM heartbeat WHERE charger = 'b';
SELECT * FROM silent;
-- clock +1 hour
SELECT * FROM recent;
SELECT * FROM silent;

-- A row from the future enters when its time has come, also after a restart.
INSERT INTO heartbeat VALUES ('f', '2026-01-01 03:00+00');
CREATE MATERIALIZED VIEW started AS SELECT charger FROM heartbeat WHERE at <= NOW();
SELECT * FROM started;
-- restart
-- clock 2026-01-01T03:00:00+00:00
SELECT * FROM started;
SELECT * FROM recent;
-- An aggregate above a time filter.
CREATE MATERIALIZED VIEW online AS SELECT count(*) AS n FROM recent;
SELECT * FROM online;
-- clock +5 minutes
SELECT * FROM online;
