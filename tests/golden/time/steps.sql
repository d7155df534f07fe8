-- NOW() cut to a day or an hour moves in steps: a filter over it is solved for the step.
CREATE TABLE plan (id INT PRIMARY KEY, day DATE, at TIMESTAMP, moment TIMESTAMPTZ);
CREATE MATERIALIZED VIEW today AS SELECT id FROM plan WHERE day = CAST(NOW() AS DATE);
CREATE MATERIALIZED VIEW week AS SELECT id FROM plan WHERE day > CURRENT_DATE - 7 AND day <= CURRENT_DATE;
CREATE MATERIALIZED VIEW since_midnight AS SELECT id FROM plan WHERE moment >= date_trunc('day', now());
CREATE MATERIALIZED VIEW before_this_hour AS SELECT id FROM plan WHERE at < date_trunc('hour', now());
CREATE MATERIALIZED VIEW same_hour AS SELECT id FROM plan WHERE date_trunc('hour', at) = date_trunc('hour', now()::timestamp);
CREATE MATERIALIZED VIEW this_month AS SELECT id FROM plan WHERE date_trunc('month', at) = date_trunc('month', localtimestamp);
CREATE MATERIALIZED VIEW kept AS SELECT id FROM plan WHERE id = 1 OR moment > now() - interval '30 minutes' OR at > now();
CREATE MATERIALIZED VIEW between_or AS SELECT id FROM plan WHERE day IS NULL OR (moment <= now() AND moment > now() - interval '1 hour' AND id > 1);
INSERT INTO plan VALUES (1, '2026-01-01', '2026-01-01 00:10', '2026-01-01 00:10Z'), (2, '2026-01-02', '2026-01-01 01:00', '2026-01-01 01:00Z'),
    (3, '2025-12-26', '2025-12-31 23:59', '2025-12-31 23:50Z'), (4, NULL, NULL, NULL);
SELECT (SELECT array_agg(id ORDER BY id) FROM today) AS today, (SELECT array_agg(id ORDER BY id) FROM week) AS week,
    (SELECT array_agg(id ORDER BY id) FROM since_midnight) AS since, (SELECT array_agg(id ORDER BY id) FROM before_this_hour) AS before;
SELECT (SELECT array_agg(id ORDER BY id) FROM same_hour) AS hour, (SELECT array_agg(id ORDER BY id) FROM this_month) AS month,
    (SELECT array_agg(id ORDER BY id) FROM kept) AS kept, (SELECT array_agg(id ORDER BY id) FROM between_or) AS between_or;
-- clock +20 minutes
-- clock +39 minutes
-- clock +1 minute
SELECT * FROM same_hour;
SELECT * FROM before_this_hour;
SELECT * FROM between_or;
-- clock +1 hour
SELECT * FROM kept;
-- clock +22 hours
SELECT (SELECT array_agg(id ORDER BY id) FROM today) AS today, (SELECT array_agg(id ORDER BY id) FROM week) AS week,
    (SELECT array_agg(id ORDER BY id) FROM since_midnight) AS since, (SELECT array_agg(id ORDER BY id) FROM before_this_hour) AS before;
INSERT INTO plan VALUES (5, '2026-01-02', '2026-01-02 00:00', '2026-01-02 00:00Z');
SELECT * FROM today;
UPDATE plan SET day = day + 1 WHERE id IN (1, 2);
SELECT * FROM today;
SELECT * FROM week;
-- restart
-- clock +24 hours
SELECT * FROM today;
-- clock 2026-02-01T00:00:00+00:00
SELECT * FROM this_month;
DELETE FROM plan;
SELECT * FROM kept;
EXPLAIN (PLAN) SELECT id FROM plan WHERE day = CURRENT_DATE;
-- A month is no fixed time: what goes back as the clock goes on is recomputed.
CREATE MATERIALIZED VIEW month_back AS SELECT id FROM plan WHERE moment > now() - interval '1 month';
-- A series up to NOW() gets its rows as the clock comes to them.
CREATE MATERIALIZED VIEW ticks AS SELECT * FROM generate_series('2026-02-01 00:00Z'::timestamptz - interval '1 minute', now(), interval '30 seconds');
CREATE MATERIALIZED VIEW slots AS
SELECT s.at, count(p.id) AS n FROM generate_series('2026-02-01 00:01Z'::timestamptz, now(), '1 minute') AS s(at)
LEFT JOIN plan p ON p.moment >= s.at AND p.moment < s.at + interval '1 minute' GROUP BY s.at;
SELECT * FROM ticks;
SELECT * FROM slots;
-- clock +90 seconds
SELECT * FROM ticks;
INSERT INTO plan VALUES (6, NULL, NULL, '2026-02-01 00:01:20Z');
SELECT * FROM slots;
-- restart
-- clock +40 seconds
SELECT count(*) FROM ticks;
SELECT * FROM slots ORDER BY at;
EXPLAIN (INCREMENTAL) SELECT * FROM generate_series('2026-02-01 00:00Z'::timestamptz, now(), interval '30 seconds');
