-- AGGREGATE: makes a function of arrays one of rows.
CREATE TABLE reads (meter INT, wh INT);
INSERT INTO reads VALUES (1, 5), (1, 7), (2, 3), (2, NULL);
SELECT AGGREGATE:array_sum(wh) FROM reads;
SELECT meter, aggregate:array_max(wh) FILTER (WHERE wh < 6) AS most, aggregate:array_to_string(wh, '-') FROM reads GROUP BY meter ORDER BY meter;
CREATE MATERIALIZED VIEW by_meter AS SELECT meter, AGGREGATE:array_sum(wh) AS wh, AGGREGATE:array_length(wh ORDER BY wh) AS n FROM reads GROUP BY meter;
CREATE FUNCTION twice(a INT[]) RETURNS INT LANGUAGE sql AS 'SELECT array_length(a, 1) * 2';
CREATE MATERIALIZED VIEW counted AS SELECT AGGREGATE:twice(wh) AS n FROM reads;
INSERT INTO reads VALUES (3, 9);
DELETE FROM reads WHERE wh = 7;
SELECT * FROM by_meter ORDER BY meter;
SELECT * FROM counted;
SELECT AGGREGATE:array_sum FROM reads;
CREATE MATERIALIZED VIEW ordered WITH (backfill_order = FIXED reads -> by_meter, reads -> counted, parallelism = 2) AS SELECT r.wh FROM reads r JOIN by_meter m ON m.meter = r.meter;
CREATE MATERIALIZED VIEW fresh WITH (refresh.interval.sec = 3) AS SELECT wh FROM reads;
