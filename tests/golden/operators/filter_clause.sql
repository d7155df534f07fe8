-- FILTER decides row by row what an aggregate sees; the group is there all the same.
CREATE TABLE event (id INTEGER PRIMARY KEY, charger VARCHAR, kind VARCHAR, kwh NUMERIC(8,3));
CREATE MATERIALIZED VIEW summary AS
SELECT
    charger,
    count(*) AS all_events,
    count(*) FILTER (WHERE kind = 'fault') AS faults,
    sum(kwh) FILTER (WHERE kind = 'stop') AS kwh,
    avg(kwh) FILTER (WHERE kwh > 1) AS mean,
    max(kwh) FILTER (WHERE kind <> 'fault') AS most,
    count(DISTINCT kind) FILTER (WHERE kwh IS NOT NULL) AS kinds
FROM event GROUP BY charger;
INSERT INTO event VALUES (1, 'a', 'start', NULL), (2, 'a', 'stop', 7.5), (3, 'a', 'stop', 0.5), (4, 'b', 'fault', 9), (5, 'b', NULL, 1);
SELECT * FROM summary;
UPDATE event SET kind = 'fault' WHERE id = 2;
SELECT * FROM summary;
DELETE FROM event WHERE kind = 'fault';
SELECT * FROM summary;
