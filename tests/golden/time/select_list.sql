-- NOW() in a select list is evaluated when the view is read.
CREATE TABLE heartbeat (charger VARCHAR PRIMARY KEY, at TIMESTAMPTZ);
INSERT INTO heartbeat VALUES ('a', '2026-01-01 00:00+00'), ('b', '2025-12-31 23:30+00'), ('c', NULL);
CREATE MATERIALIZED VIEW age AS
SELECT charger, NOW() - at AS age, EXTRACT(EPOCH FROM (NOW() - at)) / 60 AS minutes FROM heartbeat;
SELECT * FROM age;
-- clock +90 seconds
SELECT * FROM age;
UPDATE heartbeat SET at = '2026-01-01 00:01+00' WHERE charger = 'c';
SELECT * FROM age;
-- A filter above it is solved through the expression.
CREATE MATERIALIZED VIEW late AS SELECT charger FROM age WHERE minutes > 5;
SELECT * FROM late;
-- clock +3.5 minutes
SELECT * FROM late;
-- clock +1 second
SELECT * FROM late;
-- clock +1 minute
SELECT * FROM late;
-- A plain NOW() and NOW() per group.
CREATE MATERIALIZED VIEW stamped AS SELECT NOW() AS at, count(*) AS n FROM heartbeat;
CREATE MATERIALIZED VIEW per_charger AS SELECT charger, NOW() - max(at) AS age FROM heartbeat GROUP BY charger;
SELECT * FROM stamped;
SELECT * FROM per_charger;
-- clock +10 minutes
SELECT * FROM stamped;
SELECT * FROM per_charger;
SELECT NOW() = (SELECT at FROM stamped) AS same;
