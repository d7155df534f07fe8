-- time_bucket_gapfill: a bucket at every step for each other key, whether rows came or not.
CREATE TABLE m (device INT, at TIMESTAMPTZ, kw DOUBLE PRECISION);
INSERT INTO m VALUES (1, '2026-01-01 00:01Z', 1), (1, '2026-01-01 00:04Z', 3), (1, '2026-01-01 00:31Z', 8), (2, '2026-01-01 00:11Z', 5);
SELECT time_bucket_gapfill('10 minutes', at, '2026-01-01 00:00Z', '2026-01-01 00:50Z') AS bucket, device, avg(kw) AS kw, locf(avg(kw)) AS last,
    interpolate(avg(kw)) AS line, count(*) AS n, coalesce(locf(max(kw)), 0) + 1 AS more
FROM m GROUP BY 1, 2 ORDER BY device, bucket;
-- As a view, bounded by WHERE, it follows late rows, updates and deletes.
CREATE MATERIALIZED VIEW filled AS
SELECT time_bucket_gapfill('10 minutes', at) AS bucket, device, locf(max(kw)) AS last, interpolate(sum(kw)) AS line
FROM m WHERE at >= '2026-01-01 00:00Z' AND at < '2026-01-01 00:40Z' GROUP BY bucket, device;
CREATE MATERIALIZED VIEW of_all AS
SELECT time_bucket_gapfill('20 minutes', at) AS bucket, count(*) AS n FROM m WHERE kw > 0 AND at BETWEEN '2026-01-01 00:00Z' AND '2026-01-01 01:00Z' GROUP BY 1;
SELECT * FROM filled ORDER BY device, bucket;
SELECT * FROM of_all ORDER BY bucket;
INSERT INTO m VALUES (1, '2026-01-01 00:15Z', 2), (3, '2026-01-01 00:39Z', 7);
SELECT * FROM filled ORDER BY device, bucket;
DELETE FROM m WHERE device = 1 AND kw < 3;
UPDATE m SET device = 2 WHERE device = 3;
SELECT * FROM filled ORDER BY device, bucket;
SELECT * FROM of_all ORDER BY bucket;
DELETE FROM m;
SELECT * FROM filled;
-- Without bounds there is no first and no last bucket.
SELECT time_bucket_gapfill('10 minutes', at) AS bucket, count(*) FROM m GROUP BY 1;
SELECT time_bucket_gapfill('10 minutes', at) AS bucket, count(*) FROM m WHERE at > now() GROUP BY 1;
SELECT time_bucket_gapfill('10 minutes', at) AS bucket FROM m;
-- In a zone a bucket of days begins at its midnight, also where clocks change.
INSERT INTO m VALUES (1, '2026-03-27 10:00Z', 4), (1, '2026-03-30 23:30Z', 6);
SELECT time_bucket_gapfill('1 day', at, 'Europe/Berlin', '2026-03-27 00:00+01', '2026-04-01 00:00+02') AS day, sum(kw) AS kw FROM m GROUP BY day ORDER BY day;
SELECT time_bucket_gapfill('1 day', at, timezone => 'Europe/Berlin', start => '2026-03-28 00:00+01', finish => '2026-03-31 00:00+02') AS day, count(*) AS n FROM m WHERE at < '2026-03-31 00:00+02' GROUP BY day ORDER BY day;
SELECT time_bucket_gapfill('1 day', at, 'Europe/Berlin') AS day, count(*) AS n FROM m WHERE at >= '2026-03-28 00:00+01' AND at < '2026-03-31 00:00+02' GROUP BY day ORDER BY day;
CREATE MATERIALIZED VIEW zoned AS SELECT time_bucket_gapfill('1 day', at, 'Europe/Berlin', '2026-03-27 00:00+01', '2026-04-01 00:00+02') AS day, locf(sum(kw)) AS kw FROM m GROUP BY day;
INSERT INTO m VALUES (1, '2026-03-29 10:00Z', 9);
SELECT * FROM zoned ORDER BY day;
-- One bound is given, the other told by WHERE; NULL is the same as left out.
SELECT time_bucket_gapfill('1 day', at, NULL, '2026-03-31 00:00Z') AS day, count(*) AS n FROM m WHERE at >= '2026-03-28 00:00Z' AND at < '2026-04-01 00:00Z' GROUP BY day ORDER BY day;
-- What was before and comes after is looked up.
CREATE TABLE k (device INT, at TIMESTAMPTZ, kw DOUBLE PRECISION);
INSERT INTO k VALUES (1, '2026-01-01 00:00Z', 2), (1, '2026-01-01 00:25Z', NULL), (1, '2026-01-01 00:45Z', 5), (1, '2026-01-01 01:30Z', 8), (2, '2026-01-01 00:45Z', 1);
SELECT time_bucket_gapfill('10 minutes', k.at, '2026-01-01 00:10Z', '2026-01-01 01:10Z') AS bucket, k.device, avg(kw) AS kw,
    locf(avg(kw), (SELECT o.kw FROM k o WHERE o.at < '2026-01-01 00:10Z' AND o.device = k.device ORDER BY o.at DESC LIMIT 1)) AS last,
    locf(avg(kw), treat_null_as_missing => true) AS missing,
    interpolate(avg(kw), (SELECT (o.at, o.kw) FROM k o WHERE o.at < '2026-01-01 00:10Z' AND o.device = k.device ORDER BY o.at DESC LIMIT 1),
        (SELECT (o.at, o.kw) FROM k o WHERE o.at >= '2026-01-01 01:10Z' AND o.device = k.device ORDER BY o.at LIMIT 1)) AS line
FROM k WHERE k.at >= '2026-01-01 00:10Z' AND k.at < '2026-01-01 01:10Z' GROUP BY 1, k.device ORDER BY device, bucket;
SELECT time_bucket_gapfill('10 minutes', at, '2026-01-01 00:10Z', '2026-01-01 00:30Z') AS bucket, interpolate(avg(kw), prev => 7) FROM k GROUP BY 1;
SELECT time_bucket_gapfill('10 minutes', at, '2026-01-01 00:10Z', '2026-01-01 00:30Z') AS bucket, locf(avg(kw), nothing => 7) FROM k GROUP BY 1;
