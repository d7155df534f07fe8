-- Every form of time_bucket: by integers, dates, time stamps with and without zone; origin and offset.
SELECT time_bucket(2::SMALLINT, 5::SMALLINT), time_bucket(5, 13), time_bucket(5::BIGINT, 13::BIGINT), time_bucket(5, -1), time_bucket(5, 13, 2), time_bucket(5::BIGINT, 13::BIGINT, "offset" => 4::BIGINT);
SELECT time_bucket('1 week', DATE '2026-01-01'), time_bucket('1 week', DATE '2026-01-01', origin => DATE '2025-12-31'), time_bucket('1 week', DATE '2026-01-01', "offset" => INTERVAL '2 days'), time_bucket('1 month', DATE '2026-02-27'), time_bucket('1 year', DATE '2026-02-27'), time_bucket('3 months', DATE '2026-06-30');
SELECT time_bucket('5 minutes', TIMESTAMP '2026-01-01 00:04:59.999'), time_bucket('5 minutes', TIMESTAMP '2026-01-01 00:04', INTERVAL '2 minutes'), time_bucket('1 day', TIMESTAMP '2026-01-01 05:00', TIMESTAMP '2026-01-01 06:00'), time_bucket('1 month', TIMESTAMP '2026-03-31 23:59'), time_bucket('2 months', TIMESTAMP '2026-03-31'), time_bucket('1 month', TIMESTAMP '2026-03-20', origin => TIMESTAMP '2026-01-15');
SELECT time_bucket('5 minutes', TIMESTAMPTZ '2026-01-01 00:04+00'), time_bucket('1 week', TIMESTAMPTZ '2026-01-01 00:04+00'), time_bucket('1 day', TIMESTAMPTZ '2026-01-01 05:00+00', TIMESTAMPTZ '2026-01-01 06:00+00'), time_bucket('1 day', TIMESTAMPTZ '2026-01-01 05:00+00', INTERVAL '6 hours'), time_bucket('1 month', TIMESTAMPTZ '2026-03-31 23:59+00');
SELECT time_bucket('1 day', TIMESTAMPTZ '2026-07-01 23:00+00', 'Europe/Berlin'), time_bucket('1 day', TIMESTAMPTZ '2026-07-01 23:00+00', 'Europe/Berlin', TIMESTAMPTZ '2026-01-01 05:00+00'), time_bucket('1 day', TIMESTAMPTZ '2026-07-01 03:00+00', 'Europe/Berlin', "offset" => INTERVAL '6 hours'), time_bucket('1 month', TIMESTAMPTZ '2026-06-30 23:00+00', 'Europe/Berlin'), time_bucket('1 week', TIMESTAMPTZ '2026-03-29 12:00+00', timezone => 'Europe/Berlin'), time_bucket('1 year', TIMESTAMPTZ '2025-12-31 23:30+00', 'Europe/Berlin');
SELECT time_bucket(bucket_width => INTERVAL '1 hour', ts => TIMESTAMPTZ '2026-01-01 00:44+00');
SELECT time_bucket('1 hour', NULL::TIMESTAMPTZ), time_bucket(NULL::INTERVAL, TIMESTAMPTZ '2026-01-01 00:44+00');
SELECT time_bucket('1 month 1 day', TIMESTAMPTZ '2026-01-01 00:44+00');
SELECT time_bucket('0 minutes', TIMESTAMPTZ '2026-01-01 00:44+00');
SELECT time_bucket('-1 hour', TIMESTAMPTZ '2026-01-01 00:44+00');
SELECT time_bucket(0, 5);
SELECT time_bucket('1 day', TIMESTAMPTZ '2026-01-01 00:44+00', 'Nowhere/Land');
CREATE TABLE r (at TIMESTAMPTZ NOT NULL, n BIGINT, day DATE);
CREATE MATERIALIZED VIEW buckets AS SELECT time_bucket('1 day', at, 'Europe/Berlin', "offset" => INTERVAL '6 hours') AS local, time_bucket('1 month', day) AS month, time_bucket(10, n) AS tens, count(*) AS c FROM r GROUP BY local, month, tens;
INSERT INTO r VALUES ('2026-03-29 03:59+00', 7, '2026-03-31'), ('2026-03-29 04:00+00', -7, '2026-04-01'), ('2026-10-25 05:00+00', 27, '2026-10-25');
SELECT * FROM buckets ORDER BY 1, 2, 3;
DELETE FROM r WHERE n = 7;
SELECT * FROM buckets ORDER BY 1, 2, 3;
