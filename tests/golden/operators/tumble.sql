-- A tumbling window: [start, start + size).
CREATE SOURCE reading (meter VARCHAR, at TIMESTAMPTZ, kwh NUMERIC(8,3));
CREATE MATERIALIZED VIEW quarter AS
SELECT window_start, window_end, meter, sum(kwh) AS kwh, count(*) AS n
FROM TUMBLE(reading, at, INTERVAL '15 minutes')
GROUP BY window_start, window_end, meter;
INSERT INTO reading VALUES
    ('a', '2026-01-01 00:00:00+00', 1),
    ('a', '2026-01-01 00:14:59.999999+00', 2),
    ('a', '2026-01-01 00:15:00+00', 4),
    ('b', '2026-01-01 00:15:00+00', 8);
SELECT * FROM quarter;
-- Late data updates its window.
INSERT INTO reading VALUES ('a', '2026-01-01 00:07:00+00', 0.5), ('a', '1969-12-31 23:50:00+00', 16);
SELECT * FROM quarter;

-- Over a table with updates, over a subquery, with an offset, and without aggregates.
CREATE TABLE bill (id INTEGER PRIMARY KEY, at TIMESTAMP, cents INTEGER);
CREATE MATERIALIZED VIEW daily AS
SELECT window_start, sum(cents) AS cents FROM TUMBLE(bill, at, INTERVAL '1 day') GROUP BY window_start;
CREATE MATERIALIZED VIEW paid AS
SELECT window_start, count(*) AS n
FROM TUMBLE((SELECT * FROM bill WHERE cents > 0), at, INTERVAL '1 hour')
GROUP BY window_start;
CREATE MATERIALIZED VIEW shifted AS
SELECT id, window_start, window_end FROM TUMBLE(bill, at, INTERVAL '1 hour', INTERVAL '10 minutes');
INSERT INTO bill VALUES (1, '2026-01-01 23:59:59', 100), (2, '2026-01-02 00:00:00', 50), (3, '2026-01-02 12:09:00', 0), (4, NULL, 7);
SELECT * FROM daily;
SELECT * FROM paid;
SELECT * FROM shifted;
UPDATE bill SET at = '2026-01-02 00:00:01' WHERE id = 1;
DELETE FROM bill WHERE id = 2;
SELECT * FROM daily;
SELECT * FROM paid;
SELECT * FROM shifted;
